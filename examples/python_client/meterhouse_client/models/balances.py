from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.balances_resolution import BalancesResolution, check_balances_resolution

if TYPE_CHECKING:
    from ..models.balance_row import BalanceRow
    from ..models.balances_qualities import BalancesQualities
    from ..models.head import Head


T = TypeVar("T", bound="Balances")


@_attrs_define
class Balances:
    """
    Attributes:
        of (Head): A DT, feeder or office. What is not said of its kind is null.
        first (datetime.date):
        last (datetime.date):
        timezone (str):
        resolution (BalancesResolution):
        qualities (BalancesQualities): letters of `quality` in words, weaker from one to the next
        rows (list[BalanceRow]):
    """

    of: Head
    first: datetime.date
    last: datetime.date
    timezone: str
    resolution: BalancesResolution
    qualities: BalancesQualities
    rows: list[BalanceRow]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        of = self.of.to_dict()

        first = self.first.isoformat()

        last = self.last.isoformat()

        timezone = self.timezone

        resolution: str = self.resolution

        qualities = self.qualities.to_dict()

        rows = []
        for rows_item_data in self.rows:
            rows_item = rows_item_data.to_dict()
            rows.append(rows_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "of": of,
                "first": first,
                "last": last,
                "timezone": timezone,
                "resolution": resolution,
                "qualities": qualities,
                "rows": rows,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance_row import BalanceRow  # noqa: PLC0415
        from ..models.balances_qualities import BalancesQualities  # noqa: PLC0415
        from ..models.head import Head  # noqa: PLC0415

        d = dict(src_dict)
        of = Head.from_dict(d.pop("of"))

        first = datetime.date.fromisoformat(d.pop("first"))

        last = datetime.date.fromisoformat(d.pop("last"))

        timezone = d.pop("timezone")

        resolution = check_balances_resolution(d.pop("resolution"))

        qualities = BalancesQualities.from_dict(d.pop("qualities"))

        rows = []
        _rows = d.pop("rows")
        for rows_item_data in _rows:
            rows_item = BalanceRow.from_dict(rows_item_data)

            rows.append(rows_item)

        balances = cls(
            of=of,
            first=first,
            last=last,
            timezone=timezone,
            resolution=resolution,
            qualities=qualities,
            rows=rows,
        )

        balances.additional_properties = d
        return balances

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
