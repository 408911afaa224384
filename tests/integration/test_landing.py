"""Landing in a real PostgreSQL: what is written, what is refused, what two loaders do to each other, and what survives kills."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from ingestion import pgcopy
from ingestion.canonical import (
    Delivery,
    MeterEvents,
    MeterValues,
    Nameplates,
    ProfileReadings,
    RegisterReadings,
    Rejection,
    StatusWords,
)
from ingestion.landing import DiscomContext, LandingError, land, land_all
from ingestion.replay import replay
from warehouse import db
from warehouse.codes import Reason
from warehouse.embedded import EmbeddedError, EmbeddedServer

pytestmark = pytest.mark.integration

MIDNIGHT = datetime(2026, 9, 30, 18, 30, tzinfo=UTC)
"""Of 2026-10-01 in India."""
DAY = date(2026, 10, 1)
RECEIVED = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)


def registry(meters: int = 20) -> None:
    """A DISCOM `acme` with two head-end systems and 30-minute meters M0001, M0002, …"""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute(
            """insert into registry.hes (discom_id, code, vendor)
               select discom_id, c, 'vendor_b' from registry.discom, unnest(array['h1', 'h2']) c"""
        )
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || to_char(n, 'FM0000'), hes_id, 'D1', 30
               from registry.hes, generate_series(1, %s) n where code = 'h1'""",
            [meters],
        )


@pytest.fixture
def loader(database: str) -> Iterator[psycopg.Connection]:
    registry()
    with db.connect() as conn:
        yield conn


@pytest.fixture
def acme(loader: psycopg.Connection) -> DiscomContext:
    return DiscomContext.load(loader, "acme")


def block(meters: int = 20, slots: int = 48, start: datetime = MIDNIGHT, first_serial: int = 1) -> ProfileReadings:
    serial = [f"M{first_serial + m:04}" for m in range(meters) for _ in range(slots)]
    frame = pd.DataFrame(
        {
            "serial": pd.Series(serial, dtype="str"),
            "start": pd.to_datetime([start + timedelta(minutes=30 * i) for i in range(slots)] * meters, utc=True).as_unit("us"),
            "received_at": pd.Series([RECEIVED] * len(serial), dtype="datetime64[us, UTC]"),
            "locator": [f"line {i + 2}" for i in range(len(serial))],
            "import_wh": pd.array(range(len(serial)), dtype="Int64"),
            "voltage_dv": pd.array([2300] * len(serial), dtype="Int64"),
        }
    )
    return ProfileReadings(frame, 30)


def registers(serials: list[str], **columns: list[int | None]) -> RegisterReadings:
    n = len(serials)
    frame = pd.DataFrame(
        {
            "serial": pd.Series(serials, dtype="str"),
            "read_at": pd.Series([MIDNIGHT + timedelta(days=1)] * n, dtype="datetime64[us, UTC]"),
            "day": pd.Series([pd.Timestamp(DAY)] * n, dtype="datetime64[us]"),
            "received_at": pd.Series([RECEIVED] * n, dtype="datetime64[us, UTC]"),
            "locator": [f"line {i + 2}" for i in range(n)],
        }
    )
    for name, values in columns.items():
        frame[name] = pd.array(values, dtype="Int64")
    return RegisterReadings(frame)


def events(rows: list[tuple[str, datetime, int, dict | None]]) -> MeterEvents:
    frame = pd.DataFrame(
        {
            "serial": pd.Series([r[0] for r in rows], dtype="str"),
            "occurred_at": pd.Series([r[1] for r in rows], dtype="datetime64[us, UTC]"),
            "code": [r[2] for r in rows],
            "received_at": pd.Series([RECEIVED] * len(rows), dtype="datetime64[us, UTC]"),
            "locator": [f"line {i + 2}" for i in range(len(rows))],
            "detail": pd.Series([r[3] for r in rows], dtype=object),
        }
    )
    return MeterEvents(frame)


def delivery(name: str, **parts: list) -> Delivery:
    return Delivery(source=name, content_sha256=hashlib.sha256(name.encode()).digest(), received_at=RECEIVED, **parts)


def rows(conn: psycopg.Connection, sql: str) -> list[tuple]:
    with conn.transaction():
        return conn.execute(sql).fetchall()


