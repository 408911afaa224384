"""Meters that are read directly and that push: simulated meters in a process of their own, and a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from typer.testing import CliRunner

from cli.main import app
from ingestion import pulls
from ingestion.dlms.security import KeyStore
from ingestion.landing import DiscomContext, LandingError
from ingestion.transports.dlms import DlmsMeter, endpoints, read_meters
from ingestion.transports.dlms_push import PushListener
from ingestion.transports.file import FolderSummary
from ingestion.vendor import Vendor, load_vendor
from simulation.dlms import DlmsServer
from simulation.dlms.push import PushOptions, notification
from warehouse import db
from warehouse.registry_import import import_registry

pytestmark = pytest.mark.integration

IST = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 10, 8, 10, 7)
SERIALS = ["SIM00000001", "SIM00000002", "SIM00000003"]
SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=IST), datetime(2026, 10, 4, tzinfo=IST)
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dlms")


@pytest.fixture(scope="module")
def park(folder: Path) -> Iterator[DlmsServer]:
    with DlmsServer(meters=3, categories="D1,D2,D3", clock=NOW, folder=folder) as running:
        yield running
        running.stop()


@pytest.fixture
def meters(park: DlmsServer) -> Iterator[DlmsServer]:
    yield park
    for n in (1, 2, 3):
        park.order("clear", meter=n)


@pytest.fixture
def conn(database: str, park: DlmsServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A loader's connection to a warehouse where the three meters are registered, with the endpoints that the simulation wrote."""
    monkeypatch.setenv("METERHOUSE_DLMS_KEYS", str(folder / "keys.json"))
    sims = [park.meter(n) for n in (1, 2, 3)]
    master = {
        "discom": "code,name,timezone\nacme,Acme,Asia/Kolkata\n",
        "office": "code,name,level,parent_code\nS1,Section 1,section,\n",
        "service_point": "code,office_code,category,sanctioned_load_w,supply_phases\n"
        + "".join(f"P{s.number},S1,LT,5000,1\n" for s in sims),
        "hes": "code,vendor,max_concurrent\nDLMS,dlms,2\n",
        "meter": "serial,hes_code,make,firmware,category,interval_min,voltage_v,i_max_a,register_lsb_wh\n"
        + "".join(f"{s.serial},DLMS,{s.make},{s.firmware},{s.category},30,230,60,{10**s.register_scaler}\n" for s in sims),
        "installation": "meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf\n"
        + "".join(f"{s.serial},2026-01-01,,P{s.number},,,1\n" for s in sims),
    }
    for name, text in master.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    with db.connect("meterhouse_owner") as owner:
        import_registry(owner, folder)
    with db.connect() as loader:
        yield loader


@pytest.fixture
def acme(conn: psycopg.Connection) -> DiscomContext:
    return DiscomContext.load(conn, "acme")


def rows(conn: psycopg.Connection, sql: str, *values: Any) -> list[Any]:
    with conn.transaction():
        return conn.execute(sql, values).fetchall()


def hurried(**transport: Any) -> Vendor:
    vendor = load_vendor("dlms")
    return dataclasses.replace(vendor, transport=vendor.transport | {"timeout_s": 5, "backoff_s": 0.2, **transport})


def read(conn: psycopg.Connection, acme: DiscomContext, *profiles: str, vendor: Vendor | None = None, **how: Any) -> FolderSummary:
    window = {"since": SINCE, "until": UNTIL} | how
    return read_meters(conn, acme, "DLMS", vendor or hurried(), window.pop("serials", None), profiles or None, **window)


def landed_blocks(conn: psycopg.Connection) -> dict[tuple[str, date], list[int]]:
    found = rows(
        conn,
        """select serial, day, start_slot, import_wh from raw.profile_fragment join registry.meter using (discom_id, meter_id)
           order by serial, day, start_slot""",
    )
    days: dict[tuple[str, date], list[int]] = {}
    for serial, day, _, values in found:
        days.setdefault((serial, day), []).extend(values)
    return days


def true_blocks(
    meters: DlmsServer, numbers: tuple[int, ...] = (1, 2, 3), days: tuple[int, ...] = (1, 2, 3)
) -> dict[tuple[str, date], list[int]]:
    out = {}
    for sim in (meters.meter(n) for n in numbers):
        for day in days:
            first = sim.block_index(datetime(2026, 10, day)) + 1
            out[sim.serial, date(2026, 10, day)] = [sim.block("import_wh", first + i) for i in range(48)]
    return out


