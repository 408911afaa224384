"""The format of bills and receipts (docs/billing.md). Names and units are those of the files bill.csv and collection.csv."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

MAX_ROWS = 10_000
"""Rows of a request."""
MAX_WH = 2**53 - 1

Kind = Literal["bills", "receipts"]


def _plain(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("holds half of a surrogate pair, which is no character")
    return text


def _written_out(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("write it as YYYY-MM-DD")
    return value


def _first_of_month(day: date) -> date:
    if day.day != 1:
        raise ValueError("must be the first of a month")
    return day


Code = Annotated[str, AfterValidator(_plain), StringConstraints(min_length=1, max_length=64)]
Day = Annotated[date, BeforeValidator(_written_out), WithJsonSchema({"type": "string", "format": "date"})]
Month = Annotated[Day, AfterValidator(_first_of_month)]
Inr = Annotated[
    Decimal,
    Field(max_digits=14, decimal_places=2, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "multipleOf": 0.01, "description": "₹, at most 2 decimals; a string of digits will do too"}),
]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Bill(_Row):
    """What a consumer is billed for a month. A bill that is changed is a new bill, with a number of its own."""

    number: Code = Field(description="of the bill: the same number again with the same content changes nothing")
    consumer: Code = Field(description="code of the consumer, as in consumer.csv")
    month: Month = Field(description="first day of the month that is billed")
    issued_on: Day = Field(description="of two bills of a month the one that was issued later stands")
    energy_wh: Annotated[int, Field(strict=True, ge=-MAX_WH, le=MAX_WH)] = Field(description="billed, Wh")
    assessed: bool = Field(default=False, description="not from a reading")
    amount_inr: Inr
    subsidy_inr: Inr = Field(default=Decimal(0))


class Receipt(_Row):
    """What was received of a consumer, or for it (a subsidy). What is taken back is an adjustment below 0, with a receipt of its own."""

    receipt: Code = Field(description="number of the receipt: the same again with the same content changes nothing")
    consumer: Code = Field(description="code of the consumer, as in consumer.csv")
    received_on: Day
    kind: Literal["payment", "arrears", "subsidy", "adjustment"] = Field(
        default="payment", description="arrears: of bills of earlier financial periods, counted in a column of its own"
    )
    amount_inr: Inr


class Refusal(BaseModel):
    """A row that was not stored."""

    row: int = Field(description="counted from 0")
    number: str | None = Field(description="of the bill or receipt, where it could be read")
    code: str = Field(description="INVALID_ROW, UNKNOWN_CONSUMER or NUMBER_REUSED")
    detail: str


class Outcome(BaseModel):
    """What became of a delivery. received = stored + unchanged + rejected."""

    delivery: int = Field(description="its line in billing.delivery")
    received: int
    stored: int
    unchanged: int = Field(description="were there already, or a later bill of that consumer and month was")
    rejected: int
    refusals: list[Refusal]


class Delivery(BaseModel):
    """A line of the audit trail."""

    delivery: int
    at: datetime
    who: str
    kind: Kind
    received: int
    stored: int
    unchanged: int
    rejected: int
    refusals: list[Refusal]


class Page(BaseModel):
    """Newest first. `next` is the cursor of the page that follows, None at the end."""

    items: list[Delivery]
    next: int | None


ROWS: dict[Kind, type[Bill] | type[Receipt]] = {"bills": Bill, "receipts": Receipt}


def body_schema(kind: Kind) -> dict[str, object]:
    """JSON schema of a request's body."""
    rows = {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": ROWS[kind].model_json_schema()}
    return {"type": "object", "properties": {kind: rows}, "required": [kind], "additionalProperties": False}
