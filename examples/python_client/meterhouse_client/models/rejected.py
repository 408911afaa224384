from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Rejected")


@_attrs_define
class Rejected:
    """What was delivered and not understood. `slot` is None where its stamp lies on another day, or where it has none.

    Attributes:
        stamp (datetime.datetime | None):
        slot (int | None):
        reason (str):
        meaning (str):
        detail (None | str):
        values (int):
        hes (str):
        source (str):
        locator (str):
        received_at (datetime.datetime):
        payload (str):
        landed_after_all (bool):
    """

    stamp: datetime.datetime | None
    slot: int | None
    reason: str
    meaning: str
    detail: None | str
    values: int
    hes: str
    source: str
    locator: str
    received_at: datetime.datetime
    payload: str
    landed_after_all: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        stamp: None | str
        if isinstance(self.stamp, datetime.datetime):
            stamp = self.stamp.isoformat()
        else:
            stamp = self.stamp

        slot: int | None
        slot = self.slot

        reason = self.reason

        meaning = self.meaning

        detail: None | str
        detail = self.detail

        values = self.values

        hes = self.hes

        source = self.source

        locator = self.locator

        received_at = self.received_at.isoformat()

        payload = self.payload

        landed_after_all = self.landed_after_all

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "stamp": stamp,
                "slot": slot,
                "reason": reason,
                "meaning": meaning,
                "detail": detail,
                "values": values,
                "hes": hes,
                "source": source,
                "locator": locator,
                "received_at": received_at,
                "payload": payload,
                "landed_after_all": landed_after_all,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_stamp(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                stamp_type_0 = datetime.datetime.fromisoformat(data)

                return stamp_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        stamp = _parse_stamp(d.pop("stamp"))

        def _parse_slot(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        slot = _parse_slot(d.pop("slot"))

        reason = d.pop("reason")

        meaning = d.pop("meaning")

        def _parse_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        detail = _parse_detail(d.pop("detail"))

        values = d.pop("values")

        hes = d.pop("hes")

        source = d.pop("source")

        locator = d.pop("locator")

        received_at = datetime.datetime.fromisoformat(d.pop("received_at"))

        payload = d.pop("payload")

        landed_after_all = d.pop("landed_after_all")

        rejected = cls(
            stamp=stamp,
            slot=slot,
            reason=reason,
            meaning=meaning,
            detail=detail,
            values=values,
            hes=hes,
            source=source,
            locator=locator,
            received_at=received_at,
            payload=payload,
            landed_after_all=landed_after_all,
        )

        rejected.additional_properties = d
        return rejected

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
