import datetime
from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.case_state import CaseState
from ...models.cases_list_cases_severity_type_0 import (
    CasesListCasesSeverityType0,
)
from ...models.exceptions_page import ExceptionsPage
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    state: CaseState | None | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    severity: CasesListCasesSeverityType0 | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    meter: None | str | Unset = UNSET,
    assignee: None | str | Unset = UNSET,
    min_age_h: float | None | Unset = UNSET,
    overdue: bool | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_state: None | str | Unset
    if isinstance(state, Unset):
        json_state = UNSET
    elif isinstance(state, str):
        json_state = state
    else:
        json_state = state
    params["state"] = json_state

    json_rule: None | str | Unset
    if isinstance(rule, Unset):
        json_rule = UNSET
    else:
        json_rule = rule
    params["rule"] = json_rule

    json_severity: None | str | Unset
    if isinstance(severity, Unset):
        json_severity = UNSET
    elif isinstance(severity, str):
        json_severity = severity
    else:
        json_severity = severity
    params["severity"] = json_severity

    json_office: None | str | Unset
    if isinstance(office, Unset):
        json_office = UNSET
    else:
        json_office = office
    params["office"] = json_office

    json_dt: None | str | Unset
    if isinstance(dt, Unset):
        json_dt = UNSET
    else:
        json_dt = dt
    params["dt"] = json_dt

    json_meter: None | str | Unset
    if isinstance(meter, Unset):
        json_meter = UNSET
    else:
        json_meter = meter
    params["meter"] = json_meter

    json_assignee: None | str | Unset
    if isinstance(assignee, Unset):
        json_assignee = UNSET
    else:
        json_assignee = assignee
    params["assignee"] = json_assignee

    json_min_age_h: float | None | Unset
    if isinstance(min_age_h, Unset):
        json_min_age_h = UNSET
    else:
        json_min_age_h = min_age_h
    params["min_age_h"] = json_min_age_h

    json_overdue: bool | None | Unset
    if isinstance(overdue, Unset):
        json_overdue = UNSET
    else:
        json_overdue = overdue
    params["overdue"] = json_overdue

    json_updated_since: None | str | Unset
    if isinstance(updated_since, Unset):
        json_updated_since = UNSET
    elif isinstance(updated_since, datetime.datetime):
        json_updated_since = updated_since.isoformat()
    else:
        json_updated_since = updated_since
    params["updated_since"] = json_updated_since

    json_after: int | None | Unset
    if isinstance(after, Unset):
        json_after = UNSET
    else:
        json_after = after
    params["after"] = json_after

    params["size"] = size

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/vee/cases",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ExceptionsPage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = ExceptionsPage.from_dict(response.json())

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
) -> Response[Any | ExceptionsPage | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    state: CaseState | None | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    severity: CasesListCasesSeverityType0 | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    meter: None | str | Unset = UNSET,
    assignee: None | str | Unset = UNSET,
    min_age_h: float | None | Unset = UNSET,
    overdue: bool | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ExceptionsPage | ProblemDetails]:
    """Cases that wait for a person, the most urgent first

     Without `state` and `updated_since`, those that are not closed. Order: priority of the severity,
    energy at stake, age.

    Args:
        state (CaseState | None | Unset):
        rule (None | str | Unset):
        severity (CasesListCasesSeverityType0 | None | Unset):
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset):
        meter (None | str | Unset):
        assignee (None | str | Unset):
        min_age_h (float | None | Unset):
        overdue (bool | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExceptionsPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        state=state,
        rule=rule,
        severity=severity,
        office=office,
        dt=dt,
        meter=meter,
        assignee=assignee,
        min_age_h=min_age_h,
        overdue=overdue,
        updated_since=updated_since,
        after=after,
        size=size,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    state: CaseState | None | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    severity: CasesListCasesSeverityType0 | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    meter: None | str | Unset = UNSET,
    assignee: None | str | Unset = UNSET,
    min_age_h: float | None | Unset = UNSET,
    overdue: bool | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ExceptionsPage | ProblemDetails | None:
    """Cases that wait for a person, the most urgent first

     Without `state` and `updated_since`, those that are not closed. Order: priority of the severity,
    energy at stake, age.

    Args:
        state (CaseState | None | Unset):
        rule (None | str | Unset):
        severity (CasesListCasesSeverityType0 | None | Unset):
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset):
        meter (None | str | Unset):
        assignee (None | str | Unset):
        min_age_h (float | None | Unset):
        overdue (bool | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExceptionsPage | ProblemDetails
    """

    return sync_detailed(
        client=client,
        state=state,
        rule=rule,
        severity=severity,
        office=office,
        dt=dt,
        meter=meter,
        assignee=assignee,
        min_age_h=min_age_h,
        overdue=overdue,
        updated_since=updated_since,
        after=after,
        size=size,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    state: CaseState | None | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    severity: CasesListCasesSeverityType0 | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    meter: None | str | Unset = UNSET,
    assignee: None | str | Unset = UNSET,
    min_age_h: float | None | Unset = UNSET,
    overdue: bool | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ExceptionsPage | ProblemDetails]:
    """Cases that wait for a person, the most urgent first

     Without `state` and `updated_since`, those that are not closed. Order: priority of the severity,
    energy at stake, age.

    Args:
        state (CaseState | None | Unset):
        rule (None | str | Unset):
        severity (CasesListCasesSeverityType0 | None | Unset):
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset):
        meter (None | str | Unset):
        assignee (None | str | Unset):
        min_age_h (float | None | Unset):
        overdue (bool | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExceptionsPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        state=state,
        rule=rule,
        severity=severity,
        office=office,
        dt=dt,
        meter=meter,
        assignee=assignee,
        min_age_h=min_age_h,
        overdue=overdue,
        updated_since=updated_since,
        after=after,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    state: CaseState | None | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    severity: CasesListCasesSeverityType0 | None | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    meter: None | str | Unset = UNSET,
    assignee: None | str | Unset = UNSET,
    min_age_h: float | None | Unset = UNSET,
    overdue: bool | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ExceptionsPage | ProblemDetails | None:
    """Cases that wait for a person, the most urgent first

     Without `state` and `updated_since`, those that are not closed. Order: priority of the severity,
    energy at stake, age.

    Args:
        state (CaseState | None | Unset):
        rule (None | str | Unset):
        severity (CasesListCasesSeverityType0 | None | Unset):
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset):
        meter (None | str | Unset):
        assignee (None | str | Unset):
        min_age_h (float | None | Unset):
        overdue (bool | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExceptionsPage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            state=state,
            rule=rule,
            severity=severity,
            office=office,
            dt=dt,
            meter=meter,
            assignee=assignee,
            min_age_h=min_age_h,
            overdue=overdue,
            updated_since=updated_since,
            after=after,
            size=size,
        )
    ).parsed