def total(conn: psycopg.Connection, sql: str) -> int:
    return rows(conn, sql)[0][0]


def test_a_delivery_lands_whole(loader: psycopg.Connection, acme: DiscomContext) -> None:
    d = delivery(
        "all.csv",
        profiles=[block()],
        registers=[registers(["M0001", "M0002"], import_wh=[2**40, None], export_wh=[5, None])],
        events=[events([("M0003", MIDNIGHT, 101, None), ("M0003", MIDNIGHT, 102, {"why": "nul \x00 here"})])],
    )
    result = land(loader, acme, acme.hes_id("h1"), d)
    assert (result.received, result.accepted, result.rejected) == (20 * 48 * 2 + 2 + 2,) * 2 + (0,)
    assert result.days == {DAY}
    assert not result.duplicate

    fragments = rows(loader, "select meter_id, start_slot, interval_min, seq, import_wh, voltage_dv, export_wh from raw.profile_fragment")
    assert len(fragments) == 20
    by_serial = dict(rows(loader, "select meter_id, serial from registry.meter"))
    for meter_id, start_slot, interval, _, import_wh, voltage, export in fragments:
        n = int(by_serial[meter_id][1:]) - 1
        assert (start_slot, interval, import_wh) == (0, 30, list(range(n * 48, n * 48 + 48))), by_serial[meter_id]
        assert voltage == [2300] * 48
        assert export is None, "a channel that was not sent is NULL, not an array of NULLs"
    assert {f[3] for f in fragments} == set(range(20)), "seq must tell the fragments of a batch apart"
    assert rows(loader, "select day, read_at, import_wh, export_wh, md_import_at from raw.register_reading") == [
        (DAY, MIDNIGHT + timedelta(days=1), 2**40, 5, None)
    ], "a row of registers without a value is not landed"
    assert rows(loader, "select day, code, detail from raw.event order by code") == [
        (DAY, 101, None),
        (DAY, 102, {"why": r"nul \x00 here"}),
    ]
    assert rows(loader, "select day, batch_id from raw.touched_day") == [(DAY, result.batch_id)]
    assert rows(loader, "select source, values_received, values_accepted, values_rejected, received_at from raw.batch") == [
        ("all.csv", 1924, 1924, 0, RECEIVED)
    ]


def test_the_same_content_lands_once(loader: psycopg.Connection, acme: DiscomContext) -> None:
    first = land(loader, acme, acme.hes_id("h1"), delivery("x", profiles=[block(1)]))
    again = land(loader, acme, acme.hes_id("h1"), delivery("x", profiles=[block(1)]))
    assert (again.duplicate, again.batch_id, again.accepted) == (True, first.batch_id, 0)
    assert total(loader, "select count(*) from raw.profile_fragment") == 1
    other = land(loader, acme, acme.hes_id("h2"), delivery("x", profiles=[block(1)]))
    assert not other.duplicate, "the same content from another head-end system is another delivery"


def test_what_is_not_understood_is_kept_with_its_reason(loader: psycopg.Connection, acme: DiscomContext) -> None:
    d = delivery(
        "bad.csv",
        profiles=[block(2, 2, first_serial=20)],
        registers=[registers(["M0001", "nobody"], import_wh=[1, 2], export_wh=[1, None])],
        events=[events([("M0001", RECEIVED + timedelta(hours=1), 7, None), ("M0001", MIDNIGHT, 8, None)])],
        rejections=[Rejection(Reason.MALFORMED, "line 9", "a\x00b\udc80", values=3, detail="")],
    )
    result = land(loader, acme, acme.hes_id("h1"), d)
    assert result.rejected_by_reason == {Reason.UNKNOWN_METER: 5, Reason.FUTURE_STAMP: 1, Reason.MALFORMED: 3}
    assert (result.received, result.accepted, result.rejected) == (8 + 3 + 2 + 3, 7, 9)
    kept = rows(
        loader, "select reason, locator, payload, value_count, meter_id is not null, stamp, received_at from raw.rejected order by 1, 2, 3"
    )
    assert kept == [
        (
            "FUTURE_STAMP",
            "line 2",
            "serial=M0001, occurred_at=2026-10-02T02:00:00+00:00, code=7",
            1,
            True,
            RECEIVED + timedelta(hours=1),
            RECEIVED,
        ),
        ("MALFORMED", "line 9", r"a\x00b\udc80", 3, False, None, RECEIVED),
        ("UNKNOWN_METER", "line 3", kept[2][2], 1, False, MIDNIGHT + timedelta(days=1), RECEIVED),
        (
            "UNKNOWN_METER",
            "line 4",
            "serial=M0021, start=2026-09-30T18:30:00+00:00, import_wh=2, voltage_dv=2300",
            2,
            False,
            MIDNIGHT,
            RECEIVED,
        ),
        ("UNKNOWN_METER", "line 5", kept[4][2], 2, False, MIDNIGHT + timedelta(minutes=30), RECEIVED),
    ]


