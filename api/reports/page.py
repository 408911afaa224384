"""One A4 page for a DISCOM's director: headline figures and four charts, drawn from the rows of the reports.

Sums only: shares are made again from the sums of their parts, never averaged. What rests on little data says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from api.reports.repository import Discom, LoadPoint, ReportTable
from api.reports.words import indian, period_text, stamp_text
from api.reports.workbook import latest

A4_LANDSCAPE = (11.69, 8.27)
NAVY, BLUE, PALE, AMBER, RED, GREY, INK = "#1F3A5F", "#3B75AF", "#C9DAEA", "#E9A23B", "#C0392B", "#7A8794", "#22303C"
LEFT, RIGHT = 0.03, 0.545
"""Left edges of the two columns, in the figure's coordinates."""
MAX_DTS = 14
MAX_RULES = 10
FEW_DAYS = 16
"""Up to so many days each day's bar is labelled with its loss."""
FULL_COVERAGE_PCT = 95
"""Below it a DT's balance is not defensible ."""


@dataclass(frozen=True)
class Headline:
    label: str
    value: str
    note: str = ""


def energy(kwh: float | Decimal) -> str:
    """kWh; a million and more as MU."""
    return f"{indian(float(kwh) / 1_000_000, 2)} MU" if abs(float(kwh)) >= 1_000_000 else f"{indian(kwh)} kWh"


def percent(part: float | Decimal, whole: float | Decimal, decimals: int = 1) -> str:
    """Share of `whole`; a dash where there is no whole. Never rounded to 100 % where something is lacking."""
    if not whole:
        return "–"
    share = 100 * float(part) / float(whole)
    if share < 100 <= round(share, decimals):
        share = 100 - 0.1**decimals
    return _minus(f"{share:.{decimals}f} %")


def headlines(tables: Mapping[str, ReportTable], discom: Discom) -> list[Headline]:
    """Consumption, losses, AT&C by both methods, completeness, estimated share."""
    consumed = [r for r in tables["C01"].records() if r["period"] == "day"]
    consumption, estimated = _sum(consumed, "import_kwh"), _sum(consumed, "estimated_kwh")
    balanced = _balanced(tables["D02"])
    blocks = list(tables["A03"].records())
    received, due = _sum(blocks, "received_blocks"), _sum(blocks, "due_blocks")
    input_kwh = _sum(balanced, "input_kwh") + _sum(balanced, "rooftop_export_kwh")
    loss = _sum(balanced, "loss_kwh")
    consumers = len({r["consumer_id"] for r in consumed})
    return [
        Headline("Energy into feeders", energy(input_kwh), "incl. rooftop export"),
        Headline("Consumption", energy(consumption), f"{indian(consumers)} consumer{'s' if consumers != 1 else ''}"),
        Headline("Energy loss", percent(loss, input_kwh), f"{energy(loss)} lost" if loss >= 0 else "more billed than came in"),
        _atc(tables["D05"], discom),
        Headline("Blocks received", percent(received, due), f"{indian(due - received)} of {indian(due)} missing"),
        Headline("Estimated share", percent(estimated, consumption, 2), "of consumption"),
    ]


def _atc(table: ReportTable, discom: Discom) -> Headline:
    months = [r for r in table.records() if r["period"] == "month" and r["office_id"] == discom.top_office_id]
    if not months:
        return Headline("AT&C loss", "–", "no office stands above all others" if discom.top_office_id is None else "no month with data")
    month = max(r["period_start"] for r in months)
    loss = {r["method"]: r["l_atc_loss_pct"] for r in months if r["period_start"] == month}
    shown = [_pct(loss.get(method)) for method in ("CEA_2017_CAPPED", "MOP_2023")]
    return Headline(f"AT&C loss, {month:%b %Y}", " | ".join(shown), "CEA 2017, capped | MoP 2023")


