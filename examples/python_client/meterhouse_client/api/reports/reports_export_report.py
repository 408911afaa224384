import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.export_job import ExportJob
from ...models.problem_details import ProblemDetails
from ...models.reports_export_report_format import (
    ReportsExportReportFormat,
)
from ...models.reports_export_report_period_type_0 import (
    ReportsExportReportPeriodType0,
)
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    id: str,
    *,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsExportReportPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    format_: ReportsExportReportFormat,
    prefer: None | str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["prefer"] = prefer

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

    json_format_: str = format_
    params["format"] = json_format_

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/reports/{id}/export".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ExportJob | File | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.text))

        return response_200

    if response.status_code == 202:
        response_202 = ExportJob.from_dict(response.json())

        return response_202

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
) -> Response[Any | ExportJob | File | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsExportReportPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    format_: ReportsExportReportFormat,
    prefer: None | str | Unset = UNSET,
) -> Response[Any | ExportJob | File | ProblemDetails]:
    """A report as a file

     At once where it is small; else 202 and a job. Asked for again before that has ended, it is the same
    job.

    Args:
        id (str): of a report, as D01
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsExportReportPeriodType0 | Unset): length: with `start`, the period
            that holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        format_ (ReportsExportReportFormat):
        prefer (None | str | Unset): respond-async: always a job

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExportJob | File | ProblemDetails]
    """

    kwargs = _get_kwargs(
        id=id,
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        format_=format_,
        prefer=prefer,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsExportReportPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    format_: ReportsExportReportFormat,
    prefer: None | str | Unset = UNSET,
) -> Any | ExportJob | File | ProblemDetails | None:
    """A report as a file

     At once where it is small; else 202 and a job. Asked for again before that has ended, it is the same
    job.

    Args:
        id (str): of a report, as D01
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsExportReportPeriodType0 | Unset): length: with `start`, the period
            that holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        format_ (ReportsExportReportFormat):
        prefer (None | str | Unset): respond-async: always a job

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExportJob | File | ProblemDetails
    """

    return sync_detailed(
        id=id,
        client=client,
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        format_=format_,
        prefer=prefer,
    ).parsed


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsExportReportPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    format_: ReportsExportReportFormat,
    prefer: None | str | Unset = UNSET,
) -> Response[Any | ExportJob | File | ProblemDetails]:
    """A report as a file

     At once where it is small; else 202 and a job. Asked for again before that has ended, it is the same
    job.

    Args:
        id (str): of a report, as D01
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsExportReportPeriodType0 | Unset): length: with `start`, the period
            that holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        format_ (ReportsExportReportFormat):
        prefer (None | str | Unset): respond-async: always a job

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExportJob | File | ProblemDetails]
    """

    kwargs = _get_kwargs(
        id=id,
        first=first,
        last=last,
        period=period,
        start=start,
        office=office,
        format_=format_,
        prefer=prefer,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    first: datetime.date | None | Unset = UNSET,
    last: datetime.date | None | Unset = UNSET,
    period: None | ReportsExportReportPeriodType0 | Unset = UNSET,
    start: datetime.date | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    format_: ReportsExportReportFormat,
    prefer: None | str | Unset = UNSET,
) -> Any | ExportJob | File | ProblemDetails | None:
    """A report as a file

     At once where it is small; else 202 and a job. Asked for again before that has ended, it is the same
    job.

    Args:
        id (str): of a report, as D01
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (None | ReportsExportReportPeriodType0 | Unset): length: with `start`, the period
            that holds that day; rows of this length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited
            to it sees it
        format_ (ReportsExportReportFormat):
        prefer (None | str | Unset): respond-async: always a job

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExportJob | File | ProblemDetails
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            first=first,
            last=last,
            period=period,
            start=start,
            office=office,
            format_=format_,
            prefer=prefer,
        )
    ).parsed
