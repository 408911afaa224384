"""What edits are accepted, what is refused and why.

An edit is of one channel of one meter's day. What is asked names the version of the day that the editor saw; under the lock of the
DISCOM the day is read again, and another version is a conflict. An edit below the limits of the policy is approved at once, any other waits
for a second person. A waiting edit of a channel and day keeps others away until it is decided, and can be approved while the day still
shows what stood before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import psycopg

from vee.edits import operations, repository
from vee.edits.errors import EditError, Fault
from vee.edits.operations import Values
from vee.edits.policy import POLICY, Policy, load_policy
from vee.edits.repository import Day, Key, Made, NewEdit
from warehouse.codes import EditReason


class OperationKind(StrEnum):
    SET = "set"
    ZERO = "zero"
    SCALE = "scale"
    SCALE_TO = "scale_to"
    COPY = "copy"
    INTERPOLATE = "interpolate"
    REVERT = "revert"


class Decision(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Operation:
    """What is done to the slots first..last, from 0, both included; None = to the end of the day."""

    kind: OperationKind
    first: int = 0
    last: int | None = None
    values: tuple[int, ...] = ()
    """set: whole Wh (VAh), one for all slots or one a slot."""
    factor: Fraction | None = None
    total_wh: int | None = None
    from_day: date | None = None
    edit_id: int | None = None

    def described(self) -> dict[str, Any]:
        """As vee.edit keeps it. Values stand in `after`."""
        parts: dict[str, Any] = {"first": self.first, "last": self.last, "total_wh": self.total_wh, "edit": self.edit_id}
        parts |= {"factor": self.factor, "from_day": self.from_day}
        return {"kind": self.kind.value, **{k: v if isinstance(v, int) else str(v) for k, v in parts.items() if v is not None}}


@dataclass(frozen=True)
class Change:
    """One channel of one meter's day. `version` of the day as the editor saw it, None = as it is now."""

    meter: str
    day: date
    channel: str
    operations: tuple[Operation, ...]
    version: str | None = None
    rows: Mapping[int, int] = field(default_factory=dict)
    """Row of a file that each slot comes from."""

    @property
    def key(self) -> Key:
        return Key(self.meter, self.day)

    @property
    def place(self) -> str:
        return f"row {min(self.rows.values())}" if self.rows else f"{self.meter} {self.day} {self.channel}"

    def place_of(self, slot: int | None) -> str:
        return f"row {self.rows[slot]}, column value" if slot is not None and slot in self.rows else self.place


@dataclass(frozen=True)
class Editor:
    """A person of a DISCOM."""

    discom_id: int
    discom: str
    name: str

    def is_(self, other: str) -> bool:
        return self.name.strip().lower() == other.strip().lower()


@dataclass(frozen=True)
class Asked:
    """Edits that are asked for together: all are made, or none."""

    changes: Sequence[Change]
    reason: EditReason
    note: str | None = None
    force: bool = False
    """Values above what can flow are a warning, not a refusal."""


@dataclass(frozen=True)
class Diff:
    """What a change would do. `difference`: Wh (VAh) more, `slots`: that change."""

    change: Change
    day: Day
    before: Values
    after: Values
    needs_approval: bool
    warnings: tuple[str, ...] = ()

    @property
    def difference(self) -> int:
        return sum(v or 0 for v in self.after) - sum(v or 0 for v in self.before)

    @property
    def slots(self) -> int:
        return sum(b != a for b, a in zip(self.before, self.after, strict=True))


@dataclass(frozen=True)
class Plan:
    """Every change that does something, and every fault. `token` stands for exactly this outcome on the days as they are."""

    diffs: list[Diff]
    faults: list[Fault]
    unchanged: int
    token: str


@dataclass
class _Refusal(Exception):
    code: str
    detail: str
    slot: int | None = None


def plan(conn: psycopg.Connection, editor: Editor, asked: Asked) -> Plan:
    """What `asked` would do now. Raises EditError where it cannot be judged as a whole."""
    _check_asked(editor, asked)
    if not repository.is_built(conn):
        raise EditError("NOT_BUILT", "no day was ever built here: `meterhouse run` first")
    meters = repository.known_meters(conn, editor.discom_id, {c.meter for c in asked.changes})
    wanted = {c.key for c in asked.changes} | {k for c in asked.changes for o in c.operations for k in _also_read(c, o)}
    days = repository.days(conn, editor.discom_id, wanted)
    reverted = _reverted(conn, editor, asked)
    policy = load_policy(editor.discom)
    diffs, faults, unchanged = [], [], 0
    for change in asked.changes:
        try:
            diff = _diff(change, meters, days, reverted, policy, force=asked.force)
        except _Refusal as e:
            faults.append(Fault(change.place_of(e.slot), e.code, e.detail))
            continue
        if diff.before == diff.after:
            unchanged += 1
        else:
            diffs.append(diff)
    return Plan(diffs, faults, unchanged, _token(asked, diffs))


