"""The explanation of a meter-day as a picture in the terminal. Colours say the quality; so do letters, for those without colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from math import ceil, floor, log10

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vee.edits.policy import POLICY
from vee.explain.model import Edit, Explanation, Interval, Run, Verdict
from warehouse.codes import Quality

BLOCKS = " ▁▂▃▄▅▆▇█"
HEIGHT = 8
"""Rows of the load curve, each of eight steps."""
RAW_HEIGHT = 2
GUTTER = 8
"""Columns left of the curve."""

LOOK: dict[str, tuple[str, str, str]] = {
    "actual": ("·", "cyan", "measured"),
    "frozen": ("F", "cyan", "frozen"),
    "edited": ("✎", "green", "edited"),
    "derived": ("D", "blue", "derived"),
    "substituted": ("S", "blue", "substituted"),
    "questionable": ("Q", "yellow", "questionable"),
    "estimated": ("E", "magenta", "estimated"),
    "projected": ("P", "blue", "projected"),
    "raw": ("R", "white", "not validated"),
    "missing": ("M", "red", "missing"),
}
"""Letter, colour and word of a quality."""

SEVERITY = {"fatal": "bold red", "fail": "red", "warn": "yellow", "info": "cyan"}


def day_picture(x: Explanation, width: int) -> RenderableType:
    """The whole day: curve, and what led to it."""
    parts: list[RenderableType] = [_head(x), Text(), *_curve(x, width), Text(), _legend(x, width)]
    sections: list[tuple[str, Iterable[RenderableType]]] = [
        ("From raw to final", [_runs(x, width)]),
        ("Registers", _registers(x)),
        ("Rules", _rules(x)),
        ("Evidence", _events(x)),
        ("Edits", _edits(x)),
        ("Deliveries", _deliveries(x)),
    ]
    for title, body in sections:
        if lines := list(body):
            parts += [Text(), Text(title, style="bold"), *(Padding(line, (0, 0, 0, 2)) for line in lines)]
    return Group(*parts)


def interval_story(x: Explanation, slot: int) -> RenderableType:
    """One interval, step by step."""
    i = x.intervals[slot]
    run = next(r for r in x.runs if r.first_slot <= slot < r.first_slot + r.slots)
    steps = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    steps.add_column(style="bold", no_wrap=True)
    steps.add_column()
    for label, line in _steps(x, i, run):
        steps.add_row(label, line)
    title = Text.assemble(
        (f"{_clock(i.starts_at)} to {_clock(i.ends_at, end=True)}", "bold"), f"  (interval {slot}, of 0 to {len(x.intervals) - 1})"
    )
    return Group(_head(x), Text(), title, Text(), steps)


def _head(x: Explanation) -> Text:
    place = {None: "not installed", "dt": f"heads DT {x.meter.at}", "feeder": f"heads feeder {x.meter.at}"}.get(
        x.meter.place, f"{x.meter.category}, {x.meter.at}" + (f" on DT {x.meter.dt}" if x.meter.dt else "")
    )
    head = Text.assemble((x.meter.serial, "bold"), "  ", (f"{x.day:%a} {x.day.day} {x.day:%b %Y}", "bold"), f"  {x.discom}, {place}")
    if x.meter.mf not in (None, 1):
        head.append(f"  (the meter's own count: x {x.meter.mf:g} for the consumer)")
    head.append(f"\n{_kwh(x.final_wh)} kWh" if x.final_wh is not None else "\nno energy known", "bold")
    if x.built_at is None:
        head.append("  not built yet: values are raw", "yellow")
    else:
        head.append(f"  built {_stamp(x.built_at)}" + (f" by rule set {x.rule_set}" if x.rule_set else ""), "dim")
    if x.frozen:
        head.append("  frozen for billing", "cyan")
    if any(not d.in_build for d in x.deliveries) and x.built_at:
        head.append("  more came since: the next build takes it in", "yellow")
    return head


# --- the curve ---


def _curve(x: Explanation, width: int) -> Iterator[Text]:
    room = max(width - GUTTER - 1, 12)
    each, wide = ceil(len(x.intervals) / room), max(1, min(room // len(x.intervals), 48))
    columns = [x.intervals[k : k + each] for k in range(0, len(x.intervals), each)]
    values = [_mean([i.final_wh for i in c]) for c in columns]
    qualities = [max(Quality[i.quality.upper()] for i in c).name.lower() for c in columns]
    top = _nice(max([v for v in values if v is not None], default=0))

    for nr, row in enumerate(_bars(values, top, HEIGHT)):
        share = {0: 1.0, HEIGHT // 2: 0.5}.get(nr)
        line = _gutter("" if share is None else _tick(top * share), "┤" if share is not None else "│")
        for char, value, quality in zip(row, values, qualities, strict=True):
            if value is None and nr == HEIGHT - 1:
                char = "×"
            line.append(char * wide, LOOK[quality][1])
        yield line
    yield from _axis(x, each, wide, top)
    letters = _gutter("quality", " ")
    for quality in qualities:
        letter, style, _ = LOOK[quality]
        letters.append(letter * wide, style if quality != "actual" else "dim")
    yield letters
    yield from _raw_beneath(columns, top, wide)
    if any(i.outage != "no" for i in x.intervals):
        outage = _gutter("outage", " ")
        for c in columns:
            worst = max(("no", "partly", "wholly").index(i.outage) for i in c)
            outage.append((" ", "░", "▓")[worst] * wide, "red")
        yield outage


def _raw_beneath(columns: Sequence[Sequence[Interval]], top: float, wide: int) -> Iterator[Text]:
    """What was measured where the final value is another: cut off at the top of the scale, × where nothing came."""
    differs = [any(i.measured_wh != i.final_wh for i in c) for c in columns]
    if not any(differs):
        return
    values = [_mean([i.measured_wh for i in c]) if d else None for c, d in zip(columns, differs, strict=True)]
    rows = list(_bars(values, top, RAW_HEIGHT))
    for nr, row in enumerate(rows):
        if nr < RAW_HEIGHT - 1 and not any(char.strip() for char in row):
            continue
        line = _gutter("raw" if nr == RAW_HEIGHT - 1 else "", " ")
        for char, value, differing in zip(row, values, differs, strict=True):
            if differing and value is None:
                char = "×" if nr == RAW_HEIGHT - 1 else " "
            elif value is not None and value > top:
                char = "▲" if nr == 0 else "█"
            elif value is not None and value < 0:
                char = "▼" if nr == RAW_HEIGHT - 1 else " "
            line.append(char * wide, "red")
        yield line


def _axis(x: Explanation, each: int, wide: int, top: float) -> Iterator[Text]:
    line, labels = "", ""
    for i in x.intervals[::each]:
        tick = i.starts_at.minute == 0 and i.starts_at.hour % 3 == 0
        line += ("┬" if tick else "─") + "─" * (wide - 1)
        if tick:
            labels = labels.ljust(len(line) - wide) + f"{i.starts_at:%H}"
    yield _gutter("0", "└", line)
    yield _gutter("kWh", " ", labels)


def _bars(values: Sequence[float | None], top: float, rows: int) -> Iterator[list[str]]:
    """Rows of block characters, the highest first."""
    steps = [0 if v is None or v <= 0 or not top else max(1, min(round(v / top * rows * 8), rows * 8)) for v in values]
    for below in range(8 * (rows - 1), -1, -8):
        yield [BLOCKS[max(0, min(s - below, 8))] for s in steps]


def _nice(value: float) -> float:
    """The least of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten that is not below value; 0 for 0."""
    if value <= 0:
        return 0
    power = 10 ** floor(log10(value))
    return next(float(m * power) for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if m * power >= value)


def _mean(values: Sequence[int | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if there else None


def _gutter(label: str, edge: str, rest: str = "") -> Text:
    return Text.assemble((f"{label:>{GUTTER - 1}} {edge}{rest}", "dim"))


def _tick(wh: float) -> str:
    return f"{wh / 1000:.3g}"


def _legend(x: Explanation, width: int) -> Text:
    counts = Counter(i.quality for i in x.intervals)
    legend, line = Text(), width
    for quality in sorted(counts, key=lambda q: Quality[q.upper()]):
        letter, style, word = LOOK[quality]
        energy = sum(i.final_wh or 0 for i in x.intervals if i.quality == quality)
        item = f"{letter} {word} {counts[quality]}" + (f" ({_kwh(energy)} kWh)" if quality != "missing" else "")
        if line + len(item) + 2 > width:
            legend.append(("\n" if legend else "") + " " * (GUTTER + 1))
            line = GUTTER + 1
        legend.append("█ ", style).append(f"{item}   ")
        line += len(item) + 5
    return legend


# --- the tables ---


def _runs(x: Explanation, width: int) -> Table:
    apart = width >= 110
    table = _table("time", "quality", ("kWh", "right"), "how", *(("NEM12", "CIM", "2030.5") if apart else ()))
    for r in x.runs:
        letter, style, word = LOOK[r.quality]
        energy = _kwh(r.final_wh) + (f"\n[dim]raw {_kwh(r.raw_wh)}[/dim]" if r.raw_wh != r.final_wh else "")
        quality = Text(f"{letter} {word}", style)
        quality.append(f"\n{r.method}" if r.method else "", "dim")
        codes = (r.nem12 or "-", " ".join(r.cim), f"0x{r.ieee2030_5:02x}")
        how = Text(r.how)
        if not apart:
            how.append("\nNEM12 {}, CIM {}, IEEE {}".format(*codes), "dim")
        table.add_row(f"{_clock(r.starts_at)}-{_clock(r.ends_at, end=True)}", quality, energy, how, *(codes if apart else ()))
    return table


def _registers(x: Explanation) -> Iterator[RenderableType]:
    if x.registers is None:
        yield Text("no registers around the day are known: nothing to check the sum with", "dim")
        return
    s = x.registers
    table = _table("midnight after", ("kWh", "right"), "from")
    for r in (s.opening, s.closing):
        more = f" (last of {r.versions} readings)" if r.versions > 1 else ""
        table.add_row(f"{r.day:%a} {r.day.day} {r.day:%b}", _kwh(r.import_wh), f"{r.hes}, received {_stamp(r.received_at)}{more}")
    yield table
    said = Text(f"advance {_kwh(s.advance_wh)} kWh, final values ")
    if s.final_wh is None or s.difference_wh is None:
        said.append("do not cover it: an interval between the two has no value")
    else:
        said.append(f"{_kwh(s.final_wh)} kWh: ")
        exact = abs(s.difference_wh) <= s.step_wh
        said.append("they agree" if exact else f"{s.difference_wh:+,} Wh apart", "green" if exact else "red")
    yield said


def _rules(x: Explanation) -> Iterator[RenderableType]:
    failed = x.failed
    if failed:
        table = _table("rule", "severity", "what it says", "became")
        for v in failed:
            said = Text(f"{v.title}: {v.message}")
            said.append(f"\n{_judged(v)}", "dim")
            table.add_row(
                v.rule,
                Text(v.severity, SEVERITY[v.severity]),
                said,
                f"{v.state}\n[dim]{v.action}{f', case {v.case_id}' if v.case_id else ''}[/dim]",
            )
        yield table
    told = {v.rule for v in failed}
    for outcome, label in (("passed", "passed"), ("not judged", "nothing to judge"), ("off", "switched off")):
        if rules := sorted({v.rule for v in x.rules if v.outcome == outcome} - told):
            yield Text(f"{label}: {' '.join(rules)}", "dim")
        told.update(rules)


def _judged(v: Verdict) -> str:
    value = "" if v.value is None else f" = {v.value:,.6g}"
    return f"{v.figure}{value}, must be {v.limit}{'' if v.stage == 'initial' else f' (stage {v.stage})'}"


def _events(x: Explanation) -> Iterator[RenderableType]:
    if x.evidence:
        facts = (
            f"{name.replace('_', ' ')} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
            for name, value in x.evidence.items()
        )
        yield Text(", ".join(facts))
    if not x.episodes:
        return
    table = _table("from", "to", "event")
    for e in x.episodes:
        to = _stamp(e.ended_at) if e.ended_at else "" if e.state == "single" else "not ended"
        table.add_row(_stamp(e.occurred_at), to, f"{e.event}{f' ({e.code})' if e.code else ''}")
    yield table


def _edits(x: Explanation) -> Iterator[RenderableType]:
    if not x.edits:
        return
    table = _table(("id", "right"), "what", ("kWh", "right"), "why and who")
    for e in x.edits:
        who = [f"{e.reason}{f': {e.note}' if e.note else ''}", f"{e.editor}, {_stamp(e.edited_at)}", _decided(e)]
        if e.decision == "approved" and not any(i.edit_id == e.edit_id for i in x.intervals):
            who.append("a later edit stands")
        table.add_row(
            str(e.edit_id),
            Text(f"{', '.join(o['kind'] for o in e.operations)}\n{_slots(x, e.slots)}"),
            f"{_kwh(e.before_wh)}\n-> {_kwh(e.after_wh)}",
            Text("\n".join(who)),
        )
    yield table


def _decided(e: Edit) -> str:
    if e.decision is None or e.decided_at is None:
        return "waits for approval"
    by = "within the limits of one person" if e.decided_by == POLICY else f"by {e.decided_by}, {_stamp(e.decided_at)}"
    return f"{e.decision} {by}"


def _slots(x: Explanation, slots: Sequence[int]) -> str:
    """`07:00-08:30 (3)`, or how many where they are scattered."""
    if not slots:
        return "no interval"
    if slots[-1] - slots[0] + 1 != len(slots):
        return f"{len(slots)} intervals"
    return f"{_clock(x.intervals[slots[0]].starts_at)}-{_clock(x.intervals[slots[-1]].ends_at, end=True)} ({len(slots)})"


def _deliveries(x: Explanation) -> Iterator[RenderableType]:
    if not x.deliveries:
        yield Text("nothing came", "red")
    else:
        table = _table(("nr", "right"), "received", "from", ("values", "right"))
        for d in x.deliveries:
            piece = (
                ""
                if (d.first_slot, d.slots) == (0, len(x.intervals))
                else f"\n[dim]intervals {d.first_slot}-{d.first_slot + d.slots - 1}[/dim]"
            )
            came = "" if d.in_build or x.built_at is None else "\n[yellow]after the build[/yellow]"
            table.add_row(str(d.nr), _stamp(d.received_at) + came, Text(f"{d.hes}: {_short(d.source)}"), f"{d.values} of {d.slots}{piece}")
        yield table
        verdicts: Counter[str] = Counter(v.verdict for i in x.intervals for v in i.raw)
        if again := [
            f"{verdicts[k]} {word}" for k, word in (("same", "sent again"), ("other", "with another value before")) if verdicts[k]
        ]:
            yield Text(f"intervals: {', '.join(again)}; the last received stands", "dim")
    if x.rejected:
        table = _table("stamp", "rejected", "why")
        for (reason, detail, hes, source, received_at), group in groupby(
            x.rejected, key=lambda r: (r.reason, r.detail or r.meaning, r.hes, r.source, r.received_at)
        ):
            alike = list(group)
            stamps = [_stamp(r.stamp) for r in alike if r.stamp]
            after = "\n[dim]landed after all[/dim]" if all(r.landed_after_all for r in alike) else ""
            table.add_row(
                "\nto ".join(dict.fromkeys((stamps[0], stamps[-1]))) if stamps else "",
                f"{reason}\n{sum(r.values for r in alike)} values{after}",
                Text(f"{detail}\n{hes}: {_short(source)}, {alike[0].locator}, received {_stamp(received_at)}"),
            )
        yield table


# --- one interval ---


def _steps(x: Explanation, i: Interval, run: Run) -> Iterator[tuple[str, RenderableType]]:
    for v in i.raw:
        d = x.deliveries[v.delivery - 1]
        verdict = {"stands": "the last received stands", "same": "the same value before", "other": "another value before"}.get(
            v.verdict, v.verdict
        )
        yield "raw", Text(f"{_kwh(v.wh)} kWh  {d.hes}: {d.source}, received {_stamp(d.received_at)}: {verdict}")
    if not i.raw:
        yield "raw", Text("no value came", "red")
    for r in x.rejected:
        if r.slot == i.slot:
            yield "rejected", Text(f"{r.reason}: {r.detail or r.meaning} ({r.hes}: {r.source}, {r.locator})", "red")
    if i.outage != "no":
        yield "supply", Text(f"{i.outage} without, by the meter's power events", "red")
    for failed in x.failed:
        if i.slot in failed.slots or failed.rule in i.failed:
            said = Text(f"{failed.rule} {failed.title}: {failed.message}", SEVERITY[failed.severity])
            said.append(f"\n{_judged(failed)}: {failed.action}, {failed.state}", "default dim")
            yield "rule", said
    others = [v for v in x.failed if not (i.slot in v.slots or v.rule in i.failed)]
    if others:
        yield "", Text(f"of the day, not of this interval: {' '.join(sorted({v.rule for v in others}))}", "dim")
    if passed := sorted({v.rule for v in x.rules if v.outcome == "passed"} - {v.rule for v in x.failed}):
        yield "", Text(f"passed: {' '.join(passed)}", "dim")
    if i.estimated_wh is not None:
        how = f": {run.how}" if i.method else ", which did not stay"
        yield "estimated", Text(f"{_kwh(i.estimated_wh)} kWh  {i.estimated_by}{how}", "magenta")
    for e in x.edits:
        if i.slot in e.slots:
            what = f"{e.edit_id} {e.kind_of(i.slot)} ({e.reason}) by {e.editor}, {_stamp(e.edited_at)}: {_decided(e)}"
            yield "edit", Text(what, "green" if e.decision == "approved" else "dim")
    _, style, word = LOOK[i.quality]
    yield (
        "final",
        Text(f"{_kwh(i.final_wh)} kWh  {word}: {run.how}" if not i.method else f"{_kwh(i.final_wh)} kWh  {word}", f"bold {style}"),
    )
    yield "codes", Text(f"ours {i.letter}{f' {i.method}' if i.method else ''}, NEM12 {i.nem12 or 'none'}")
    yield (
        "",
        Text(f"CIM {', '.join(i.cim)}" + (" (one of these is an assumption: agree it with who receives it)" if i.cim_unverified else "")),
    )
    yield "", Text(f"IEEE 2030.5 qualityFlags 0x{i.ieee2030_5:02x} {', '.join(i.ieee2030_5_flags) or 'none'}")


# --- words ---


def _table(*columns: str | tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for c in columns:
        name, justify = c if isinstance(c, tuple) else (c, "left")
        table.add_column(name, justify=justify, no_wrap=name in ("time", "quality", "rule", "severity", "kWh", "nr", "id"))  # type: ignore[arg-type]
    return table


def _kwh(wh: int | None) -> str:
    return "-" if wh is None else f"{wh / 1000:,.3f}"


def _clock(stamp: datetime, *, end: bool = False) -> str:
    """Midnight at the end of a day is 24:00."""
    return "24:00" if end and (stamp.hour, stamp.minute) == (0, 0) else f"{stamp:%H:%M}"


def _short(source: str) -> str:
    """The end of a long name or URL says which it is."""
    return source if len(source) <= 60 else f"…{source[-59:]}"


def _stamp(stamp: datetime) -> str:
    return f"{stamp.day} {stamp:%b %H:%M}"
