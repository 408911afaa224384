"""Fills vee.estimated_day for a build: which meter-days, with what around them, by the engine (vee.estimation.core), and what is written
of it.

Only meter-days that failed a rule with action `estimate` are touched, channel by channel and slot by slot (domain 6.3): a slot is bad where
it has no value, a negative one, one above the limit (V16), the peak that the register refutes (V17) or a type's maximum (V27). Good slots
stay as they are.
An estimate keeps what was known when it was made: days before, the rest of the day, days after where they have landed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import orjson
import psycopg

from ingestion import pgcopy
from vee.estimation import candidates, profiles, repository
from vee.estimation.core import Filled, Fit, Series, fill
from vee.estimation.repository import ENERGIES, NO_REGISTER, NO_VALUE
from vee.estimation.settings import EstimationSettings, load_settings
from warehouse import db
from warehouse.codes import SCALED, Method, Quality

logger = logging.getLogger(__name__)

CELLS = 2_000_000
"""Meters x days x slots that are reckoned at once: some 300 MB."""

WINDOW_DAYS = 28
"""The register that opens a window (EM9) is looked for so many days back."""

OVERFLOWS = (65_535, 655_350, 6_553_500, 65_535_000, 16_777_215, 2_147_483_647)
"""V27: maxima of 16, 24 and 32 bits, and of 16 bits in tens, hundreds and thousands, as Wh. As dbt's var overflow_values."""


@dataclass
class EstimationReport:
    """What a build estimated. `methods`: import slots by method, as in reference.code_method."""

    meter_days: int = 0
    estimated_slots: int = 0
    missing_slots: int = 0
    unscaled_days: int = 0
    methods: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0


def estimate(discom_id: int, code: str, first: date, last: date, *, changed_only: bool = False) -> EstimationReport:
    """Estimate the days first..last of a DISCOM anew, in one transaction; with `changed_only` those of the meters of ops.changed_meter.

    Raises RuleError where the DISCOM's settings cannot be read, and psycopg.Error. What was there then stays.
    """
    started = time.perf_counter()
    settings = load_settings(code)
    report = EstimationReport()
    with (
        db.connect("meterhouse_dbt", session={"enable_nestloop": "off"}) as out,
        db.connect("meterhouse_dbt") as conn,
        db.connect("meterhouse_dbt") as aside,
    ):
        repository.begin_writing(out, first, last)
        failing = repository.failing(conn, discom_id, first, last, changed_only=changed_only)
        if len(failing):
            if settings.uses(Method.CLASS_PROFILE):
                profiles.refresh(aside, discom_id, first, settings.class_profile_days, settings.class_profile_max_age_days)
            build = _Build.begin(conn, aside, discom_id, settings, failing, first, last)
            # While one chunk is reckoned, the server looks up the next.
            with ThreadPoolExecutor(1) as ahead:
                waiting = None
                for days in build.chunks(failing):
                    coming = ahead.submit(build.read, days)
                    if waiting is not None:
                        _make(build, waiting.result(), out, report)
                    waiting = coming
                if waiting is not None:
                    _make(build, waiting.result(), out, report)
        report.meter_days = repository.replace_days(out, discom_id, first, last, changed_only=changed_only)
    report.seconds = time.perf_counter() - started
    logger.info("%s %s..%s: %s meter-days estimated, %.2f s", code, first, last, report.meter_days, report.seconds)
    return report


# --- what is read ---


@dataclass(frozen=True)
class Chunk:
    """Failing meter-days of one number of slots, with the days around them: n meters, d consecutive days, s slots."""

    failing: np.ndarray
    """Rows of repository.failing; `row` and `day` say where they lie in the arrays."""
    row: np.ndarray
    day: np.ndarray
    meters: np.ndarray
    """(n,): meter_id."""
    interval_min: int
    raw: dict[str, np.ndarray]
    """By channel int32 (n, d, s): as it was measured, NO_VALUE where nothing is."""
    came: dict[str, np.ndarray]
    """By channel bool (n, d): something was measured."""
    registers: dict[str, np.ndarray]
    """By channel float64 (n, d + 1): midnight register at the beginning of a day and at the end of the last, NaN where not known."""
    usable: np.ndarray
    """bool (n, d)."""
    outage: np.ndarray
    """uint8 (n, d, s)."""
    quality: np.ndarray
    """int16 (f, s) of the failing meter-days: what the source stated, 0 else."""

    @property
    def shape(self) -> tuple[int, int, int]:
        n, d, s = self.raw["import_wh"].shape
        return n, d, s


