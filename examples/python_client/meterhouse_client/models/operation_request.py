from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.operation_kind import OperationKind, check_operation_kind
from ..types import UNSET, Unset

T = TypeVar("T", bound="OperationRequest")


@_attrs_define
class OperationRequest:
    """What is done to slots first..last, both included.

    Attributes:
        kind (OperationKind):
        first (int | Unset):  Default: 0.
        last (int | None | Unset): None: to the end of the day
        values (list[int] | None | Unset): set: one for all slots, or one a slot
        factor (float | None | str | Unset): scale
        total_wh (int | None | Unset): scale_to: what the slots add up to afterwards
        from_day (datetime.date | None | Unset): copy: the day whose slots are taken
        edit (int | None | Unset): revert: to what stood before this edit
    """

    kind: OperationKind
    first: int | Unset = 0
    last: int | None | Unset = UNSET
    values: list[int] | None | Unset = UNSET
    factor: float | None | str | Unset = UNSET
    total_wh: int | None | Unset = UNSET
    from_day: datetime.date | None | Unset = UNSET
    edit: int | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        first = self.first

        last: int | None | Unset
        if isinstance(self.last, Unset):
            last = UNSET
        else:
            last = self.last

        values: list[int] | None | Unset
        if isinstance(self.values, Unset):
            values = UNSET
        elif isinstance(self.values, list):
            values = self.values

        else:
            values = self.values

        factor: float | None | str | Unset
        if isinstance(self.factor, Unset):
            factor = UNSET
        else:
            factor = self.factor

        total_wh: int | None | Unset
        if isinstance(self.total_wh, Unset):
            total_wh = UNSET
        else:
            total_wh = self.total_wh

        from_day: None | str | Unset
        if isinstance(self.from_day, Unset):
            from_day = UNSET
        elif isinstance(self.from_day, datetime.date):
            from_day = self.from_day.isoformat()
        else:
            from_day = self.from_day

        edit: int | None | Unset
        if isinstance(self.edit, Unset):
            edit = UNSET
        else:
            edit = self.edit

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "kind": kind,
            }
        )
        if first is not UNSET:
            field_dict["first"] = first
        if last is not UNSET:
            field_dict["last"] = last
        if values is not UNSET:
            field_dict["values"] = values
        if factor is not UNSET:
            field_dict["factor"] = factor
        if total_wh is not UNSET:
            field_dict["total_wh"] = total_wh
        if from_day is not UNSET:
            field_dict["from_day"] = from_day
        if edit is not UNSET:
            field_dict["edit"] = edit

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = check_operation_kind(d.pop("kind"))

        first = d.pop("first", UNSET)

        def _parse_last(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        last = _parse_last(d.pop("last", UNSET))

        def _parse_values(data: object) -> list[int] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                values_type_0 = cast(list[int], data)

                return values_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[int] | None | Unset, data)

        values = _parse_values(d.pop("values", UNSET))

        def _parse_factor(data: object) -> float | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | str | Unset, data)

        factor = _parse_factor(d.pop("factor", UNSET))

        def _parse_total_wh(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        total_wh = _parse_total_wh(d.pop("total_wh", UNSET))

        def _parse_from_day(data: object) -> datetime.date | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                from_day_type_0 = datetime.date.fromisoformat(data)

                return from_day_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None | Unset, data)

        from_day = _parse_from_day(d.pop("from_day", UNSET))

        def _parse_edit(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        edit = _parse_edit(d.pop("edit", UNSET))

        operation_request = cls(
            kind=kind,
            first=first,
            last=last,
            values=values,
            factor=factor,
            total_wh=total_wh,
            from_day=from_day,
            edit=edit,
        )

        return operation_request
