import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.consumption import Consumption
from ...models.meters_consumption_channels_type_0_item import (
    MetersConsumptionChannelsType0Item,
)
from ...models.meters_consumption_layer import (
    MetersConsumptionLayer,
)
from ...models.meters_consumption_resolution import (
    MetersConsumptionResolution,
)
from ...models.problem_details import ProblemDetails
from ...types import UNSET, Response, Unset


def _get_kwargs(
    serial: str,
    *,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    resolution: MetersConsumptionResolution | Unset = "day",
    layer: MetersConsumptionLayer | Unset = "final",
    timezone: None | str | Unset = UNSET,
    channels: list[MetersConsumptionChannelsType0Item] | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_from_: str
    if isinstance(from_, datetime.date):
        json_from_ = from_.isoformat()
    else:
        json_from_ = from_.isoformat()

    params["from"] = json_from_

    json_to: str
    if isinstance(to, datetime.date):
        json_to = to.isoformat()
    else:
        json_to = to.isoformat()

    params["to"] = json_to

    json_resolution: str | Unset = UNSET
    if not isinstance(resolution, Unset):
        json_resolution = resolution

    params["resolution"] = json_resolution

    json_layer: str | Unset = UNSET
    if not isinstance(layer, Unset):
        json_layer = layer

    params["layer"] = json_layer

    json_timezone: None | str | Unset
    if isinstance(timezone, Unset):
        json_timezone = UNSET
    else:
        json_timezone = timezone
    params["timezone"] = json_timezone

    json_channels: list[str] | None | Unset
    if isinstance(channels, Unset):
        json_channels = UNSET
    elif isinstance(channels, list):
        json_channels = []
        for channels_type_0_item_data in channels:
            channels_type_0_item: str = channels_type_0_item_data
            json_channels.append(channels_type_0_item)

    else:
        json_channels = channels
    params["channels"] = json_channels

    json_updated_since: None | str | Unset
    if isinstance(updated_since, Unset):
        json_updated_since = UNSET
    elif isinstance(updated_since, datetime.datetime):
        json_updated_since = updated_since.isoformat()
    else:
        json_updated_since = updated_since
    params["updated_since"] = json_updated_since

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/meters/{serial}/consumption".format(
            serial=quote(str(serial), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Consumption | ProblemDetails | None:
    if response.status_code == 200:
        response_200 = Consumption.from_dict(response.json())

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
) -> Response[Any | Consumption | ProblemDetails]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    resolution: MetersConsumptionResolution | Unset = "day",
    layer: MetersConsumptionLayer | Unset = "final",
    timezone: None | str | Unset = UNSET,
    channels: list[MetersConsumptionChannelsType0Item] | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
) -> Response[Any | Consumption | ProblemDetails]:
    """Energy, demand and power factor

     The multiplying factor is applied. `final` is what is balanced and billed.

    An interval belongs to the row in which it begins, so rows of any resolution add up to the same, to
    the Wh.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        resolution (MetersConsumptionResolution | Unset): at most 31 days of intervals, 93 of
            hours, 366 of days, 1,827 of months Default: 'day'.
        layer (MetersConsumptionLayer | Unset): raw: as it came; estimated: with the machine's
            estimates; final: with approved edits too Default: 'final'.
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        channels (list[MetersConsumptionChannelsType0Item] | None | Unset): without it, all
        updated_since (datetime.datetime | None | Unset): only business days that were built, or
            of which an edit was approved, since then

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Consumption | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        resolution=resolution,
        layer=layer,
        timezone=timezone,
        channels=channels,
        updated_since=updated_since,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    resolution: MetersConsumptionResolution | Unset = "day",
    layer: MetersConsumptionLayer | Unset = "final",
    timezone: None | str | Unset = UNSET,
    channels: list[MetersConsumptionChannelsType0Item] | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
) -> Any | Consumption | ProblemDetails | None:
    """Energy, demand and power factor

     The multiplying factor is applied. `final` is what is balanced and billed.

    An interval belongs to the row in which it begins, so rows of any resolution add up to the same, to
    the Wh.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        resolution (MetersConsumptionResolution | Unset): at most 31 days of intervals, 93 of
            hours, 366 of days, 1,827 of months Default: 'day'.
        layer (MetersConsumptionLayer | Unset): raw: as it came; estimated: with the machine's
            estimates; final: with approved edits too Default: 'final'.
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        channels (list[MetersConsumptionChannelsType0Item] | None | Unset): without it, all
        updated_since (datetime.datetime | None | Unset): only business days that were built, or
            of which an edit was approved, since then

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Consumption | ProblemDetails
    """

    return sync_detailed(
        serial=serial,
        client=client,
        from_=from_,
        to=to,
        resolution=resolution,
        layer=layer,
        timezone=timezone,
        channels=channels,
        updated_since=updated_since,
    ).parsed


async def asyncio_detailed(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    resolution: MetersConsumptionResolution | Unset = "day",
    layer: MetersConsumptionLayer | Unset = "final",
    timezone: None | str | Unset = UNSET,
    channels: list[MetersConsumptionChannelsType0Item] | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
) -> Response[Any | Consumption | ProblemDetails]:
    """Energy, demand and power factor

     The multiplying factor is applied. `final` is what is balanced and billed.

    An interval belongs to the row in which it begins, so rows of any resolution add up to the same, to
    the Wh.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        resolution (MetersConsumptionResolution | Unset): at most 31 days of intervals, 93 of
            hours, 366 of days, 1,827 of months Default: 'day'.
        layer (MetersConsumptionLayer | Unset): raw: as it came; estimated: with the machine's
            estimates; final: with approved edits too Default: 'final'.
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        channels (list[MetersConsumptionChannelsType0Item] | None | Unset): without it, all
        updated_since (datetime.datetime | None | Unset): only business days that were built, or
            of which an edit was approved, since then

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Consumption | ProblemDetails]
    """

    kwargs = _get_kwargs(
        serial=serial,
        from_=from_,
        to=to,
        resolution=resolution,
        layer=layer,
        timezone=timezone,
        channels=channels,
        updated_since=updated_since,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    serial: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.date | datetime.datetime,
    to: datetime.date | datetime.datetime,
    resolution: MetersConsumptionResolution | Unset = "day",
    layer: MetersConsumptionLayer | Unset = "final",
    timezone: None | str | Unset = UNSET,
    channels: list[MetersConsumptionChannelsType0Item] | None | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
) -> Any | Consumption | ProblemDetails | None:
    """Energy, demand and power factor

     The multiplying factor is applied. `final` is what is balanced and billed.

    An interval belongs to the row in which it begins, so rows of any resolution add up to the same, to
    the Wh.

    Args:
        serial (str): serial of the meter
        from_ (datetime.date | datetime.datetime):
        to (datetime.date | datetime.datetime):
        resolution (MetersConsumptionResolution | Unset): at most 31 days of intervals, 93 of
            hours, 366 of days, 1,827 of months Default: 'day'.
        layer (MetersConsumptionLayer | Unset): raw: as it came; estimated: with the machine's
            estimates; final: with approved edits too Default: 'final'.
        timezone (None | str | Unset): IANA name, such as UTC; without it the DISCOM's
        channels (list[MetersConsumptionChannelsType0Item] | None | Unset): without it, all
        updated_since (datetime.datetime | None | Unset): only business days that were built, or
            of which an edit was approved, since then

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Consumption | ProblemDetails
    """

    return (
        await asyncio_detailed(
            serial=serial,
            client=client,
            from_=from_,
            to=to,
            resolution=resolution,
            layer=layer,
            timezone=timezone,
            channels=channels,
            updated_since=updated_since,
        )
    ).parsed
