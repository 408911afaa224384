"""What comes out of the GET routes of /api/v1/meters. Stamps carry the zone that was asked for.

Energies are those of the consumer: the multiplying factor (CT ratio x PT ratio) of the installation is applied, as on a bill. kWh and kVAh
are numbers of 3 decimals, whole Wh and VAh.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from warehouse.codes import Quality

QualityLetter = Literal["A", "F", "M2", "D", "S", "Q", "E", "P", "R", "M"]
MEANINGS: dict[str, str] = {q.letter: q.meaning for q in Quality}
Place = Literal["consumer", "dt", "feeder"]
Channel = Literal["import_kwh", "export_kwh", "kvah", "max_demand_kw", "power_factor"]

Kwh = Annotated[float | None, Field(description="kWh, 3 decimals; null where there is no value")]


class Installed(BaseModel):
    """Where a meter hangs. `at`: code of the service point, DT or feeder."""

    place: Place | None
    at: str | None
    dt: str | None
    feeder: str | None
    office: str | None
    valid_from: date | None
    valid_to: date | None = Field(description="the first day on which it does not hang there any more; null = it still does")
    mf: float | None = Field(description="multiplying factor")
    category: str | None = Field(description="of the service point")
    tariff: str | None
    supply_phases: int | None
    sanctioned_load_w: int | None


class MeterLine(BaseModel):
    """A meter and where it hangs today; all of `installed` is null where it hangs nowhere, or nowhere that you see."""

    serial: str
    make: str | None
    category: str = Field(description="of the meter: D1, D2, D3, D4, A, B or C")
    interval_min: int
    state: str | None
    hes: str
    installed: Installed | None


class MeterPage(BaseModel):
    """By serial. `next`: give it as `after` for the page that follows; null at the end."""

    items: list[MeterLine]
    next: str | None


class Meter(BaseModel):
    """Master data. `installations`: where it hung, as far as you see it, the latest first."""

    serial: str
    make: str | None
    firmware: str | None
    category: str
    interval_min: int = Field(description="minutes of an interval")
    voltage_v: int | None
    i_max_a: float | None
    register_lsb_wh: int = Field(description="step of its register")
    medium: str | None
    payment: Literal["prepaid", "postpaid"] | None
    state: str | None = Field(description="of its life: ORDERED to SCRAPPED")
    commissioned_on: date | None
    hes: str
    timezone: str = Field(description="of the DISCOM")
    installations: list[Installed]


class ConsumptionRow(BaseModel):
    """An interval, hour, day or month. Channels that were not asked for are left out."""

    model_config = ConfigDict(extra="forbid")

    start: datetime
    end: datetime
    import_kwh: Kwh = None
    export_kwh: Kwh = None
    kvah: float | None = Field(None, description="apparent energy of the import, kVAh")
    max_demand_kw: float | None = Field(None, description="mean power of its highest interval")
    power_factor: float | None = Field(None, description="kWh / kVAh; null where there is no kVAh or it is incomplete")
    quality: QualityLetter = Field(description="the weakest of what it sums; `qualities` has the words")
    estimated_pct: float | None = Field(description="estimated part of the energy, %; of the intervals where there is no energy")
    methods: list[str] = Field(description="of its estimates, such as EST_LIKE")
    coverage_pct: float = Field(description="share of its time for which there is a value, %")


class Consumption(BaseModel):
    """Rows by time, each of which has an interval that was built; what was never built has none.

    interval, hour, day and month add up, to the Wh. An interval belongs to the row in which it begins.
    """

    meter: str
    begin: datetime
    end: datetime = Field(description="not included")
    timezone: str
    resolution: Literal["interval", "hour", "day", "month"]
    layer: Literal["raw", "estimated", "final"]
    multiplying_factor: Literal["applied"] = Field(
        description="energies and powers are those of the consumer, not of the meter's own count"
    )
    qualities: dict[str, str] = Field(description="letters of `quality` in words, weaker from one to the next")
    rows: list[ConsumptionRow]


class Episode(BaseModel):
    """What a meter reported, with what ended it."""

    event: str
    family: str
    log: str
    severity: str
    code: int | None = Field(description="of the event profile; null = seen in the status word")
    source: Literal["event", "status"]
    occurred_at: datetime
    ended_at: datetime | None
    duration_s: int | None
    state: Literal["single", "restored", "open", "lost restoration"]


class EpisodePage(BaseModel):
    """The earliest first. `next`: give it as `after` for the page that follows; null at the end."""

    items: list[Episode]
    next: str | None


class ProfileSlot(BaseModel):
    slot: int
    start: str = Field(description="time of day in the DISCOM's zone", examples=["18:30"])
    mean_kwh: float | None
    min_kwh: float | None
    max_kwh: float | None
    class_kwh: float | None = Field(description="the day's mean energy, spread as its class of consumers spreads theirs")


class Profile(BaseModel):
    """A typical day of a meter: of its final values, multiplying factor applied."""

    meter: str
    first: date
    last: date
    timezone: str
    day_type: Literal["all", "weekday", "saturday", "sunday"] = Field(description="sunday: or a holiday")
    interval_min: int | None
    days: int = Field(description="that it was made of: no interval of them is missing")
    day_kwh: float | None = Field(description="mean energy of a day")
    category: str | None = Field(description="class of consumers that it is compared with")
    slots: list[ProfileSlot]
