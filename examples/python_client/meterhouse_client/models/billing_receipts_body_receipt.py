from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.billing_receipts_body_receipt_kind import (
    BillingReceiptsBodyReceiptKind,
    check_billing_receipts_body_receipt_kind,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="BillingReceiptsBodyReceipt")


@_attrs_define
class BillingReceiptsBodyReceipt:
    """What was received of a consumer, or for it (a subsidy). What is taken back is an adjustment below 0, with a receipt
    of its own.

        Attributes:
            receipt (str): number of the receipt: the same again with the same content changes nothing
            consumer (str): code of the consumer, as in consumer.csv
            received_on (datetime.date):
            amount_inr (float): ₹, at most 2 decimals; a string of digits will do too
            kind (BillingReceiptsBodyReceiptKind | Unset): arrears: of bills of earlier financial periods, counted in a
                column of its own Default: 'payment'.
    """

    receipt: str
    consumer: str
    received_on: datetime.date
    amount_inr: float
    kind: BillingReceiptsBodyReceiptKind | Unset = "payment"

    def to_dict(self) -> dict[str, Any]:
        receipt = self.receipt

        consumer = self.consumer

        received_on = self.received_on.isoformat()

        amount_inr = self.amount_inr

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "receipt": receipt,
                "consumer": consumer,
                "received_on": received_on,
                "amount_inr": amount_inr,
            }
        )
        if kind is not UNSET:
            field_dict["kind"] = kind

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        receipt = d.pop("receipt")

        consumer = d.pop("consumer")

        received_on = datetime.date.fromisoformat(d.pop("received_on"))

        amount_inr = d.pop("amount_inr")

        _kind = d.pop("kind", UNSET)
        kind: BillingReceiptsBodyReceiptKind | Unset
        if isinstance(_kind, Unset):
            kind = UNSET
        else:
            kind = check_billing_receipts_body_receipt_kind(_kind)

        billing_receipts_body_receipt = cls(
            receipt=receipt,
            consumer=consumer,
            received_on=received_on,
            amount_inr=amount_inr,
            kind=kind,
        )

        return billing_receipts_body_receipt
