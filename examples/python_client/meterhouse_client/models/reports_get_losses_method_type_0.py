from typing import Literal

ReportsGetLossesMethodType0 = Literal["CEA_2017_CAPPED", "MOP_2023"]

REPORTS_GET_LOSSES_METHOD_TYPE_0_VALUES: set[ReportsGetLossesMethodType0] = {
    "CEA_2017_CAPPED",
    "MOP_2023",
}


def check_reports_get_losses_method_type_0(value: str) -> ReportsGetLossesMethodType0:
    if value in REPORTS_GET_LOSSES_METHOD_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_GET_LOSSES_METHOD_TYPE_0_VALUES!r}"
    )
