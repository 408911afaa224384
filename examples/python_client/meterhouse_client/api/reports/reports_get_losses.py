import datetime
from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem_details import ProblemDetails
from ...models.report_rows import ReportRows
from ...models.reports_get_losses_level import (
    ReportsGetLossesLevel,
)
from ...models.reports_get_losses_method_type_0 import (
    ReportsGetLossesMethodType0,
)
from ...models.reports_get_losses_period_type_0 import (
    ReportsGetLossesPeriodType0,
)
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsGetLossesPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
    describe: bool | Unset = False,
    level: ReportsGetLossesLevel | Unset = "feeder",
    method: None | ReportsGetLossesMethodType0 | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_first: None | str | Unset
    if isinstance(first, Unset):
        json_first = UNSET
    elif isinstance(first, datetime.date):
        json_first = first.isoformat()
    else:
        json_first = first
    params["first"] = json_first

    json_last: None | str | Unset
    if isinstance(last, Unset):
        json_last = UNSET
    elif isinstance(last, datetime.date):
        json_last = last.isoformat()
    else:
        json_last = last
    params["last"] = json_last

    json_period: None | str | Unset
    if isinstance(period, Unset):
        json_period = UNSET
    elif isinstance(period, str):
        json_period = period
    else:
        json_period = period
    params["period"] = json_period

    json_start: None | str | Unset
    if isinstance(start, Unset):
        json_start = UNSET
    elif isinstance(start, datetime.date):
        json_start = start.isoformat()
    else:
        json_start = start
    params["start"] = json_start

    json_office: None | str | Unset
    if isinstance(office, Unset):
        json_office = UNSET
    else:
        json_office = office
    params["office"] = json_office

    json_after: None | str | Unset
    if isinstance(after, Unset):
        json_after = UNSET
    else:
        json_after = after
    params["after"] = json_after

    params["size"] = size

    params["describe"] = describe

    json_level: str | Unset = UNSET
    if not isinstance(level, Unset):
        json_level = level

    params["level"] = json_level

    json_method: None | str | Unset
    if isinstance(method, Unset):
        json_method = UNSET
    elif isinstance(method, str):
        json_method = method
    else:
        json_method = method
    params["method"] = json_method

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/reports/losses",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ProblemDetails | ReportRows | None:
    if response.status_code == 200:
        response_200 = ReportRows.from_dict(response.json())

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

    if response.status_code == 409:
        response_409 = ProblemDetails.from_dict(response.json())

        return response_409

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
) -> Response[Any | ProblemDetails | ReportRows]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsGetLossesPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
    describe: bool | Unset = False,
    level: ReportsGetLossesLevel | Unset = "feeder",
    method: None | ReportsGetLossesMethodType0 | Unset = UNSET,
) -> Response[Any | ProblemDetails | ReportRows]:
    """Losses of DTs, feeders, areas; the AT&C statement

    Args:
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsGetLossesPeriodType0 | Unset): length: with `start`, the period that
            holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        after (None | str | Unset): `next` of the page before
        size (int | Unset): rows of a page Default: 100.
        describe (bool | Unset): say what each column means, too Default: False.
        level (ReportsGetLossesLevel | Unset): report D01 of DTs, D02 of feeders, D04 of offices
            and towns, D05 the AT&C statement Default: 'feeder'.
        method (None | ReportsGetLossesMethodType0 | Unset): of the AT&C statement, one method
            alone

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | ReportRows]
    """

    kwargs = _get_kwargs(
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        after=after,
        size=size,
        describe=describe,
        level=level,
        method=method,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsGetLossesPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
    describe: bool | Unset = False,
    level: ReportsGetLossesLevel | Unset = "feeder",
    method: None | ReportsGetLossesMethodType0 | Unset = UNSET,
) -> Any | ProblemDetails | ReportRows | None:
    """Losses of DTs, feeders, areas; the AT&C statement

    Args:
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsGetLossesPeriodType0 | Unset): length: with `start`, the period that
            holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        after (None | str | Unset): `next` of the page before
        size (int | Unset): rows of a page Default: 100.
        describe (bool | Unset): say what each column means, too Default: False.
        level (ReportsGetLossesLevel | Unset): report D01 of DTs, D02 of feeders, D04 of offices
            and towns, D05 the AT&C statement Default: 'feeder'.
        method (None | ReportsGetLossesMethodType0 | Unset): of the AT&C statement, one method
            alone

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | ReportRows
    """

    return sync_detailed(
        client=client,
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        after=after,
        size=size,
        describe=describe,
        level=level,
        method=method,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsGetLossesPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
    describe: bool | Unset = False,
    level: ReportsGetLossesLevel | Unset = "feeder",
    method: None | ReportsGetLossesMethodType0 | Unset = UNSET,
) -> Response[Any | ProblemDetails | ReportRows]:
    """Losses of DTs, feeders, areas; the AT&C statement

    Args:
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsGetLossesPeriodType0 | Unset): length: with `start`, the period that
            holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        after (None | str | Unset): `next` of the page before
        size (int | Unset): rows of a page Default: 100.
        describe (bool | Unset): say what each column means, too Default: False.
        level (ReportsGetLossesLevel | Unset): report D01 of DTs, D02 of feeders, D04 of offices
            and towns, D05 the AT&C statement Default: 'feeder'.
        method (None | ReportsGetLossesMethodType0 | Unset): of the AT&C statement, one method
            alone

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | ReportRows]
    """

    kwargs = _get_kwargs(
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        after=after,
        size=size,
        describe=describe,
        level=level,
        method=method,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsGetLossesPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
    describe: bool | Unset = False,
    level: ReportsGetLossesLevel | Unset = "feeder",
    method: None | ReportsGetLossesMethodType0 | Unset = UNSET,
) -> Any | ProblemDetails | ReportRows | None:
    """Losses of DTs, feeders, areas; the AT&C statement

    Args:
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsGetLossesPeriodType0 | Unset): length: with `start`, the period that
            holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        after (None | str | Unset): `next` of the page before
        size (int | Unset): rows of a page Default: 100.
        describe (bool | Unset): say what each column means, too Default: False.
        level (ReportsGetLossesLevel | Unset): report D01 of DTs, D02 of feeders, D04 of offices
            and towns, D05 the AT&C statement Default: 'feeder'.
        method (None | ReportsGetLossesMethodType0 | Unset): of the AT&C statement, one method
            alone

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | ReportRows
    """

    return (
        await asyncio_detailed(
            client=client,
            first=first,
            last=last,
            period=period,
            start=start,
            office=office,
            after=after,
            size=size,
            describe=describe,
            level=level,
            method=method,
        )
    ).parsed
