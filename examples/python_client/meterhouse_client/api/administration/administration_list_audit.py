import datetime
from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.administration_list_audit_outcome_type_0 import (
    AdministrationListAuditOutcomeType0,
)
from ...models.audit_page import AuditPage
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    before: None | str | Unset = UNSET,
    size: int | Unset = 100,
    action: None | str | Unset = UNSET,
    outcome: AdministrationListAuditOutcomeType0 | None | Unset = UNSET,
    who: None | str | Unset = UNSET,
    since: datetime.datetime | None | Unset = UNSET,
    until: datetime.datetime | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_before: None | str | Unset
    if isinstance(before, Unset):
        json_before = UNSET
    else:
        json_before = before
    params["before"] = json_before

    params["size"] = size

    json_action: None | str | Unset
    if isinstance(action, Unset):
        json_action = UNSET
    else:
        json_action = action
    params["action"] = json_action

    json_outcome: None | str | Unset
    if isinstance(outcome, Unset):
        json_outcome = UNSET
    elif isinstance(outcome, str):
        json_outcome = outcome
    else:
        json_outcome = outcome
    params["outcome"] = json_outcome

    json_who: None | str | Unset
    if isinstance(who, Unset):
        json_who = UNSET
    else:
        json_who = who
    params["who"] = json_who

    json_since: None | str | Unset
    if isinstance(since, Unset):
        json_since = UNSET
    elif isinstance(since, datetime.datetime):
        json_since = since.isoformat()
    else:
        json_since = since
    params["since"] = json_since

    json_until: None | str | Unset
    if isinstance(until, Unset):
        json_until = UNSET
    elif isinstance(until, datetime.datetime):
        json_until = until.isoformat()
    else:
        json_until = until
    params["until"] = json_until

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/admin/audit",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | AuditPage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = AuditPage.from_dict(response.json())

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 400:
        response_400 = ProblemDetails.from_dict(response.json())

        return response_400

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
) -> Response[Any | AuditPage | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    before: None | str | Unset = UNSET,
    size: int | Unset = 100,
    action: None | str | Unset = UNSET,
    outcome: AdministrationListAuditOutcomeType0 | None | Unset = UNSET,
    who: None | str | Unset = UNSET,
    since: datetime.datetime | None | Unset = UNSET,
    until: datetime.datetime | None | Unset = UNSET,
) -> Response[Any | AuditPage | ProblemDetails]:
    """Decisions and changes, the latest first

     `who`, `action` exactly as the log has them; `since` is included, `until` is not.

    Args:
        before (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.
        action (None | str | Unset):
        outcome (AdministrationListAuditOutcomeType0 | None | Unset):
        who (None | str | Unset):
        since (datetime.datetime | None | Unset):
        until (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | AuditPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        before=before,
        size=size,
        action=action,
        outcome=outcome,
        who=who,
        since=since,
        until=until,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    before: None | str | Unset = UNSET,
    size: int | Unset = 100,
    action: None | str | Unset = UNSET,
    outcome: AdministrationListAuditOutcomeType0 | None | Unset = UNSET,
    who: None | str | Unset = UNSET,
    since: datetime.datetime | None | Unset = UNSET,
    until: datetime.datetime | None | Unset = UNSET,
) -> Any | AuditPage | ProblemDetails | None:
    """Decisions and changes, the latest first

     `who`, `action` exactly as the log has them; `since` is included, `until` is not.

    Args:
        before (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.
        action (None | str | Unset):
        outcome (AdministrationListAuditOutcomeType0 | None | Unset):
        who (None | str | Unset):
        since (datetime.datetime | None | Unset):
        until (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | AuditPage | ProblemDetails
    """

    return sync_detailed(
        client=client,
        before=before,
        size=size,
        action=action,
        outcome=outcome,
        who=who,
        since=since,
        until=until,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    before: None | str | Unset = UNSET,
    size: int | Unset = 100,
    action: None | str | Unset = UNSET,
    outcome: AdministrationListAuditOutcomeType0 | None | Unset = UNSET,
    who: None | str | Unset = UNSET,
    since: datetime.datetime | None | Unset = UNSET,
    until: datetime.datetime | None | Unset = UNSET,
) -> Response[Any | AuditPage | ProblemDetails]:
    """Decisions and changes, the latest first

     `who`, `action` exactly as the log has them; `since` is included, `until` is not.

    Args:
        before (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.
        action (None | str | Unset):
        outcome (AdministrationListAuditOutcomeType0 | None | Unset):
        who (None | str | Unset):
        since (datetime.datetime | None | Unset):
        until (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | AuditPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        before=before,
        size=size,
        action=action,
        outcome=outcome,
        who=who,
        since=since,
        until=until,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    before: None | str | Unset = UNSET,
    size: int | Unset = 100,
    action: None | str | Unset = UNSET,
    outcome: AdministrationListAuditOutcomeType0 | None | Unset = UNSET,
    who: None | str | Unset = UNSET,
    since: datetime.datetime | None | Unset = UNSET,
    until: datetime.datetime | None | Unset = UNSET,
) -> Any | AuditPage | ProblemDetails | None:
    """Decisions and changes, the latest first

     `who`, `action` exactly as the log has them; `since` is included, `until` is not.

    Args:
        before (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.
        action (None | str | Unset):
        outcome (AdministrationListAuditOutcomeType0 | None | Unset):
        who (None | str | Unset):
        since (datetime.datetime | None | Unset):
        until (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | AuditPage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            before=before,
            size=size,
            action=action,
            outcome=outcome,
            who=who,
            since=since,
            until=until,
        )
    ).parsed
