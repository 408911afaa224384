"""What goes in and out of /api/v1/edits and /api/v1/freezes. Energies are whole Wh (VAh), the meter's own count; slots run from 0."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api import instants
from vee.edits.operations import LARGEST
from vee.edits.service import Change, Operation, OperationKind
from warehouse.codes import EditReason

MAX_CHANGES = 5000
MAX_SLOT = 1439
MAX_ID = 2**63 - 1


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


def _year(day: date) -> date:
    if not 2000 <= day.year <= 2100:
        raise ValueError("is not between the years 2000 and 2100")
    return day


Text = Annotated[str, AfterValidator(_no_nul)]
Serial = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Note = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Why = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]
Day = Annotated[instants.Day, AfterValidator(_year)]
Wh = Annotated[int, Field(ge=0, le=LARGEST)]
Slot = Annotated[int, Field(ge=0, le=MAX_SLOT)]
Channel = Literal["import_wh", "export_wh", "import_vah"]
Version = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
State = Literal["pending", "approved", "rejected", "withdrawn"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OperationRequest(_Strict):
    """What is done to slots first..last, both included."""

    kind: OperationKind
    first: Slot = 0
    last: Slot | None = Field(default=None, description="None: to the end of the day")
    values: list[Wh] | None = Field(
        default=None, min_length=1, max_length=MAX_SLOT + 1, description="set: one for all slots, or one a slot"
    )
    factor: Annotated[Decimal, Field(ge=0, le=1000, max_digits=12, decimal_places=9)] | None = Field(default=None, description="scale")
    total_wh: Wh | None = Field(default=None, description="scale_to: what the slots add up to afterwards")
    from_day: Day | None = Field(default=None, description="copy: the day whose slots are taken")
    edit: Id | None = Field(default=None, description="revert: to what stood before this edit")

    @model_validator(mode="after")
    def _parameters_of_the_kind(self) -> OperationRequest:
        needed = NEEDS.get(self.kind)
        for name in ("values", "factor", "total_wh", "from_day", "edit"):
            if (name == needed) != (getattr(self, name) is not None):
                raise ValueError(f"{self.kind} {'needs' if name == needed else 'takes no'} {name}")
        if self.last is not None and self.last < self.first:
            raise ValueError("last lies before first")
        return self

    def operation(self) -> Operation:
        factor = None if self.factor is None else Fraction(self.factor)
        return Operation(self.kind, self.first, self.last, tuple(self.values or ()), factor, self.total_wh, self.from_day, self.edit)


NEEDS = {
    OperationKind.SET: "values",
    OperationKind.SCALE: "factor",
    OperationKind.SCALE_TO: "total_wh",
    OperationKind.COPY: "from_day",
    OperationKind.REVERT: "edit",
}


class ChangeRequest(_Strict):
    """One channel of one meter's day. Several operations are done in their order."""

    meter: Serial = Field(description="serial number")
    day: Day
    channel: Channel
    version: Version = Field(description="of the day as you saw it: GET /api/v1/edits/day")
    operations: list[OperationRequest] = Field(min_length=1, max_length=200)

    def change(self) -> Change:
        return Change(self.meter, self.day, self.channel, tuple(o.operation() for o in self.operations), self.version)


class EditRequest(_Strict):
    """Changes that are made together: all, or none."""

    changes: list[ChangeRequest] = Field(min_length=1, max_length=MAX_CHANGES)
    reason: EditReason
    note: Note | None = Field(default=None, description="compulsory with OTHER")
    force: bool = Field(default=False, description="values above what can flow are a warning")


Token = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]


class MakeRequest(EditRequest):
    token: Token | None = Field(default=None, description="of a preview: anything else that would come out is refused")


class FileRequest(_Strict):
    """What is said of a file beside it."""

    name: Annotated[Text, StringConstraints(pattern=r"^[^/\\]{1,200}\.(csv|xlsx|CSV|XLSX)$")] = Field(
        description="its ending says what it is"
    )
    reason: EditReason
    note: Note | None = None
    force: bool = False


class MakeFileRequest(FileRequest):
    token: Token | None = None


class Diff(BaseModel):
    """What a change does to a day."""

    meter: str
    day: date
    channel: Channel
    before_wh: int
    after_wh: int
    difference_wh: int
    slots: int = Field(description="that change")
    needs_approval: bool
    warnings: list[str]
    before: list[int | None]
    after: list[int | None]


class Fault(BaseModel):
    where: str
    code: str
    detail: str


class Preview(BaseModel):
    """What would be written, and what stands against it. With a fault nothing can be made."""

    diffs: list[Diff]
    faults: list[Fault]
    unchanged: int
    token: str


class Edit(BaseModel):
    """An edit and what became of it."""

    id: int
    request: UUID = Field(description="what was asked for together")
    meter: str
    day: date
    channel: str
    operation: list[dict[str, Any]] | dict[str, Any]
    before: list[int | None] | None
    after: list[int | None]
    reason: str
    note: str | None
    editor: str
    edited_at: datetime
    state: State
    decided_by: str | None = Field(description="policy: small enough to need no second person")
    decided_at: datetime | None
    decision_note: str | None
    chain_no: int
    hash: str


class Edits(BaseModel):
    items: list[Edit]


class Page(BaseModel):
    """Newest first. `next` is the cursor of the page that follows, None at the end."""

    items: list[Edit]
    next: int | None


class DecisionRequest(_Strict):
    note: Note | None = None


class DayState(BaseModel):
    """A meter's day as the final layer shows it."""

    meter: str
    day: date
    interval_min: int
    slots: int
    import_wh: list[int | None]
    export_wh: list[int | None]
    import_vah: list[int | None]
    quality: list[int] = Field(description="per slot, reference.code_quality")
    limit_wh: float | None = Field(description="the most that can flow in a slot")
    frozen: bool
    version: str
    waiting: list[int] = Field(description="edits that nobody decided")


class FreezeRequest(_Strict):
    first_day: Day
    last_day: Day
    reason: Why


class ReleaseRequest(_Strict):
    reason: Why


class Freeze(BaseModel):
    """A period that was billed: its days are not built again and not edited."""

    id: int
    first_day: date
    last_day: date
    frozen_at: datetime
    frozen_by: str
    reason: str
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None


class Freezes(BaseModel):
    items: list[Freeze]