def write_pdf(tables: Mapping[str, ReportTable], curve: Sequence[LoadPoint], path: Path, discom: Discom, generated_at: datetime) -> None:
    """Write `path`: one page, A4 landscape. `tables` are all reports by id; `generated_at` is aware."""
    title = f"{discom.name}: {period_text(*_period(tables))}"
    draw(tables, curve, discom, generated_at).savefig(path, format="pdf", metadata={"Title": title, "Creator": "Meterhouse"})


def draw(tables: Mapping[str, ReportTable], curve: Sequence[LoadPoint], discom: Discom, generated_at: datetime) -> Figure:
    """The page as a figure."""
    figure = Figure(figsize=A4_LANDSCAPE)
    FigureCanvasAgg(figure)
    _title(figure, tables, discom, generated_at)
    _tiles(figure, headlines(tables, discom))
    _daily_energy(figure.add_axes((0.080, 0.440, 0.405, 0.245)), tables["D02"])
    _dt_losses(figure.add_axes((0.640, 0.440, 0.170, 0.245)), tables["D01"])
    _exceptions(figure.add_axes((0.190, 0.090, 0.295, 0.230)), tables["B01"])
    _load_curve(figure.add_axes((0.595, 0.090, 0.365, 0.230)), curve)
    figure.text(
        0.03,
        0.018,
        "Loss = input + rooftop export − billed, over feeder-days that have a balance. MU = million kWh. "
        "The rows behind this page are in the workbook of the same name.",
        fontsize=6.5,
        color=GREY,
    )
    return figure


def _title(figure: Figure, tables: Mapping[str, ReportTable], discom: Discom, generated_at: datetime) -> None:
    figure.text(0.03, 0.945, _short(discom.name, 46), fontsize=19, fontweight="bold", color=NAVY, va="center")
    figure.text(0.03, 0.907, f"Energy and data quality, {period_text(*_period(tables))}", fontsize=11, color=INK, va="center")
    stamps = f"Data as of {stamp_text(latest(tables.values(), 'data_as_of'), discom)}\nGenerated {stamp_text(generated_at, discom)}"
    figure.text(0.97, 0.930, stamps, fontsize=8, color=GREY, va="center", ha="right", linespacing=1.5)


def _tiles(figure: Figure, items: Sequence[Headline]) -> None:
    widths = [1.0, 1.0, 0.9, 1.35, 1.1, 0.9]
    gap, x = 0.010, 0.03
    unit = (0.94 - gap * (len(items) - 1)) / sum(widths)
    for item, share in zip(items, widths, strict=True):
        width = share * unit
        figure.add_artist(
            FancyBboxPatch((x, 0.775), width, 0.098, boxstyle="round,pad=0,rounding_size=0.006", facecolor="#EEF3F8", edgecolor="none")
        )
        figure.text(x + 0.010, 0.855, item.label, fontsize=8, color=GREY, va="center")
        figure.text(x + 0.010, 0.823, item.value, fontsize=14, fontweight="bold", color=NAVY, va="center")
        figure.text(x + 0.010, 0.791, item.note, fontsize=7.5, color=INK, va="center")
        x += width + gap


