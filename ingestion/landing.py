"""Lands a delivery: batch, fragments, registers, events, what was rejected and the days that were touched, in one transaction.

Knows the raw tables and the registry; knows no vendor, format or transport. accepted + rejected = received, always.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from queue import SimpleQueue
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from ingestion import pgcopy
from ingestion.alerts.raising import raise_alerts
from ingestion.canonical import (
    STATUS_WORD_OCTETS,
    Delivery,
    FragmentBlock,
    MeterEvents,
    MeterValues,
    Nameplates,
    RegisterReadings,
    Rejection,
    StatusWords,
)
from ingestion.fragments import MeterLookup, cut, future_tolerance, local_days, reject, sane_micros
from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS, REGISTERS


class LandingError(RuntimeError):
    """Landing cannot go on; the message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class DiscomContext:
    """What landing needs to know of a DISCOM. Loaded once a run: a meter imported later is unknown to it."""

    code: str
    discom_id: int
    timezone: ZoneInfo
    meters: MeterLookup
    hes: dict[str, int]
    """hes_id by code."""
    future_tolerance: timedelta = field(default_factory=future_tolerance)
    months: set[tuple[str, date]] = field(default_factory=set)
    """Partitions (table, first of the month) that are known to be there."""

    @classmethod
    def load(cls, conn: psycopg.Connection, code: str) -> DiscomContext:
        """Raises LandingError where no DISCOM has this code."""
        with conn.transaction(), conn.cursor(row_factory=tuple_row, binary=True) as cur:
            found = cur.execute("select discom_id, timezone from registry.discom where code = %s", [code]).fetchone()
            if found is None:
                known = [r[0] for r in cur.execute("select code from registry.discom order by code").fetchall()]
                raise LandingError(
                    f"no DISCOM has the code {code!r} (known: {', '.join(known) or 'none'}): "
                    "check the spelling, or import its master data with `meterhouse registry import FOLDER`"
                )
            discom_id, timezone = found
            hes: dict[str, int] = dict(cur.execute("select code, hes_id from registry.hes where discom_id = %s", [discom_id]).fetchall())
            # Three lists, not a row a meter: of millions of meters those take seconds.
            meters = cur.execute(
                """select coalesce(json_agg(serial), '[]'), coalesce(json_agg(meter_id), '[]'), coalesce(json_agg(interval_min), '[]')
                   from registry.meter where discom_id = %s""",
                [discom_id],
            ).fetchone()
        assert meters is not None
        return cls(code, discom_id, ZoneInfo(timezone), MeterLookup.of(*meters), hes)

    def hes_id(self, code: str) -> int:
        """Raises LandingError where this DISCOM has no such head-end system."""
        if code not in self.hes:
            raise LandingError(
                f"DISCOM {self.code} has no head-end system {code!r} (known: {', '.join(sorted(self.hes)) or 'none'}): "
                "check the spelling, or add it to hes.csv and import the master data again"
            )
        return self.hes[code]


@dataclass(frozen=True)
class LandingResult:
    """What became of a delivery. A duplicate wrote nothing: its `batch_id` is that of the earlier landing, its counts are 0."""

    batch_id: int | None
    duplicate: bool
    received: int = 0
    accepted: int = 0
    rejected: int = 0
    days: set[date] = field(default_factory=set)
    rejected_by_reason: dict[Reason, int] = field(default_factory=dict)


