from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.interval_outage import IntervalOutage, check_interval_outage

if TYPE_CHECKING:
    from ..models.raw_value import RawValue


T = TypeVar("T", bound="Interval")


@_attrs_define
class Interval:
    """One interval from raw to final.

    Attributes:
        slot (int):
        starts_at (datetime.datetime):
        ends_at (datetime.datetime):
        raw (list[RawValue]):
        measured_wh (int | None):
        estimated_wh (int | None):
        estimated_by (str):
        edited_wh (int | None):
        final_wh (int | None):
        quality (str):
        letter (str):
        method (str):
        nem12 (None | str):
        cim (list[str]):
        cim_unverified (bool):
        ieee2030_5 (int):
        ieee2030_5_flags (list[str]):
        failed (list[str]):
        outage (IntervalOutage):
        edit_id (int | None):
    """

    slot: int
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    raw: list[RawValue]
    measured_wh: int | None
    estimated_wh: int | None
    estimated_by: str
    edited_wh: int | None
    final_wh: int | None
    quality: str
    letter: str
    method: str
    nem12: None | str
    cim: list[str]
    cim_unverified: bool
    ieee2030_5: int
    ieee2030_5_flags: list[str]
    failed: list[str]
    outage: IntervalOutage
    edit_id: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        slot = self.slot

        starts_at = self.starts_at.isoformat()

        ends_at = self.ends_at.isoformat()

        raw = []
        for raw_item_data in self.raw:
            raw_item = raw_item_data.to_dict()
            raw.append(raw_item)

        measured_wh: int | None
        measured_wh = self.measured_wh

        estimated_wh: int | None
        estimated_wh = self.estimated_wh

        estimated_by = self.estimated_by

        edited_wh: int | None
        edited_wh = self.edited_wh

        final_wh: int | None
        final_wh = self.final_wh

        quality = self.quality

        letter = self.letter

        method = self.method

        nem12: None | str
        nem12 = self.nem12

        cim = self.cim

        cim_unverified = self.cim_unverified

        ieee2030_5 = self.ieee2030_5

        ieee2030_5_flags = self.ieee2030_5_flags

        failed = self.failed

        outage: str = self.outage

        edit_id: int | None
        edit_id = self.edit_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "slot": slot,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "raw": raw,
                "measured_wh": measured_wh,
                "estimated_wh": estimated_wh,
                "estimated_by": estimated_by,
                "edited_wh": edited_wh,
                "final_wh": final_wh,
                "quality": quality,
                "letter": letter,
                "method": method,
                "nem12": nem12,
                "cim": cim,
                "cim_unverified": cim_unverified,
                "ieee2030_5": ieee2030_5,
                "ieee2030_5_flags": ieee2030_5_flags,
                "failed": failed,
                "outage": outage,
                "edit_id": edit_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.raw_value import RawValue  # noqa: PLC0415

        d = dict(src_dict)
        slot = d.pop("slot")

        starts_at = datetime.datetime.fromisoformat(d.pop("starts_at"))

        ends_at = datetime.datetime.fromisoformat(d.pop("ends_at"))

        raw = []
        _raw = d.pop("raw")
        for raw_item_data in _raw:
            raw_item = RawValue.from_dict(raw_item_data)

            raw.append(raw_item)

        def _parse_measured_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        measured_wh = _parse_measured_wh(d.pop("measured_wh"))

        def _parse_estimated_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        estimated_wh = _parse_estimated_wh(d.pop("estimated_wh"))

        estimated_by = d.pop("estimated_by")

        def _parse_edited_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        edited_wh = _parse_edited_wh(d.pop("edited_wh"))

        def _parse_final_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        final_wh = _parse_final_wh(d.pop("final_wh"))

        quality = d.pop("quality")

        letter = d.pop("letter")

        method = d.pop("method")

        def _parse_nem12(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        nem12 = _parse_nem12(d.pop("nem12"))

        cim = cast(list[str], d.pop("cim"))

        cim_unverified = d.pop("cim_unverified")

        ieee2030_5 = d.pop("ieee2030_5")

        ieee2030_5_flags = cast(list[str], d.pop("ieee2030_5_flags"))

        failed = cast(list[str], d.pop("failed"))

        outage = check_interval_outage(d.pop("outage"))

        def _parse_edit_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        edit_id = _parse_edit_id(d.pop("edit_id"))

        interval = cls(
            slot=slot,
            starts_at=starts_at,
            ends_at=ends_at,
            raw=raw,
            measured_wh=measured_wh,
            estimated_wh=estimated_wh,
            estimated_by=estimated_by,
            edited_wh=edited_wh,
            final_wh=final_wh,
            quality=quality,
            letter=letter,
            method=method,
            nem12=nem12,
            cim=cim,
            cim_unverified=cim_unverified,
            ieee2030_5=ieee2030_5,
            ieee2030_5_flags=ieee2030_5_flags,
            failed=failed,
            outage=outage,
            edit_id=edit_id,
        )

        interval.additional_properties = d
        return interval

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
