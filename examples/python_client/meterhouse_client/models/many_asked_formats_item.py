from typing import Literal

ManyAskedFormatsItem = Literal["csv", "json", "parquet", "pdf", "xlsx", "xml"]

MANY_ASKED_FORMATS_ITEM_VALUES: set[ManyAskedFormatsItem] = {
    "csv",
    "json",
    "parquet",
    "pdf",
    "xlsx",
    "xml",
}


def check_many_asked_formats_item(value: str) -> ManyAskedFormatsItem:
    if value in MANY_ASKED_FORMATS_ITEM_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MANY_ASKED_FORMATS_ITEM_VALUES!r}"
    )