def test_a_delivery_of_nothing_is_remembered_too(loader: psycopg.Connection, acme: DiscomContext) -> None:
    result = land(loader, acme, acme.hes_id("h1"), delivery("empty"))
    assert (result.received, result.days) == (0, set())
    assert land(loader, acme, acme.hes_id("h1"), delivery("empty")).duplicate


def test_content_that_was_rejected_whole_lands_once_its_meters_are_there(loader: psycopg.Connection, acme: DiscomContext) -> None:
    def stranger() -> Delivery:
        return delivery("early", profiles=[block(1, 2, first_serial=99)])

    first = land(loader, acme, acme.hes_id("h1"), stranger())
    again = land(loader, acme, acme.hes_id("h1"), stranger())
    assert (first.rejected, again.duplicate, again.batch_id) == (4, True, first.batch_id), "nothing new can be accepted: it is a duplicate"
    with db.connect("meterhouse_owner") as owner:
        owner.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M0099', hes_id, 'D1', 30 from registry.hes where code = 'h1'"""
        )
    acme = DiscomContext.load(loader, "acme")
    second = land(loader, acme, acme.hes_id("h1"), stranger())
    assert (second.duplicate, second.accepted) == (False, 4)
    third = land(loader, acme, acme.hes_id("h1"), stranger())
    assert (third.duplicate, third.batch_id) == (True, second.batch_id)
    assert total(loader, "select count(*) from raw.profile_fragment") == 1


def test_days_of_several_months_make_their_partitions(loader: psycopg.Connection, acme: DiscomContext) -> None:
    old = block(1, 1, start=datetime(2009, 3, 1, tzinfo=UTC))
    land(loader, acme, acme.hes_id("h1"), delivery("months", profiles=[block(1, 1), old]))
    assert rows(loader, "select tableoid::regclass::text from raw.profile_fragment order by 1") == [
        ("raw.profile_fragment_200903",),
        ("raw.profile_fragment_202610",),
    ]
    assert total(loader, "select count(*) from raw.touched_day") == 2


def test_a_failure_leaves_nothing_behind(loader: psycopg.Connection, acme: DiscomContext) -> None:
    def fail(_: psycopg.Connection) -> None:
        raise RuntimeError("the cursor could not be moved")

    with pytest.raises(RuntimeError, match="cursor"):
        land(loader, acme, acme.hes_id("h1"), delivery("x", profiles=[block(3)]), within=fail)
    for table in ("batch", "profile_fragment", "touched_day", "rejected"):
        assert total(loader, f"select count(*) from raw.{table}") == 0, f"raw.{table} holds rows of a landing that failed"
    assert not land(loader, acme, acme.hes_id("h1"), delivery("x", profiles=[block(3)])).duplicate


def test_a_transaction_that_is_open_is_refused(loader: psycopg.Connection, acme: DiscomContext) -> None:
    loader.execute("select 1")
    with pytest.raises(LandingError, match="commit it or roll it back"):
        land(loader, acme, acme.hes_id("h1"), delivery("x"))


def test_unknown_codes_are_named_with_the_known_ones(loader: psycopg.Connection, acme: DiscomContext) -> None:
    with pytest.raises(LandingError, match="known: acme"):
        DiscomContext.load(loader, "acne")
    with pytest.raises(LandingError, match="known: h1, h2"):
        acme.hes_id("h3")


def test_two_loaders_of_one_content_end_with_one_batch(loader: psycopg.Connection, acme: DiscomContext) -> None:
    barrier = threading.Barrier(4)
    outcomes: list[bool] = []

    def run() -> None:
        with db.connect() as conn:
            barrier.wait()
            outcomes.append(land(conn, acme, acme.hes_id("h1"), delivery("same", profiles=[block()])).duplicate)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sorted(outcomes) == [False, True, True, True], "exactly one of the loaders may land it"
    assert total(loader, "select count(*) from raw.batch") == 1
    assert total(loader, "select count(*) from raw.profile_fragment") == 20


