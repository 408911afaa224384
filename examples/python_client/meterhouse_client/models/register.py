from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Register")


@_attrs_define
class Register:
    """A register as it stood at the end of `day`, as it was last received; `versions`: how many readings of that day there
    are.

        Attributes:
            day (datetime.date):
            read_at (datetime.datetime):
            import_wh (int | None):
            hes (str):
            source (str):
            received_at (datetime.datetime):
            versions (int):
    """

    day: datetime.date
    read_at: datetime.datetime
    import_wh: int | None
    hes: str
    source: str
    received_at: datetime.datetime
    versions: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        day = self.day.isoformat()

        read_at = self.read_at.isoformat()

        import_wh: int | None
        import_wh = self.import_wh

        hes = self.hes

        source = self.source

        received_at = self.received_at.isoformat()

        versions = self.versions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "day": day,
                "read_at": read_at,
                "import_wh": import_wh,
                "hes": hes,
                "source": source,
                "received_at": received_at,
                "versions": versions,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        day = datetime.date.fromisoformat(d.pop("day"))

        read_at = datetime.datetime.fromisoformat(d.pop("read_at"))

        def _parse_import_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        import_wh = _parse_import_wh(d.pop("import_wh"))

        hes = d.pop("hes")

        source = d.pop("source")

        received_at = datetime.datetime.fromisoformat(d.pop("received_at"))

        versions = d.pop("versions")

        register = cls(
            day=day,
            read_at=read_at,
            import_wh=import_wh,
            hes=hes,
            source=source,
            received_at=received_at,
            versions=versions,
        )

        register.additional_properties = d
        return register

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
