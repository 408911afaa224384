"""Pulls against the real process of a head-end system that misbehaves, is killed and comes back; and a puller that is killed itself.

The measure of all is an undisturbed pull: the raw tables must hold the same rows.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
import yaml

from ingestion.landing import DiscomContext
from ingestion.transports import rest
from ingestion.transports.file import FolderSummary
from ingestion.transports.rest import PullError, pull, read_meters
from ingestion.vendor import Vendor, load_vendor
from simulation import HplServer, SimulationConfig, generate
from warehouse import db
from warehouse.codes import Reason
from warehouse.registry_import import import_registry

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

IST = ZoneInfo("Asia/Kolkata")
DAYS = 2
START = date(2026, 10, 1)
SINCE, UNTIL = datetime(2026, 9, 30, tzinfo=IST), datetime(2026, 10, 8, tzinfo=IST)
TOKEN = "a token of the test"
HES = "HES-HPL"
FAST = {"backoff_s": 0.05, "attempts": 3, "timeout_s": 1, "page_deadline_s": 2, "page_size": 4, "window_h": 192}

CONTENT = """
select md5(string_agg(r, ';' order by r)), count(*) from (
    select (to_jsonb(t) - '{batch_id,seq,rejected_id,locator}'::text[])::text as r from %s t
) q
"""
"""What a table holds, whatever batch brought it."""

Content = dict[str, tuple[str | None, int]]


def content(url: str) -> Content:
    with psycopg.connect(url) as conn:
        return {t: conn.execute(CONTENT % t).fetchone() for t in ("raw.profile_fragment", "raw.register_reading", "raw.event")}  # type: ignore[misc]


def batches(url: str) -> int:
    with psycopg.connect(url) as conn:
        return conn.execute("select count(*) from raw.batch").fetchone()[0]  # type: ignore[index]


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "w"
    generate(SimulationConfig(tenants=1, feeders=1, dts=1, consumers=30, days=DAYS, start=START, clean=True), out)
    return out / "D01"


@pytest.fixture(scope="module")
def hes(tenant: Path) -> Iterator[HplServer]:
    with HplServer(tenant / "hpl", TOKEN) as server:
        yield server


@pytest.fixture
def well(hes: HplServer) -> Iterator[HplServer]:
    """The head-end system, without faults before and after."""
    yield hes
    hes.misbehave()
    hes._control("withheld", [])


@pytest.fixture
def hpl(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv("METERHOUSE_HPL_TOKEN", TOKEN)
    vendor = load_vendor("hpl")
    return dataclasses.replace(vendor, transport=vendor.transport | FAST)


def registered(tenant: Path) -> None:
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, tenant / "registry")


@pytest.fixture(scope="module")
def undisturbed(module_database: str, tenant: Path, hes: HplServer) -> Content:
    """What the raw tables hold after a pull that nothing disturbed."""
    registered(tenant)
    vendor = load_vendor("hpl")
    vendor = dataclasses.replace(vendor, transport=vendor.transport | FAST)
    with pytest.MonkeyPatch.context() as patch, db.connect() as conn:
        patch.setenv("METERHOUSE_HPL_TOKEN", TOKEN)
        summary = pull(conn, DiscomContext.load(conn, "D01"), HES, vendor, hes.url, SINCE, UNTIL)
    assert summary.landed > 10, "too few pages to disturb anything"
    assert summary.rejected == 0
    return content(module_database)


@pytest.fixture
def loader(undisturbed: Content, database: str, tenant: Path) -> Iterator[psycopg.Connection]:
    registered(tenant)
    with db.connect() as conn:
        yield conn


def run(loader: psycopg.Connection, vendor: Vendor, hes: HplServer, **more: object) -> FolderSummary:
    return pull(loader, DiscomContext.load(loader, "D01"), HES, vendor, hes.url, SINCE, UNTIL, **more)  # type: ignore[arg-type]


# --- faults that pass ---


@pytest.mark.parametrize(
    "fault",
    [
        "unavailable:every=3",
        "rate_limit:every=3,seconds=0",
        "silence:profile=block,page=2,times=1,seconds=3",
        "cut_body:every=4",
        "cut_chunks:every=4",
        "not_json:every=4",
        "endless:page=1,times=1",
        "slow_drip:page=2,times=1,seconds=20",
        "duplicate_page:profile=block,page=3,times=1",
        "shift:profile=block,page=3,times=1,amount=2",
        "shift:profile=block,page=3,times=1,amount=9",
    ],
)
def test_after_a_fault_that_passes_all_is_there_and_nothing_twice(
    loader: psycopg.Connection,
    database: str,
    undisturbed: Content,
    well: HplServer,
    hpl: Vendor,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault.startswith("endless"):
        monkeypatch.setattr(rest, "max_page_bytes", lambda: 1 << 40)  # then the deadline ends it
    well.misbehave(fault)
    summary = run(loader, hpl, well)
    assert content(database) == undisturbed
    assert summary.received == summary.accepted + summary.rejected
    assert (summary.repeated > 0) == fault.startswith(("duplicate_page", "shift")), "only a shift brings an item twice"


# --- faults that stay ---


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("unavailable", "2 attempts, the last: status 503"),
        ("rate_limit:seconds=0", "2 attempts, the last: status 429"),
        ("rate_limit:seconds=900", "asks to wait 900 s"),
        ("unauthorised", "check the environment variable METERHOUSE_HPL_TOKEN"),
        ("silence:seconds=2", "the last: ReadTimeout"),
        ("cut_body", "the last: RemoteProtocolError"),
        ("cut_chunks", "the last: RemoteProtocolError"),
        ("slow_drip:seconds=30", "the last: the answer was not whole within 2 s"),
        ("not_json", r"the answer \(text/html\) is no JSON object with 'pages': '<html>"),
        ("endless", "more than 1000000 bytes: lower transport.page_size"),
    ],
)
def test_a_fault_that_stays_ends_the_pull_and_the_next_one_goes_on(
    loader: psycopg.Connection,
    database: str,
    undisturbed: Content,
    well: HplServer,
    hpl: Vendor,
    fault: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, _, rest_of_it = fault.partition(":")
    well.misbehave(f"{kind}:profile=block,page=3,{rest_of_it}")
    monkeypatch.setenv("METERHOUSE_MAX_PAGE_BYTES", "1000000" if kind == "endless" else str(1 << 28))
    with pytest.raises(PullError, match=says) as caught:
        run(loader, dataclasses.replace(hpl, transport=hpl.transport | {"attempts": 2}), well)
    assert caught.value.summary is not None
    assert (batches(database), caught.value.summary.landed) == (2, 2), "the two pages before the fault are landed"
    well.misbehave()
    monkeypatch.delenv("METERHOUSE_MAX_PAGE_BYTES")
    asked = len(well.requests())
    run(loader, hpl, well)
    assert well.requests()[asked]["page"] == "3", "it must go on with the page that failed"
    assert content(database) == undisturbed


def test_pages_that_never_stand_still(loader: psycopg.Connection, hpl: Vendor, well: HplServer, monkeypatch: pytest.MonkeyPatch) -> None:
    well.misbehave("duplicate_page:page=2")
    summary = run(loader, hpl, well)
    assert summary.repeated > 0, "the same page twice at each turn: what there is was landed, once"
    assert summary.landed > 0


def test_a_page_number_that_is_not_heeded(loader: psycopg.Connection, hpl: Vendor, well: HplServer) -> None:
    deaf = dataclasses.replace(hpl, transport=hpl.transport | {"params": hpl.transport["params"] | {"page": "seite"}})
    with pytest.raises(PullError, match=r"say what pages before them said: check params\.page"):
        run(loader, deaf, well)


def test_a_page_that_is_too_large_is_refused_before_it_fills_the_memory(
    loader: psycopg.Connection, hpl: Vendor, well: HplServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERHOUSE_MAX_PAGE_BYTES", "20000")
    with pytest.raises(PullError, match="raise METERHOUSE_MAX_PAGE_BYTES"):
        run(loader, hpl, well)


def test_stamps_of_a_clock_that_is_slow_are_rejected_and_counted(loader: psycopg.Connection, hpl: Vendor, well: HplServer) -> None:
    well.misbehave("clock_skew:amount=-600")
    summary = run(loader, hpl, well)
    assert summary.received == summary.accepted + summary.rejected
    assert summary.rejected_by_reason.keys() == {Reason.FUTURE_STAMP}, "read before the interval ended: the clock is wrong"
    assert summary.accepted > 0


def test_a_slow_clock_of_the_head_end_system_loses_nothing(
    loader: psycopg.Connection, hpl: Vendor, well: HplServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to now by our clock is the future of a clock that is slow: what it receives until then must be asked for later."""
    far = datetime.now(IST) + timedelta(days=30)
    vendor = dataclasses.replace(hpl, transport=hpl.transport | {"window_h": 24 * 400})
    context = DiscomContext.load(loader, "D01")
    pull(loader, context, HES, vendor, well.url, SINCE, far)
    with loader.transaction():
        reached = [datetime.fromisoformat(c["complete_until"]) for (c,) in loader.execute("select cursor from ops.pull_cursor")]
    hes_now = datetime.now(IST)
    assert len(reached) == 3
    assert all(at < hes_now for at in reached), f"complete up to {reached}, where the head-end system's clock says {hes_now}"
    assert pull(loader, context, HES, vendor, well.url, None, far).landed == 0


