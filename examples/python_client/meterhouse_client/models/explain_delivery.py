from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ExplainDelivery")


@_attrs_define
class ExplainDelivery:
    """A piece of the day that a head-end system delivered. `slots` from `first_slot` on, of which `values` hold one.

    Attributes:
        nr (int):
        hes (str):
        source (str):
        batch_id (int):
        seq (int):
        received_at (datetime.datetime):
        first_slot (int):
        slots (int):
        values (int):
        in_build (bool):
    """

    nr: int
    hes: str
    source: str
    batch_id: int
    seq: int
    received_at: datetime.datetime
    first_slot: int
    slots: int
    values: int
    in_build: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        nr = self.nr

        hes = self.hes

        source = self.source

        batch_id = self.batch_id

        seq = self.seq

        received_at = self.received_at.isoformat()

        first_slot = self.first_slot

        slots = self.slots

        values = self.values

        in_build = self.in_build

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "nr": nr,
                "hes": hes,
                "source": source,
                "batch_id": batch_id,
                "seq": seq,
                "received_at": received_at,
                "first_slot": first_slot,
                "slots": slots,
                "values": values,
                "in_build": in_build,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        nr = d.pop("nr")

        hes = d.pop("hes")

        source = d.pop("source")

        batch_id = d.pop("batch_id")

        seq = d.pop("seq")

        received_at = datetime.datetime.fromisoformat(d.pop("received_at"))

        first_slot = d.pop("first_slot")

        slots = d.pop("slots")

        values = d.pop("values")

        in_build = d.pop("in_build")

        explain_delivery = cls(
            nr=nr,
            hes=hes,
            source=source,
            batch_id=batch_id,
            seq=seq,
            received_at=received_at,
            first_slot=first_slot,
            slots=slots,
            values=values,
            in_build=in_build,
        )

        explain_delivery.additional_properties = d
        return explain_delivery

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
