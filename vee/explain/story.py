"""Puts together what is known of a meter-day. Judges nothing anew: what failed stands in vee.exception, why it was judged in the suites."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg

from expectations.rules import STAGES, load_suite
from vee.edits.policy import POLICY
from vee.explain import repository
from vee.explain.model import (
    Delivery,
    Edit,
    Episode,
    Explanation,
    Interval,
    Meter,
    RawValue,
    Register,
    Rejected,
    Run,
    SumCheck,
    Verdict,
)
from vee.explain.repository import Row
from warehouse.codes import SCALED, Method, Quality, Reason, method_flag, standard_codes, unverified

DOUBTS = ("estimate", "hold", "flag")
"""Actions of a rule that leave a measured value questionable."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)
"""Beyond them no meter was read, and arithmetic with stamps ends."""

Values = Sequence[int | None]

SHOWN_DAYS = 4
"""Reference days that words name; `basis` has all of them."""

_SUPPLY: tuple[Literal["no", "partly", "wholly"], ...] = ("no", "partly", "wholly")
"""By the number that vee.evidence has of a slot."""

_KNOWN_ELSEWHERE = {
    *("discom_id", "day", "meter_id", "place", "category", "office_id", "tariff", "phases", "dt", "meter_category"),
    *("slots", "interval_min", "missing_slots", "outage"),
}
"""Columns of vee.evidence that other parts of an explanation have."""

_OF_DAY = ("vee.final_day", "vee.meter_day", "vee.estimated_day", "vee.evidence")
_JUDGED = ("vee.measure", "vee.estimated_measure", "vee.edited_measure", "vee.usage_month", "vee.rebill_day")
"""What rules judge besides: read before the rules are known, which saves asking again. What else a rule set names is asked for apart."""