def counts_hold(conn: psycopg.Connection) -> bool:
    return rows(conn, "select bool_and(values_received = values_accepted + values_rejected) from raw.batch")[0][0]


# --- reading ---


def test_block_loads_and_registers_land_as_the_meters_counted_them(
    conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer
) -> None:
    seen: list[tuple[int, int]] = []
    summary = read(conn, acme, "block", "daily", progress=lambda done, total, _: seen.append((done, total)))
    assert (summary.failed, summary.failures) == (0, {})
    assert sorted(seen) == [(1, 3), (2, 3), (3, 3)]
    assert landed_blocks(conn) == true_blocks(meters)
    registers = rows(
        conn,
        """select serial, day, r.import_wh, r.export_wh, r.import_vah from raw.register_reading r
           join registry.meter using (discom_id, meter_id) order by serial, day""",
    )
    expected = []
    for sim in (meters.meter(n) for n in (1, 2, 3)):
        lsb = 10**sim.register_scaler
        for day in (1, 2, 3):
            midnight = datetime(2026, 10, day + 1)
            values = (sim.register(c, midnight) // lsb * lsb for c in ("import_wh", "export_wh", "import_vah"))
            expected.append((sim.serial, date(2026, 10, day), *values))
    # (SINCE, UNTIL] holds the midnights of the 2nd, 3rd and 4th, which close the 1st to the 3rd.
    assert registers == expected
    assert summary.received == summary.accepted + summary.rejected
    assert counts_hold(conn)


def test_a_second_read_of_the_same_days_adds_nothing(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    first = read(conn, acme, "block", "daily", "event")
    again = read(conn, acme, "block", "daily", "event")
    assert (again.landed, again.received, again.duplicates) == (0, 0, first.landed)
    longer = read(conn, acme, "block", since=SINCE - timedelta(days=1))
    assert (longer.landed, longer.duplicates) == (3, 9), "days that were read whole within another range are known"
    assert landed_blocks(conn) == true_blocks(meters) | {
        (s.serial, date(2026, 9, 30)): [s.block("import_wh", s.block_index(datetime(2026, 9, 30)) + 1 + i) for i in range(48)]
        for s in (meters.meter(n) for n in (1, 2, 3))
    }


def test_events_of_all_logs_land_with_their_codes_and_times(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    since = datetime(2026, 8, 1, tzinfo=IST)
    summary = read(conn, acme, "event", since=since)
    found = rows(conn, "select serial, occurred_at, code from raw.event join registry.meter using (discom_id, meter_id) order by 1, 2, 3")
    expected = sorted(
        (sim.serial, e.at.replace(tzinfo=IST), e.code)
        for sim in (meters.meter(n) for n in (1, 2, 3))
        for log in ("voltage", "current", "power", "transaction", "other", "non_rollover")
        for e in sim.events(log, UNTIL.replace(tzinfo=None))
    )
    assert found == expected
    assert {c for _, _, c in found} >= {101, 102, 251, 151}
    assert summary.failed == 0


FACTORS = {"power_factor": ("power_factor_milli", 10), "period_power_on_min": ("power_on_min", 1)}
"""Quantities of the simulation that the warehouse counts under another name, or in a smaller unit."""


def test_billing_rows_land_with_every_zone_and_the_times_of_demands(
    conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer
) -> None:
    summary = read(conn, acme, "billing", since=datetime(2026, 9, 2, tzinfo=IST))
    assert (summary.failed, summary.rejected) == (0, 0), summary.rejected_by_reason
    found = rows(
        conn,
        """select serial, day, quantity, zone, value, occurred_at from raw.meter_value join registry.meter using (discom_id, meter_id)
           where profile = 'billing' and read_at = '2026-10-01T00:00:00+05:30' order by serial, quantity, zone""",
    )
    at, expected = datetime(2026, 10, 1), []
    for sim in (meters.meter(n) for n in (1, 2, 3)):
        for c in sim.profile_columns("1.0.98.1.0.255"):
            if c.kind == "time":
                continue
            name, factor = FACTORS.get(c.quantity, (c.quantity, 1))
            value = sim.value(c.quantity, at, c.zone)
            if c.unit in (30, 31, 32):
                value -= value % 10**sim.register_scaler
            when = sim.value(f"{c.quantity}_at", at, c.zone).replace(tzinfo=IST) if c.quantity.startswith("md_") else None
            expected.append((sim.serial, date(2026, 9, 30), name, c.zone, value * factor, when))
    assert found == sorted(expected, key=lambda r: (r[0], r[2], r[3]))


def test_instantaneous_values_and_nameplates_land(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    summary = read(conn, acme, "instant", "nameplate")
    assert (summary.failed, summary.rejected) == (0, 0), summary.rejected_by_reason
    sim = meters.meter(2)
    found = dict(
        rows(
            conn,
            """select quantity, value from raw.meter_value join registry.meter using (discom_id, meter_id)
               where serial = %s and profile = 'instant' and zone = 0""",
            sim.serial,
        )
    )
    assert found["import_wh"] == sim.register("import_wh", NOW) // 10 * 10
    assert (found["relay_closed_flag"], found["load_limit_w"]) == (1, 5000)
    assert 226_000 <= found["voltage_y_mv"] < 234_000
    assert 49_500 <= found["frequency_mhz"] <= 50_500
    named = dict(
        rows(
            conn,
            "select attribute, value from raw.nameplate join registry.meter using (discom_id, meter_id) where serial = %s",
            sim.serial,
        )
    )
    assert (named["serial"], named["manufacturer"], named["firmware"]) == (sim.serial, "SIMULATED", "D2-2.00")
    assert (named["category"], named["current_rating"], named["year_of_manufacture"]) == ("D2", "10-60A", "2025")


def test_all_that_a_meter_says_is_mapped(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    summary = read(conn, acme, since=datetime(2026, 8, 1, tzinfo=IST), until=datetime(2026, 10, 2, tzinfo=IST))
    assert (summary.failed, dict(summary.rejected_by_reason)) == (0, {})
    assert counts_hold(conn)


def test_a_disconnect_opens_the_relay_and_its_event_lands(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    endpoint = endpoints(conn, acme.discom_id, acme.hes_id("DLMS"), [SERIALS[0]])[0]
    with DlmsMeter.open(endpoint, KeyStore.load().of(endpoint.serial)) as meter:
        begin = meter.clock() - timedelta(seconds=1)
        meter.disconnect()
        assert meter.relay_state().closed is False
    try:
        assert meters.order("state")["relay_closed"] is False
        read(conn, acme, "event", serials=[SERIALS[0]], since=begin, until=begin + timedelta(hours=1))
        assert rows(conn, "select code from raw.event") == [(301,)]
    finally:
        with DlmsMeter.open(endpoint, KeyStore.load().of(endpoint.serial)) as meter:
            meter.connect()


def test_a_meter_that_does_not_answer_stops_no_other(conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer) -> None:
    meters.order("fault", meter=2, kind="deaf", count=-1)
    summary = read(conn, acme, "block", vendor=hurried(timeout_s=0.3, attempts=2))
    assert (summary.failed, list(summary.failures)) == (1, [SERIALS[1]])
    assert "no answer within 0.3 s (the last of 2 attempts)" in summary.failures[SERIALS[1]]
    assert landed_blocks(conn) == true_blocks(meters, (1, 3))
    meters.order("clear", meter=2)
    assert read(conn, acme, "block").failed == 0
    assert landed_blocks(conn) == true_blocks(meters)


def test_a_refused_profile_and_a_wrong_key_are_reported_by_meter(
    conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer, folder: Path
) -> None:
    keys = json.loads((folder / "keys.json").read_text())
    keys[SERIALS[0]] |= {"encryption_key": "00" * 16}
    wrong = folder / "wrong.json"
    wrong.write_text(json.dumps(keys))
    wrong.chmod(0o600)
    meters.order("fault", meter=3, kind="refuse", on="get")
    summary = read(conn, acme, "daily", "block", keys=KeyStore.load(wrong))
    assert sorted(summary.failures) == [SERIALS[0], SERIALS[2]]
    assert "deciphering error" in summary.failures[SERIALS[0]]
    assert "daily: " in summary.failures[SERIALS[2]]
    assert landed_blocks(conn) == true_blocks(meters, (2, 3)), "the other profiles of the meter are read all the same"


def test_what_cannot_be_read_at_all_is_said_at_once(conn: psycopg.Connection, acme: DiscomContext) -> None:
    with pytest.raises(LandingError, match=r"no endpoint of NOBODY: add it to meter_endpoint\.csv"):
        read(conn, acme, serials=["NOBODY"])
    with pytest.raises(LandingError, match="'weekly' is no profile"):
        read(conn, acme, "weekly")
    with pytest.raises(LandingError, match="no head-end system"):
        read_meters(conn, acme, "OTHER", hurried(), None, None, SINCE, UNTIL)
    with pytest.raises(ValueError, match="no time zone"):
        read(conn, acme, since=datetime(2026, 10, 1))


def test_meters_that_restart_in_mid_read_lose_nothing(database: str, conn: psycopg.Connection, acme: DiscomContext, folder: Path) -> None:
    del folder
    with db.connect("meterhouse_owner") as owner:
        found = endpoints(conn, acme.discom_id, acme.hes_id("DLMS"))
        with DlmsServer(meters=3, categories="D1,D2,D3", clock=NOW) as first:
            owner.execute("update registry.meter_endpoint set port = %s", [first.port])
            owner.commit()
            for n in (1, 2, 3):
                first.order("fault", meter=n, kind="deaf", on="get", after=8, count=-1)
            results: list[FolderSummary] = []
            vendor = hurried(attempts=8, timeout_s=20)
            reading = threading.Thread(target=lambda: results.append(read(conn, acme, "block", vendor=vendor)))
            reading.start()
            until = time.monotonic() + 10
            while first.order("state")["requests"] < 12 and time.monotonic() < until:
                time.sleep(0.05)
            assert first.order("state")["requests"] >= 12, "the read must be under way when the meters go down"
            port = first.port
        time.sleep(0.3)
        with DlmsServer(meters=3, categories="D1,D2,D3", clock=NOW, port=port) as second:
            reading.join(30)
            assert not reading.is_alive()
            assert results[0].failures == {}
            assert landed_blocks(conn) == true_blocks(second)
    assert len(found) == 3
    assert counts_hold(conn)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def test_a_reader_that_is_killed_in_mid_read_goes_on_where_it_was(
    conn: psycopg.Connection, acme: DiscomContext, meters: DlmsServer
) -> None:
    span = ["--from", "2026-10-01T00:00:00+05:30", "--to", "2026-10-04T00:00:00+05:30", "--profile", "block"]
    land = command("land", "dlms", "-d", "acme", "--hes", "DLMS", *span)
    meters.order("fault", meter=3, kind="deaf", on="get", after=5, count=-1)
    with subprocess.Popen(land, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        until = time.monotonic() + 30
        while len(landed_blocks(conn)) < 6 and time.monotonic() < until:
            time.sleep(0.1)
        killed.kill()
    assert landed_blocks(conn) == true_blocks(meters, (1, 2)), "two meters were landed when the reader was killed"
    meters.order("clear", meter=3)
    done = subprocess.run(land, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "9: 3 landed, 6 known already" in done.stdout
    assert landed_blocks(conn) == true_blocks(meters)


def test_the_command_fails_where_a_meter_failed_and_says_which(conn: psycopg.Connection, meters: DlmsServer) -> None:
    meters.order("fault", meter=2, kind="refuse", on="get")
    span = ["--from", "2026-10-01T00:00:00+05:30", "--to", "2026-10-02T00:00:00+05:30", "--profile", "daily"]
    done = CliRunner().invoke(app, ["land", "dlms", "-d", "acme", "--hes", "DLMS", *span])
    assert done.exit_code == 1, done.output
    assert SERIALS[1] in done.output
    assert rows(conn, "select count(*) from raw.register_reading") == [(2,)]


# --- pushes ---


@contextmanager
def listening(**how: Any) -> Iterator[PushListener]:
    with PushListener(db.connect, "acme", "DLMS", load_vendor("dlms"), KeyStore.load(), **how) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield listener
        finally:
            listener.stop()
            thread.join(5)
            assert not thread.is_alive()


def eventually(found: Callable[[], Any], wanted: Any) -> None:
    """What is not confirmed lands a moment later."""
    until = time.monotonic() + 10
    while (got := found()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    assert got == wanted


def rejections(conn: psycopg.Connection) -> list[str]:
    return [d for (d,) in rows(conn, "select detail from raw.rejected where reason = 'MALFORMED' order by rejected_id")]


@pytest.mark.parametrize("form", [{}, {"blocks": 100}, {"self_describing": True}, {"self_describing": True, "blocks": 60}])
def test_pushed_block_loads_land_and_are_confirmed_after_the_commit(
    conn: psycopg.Connection, meters: DlmsServer, form: dict[str, Any]
) -> None:
    sim = meters.meter(1)
    with listening() as listener:
        answer = meters.order("push", host="127.0.0.1", port=listener.port, setup="block", rows=3, confirmed=True, **form)
        assert answer == {"confirmed": True}
        # Confirmed means committed: no waiting here.
        assert landed_blocks(conn) == {
            (sim.serial, date(2026, 10, 8)): [sim.block("import_wh", sim.block_index(NOW) - 2 + i) for i in range(3)]
        }
    assert rejections(conn) == []
    assert counts_hold(conn)


def test_a_push_that_is_sent_again_is_a_duplicate_and_a_replay_is_refused_after_a_restart_too(
    conn: psycopg.Connection, meters: DlmsServer
) -> None:
    def push(listener: PushListener, **how: Any) -> bool:
        order = {"setup": "block", "confirmed": True, "host": "127.0.0.1", "port": listener.port} | how
        return bool(meters.order("push", **order)["confirmed"])

    with listening() as listener:
        assert push(listener)
        assert push(listener), "the same rows under a new counter are taken, and known"
        assert rows(conn, "select count(*) from raw.batch") == [(1,)]
        counter = rows(conn, "select (cursor ->> 'counter')::int from ops.pull_cursor")[0][0]
        assert not push(listener, counter=counter)
    with listening() as listener:
        assert not push(listener, counter=counter)
        assert push(listener, rows=4)
    assert ["replay" in r for r in rejections(conn)] == [True], "the second replay is the same content as the first"
    assert counts_hold(conn)


def test_pushed_values_and_alerts_land(conn: psycopg.Connection, meters: DlmsServer) -> None:
    sim = meters.meter(1)
    with listening() as listener:
        for setup in ("data", "alert"):
            assert meters.order("push", host="127.0.0.1", port=listener.port, setup=setup, confirmed=True)["confirmed"]
        told = meters.order("push", meter=2, host="127.0.0.1", port=listener.port, setup="data", self_describing=True, confirmed=True)
        assert told["confirmed"], "a meter of another firmware that describes itself needs no entry in the vendor file"
    found = rows(conn, "select serial, quantity, value from raw.meter_value join registry.meter using (discom_id, meter_id)")
    values = {(serial, quantity): value for serial, quantity, value in found}
    assert len(found) == 2 * 6
    assert values[sim.serial, "import_wh"] == sim.register("import_wh", NOW)
    assert values[SERIALS[1], "import_wh"] == meters.meter(2).register("import_wh", NOW) // 10 * 10
    assert rows(conn, "select word from raw.event_status") == [(sim.status_word(),)]
    assert rows(conn, "select sum(values_rejected) from raw.batch") == [(0,)]


def test_plain_pushes_are_taken_only_where_that_is_wanted(conn: psycopg.Connection, meters: DlmsServer) -> None:
    with listening() as listener:
        order = {"host": "127.0.0.1", "port": listener.port, "setup": "block", "ciphered": False, "confirmed": True}
        assert not meters.order("push", **order)["confirmed"]
        eventually(lambda: len(rejections(conn)), 1)
    assert "in plain" in rejections(conn)[0]
    with listening(plain=True) as listener:
        assert meters.order("push", **order | {"port": listener.port})["confirmed"]
    assert len(landed_blocks(conn)) == 1


def test_bad_frames_are_kept_and_never_end_the_listener(conn: psycopg.Connection, meters: DlmsServer) -> None:
    def send(port: int, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as c:
            c.sendall(data)
            with suppress(ConnectionError):  # the listener may hang up before it has read all of a bad frame
                c.shutdown(socket.SHUT_WR)
                c.recv(100)

    sim = meters.meter(1)
    whole = b"".join(notification(sim, PushOptions(counter=1 << 20)))
    stranger = whole.replace(sim.system_title, b"NOBODY!!")
    forged = whole[:-1] + bytes([whole[-1] ^ 1])
    foreign = notification(meters.meter(2), PushOptions(counter=1 << 20))[0]
    foreign = foreign.replace(meters.meter(2).system_title, sim.system_title)
    bad = {
        b"GET / HTTP/1.1\r\n\r\n": "version",
        whole[:5]: "within a frame's header",
        whole[:-9]: "octets of a frame",
        struct.pack(">HHHH", 1, 1, 64, 3) + b"\x61\x01\x00": "no data notification",
        stranger: "no meter of this head-end system is registered with the system title",
        forged: "not sealed with the keys",
        foreign: "not sealed with the keys",
    }
    with listening(idle_s=2) as listener:
        for data in bad:
            send(listener.port, data)
        eventually(lambda: len(rejections(conn)), len(bad))
        assert meters.order("push", host="127.0.0.1", port=listener.port, setup="block", confirmed=True)["confirmed"], "it still listens"
    for said, wanted in zip(rejections(conn), bad.values(), strict=True):
        assert wanted in said
    assert counts_hold(conn)
    assert rows(conn, "select distinct length(payload) <= 2000 from raw.rejected") == [(True,)]


def test_a_body_that_is_not_known_is_kept_and_its_counter_is_used_up(conn: psycopg.Connection, meters: DlmsServer) -> None:
    with listening() as listener:
        order = {"meter": 2, "host": "127.0.0.1", "port": listener.port, "setup": "data"}
        meters.order("push", **order)
        eventually(lambda: len(rejections(conn)), 1)
    assert "no push setup of the vendor file" in rejections(conn)[0]
    assert rows(conn, "select count(*) from raw.rejected where meter_id is not null") == [(1,)]
    assert rows(conn, "select count(*) from ops.pull_cursor") == [(1,)]


def test_connections_are_limited_and_idle_ones_end(conn: psycopg.Connection, meters: DlmsServer) -> None:
    with listening(max_connections=1, idle_s=0.5) as listener:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as first:
            time.sleep(0.2)
            with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as second:
                assert second.recv(1) == b"", "one beyond the limit is turned away"
            assert first.recv(1) == b"", "an idle one is closed"

        def taken() -> bool:
            try:
                return bool(meters.order("push", host="127.0.0.1", port=listener.port, setup="block", confirmed=True)["confirmed"])
            except RuntimeError:  # the ended connection still counts for a moment
                return False

        eventually(taken, True)


def test_the_command_listens_until_it_is_stopped(conn: psycopg.Connection, meters: DlmsServer) -> None:
    listen = command("hes", "listen-dlms", "-d", "acme", "--hes", "DLMS", "--port", "0")
    with subprocess.Popen(listen, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as listener:
        try:
            assert listener.stdout is not None
            line = listener.stdout.readline()
            assert line.startswith("listening on 127.0.0.1:")
            port = int(line.rsplit(":", 1)[1])
            assert meters.order("push", host="127.0.0.1", port=port, setup="block", confirmed=True)["confirmed"]
        finally:
            listener.terminate()
    assert len(landed_blocks(conn)) == 1


def test_meters_are_pulled_as_the_registry_says_and_read_again_for_gaps(
    conn: psycopg.Connection, meters: DlmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.connect("meterhouse_owner") as owner:
        owner.execute("update registry.hes set base_url = 'dlms:', pull_every_min = 60")
    monkeypatch.setenv("METERHOUSE_FIRST_PULL_DAYS", "400")

    first = pulls.run(conn, "acme", "DLMS")
    again = pulls.run(conn, "acme", "DLMS")

    assert (first.failed, again.failed) == (0, 0), {**first.failures, **again.failures}
    blocks = landed_blocks(conn)
    expected = true_blocks(meters)
    assert {k: v for k, v in blocks.items() if k in expected} == expected
    assert first.received > 10_000
    assert again.accepted < 1000, "a second pull must go on from where the first ended (a nameplate and what is of this moment aside)"
    with db.connect("meterhouse_owner") as owner:
        owner.execute("delete from raw.profile_fragment where day = '2026-10-02'")
        owner.execute("update raw.batch set content_sha256 = sha256(content_sha256)")  # as if it had never come
    (source,) = pulls.sources(conn, "acme")
    context = DiscomContext.load(conn, "acme")
    window = datetime(2026, 10, 2, tzinfo=IST), datetime(2026, 10, 3, tzinfo=IST)
    pulls.READS_AGAIN["dlms"](conn, context, source, load_vendor("dlms"), [SERIALS[0]], *window, ["block"], 60)
    found = {k: v for k, v in landed_blocks(conn).items() if k[1] == date(2026, 10, 2)}
    assert found == true_blocks(meters, (1,), (2,)), "only the gap of the meter that was asked for must be there"
    late = pulls.READS_AGAIN["dlms"](conn, context, source, load_vendor("dlms"), [SERIALS[1]], *window, ["block"], 0)
    assert (late.received, late.failed) == (0, 1), "when the time is up no meter is begun"
