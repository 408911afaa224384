from typing import Literal

BillingDeliveryKind = Literal["bills", "receipts"]

BILLING_DELIVERY_KIND_VALUES: set[BillingDeliveryKind] = {
    "bills",
    "receipts",
}


def check_billing_delivery_kind(value: str) -> BillingDeliveryKind:
    if value in BILLING_DELIVERY_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {BILLING_DELIVERY_KIND_VALUES!r}"
    )