class ExplainError(LookupError):
    """There is nothing to explain: `code` is stable, the message says what is not there and how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def explain(conn: psycopg.Connection, discom: str, serial: str, day: date) -> Explanation:
    """All that led to the values of a meter's business day.

    `conn` acts as meterhouse_api in a transaction of the DISCOM (app.discom_id). Reads some ten rows of each layer, whatever its size.
    Raises ExplainError: UNKNOWN_METER, NOTHING_KNOWN; RuleError where the DISCOM's rules cannot be read.
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ExplainError("NOTHING_KNOWN", f"nothing is known of {day}: give a day between {FIRST_DAY} and {LAST_DAY}")
    meters, tables = repository.read(conn, repository.meter(discom, serial, day), repository.made((*_OF_DAY, *_JUDGED)))
    if not meters:
        raise ExplainError("UNKNOWN_METER", f"no meter {serial!r} is in the registry of {discom}: check the serial, or import the meter")
    found = meters[0]
    key = {"discom_id": found["discom_id"], "meter_id": found["meter_id"], "day": day}
    zone = ZoneInfo(found["timezone"])
    begin = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)

    made = [row["t"] for row in tables]
    anything = "vee.final_day" in made
    fragments, rejected, builds, exceptions, edited, frozen, opening, closing, *more = repository.read(
        conn,
        repository.fragments(key),
        repository.rejected(key, begin, end),
        repository.day_build(key),
        repository.exceptions(key),
        repository.edits(key),
        repository.frozen(key),
        repository.register(key, opening=True),
        repository.register(key, opening=False),
        *(repository.row_of(table, key) for table in made),
        *([repository.events(key, serial)] if anything else []),
    )
    reported = more.pop() if anything else []
    row_of = _rows(made, more)
    final, measured, estimated = (row_of.get(table) for table in ("vee.final_day", "vee.meter_day", "vee.estimated_day"))
    evidence = row_of.get("vee.evidence") or {}
    if final is None and not fragments and not rejected:
        raise ExplainError("NOTHING_KNOWN", f"nothing came from meter {serial} for {day}, and the day was not built: `meterhouse run`")
    minutes = int(final["interval_min"] if final else found["interval_min"])
    slots = int(final["slots"] if final else found["minutes"] // minutes)

    midnight = begin.astimezone(UTC)
    bounds = [(midnight + timedelta(minutes=slot * minutes)).astimezone(zone) for slot in range(slots + 1)]

    raw = _raw(fragments, slots)
    day_values = _Day(
        slots=slots,
        raw=raw,
        measured=measured["import_wh"] if measured else [next((v.wh for v in r if v.verdict == "stands"), None) for r in raw],
        estimated=estimated["import_wh"] if estimated else None,
        estimated_by=estimated["method"] if estimated else None,
        method=(final or {}).get("method") or [0] * slots,
        final=final["import_wh"] if final else None,
        quality=_quality(final, slots),
        outage=evidence.get("outage"),
        basis=[b for b in (estimated or {}).get("basis") or [] if b["channel"] == "import_wh"],
    )
    edits = _edits(edited, slots, zone)
    ends = _ends([*opening, *closing], zone) if anything else None
    noted, *energy = repository.read(
        conn,
        repository.rules((final or {}).get("rule_set_id")),
        *([repository.final_energy(key, ends[0].day + timedelta(days=1), ends[1].day)] if ends else []),
    )
    judged_by = _rules_of(discom, final, noted) if final else []
    if named := {r["table"] for r in judged_by}.difference(_OF_DAY, _JUDGED):
        others = [row["t"] for row in repository.read(conn, repository.made(named))[0]]
        row_of |= _rows(others, repository.read(conn, *(repository.row_of(table, key) for table in others)))
    rules = tuple(_verdicts(judged_by, exceptions, row_of, day_values, zone))
    registers = _sum_check(*ends, energy[0][0]["wh"], found["register_lsb_wh"]) if ends else None
    intervals = tuple(_intervals(day_values, rules, edits, bool(frozen), bounds))
    return Explanation(
        discom=discom,
        day=day,
        timezone=found["timezone"],
        interval_min=minutes,
        meter=Meter(
            **{name: found[name] for name in ("serial", "make", "hes", "place", "at", "dt", "category")},
            mf=None if found["mf"] is None else float(found["mf"]),
        ),
        built_at=builds[0]["built_at"].astimezone(zone) if builds and final else None,
        rule_set=final.get("rule_set_id") if final else None,
        frozen=bool(frozen),
        final_wh=final["import_day_wh"] if final else None,
        deliveries=tuple(_deliveries(fragments, zone)),
        rejected=tuple(_rejected(rejected, begin, minutes, slots, zone)),
        rules=rules,
        registers=registers,
        evidence={name: value for name, value in evidence.items() if value is not None and name not in _KNOWN_ELSEWHERE},
        episodes=tuple(_episodes(repository.episodes(reported, begin, end), zone)),
        edits=edits,
        runs=tuple(_runs(intervals, day_values, rules, edits, registers)),
        intervals=intervals,
    )


def _rows(tables: Sequence[str], found: Sequence[list[Row]]) -> dict[str, Row | None]:
    """The meter-day's row of each table, None where it has none."""
    return {table: next(iter(rows), None) for table, rows in zip(tables, found, strict=True)}


class _Day:
    """The arrays of the day, one item a slot."""

    def __init__(
        self,
        *,
        slots: int,
        raw: list[list[RawValue]],
        measured: Values,
        estimated: Values | None,
        estimated_by: Sequence[int] | None,
        method: Sequence[int],
        final: Values | None,
        quality: list[Quality],
        outage: Sequence[int] | None,
        basis: list[dict[str, Any]],
    ) -> None:
        self.slots, self.raw, self.measured, self.estimated, self.method = slots, raw, measured, estimated, method
        self.estimated_by = estimated_by or [0] * slots
        self.final: Values = measured if final is None else final
        self.quality = quality if final is not None else [Quality.MISSING if v is None else Quality.RAW for v in measured]
        self.outage = outage or [0] * slots
        self.basis = basis

    def basis_of(self, slot: int) -> int | None:
        """Index of the run of the estimate that the slot lies in."""
        return next((n for n, b in enumerate(self.basis) if b["from"] <= slot < b["from"] + b["slots"]), None)


def _quality(final: Row | None, slots: int) -> list[Quality]:
    if final is None:
        return []
    return [Quality(final["day_quality"] if q is None else q) for q in final["quality"] or [None] * slots]


# --- raw ---


def _raw(fragments: list[Row], slots: int) -> list[list[RawValue]]:
    """Every delivered value of each slot, the one that stands first."""
    raw: list[list[RawValue]] = [[] for _ in range(slots)]
    for nr, f in enumerate(fragments, start=1):
        for slot, wh in enumerate(f["import_wh"] or [], start=f["start_slot"]):
            if wh is None or slot >= slots:
                continue
            standing = next((v.wh for v in raw[slot] if v.verdict == "stands"), None)
            verdict = "not built yet" if not f["in_build"] and any(x["in_build"] for x in fragments) else "stands"
            if verdict == "stands" and standing is not None:
                verdict = "same" if wh == standing else "other"
            raw[slot].append(RawValue(nr, wh, verdict))  # type: ignore[arg-type]
    return raw


def _deliveries(fragments: list[Row], zone: ZoneInfo) -> Iterator[Delivery]:
    for nr, f in enumerate(fragments, start=1):
        values = f["import_wh"] or []
        yield Delivery(
            nr=nr,
            received_at=f["received_at"].astimezone(zone),
            first_slot=f["start_slot"],
            slots=len(values),
            values=sum(v is not None for v in values),
            **{name: f[name] for name in ("hes", "source", "batch_id", "seq", "in_build")},
        )


def _rejected(rows: list[Row], begin: datetime, minutes: int, slots: int, zone: ZoneInfo) -> Iterator[Rejected]:
    for r in rows:
        slot = None if r["stamp"] is None else int((r["stamp"] - begin) / timedelta(minutes=minutes))
        yield Rejected(
            stamp=r["stamp"] and r["stamp"].astimezone(zone),
            slot=slot if slot is not None and 0 <= slot < slots else None,
            meaning=Reason(r["reason"]).meaning,
            values=r["value_count"],
            received_at=r["received_at"].astimezone(zone),
            **{name: r[name] for name in ("reason", "detail", "locator", "payload", "hes", "source", "landed_after_all")},
        )


# --- rules ---

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "IN": lambda value, of: value in of,
    "NOT_IN": lambda value, of: value not in of,
}


