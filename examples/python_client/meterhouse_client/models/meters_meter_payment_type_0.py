from typing import Literal

MetersMeterPaymentType0 = Literal["postpaid", "prepaid"]

METERS_METER_PAYMENT_TYPE_0_VALUES: set[MetersMeterPaymentType0] = {
    "postpaid",
    "prepaid",
}


def check_meters_meter_payment_type_0(value: str) -> MetersMeterPaymentType0:
    if value in METERS_METER_PAYMENT_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_METER_PAYMENT_TYPE_0_VALUES!r}"
    )
