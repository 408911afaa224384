from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem_details import ProblemDetails
from ...models.rules_list_proposals_state_type_0 import (
    RulesListProposalsStateType0,
)
from ...models.rules_page import RulesPage
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    state: None | RulesListProposalsStateType0 | Unset = UNSET,
    before: int | None | Unset = UNSET,
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

    json_before: int | None | Unset
    if isinstance(before, Unset):
        json_before = UNSET
    else:
        json_before = before
    params["before"] = json_before

    params["size"] = size

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/vee/rules/proposals",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ProblemDetails | RulesPage | None:
    if response.status_code == 200:
        response_200 = RulesPage.from_dict(response.json())

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
) -> Response[Any | ProblemDetails | RulesPage]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    state: None | RulesListProposalsStateType0 | Unset = UNSET,
    before: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ProblemDetails | RulesPage]:
    """Proposals, newest first

    Args:
        state (None | RulesListProposalsStateType0 | Unset):
        before (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | RulesPage]
    """

    kwargs = _get_kwargs(
        state=state,
        before=before,
        size=size,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    state: None | RulesListProposalsStateType0 | Unset = UNSET,
    before: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ProblemDetails | RulesPage | None:
    """Proposals, newest first

    Args:
        state (None | RulesListProposalsStateType0 | Unset):
        before (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | RulesPage
    """

    return sync_detailed(
        client=client,
        state=state,
        before=before,
        size=size,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    state: None | RulesListProposalsStateType0 | Unset = UNSET,
    before: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | ProblemDetails | RulesPage]:
    """Proposals, newest first

    Args:
        state (None | RulesListProposalsStateType0 | Unset):
        before (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails | RulesPage]
    """

    kwargs = _get_kwargs(
        state=state,
        before=before,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    state: None | RulesListProposalsStateType0 | Unset = UNSET,
    before: int | None | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | ProblemDetails | RulesPage | None:
    """Proposals, newest first

    Args:
        state (None | RulesListProposalsStateType0 | Unset):
        before (int | None | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails | RulesPage
    """

    return (
        await asyncio_detailed(
            client=client,
            state=state,
            before=before,
            size=size,
        )
    ).parsed