def _verdicts(rules: list[Row], exceptions: list[Row], row_of: Mapping[str, Row | None], day: _Day, zone: ZoneInfo) -> Iterator[Verdict]:
    """Of each stage and rule one. A rule's variants share a verdict, as they share an exception."""
    raised = {(e["stage"], e["rule"]): e for e in exceptions}
    for (stage, rule), variants in groupby(sorted(rules, key=lambda r: (STAGES.index(r["stage"]), r["rule"])), _of_stage):
        found = raised.get((stage, rule))
        checks = [(c, row_of.get(c["table"])) for c in variants]
        if found is None and stage != "initial" and all(row is None for _, row in checks):
            continue  # there was nothing to judge again
        yield _verdict(stage, rule, checks, found, day, zone)


def _of_stage(rule: Row) -> tuple[str, str]:
    return rule["stage"], rule["rule"]


def _rules_of(discom: str, final: Row, noted: list[Row]) -> list[Row]:
    """The checks that judged the day: of the version that its build noted, or those in force where none was noted."""
    if final.get("rule_set_id") is not None:
        return list(noted[0]["rules"]) if noted else []
    return [{"stage": stage, **asdict(c)} for stage in STAGES for c in load_suite(stage, discom).checks]


def _verdict(stage: str, rule: str, checks: list[tuple[Row, Row | None]], found: Row | None, day: _Day, zone: ZoneInfo) -> Verdict:
    applied = [(c, row) for c, row in checks if c["enabled"] and row is not None and _for_row(c, row)]
    failed_by = (found or {}).get("check_key")
    check, row = min(
        applied or checks,
        key=lambda x: (_key_of(x[0]) != failed_by, _side(x[0], x[1]) is None, _figure(x[0], x[1]) is None),
    )
    value = _figure(check, row)
    if found is not None:
        outcome = "failed"
    elif not any(c["enabled"] for c, _ in checks):
        outcome = "off"
    elif not applied:
        outcome = "not for this meter" if any(row is not None for _, row in checks) else "not judged"
    else:
        outcome = "passed" if value is not None else "not judged"
    verdict = Verdict(
        outcome=outcome,  # type: ignore[arg-type]
        figure=_figure_name(check),
        value=value,
        limit=_limit(check["kwargs"]),
        stage=stage,
        **{name: check[name] for name in ("rule", "title", "severity", "action")},
    )
    if found is None:
        return verdict
    values = {"estimate": day.estimated, "edit": day.final}.get(stage) or day.measured
    return replace(
        verdict,
        **{name: found[name] for name in ("severity", "action", "message", "state")},
        since=found["opened_at"].astimezone(zone),
        case_id=found.get("case_id"),
        slots=tuple(_points_at(rule, values, day.raw, row or {})),
        above=_side(check, row) != "below",
    )


