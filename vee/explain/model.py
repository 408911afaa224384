"""What is told of a meter-day. Energies are Wh of the meter's own count (the multiplying factor is not applied), of the import channel;
slots count from 0 at midnight in the DISCOM's time zone, and stamps carry that zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Meter:
    """The meter and the place where it hung on the day; `place` is None where it was not installed."""

    serial: str
    make: str | None
    hes: str
    place: str | None
    at: str | None
    """Code of the service point, DT or feeder."""
    dt: str | None
    category: str | None
    mf: float | None


@dataclass(frozen=True)
class Delivery:
    """A piece of the day that a head-end system delivered. `slots` from `first_slot` on, of which `values` hold one."""

    nr: int
    hes: str
    source: str
    batch_id: int
    seq: int
    received_at: datetime
    first_slot: int
    slots: int
    values: int
    in_build: bool
    """Whether the build that made the final values had it; False = it came later, the day will be built again."""


@dataclass(frozen=True)
class RawValue:
    """A value as it was delivered. `stands`: the last received, of which the day is made; `same`, `other`: received before it."""

    delivery: int
    wh: int
    verdict: Literal["stands", "same", "other", "not built yet"]


@dataclass(frozen=True)
class Rejected:
    """What was delivered and not understood. `slot` is None where its stamp lies on another day, or where it has none."""

    stamp: datetime | None
    slot: int | None
    reason: str
    meaning: str
    detail: str | None
    values: int
    hes: str
    source: str
    locator: str
    received_at: datetime
    payload: str
    landed_after_all: bool


@dataclass(frozen=True)
class Verdict:
    """What a rule said of the day at one stage. `figure`: what it judged, as table.column; `limit`: in words, of the rules in force."""

    rule: str
    title: str
    stage: str
    outcome: Literal["failed", "passed", "not judged", "not for this meter", "off"]
    severity: str
    action: str
    figure: str
    value: float | None
    limit: str
    message: str | None = None
    state: str | None = None
    """Of the exception: reference.code_exception_state."""
    since: datetime | None = None
    case_id: int | None = None
    """The case that it is worked on in."""
    slots: tuple[int, ...] = ()
    """That it points at; empty = the day as a whole."""
    above: bool = True
    """Whether the figure lies above the limit that it fails, not below."""


@dataclass(frozen=True)
class Register:
    """A register as it stood at the end of `day`, as it was last received; `versions`: how many readings of that day there are."""

    day: date
    read_at: datetime
    import_wh: int | None
    hes: str
    source: str
    received_at: datetime
    versions: int


@dataclass(frozen=True)
class SumCheck:
    """The registers nearest to the day, and the energy between them. `final_wh` is None where an interval between them has no value."""

    opening: Register
    closing: Register
    advance_wh: int
    final_wh: int | None
    difference_wh: int | None
    step_wh: int


@dataclass(frozen=True)
class Episode:
    """An event of the meter that reaches into the day. `ended_at` is None of an event that lasts or has no end."""

    event: str
    code: int | None
    occurred_at: datetime
    ended_at: datetime | None
    state: str


@dataclass(frozen=True)
class Edit:
    """A change by a person."""

    edit_id: int
    operations: tuple[dict[str, Any], ...]
    """What was done, one after the other: kind, first and last slot, parameters."""
    slots: tuple[int, ...]
    """That it changed."""
    before_wh: int
    after_wh: int
    """Energy of these slots; what had no value counts as 0."""
    reason: str
    note: str | None
    editor: str
    edited_at: datetime
    decision: Literal["approved", "rejected", "withdrawn"] | None
    """None = it waits, and counts for nothing."""
    decided_by: str | None
    decided_at: datetime | None

    def kind_of(self, slot: int) -> str:
        """The operation that a slot's value comes from."""
        covers = (o["kind"] for o in reversed(self.operations) if o["first"] <= slot <= o.get("last", slot))
        return next(covers, "set")


@dataclass(frozen=True)
class Run:
    """Neighbouring slots whose final values came about in the same way."""

    first_slot: int
    slots: int
    starts_at: datetime
    ends_at: datetime
    quality: str
    letter: str
    method: str
    """Flag of reference.code_method; empty where nothing was estimated."""
    raw_wh: int | None
    final_wh: int | None
    nem12: str | None
    cim: tuple[str, ...]
    ieee2030_5: int
    how: str
    """Method and inputs in words."""
    basis: dict[str, Any] | None = None
    """Inputs of the estimate as it was made (vee.estimated_day.basis)."""


@dataclass(frozen=True)
class Interval:
    """One interval from raw to final."""

    slot: int
    starts_at: datetime
    ends_at: datetime
    raw: tuple[RawValue, ...]
    measured_wh: int | None
    estimated_wh: int | None
    """None where it was not estimated."""
    estimated_by: str
    """Flag of the estimate's method, also where the value was edited since; empty where it was not estimated."""
    edited_wh: int | None
    """None where it was not edited."""
    final_wh: int | None
    quality: str
    letter: str
    method: str
    """Of the final value: empty where that is no estimate."""
    nem12: str | None
    cim: tuple[str, ...]
    cim_unverified: bool
    """A CIM code among these is an assumption: warehouse/quality_codes.yml."""
    ieee2030_5: int
    ieee2030_5_flags: tuple[str, ...]
    failed: tuple[str, ...]
    """Rules that point at it."""
    outage: Literal["no", "partly", "wholly"]
    edit_id: int | None


@dataclass(frozen=True)
class Explanation:
    """One meter-day. `built_at` is None where it was not built: its values are then raw."""

    discom: str
    day: date
    timezone: str
    interval_min: int
    meter: Meter
    built_at: datetime | None
    rule_set: int | None
    """vee.rule_set: the version of the rules that judged it."""
    frozen: bool
    final_wh: int | None
    deliveries: tuple[Delivery, ...]
    rejected: tuple[Rejected, ...]
    rules: tuple[Verdict, ...]
    registers: SumCheck | None
    evidence: dict[str, Any]
    """What vee.evidence knows of the day: outages, relay, clock, nameplate."""
    episodes: tuple[Episode, ...]
    edits: tuple[Edit, ...]
    runs: tuple[Run, ...]
    intervals: tuple[Interval, ...]

    @property
    def failed(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.rules if v.outcome == "failed")