# --- restarts ---


def test_the_head_end_system_is_killed_and_comes_back_between_pages(
    loader: psycopg.Connection, database: str, undisturbed: Content, well: HplServer, hpl: Vendor
) -> None:
    def at_page(number: int, pages: int, feed: str) -> None:
        if (feed, number) == ("block", 3):
            well.kill()
            well.start()

    run(loader, hpl, well, progress=at_page)
    assert content(database) == undisturbed


def test_the_head_end_system_is_killed_in_the_middle_of_an_answer_and_comes_back_later(
    loader: psycopg.Connection, database: str, undisturbed: Content, well: HplServer, hpl: Vendor
) -> None:
    patient = dataclasses.replace(hpl, transport=hpl.transport | {"attempts": 8, "backoff_s": 0.3, "page_deadline_s": 30, "timeout_s": 30})
    well.misbehave("slow_drip:profile=block,page=3,seconds=60")

    def crash() -> None:
        while not any(r.get("profile") == "block" and r.get("page") == "3" for r in well.requests()):
            time.sleep(0.05)
        well.kill()
        time.sleep(0.5)
        well.start()

    asked = [r for r in well.requests() if r.get("page") == "3"]
    if asked:  # the log of another test: it begins anew with the process
        well.kill()
        well.start()
        well.misbehave("slow_drip:profile=block,page=3,seconds=60")
    crasher = threading.Thread(target=crash)
    crasher.start()
    run(loader, patient, well)
    crasher.join()
    assert content(database) == undisturbed


