"""What goes in and out of /api/v1/commands. Stamps go out as UTC; those that come in must carry their zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from api.instants import Instant
from ingestion.commands.states import Kind, State

LONGEST_RANGE = timedelta(days=90)
MAX_METERS = 10_000
MAX_LOAD_LIMIT_W = 1_000_000


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(_no_nul)]
Serial = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Reason = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]
IdempotencyKey = Annotated[Text, StringConstraints(min_length=8, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Strict):
    """connect, disconnect, clock_sync: they take no parameters. A clock is set to the time at which the command reaches the meter."""


class LoadLimit(_Strict):
    load_limit_w: int = Field(ge=1, le=MAX_LOAD_LIMIT_W, description="W: above it the relay opens")


class Read(_Strict):
    profile: Literal["instant"] = "instant"


class ReadProfile(_Strict):
    """Rows stamped since < t <= until, as the meter stamps them: of a block its end."""

    profile: Literal["block", "daily", "billing", "event"]
    since: Instant
    until: Instant

    @model_validator(mode="after")
    def _range(self) -> ReadProfile:
        if not self.since < self.until:
            raise ValueError("until must be later than since")
        if self.until - self.since > LONGEST_RANGE:
            raise ValueError(f"the range is longer than {LONGEST_RANGE.days} days: ask in parts")
        return self


class Switch(_Strict):
    at: time = Field(description="local time of the meter, whole minutes")
    zone: int = Field(ge=1, le=8, description="TOD zone that begins then")


class TodCalendar(_Strict):
    """One day for all days: the zone that holds from each switch on."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=8)]
    activates_at: Instant | None = Field(default=None, description="None: at once")
    switches: list[Switch] = Field(min_length=1, max_length=24)

    @model_validator(mode="after")
    def _a_day(self) -> TodCalendar:
        at = [s.at for s in self.switches]
        if any(t.second or t.microsecond or t.tzinfo for t in at):
            raise ValueError("switches are at whole minutes, without a zone")
        if at[0] != time(0) or any(a >= b for a, b in pairwise(at)):
            raise ValueError("the first switch is at 00:00 and each is later than the one before")
        return self


PARAMETERS: dict[Kind, type[_Strict]] = {
    Kind.CONNECT: Nothing,
    Kind.DISCONNECT: Nothing,
    Kind.LOAD_LIMIT: LoadLimit,
    Kind.READ: Read,
    Kind.READ_PROFILE: ReadProfile,
    Kind.CLOCK_SYNC: Nothing,
    Kind.TOD_CALENDAR: TodCalendar,
}


class _Request(_Strict):
    kind: Kind
    parameters: dict[Text, Any] = Field(
        default_factory=dict,
        description="load_limit: load_limit_w. read_profile: profile, since, until. tod_calendar: name, activates_at, switches. Else none.",
    )
    priority: int | None = Field(default=None, ge=1, le=9, description="1 goes first; default by kind")
    expires_at: Instant | None = Field(default=None, description="not sent later than this; default by kind")
    override_reason: Reason | None = Field(
        default=None, description="why a disconnect may go out in protected hours; kept in the audit trail"
    )

    @model_validator(mode="after")
    def _parameters_of_the_kind(self) -> _Request:
        try:
            self.parameters = PARAMETERS[self.kind].model_validate(self.parameters).model_dump(mode="json")
        except ValidationError as e:
            faults = "; ".join(f"{'.'.join(map(str, x['loc'])) or self.kind}: {x['msg']}" for x in e.errors())
            raise ValueError(f"parameters of {self.kind}: {faults}") from None
        if self.override_reason is not None and self.kind != Kind.DISCONNECT:
            raise ValueError("override_reason belongs to disconnect: nothing else waits for protected hours to end")
        return self


class CommandRequest(_Request):
    """One meter, one instruction."""

    meter: Serial = Field(description="serial number")


class GroupRequest(_Request):
    """Many meters, one instruction."""

    meters: list[Serial] = Field(min_length=1, max_length=MAX_METERS)

    @model_validator(mode="after")
    def _each_once(self) -> GroupRequest:
        if len(set(self.meters)) != len(self.meters):
            raise ValueError("a meter is named more than once")
        return self


class Command(BaseModel):
    """A command and where it stands."""

    id: int
    group: int | None
    meter: str
    hes: str
    kind: Kind
    parameters: dict[str, Any]
    state: State
    reason: str | None
    priority: int
    requested_by: str
    requested_at: datetime
    not_before: datetime | None = Field(description="queued: when it may go out at the earliest")
    expires_at: datetime
    override_reason: str | None
    attempts: int
    sent_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None = Field(description="what confirmed it; of a read also the batch that it was landed in")


class Move(BaseModel):
    """A line of the audit trail."""

    at: datetime
    who: str
    before: str | None
    after: str
    why: str


class CommandWithAudit(Command):
    audit: list[Move]


class Refusal(BaseModel):
    """Why a meter got no command."""

    meter: str
    code: str
    detail: str


class Group(BaseModel):
    """A group and where its commands stand."""

    id: int
    kind: Kind
    requested_by: str
    requested_at: datetime
    states: dict[State, int]
    not_before: datetime | None = Field(description="when the first that is queued may go out")
    refused: list[Refusal]


class Page(BaseModel):
    """Newest first. `next` is the cursor of the page that follows, None at the end."""

    items: list[Command]
    next: int | None
