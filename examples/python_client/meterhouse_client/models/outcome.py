from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.billing_refusal import BillingRefusal


T = TypeVar("T", bound="Outcome")


@_attrs_define
class Outcome:
    """What became of a delivery. received = stored + unchanged + rejected.

    Attributes:
        delivery (int): its line in billing.delivery
        received (int):
        stored (int):
        unchanged (int): were there already, or a later bill of that consumer and month was
        rejected (int):
        refusals (list[BillingRefusal]):
    """

    delivery: int
    received: int
    stored: int
    unchanged: int
    rejected: int
    refusals: list[BillingRefusal]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        delivery = self.delivery

        received = self.received

        stored = self.stored

        unchanged = self.unchanged

        rejected = self.rejected

        refusals = []
        for refusals_item_data in self.refusals:
            refusals_item = refusals_item_data.to_dict()
            refusals.append(refusals_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "delivery": delivery,
                "received": received,
                "stored": stored,
                "unchanged": unchanged,
                "rejected": rejected,
                "refusals": refusals,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.billing_refusal import BillingRefusal  # noqa: PLC0415

        d = dict(src_dict)
        delivery = d.pop("delivery")

        received = d.pop("received")

        stored = d.pop("stored")

        unchanged = d.pop("unchanged")

        rejected = d.pop("rejected")

        refusals = []
        _refusals = d.pop("refusals")
        for refusals_item_data in _refusals:
            refusals_item = BillingRefusal.from_dict(refusals_item_data)

            refusals.append(refusals_item)

        outcome = cls(
            delivery=delivery,
            received=received,
            stored=stored,
            unchanged=unchanged,
            rejected=rejected,
            refusals=refusals,
        )

        outcome.additional_properties = d
        return outcome

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
