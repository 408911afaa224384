"""What comes out of /api/v1/energy: Wh, multiplying factors applied; shares in %. Stamps carry the DISCOM's zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.meters.data_schemas import QualityLetter


class Balance(BaseModel):
    """Energies are null where the meter at the head has no complete reading: then there is no balance."""

    input_wh: int | None = Field(description="what came in, export of roofs included")
    supplied_wh: int | None = Field(description="what was supplied: metered, assessed and street light")
    loss_wh: int | None = Field(description="input - supplied")
    loss_pct: float | None = Field(description="of the input")
    coverage_pct: float | None = Field(description="share of the consumers (of an interval: of the meters below) with complete data")
    measured_pct: float | None = Field(
        description="share of what was supplied that was measured, neither estimated nor assessed; null of intervals"
    )
    estimated_pct: float | None = Field(description="estimated part of the energy that was read for it; null of intervals")
    quality: QualityLetter = Field(description="the weakest of what it sums")


class BalanceRow(Balance):
    start: datetime
    end: datetime
    balances: int = Field(description="daily balances in it: of an office, one a day and feeder; 1 of an interval")
    balances_known: int = Field(description="of them, with a loss: the energies are those of these alone")


class Head(BaseModel):
    """A DT, feeder or office. What is not said of its kind is null."""

    kind: Literal["dt", "feeder", "office"]
    code: str
    name: str | None
    feeder: str | None
    office: str


class Balances(BaseModel):
    of: Head
    first: date
    last: date
    timezone: str
    resolution: Literal["interval", "day", "month"]
    qualities: dict[str, str] = Field(description="letters of `quality` in words, weaker from one to the next")
    rows: list[BalanceRow]


class ChildRow(Balance):
    code: str
    office: str
    balances: int
    balances_known: int


class Children(BaseModel):
    """Most loss first, those without a balance last. `next`: give it as `after` for the page that follows; null at the end."""

    of: Head
    kind: Literal["dt", "feeder"]
    first: date
    last: date
    items: list[ChildRow]
    next: str | None