def _key_of(check: Row) -> str:
    return f"{check['rule']}.{check['variant']}" if check["variant"] else str(check["rule"])


def _for_row(check: Row, row: Row) -> bool:
    """Whether the check is for the row: all of its conditions hold, and none of the scopes in `but`."""
    return all(_holds(c, row) for c in check["rows"]) and not any(all(_holds(c, row) for c in scope) for scope in check.get("but", ()))


def _holds(condition: Row, row: Row) -> bool:
    """A comparison as Great Expectations writes it. A column that is NULL fulfils nothing, as in SQL."""
    value = row.get(condition["column"]["name"])
    if isinstance(value, date):
        value = value.isoformat()
    return value is not None and _COMPARE[condition["operator"]](value, condition["parameter"])


def _figure(check: Row, row: Row | None) -> float | None:
    """What is held against the limit: a column, or how it stands to another."""
    kwargs = check["kwargs"]
    value, per, minus = ((row or {}).get(kwargs.get(name)) for name in ("column", "per", "minus"))
    if value is None or ("per" in kwargs and not per) or ("minus" in kwargs and minus is None):
        return None
    return float(value) / float(per) if per else float(value) - float(minus or 0)


def _figure_name(check: Row) -> str:
    kwargs = check["kwargs"]
    other = next((f" {word} {kwargs[word]}" for word in ("per", "minus") if word in kwargs), "")
    return f"{check['table']}.{kwargs['column']}{other}"


def _side(check: Row, row: Row | None) -> str | None:
    """On which side of its limits the figure lies; None = between them."""
    value, kwargs = _figure(check, row), check["kwargs"]
    most, least = kwargs.get("max_value"), kwargs.get("min_value")
    if value is not None and most is not None and (value >= most if kwargs.get("strict_max") else value > most):
        return "above"
    if value is not None and least is not None and (value <= least if kwargs.get("strict_min") else value < least):
        return "below"
    return None


def _limit(kwargs: Row) -> str:
    words = []
    if (least := kwargs.get("min_value")) is not None:
        words.append(f"{'above' if kwargs.get('strict_min') else 'at least'} {least:g}")
    if (most := kwargs.get("max_value")) is not None:
        words.append(f"{'below' if kwargs.get('strict_max') else 'at most'} {most:g}")
    return " and ".join(words)


def _points_at(rule: str, values: Values, raw: list[list[RawValue]], figures: Row) -> Iterator[int]:
    """Slots that a failed rule points at; none where it judges the day as a whole."""
    limit, highest = figures.get("limit_wh"), figures.get("max_wh")
    for slot, v in enumerate(values):
        if (
            (rule == "V06" and any(x.verdict == "other" for x in raw[slot]))
            or (rule == "V07" and v is None)
            or (rule == "V11" and v is not None and v < 0)
            or (rule == "V16" and v is not None and limit is not None and v > limit)
            or (rule == "V17" and v is not None and v == highest)
        ):
            yield slot


# --- registers, events, edits ---


def _ends(found: list[Row], zone: ZoneInfo) -> tuple[Register, Register] | None:
    """The registers that open and close the day, where both are there."""
    if len(found) < 2 or any(r["import_wh"] is None for r in found):
        return None
    opening, closing = (
        Register(
            read_at=r["read_at"].astimezone(zone),
            received_at=r["received_at"].astimezone(zone),
            **{name: r[name] for name in ("day", "import_wh", "hes", "source", "versions")},
        )
        for r in found
    )
    return opening, closing


