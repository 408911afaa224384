import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.children import Children
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    code: str,
    *,
    from_: datetime.date,
    to: datetime.date,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to = to.isoformat()
    params["to"] = json_to

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
        "url": "/api/v1/energy/feeder/{code}/dts".format(
            code=quote(str(code), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Children | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = Children.from_dict(response.json())

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
) -> Response[Any | Children | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | Children | ProblemDetails]:
    """DTs of a feeder, most loss first

     Over at most 31 days.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Children | ProblemDetails]
    """

    kwargs = _get_kwargs(
        code=code,
        from_=from_,
        to=to,
        after=after,
        size=size,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | Children | ProblemDetails | None:
    """DTs of a feeder, most loss first

     Over at most 31 days.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Children | ProblemDetails
    """

    return sync_detailed(
        code=code,
        client=client,
        from_=from_,
        to=to,
        after=after,
        size=size,
    ).parsed


async def asyncio_detailed(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | Children | ProblemDetails]:
    """DTs of a feeder, most loss first

     Over at most 31 days.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Children | ProblemDetails]
    """

    kwargs = _get_kwargs(
        code=code,
        from_=from_,
        to=to,
        after=after,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    code: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date,
    to: datetime.date,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | Children | ProblemDetails | None:
    """DTs of a feeder, most loss first

     Over at most 31 days.

    Args:
        code (str): code of the DT, feeder or office
        from_ (datetime.date): business day
        to (datetime.date): business day, included
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Children | ProblemDetails
    """

    return (
        await asyncio_detailed(
            code=code,
            client=client,
            from_=from_,
            to=to,
            after=after,
            size=size,
        )
    ).parsed