def _daily_energy(ax: Axes, table: ReportTable) -> None:
    daily = [r for r in table.records() if r["period"] == "day"]
    balanced = _balanced(table)
    left_out = len(daily) - len(balanced)
    _heading(
        ax,
        "Energy of all feeders by day",
        f"{left_out} of {indian(len(daily))} feeder-days have no balance and are left out" if left_out else "",
        LEFT,
    )
    if not balanced:
        return _nothing(ax)
    days = sorted({r["period_start"] for r in balanced})
    sums = {d: [r for r in balanced if r["period_start"] == d] for d in days}
    taken_in = [_sum(sums[d], "input_kwh") + _sum(sums[d], "rooftop_export_kwh") for d in days]
    billed = [_sum(sums[d], "billed_kwh") for d in days]
    loss = [_sum(sums[d], "loss_kwh") for d in days]
    divisor, unit = (1_000_000, "MU") if max(taken_in) >= 1_000_000 else (1, "kWh")
    x = list(range(len(days)))
    ax.bar(x, [float(v) / divisor for v in taken_in], width=0.78, color=PALE)
    ax.bar(x, [float(v) / divisor for v in billed], width=0.46, color=BLUE)
    if len(days) <= FEW_DAYS:
        for i, (whole, part, sold) in enumerate(zip(taken_in, loss, billed, strict=True)):
            ax.annotate(
                percent(part, whole).replace(" ", ""),
                (i, float(max(whole, sold)) / divisor),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
                color=RED if part < 0 else INK,
            )
    step = -(-len(days) // 12)
    ax.set_xticks(x[::step], [f"{d:%d %b}" for d in days[::step]])
    spare = max(0, 7 - len(days)) / 2  # a single day is a bar, not a wall
    ax.set_xlim(-0.6 - spare, len(days) - 0.4 + spare)
    ax.set_ylim(0, float(max(*taken_in, *billed)) / divisor * 1.12)
    ax.set_ylabel(unit)
    _axis_numbers(ax, "y", 1 if unit == "MU" and max(taken_in) < 10_000_000 else 0)
    handles: list[Artist] = [Patch(color=PALE, label="input incl. rooftop export"), Patch(color=BLUE, label="billed")]
    if len(days) <= FEW_DAYS:
        handles.append(Line2D([], [], linestyle="none", label="figure: loss"))
    _legend(ax, handles)
    return None


@dataclass(frozen=True)
class DtLoss:
    dt: str
    feeder: str
    loss_kwh: Decimal
    input_kwh: Decimal
    coverage_pct: float | None

    @property
    def loss_pct(self) -> float:
        return float(100 * self.loss_kwh / self.input_kwh)


def dt_losses(table: ReportTable) -> tuple[list[DtLoss], int]:
    """DTs by their loss over the days that have a balance, highest first, and how many have none."""
    days: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for r in table.records():
        if r["period"] == "day":
            days[r["dt"], r["feeder"]].append(r)
    found = []
    for (dt, feeder), rows in days.items():
        good = [r for r in rows if r["loss_kwh"] is not None]
        taken_in = _sum(good, "input_kwh")
        if taken_in > 0:
            consumer_days = sum(r["consumers"] for r in good)
            complete = sum(r["coverage_pct"] * r["consumers"] for r in good if r["coverage_pct"] is not None)
            found.append(DtLoss(dt, feeder, _sum(good, "loss_kwh"), taken_in, complete / consumer_days if consumer_days else None))
    return sorted(found, key=lambda d: -d.loss_pct), len(days) - len(found)


def _dt_losses(ax: Axes, table: ReportTable) -> None:
    losses, without = dt_losses(table)
    shown = losses if len(losses) <= MAX_DTS else [*losses[: MAX_DTS - 4], *losses[-4:]]
    notes = [f"{MAX_DTS - 4} highest and 4 lowest of {indian(len(losses))}"] if len(shown) < len(losses) else []
    if without:
        notes.append(f"{indian(without)} DTs have no balance")
    _heading(ax, "Loss by distribution transformer", "; ".join(notes), RIGHT)
    if not shown:
        return _nothing(ax)
    y = list(range(len(shown)))
    colours = [AMBER if d.loss_pct < 0 else NAVY for d in shown]
    bars = ax.barh(y, [d.loss_pct for d in shown], color=colours, height=0.72)
    for bar, d in zip(bars, shown, strict=True):
        if d.coverage_pct is None or d.coverage_pct < FULL_COVERAGE_PCT:
            bar.set_alpha(0.45)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(y, [_tail(f"{d.dt} ({d.feeder})", 17) for d in shown], fontsize=7)
    ax.set_ylim(max(len(shown), 6) - 0.4, -0.6)
    low, high = min(0.0, *(d.loss_pct for d in shown)), max(0.0, *(d.loss_pct for d in shown))
    room = 0.06 * (high - low or 1)
    ax.set_xlim(low - room if low < 0 else 0, high + room if high > 0 else 0)
    ax.set_xlabel("loss, % of input", labelpad=1)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    columns: list[tuple[float, str, Callable[[DtLoss], str]]] = [
        (1.20, "loss %", lambda d: _minus(f"{d.loss_pct:.1f}")),
        (1.53, "loss kWh", lambda d: indian(d.loss_kwh)),
        (1.86, "coverage", lambda d: "–" if d.coverage_pct is None else percent(d.coverage_pct, 100)),
    ]
    for x, name, text in columns:
        ax.text(x, 1.01, name, transform=ax.transAxes, fontsize=6.5, color=GREY, ha="right", va="bottom")
        for i, d in enumerate(shown):
            ax.text(x, i, text(d), transform=ax.get_yaxis_transform(), fontsize=7, color=INK, ha="right", va="center")
    handles = []
    if low < 0:
        handles.append(Patch(color=AMBER, label="negative: more out than in"))
    if any(bar.get_alpha() for bar in bars):
        handles.append(Patch(color=NAVY, alpha=0.45, label=f"pale: coverage below {FULL_COVERAGE_PCT} %"))
    if handles:
        ax.legend(
            handles=handles, loc="upper right", bbox_to_anchor=(1.88, -0.02), frameon=False, fontsize=7, handlelength=1.2, borderaxespad=0
        )
    return None


def _exceptions(ax: Axes, table: ReportTable) -> None:
    by_rule: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for r in table.records():
        for name in ("failed", "auto_estimated", "pending"):
            by_rule[r["rule"]][name] += r[name]
    titles = {r["rule"]: r["title"] for r in table.records()}
    rules = [rule for rule in sorted(by_rule, key=lambda n: (-by_rule[n]["failed"], n)) if by_rule[rule]["failed"]]
    clean = sorted(set(by_rule) - set(rules))
    hidden = len(rules) - len(rules[:MAX_RULES])
    rules = rules[:MAX_RULES]
    notes = [f"{hidden} more rules in the workbook"] if hidden else []
    if clean and rules:
        notes.append(f"no exception: {', '.join(clean) if len(clean) <= 5 else f'{len(clean)} rules'}")
    _heading(ax, "Validation exceptions by rule", "; ".join(notes), LEFT)
    if not rules:
        return _nothing(ax, "every meter-day passed every rule" if by_rule else "no data in this period")
    y = list(range(len(rules)))
    start = [0] * len(rules)
    parts = [
        ("estimated by the machine", BLUE, [by_rule[r]["auto_estimated"] for r in rules]),
        ("waits for a person", AMBER, [by_rule[r]["pending"] for r in rules]),
        ("noted, or closed", PALE, [by_rule[r]["failed"] - by_rule[r]["auto_estimated"] - by_rule[r]["pending"] for r in rules]),
    ]
    for _, colour, values in parts:
        if any(values):
            ax.barh(y, values, left=start, color=colour, height=0.66)
            start = [a + b for a, b in zip(start, values, strict=True)]
    for i, total in enumerate(start):
        ax.annotate(indian(total), (total, i), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7, color=INK)
    ax.set_yticks(y, [_short(f"{r} {titles[r]}".strip(), 34) for r in rules], fontsize=7)
    ax.set_ylim(max(len(rules), 4) - 0.4, -0.6)
    ax.set_xlim(0, max(start) * 1.12)
    ax.set_xlabel("meter-days", labelpad=1)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    _axis_numbers(ax, "x")
    _legend(ax, [Patch(color=colour, label=label) for label, colour, values in parts if any(values)])
    return None


def _load_curve(ax: Axes, curve: Sequence[LoadPoint]) -> None:
    estimated = sum(p.estimated_kw for p in curve)
    total = estimated + sum(p.measured_kw for p in curve)
    missing = sum(p.missing_share for p in curve) / len(curve) if curve else 0
    notes = f"estimated {percent(estimated, total, 2)}" + (f"; {100 * missing:.2f} % of intervals have no value" if missing else "")
    _heading(ax, "Average day of all consumers", notes if curve else "", RIGHT)
    if not curve or not total:
        return _nothing(ax)
    divisor, unit = (1000, "MW") if max(p.measured_kw + p.estimated_kw for p in curve) >= 10_000 else (1, "kW")
    width = curve[1].minute - curve[0].minute if len(curve) > 1 else 1440
    hours = [p.minute / 60 for p in curve] + [(curve[-1].minute + width) / 60]
    measured = [p.measured_kw / divisor for p in curve]
    whole = [(p.measured_kw + p.estimated_kw) / divisor for p in curve]
    ax.fill_between(hours, [*measured, measured[-1]], step="post", color=PALE, linewidth=0)
    ax.fill_between(hours, [*measured, measured[-1]], [*whole, whole[-1]], step="post", color=AMBER, linewidth=0)
    ax.step(hours, [*whole, whole[-1]], where="post", color=NAVY, linewidth=0.9)
    ax.set_xlim(0, 24)
    ax.set_xticks(range(0, 25, 3), [f"{h:02d}:00" for h in range(0, 25, 3)])
    ax.set_ylim(0, max(whole) * 1.15)
    ax.set_ylabel(f"average demand, {unit}")
    _axis_numbers(ax, "y", 0 if max(whole) >= 10 else 1)
    _legend(ax, [Patch(color=PALE, label="measured"), Patch(color=AMBER, label="estimated"), Line2D([], [], color=NAVY, label="total")])
    return None


def _heading(ax: Axes, title: str, note: str, x: float) -> None:
    """Title and note above a chart, from `x` of the figure; and the looks that all charts share."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color("#B8C2CC")
    ax.tick_params(labelsize=7, colors=INK, length=2.5, width=0.6)
    ax.xaxis.label.set(fontsize=7.5, color=GREY)
    ax.yaxis.label.set(fontsize=7.5, color=GREY)
    figure, top = ax.figure, ax.get_position().y1
    figure.text(x, top + 0.048, title, fontsize=10.5, fontweight="bold", color=NAVY)
    figure.text(x, top + 0.0295, note, fontsize=7.5, color=GREY)


def _legend(ax: Axes, handles: Sequence[Artist]) -> None:
    """Above the chart, at its right end, where no bar can lie under it."""
    ax.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(handles),
        frameon=False,
        fontsize=7,
        handlelength=1.2,
        columnspacing=1.2,
        borderaxespad=0.1,
    )


def _nothing(ax: Axes, text: str = "no data in this period") -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=9, color=GREY)


def _axis_numbers(ax: Axes, which: str, decimals: int = 0) -> None:
    axis = ax.yaxis if which == "y" else ax.xaxis
    axis.set_major_formatter(FuncFormatter(lambda v, _: indian(v, decimals)))


def _balanced(table: ReportTable) -> list[dict[str, Any]]:
    """Feeder-days whose two sides are both known."""
    return [r for r in table.records() if r["period"] == "day" and r["loss_kwh"] is not None]


def _sum(rows: Iterable[Mapping[str, Any]], column: str) -> Decimal:
    return sum((Decimal(r[column]) for r in rows if r[column] is not None), Decimal(0))


def _pct(value: float | None) -> str:
    return "–" if value is None else _minus(f"{value:.1f} %")


def _tail(text: str, limit: int) -> str:
    """Of codes that begin alike the end tells which."""
    return text if len(text) <= limit else "…" + text[1 - limit :]


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _period(tables: Mapping[str, ReportTable]) -> tuple[date, date]:
    table = next(iter(tables.values()))
    return table.first, table.last


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
