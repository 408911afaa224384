from typing import Literal

MetersConsumptionChannelsType0Item = Literal[
    "export_kwh", "import_kwh", "kvah", "max_demand_kw", "power_factor"
]

METERS_CONSUMPTION_CHANNELS_TYPE_0_ITEM_VALUES: set[
    MetersConsumptionChannelsType0Item
] = {
    "export_kwh",
    "import_kwh",
    "kvah",
    "max_demand_kw",
    "power_factor",
}


def check_meters_consumption_channels_type_0_item(
    value: str,
) -> MetersConsumptionChannelsType0Item:
    if value in METERS_CONSUMPTION_CHANNELS_TYPE_0_ITEM_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_CONSUMPTION_CHANNELS_TYPE_0_ITEM_VALUES!r}"
    )
