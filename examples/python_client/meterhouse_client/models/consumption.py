from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.consumption_layer import ConsumptionLayer, check_consumption_layer
from ..models.consumption_resolution import (
    ConsumptionResolution,
    check_consumption_resolution,
)

if TYPE_CHECKING:
    from ..models.consumption_qualities import ConsumptionQualities
    from ..models.consumption_row import ConsumptionRow


T = TypeVar("T", bound="Consumption")


@_attrs_define
class Consumption:
    """Rows by time, each of which has an interval that was built; what was never built has none.

    interval, hour, day and month add up, to the Wh. An interval belongs to the row in which it begins.

        Attributes:
            meter (str):
            begin (datetime.datetime):
            end (datetime.datetime): not included
            timezone (str):
            resolution (ConsumptionResolution):
            layer (ConsumptionLayer):
            multiplying_factor (Literal['applied']): energies and powers are those of the consumer, not of the meter's own
                count
            qualities (ConsumptionQualities): letters of `quality` in words, weaker from one to the next
            rows (list[ConsumptionRow]):
    """

    meter: str
    begin: datetime.datetime
    end: datetime.datetime
    timezone: str
    resolution: ConsumptionResolution
    layer: ConsumptionLayer
    multiplying_factor: Literal["applied"]
    qualities: ConsumptionQualities
    rows: list[ConsumptionRow]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        meter = self.meter

        begin = self.begin.isoformat()

        end = self.end.isoformat()

        timezone = self.timezone

        resolution: str = self.resolution

        layer: str = self.layer

        multiplying_factor = self.multiplying_factor

        qualities = self.qualities.to_dict()

        rows = []
        for rows_item_data in self.rows:
            rows_item = rows_item_data.to_dict()
            rows.append(rows_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "meter": meter,
                "begin": begin,
                "end": end,
                "timezone": timezone,
                "resolution": resolution,
                "layer": layer,
                "multiplying_factor": multiplying_factor,
                "qualities": qualities,
                "rows": rows,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.consumption_qualities import ConsumptionQualities  # noqa: PLC0415
        from ..models.consumption_row import ConsumptionRow  # noqa: PLC0415

        d = dict(src_dict)
        meter = d.pop("meter")

        begin = datetime.datetime.fromisoformat(d.pop("begin"))

        end = datetime.datetime.fromisoformat(d.pop("end"))

        timezone = d.pop("timezone")

        resolution = check_consumption_resolution(d.pop("resolution"))

        layer = check_consumption_layer(d.pop("layer"))

        multiplying_factor = cast(Literal["applied"], d.pop("multiplying_factor"))
        if multiplying_factor != "applied":
            raise ValueError(
                f"multiplying_factor must match const 'applied', got '{multiplying_factor}'"
            )

        qualities = ConsumptionQualities.from_dict(d.pop("qualities"))

        rows = []
        _rows = d.pop("rows")
        for rows_item_data in _rows:
            rows_item = ConsumptionRow.from_dict(rows_item_data)

            rows.append(rows_item)

        consumption = cls(
            meter=meter,
            begin=begin,
            end=end,
            timezone=timezone,
            resolution=resolution,
            layer=layer,
            multiplying_factor=multiplying_factor,
            qualities=qualities,
            rows=rows,
        )

        consumption.additional_properties = d
        return consumption

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
