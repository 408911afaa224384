from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.meter_page import MeterPage
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    prefix: None | str | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    service_point: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_prefix: None | str | Unset
    if isinstance(prefix, Unset):
        json_prefix = UNSET
    else:
        json_prefix = prefix
    params["prefix"] = json_prefix

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

    json_service_point: None | str | Unset
    if isinstance(service_point, Unset):
        json_service_point = UNSET
    else:
        json_service_point = service_point
    params["service_point"] = json_service_point

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
        "url": "/api/v1/meters",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | MeterPage | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = MeterPage.from_dict(response.json())

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
) -> Response[Any | MeterPage | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    prefix: None | str | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    service_point: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | MeterPage | ProblemDetails]:
    """Meters, by serial

     Those that you see, and that hang today where it is asked for.

    Args:
        prefix (None | str | Unset): the serial begins with it
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset): that the consumer is indexed to, or that the meter heads
        service_point (None | str | Unset):
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | MeterPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        prefix=prefix,
        office=office,
        dt=dt,
        service_point=service_point,
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
    prefix: None | str | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    service_point: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | MeterPage | ProblemDetails | None:
    """Meters, by serial

     Those that you see, and that hang today where it is asked for.

    Args:
        prefix (None | str | Unset): the serial begins with it
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset): that the consumer is indexed to, or that the meter heads
        service_point (None | str | Unset):
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | MeterPage | ProblemDetails
    """

    return sync_detailed(
        client=client,
        prefix=prefix,
        office=office,
        dt=dt,
        service_point=service_point,
        after=after,
        size=size,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    prefix: None | str | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    service_point: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Any | MeterPage | ProblemDetails]:
    """Meters, by serial

     Those that you see, and that hang today where it is asked for.

    Args:
        prefix (None | str | Unset): the serial begins with it
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset): that the consumer is indexed to, or that the meter heads
        service_point (None | str | Unset):
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | MeterPage | ProblemDetails]
    """

    kwargs = _get_kwargs(
        prefix=prefix,
        office=office,
        dt=dt,
        service_point=service_point,
        after=after,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    prefix: None | str | Unset = UNSET,
    office: None | str | Unset = UNSET,
    dt: None | str | Unset = UNSET,
    service_point: None | str | Unset = UNSET,
    after: None | str | Unset = UNSET,
    size: int | Unset = 100,
) -> Any | MeterPage | ProblemDetails | None:
    """Meters, by serial

     Those that you see, and that hang today where it is asked for.

    Args:
        prefix (None | str | Unset): the serial begins with it
        office (None | str | Unset): with the offices below it
        dt (None | str | Unset): that the consumer is indexed to, or that the meter heads
        service_point (None | str | Unset):
        after (None | str | Unset): `next` of the page before
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | MeterPage | ProblemDetails
    """

    return (
        await asyncio_detailed(
            client=client,
            prefix=prefix,
            office=office,
            dt=dt,
            service_point=service_point,
            after=after,
            size=size,
        )
    ).parsed
