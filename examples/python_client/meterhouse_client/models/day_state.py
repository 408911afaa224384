from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="DayState")


@_attrs_define
class DayState:
    """A meter's day as the final layer shows it.

    Attributes:
        meter (str):
        day (datetime.date):
        interval_min (int):
        slots (int):
        import_wh (list[int | None]):
        export_wh (list[int | None]):
        import_vah (list[int | None]):
        quality (list[int]): per slot, reference.code_quality
        limit_wh (float | None): the most that can flow in a slot
        frozen (bool):
        version (str):
        waiting (list[int]): edits that nobody decided
    """

    meter: str
    day: datetime.date
    interval_min: int
    slots: int
    import_wh: list[int | None]
    export_wh: list[int | None]
    import_vah: list[int | None]
    quality: list[int]
    limit_wh: float | None
    frozen: bool
    version: str
    waiting: list[int]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        meter = self.meter

        day = self.day.isoformat()

        interval_min = self.interval_min

        slots = self.slots

        import_wh = []
        for import_wh_item_data in self.import_wh:
            import_wh_item: int | None
            import_wh_item = import_wh_item_data
            import_wh.append(import_wh_item)

        export_wh = []
        for export_wh_item_data in self.export_wh:
            export_wh_item: int | None
            export_wh_item = export_wh_item_data
            export_wh.append(export_wh_item)

        import_vah = []
        for import_vah_item_data in self.import_vah:
            import_vah_item: int | None
            import_vah_item = import_vah_item_data
            import_vah.append(import_vah_item)

        quality = self.quality

        limit_wh: float | None
        limit_wh = self.limit_wh

        frozen = self.frozen

        version = self.version

        waiting = self.waiting

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "meter": meter,
                "day": day,
                "interval_min": interval_min,
                "slots": slots,
                "import_wh": import_wh,
                "export_wh": export_wh,
                "import_vah": import_vah,
                "quality": quality,
                "limit_wh": limit_wh,
                "frozen": frozen,
                "version": version,
                "waiting": waiting,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        meter = d.pop("meter")

        day = datetime.date.fromisoformat(d.pop("day"))

        interval_min = d.pop("interval_min")

        slots = d.pop("slots")

        import_wh = []
        _import_wh = d.pop("import_wh")
        for import_wh_item_data in _import_wh:

            def _parse_import_wh_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            import_wh_item = _parse_import_wh_item(import_wh_item_data)

            import_wh.append(import_wh_item)

        export_wh = []
        _export_wh = d.pop("export_wh")
        for export_wh_item_data in _export_wh:

            def _parse_export_wh_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            export_wh_item = _parse_export_wh_item(export_wh_item_data)

            export_wh.append(export_wh_item)

        import_vah = []
        _import_vah = d.pop("import_vah")
        for import_vah_item_data in _import_vah:

            def _parse_import_vah_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            import_vah_item = _parse_import_vah_item(import_vah_item_data)

            import_vah.append(import_vah_item)

        quality = cast(list[int], d.pop("quality"))

        def _parse_limit_wh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        limit_wh = _parse_limit_wh(d.pop("limit_wh"))

        frozen = d.pop("frozen")

        version = d.pop("version")

        waiting = cast(list[int], d.pop("waiting"))

        day_state = cls(
            meter=meter,
            day=day,
            interval_min=interval_min,
            slots=slots,
            import_wh=import_wh,
            export_wh=export_wh,
            import_vah=import_vah,
            quality=quality,
            limit_wh=limit_wh,
            frozen=frozen,
            version=version,
            waiting=waiting,
        )

        day_state.additional_properties = d
        return day_state

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
