from typing import Literal

BillingReceiptsBodyReceiptKind = Literal["adjustment", "arrears", "payment", "subsidy"]

BILLING_RECEIPTS_BODY_RECEIPT_KIND_VALUES: set[BillingReceiptsBodyReceiptKind] = {
    "adjustment",
    "arrears",
    "payment",
    "subsidy",
}


def check_billing_receipts_body_receipt_kind(
    value: str,
) -> BillingReceiptsBodyReceiptKind:
    if value in BILLING_RECEIPTS_BODY_RECEIPT_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {BILLING_RECEIPTS_BODY_RECEIPT_KIND_VALUES!r}"
    )
