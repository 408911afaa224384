from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.grant_page import GrantPage
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    after: int | Unset = 0,
    size: int | Unset = 100,
    login: None | str | Unset = UNSET,
    role: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["after"] = after

    params["size"] = size

    json_login: None | str | Unset
    if isinstance(login, Unset):
        json_login = UNSET
    else:
        json_login = login
    params["login"] = json_login

    json_role: None | str | Unset
    if isinstance(role, Unset):
        json_role = UNSET
    else:
        json_role = role
    params["role"] = json_role

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/admin/grants",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | GrantPage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = GrantPage.from_dict(response.json())

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
) -> Response[Any | GrantPage | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    size: int | Unset = 100,
    login: None | str | Unset = UNSET,
    role: None | str | Unset = UNSET,
) -> Response[Any | GrantPage | ProblemDetails]:
    """Who holds which role where

    Args:
        after (int | Unset): `next` of the page before Default: 0.
        size (int | Unset):  Default: 100.
        login (None | str | Unset):
        role (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | GrantPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        after=after,
        size=size,
        login=login,
        role=role,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    size: int | Unset = 100,
    login: None | str | Unset = UNSET,
    role: None | str | Unset = UNSET,
) -> Any | GrantPage | ProblemDetails | None:
    """Who holds which role where

    Args:
        after (int | Unset): `next` of the page before Default: 0.
        size (int | Unset):  Default: 100.
        login (None | str | Unset):
        role (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | GrantPage | ProblemDetails
    """

    return sync_detailed(
        client=client,
        after=after,
        size=size,
        login=login,
        role=role,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    size: int | Unset = 100,
    login: None | str | Unset = UNSET,
    role: None | str | Unset = UNSET,
) -> Response[Any | GrantPage | ProblemDetails]:
    """Who holds which role where

    Args:
        after (int | Unset): `next` of the page before Default: 0.
        size (int | Unset):  Default: 100.
        login (None | str | Unset):
        role (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | GrantPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        after=after,
        size=size,
        login=login,
        role=role,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    size: int | Unset = 100,
    login: None | str | Unset = UNSET,
    role: None | str | Unset = UNSET,
) -> Any | GrantPage | ProblemDetails | None:
    """Who holds which role where

    Args:
        after (int | Unset): `next` of the page before Default: 0.
        size (int | Unset):  Default: 100.
        login (None | str | Unset):
        role (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | GrantPage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            after=after,
            size=size,
            login=login,
            role=role,
        )
    ).parsed
