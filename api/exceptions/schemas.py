"""What goes in and out of /api/v1/vee/cases and /api/v1/vee/exceptions. Stamps go out as UTC, energies in Wh, ages in hours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.instants import Instant
from vee.exceptions.repository import Filter
from warehouse.codes import BY_MACHINE, CaseState, Resolution


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


def _by_a_person(resolution: Resolution) -> Resolution:
    if resolution in BY_MACHINE:
        raise ValueError(f"{resolution} is what the machine says of a case: give a reason of your own")
    return resolution


Code = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_no_nul)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_no_nul)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_no_nul)]
Severity = Literal["fatal", "fail", "warn", "info"]
AgeH = Annotated[float, Field(ge=0, le=1_000_000)]
PersonsResolution = Annotated[Resolution, AfterValidator(_by_a_person)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Take(_Strict):
    """Take it in hand. 409 with who has it where somebody was quicker."""

    do: Literal["take"]


class Assign(_Strict):
    """Give it to somebody, whoever has it."""

    do: Literal["assign"]
    assignee: Name
    note: Note | None = None


class Wait(_Strict):
    """Let it rest: until a time, or until somebody acts."""

    do: Literal["wait"]
    reason: Note
    until: Instant | None = None


class Comment(_Strict):
    do: Literal["comment"]
    note: Note


class Close(_Strict):
    """Close it and its exceptions, which stay closed while their values are the same."""

    do: Literal["close"]
    resolution: PersonsResolution
    note: Note | None = None

    @model_validator(mode="after")
    def _said(self) -> Close:
        if self.resolution == Resolution.OTHER and not self.note:
            raise ValueError("resolution other needs a note")
        return self


class Reopen(_Strict):
    do: Literal["reopen"]
    note: Note | None = None


Action = Annotated[Take | Assign | Wait | Comment | Close | Reopen, Field(discriminator="do")]


class CaseFilter(_Strict):
    """Which live cases; what is left out is any."""

    state: Literal["open", "assigned", "waiting"] | None = None
    rule: Code | None = None
    severity: Severity | None = None
    office: Code | None = None
    dt: Code | None = None
    meter: Code | None = None
    assignee: Name | None = None
    min_age_h: AgeH | None = None
    overdue: bool | None = None

    @property
    def filter(self) -> Filter:
        given = self.model_dump(exclude={"state"})
        return Filter(state=CaseState(self.state) if self.state else None, **given)


class Bulk(_Strict):
    """One action for all live cases of a filter, in one transaction. `expected`: how many you saw; 409 where they are more or fewer."""

    filter: CaseFilter
    expected: int = Field(ge=1, le=1_000_000)
    action: Annotated[Assign | Close, Field(discriminator="do")]


class BulkDone(BaseModel):
    cases: list[int]
    exceptions: int = Field(description="exceptions that were closed")


class Case(BaseModel):
    """One rule at one place on consecutive days."""

    id: int
    scope: Literal["meter", "dt", "feeder"]
    meter: str | None = Field(description="serial, of a case of one meter")
    dt: str | None
    feeder: str | None
    office: str | None
    rule: str
    stage: str
    severity: Severity
    action: str
    first_day: date
    last_day: date
    meters: int
    meter_days: int
    stake_wh: int | None = Field(description="energy of its meter-days where known")
    priority: int = Field(description="1 comes first")
    state: CaseState
    assignee: str | None
    wait_reason: str | None
    wait_until: datetime | None
    follows: int | None = Field(description="the case before of the same place and rule")
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    resolution: Resolution | None
    resolution_note: str | None
    age_h: float
    sla_h: float
    overdue: bool
    work_order: str | None = Field(description="kind of the field work that it asked for")


class Line(BaseModel):
    """A line of the audit trail."""

    at: datetime
    who: str
    action: str
    note: str | None
    before: dict[str, Any]
    after: dict[str, Any]


class MeterDay(BaseModel):
    """A row of vee.exception."""

    day: date
    meter: str
    rule: str
    stage: str
    severity: Severity
    action: str
    value: float | None
    message: str
    state: str
    opened_at: datetime
    updated_at: datetime
    case: int | None
    stake_wh: int | None


class CaseInFull(Case):
    """`exceptions`: the first 1,000, by day and meter."""

    exceptions: list[MeterDay]
    audit: list[Line]


class Page(BaseModel):
    """The most urgent first. `next` is the cursor of the page that follows, None at the end."""

    items: list[Case]
    next: int | None


class ExceptionPage(BaseModel):
    """By day and meter. `next` is the cursor of the page that follows, None at the end."""

    items: list[MeterDay]
    next: str | None


class SummaryLine(BaseModel):
    """Live cases of a rule. `day`: younger than a day, `three_days`: than three, `week`: than a week."""

    rule: str
    severity: Severity
    cases: int
    meter_days: int
    stake_wh: int | None
    day: int
    three_days: int
    week: int
    older: int
    overdue: int
    unassigned: int
