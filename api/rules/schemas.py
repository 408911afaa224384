"""What goes in and out of /api/v1/vee/rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.instants import Day

LONGEST_PREVIEW = timedelta(days=31)
MAX_OVERLAY = 64 * 1024


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(_no_nul)]
State = Literal["proposed", "withdrawn", "accepted"]


class Rule(BaseModel):
    """One check in force. A rule has several where it has variants or scopes, which share no meter-day."""

    stage: str
    rule: str
    variant: str | None
    title: str
    enabled: bool
    severity: str
    action: str
    acceptance: float = Field(description="share of a day's meter-days that must pass, else the day is refused")
    limit: str
    scope: str = Field(description="meter-days that it is for; empty: all")
    message: str
    source: Literal["base", "overlay"]
    definition: dict[str, Any] = Field(description="table, test, kwargs, row conditions and value, as the engine has them")


class RuleSet(BaseModel):
    """The rules in force. `version` is None until a day was built with them."""

    discom: str
    version: int | None
    sha256: str
    overlay: str | None
    rules: list[Rule]


class Version(BaseModel):
    id: int
    sha256: str
    noted_at: datetime
    overlay: str | None
    days: int = Field(description="business days whose latest build judges by it")


class VersionWithRules(Version):
    rules: list[dict[str, Any]]


class Versions(BaseModel):
    items: list[Version]


class Span(BaseModel):
    """Business days, both included."""

    model_config = ConfigDict(extra="forbid")
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")

    @model_validator(mode="after")
    def _range(self) -> Span:
        if self.last < self.first:
            raise ValueError("to is before from")
        if self.last - self.first >= LONGEST_PREVIEW:
            raise ValueError(f"more than {LONGEST_PREVIEW.days} days: `meterhouse vee preview` takes longer ranges")
        return self


class ProposalRequest(BaseModel):
    """A whole overlay: it takes the place of the present one."""

    model_config = ConfigDict(extra="forbid")
    overlay: Annotated[Text, StringConstraints(min_length=1, max_length=MAX_OVERLAY)] | dict[str, Any] = Field(
        description="the text of the overlay's file, or the same as an object"
    )
    note: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)] = Field(description="why")
    preview: Span | None = Field(default=None, description="days that are built: what would change on them is kept with the proposal")


class Proposal(BaseModel):
    id: int
    state: State
    note: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    overlay: str
    preview: dict[str, Any] | None


class Page(BaseModel):
    items: list[Proposal]
    next: int | None = Field(description="`before` of the next page")