def make(conn: psycopg.Connection, editor: Editor, asked: Asked, *, token: str | None = None) -> tuple[list[dict[str, Any]], Plan]:
    """Make all the edits or none: their rows in the order of the days, and what they do.

    `token` of an earlier plan: anything else that would come out now is a conflict. Raises EditError.
    """
    repository.lock(conn, editor.discom_id)
    found = plan(conn, editor, asked)
    refuse(found.faults)
    if token and token != found.token:
        raise EditError("CHANGED", "the outcome is not what the token stands for: look at it again", kind="conflict")
    if not found.diffs:
        raise EditError("NOTHING_CHANGES", "the values stand so already: nothing was written")
    request: UUID = uuid4()
    new = [
        NewEdit(d.day.meter_id, d.day.day, d.change.channel, [o.described() for o in d.change.operations], d.before, d.after)
        for d in found.diffs
    ]
    ids = repository.insert_edits(conn, editor.discom_id, request, editor.name, asked.reason, asked.note, new)
    at_once = [ids[d.day.meter_id, d.day.day, d.change.channel] for d in found.diffs if not d.needs_approval]
    repository.insert_decisions(conn, editor.discom_id, sorted(at_once), Decision.APPROVED, POLICY, None)
    return repository.edits(conn, editor.discom_id, sorted(ids.values())), found


def decide(
    conn: psycopg.Connection, editor: Editor, edit_ids: Sequence[int], decision: Decision, note: str | None = None
) -> list[dict[str, Any]]:
    """Approve, reject or withdraw waiting edits, all or none; the rows as they are then. Raises EditError."""
    _check_name(editor)
    repository.lock(conn, editor.discom_id)
    found = {e["id"]: e for e in repository.edits(conn, editor.discom_id, edit_ids)}
    for wanted in edit_ids:
        if wanted not in found:
            raise EditError("UNKNOWN_EDIT", f"there is no edit {wanted}", kind="unknown")
    days = repository.days(conn, editor.discom_id, {Key(e["meter"], e["day"]) for e in found.values()})
    refuse([f for e in found.values() if (f := _may_not(editor, decision, e, days.get(Key(e["meter"], e["day"]))))])
    repository.insert_decisions(conn, editor.discom_id, sorted(found), decision, editor.name, note)
    return repository.edits(conn, editor.discom_id, edit_ids)


def day(conn: psycopg.Connection, discom_id: int, meter: str, on: date) -> Day:
    """A meter's day as it is now. Raises EditError."""
    key = Key(meter, on)
    found = repository.days(conn, discom_id, [key]) if repository.is_built(conn) else {}
    if key not in found:
        detail = f"meter {meter} has no day {on} that was built: check serial and day, or `meterhouse run` first"
        raise EditError("UNKNOWN_DAY", detail, kind="unknown")
    return found[key]


def refuse(faults: Sequence[Fault]) -> None:
    """Raise EditError where there is a fault: a conflict where one is."""
    if not faults:
        return
    first = next((f for f in faults if f.code in CONFLICTS), faults[0])
    if len(faults) == 1:
        raise EditError(first.code, str(first), kind="conflict" if first.code in CONFLICTS else "invalid", faults=())
    detail = f"{len(faults)} faults, nothing was written:"
    raise EditError(first.code, detail, kind="conflict" if first.code in CONFLICTS else "invalid", faults=faults)


CONFLICTS = ("CHANGED", "WAITING", "DECIDED", "FROZEN", "STALE")
"""Codes of faults that another person caused, or a state that may end: the same request may succeed later."""


# --- deciding ---


def _check_name(editor: Editor) -> None:
    if not editor.name.strip() or editor.is_(POLICY):
        raise EditError("RESERVED_NAME", f"nobody edits or approves as {editor.name!r}: use the key of a person")


def _check_asked(editor: Editor, asked: Asked) -> None:
    _check_name(editor)
    if asked.reason is EditReason.OTHER and not (asked.note or "").strip():
        raise EditError("NOTE_MISSING", "the reason OTHER needs a note that says why")
    seen: dict[tuple[Key, str], Change] = {}
    twice = []
    for c in asked.changes:
        if (c.key, c.channel) in seen:
            twice.append(Fault(c.place, "DUPLICATE", f"{c.channel} of this meter and day is named twice: once is enough"))
        seen[c.key, c.channel] = c
    refuse(twice)


