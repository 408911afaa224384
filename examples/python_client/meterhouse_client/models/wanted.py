from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Wanted")


@_attrs_define
class Wanted:
    """The dashboard that a page will show.

    Attributes:
        dashboard (str):
    """

    dashboard: str

    def to_dict(self) -> dict[str, Any]:
        dashboard = self.dashboard

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dashboard": dashboard,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        dashboard = d.pop("dashboard")

        wanted = cls(
            dashboard=dashboard,
        )

        return wanted
