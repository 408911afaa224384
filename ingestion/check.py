"""`meterhouse hes check VENDOR.yml SAMPLE`: what a vendor file makes of a sample, before anything is landed. Reads, never writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ingestion.canonical import Delivery, Rejection
from ingestion.readers import read
from ingestion.vendor import Vendor
from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS, PROFILES, REGISTERS

FIRST_ROWS = 5


@dataclass(frozen=True)
class KindReport:
    """One kind of readings.

    `first`, `last`: earliest and latest stamp, in the vendor's zone; `interval_min`: lengths in minutes as vendor file or
    payload state them; `interval_seen`: the most common distance between a meter's stamps, in minutes; `head`: the first
    rows as they would land.
    """

    kind: str
    rows: int
    meters: int
    values: dict[str, int]
    first: pd.Timestamp
    last: pd.Timestamp
    interval_min: tuple[int, ...]
    interval_seen: float | None
    duplicates: int
    head: pd.DataFrame


@dataclass(frozen=True)
class Refused:
    """Rejections of one reason, with the first of them."""

    reason: Reason
    rejections: int
    values: int
    locator: str
    payload: str
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """What became of a sample. `ok`: something was read and nothing rejected."""

    vendor: str
    zone: str
    source: str
    values_read: int
    values_rejected: int
    kinds: list[KindReport] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.values_read > 0 and not self.refused


def check_sample(vendor: Vendor, name: str, content: bytes) -> CheckReport:
    """Read one sample payload with a vendor file and say what would land, what not, and what to look at."""
    now = datetime.now(UTC)
    delivery = read(vendor, name, content, now)
    kinds = _kinds(vendor, delivery)
    refused = _refused(delivery)
    return CheckReport(
        vendor=vendor.name,
        zone=vendor.zone,
        source=name,
        values_read=delivery.values_read,
        values_rejected=delivery.values_rejected,
        kinds=kinds,
        refused=refused,
        hints=_hints(vendor, delivery, kinds, refused, now),
    )


def _kinds(vendor: Vendor, delivery: Delivery) -> list[KindReport]:
    out = []
    lengths = tuple(sorted({p.interval_min for p in delivery.profiles if p.interval_min is not None}))
    for kind, frames, column, names in (
        ("block", [p.frame for p in delivery.profiles], "start", ALL_CHANNELS),
        ("daily", [r.frame for r in delivery.registers], "read_at", REGISTERS),
        ("event", [e.frame for e in delivery.events], "occurred_at", ("code",)),
    ):
        if not frames:
            continue
        frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        at = frame[column]
        head = frame.head(FIRST_ROWS).copy()
        for c in (column, "received_at", "md_import_at"):
            if c in head:
                head[c] = head[c].dt.tz_convert(vendor.zone)
        out.append(
            KindReport(
                kind=kind,
                rows=len(frame),
                meters=int(frame["serial"].nunique()),
                values={n: int(frame[n].notna().sum()) for n in names if n in frame},
                first=at.min().tz_convert(vendor.zone),
                last=at.max().tz_convert(vendor.zone),
                interval_min=lengths if kind == "block" else (),
                interval_seen=_interval_seen(frame, column) if kind != "event" else None,
                duplicates=int(frame.duplicated(["serial", column]).sum()) if kind != "event" else 0,
                head=head,
            )
        )
    for profile in PROFILES:
        out += _long(vendor, profile, [v.frame for v in delivery.values if v.profile == profile], "read_at", "quantity")
    out += _long(vendor, "nameplate", [p.frame for p in delivery.nameplates], "read_at", "attribute")
    out += _long(vendor, "status", [w.frame.assign(what="word") for w in delivery.status_words], "occurred_at", "what")
    return out


def _long(vendor: Vendor, kind: str, frames: list[pd.DataFrame], column: str, names: str) -> list[KindReport]:
    """The report of a kind whose rows are a value each, named in the column `names`."""
    if not frames:
        return []
    frame = pd.concat(frames, ignore_index=True)
    head = frame.head(FIRST_ROWS).copy()
    for c in (column, "received_at", "at"):
        if c in head:
            head[c] = head[c].dt.tz_convert(vendor.zone)
    key = ["serial", column, names, *(["zone"] if "zone" in frame else [])]
    return [
        KindReport(
            kind="daily, further values" if kind == "daily" else kind,
            rows=len(frame),
            meters=int(frame["serial"].nunique()),
            values={str(k): int(n) for k, n in frame[names].value_counts(sort=False).items()},
            first=frame[column].min().tz_convert(vendor.zone),
            last=frame[column].max().tz_convert(vendor.zone),
            interval_min=(),
            interval_seen=None,
            duplicates=int(frame.duplicated(key).sum()),
            head=head,
        )
    ]


def _interval_seen(frame: pd.DataFrame, column: str) -> float | None:
    """The most common distance between neighbouring stamps of a meter, in minutes; None where no meter has two."""
    ordered = frame[["serial", column]].drop_duplicates().sort_values(["serial", column])
    gaps = ordered[column].diff()[ordered["serial"] == ordered["serial"].shift()]
    return None if gaps.empty else float(gaps.mode().iloc[0] / np.timedelta64(1, "m"))


def _refused(delivery: Delivery) -> list[Refused]:
    count: Counter[Reason] = Counter()
    values: Counter[Reason] = Counter()
    first: dict[Reason, Rejection] = {}
    for r in delivery.rejections:
        count[r.reason] += 1
        values[r.reason] += r.values
        first.setdefault(r.reason, r)
    return [
        Refused(reason, n, values[reason], first[reason].locator, first[reason].payload, first[reason].detail)
        for reason, n in count.most_common()
    ]


def _hints(vendor: Vendor, delivery: Delivery, kinds: list[KindReport], refused: list[Refused], now: datetime) -> list[str]:
    hints = [f"{r.reason}: {r.reason.meaning}" for r in refused]
    if delivery.values_read == 0 and not refused:
        hints.append("nothing was read and nothing refused: does the sample have data, and do the row paths of the vendor file fit?")
    for k in kinds:
        if k.kind == "block":
            if k.interval_seen is not None and k.interval_min and k.interval_seen not in k.interval_min:
                stated = ", ".join(map(str, k.interval_min))
                hints.append(f"stamps are {k.interval_seen:g} min apart, but interval_min is {stated}: is interval_min right?")
            midnight = k.first.hour == 0 and k.first.minute == 0
            step = k.interval_min[0] if k.interval_min else k.interval_seen
            if not midnight and step and step < 1440:
                since = k.first.hour * 60 + k.first.minute
                if since == step:
                    hints.append("the first interval begins one interval after midnight: is time.stamp end rather than start?")
                elif 1440 - since == step:
                    hints.append("the first interval begins just before midnight: is time.stamp start rather than end?")
            hints.extend(_size_hints(delivery))
        if k.kind == "daily" and (k.first.hour, k.first.minute) != (0, 0):
            hints.append(f"registers are stamped {k.first:%H:%M}, not at midnight: is time.zone right?")
        if k.last > now:
            hints.append(f"{k.kind} stamps lie in the future (until {k.last}): are time.zone and the day-month order right?")
        if k.duplicates:
            hints.append(f"{k.duplicates} {k.kind} rows repeat a meter and stamp: the {vendor.duplicates} one counts (duplicates)")
    hints.extend(_sense_hints(delivery))
    if vendor.received_from != "arrival" and delivery.received_at >= now:
        hints.append("when the HES received the data was not found: is received_at right?")
    return hints


def _size_hints(delivery: Delivery) -> list[str]:
    """A wrong unit or a scaler applied twice is a thousand times off: said where the typical value cannot be."""
    out = []
    for p in delivery.profiles:
        hours = (p.interval_min or 30) / 60
        for c in ("import_wh", "import_vah"):
            if c in p.frame and p.frame[c].notna().any():
                top = float(p.frame[c].quantile(0.99)) / hours
                if top > 50e6:
                    out.append(
                        f"{c}: typical peaks of {top / 1e6:.0f} MW: is the unit Wh where the map says kWh, or a scaler applied twice?"
                    )
                elif 0 < top < 5:
                    out.append(f"{c}: typical peaks of {top:.1f} W: is the unit kWh where the map says Wh?")
        if "voltage_dv" in p.frame and p.frame["voltage_dv"].notna().any():
            volts = float(p.frame["voltage_dv"].median()) / 10
            if not 40 <= volts <= 200_000:
                out.append(f"voltage_dv: a typical voltage of {volts:g} V: is its unit or scaler right?")
    return out


RANGES = {
    "voltage_r_mv": (40_000, 200_000_000, "voltage"),
    "power_factor_milli": (-1000, 1000, "power factor"),
    "frequency_mhz": (45_000, 55_000, "frequency"),
}
"""Quantity -> what its typical value must lie between, and its name."""


def _sense_hints(delivery: Delivery) -> list[str]:
    """What the quantities say of each other and of themselves: apparent energy is never the smaller one."""
    out = []
    energies = [f for f in (*(p.frame for p in delivery.profiles), *(r.frame for r in delivery.registers)) if "import_vah" in f]
    for f in (f for f in energies if "import_wh" in f):
        both = f[["import_wh", "import_vah"]].dropna()
        less = int((both["import_vah"] < both["import_wh"] * 0.99).sum())
        if less * 2 > len(both):
            out.append(f"kVAh is less than kWh in {less} of {len(both)} rows: are the two swapped, or of other units or scalers?")
    for profile in delivery.values:
        for quantity, (low, high, name) in RANGES.items():
            found = profile.frame.loc[profile.frame["quantity"] == quantity, "value"]
            if len(found) and not low <= (middle := float(found.median())) <= high:
                out.append(f"{quantity}: a typical {name} of {middle / 1000:g}: is its unit or scaler right?")
    for f in (p.frame for p in delivery.profiles if {"import_wh", "export_wh"} <= set(p.frame)):
        if int(f["export_wh"].fillna(0).sum()) > 10 * int(f["import_wh"].fillna(0).sum()):
            out.append("ten times as much is exported as imported: are import and export swapped?")
    return list(dict.fromkeys(out))


def render(report: CheckReport) -> RenderableType:
    """The report for a terminal."""
    parts: list[RenderableType] = [
        Text.assemble(
            (f"{report.source}", "bold"),
            f" read as {report.vendor}: {report.values_read:,} values understood, ",
            (f"{report.values_rejected:,} rejected", "red" if report.values_rejected else "green"),
        )
    ]
    if report.kinds:
        t = Table(title=f"Understood (times in {report.zone})", title_justify="left")
        for c in ("profile", "rows", "meters", "values", "first", "last", "interval"):
            t.add_column(c)
        for k in report.kinds:
            stated = "/".join(map(str, k.interval_min)) or "not stated"
            seen = f", seen {k.interval_seen:g}" if k.interval_seen is not None else ""
            t.add_row(
                k.kind,
                f"{k.rows:,}",
                f"{k.meters:,}",
                "\n".join(f"{c} {n:,}" for c, n in k.values.items()),
                f"{k.first:%Y-%m-%d %H:%M}",
                f"{k.last:%Y-%m-%d %H:%M}",
                f"{stated}{seen} min" if k.kind == "block" else "",
            )
        parts.append(t)
        for k in report.kinds:
            head = Table(title=f"First rows of {k.kind}", title_justify="left")
            for c in k.head.columns:
                head.add_column(str(c))
            for row in k.head.itertuples(index=False):
                head.add_row(*(Text("" if v is None or v is pd.NA or v is pd.NaT else str(v)) for v in row))
            parts.append(head)
    if report.refused:
        t = Table(title="Rejected", title_justify="left")
        for c in ("reason", "values", "rejections", "first at", "why", "as received"):
            t.add_column(c)
        for r in report.refused:
            t.add_row(str(r.reason), f"{r.values:,}", f"{r.rejections:,}", Text(r.locator), Text(r.detail), Text(r.payload[:200]))
        parts.append(t)
    parts.extend(Text(f"- {h}", style="yellow") for h in report.hints)
    return Group(*parts)