def land(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_id: int,
    delivery: Delivery,
    *,
    within: Callable[[psycopg.Connection], None] | None = None,
) -> LandingResult:
    """Land `delivery` in a transaction of its own, or recognise by its hash that it was landed before.

    Content of which nothing could be accepted may come again: once something can (its meters are registered now), it lands anew.
    `within` is called in that transaction, also for a duplicate (a pull's cursor moves with what it fetched).
    Raises LandingError where `conn` has a transaction open, in which a commit would not be ours to make.
    """
    require_idle(conn)
    earlier = earlier_landing(conn, discom, hes_id, delivery.content_sha256)
    sorted_out = None if earlier.stands else _sort_out(discom, delivery)
    if sorted_out is None or (earlier.batch_id is not None and not sorted_out.accepted):
        with conn.transaction():
            if within:
                within(conn)
        return LandingResult(earlier.batch_id, duplicate=True)

    _ensure_months(conn, discom, sorted_out)
    with conn.transaction():
        batch_id = _insert_batch(conn, discom, hes_id, delivery, earlier.free_sha256, sorted_out)
        if batch_id is not None:
            _write(conn, discom, batch_id, delivery, sorted_out)
        if within:
            within(conn)
    if batch_id is None:  # another loader was faster
        return LandingResult(earlier_landing(conn, discom, hes_id, delivery.content_sha256).batch_id, duplicate=True)
    return LandingResult(
        batch_id,
        duplicate=False,
        received=sorted_out.accepted + sorted_out.rejected,
        accepted=sorted_out.accepted,
        rejected=sorted_out.rejected,
        days=sorted_out.days,
        rejected_by_reason=sorted_out.by_reason,
    )


def land_all(
    connect: Callable[[], psycopg.Connection],
    discom: DiscomContext,
    hes_id: int,
    deliveries: Iterable[Delivery],
    *,
    workers: int = 2,
) -> Iterator[LandingResult]:
    """Land deliveries, `workers` at a time on a connection each, so that cutting and encoding one goes on while the server copies another.

    Results come in the order of the deliveries, of which at most `workers` + 1 are held. Each is a transaction of its own, and the order
    in which they commit is open. The first error ends it: what is under way is finished, nothing more is begun, and the error is raised
    with a note of the delivery's source. Lazy: nothing is landed but for who takes the results.
    """
    with ExitStack() as stack:
        idle: SimpleQueue[psycopg.Connection] = SimpleQueue()
        for _ in range(workers):
            idle.put(stack.enter_context(connect()))

        def work(delivery: Delivery) -> LandingResult:
            conn = idle.get()
            try:
                return land(conn, discom, hes_id, delivery)
            except Exception as e:
                e.add_note(f"while landing {delivery.source}")
                raise
            finally:
                idle.put(conn)

        pool = ThreadPoolExecutor(workers, "landing")
        stack.callback(pool.shutdown, cancel_futures=True)
        under_way: deque[Future[LandingResult]] = deque()
        for delivery in deliveries:
            under_way.append(pool.submit(work, delivery))
            del delivery
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def require_idle(conn: psycopg.Connection) -> None:
    """Raises LandingError where `conn` has a transaction open."""
    if conn.info.transaction_status != TransactionStatus.IDLE:
        raise LandingError("the connection has a transaction open: commit it or roll it back before landing")


@dataclass(frozen=True)
class EarlierLanding:
    """What is known of a content: its latest batch, whether that stands, and under which hash it would be landed now."""

    batch_id: int | None
    stands: bool
    free_sha256: bytes


def earlier_landing(conn: psycopg.Connection, discom: DiscomContext, hes_id: int, content_sha256: bytes) -> EarlierLanding:
    """A batch stands unless all of it was rejected; what is landed after such a batch has the hash of content and batch together."""
    batch_id, sha256 = None, content_sha256
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cur:
        while found := cur.execute(
            """select batch_id, values_accepted > 0 or values_rejected = 0 from raw.batch
               where discom_id = %s and hes_id = %s and content_sha256 = %s""",
            [discom.discom_id, hes_id, sha256],
        ).fetchone():
            batch_id, stands = found
            if stands:
                return EarlierLanding(batch_id, True, sha256)
            sha256 = hashlib.sha256(content_sha256 + str(batch_id).encode()).digest()
    return EarlierLanding(batch_id, False, sha256)


def counts_of_batch(conn: psycopg.Connection, discom: DiscomContext, batch_id: int | None) -> tuple[int, int, int]:
    """Values received, accepted and rejected of a batch; all 0 where there is none."""
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cur:
        found = cur.execute(
            "select values_received, values_accepted, values_rejected from raw.batch where discom_id = %s and batch_id = %s",
            [discom.discom_id, batch_id],
        ).fetchone()
    return found or (0, 0, 0)


