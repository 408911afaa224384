from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="BillingBillsBodyBill")


@_attrs_define
class BillingBillsBodyBill:
    """What a consumer is billed for a month. A bill that is changed is a new bill, with a number of its own.

    Attributes:
        number (str): of the bill: the same number again with the same content changes nothing
        consumer (str): code of the consumer, as in consumer.csv
        month (datetime.date): first day of the month that is billed
        issued_on (datetime.date): of two bills of a month the one that was issued later stands
        energy_wh (int): billed, Wh
        amount_inr (float): ₹, at most 2 decimals; a string of digits will do too
        assessed (bool | Unset): not from a reading Default: False.
        subsidy_inr (float | Unset): ₹, at most 2 decimals; a string of digits will do too Default: 0.0.
    """

    number: str
    consumer: str
    month: datetime.date
    issued_on: datetime.date
    energy_wh: int
    amount_inr: float
    assessed: bool | Unset = False
    subsidy_inr: float | Unset = 0.0

    def to_dict(self) -> dict[str, Any]:
        number = self.number

        consumer = self.consumer

        month = self.month.isoformat()

        issued_on = self.issued_on.isoformat()

        energy_wh = self.energy_wh

        amount_inr = self.amount_inr

        assessed = self.assessed

        subsidy_inr = self.subsidy_inr

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "number": number,
                "consumer": consumer,
                "month": month,
                "issued_on": issued_on,
                "energy_wh": energy_wh,
                "amount_inr": amount_inr,
            }
        )
        if assessed is not UNSET:
            field_dict["assessed"] = assessed
        if subsidy_inr is not UNSET:
            field_dict["subsidy_inr"] = subsidy_inr

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        number = d.pop("number")

        consumer = d.pop("consumer")

        month = datetime.date.fromisoformat(d.pop("month"))

        issued_on = datetime.date.fromisoformat(d.pop("issued_on"))

        energy_wh = d.pop("energy_wh")

        amount_inr = d.pop("amount_inr")

        assessed = d.pop("assessed", UNSET)

        subsidy_inr = d.pop("subsidy_inr", UNSET)

        billing_bills_body_bill = cls(
            number=number,
            consumer=consumer,
            month=month,
            issued_on=issued_on,
            energy_wh=energy_wh,
            amount_inr=amount_inr,
            assessed=assessed,
            subsidy_inr=subsidy_inr,
        )

        return billing_bills_body_bill