def test_many_deliveries_land_side_by_side_in_their_order(loader: psycopg.Connection, acme: DiscomContext) -> None:
    asked = []

    def deliveries() -> Iterator[Delivery]:
        for n in range(8):
            asked.append(n)
            yield delivery(f"{n % 7}", profiles=[block(20 - n, 1, start=MIDNIGHT - timedelta(days=31 * (n % 2)))])

    results = land_all(db.connect, acme, acme.hes_id("h1"), deliveries(), workers=2)
    assert not asked, "nothing is landed before a result is asked for"
    first = next(results)
    assert asked == [0, 1, 2], "no more are held than are under way and one that waits"
    landed = [first, *results]
    assert [r.accepted for r in landed[:7]] == [2 * (20 - n) for n in range(7)]
    assert landed[7].duplicate, "content that was landed before is known, as by land"
    assert landed[7].batch_id == landed[0].batch_id
    assert total(loader, "select sum(values_accepted) from raw.batch") == sum(r.accepted for r in landed)
    assert total(loader, "select count(*) from raw.profile_fragment") == sum(20 - n for n in range(7))


def test_the_first_error_ends_the_rest_and_names_its_source(loader: psycopg.Connection, acme: DiscomContext) -> None:
    def deliveries() -> Iterator[Delivery]:
        for n in range(20):
            broken = block(1, 1)
            if n == 2:
                del broken.frame["start"]
            yield delivery(f"no {n}", profiles=[broken])

    taken = []
    with pytest.raises(KeyError) as raised:
        taken.extend(r for r in land_all(db.connect, acme, acme.hes_id("h1"), deliveries()))
    assert raised.value.__notes__ == ["while landing no 2"]
    landed = {r[0] for r in rows(loader, "select source from raw.batch")}
    assert {"no 0", "no 1"} <= landed <= {"no 0", "no 1", "no 3", "no 4"}, "what was not begun must not be landed"
    with db.connect("meterhouse_owner") as owner:
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and pid <> %s"
        assert owner.execute(others, [loader.info.backend_pid]).fetchone() == (0,), "the connections of the workers are closed"


def test_binary_copy_is_understood_by_postgresql(loader: psycopg.Connection) -> None:
    """Every type with NULLs, negatives and days before 2000, in many small chunks, read back by the server."""
    rng = np.random.default_rng(3)
    n, length = 301, 7
    wide = rng.integers(-(2**31), 2**31, (n, length))
    present = rng.random((n, length)) > 0.3
    present[::10], present[5::10] = False, True
    null = rng.random(n) > 0.5
    big = rng.integers(-(2**62), 2**62, n)
    days = np.datetime64("1999-06-01") + np.arange(n)
    stamps = np.datetime64("1999-12-31T23:59:59.999999", "us") + rng.integers(-(10**15), 10**15, n)
    small = wide.astype(np.int16)
    columns = [
        pgcopy.int4(np.arange(n)),
        pgcopy.int2(small[:, 0], null),
        pgcopy.int8(big, null),
        pgcopy.date(days),
        pgcopy.timestamptz(np.where(null, np.datetime64("NaT"), stamps)),
        pgcopy.int4_array(wide, present),
        pgcopy.Null(n),
        pgcopy.int2_array(small, present),
    ]
    loader.execute("create temp table t (i int4, s int2, b int8, d date, ts timestamptz, a int4[], nothing int4[], q int2[])")
    with loader.cursor() as cur, cur.copy("copy t from stdin (format binary)") as copy:
        for chunk in pgcopy.encode(columns, chunk_octets=5_000):
            copy.write(chunk)

    def array(values: np.ndarray, i: int) -> list[int | None] | None:
        return [int(v) if ok else None for v, ok in zip(values[i], present[i], strict=True)] if present[i].any() else None

    for i, s, b, d, ts, a, nothing, q in loader.execute("select * from t order by i").fetchall():
        assert (s, b) == ((None, None) if null[i] else (small[i, 0], big[i])), f"row {i}"
        assert d == days[i].item(), f"row {i}"
        assert ts == (None if null[i] else stamps[i].item().replace(tzinfo=UTC)), f"row {i}"
        assert (a, nothing, q) == (array(wide, i), None, array(small, i)), f"row {i}"