# --- sorting out: no database -------------------------------------------------------------------------------------------


@dataclass
class _SortedOut:
    """A delivery as it is written: rows in whole columns, days apart by table because each has its partitions."""

    blocks: list[FragmentBlock]
    registers: pd.DataFrame
    events: pd.DataFrame
    values: pd.DataFrame
    nameplates: pd.DataFrame
    status_words: pd.DataFrame
    rejections: list[Rejection]
    accepted: int

    @property
    def rejected(self) -> int:
        return sum(r.values for r in self.rejections)

    @property
    def by_reason(self) -> dict[Reason, int]:
        counts: Counter[Reason] = Counter()
        for r in self.rejections:
            counts[r.reason] += r.values
        return dict(counts)

    @cached_property
    def days_by_table(self) -> dict[str, set[date]]:
        return {
            "raw.profile_fragment": {d for b in self.blocks for d in np.unique(b.day).tolist()},
            "raw.register_reading": _days(self.registers),
            "raw.event": _days(self.events),
            "raw.meter_value": _days(self.values),
            "raw.event_status": _days(self.status_words),
        }

    @property
    def days(self) -> set[date]:
        """Days of which a build must know. Values are judged when a day is built anyway: a billing row comes again with every read of the
        last twelve, and would have twelve days built anew."""
        by_table = self.days_by_table
        return set[date]().union(*(days for table, days in by_table.items() if table != "raw.meter_value"))

    @property
    def meters_by_day(self) -> dict[date, list[int]]:
        """meter_id of all that is written of a day, rising."""
        frames = [f for f in (self.registers, self.events, self.status_words) if len(f)]
        days = [*(b.day.astype("datetime64[D]") for b in self.blocks), *(f["day"].to_numpy("datetime64[D]") for f in frames)]
        meters = [*(b.meter_id for b in self.blocks), *(f["meter_id"].to_numpy(np.int32) for f in frames)]
        if not days:
            return {}
        day, meter = np.concatenate(days), np.concatenate(meters)
        return {d: np.unique(meter[day == d]).tolist() for d in np.unique(day).tolist()}


def _days(frame: pd.DataFrame) -> set[date]:
    if frame.empty:
        return set()
    return set(np.unique(frame["day"].to_numpy("datetime64[D]")).tolist())


def _sort_out(discom: DiscomContext, delivery: Delivery) -> _SortedOut:
    blocks: list[FragmentBlock] = []
    rejections = list(delivery.rejections)
    seq = 0
    for profile in delivery.profiles:
        more, bad = cut(profile, discom.meters, discom.timezone, first_seq=seq, tolerance=discom.future_tolerance)
        seq += sum(map(len, more))
        blocks += more
        rejections += bad
    registers, bad = _sound_registers(discom, delivery.registers)
    rejections += bad
    events, bad = _sound_events(discom, delivery.events)
    rejections += bad
    values, bad = _sound_values(discom, delivery.values)
    rejections += bad
    nameplates, bad = _sound_nameplates(discom, delivery.nameplates)
    rejections += bad
    status_words, bad = _sound_status_words(discom, delivery.status_words)
    rejections += bad
    accepted = (
        sum(int(np.count_nonzero(p)) for b in blocks for p in b.present.values())
        + (int(registers[list(REGISTERS)].notna().to_numpy().sum()) if len(registers) else 0)
        + len(events)
        + len(values)
        + len(nameplates)
        + len(status_words)
    )
    result = _SortedOut(blocks, registers, events, values, nameplates, status_words, rejections, accepted)
    received = delivery.values_read + delivery.values_rejected
    if result.accepted + result.rejected != received:
        raise LandingError(
            f"{delivery.source}: {received} values received, but {result.accepted} accepted and {result.rejected} rejected. "
            "Nothing was landed: this is a fault of the program, please report it with the file"
        )
    return result


