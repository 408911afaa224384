from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.meters_refusal import MetersRefusal
    from ..models.receipt_rejected_by_reason import ReceiptRejectedByReason


T = TypeVar("T", bound="Receipt")


@_attrs_define
class Receipt:
    """What became of a body. received = accepted + rejected; a duplicate stored nothing anew and has counts of 0.

    Attributes:
        batch_id (int | None):
        duplicate (bool):
        received (int):
        accepted (int):
        rejected (int):
        rejected_by_reason (ReceiptRejectedByReason):
        refusals (list[MetersRefusal]): The first 20 that the body itself gave cause for
    """

    batch_id: int | None
    duplicate: bool
    received: int
    accepted: int
    rejected: int
    rejected_by_reason: ReceiptRejectedByReason
    refusals: list[MetersRefusal]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        batch_id: int | None
        batch_id = self.batch_id

        duplicate = self.duplicate

        received = self.received

        accepted = self.accepted

        rejected = self.rejected

        rejected_by_reason = self.rejected_by_reason.to_dict()

        refusals = []
        for refusals_item_data in self.refusals:
            refusals_item = refusals_item_data.to_dict()
            refusals.append(refusals_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "batch_id": batch_id,
                "duplicate": duplicate,
                "received": received,
                "accepted": accepted,
                "rejected": rejected,
                "rejected_by_reason": rejected_by_reason,
                "refusals": refusals,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.meters_refusal import MetersRefusal  # noqa: PLC0415
        from ..models.receipt_rejected_by_reason import ReceiptRejectedByReason  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_batch_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        batch_id = _parse_batch_id(d.pop("batch_id"))

        duplicate = d.pop("duplicate")

        received = d.pop("received")

        accepted = d.pop("accepted")

        rejected = d.pop("rejected")

        rejected_by_reason = ReceiptRejectedByReason.from_dict(
            d.pop("rejected_by_reason")
        )

        refusals = []
        _refusals = d.pop("refusals")
        for refusals_item_data in _refusals:
            refusals_item = MetersRefusal.from_dict(refusals_item_data)

            refusals.append(refusals_item)

        receipt = cls(
            batch_id=batch_id,
            duplicate=duplicate,
            received=received,
            accepted=accepted,
            rejected=rejected,
            rejected_by_reason=rejected_by_reason,
            refusals=refusals,
        )

        receipt.additional_properties = d
        return receipt

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
