import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.meters_profile_day_type import (
    MetersProfileDayType,
)
from ...models.problem_details import ProblemDetails
from ...models.profile import Profile
from ...types import UNSET, Response, Unset


def _get_kwargs(
    serial: str,
    *,
    from_: datetime.date,
    to: datetime.date,
    day_type: MetersProfileDayType | Unset = "all",
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to = to.isoformat()
    params["to"] = json_to

    json_day_type: str | Unset = UNSET
    if not isinstance(day_type, Unset):
        json_day_type = day_type

    params["day_type"] = json_day_type

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/meters/{serial}/profile".format(
            serial=quote(str(serial), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ProblemDetails | Profile | None:
    if response.status_code == 200:
        response_200 = Profile.from_dict(response.json())

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
) -> Response[Any | ProblemDetails | Profile]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    day_type: MetersProfileDayType | Unset = "all",
) -> Response[Any | ProblemDetails | Profile]:
    """A meter's typical day

     Mean, least and most of each interval over complete days of final values, beside the profile of its
    class of consumers.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date): business day
        to (datetime.date): business day, included; at most 93 days
        day_type (MetersProfileDayType | Unset): sunday: or a holiday Default: 'all'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | Profile]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        day_type=day_type,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    day_type: MetersProfileDayType | Unset = "all",
) -> Any | ProblemDetails | Profile | None:
    """A meter's typical day

     Mean, least and most of each interval over complete days of final values, beside the profile of its
    class of consumers.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date): business day
        to (datetime.date): business day, included; at most 93 days
        day_type (MetersProfileDayType | Unset): sunday: or a holiday Default: 'all'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | Profile
    """

    return sync_detailed(
        serial=serial,
        client=client,
        from_=from_,
        to=to,
        day_type=day_type,
    ).parsed


async def asyncio_detailed(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    day_type: MetersProfileDayType | Unset = "all",
) -> Response[Any | ProblemDetails | Profile]:
    """A meter's typical day

     Mean, least and most of each interval over complete days of final values, beside the profile of its
    class of consumers.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date): business day
        to (datetime.date): business day, included; at most 93 days
        day_type (MetersProfileDayType | Unset): sunday: or a holiday Default: 'all'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | Profile]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        day_type=day_type,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    day_type: MetersProfileDayType | Unset = "all",
) -> Any | ProblemDetails | Profile | None:
    """A meter's typical day

     Mean, least and most of each interval over complete days of final values, beside the profile of its
    class of consumers.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date): business day
        to (datetime.date): business day, included; at most 93 days
        day_type (MetersProfileDayType | Unset): sunday: or a holiday Default: 'all'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | Profile
    """

    return (
        await asyncio_detailed(
            serial=serial,
            client=client,
            from_=from_,
            to=to,
            day_type=day_type,
        )
    ).parsed