def _faults(discom: DiscomContext, frame: pd.DataFrame, stamp: str) -> tuple[np.ndarray, dict[Reason, np.ndarray]]:
    """meter_id of each row and the faults that every reading may have."""
    meter = discom.meters.find(frame["serial"])
    _, bad_stamp = sane_micros(frame[stamp])
    late = (frame[stamp] > frame["received_at"] + discom.future_tolerance).to_numpy(bool, na_value=False)
    faults = {Reason.BAD_STAMP: bad_stamp, Reason.UNKNOWN_METER: meter < 0, Reason.FUTURE_STAMP: late}
    return np.append(discom.meters.meter_id, 0)[meter], faults


def _sound_registers(discom: DiscomContext, parts: Iterable[RegisterReadings]) -> tuple[pd.DataFrame, list[Rejection]]:
    """Rows with all columns of raw.register_reading that come from the source, and the rejections."""
    kept, rejections = [], []
    for part in parts:
        frame = part.frame
        there = [c for c in REGISTERS if c in frame.columns]
        meter_id, faults = _faults(discom, frame, "read_at")
        faults[Reason.BAD_STAMP] |= frame["day"].isna().to_numpy()
        bad, sound = reject(frame, "registers", faults, there)
        rejections += bad
        sound &= frame[there].notna().any(axis=1).to_numpy(bool)
        kept.append(frame.assign(meter_id=meter_id)[sound])
    columns = ["meter_id", "day", "read_at", "received_at", *REGISTERS, "md_import_at"]
    return _together(kept, columns), rejections


def _sound_events(discom: DiscomContext, parts: Iterable[MeterEvents]) -> tuple[pd.DataFrame, list[Rejection]]:
    kept, rejections = [], []
    for part in parts:
        frame = part.frame
        meter_id, faults = _faults(discom, frame, "occurred_at")
        faults[Reason.OUT_OF_RANGE] = (frame["code"].abs() > 2**31 - 1).to_numpy(bool)
        bad, sound = reject(frame, "events", faults, [])
        rejections += bad
        sound_frame = frame.assign(meter_id=meter_id)[sound]
        kept.append(sound_frame.assign(day=local_days(sound_frame["occurred_at"], discom.timezone)))
    return _together(kept, ["meter_id", "day", "occurred_at", "code", "received_at", "detail"]), rejections


def _sound_values(discom: DiscomContext, parts: Iterable[MeterValues]) -> tuple[pd.DataFrame, list[Rejection]]:
    kept, rejections = [], []
    for part in parts:
        frame = part.frame.assign(profile=part.profile)
        meter_id, faults = _faults(discom, frame, "read_at")
        faults[Reason.BAD_STAMP] |= frame["day"].isna().to_numpy()
        bad, sound = reject(frame, "values", faults, [])
        rejections += bad
        kept.append(frame.assign(meter_id=meter_id)[sound])
    columns = ["meter_id", "day", "profile", "read_at", "quantity", "zone", "value", "at", "received_at"]
    return _together(kept, columns), rejections


def _sound_nameplates(discom: DiscomContext, parts: Iterable[Nameplates]) -> tuple[pd.DataFrame, list[Rejection]]:
    kept, rejections = [], []
    for part in parts:
        meter_id, faults = _faults(discom, part.frame, "read_at")
        bad, sound = reject(part.frame, "nameplates", faults, [])
        rejections += bad
        kept.append(part.frame.assign(meter_id=meter_id)[sound])
    return _together(kept, ["meter_id", "read_at", "attribute", "text", "received_at"]), rejections


def _sound_status_words(discom: DiscomContext, parts: Iterable[StatusWords]) -> tuple[pd.DataFrame, list[Rejection]]:
    kept, rejections = [], []
    for part in parts:
        meter_id, faults = _faults(discom, part.frame, "occurred_at")
        faults[Reason.MALFORMED] = (part.frame["word"].map(len) != STATUS_WORD_OCTETS).to_numpy(bool)
        bad, sound = reject(part.frame, "status_words", faults, [])
        rejections += bad
        sound_frame = part.frame.assign(meter_id=meter_id)[sound]
        kept.append(sound_frame.assign(day=local_days(sound_frame["occurred_at"], discom.timezone)))
    return _together(kept, ["meter_id", "day", "occurred_at", "word", "received_at"]), rejections


