from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.period_said_of_type_0 import (
    PeriodSaidOfType0,
    check_period_said_of_type_0,
)

T = TypeVar("T", bound="PeriodSaid")


@_attrs_define
class PeriodSaid:
    """
    Attributes:
        first (datetime.date):
        last (datetime.date):
        of (None | PeriodSaidOfType0): rows of this length alone; null = of all
    """

    first: datetime.date
    last: datetime.date
    of: None | PeriodSaidOfType0
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        first = self.first.isoformat()

        last = self.last.isoformat()

        of: None | str
        if isinstance(self.of, str):
            of = self.of
        else:
            of = self.of

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "first": first,
                "last": last,
                "of": of,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        first = datetime.date.fromisoformat(d.pop("first"))

        last = datetime.date.fromisoformat(d.pop("last"))

        def _parse_of(data: object) -> None | PeriodSaidOfType0:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                of_type_0 = check_period_said_of_type_0(data)

                return of_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PeriodSaidOfType0, data)

        of = _parse_of(d.pop("of"))

        period_said = cls(
            first=first,
            last=last,
            of=of,
        )

        period_said.additional_properties = d
        return period_said

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