def _also_read(change: Change, operation: Operation) -> list[Key]:
    """Days that an operation reads beside its own."""
    if operation.kind is OperationKind.COPY and operation.from_day:
        return [Key(change.meter, operation.from_day)]
    if operation.kind is OperationKind.INTERPOLATE:
        return [Key(change.meter, change.day + timedelta(days=n)) for n in (-1, 1)]
    return []


def _reverted(conn: psycopg.Connection, editor: Editor, asked: Asked) -> dict[int, dict[str, Any]]:
    ids = [o.edit_id for c in asked.changes for o in c.operations if o.edit_id is not None]
    return {e["id"]: e for e in repository.edits(conn, editor.discom_id, ids)} if ids else {}


def _diff(
    change: Change, meters: dict[str, int], days: dict[Key, Day], reverted: dict[int, dict[str, Any]], policy: Policy, *, force: bool
) -> Diff:
    if change.meter not in meters:
        raise _Refusal("UNKNOWN_METER", f"no meter {change.meter!r} is in this DISCOM's registry: check the serial")
    if change.channel not in repository.CHANNELS:
        raise _Refusal("UNKNOWN_CHANNEL", f"{change.channel!r} cannot be edited. Known: {', '.join(repository.CHANNELS)}")
    state = days.get(change.key)
    if state is None:
        raise _Refusal("UNKNOWN_DAY", f"meter {change.meter} has no day {change.day} that was built: check the day, or `meterhouse run`")
    if state.frozen:
        raise _Refusal("FROZEN", f"{change.day} is frozen: edits wait until it is released (`meterhouse vee frozen`)")
    if change.version is not None and change.version != state.version:
        raise _Refusal("CHANGED", f"the day is not what you saw: {_last_change(state)}. Look at it again")
    if (waiting := _waiting(state, change.channel)) is not None:
        detail = (
            f"edit {waiting.edit_id} of {waiting.editor} at {waiting.edited_at:%Y-%m-%d %H:%M:%SZ} waits: approve, reject or withdraw it"
        )
        raise _Refusal("WAITING", detail)
    before = state.channels[change.channel]
    after = before
    for operation in change.operations:
        try:
            after = _DO[operation.kind](change, operation, _slots(operation, state), after, days, reverted)
        except ValueError as e:
            raise _Refusal("NOT_POSSIBLE", str(e)) from None
    return Diff(
        change,
        state,
        before,
        after,
        policy.needs_approval(after, before, _as_a_person_left_it(state, change.channel, before)),
        _over_limit(state, before, after, force=force),
    )


def _slots(operation: Operation, state: Day) -> range:
    last = state.slots - 1 if operation.last is None else operation.last
    if not 0 <= operation.first <= last < state.slots:
        raise _Refusal("WRONG_SLOT", f"slots {operation.first} to {last} are not of this day: it has 0 to {state.slots - 1}")
    return range(operation.first, last + 1)


def _over_limit(state: Day, before: Values, after: Values, *, force: bool) -> tuple[str, ...]:
    limit = state.limit_wh
    over = [s for s, (b, a) in enumerate(zip(before, after, strict=True)) if limit is not None and a is not None and a > limit and a != b]
    if not over:
        return ()
    assert limit is not None
    said = f"slot {over[0]}: {after[over[0]]} is above the {limit:.0f} Wh that can flow there"
    said += f", and {len(over) - 1} more slots" if len(over) > 1 else ""
    if not force:
        raise _Refusal("OVER_LIMIT", f"{said}: correct it, or force it where it is true", over[0])
    return (said,)


def _waiting(state: Day, channel: str) -> Made | None:
    return next((e for e in state.edits if e.channel == channel and e.decision is None), None)


def _as_a_person_left_it(state: Day, channel: str, now: Values) -> Values:
    """The channel before the first edit that the policy approved since a person last approved one: small steps add up."""
    left = now
    for e in reversed(state.edits):
        if e.channel == channel and e.decision == Decision.APPROVED:
            if e.decided_by != POLICY:
                break
            left = e.before or left
    return left if len(left) == len(now) else now


def _last_change(state: Day) -> str:
    if not state.edits:
        return "it was built anew since"
    e = max(state.edits, key=lambda e: e.last_moved[0])
    at, who = e.last_moved
    return f"edit {e.edit_id} of {e.editor} ({e.decision or 'waits'}) by {who} at {at:%Y-%m-%d %H:%M:%SZ} came since, or it was built anew"


