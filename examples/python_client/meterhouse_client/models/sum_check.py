from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.register import Register


T = TypeVar("T", bound="SumCheck")


@_attrs_define
class SumCheck:
    """The registers nearest to the day, and the energy between them. `final_wh` is None where an interval between them has
    no value.

        Attributes:
            opening (Register): A register as it stood at the end of `day`, as it was last received; `versions`: how many
                readings of that day there are.
            closing (Register): A register as it stood at the end of `day`, as it was last received; `versions`: how many
                readings of that day there are.
            advance_wh (int):
            final_wh (int | None):
            difference_wh (int | None):
            step_wh (int):
    """

    opening: Register
    closing: Register
    advance_wh: int
    final_wh: int | None
    difference_wh: int | None
    step_wh: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        opening = self.opening.to_dict()

        closing = self.closing.to_dict()

        advance_wh = self.advance_wh

        final_wh: int | None
        final_wh = self.final_wh

        difference_wh: int | None
        difference_wh = self.difference_wh

        step_wh = self.step_wh

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "opening": opening,
                "closing": closing,
                "advance_wh": advance_wh,
                "final_wh": final_wh,
                "difference_wh": difference_wh,
                "step_wh": step_wh,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.register import Register  # noqa: PLC0415

        d = dict(src_dict)
        opening = Register.from_dict(d.pop("opening"))

        closing = Register.from_dict(d.pop("closing"))

        advance_wh = d.pop("advance_wh")

        def _parse_final_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        final_wh = _parse_final_wh(d.pop("final_wh"))

        def _parse_difference_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        difference_wh = _parse_difference_wh(d.pop("difference_wh"))

        step_wh = d.pop("step_wh")

        sum_check = cls(
            opening=opening,
            closing=closing,
            advance_wh=advance_wh,
            final_wh=final_wh,
            difference_wh=difference_wh,
            step_wh=step_wh,
        )

        sum_check.additional_properties = d
        return sum_check

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
