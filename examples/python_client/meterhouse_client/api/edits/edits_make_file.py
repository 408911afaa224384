from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.edit_reason import EditReason
from ...models.edits import Edits
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: str,
    name: str,
    reason: EditReason,
    note: None | str | Unset = UNSET,
    force: bool | Unset = False,
    token: None | str | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    params: dict[str, Any] = {}

    params["name"] = name

    json_reason: str = reason
    params["reason"] = json_reason

    json_note: None | str | Unset
    if isinstance(note, Unset):
        json_note = UNSET
    else:
        json_note = note
    params["note"] = json_note

    params["force"] = force

    json_token: None | str | Unset
    if isinstance(token, Unset):
        json_token = UNSET
    else:
        json_token = token
    params["token"] = json_token

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/edits/file",
        "params": params,
    }

    _kwargs["content"] = body.payload
    headers["Content-Type"] = "application/octet-stream"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Edits | ProblemDetails | None:
    if response.status_code == 201:
        response_201 = Edits.from_dict(response.json())

        return response_201

    if response.status_code == 400:
        response_400 = ProblemDetails.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ProblemDetails.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ProblemDetails.from_dict(response.json())

        return response_403

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
) -> Response[Edits | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: str,
    name: str,
    reason: EditReason,
    note: None | str | Unset = UNSET,
    force: bool | Unset = False,
    token: None | str | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[Edits | ProblemDetails]:
    """Make the edits of a file, all or none

    Args:
        name (str): its ending says what it is
        reason (EditReason): Why a person changed a value. Stored in vee.edit.
        note (None | str | Unset):
        force (bool | Unset):  Default: False.
        token (None | str | Unset):
        idempotency_key (str | Unset):
        body (str): CSV or XLSX as it is, see docs/vee-editing.md

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Edits | ProblemDetails]
    """

    kwargs = _get_kwargs(
        body=body,
        name=name,
        reason=reason,
        note=note,
        force=force,
        token=token,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: str,
    name: str,
    reason: EditReason,
    note: None | str | Unset = UNSET,
    force: bool | Unset = False,
    token: None | str | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Edits | ProblemDetails | None:
    """Make the edits of a file, all or none

    Args:
        name (str): its ending says what it is
        reason (EditReason): Why a person changed a value. Stored in vee.edit.
        note (None | str | Unset):
        force (bool | Unset):  Default: False.
        token (None | str | Unset):
        idempotency_key (str | Unset):
        body (str): CSV or XLSX as it is, see docs/vee-editing.md

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Edits | ProblemDetails
    """

    return sync_detailed(
        client=client,
        body=body,
        name=name,
        reason=reason,
        note=note,
        force=force,
        token=token,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: str,
    name: str,
    reason: EditReason,
    note: None | str | Unset = UNSET,
    force: bool | Unset = False,
    token: None | str | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[Edits | ProblemDetails]:
    """Make the edits of a file, all or none

    Args:
        name (str): its ending says what it is
        reason (EditReason): Why a person changed a value. Stored in vee.edit.
        note (None | str | Unset):
        force (bool | Unset):  Default: False.
        token (None | str | Unset):
        idempotency_key (str | Unset):
        body (str): CSV or XLSX as it is, see docs/vee-editing.md

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Edits | ProblemDetails]
    """

    kwargs = _get_kwargs(
        body=body,
        name=name,
        reason=reason,
        note=note,
        force=force,
        token=token,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: str,
    name: str,
    reason: EditReason,
    note: None | str | Unset = UNSET,
    force: bool | Unset = False,
    token: None | str | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Edits | ProblemDetails | None:
    """Make the edits of a file, all or none

    Args:
        name (str): its ending says what it is
        reason (EditReason): Why a person changed a value. Stored in vee.edit.
        note (None | str | Unset):
        force (bool | Unset):  Default: False.
        token (None | str | Unset):
        idempotency_key (str | Unset):
        body (str): CSV or XLSX as it is, see docs/vee-editing.md

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Edits | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            name=name,
            reason=reason,
            note=note,
            force=force,
            token=token,
            idempotency_key=idempotency_key,
        )
    ).parsed