def _sum_check(opening: Register, closing: Register, final_wh: int | None, step_wh: int) -> SumCheck:
    advance_wh = (closing.import_wh or 0) - (opening.import_wh or 0)
    return SumCheck(opening, closing, advance_wh, final_wh, None if final_wh is None else final_wh - advance_wh, step_wh)


def _episodes(rows: list[Row], zone: ZoneInfo) -> Iterator[Episode]:
    for r in rows:
        ended_at = r["ended_at"] and r["ended_at"].astimezone(zone)
        yield Episode(r["event"], r["code"], r["occurred_at"].astimezone(zone), ended_at, r["state"])


def _edits(rows: list[Row], slots: int, zone: ZoneInfo) -> tuple[Edit, ...]:
    """In the order in which they were made."""
    edits: list[Edit] = []
    for r in rows:
        before, after = r["before"] or [None] * slots, r["after"]
        changed = [s for s, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        edits.append(
            Edit(
                operations=tuple(r["operation"] or ()),
                slots=tuple(changed),
                before_wh=sum(before[s] or 0 for s in changed),
                after_wh=sum(after[s] or 0 for s in changed),
                edited_at=r["edited_at"].astimezone(zone),
                decided_at=r["decided_at"] and r["decided_at"].astimezone(zone),
                **{name: r[name] for name in ("edit_id", "reason", "note", "editor", "decision", "decided_by")},
            )
        )
    return tuple(edits)


def _edit_of(edits: Sequence[Edit], slot: int) -> Edit | None:
    """The edit that the final value of an edited slot comes from: of those that changed it the last that was approved."""
    return next((e for e in reversed(edits) if e.decision == "approved" and slot in e.slots), None)


# --- final ---


def _intervals(day: _Day, rules: Sequence[Verdict], edits: Sequence[Edit], frozen: bool, bounds: Sequence[datetime]) -> Iterator[Interval]:
    failed = [v for v in rules if v.outcome == "failed"]
    for slot in range(day.slots):
        quality, method, measured = day.quality[slot], day.method[slot], day.measured[slot]
        own = [v for v in failed if slot in v.slots]
        doubts = [v for v in failed if not v.slots and v.action in DOUBTS and v.state == "open"] if quality is Quality.QUESTIONABLE else []
        edit = _edit_of(edits, slot) if quality is Quality.EDITED else None
        added = edit is not None and measured is None
        codes = standard_codes(
            quality,
            method,
            frozen=frozen,
            added=added,
            edited_by=edit.kind_of(slot) if edit else None,
            failed=tuple((v.rule, v.above) for v in (*own, *doubts) if v.action in DOUBTS),
        )
        yield Interval(
            slot=slot,
            starts_at=bounds[slot],
            ends_at=bounds[slot + 1],
            raw=tuple(day.raw[slot]),
            measured_wh=measured,
            estimated_wh=day.estimated[slot] if day.estimated is not None and day.estimated_by[slot] else None,
            estimated_by=method_flag(day.estimated_by[slot]),
            edited_wh=day.final[slot] if edit else None,
            final_wh=day.final[slot],
            quality=quality.name.lower(),
            letter=quality.letter,
            method=method_flag(method),
            nem12=codes.nem12,
            cim=codes.cim,
            cim_unverified=any(map(unverified, codes.cim)),
            ieee2030_5=codes.ieee2030_5,
            ieee2030_5_flags=codes.ieee2030_5_flags,
            failed=tuple(dict.fromkeys(v.rule for v in (*own, *doubts))),
            outage=_SUPPLY[day.outage[slot]],
            edit_id=edit.edit_id if edit else None,
        )


def _runs(
    intervals: Sequence[Interval], day: _Day, rules: Sequence[Verdict], edits: Sequence[Edit], registers: SumCheck | None
) -> Iterator[Run]:
    def alike(i: Interval) -> tuple[Any, ...]:
        return i.quality, i.method, i.edit_id, (i.nem12, *i.cim), day.basis_of(i.slot) if i.method else None

    for (_, _, _, _, nr), group in groupby(intervals, key=alike):
        run = list(group)
        first, last = run[0], run[-1]
        basis = None if nr is None else day.basis[nr]
        yield Run(
            first_slot=first.slot,
            slots=len(run),
            starts_at=first.starts_at,
            ends_at=last.ends_at,
            raw_wh=_sum(i.measured_wh for i in run),
            final_wh=_sum(i.final_wh for i in run),
            how=_how(run, intervals, basis, day.method[first.slot], rules, edits, registers),
            basis=basis,
            **{name: getattr(first, name) for name in ("quality", "letter", "method", "nem12", "cim", "ieee2030_5")},
        )


def _sum(values: Iterator[int | None]) -> int | None:
    there = [v for v in values if v is not None]
    return sum(there) if there else None


def _how(
    run: list[Interval],
    intervals: Sequence[Interval],
    basis: dict[str, Any] | None,
    method: int,
    rules: Sequence[Verdict],
    edits: Sequence[Edit],
    registers: SumCheck | None,
) -> str:
    first, last = run[0], run[-1]
    if first.edit_id is not None:
        edit = next(e for e in edits if e.edit_id == first.edit_id)
        approved = "within the limits of one person" if edit.decided_by == POLICY else f"approved by {edit.decided_by}"
        return f"{edit.kind_of(first.slot)} ({edit.reason}) by {edit.editor}, {approved}"
    if method:
        inputs = _inputs(Method(method % SCALED), basis or {}, intervals[: first.slot][-1:], intervals[last.slot + 1 :][:1])
        return "; ".join([inputs, *_fitted(method, basis or {}, registers)])
    if first.quality == "missing":
        waits = any(v.action == "estimate" for v in rules if v.rule in first.failed)
        return "no value came, and nothing could be estimated" if waits else "no value came"
    if first.quality == "questionable":
        return f"measured, and doubted by {', '.join(first.failed)}" if first.failed else "measured, and doubted by its source"
    return {"raw": "measured, not validated yet", "actual": "measured"}.get(first.quality, Quality[first.quality.upper()].meaning)


def _inputs(method: Method, basis: dict[str, Any], before: Sequence[Interval], after: Sequence[Interval]) -> str:
    words = method.meaning
    if method is Method.LINEAR and before and after and before[0].final_wh is not None and after[0].final_wh is not None:
        words += f" ({before[0].final_wh:,} Wh before, {after[0].final_wh:,} Wh after)"
    if days := [date.fromisoformat(d) for d in basis.get("reference_days", ())]:
        words += f": {_days(days[:SHOWN_DAYS])}" + (f" and {len(days) - SHOWN_DAYS} more" if len(days) > SHOWN_DAYS else "")
    if level := basis.get("level"):
        words += f", level x {level:.2f}"
    return words


def _days(days: list[date]) -> str:
    """`30, 29, 28 Sep`, in the order given."""
    months = [(month, [f"{d.day}" for d in group]) for month, group in groupby(days, key=lambda d: f"{d:%b}")]
    return ", ".join(f"{', '.join(numbers)} {month}" for month, numbers in months)


def _fitted(method: int, basis: dict[str, Any], registers: SumCheck | None) -> Iterator[str]:
    """What the registers made of the estimate (EM9), or why nothing."""
    if scaled := basis.get("scaled"):
        left = scaled["advance_wh"] - scaled["measured_wh"]
        yield f"scaled to the register: {_advance(scaled)} less {scaled['measured_wh']:,} Wh measured leaves {left:,} Wh"
    elif method >= SCALED:
        yield f"scaled to the register's advance of {registers.advance_wh:,} Wh" if registers else "scaled to the register"
    if refused := basis.get("not_scaled"):
        yield f"not scaled: {_REFUSED[refused['why']]} ({_advance(refused)}, {refused['measured_wh']:,} Wh measured)"


_REFUSED = {"SUM_NEG": "the register advanced by less than was measured", "ABOVE_LIMIT": "the register leaves more than can flow"}


def _advance(register: dict[str, Any]) -> str:
    first, last = date.fromisoformat(register["first"]), date.fromisoformat(register["last"])
    span = "" if first == last else f" over {first.day} {first:%b} to {last.day} {last:%b}"
    return f"advance {register['advance_wh']:,} Wh{span}"
