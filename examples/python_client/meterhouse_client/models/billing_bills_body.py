from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.billing_bills_body_bill import BillingBillsBodyBill


T = TypeVar("T", bound="BillingBillsBody")


@_attrs_define
class BillingBillsBody:
    """
    Attributes:
        bills (list[BillingBillsBodyBill]):
    """

    bills: list[BillingBillsBodyBill]

    def to_dict(self) -> dict[str, Any]:
        bills = []
        for bills_item_data in self.bills:
            bills_item = bills_item_data.to_dict()
            bills.append(bills_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "bills": bills,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.billing_bills_body_bill import BillingBillsBodyBill  # noqa: PLC0415

        d = dict(src_dict)
        bills = []
        _bills = d.pop("bills")
        for bills_item_data in _bills:
            bills_item = BillingBillsBodyBill.from_dict(bills_item_data)

            bills.append(bills_item)

        billing_bills_body = cls(
            bills=bills,
        )

        return billing_bills_body
