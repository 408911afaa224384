import datetime
from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.exception_page import ExceptionPage
from ...models.exception_state import ExceptionState
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    first: datetime.date,
    last: datetime.date,
    meter: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    state: ExceptionState | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_first = first.isoformat()
    params["first"] = json_first

    json_last = last.isoformat()
    params["last"] = json_last

    json_meter: None | str | Unset
    if isinstance(meter, Unset):
        json_meter = UNSET
    else:
        json_meter = meter
    params["meter"] = json_meter

    json_rule: None | str | Unset
    if isinstance(rule, Unset):
        json_rule = UNSET
    else:
        json_rule = rule
    params["rule"] = json_rule

    json_state: None | str | Unset
    if isinstance(state, Unset):
        json_state = UNSET
    elif isinstance(state, str):
        json_state = state
    else:
        json_state = state
    params["state"] = json_state

    json_updated_since: None | str | Unset
    if isinstance(updated_since, Unset):
        json_updated_since = UNSET
    elif isinstance(updated_since, datetime.datetime):
        json_updated_since = updated_since.isoformat()
    else:
        json_updated_since = updated_since
    params["updated_since"] = json_updated_since

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
        "url": "/api/v1/vee/exceptions",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ExceptionPage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = ExceptionPage.from_dict(response.json())

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
) -> Response[Any | ExceptionPage | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    first: datetime.date,
    last: datetime.date,
    meter: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    state: ExceptionState | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ExceptionPage | ProblemDetails]:
    """Meter-days that fail a rule

    Args:
        first (datetime.date): business day
        last (datetime.date): business day, included
        meter (None | str | Unset):
        rule (None | str | Unset):
        state (ExceptionState | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExceptionPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        first=first,
        last=last,
        meter=meter,
        rule=rule,
        state=state,
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
    first: datetime.date,
    last: datetime.date,
    meter: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    state: ExceptionState | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ExceptionPage | ProblemDetails | None:
    """Meter-days that fail a rule

    Args:
        first (datetime.date): business day
        last (datetime.date): business day, included
        meter (None | str | Unset):
        rule (None | str | Unset):
        state (ExceptionState | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExceptionPage | ProblemDetails
    """

    return sync_detailed(
        client=client,
        first=first,
        last=last,
        meter=meter,
        rule=rule,
        state=state,
        updated_since=updated_since,
        after=after,
        size=size,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    first: datetime.date,
    last: datetime.date,
    meter: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    state: ExceptionState | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ExceptionPage | ProblemDetails]:
    """Meter-days that fail a rule

    Args:
        first (datetime.date): business day
        last (datetime.date): business day, included
        meter (None | str | Unset):
        rule (None | str | Unset):
        state (ExceptionState | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ExceptionPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        first=first,
        last=last,
        meter=meter,
        rule=rule,
        state=state,
        updated_since=updated_since,
        after=after,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    first: datetime.date,
    last: datetime.date,
    meter: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    state: ExceptionState | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ExceptionPage | ProblemDetails | None:
    """Meter-days that fail a rule

    Args:
        first (datetime.date): business day
        last (datetime.date): business day, included
        meter (None | str | Unset):
        rule (None | str | Unset):
        state (ExceptionState | None | Unset):
        updated_since (datetime.datetime | None | Unset): only what changed at this time or later
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ExceptionPage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            first=first,
            last=last,
            meter=meter,
            rule=rule,
            state=state,
            updated_since=updated_since,
            after=after,
            size=size,
        )
    ).parsed
