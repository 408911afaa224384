from typing import Literal

ColumnInfoType = Literal[
    "boolean", "date", "decimal", "integer", "real", "stamp", "text"
]

COLUMN_INFO_TYPE_VALUES: set[ColumnInfoType] = {
    "boolean",
    "date",
    "decimal",
    "integer",
    "real",
    "stamp",
    "text",
}


def check_column_info_type(value: str) -> ColumnInfoType:
    if value in COLUMN_INFO_TYPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {COLUMN_INFO_TYPE_VALUES!r}"
    )