@dataclass(frozen=True)
class _Build:
    """What all chunks of a build share. `days` is the grid: consecutive days, from the first that may be a reference to the last."""

    conn: psycopg.Connection  # reads ahead, in a thread of its own
    aside: psycopg.Connection
    discom_id: int
    settings: EstimationSettings
    days: list[date]
    built: list[date]
    holidays: frozenset[date]
    day_type: np.ndarray  # int8 (d,)
    unusable: np.ndarray  # rising keys of meter and day, see _key
    has_evidence: bool

    @classmethod
    def begin(
        cls,
        conn: psycopg.Connection,
        aside: psycopg.Connection,
        discom_id: int,
        settings: EstimationSettings,
        failing: np.ndarray,
        first: date,
        last: date,
    ) -> _Build:
        back = max(settings.engine.like_days, WINDOW_DAYS)
        built = repository.built_days(conn, discom_id, first - timedelta(back), last + timedelta(settings.engine.like_days_after))
        days = repository.day_range(min(built[0], first), max(built[-1], last))
        repository.remember_meters(conn, np.unique(failing["meter_id"]))
        holidays = repository.holidays(conn, discom_id)
        unusable = repository.unusable(conn, discom_id, days[0], days[-1])
        known = conn.execute("select to_regclass('vee.evidence') is not null").fetchone()
        return cls(
            conn=conn,
            aside=aside,
            discom_id=discom_id,
            settings=settings,
            days=days,
            built=built,
            holidays=holidays,
            day_type=np.array([repository.day_type(d, holidays) for d in days], np.int8),
            unusable=np.unique(_key(unusable["meter_id"], repository.ordinals(unusable["day"]))),
            has_evidence=bool(known and known[0]),
        )

    def chunks(self, failing: np.ndarray) -> Iterator[np.ndarray]:
        """Failing days of some meters of the same slots, so many that their arrays are no larger than CELLS."""
        kind = failing["slots"].astype(np.int64) << 16 | failing["interval_min"]
        for of_kind in np.split(failing, np.flatnonzero(np.diff(kind)) + 1):
            starts = np.flatnonzero(np.diff(of_kind["meter_id"], prepend=-1))
            at_once = max(1, CELLS // (len(self.days) * max(int(of_kind["slots"][0]), 1)))
            yield from np.split(of_kind, starts[at_once::at_once])

    def read(self, failing: np.ndarray) -> Chunk:
        """The failing days and what lies around them."""
        slots, interval_min = int(failing["slots"][0]), int(failing["interval_min"][0])
        meters = np.unique(failing["meter_id"])
        row = np.searchsorted(meters, failing["meter_id"])
        day = repository.ordinals(failing["day"]) - self.days[0].toordinal()
        n, d = len(meters), len(self.days)

        found = repository.days_of(self.conn, self.discom_id, meters, self.built, slots, interval_min, ENERGIES)
        at = found["nr"], repository.ordinals(found["day"]) - self.days[0].toordinal()
        raw, came = {}, {}
        for c in ENERGIES:
            raw[c] = np.full((n, d, slots), NO_VALUE, np.int32)
            raw[c][at] = found[c]["value"]
            came[c] = (raw[c] != NO_VALUE).any(axis=2)

        outage = self._outage(meters, slots)
        keys = _key(meters[:, None], np.arange(d) + self.days[0].toordinal())
        return Chunk(
            failing=failing,
            row=row,
            day=day,
            meters=meters,
            interval_min=interval_min,
            raw=raw,
            came=came,
            registers=self._registers(meters, row, day),
            usable=~np.isin(keys, self.unusable, assume_unique=True) & ~(outage > 0).any(axis=2),
            outage=outage,
            quality=self._quality(failing, slots),
        )

    def _registers(self, meters: np.ndarray, row: np.ndarray, day: np.ndarray) -> dict[str, np.ndarray]:
        """Those that open and close the failing days; where one of them is not there, those of all days of the meter."""
        known = {c: np.full((len(meters), len(self.days) + 1), np.nan) for c in ENERGIES}

        def ask(rows: np.ndarray, edges: np.ndarray) -> None:
            if not len(rows):
                return
            days = [self.days[0] + timedelta(int(e) - 1) for e in edges.tolist()]
            found = repository.registers(self.conn, self.discom_id, meters[rows], days)
            for c in ENERGIES:
                there = found[c] != NO_REGISTER
                known[c][rows[found["nr"][there]], edges[found["nr"][there]]] = found[c][there]

        pairs = np.unique(np.concatenate([row * (len(self.days) + 1) + day, row * (len(self.days) + 1) + day + 1]))
        ask(*np.divmod(pairs, len(self.days) + 1))
        lacking = np.unique(row[np.isnan(known["import_wh"][row, day]) | np.isnan(known["import_wh"][row, day + 1])])
        edges = np.arange(len(self.days) + 1)
        ask(np.repeat(lacking, len(edges)), np.tile(edges, len(lacking)))
        return known

    def _outage(self, meters: np.ndarray, slots: int) -> np.ndarray:
        outage = np.zeros((len(meters), len(self.days), slots), np.uint8)
        if self.has_evidence:
            found = repository.outages(self.conn, self.discom_id, meters, self.days[0], self.days[-1], slots)
            at = np.searchsorted(meters, found["meter_id"]), repository.ordinals(found["day"]) - self.days[0].toordinal()
            outage[at] = found["outage"]["value"]
        return outage

    def _quality(self, failing: np.ndarray, slots: int) -> np.ndarray:
        quality = np.zeros((len(failing), slots), np.int16)
        stated = np.flatnonzero(failing["stated"])
        if len(stated):
            days = [date.fromordinal(o) for o in repository.ordinals(failing["day"][stated]).tolist()]
            found = repository.stated_qualities(self.conn, self.discom_id, failing["meter_id"][stated], days, slots)
            quality[stated[found["nr"]]] = found["quality"]["value"]
        return quality


def _key(meter_id: np.ndarray, ordinal: np.ndarray) -> np.ndarray:
    return meter_id.astype(np.int64) << 32 | ordinal


# --- what is reckoned ---


@dataclass(frozen=True)
class Channel:
    """One channel of a chunk after estimation, by failing meter-day (f of them)."""

    values: np.ndarray  # int64 (f, s)
    present: np.ndarray  # bool (f, s)
    target: np.ndarray  # bool (f, s): bad slots
    method: np.ndarray  # int16 (f, s)
    unscaled: np.ndarray  # bool (f,): a register that is not there yet would scale it
    basis: dict[tuple[int, int], list[dict[str, object]]]  # by meter and day of the chunk


def _make(build: _Build, chunk: Chunk, out: psycopg.Connection, report: EstimationReport) -> None:
    """Estimate a chunk and write what came of it."""
    channels = {c: _channel(build, chunk, c) for c in ENERGIES}
    imported = channels["import_wh"]
    filled = {c: (v.target & v.present).sum(axis=1) for c, v in channels.items()}
    # A day in which nothing had to be estimated (a peak that the register bears out) stays as it was measured.
    rows = np.flatnonzero(imported.target.any(axis=1) | (filled["export_wh"] > 0) | (filled["import_vah"] > 0))
    if not len(rows):
        return
    failing = chunk.failing[rows]
    base = np.where(failing["doubted"] | failing["spike"] & ~failing["refuted"], Quality.QUESTIONABLE, 0)
    quality = np.maximum(chunk.quality[rows], base[:, None])
    target, present, method = imported.target[rows], imported.present[rows], imported.method[rows]
    substituted = method % SCALED == Method.CHECK_METER
    made = np.where(substituted, Quality.SUBSTITUTED, Quality.ESTIMATED)
    quality = np.where(target, np.where(present, made, Quality.MISSING), quality)
    unscaled = np.any([v.unscaled[rows] for v in channels.values()], axis=0)
    estimated_wh = np.where(target & present, imported.values[rows], 0).sum(axis=1)
    missing = (target & ~present).sum(axis=1)
    everywhere = np.ones(target.shape, bool)
    columns: list[pgcopy.Column] = [
        pgcopy.date((repository.ordinals(failing["day"]) - date(1970, 1, 1).toordinal()).astype("datetime64[D]")),
        pgcopy.int4(failing["meter_id"].astype(np.int64)),
        *(_array(v, rows, always=c == "import_wh") for c, v in channels.items()),
        pgcopy.int2_array(quality, everywhere),
        pgcopy.int2_array(method, everywhere),
        *(_total(v, rows) for v in channels.values()),
        pgcopy.int4(filled["import_wh"][rows]),
        pgcopy.int4(missing),
        pgcopy.int8(estimated_wh),
        pgcopy.int2(unscaled.astype(np.int16)),
    ]
    repository.write(out, columns, _bases(build, chunk, rows, channels))
    report.estimated_slots += int(filled["import_wh"][rows].sum())
    report.missing_slots += int(missing.sum())
    report.unscaled_days += int(unscaled.sum())
    for m, count in zip(*np.unique(method[target], return_counts=True), strict=True):
        report.methods[int(m)] = report.methods.get(int(m), 0) + int(count)


def _array(v: Channel, rows: np.ndarray, *, always: bool) -> pgcopy.Array:
    """A channel that did not come and is not known to be there is NULL; import always has its slots."""
    present = v.present[rows]
    null = np.zeros(len(rows), bool) if always else ~(present | v.target[rows]).any(axis=1)
    return pgcopy.int4_array(np.where(present, v.values[rows], 0), present, null)


def _total(v: Channel, rows: np.ndarray) -> pgcopy.Scalar:
    """Where no slot has a value, neither has the day."""
    present = v.present[rows]
    return pgcopy.int8(np.where(present, v.values[rows], 0).sum(axis=1), ~present.any(axis=1))


def _channel(build: _Build, chunk: Chunk, channel: str) -> Channel:
    raw = chunk.raw[channel]
    target = _bad_slots(chunk, channel)
    at = chunk.row, chunk.day
    of_failing = target[at]
    values = np.where(of_failing, NO_VALUE, raw[at]).astype(np.int64)
    method = np.zeros(values.shape, np.int16)
    unscaled = np.zeros(len(values), bool)
    basis: dict[tuple[int, int], list[dict[str, object]]] = {}
    for meters, series, closed, done in _filled(build, chunk, channel, target):
        place = np.full(len(chunk.meters), -1)
        place[meters] = np.arange(len(meters))
        mine = np.flatnonzero(place[chunk.row] >= 0)
        there = place[chunk.row[mine]], chunk.day[mine]
        estimated = of_failing[mine] & (done.values[there] >= 0)
        values[mine] = np.where(of_failing[mine], np.where(estimated, done.values[there], NO_VALUE), values[mine])
        method[mine] = np.where(estimated, done.method[there], 0)
        unscaled[mine] = (estimated & (done.method[there] < SCALED)).any(axis=1) & ~closed[there]
        basis.update(_basis(build, channel, series, done, meters))
    return Channel(values, values != NO_VALUE, of_failing, method, unscaled, basis)


def _filled(build: _Build, chunk: Chunk, channel: str, target: np.ndarray) -> Iterator[tuple[np.ndarray, Series, np.ndarray, Filled]]:
    """Meters of the chunk, what the engine was given of them, whether no register is to come, and what it made of it; a meter may come
    again."""
    engine = build.settings.engine
    meters = np.flatnonzero(target.any(axis=(1, 2)))
    if not len(meters):
        return
    series, closed = _series(build, chunk, channel, target, meters)
    if build.settings.uses(Method.CHECK_METER):
        checked = candidates.check_meter(_gap(build, chunk, channel, series, meters, series.target))
        series = replace(series, candidates={Method.CHECK_METER: checked} if np.isfinite(checked).any() else {})
    done = fill(series, engine)
    yield meters, series, closed, done
    further = [m for m in engine.order if m in candidates.OF_METHOD]
    if channel != "import_wh" or not further:
        return
    # Slots that got nothing, or only what comes later in the order.
    rank = {int(m): n for n, m in enumerate(engine.order)}
    place = np.vectorize(lambda m: rank.get(m, len(rank)), otypes=[np.int16])(np.arange(SCALED))[done.method % SCALED]
    wanting = series.target & (place > rank[further[0]])
    again = np.flatnonzero(wanting.any(axis=(1, 2)))
    if not len(again):
        return
    series, wanting, place = _of(series, again), wanting[again], place[again]
    found = dict(series.candidates)
    for m in further:
        wanted = wanting & (place > rank[m])
        if wanted.any():
            values = candidates.OF_METHOD[m](_gap(build, chunk, channel, series, meters[again], wanted))
            if (there := wanted & np.isfinite(values)).any():
                found[m] = values
                wanting = wanting & ~there
    if len(found) > len(series.candidates):
        series = replace(series, candidates=found)
        yield meters[again], series, closed[again], fill(series, engine)


def _of(series: Series, rows: np.ndarray) -> Series:
    """The series of some of its meters; windows keep their labels."""
    parts = ("values", "target", "outage", "day_type", "usable", "window", "limit_wh")
    few = {name: getattr(series, name)[rows] for name in parts}
    return replace(series, **few, candidates={m: v[rows] for m, v in series.candidates.items()})


def _gap(build: _Build, chunk: Chunk, channel: str, series: Series, meters: np.ndarray, wanted: np.ndarray) -> candidates.Gap:
    row, day = np.nonzero(wanted.any(axis=2))
    return candidates.Gap(
        conn=build.aside,
        discom_id=build.discom_id,
        settings=build.settings,
        channel=channel,
        interval_min=chunk.interval_min,
        values=series.values,
        usable=series.usable,
        row=row,
        day=day,
        meters=chunk.meters[meters[row]].astype(np.int64),
        days=[build.days[n] for n in day.tolist()],
        day_type=lambda d: repository.day_type(d, build.holidays),
    )


def _bad_slots(chunk: Chunk, channel: str) -> np.ndarray:
    """bool (n, d, s): slots of failing days that are to be estimated."""
    raw, (n, d, s) = chunk.raw[channel], chunk.shape
    failing, at = chunk.failing, (chunk.row, chunk.day)
    found = raw[at]
    bad = (found < 0) | failing["overflow"][:, None] & np.isin(found, OVERFLOWS)
    if channel == "import_wh":
        # V16 and V17 judge the import.
        limit = failing["limit_wh"][:, None]
        bad |= (limit >= 0) & (found > limit)
        bad |= failing["refuted"][:, None] & (found == failing["max_wh"][:, None])
    else:
        # A channel is estimated where the meter is known to have it: by a reading, a register, or else its reference days.
        register = chunk.registers[channel]
        advances = ~np.isnan(register[chunk.row, chunk.day]) & ~np.isnan(register[chunk.row, chunk.day + 1])
        referred = (chunk.came[channel] & chunk.usable).any(axis=1)[chunk.row]
        bad &= (chunk.came[channel][at] | advances | referred)[:, None]
    target = np.zeros((n, d, s), bool)
    target[at] = bad
    return target


def _series(build: _Build, chunk: Chunk, channel: str, target: np.ndarray, meters: np.ndarray) -> tuple[Series, np.ndarray]:
    """The engine's view of a channel of these meters, and bool (n, d): no register is to come that would close the day's window."""
    raw, target = chunk.raw[channel][meters], target[meters]
    # Single precision holds every Wh up to 16 MWh a slot.
    kind = np.float32 if raw.max(initial=0) < 1 << 24 else np.float64
    values = np.where((raw < 0) | target, np.nan, raw).astype(kind)
    windows = _windows(chunk.registers[channel][meters], target)
    if channel == "import_wh" and build.settings.tou_zones:
        windows = _by_zone(build, chunk, meters, windows)
    windows = _less_estimated(build, chunk, channel, meters, windows, np.isnan(values) & ~target)
    d = target.shape[1]

    limit, lsb = np.full(len(chunk.meters), np.nan), np.zeros(len(chunk.meters))
    known = chunk.failing["limit_wh"] >= 0
    limit[chunk.row[known]] = chunk.failing["limit_wh"][known]
    lsb[chunk.row] = chunk.failing["register_lsb_wh"]
    # Where no limit is known: what the column holds.
    most = (2**31 - 1) // np.maximum(target.sum(axis=(1, 2)), 1)
    limit = np.where(np.isnan(limit[meters]), most, limit[meters])
    series = Series(
        values=values,
        target=target,
        outage=chunk.outage[meters],
        day_type=np.broadcast_to(build.day_type, (len(meters), d)),
        usable=chunk.usable[meters] & chunk.came[channel][meters],
        interval_min=chunk.interval_min,
        window=np.broadcast_to(windows.label, target.shape).astype(np.int32),
        window_wh=windows.advance,
        window_tolerance_wh=lsb[meters][windows.meter],
        candidates={},
        limit_wh=limit.astype(float),
    )
    return series, windows.closed


@dataclass(frozen=True)
class Windows:
    """Between neighbouring known registers, w of them. Edges are midnights: 0 begins the first day of the grid."""

    label: np.ndarray
    """int (n, d, s), or (n, d, 1): window of a slot, -1 none."""
    advance: np.ndarray
    """float64 (w,)."""
    meter: np.ndarray
    """int (w,)."""
    opening: np.ndarray
    """int (w,): edge."""
    closing: np.ndarray
    closed: np.ndarray
    """bool (n, d): no register that is to come would make a window of the day."""


def _windows(registers: np.ndarray, target: np.ndarray) -> Windows:
    """Windows with a slot to be estimated, from float64 (n, d + 1) and bool (n, d, s)."""
    n, edges = registers.shape
    known, edge = ~np.isnan(registers), np.arange(edges)
    opening = np.maximum.accumulate(np.where(known, edge, -1), axis=1)[:, :-1]
    closing = np.minimum.accumulate(np.where(known, edge, edges)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    opened, closed = opening >= 0, closing < edges
    code = np.where(opened & closed, np.arange(n)[:, None] * edges + opening, -1)
    wanted, first_at = np.unique(np.where(target.any(axis=2), code, -1), return_index=True)
    wanted, first_at = wanted[wanted >= 0], first_at[wanted >= 0]
    label = np.where(np.isin(code, wanted), np.searchsorted(wanted, code), -1)
    meter, opens = np.divmod(wanted, edges)
    closes = closing.ravel()[first_at]
    return Windows(label[:, :, None], registers[meter, closes] - registers[meter, opens], meter, opens, closes, closed | ~opened)


def _by_zone(build: _Build, chunk: Chunk, meters: np.ndarray, windows: Windows) -> Windows:
    """Windows of which the zone registers are known at both ends are cut by zone, where zones cover the day and add up to the whole.

    Each register is cut to its step, so the zones may miss the whole by a step each: the largest zone takes that.
    """
    slots = chunk.shape[2]
    zone_of = np.full(slots, -1)
    for n, (_, spans) in enumerate(build.settings.tou_zones):
        for start, end in spans:
            zone_of[start // chunk.interval_min : end // chunk.interval_min] = n
    zones = [zone for zone, _ in build.settings.tou_zones]
    if (zone_of < 0).any() or not len(windows.meter):
        return windows
    edges = np.concatenate([windows.opening, windows.closing])
    days = [build.days[0] + timedelta(int(e) - 1) for e in edges.tolist()]
    found = repository.zone_registers(
        build.aside, build.discom_id, chunk.meters[meters[np.tile(windows.meter, 2)]].astype(np.int64), days, zones
    )
    register = np.full((len(edges), len(zones)), np.nan)
    register[found["nr"], np.searchsorted(zones, found["zone"])] = found["value"]
    by_zone = register[len(windows.meter) :] - register[: len(windows.meter)]
    rest = windows.advance - by_zone.sum(axis=1)
    step = np.zeros(len(chunk.meters))
    step[chunk.row] = chunk.failing["register_lsb_wh"]
    cut = np.flatnonzero(np.abs(rest) <= len(zones) * step[meters[windows.meter]])
    if not len(cut):
        return windows
    by_zone[cut, by_zone[cut].argmax(axis=1)] += rest[cut]
    first_label = np.full(len(windows.meter), -1)
    first_label[cut] = len(windows.meter) + np.arange(len(cut)) * len(zones)
    whole = np.broadcast_to(windows.label, (*windows.label.shape[:2], slots))
    begins = np.where(whole >= 0, first_label[whole], -1)
    return Windows(
        label=np.where(begins >= 0, begins + zone_of, whole),
        advance=np.concatenate([windows.advance, by_zone[cut].ravel()]),
        meter=np.concatenate([windows.meter, np.repeat(windows.meter[cut], len(zones))]),
        opening=np.concatenate([windows.opening, np.repeat(windows.opening[cut], len(zones))]),
        closing=np.concatenate([windows.closing, np.repeat(windows.closing[cut], len(zones))]),
        closed=windows.closed,
    )


def _less_estimated(build: _Build, chunk: Chunk, channel: str, meters: np.ndarray, windows: Windows, lacking: np.ndarray) -> Windows:
    """Windows that reach beyond the build into days that were scaled to their registers before: what is estimated there stays, so it comes
    off the advance. `lacking`: bool (n, d, s), slots of which nothing is known and that are not asked for."""
    label = np.broadcast_to(windows.label, lacking.shape)
    lacking = lacking & (label >= 0)
    row, day = np.nonzero(lacking.any(axis=2))
    if not len(row):
        return windows
    days = [build.days[n] for n in day.tolist()]
    found = repository.scaled_estimates(
        build.aside, build.discom_id, chunk.meters[meters[row]].astype(np.int64), days, chunk.shape[2], channel
    )
    estimated = np.full(lacking.shape, NO_VALUE, np.int64)
    estimated[row[found["nr"]], day[found["nr"]]] = found[channel]["value"]
    there = lacking & (estimated != NO_VALUE)
    known = label[there]
    advance = windows.advance - np.bincount(known, estimated[there], len(windows.advance))
    return replace(windows, label=np.where(there, -1, label), advance=advance)


# --- what is written of it ---


def _basis(build: _Build, channel: str, series: Series, done: Filled, meters: np.ndarray) -> dict[tuple[int, int], list[dict[str, object]]]:
    """For explanation: the runs of estimated slots, by meter (of the chunk) and day, with what they rest on."""
    iso = [d.isoformat() for d in build.days]
    runs = done.runs
    spans = _spans(series.window, len(done.window_fit))
    advance, measured, fits = series.window_wh.tolist(), done.window_known_wh.tolist(), done.window_fit.tolist()
    found: dict[tuple[int, int], list[dict[str, object]]] = {}
    columns = (runs.meter, runs.day, runs.first, runs.slots, runs.method, runs.window, runs.level, runs.reference_day)
    for meter, day, first, slots, method, window, level, references in zip(*(c.tolist() for c in columns), strict=True):
        run: dict[str, object] = {"channel": channel, "from": first, "slots": slots, "method": _NAMES[method % SCALED]}
        # A gap over several days has its days at the same distance, of which some lie outside of what is known.
        if within := [iso[r] for r in references if 0 <= r < len(iso)]:
            run["reference_days"] = within
        if level == level:
            run["level"] = round(level, 3)
        if window >= 0 and fits[window] != Fit.NONE:
            begin, end = spans[window]
            register = {"first": iso[begin], "last": iso[end], "advance_wh": int(advance[window]), "measured_wh": int(measured[window])}
            if fits[window] == Fit.SCALED:
                run["scaled"] = register
            else:
                run["not_scaled"] = {"why": Fit(fits[window]).name, **register}
        found.setdefault((int(meters[meter]), day), []).append(run)
    return found


_NAMES = {int(m): "MISSING" if m is Method.NONE else "EM0" if m is Method.OUTAGE else f"EM{int(m)}" for m in Method}


def _spans(window: np.ndarray, labels: int) -> list[tuple[int, int]]:
    """First and last day of each window."""
    _, day, _ = np.nonzero(window >= 0)
    label = window[window >= 0]
    first, last = np.full(labels, window.shape[1]), np.full(labels, -1)
    np.minimum.at(first, label, day)
    np.maximum.at(last, label, day)
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _bases(build: _Build, chunk: Chunk, rows: np.ndarray, channels: dict[str, Channel]) -> Iterator[str]:
    iso = [d.isoformat() for d in build.days]
    for meter, day in zip(chunk.row[rows].tolist(), chunk.day[rows].tolist(), strict=True):
        runs = [r for v in channels.values() for r in v.basis.get((meter, day), ())]
        yield f"{iso[day]}\t{chunk.meters[meter]}\t{orjson.dumps(runs).decode()}\n"