def _may_not(editor: Editor, decision: Decision, edit: dict[str, Any], state: Day | None) -> Fault | None:
    where = f"edit {edit['id']}"
    if edit["state"] != "pending":
        said = f"it is {edit['state']} by {edit['decided_by']} since {edit['decided_at']:%Y-%m-%d %H:%M:%SZ}"
        return Fault(where, "DECIDED", said)
    if decision is Decision.WITHDRAWN and not editor.is_(edit["editor"]):
        return Fault(where, "NOT_YOURS", f"only {edit['editor']} withdraws it: reject it")
    if decision is not Decision.WITHDRAWN and editor.is_(edit["editor"]):
        return Fault(where, "FOUR_EYES", "its editor does not decide on it: ask somebody else, or withdraw it")
    if decision is Decision.APPROVED:
        if state is None or state.frozen:
            return Fault(where, "FROZEN", f"{edit['day']} is frozen: it waits until the day is released, or is rejected")
        if state.channels[edit["channel"]] != edit["before"]:
            said = "the day shows other values than before the edit was made: reject or withdraw it, and edit anew"
            return Fault(where, "STALE", said)
    return None


def _token(asked: Asked, diffs: Sequence[Diff]) -> str:
    seen: list[Any] = [asked.reason, asked.note, asked.force]
    seen += [[*d.change.key, d.change.channel, d.day.version, d.after, d.needs_approval] for d in diffs]
    return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:32]


# --- operations on a day ---

_Days = dict[Key, Day]
_Reverted = dict[int, dict[str, Any]]


def _set(_: Change, o: Operation, slots: range, day: Values, __: _Days, ___: _Reverted) -> Values:
    return operations.put(day, slots, o.values)


def _zero(_: Change, __: Operation, slots: range, day: Values, ___: _Days, ____: _Reverted) -> Values:
    return operations.zero(day, slots)


def _scale(_: Change, o: Operation, slots: range, day: Values, __: _Days, ___: _Reverted) -> Values:
    if o.factor is None:
        raise ValueError("scale needs a factor")
    return operations.scale(day, slots, o.factor)


def _scale_to(_: Change, o: Operation, slots: range, day: Values, __: _Days, ___: _Reverted) -> Values:
    if o.total_wh is None:
        raise ValueError("scale_to needs a total")
    return operations.scale_to(day, slots, o.total_wh)


def _copy(c: Change, o: Operation, slots: range, day: Values, days: _Days, _: _Reverted) -> Values:
    if o.from_day is None:
        raise ValueError("copy needs the day to copy from")
    source = days.get(Key(c.meter, o.from_day))
    if source is None:
        raise ValueError(f"meter {c.meter} has no day {o.from_day} that was built to copy from")
    return operations.copy(day, slots, source.channels[c.channel])


def _interpolate(c: Change, _: Operation, slots: range, day: Values, days: _Days, __: _Reverted) -> Values:
    here = days[c.key]

    def neighbour(slot: int) -> int:
        of, at = here, slot
        if slot < 0 or slot >= here.slots:
            other = days.get(Key(c.meter, c.day + timedelta(days=-1 if slot < 0 else 1)))
            if other is None:
                raise ValueError("there is no day beside this one to interpolate from")
            of, at = other, other.slots - 1 if slot < 0 else 0
        value = of.good(c.channel, at)
        if value is None:
            raise ValueError(f"slot {at} of {of.day}, beside it, is no good value to interpolate from: set or copy instead")
        return value

    return operations.interpolate(day, slots, neighbour(slots[0] - 1), neighbour(slots[-1] + 1))


def _revert(c: Change, o: Operation, _: range, day: Values, __: _Days, reverted: _Reverted) -> Values:
    edit = reverted.get(o.edit_id or 0)
    if edit is None or (edit["meter"], edit["day"], edit["channel"]) != (c.meter, c.day, c.channel):
        raise ValueError(f"there is no edit {o.edit_id} of this meter, day and channel")
    if edit["state"] != Decision.APPROVED:
        raise ValueError(f"edit {o.edit_id} is {edit['state']}, so there is nothing to take back")
    if edit["before"] is None or len(edit["before"]) != len(day):
        raise ValueError(f"what stood before edit {o.edit_id} is not known for this day as it is now: set or copy instead")
    return list(edit["before"])


_DO: dict[OperationKind, Callable[[Change, Operation, range, Values, _Days, _Reverted], Values]] = {
    OperationKind.SET: _set,
    OperationKind.ZERO: _zero,
    OperationKind.SCALE: _scale,
    OperationKind.SCALE_TO: _scale_to,
    OperationKind.COPY: _copy,
    OperationKind.INTERPOLATE: _interpolate,
    OperationKind.REVERT: _revert,
}


def set_values(values: dict[int, int]) -> tuple[Operation, ...]:
    """Operations that set single slots, one for each run of neighbouring ones."""
    runs = groupby(enumerate(sorted(values)), key=lambda x: x[1] - x[0])
    listed = [[slot for _, slot in run] for _, run in runs]
    return tuple(Operation(OperationKind.SET, run[0], run[-1], tuple(values[s] for s in run)) for run in listed)
