import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.episode_page import EpisodePage
from ...models.meters_list_events_severity_type_0 import (
    MetersListEventsSeverityType0,
)
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    serial: str,
    *,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    family: None | str | Unset = UNSET,
    severity: MetersListEventsSeverityType0 | None | Unset = UNSET,
    timezone: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_from_: str
    if isinstance(from_, datetime.date):
        json_from_ = from_.isoformat()
    else:
        json_from_ = from_.isoformat()

    params["from"] = json_from_

    json_to: str
    if isinstance(to, datetime.date):
        json_to = to.isoformat()
    else:
        json_to = to.isoformat()

    params["to"] = json_to

    json_family: None | str | Unset
    if isinstance(family, Unset):
        json_family = UNSET
    else:
        json_family = family
    params["family"] = json_family

    json_severity: None | str | Unset
    if isinstance(severity, Unset):
        json_severity = UNSET
    elif isinstance(severity, str):
        json_severity = severity
    else:
        json_severity = severity
    params["severity"] = json_severity

    json_timezone: None | str | Unset
    if isinstance(timezone, Unset):
        json_timezone = UNSET
    else:
        json_timezone = timezone
    params["timezone"] = json_timezone

    json_after: None | str | Unset
    if isinstance(after, Unset):
        json_after = UNSET
    else:
        json_after = after
    params["after"] = json_after

    params["size"] = size

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/meters/{serial}/events".format(
            serial=quote(str(serial), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | EpisodePage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = EpisodePage.from_dict(response.json())

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
) -> Response[Any | EpisodePage | ProblemDetails]:
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
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    family: None | str | Unset = UNSET,
    severity: MetersListEventsSeverityType0 | None | Unset = UNSET,
    timezone: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | EpisodePage | ProblemDetails]:
    """What a meter reported

     Events that began in at most 93 days, each with what ended it within 31 days.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        family (None | str | Unset):
        severity (MetersListEventsSeverityType0 | None | Unset):
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | EpisodePage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        family=family,
        severity=severity,
        timezone=timezone,
        after=after,
        size=size,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    family: None | str | Unset = UNSET,
    severity: MetersListEventsSeverityType0 | None | Unset = UNSET,
    timezone: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | EpisodePage | ProblemDetails | None:
    """What a meter reported

     Events that began in at most 93 days, each with what ended it within 31 days.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        family (None | str | Unset):
        severity (MetersListEventsSeverityType0 | None | Unset):
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | EpisodePage | ProblemDetails
    """

    return sync_detailed(
        serial=serial,
        client=client,
        from_=from_,
        to=to,
        family=family,
        severity=severity,
        timezone=timezone,
        after=after,
        size=size,
    ).parsed


async def asyncio_detailed(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    family: None | str | Unset = UNSET,
    severity: MetersListEventsSeverityType0 | None | Unset = UNSET,
    timezone: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | EpisodePage | ProblemDetails]:
    """What a meter reported

     Events that began in at most 93 days, each with what ended it within 31 days.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        family (None | str | Unset):
        severity (MetersListEventsSeverityType0 | None | Unset):
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | EpisodePage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        family=family,
        severity=severity,
        timezone=timezone,
        after=after,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    family: None | str | Unset = UNSET,
    severity: MetersListEventsSeverityType0 | None | Unset = UNSET,
    timezone: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | EpisodePage | ProblemDetails | None:
    """What a meter reported

     Events that began in at most 93 days, each with what ended it within 31 days.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        family (None | str | Unset):
        severity (MetersListEventsSeverityType0 | None | Unset):
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | EpisodePage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            serial=serial,
            client=client,
            from_=from_,
            to=to,
            family=family,
            severity=severity,
            timezone=timezone,
            after=after,
            size=size,
        )
    ).parsed
