from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.run_basis_type_0 import RunBasisType0


T = TypeVar("T", bound="Run")


@_attrs_define
class Run:
    """Neighbouring slots whose final values came about in the same way.

    Attributes:
        first_slot (int):
        slots (int):
        starts_at (datetime.datetime):
        ends_at (datetime.datetime):
        quality (str):
        letter (str):
        method (str):
        raw_wh (int | None):
        final_wh (int | None):
        nem12 (None | str):
        cim (list[str]):
        ieee2030_5 (int):
        how (str):
        basis (None | RunBasisType0 | Unset):
    """

    first_slot: int
    slots: int
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    quality: str
    letter: str
    method: str
    raw_wh: int | None
    final_wh: int | None
    nem12: None | str
    cim: list[str]
    ieee2030_5: int
    how: str
    basis: None | RunBasisType0 | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.run_basis_type_0 import RunBasisType0  # noqa: PLC0415

        first_slot = self.first_slot

        slots = self.slots

        starts_at = self.starts_at.isoformat()

        ends_at = self.ends_at.isoformat()

        quality = self.quality

        letter = self.letter

        method = self.method

        raw_wh: int | None
        raw_wh = self.raw_wh

        final_wh: int | None
        final_wh = self.final_wh

        nem12: None | str
        nem12 = self.nem12

        cim = self.cim

        ieee2030_5 = self.ieee2030_5

        how = self.how

        basis: dict[str, Any] | None | Unset
        if isinstance(self.basis, Unset):
            basis = UNSET
        elif isinstance(self.basis, RunBasisType0):
            basis = self.basis.to_dict()
        else:
            basis = self.basis

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "first_slot": first_slot,
                "slots": slots,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "quality": quality,
                "letter": letter,
                "method": method,
                "raw_wh": raw_wh,
                "final_wh": final_wh,
                "nem12": nem12,
                "cim": cim,
                "ieee2030_5": ieee2030_5,
                "how": how,
            }
        )
        if basis is not UNSET:
            field_dict["basis"] = basis

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.run_basis_type_0 import RunBasisType0  # noqa: PLC0415

        d = dict(src_dict)
        first_slot = d.pop("first_slot")

        slots = d.pop("slots")

        starts_at = datetime.datetime.fromisoformat(d.pop("starts_at"))

        ends_at = datetime.datetime.fromisoformat(d.pop("ends_at"))

        quality = d.pop("quality")

        letter = d.pop("letter")

        method = d.pop("method")

        def _parse_raw_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        raw_wh = _parse_raw_wh(d.pop("raw_wh"))

        def _parse_final_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        final_wh = _parse_final_wh(d.pop("final_wh"))

        def _parse_nem12(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        nem12 = _parse_nem12(d.pop("nem12"))

        cim = cast(list[str], d.pop("cim"))

        ieee2030_5 = d.pop("ieee2030_5")

        how = d.pop("how")

        def _parse_basis(data: object) -> None | RunBasisType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                basis_type_0 = RunBasisType0.from_dict(data)

                return basis_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RunBasisType0 | Unset, data)

        basis = _parse_basis(d.pop("basis", UNSET))

        run = cls(
            first_slot=first_slot,
            slots=slots,
            starts_at=starts_at,
            ends_at=ends_at,
            quality=quality,
            letter=letter,
            method=method,
            raw_wh=raw_wh,
            final_wh=final_wh,
            nem12=nem12,
            cim=cim,
            ieee2030_5=ieee2030_5,
            how=how,
            basis=basis,
        )

        run.additional_properties = d
        return run

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