def test_a_puller_that_is_killed_goes_on(
    loader: psycopg.Connection, database: str, undisturbed: Content, well: HplServer, hpl: Vendor, tmp_path: Path
) -> None:
    raw = yaml.safe_load(hpl.path.read_text())
    raw["vendor"] = "hpl_small"
    raw["transport"] |= FAST
    file = tmp_path / "hpl_small.yml"
    file.write_text(yaml.safe_dump(raw))
    command = [sys.executable, "-m", "cli.main", "land", "rest", "-d", "D01", "--hes", HES, "--vendor", str(file)]
    command += ["--since", f"{SINCE:%Y-%m-%dT%H:%M:%S+05:30}", "--until", f"{UNTIL:%Y-%m-%dT%H:%M:%S+05:30}", well.url]
    well.misbehave("slow:profile=block,seconds=0.3")
    for least in (2, 4):
        process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            ends = time.monotonic() + 60
            while batches(database) < least:
                assert time.monotonic() < ends, "the puller landed nothing"
                assert process.poll() is None, process.communicate()[1].decode()
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    before = batches(database)
    well.misbehave()
    asked = len(well.requests())
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first = well.requests()[asked]
    assert int(first["page"]) in (before, before + 1), "it must go on where it was killed"
    assert content(database) == undisturbed


def test_two_pulls_of_one_head_end_system_do_not_run_at_once(
    loader: psycopg.Connection, well: HplServer, hpl: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "LOCK_WAIT_S", 0.1)
    with (
        db.connect() as other,
        rest._alone(other, DiscomContext.load(other, "D01"), HES),
        pytest.raises(PullError, match="another pull of D01 HES-HPL is under way"),
    ):
        run(loader, hpl, well)
    assert run(loader, hpl, well).landed > 0


# --- history and on demand ---


