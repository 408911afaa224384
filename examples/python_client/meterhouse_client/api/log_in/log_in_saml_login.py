from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    provider: str,
    *,
    discom: None | str | Unset = UNSET,
    return_to: None | str | Unset = UNSET,
    code_challenge: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_discom: None | str | Unset
    if isinstance(discom, Unset):
        json_discom = UNSET
    else:
        json_discom = discom
    params["discom"] = json_discom

    json_return_to: None | str | Unset
    if isinstance(return_to, Unset):
        json_return_to = UNSET
    else:
        json_return_to = return_to
    params["return_to"] = json_return_to

    json_code_challenge: None | str | Unset
    if isinstance(code_challenge, Unset):
        json_code_challenge = UNSET
    else:
        json_code_challenge = code_challenge
    params["code_challenge"] = json_code_challenge

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/auth/saml/{provider}/login".format(
            provider=quote(str(provider), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ProblemDetails | None:
    if response.status_code == 303:
        response_303 = cast(Any, None)
        return response_303

    if response.status_code == 400:
        response_400 = ProblemDetails.from_dict(response.json())

        return response_400

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
) -> Response[Any | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    provider: str,
    *,
    client: AuthenticatedClient | Client,
    discom: None | str | Unset = UNSET,
    return_to: None | str | Unset = UNSET,
    code_challenge: None | str | Unset = UNSET,
) -> Response[Any | ProblemDetails]:
    """Log in by SAML 2.0

     Sends the browser to the provider with an AuthnRequest, by redirect.

    Args:
        provider (str): as GET /api/v1/auth/providers names it
        discom (None | str | Unset): code of the DISCOM; needed where you hold roles in several
        return_to (None | str | Unset): a page of `front_ends` that gets `?code=` in place of this
            answer; none of them: tokens as JSON
        code_challenge (None | str | Unset): with return_to: S256 of the page's code_verifier, as
            PKCE has it

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails]
    """

    kwargs = _get_kwargs(
        provider=provider,
        discom=discom,
        return_to=return_to,
        code_challenge=code_challenge,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    provider: str,
    *,
    client: AuthenticatedClient | Client,
    discom: None | str | Unset = UNSET,
    return_to: None | str | Unset = UNSET,
    code_challenge: None | str | Unset = UNSET,
) -> Any | ProblemDetails | None:
    """Log in by SAML 2.0

     Sends the browser to the provider with an AuthnRequest, by redirect.

    Args:
        provider (str): as GET /api/v1/auth/providers names it
        discom (None | str | Unset): code of the DISCOM; needed where you hold roles in several
        return_to (None | str | Unset): a page of `front_ends` that gets `?code=` in place of this
            answer; none of them: tokens as JSON
        code_challenge (None | str | Unset): with return_to: S256 of the page's code_verifier, as
            PKCE has it

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails
    """

    return sync_detailed(
        provider=provider,
        client=client,
        discom=discom,
        return_to=return_to,
        code_challenge=code_challenge,
    ).parsed


async def asyncio_detailed(
    provider: str,
    *,
    client: AuthenticatedClient | Client,
    discom: None | str | Unset = UNSET,
    return_to: None | str | Unset = UNSET,
    code_challenge: None | str | Unset = UNSET,
) -> Response[Any | ProblemDetails]:
    """Log in by SAML 2.0

     Sends the browser to the provider with an AuthnRequest, by redirect.

    Args:
        provider (str): as GET /api/v1/auth/providers names it
        discom (None | str | Unset): code of the DISCOM; needed where you hold roles in several
        return_to (None | str | Unset): a page of `front_ends` that gets `?code=` in place of this
            answer; none of them: tokens as JSON
        code_challenge (None | str | Unset): with return_to: S256 of the page's code_verifier, as
            PKCE has it

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemDetails]
    """

    kwargs = _get_kwargs(
        provider=provider,
        discom=discom,
        return_to=return_to,
        code_challenge=code_challenge,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    provider: str,
    *,
    client: AuthenticatedClient | Client,
    discom: None | str | Unset = UNSET,
    return_to: None | str | Unset = UNSET,
    code_challenge: None | str | Unset = UNSET,
) -> Any | ProblemDetails | None:
    """Log in by SAML 2.0

     Sends the browser to the provider with an AuthnRequest, by redirect.

    Args:
        provider (str): as GET /api/v1/auth/providers names it
        discom (None | str | Unset): code of the DISCOM; needed where you hold roles in several
        return_to (None | str | Unset): a page of `front_ends` that gets `?code=` in place of this
            answer; none of them: tokens as JSON
        code_challenge (None | str | Unset): with return_to: S256 of the page's code_verifier, as
            PKCE has it

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemDetails
    """

    return (
        await asyncio_detailed(
            provider=provider,
            client=client,
            discom=discom,
            return_to=return_to,
            code_challenge=code_challenge,
        )
    ).parsed
