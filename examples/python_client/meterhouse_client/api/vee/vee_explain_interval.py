import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.interval import Interval
from ...models.problem_details import ProblemDetails
from ...types import Response


def _get_kwargs(
    serial: str,
    day: datetime.date,
    slot: int,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/vee/explain/{serial}/{day}/{slot}".format(
            serial=quote(str(serial), safe=""),
            day=quote(str(day), safe=""),
            slot=quote(str(slot), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Interval | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = Interval.from_dict(response.json())

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
) -> Response[Any | Interval | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    serial: str,
    day: datetime.date,
    slot: int,
    *,
    client: AuthenticatedClient,
) -> Response[Any | Interval | ProblemDetails]:
    """Why a value is what it is

     One interval, with every raw value that came for it.

    Args:
        serial (str): serial of the meter
        day (datetime.date): business day
        slot (int): number of the interval, 0 = the first of the day

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Interval | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        day=day,
        slot=slot,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    serial: str,
    day: datetime.date,
    slot: int,
    *,
    client: AuthenticatedClient,
) -> Any | Interval | ProblemDetails | None:
    """Why a value is what it is

     One interval, with every raw value that came for it.

    Args:
        serial (str): serial of the meter
        day (datetime.date): business day
        slot (int): number of the interval, 0 = the first of the day

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Interval | ProblemDetails
    """

    return sync_detailed(
        serial=serial,
        day=day,
        slot=slot,
        client=client,
    ).parsed


async def asyncio_detailed(
    serial: str,
    day: datetime.date,
    slot: int,
    *,
    client: AuthenticatedClient,
) -> Response[Any | Interval | ProblemDetails]:
    """Why a value is what it is

     One interval, with every raw value that came for it.

    Args:
        serial (str): serial of the meter
        day (datetime.date): business day
        slot (int): number of the interval, 0 = the first of the day

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Interval | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        day=day,
        slot=slot,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    serial: str,
    day: datetime.date,
    slot: int,
    *,
    client: AuthenticatedClient,
) -> Any | Interval | ProblemDetails | None:
    """Why a value is what it is

     One interval, with every raw value that came for it.

    Args:
        serial (str): serial of the meter
        day (datetime.date): business day
        slot (int): number of the interval, 0 = the first of the day

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Interval | ProblemDetails
    """

    return (
        await asyncio_detailed(
            serial=serial,
            day=day,
            slot=slot,
            client=client,
        )
    ).parsed