# --- kills ---

LOADER = """
import sys, time
from pathlib import Path
import psycopg
from ingestion.landing import DiscomContext
from ingestion.transports.file import land_folder
from ingestion.vendor import load_vendor
from warehouse import db

folder, vendor = Path(sys.argv[1]), load_vendor("vendor_b")
print("ready", flush=True)
while True:
    try:
        with db.connect() as conn:
            land_folder(conn, DiscomContext.load(conn, "acme"), "h1", vendor, folder)
            time.sleep(0.01)
    except psycopg.OperationalError:
        time.sleep(0.05)
"""


def start_loader(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", LOADER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", "the loader did not start"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def kill_server(server: EmbeddedServer) -> None:
    """The postmaster and all that it started, at once, then started again."""
    pid = server.status().pid
    assert pid is not None
    children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for each in (pid, *children):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    for _ in range(50):
        with suppress(EmbeddedError):
            server.start()
            return
        time.sleep(0.1)
    pytest.fail("PostgreSQL does not start again after it was killed")


class Source:
    """Writes files of 20 meters and one day each, of which one meter is unknown; no two have a slot in common."""

    METERS, VALUES_A_LINE = 20, 4

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: dict[str, int] = {}
        """Sum of import_wh of the known meters, by name."""

    def write(self, files: int) -> None:
        header = "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE"
        for _ in range(files):
            k = len(self.written)
            day = datetime(2025, 1, 20) + timedelta(days=k)
            lines, total = [header], 0
            for m in range(1, self.METERS + 1):
                for slot in range(1, 49):
                    wh = k + m + slot
                    total += wh if m < self.METERS else 0
                    serial = f"M{m:04}" if m < self.METERS else "STRANGER"
                    lines.append(f"{serial},{day + timedelta(minutes=30 * slot):%d-%m-%Y %H:%M:%S},{wh / 1000:.3f},0.000,0.001,230.0")
            name = f"blockload_{day + timedelta(days=1):%Y%m%d}_010000.csv"
            part = self.folder / f"{name}.part"
            part.write_text("\n".join(lines) + "\n")
            part.rename(self.folder / name)
            self.written[name] = total

    @property
    def waiting(self) -> int:
        return len(list(self.folder.glob("*.csv")))


@pytest.mark.heavy
def test_every_file_lands_exactly_once_over_twenty_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loader and server are killed by turns at random instants. The server has production's durable settings, not the tests' fast ones."""
    home = Path(tempfile.mkdtemp(prefix="meterhouse-crash-"))
    home.chmod(0o755)
    server = EmbeddedServer(home, {"shared_buffers": "64MB"})
    folder = home / "drop"
    folder.mkdir()
    source = Source(folder)
    loader = None
    try:
        server.start()
        url = server.url()
        monkeypatch.setenv("METERHOUSE_DATABASE_URL", url)
        db.migrate()
        registry()
        source.write(10)
        loader = start_loader(folder)
        for n in range(20):
            if source.waiting < 10:
                source.write(15)
            time.sleep(random.uniform(0.02, 0.5))
            if n % 2:
                kill_server(server)
                assert server.url() == url, "the loader knows the server by its address"
            else:
                kill(loader)
                loader = start_loader(folder)
        deadline = time.monotonic() + 120
        while source.waiting and time.monotonic() < deadline:
            assert loader.poll() is None, "the loader ended by itself"
            time.sleep(0.1)
        assert source.waiting == 0, f"{source.waiting} files were not landed in time"
        kill(loader)

        known, lines = source.METERS - 1, 48
        accepted, rejected = known * lines * source.VALUES_A_LINE, lines * source.VALUES_A_LINE
        with db.connect() as conn:
            batches = rows(conn, "select source, values_received, values_accepted, values_rejected from raw.batch order by source")
            assert batches == [(name, accepted + rejected, accepted, rejected) for name in sorted(source.written)]
            sums = """select b.source, sum((select sum(v) from unnest(f.import_wh) v))::bigint, sum(cardinality(f.import_wh))
                      from raw.batch b left join raw.profile_fragment f using (discom_id, batch_id) group by 1 order by 1"""
            expected = [(name, wh, known * lines) for name, wh in sorted(source.written.items())]
            assert rows(conn, sums) == expected, "totals in the warehouse are not those of the files"
            twice = "select count(*) - count(distinct (meter_id, day)) from raw.profile_fragment"
            assert total(conn, twice) == 0, "a meter-day was landed twice"
            orphans = (
                "select count(*) from raw.profile_fragment f where not exists (select 1 from raw.batch b where b.batch_id = f.batch_id)"
            )
            assert total(conn, orphans) == 0, "fragments without a batch: a transaction was torn"
            assert total(conn, "select sum(value_count) from raw.rejected") == rejected * len(batches)
            assert total(conn, "select count(*) from raw.touched_day") == len(batches)
        assert sorted(p.name for p in (folder / "done").iterdir()) == sorted(source.written), "each file is put away once"
        assert not list((folder / "failed").iterdir())
    finally:
        if loader is not None:
            kill(loader)
        server.destroy()
        shutil.rmtree(home, ignore_errors=True)


def test_every_further_kind_lands_in_its_table(loader: psycopg.Connection) -> None:
    """A billing row with a maximum demand, a nameplate, status words, a channel that no rule judges; and of each one that is refused."""
    at, closed = pd.Timestamp(MIDNIGHT), pd.Timestamp("2026-09-30")
    both = {"serial": ["M0001", "NOBODY"], "received_at": [pd.Timestamp(RECEIVED)] * 2, "locator": ["a", "b"]}
    delivery = Delivery("x", b"further kinds", RECEIVED)
    demand_at = pd.to_datetime(["2026-09-12T13:30:00Z", None])
    delivery.values.append(
        MeterValues(
            pd.DataFrame({**both, "read_at": at, "day": closed, "quantity": "md_import_w", "zone": 3, "value": [4200, 1], "at": demand_at}),
            "billing",
        )
    )
    delivery.nameplates.append(Nameplates(pd.DataFrame({**both, "read_at": at, "attribute": "firmware", "text": "V1\x00"})))
    delivery.status_words.append(StatusWords(pd.DataFrame({**both, "occurred_at": at, "word": [bytes(16), bytes(16)]})))
    delivery.status_words.append(
        StatusWords(pd.DataFrame({**both, "serial": "M0002", "occurred_at": at, "word": [bytes(15), b"\x80" + bytes(15)]}))
    )
    block = {"serial": ["M0001"], "start": [at], "received_at": [pd.Timestamp(RECEIVED)], "locator": ["a"]}
    delivery.profiles.append(ProfileReadings(pd.DataFrame({**block, "import_wh": [5], "q4_varh": [7]}), 30))
    context = DiscomContext.load(loader, "acme")

    result = land(loader, context, context.hes_id("h1"), delivery)

    assert (result.received, result.accepted, result.rejected) == (10, 6, 4)
    assert result.rejected_by_reason == {Reason.UNKNOWN_METER: 3, Reason.MALFORMED: 1}
    assert result.days == {DAY}, "only days that a build reads may be touched: here that of the block"
    landed = loader.execute("select day, profile, quantity, zone, value, occurred_at from raw.meter_value").fetchall()
    assert landed == [(date(2026, 9, 30), "billing", "md_import_w", 3, 4200, datetime(2026, 9, 12, 13, 30, tzinfo=UTC))]
    assert loader.execute("select attribute, value from raw.nameplate").fetchall() == [("firmware", "V1\\x00")]
    assert loader.execute("select word from raw.event_status order by word").fetchall() == [(bytes(16),), (b"\x80" + bytes(15),)]
    assert loader.execute("select import_wh, q4_varh, q1_varh from raw.profile_fragment").fetchall() == [([5], [7], None)]


def test_what_only_the_registry_did_not_know_is_replayed_once(loader: psycopg.Connection) -> None:
    """One value of each kind of a meter that is registered later, beside one that never is; a second replay finds nothing."""
    at, received = pd.Timestamp(MIDNIGHT), pd.Timestamp(RECEIVED)
    both = {"serial": ["LATE", "NOBODY"], "received_at": [received] * 2, "locator": ["a", "b"]}
    demand_at = pd.to_datetime([MIDNIGHT, None], utc=True)
    delivery = Delivery("x", b"of an unknown meter", RECEIVED)
    starts = [at, at + pd.Timedelta(minutes=30)]
    blocks = {"serial": "LATE", "start": starts, "received_at": received, "locator": "c", "import_wh": [5, 6], "quality": [0, 6]}
    delivery.profiles.append(ProfileReadings(pd.DataFrame(blocks), 30))
    delivery.profiles.append(ProfileReadings(pd.DataFrame({**both, "start": at, "import_wh": pd.array([7, None], "Int64")}), None))
    register = {**both, "read_at": at, "day": pd.Timestamp("2026-09-30"), "import_wh": 2**40, "md_import_at": demand_at}
    delivery.registers.append(RegisterReadings(pd.DataFrame(register)))
    delivery.events.append(MeterEvents(pd.DataFrame({**both, "occurred_at": at, "code": 101, "detail": [{"phase": "R"}, None]})))
    value = {**both, "read_at": at, "day": pd.Timestamp("2026-09-30"), "quantity": "md_import_w", "zone": 3, "value": 9, "at": demand_at}
    delivery.values.append(MeterValues(pd.DataFrame(value), "billing"))
    delivery.nameplates.append(Nameplates(pd.DataFrame({**both, "read_at": at, "attribute": "firmware", "text": "V1"})))
    delivery.status_words.append(StatusWords(pd.DataFrame({**both, "occurred_at": at, "word": [b"\x80" + bytes(15)] * 2})))
    context = DiscomContext.load(loader, "acme")
    result = land(loader, context, context.hes_id("h2"), delivery)
    assert (result.accepted, result.rejected_by_reason) == (0, {Reason.UNKNOWN_METER: 13})
    assert replay(loader, context).files == 0, "a meter that is not registered cannot land"
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'LATE', hes_id, 'D1', 30 from registry.hes where code = 'h2'"""
        )
    context = DiscomContext.load(loader, "acme")

    summary = replay(loader, context)

    assert (summary.accepted, summary.rejected, summary.days) == (8, 0, {DAY, date(2026, 9, 30)})
    late = int(context.meters.meter_id[context.meters.serials.get_loc("LATE")])
    fragments = loader.execute(
        "select meter_id, start_slot, import_wh, quality, received_at from raw.profile_fragment order by seq"
    ).fetchall()
    assert fragments == [(late, 0, [5, 6], [0, 6], RECEIVED), (late, 0, [7], None, RECEIVED)], "as if the meter had been known"
    assert loader.execute("select day, import_wh, md_import_at from raw.register_reading").fetchall() == [
        (date(2026, 9, 30), 2**40, MIDNIGHT)
    ]
    assert loader.execute("select code, detail from raw.event").fetchall() == [(101, {"phase": "R"})]
    assert loader.execute("select profile, quantity, zone, value, occurred_at from raw.meter_value").fetchall() == [
        ("billing", "md_import_w", 3, 9, MIDNIGHT)
    ]
    assert loader.execute("select attribute, value from raw.nameplate").fetchall() == [("firmware", "V1")]
    assert loader.execute("select word from raw.event_status").fetchall() == [(b"\x80" + bytes(15),)]
    assert loader.execute("select distinct hes_id from raw.batch").fetchall() == [(context.hes_id("h2"),)]
    assert replay(loader, context).files == 0, "a second replay must find nothing to do"


def test_a_wrong_interval_is_replayed_once_the_registry_has_the_right_one(loader: psycopg.Connection) -> None:
    context = DiscomContext.load(loader, "acme")
    blocks = {"serial": "M0001", "start": [pd.Timestamp(MIDNIGHT)], "received_at": pd.Timestamp(RECEIVED), "locator": "a", "import_wh": [5]}
    delivery = Delivery("x", b"fifteen minutes", RECEIVED, profiles=[ProfileReadings(pd.DataFrame(blocks), 15)])
    assert land(loader, context, context.hes_id("h1"), delivery).rejected_by_reason == {Reason.WRONG_INTERVAL: 1}
    assert replay(loader, context).files == 0
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update registry.meter set interval_min = 15 where serial = 'M0001'")
    assert replay(loader, DiscomContext.load(loader, "acme")).accepted == 1
    assert loader.execute("select interval_min, import_wh from raw.profile_fragment").fetchall() == [(15, [5])]