def test_a_history_is_pulled_window_by_window_and_goes_on_where_it_broke(
    loader: psycopg.Connection, database: str, undisturbed: Content, well: HplServer, hpl: Vendor
) -> None:
    daily = dataclasses.replace(hpl, transport=hpl.transport | {"window_h": 24})
    context = DiscomContext.load(loader, "D01")
    running = datetime(2026, 10, 5, tzinfo=IST)
    pull(loader, context, HES, daily, well.url, None, UNTIL, first_since=running)
    well.misbehave("unavailable:profile=daily,page=2")
    with pytest.raises(PullError):
        run(loader, daily, well)
    feeds = [f for (f,) in loader.execute("select feed from ops.pull_cursor order by feed").fetchall()]
    loader.commit()
    assert len(feeds) == 4, f"the history of daily has a cursor of its own: {feeds}"
    well.misbehave()
    asked = len(well.requests())
    run(loader, daily, well)
    daily_asked = [r for r in well.requests()[asked:] if r["profile"] == "daily"]
    assert daily_asked[0]["page"] == "2", "the window that broke goes on with its page"
    assert content(database) == undisturbed
    with loader.transaction():
        cursors = dict(loader.execute("select feed, cursor->>'complete_until' from ops.pull_cursor").fetchall())
    assert set(cursors) == {"block", "daily", "event"}, "a history that is done leaves no cursor"
    assert set(map(datetime.fromisoformat, cursors.values())) == {UNTIL}, "the running pulls are where they were"


def test_single_meters_are_read_on_demand(loader: psycopg.Connection, database: str, well: HplServer, hpl: Vendor) -> None:
    context = DiscomContext.load(loader, "D01")
    serials = [
        s for (s,) in loader.execute("select serial from registry.meter where serial like 'HPL%' order by serial limit 3").fetchall()
    ]
    loader.commit()
    begin = datetime(2026, 10, 1, tzinfo=IST)
    asked = len(well.requests())
    two = dataclasses.replace(hpl, transport=hpl.transport | {"on_demand": hpl.transport["on_demand"] | {"meters_per_request": 2}})
    summary = read_meters(loader, context, HES, two, well.url, serials, begin, begin + timedelta(days=1))
    assert [r["meters"] for r in well.requests()[asked:] if r["profile"] == "block"] == [",".join(serials[:2]), serials[2]]
    rows = loader.execute(
        "select distinct m.serial, f.day, cardinality(f.import_wh) from raw.profile_fragment f join registry.meter m using (meter_id)"
    )
    assert sorted(rows) == [(s, date(2026, 10, 1), 48) for s in serials]
    registers = loader.execute("select distinct day from raw.register_reading").fetchall()
    loader.commit()
    assert registers == [(date(2026, 10, 1),)], "the midnight that closes the day, not the one that opens it"
    assert summary.rejected == 0


def test_reading_on_demand_ends_in_time(loader: psycopg.Connection, well: HplServer, hpl: Vendor) -> None:
    well.misbehave("silence:seconds=3")
    context = DiscomContext.load(loader, "D01")
    begin = datetime(2026, 10, 1, tzinfo=IST)
    slow = dataclasses.replace(hpl, transport=hpl.transport | {"timeout_s": 30, "page_deadline_s": 60})
    with pytest.raises(PullError, match=r"the time for it is up after no good answer in 1 attempts"):
        read_meters(loader, context, HES, slow, well.url, ["HPL00000001"], begin, begin + timedelta(days=1), seconds=0.5)


# --- the other style ---


def test_flat_rows_of_another_style_are_pulled_too(loader: psycopg.Connection, tenant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDAS_TOKEN", TOKEN)
    vendor = load_vendor(Path(__file__).parent / "mdas_flat.yml")
    with HplServer(tenant / "hpl", TOKEN, style="mdas", faults=("unavailable:every=5", "shift:page=2,times=1,amount=7")) as server:
        summary = pull(loader, DiscomContext.load(loader, "D01"), HES, vendor, server.url, SINCE, UNTIL)
    assert (summary.rejected, summary.repeated > 0) == (0, True)
    flat = loader.execute("select sum((select sum(v) from unnest(import_wh) v))::bigint from raw.profile_fragment").fetchone()
    loader.commit()
    assert flat is not None
    lines = (tenant / "hpl" / "block.jsonl").read_text().splitlines()
    true = sum(entry[1] for line in lines for entry in json.loads(line)["entries"])
    assert flat[0] == true, "the names say kWh, the values are Wh: the vendor file's unit counts"
