import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.balances import Balances
from ...models.energy_feeder_resolution import (
    EnergyFeederResolution,
)
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    code: str,
    *,
    from_: datetime.date,
    to: datetime.date,
    resolution: EnergyFeederResolution | Unset = "day",
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to = to.isoformat()
    params["to"] = json_to

    json_resolution: str | Unset = UNSET
    if not isinstance(resolution, Unset):
        json_resolution = resolution

    params["resolution"] = json_resolution

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/energy/feeder/{code}".format(
            code=quote(str(code), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Balances | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = Balances.from_dict(response.json())

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 401:
        response_401 = ProblemDetails.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ProblemDetails.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = ProblemDetails.from_dict(response.json())

        return response_404

    if response.status_code == 414:
        response_414 = ProblemDetails.from_dict(response.json())

        return response_414

    if response.status_code == 422:
        response_422 = ProblemDetails.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = ProblemDetails.from_dict(response.json())

        return response_429

    if response.status_code == 431:
        response_431 = ProblemDetails.from_dict(response.json())

        return response_431

    if response.status_code == 503:
        response_503 = ProblemDetails.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | Balances | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    resolution: EnergyFeederResolution | Unset = "day",
) -> Response[Any | Balances | ProblemDetails]:
    """Energy balance of a feeder, down to its consumers

     Of an interval: of the feeder against its DTs and HT consumers.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        resolution (EnergyFeederResolution | Unset): at most 3 days of intervals, 366 of days,
            1,827 of months Default: 'day'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Balances | ProblemDetails]
    """

    kwargs = _get_kwargs(
        code=code,
        from_=from_,
        to=to,
        resolution=resolution,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    resolution: EnergyFeederResolution | Unset = "day",
) -> Any | Balances | ProblemDetails | None:
    """Energy balance of a feeder, down to its consumers

     Of an interval: of the feeder against its DTs and HT consumers.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        resolution (EnergyFeederResolution | Unset): at most 3 days of intervals, 366 of days,
            1,827 of months Default: 'day'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Balances | ProblemDetails
    """

    return sync_detailed(
        code=code,
        client=client,
        from_=from_,
        to=to,
        resolution=resolution,
    ).parsed


async def asyncio_detailed(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    resolution: EnergyFeederResolution | Unset = "day",
) -> Response[Any | Balances | ProblemDetails]:
    """Energy balance of a feeder, down to its consumers

     Of an interval: of the feeder against its DTs and HT consumers.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        resolution (EnergyFeederResolution | Unset): at most 3 days of intervals, 366 of days,
            1,827 of months Default: 'day'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Balances | ProblemDetails]
    """

    kwargs = _get_kwargs(
        code=code,
        from_=from_,
        to=to,
        resolution=resolution,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    resolution: EnergyFeederResolution | Unset = "day",
) -> Any | Balances | ProblemDetails | None:
    """Energy balance of a feeder, down to its consumers

     Of an interval: of the feeder against its DTs and HT consumers.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        resolution (EnergyFeederResolution | Unset): at most 3 days of intervals, 366 of days,
            1,827 of months Default: 'day'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Balances | ProblemDetails
    """

    return (
        await asyncio_detailed(
            code=code,
            client=client,
            from_=from_,
            to=to,
            resolution=resolution,
        )
    ).parsed