def _together(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not frames:
        return _nothing(tuple(columns))
    return pd.concat([f.reindex(columns=columns) for f in frames], ignore_index=True)


@cache
def _nothing(columns: tuple[str, ...]) -> pd.DataFrame:
    """Most deliveries lack most kinds, and small ones should not pay for them. Not to be written to."""
    return pd.DataFrame(columns=list(columns))


# --- writing ---------------------------------------------------------------------------------------------------------------


def _ensure_months(conn: psycopg.Connection, discom: DiscomContext, sorted_out: _SortedOut) -> None:
    """Make the partitions that the rows need, before and apart from them: partitions are locked for an instant only."""
    for table, days in sorted_out.days_by_table.items():
        for month in sorted({d.replace(day=1) for d in days}):
            if (table, month) in discom.months:
                continue
            # Another loader may make the partition while we wait for its lock: then it is there.
            with suppress(psycopg.errors.DuplicateTable), conn.transaction():
                conn.execute("select ops.ensure_month(%s::regclass, %s, %s)", [table, month, month])
            discom.months.add((table, month))


def _insert_batch(
    conn: psycopg.Connection, discom: DiscomContext, hes_id: int, delivery: Delivery, sha256: bytes, sorted_out: _SortedOut
) -> int | None:
    """The new batch's id, or None where this content is landed. Waits for another loader that lands it at this moment."""
    with conn.cursor(row_factory=tuple_row) as cur:
        made = cur.execute(
            """insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at,
                                      values_received, values_accepted, values_rejected)
               values (%s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (discom_id, hes_id, content_sha256) do nothing returning batch_id""",
            [
                discom.discom_id,
                hes_id,
                _clean(delivery.source),
                sha256,
                delivery.received_at,
                sorted_out.accepted + sorted_out.rejected,
                sorted_out.accepted,
                sorted_out.rejected,
            ],
        ).fetchone()
    return made[0] if made else None


def _write(conn: psycopg.Connection, discom: DiscomContext, batch_id: int, delivery: Delivery, sorted_out: _SortedOut) -> None:
    for block in sorted_out.blocks:
        _copy(conn, "raw.profile_fragment", _fragment_columns(discom, batch_id, block))
    if len(sorted_out.registers):
        _copy(conn, "raw.register_reading", _register_columns(discom, batch_id, sorted_out.registers))
    if len(sorted_out.events):
        _copy_events(conn, discom, batch_id, sorted_out.events)
    if len(sorted_out.values):
        _copy_values(conn, discom, batch_id, sorted_out.values)
    if len(sorted_out.nameplates):
        _copy_nameplates(conn, discom, batch_id, sorted_out.nameplates)
    if len(sorted_out.status_words):
        _copy_status_words(conn, discom, batch_id, sorted_out.status_words)
    if sorted_out.rejections:
        _copy_rejections(conn, discom, batch_id, delivery, sorted_out.rejections)
    with conn.cursor() as cur:
        cur.executemany(
            "insert into raw.touched_day (discom_id, day, batch_id, meters) values (%s, %s, %s, %b)",
            [(discom.discom_id, day, batch_id, meters) for day, meters in sorted_out.meters_by_day.items()],
        )
    raise_alerts(
        conn,
        discom.discom_id,
        discom.code,
        discom.timezone,
        batch_id,
        blocks=sorted_out.blocks,
        events=sorted_out.events,
        status_words=sorted_out.status_words,
        values=sorted_out.values,
    )


def _copy(conn: psycopg.Connection, table: str, columns: dict[str, pgcopy.Column]) -> None:
    with conn.cursor() as cur, cur.copy(f"copy {table} ({', '.join(columns)}) from stdin (format binary)") as copy:
        for chunk in pgcopy.encode(list(columns.values())):
            copy.write(chunk)


def _fragment_columns(discom: DiscomContext, batch_id: int, block: FragmentBlock) -> dict[str, pgcopy.Column]:
    n = len(block)
    columns: dict[str, pgcopy.Column] = {
        "discom_id": pgcopy.constant("int2", discom.discom_id, n),
        "day": pgcopy.date(block.day),
        "meter_id": pgcopy.int4(block.meter_id),
        "start_slot": pgcopy.int2(block.start_slot),
        "interval_min": pgcopy.constant("int2", block.interval_min, n),
        "received_at": pgcopy.timestamptz(block.received_at),
        "batch_id": pgcopy.constant("int8", batch_id, n),
        "seq": pgcopy.int4(block.seq),
    }
    for c in ALL_CHANNELS:
        if c in block.values:
            columns[c] = pgcopy.int4_array(block.values[c], block.present[c])
    if block.quality is not None:
        columns["quality"] = pgcopy.int2_array(block.quality, block.quality >= 0)
    return columns


def _register_columns(discom: DiscomContext, batch_id: int, frame: pd.DataFrame) -> dict[str, pgcopy.Column]:
    n = len(frame)
    columns: dict[str, pgcopy.Column] = {
        "discom_id": pgcopy.constant("int2", discom.discom_id, n),
        "day": pgcopy.date(frame["day"].to_numpy("datetime64[D]")),
        "meter_id": pgcopy.int4(frame["meter_id"].to_numpy(np.int32)),
        "read_at": pgcopy.timestamptz(_utc(frame["read_at"])),
        "received_at": pgcopy.timestamptz(_utc(frame["received_at"])),
        "batch_id": pgcopy.constant("int8", batch_id, n),
        "seq": pgcopy.int4(np.arange(n, dtype=np.int32)),
        "md_import_at": pgcopy.timestamptz(_utc(frame["md_import_at"])),
    }
    for r in REGISTERS:
        values = frame[r].astype("Int64")
        columns[r] = pgcopy.int8(values.to_numpy(np.int64, na_value=0), values.isna().to_numpy())
    return columns


def _utc(stamps: pd.Series) -> np.ndarray:
    return pd.to_datetime(stamps, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")


def _copy_events(conn: psycopg.Connection, discom: DiscomContext, batch_id: int, frame: pd.DataFrame) -> None:
    n = len(frame)
    types = {"discom_id": "int2", "day": "date", "meter_id": "int4", "occurred_at": "timestamptz", "code": "int4"}
    types |= {"received_at": "timestamptz", "batch_id": "int8", "seq": "int4", "detail": "jsonb"}
    columns: list[Sequence[Any]] = [
        [discom.discom_id] * n,
        frame["day"].dt.date.tolist(),
        frame["meter_id"].tolist(),
        _stamps(frame["occurred_at"]),
        frame["code"].astype("int64").tolist(),
        _stamps(frame["received_at"]),
        [batch_id] * n,
        range(n),
        [Jsonb(_clean_json(d)) if isinstance(d, dict) else None for d in frame["detail"].tolist()],
    ]
    _copy_rows(conn, "raw.event", types, columns)


def _copy_rows(conn: psycopg.Connection, table: str, types: dict[str, str], columns: Iterable[Sequence[Any]]) -> None:
    """Rows with texts in them, column by column: `types` says what PostgreSQL calls each column's type."""
    with conn.cursor() as cur, cur.copy(f"copy {table} ({', '.join(types)}) from stdin (format binary)") as copy:
        copy.set_types(list(types.values()))
        for row in zip(*columns, strict=True):
            copy.write_row(row)


def _stamps(stamps: pd.Series) -> list[datetime | None]:
    """Aware datetimes, None for NaT."""
    return [None if s is pd.NaT else s for s in pd.to_datetime(stamps, utc=True).dt.to_pydatetime()]


def _copy_values(conn: psycopg.Connection, discom: DiscomContext, batch_id: int, frame: pd.DataFrame) -> None:
    n = len(frame)
    types = {"discom_id": "int2", "day": "date", "meter_id": "int4", "profile": "text", "read_at": "timestamptz", "quantity": "text"}
    types |= {
        "zone": "int2",
        "value": "int8",
        "occurred_at": "timestamptz",
        "received_at": "timestamptz",
        "batch_id": "int8",
        "seq": "int4",
    }
    columns: list[Sequence[Any]] = [
        [discom.discom_id] * n,
        frame["day"].dt.date.tolist(),
        frame["meter_id"].tolist(),
        frame["profile"].tolist(),
        _stamps(frame["read_at"]),
        frame["quantity"].tolist(),
        frame["zone"].tolist(),
        frame["value"].tolist(),
        _stamps(frame["at"]),
        _stamps(frame["received_at"]),
        [batch_id] * n,
        range(n),
    ]
    _copy_rows(conn, "raw.meter_value", types, columns)


def _copy_nameplates(conn: psycopg.Connection, discom: DiscomContext, batch_id: int, frame: pd.DataFrame) -> None:
    n = len(frame)
    types = {"discom_id": "int2", "meter_id": "int4", "read_at": "timestamptz", "attribute": "text", "value": "text"}
    types |= {"received_at": "timestamptz", "batch_id": "int8", "seq": "int4"}
    columns: list[Sequence[Any]] = [
        [discom.discom_id] * n,
        frame["meter_id"].tolist(),
        _stamps(frame["read_at"]),
        [_clean(a) for a in frame["attribute"]],
        [_clean(t) for t in frame["text"]],
        _stamps(frame["received_at"]),
        [batch_id] * n,
        range(n),
    ]
    _copy_rows(conn, "raw.nameplate", types, columns)


def _copy_status_words(conn: psycopg.Connection, discom: DiscomContext, batch_id: int, frame: pd.DataFrame) -> None:
    n = len(frame)
    types = {"discom_id": "int2", "day": "date", "meter_id": "int4", "occurred_at": "timestamptz", "word": "bytea"}
    types |= {"received_at": "timestamptz", "batch_id": "int8", "seq": "int4"}
    columns: list[Sequence[Any]] = [
        [discom.discom_id] * n,
        frame["day"].dt.date.tolist(),
        frame["meter_id"].tolist(),
        _stamps(frame["occurred_at"]),
        frame["word"].tolist(),
        _stamps(frame["received_at"]),
        [batch_id] * n,
        range(n),
    ]
    _copy_rows(conn, "raw.event_status", types, columns)


def _copy_rejections(
    conn: psycopg.Connection, discom: DiscomContext, batch_id: int, delivery: Delivery, rejections: list[Rejection]
) -> None:
    at = discom.meters.find(pd.Series([r.serial for r in rejections], dtype=object))
    meter_id = np.append(discom.meters.meter_id, 0)[at].tolist()
    sql = """copy raw.rejected (discom_id, batch_id, reason, locator, detail, payload, value_count, meter_id, stamp, received_at,
                                profile, code, record) from stdin (format binary)"""
    with conn.cursor() as cur, cur.copy(sql) as copy:
        copy.set_types(
            ["int2", "int8", "text", "text", "text", "text", "int8", "int4", "timestamptz", "timestamptz", "text", "text", "jsonb"]
        )
        for r, meter in zip(rejections, meter_id, strict=True):
            copy.write_row(
                (
                    discom.discom_id,
                    batch_id,
                    r.reason.value,
                    _clean(r.locator),
                    _clean(r.detail) or None,
                    _clean(r.payload),
                    r.values,
                    meter or None,
                    _aware(r.stamp),
                    r.received_at or delivery.received_at,
                    _clean(r.profile) if r.profile else None,
                    _clean(r.code) if r.code else None,
                    Jsonb(_clean_json(r.record)) if r.record else None,
                )
            )


def _clean(text: str) -> str:
    r"""Text that PostgreSQL can hold: NUL and lone surrogates as `\x00` and `\udc80`."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", r"\x00")


def _clean_json(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(str(k)): _clean_json(v) for k, v in value.items()}
    return [_clean_json(v) for v in value] if isinstance(value, list) else value


def _aware(stamp: datetime | None) -> datetime | None:
    return stamp.replace(tzinfo=UTC) if stamp is not None and stamp.tzinfo is None else stamp
