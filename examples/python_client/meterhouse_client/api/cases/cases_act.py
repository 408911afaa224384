from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.assign import Assign
from ...models.case import Case
from ...models.close import Close
from ...models.comment import Comment
from ...models.problem_details import ProblemDetails
from ...models.reopen import Reopen
from ...models.take import Take
from ...models.wait import Wait
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    body: Assign | Close | Comment | Reopen | Take | Wait,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/vee/cases/{id}/actions".format(
            id=quote(str(id), safe=""),
        ),
    }

    if isinstance(body, Take):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, Assign):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, Wait):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, Comment):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, Close):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Case | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = Case.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ProblemDetails.from_dict(response.json())

        return response_400

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

    if response.status_code == 413:
        response_413 = ProblemDetails.from_dict(response.json())

        return response_413

    if response.status_code == 414:
        response_414 = ProblemDetails.from_dict(response.json())

        return response_414

    if response.status_code == 415:
        response_415 = ProblemDetails.from_dict(response.json())

        return response_415

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
) -> Response[Case | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Assign | Close | Comment | Reopen | Take | Wait,
    idempotency_key: str | Unset = UNSET,
) -> Response[Case | ProblemDetails]:
    """Take, assign, wait, comment, close, reopen

    Args:
        id (int):
        idempotency_key (str | Unset):
        body (Assign | Close | Comment | Reopen | Take | Wait):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Case | ProblemDetails]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Assign | Close | Comment | Reopen | Take | Wait,
    idempotency_key: str | Unset = UNSET,
) -> Case | ProblemDetails | None:
    """Take, assign, wait, comment, close, reopen

    Args:
        id (int):
        idempotency_key (str | Unset):
        body (Assign | Close | Comment | Reopen | Take | Wait):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Case | ProblemDetails
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Assign | Close | Comment | Reopen | Take | Wait,
    idempotency_key: str | Unset = UNSET,
) -> Response[Case | ProblemDetails]:
    """Take, assign, wait, comment, close, reopen

    Args:
        id (int):
        idempotency_key (str | Unset):
        body (Assign | Close | Comment | Reopen | Take | Wait):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Case | ProblemDetails]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Assign | Close | Comment | Reopen | Take | Wait,
    idempotency_key: str | Unset = UNSET,
) -> Case | ProblemDetails | None:
    """Take, assign, wait, comment, close, reopen

    Args:
        id (int):
        idempotency_key (str | Unset):
        body (Assign | Close | Comment | Reopen | Take | Wait):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Case | ProblemDetails
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
