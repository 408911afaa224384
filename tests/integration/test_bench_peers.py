"""The benchmark's peers find what we find, on a small DISCOM with every defect, with and without days before it. No time is judged."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from cli.bench.master_data import CODE, HES, register
from cli.bench.world import World
from ingestion import landing
from orchestration import steps
from tests.bench.peers import common, compare, parquet
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2026, 10, 5)
HOLIDAY, LAST = FIRST + timedelta(days=7), FIRST + timedelta(days=9)
CONSUMERS = 2000
DT_METERS, FEEDER_METER = range(CONSUMERS + 1, CONSUMERS + 41), CONSUMERS + 41
DAYS = {"the first day": FIRST, "a holiday": HOLIDAY, "a day with days before it": LAST}

# What the synthetic DISCOM does not have by itself, each on a meter of its own.
ODDITIES: dict[str, str] = {
    "nothing used for days": """
        update raw.profile_fragment set import_wh = array_fill(0, array[48]) where meter_id in (11, 12, 13);
        delete from raw.register_reading where meter_id in (11, 12, 13)""",
    "an outage ends a run of zero days": """
        insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
        values (1, '2026-10-13', 12, '2026-10-13 06:00+00', 101, now(), 1, 1),
            (1, '2026-10-10', 13, '2026-10-10 06:00+00', 101, now(), 1, 2),
               (1, '2026-10-11', 13, '2026-10-11 06:00+00', 102, now(), 1, 3)""",
    "a shop with nothing used": "update registry.service_point set category = 'commercial' where service_point_id = 13",
    "a day that did not come": "delete from raw.profile_fragment where meter_id = 14 and day = '2026-10-14'",
    "a day that did not come, and no register": """
        delete from raw.profile_fragment where meter_id = 15 and day = '2026-10-14';
        delete from raw.register_reading where meter_id = 15 and day = '2026-10-14'""",
    "a meter that never reported": """
        delete from raw.profile_fragment where meter_id = 16; delete from raw.register_reading where meter_id = 16""",
    "a multiplying factor that leaves parts of a Wh": "update registry.installation set mf = 1.2345 where meter_id in (17, 201, 202, 203)",
    "no export channel": """
        update raw.profile_fragment set export_wh = null where meter_id in (18, 204); update raw.register_reading set export_wh = null
            where meter_id in (18, 204);
        update raw.profile_fragment set import_wh[10:14] = array[null, null, null, null, null]::integer[] where meter_id = 204""",
    "qualities that the source states": """
        update raw.profile_fragment set quality = (array[0, 7] || array_fill(null::smallint, array[46]))::smallint[]
        where meter_id in (19, 20, 21) and cardinality(import_wh) = 48;
        update raw.profile_fragment set import_wh[20] = null where meter_id = 20;
        update raw.profile_fragment set import_wh[5] = import_wh[5] + 40 where meter_id = 21""",
    "a negative export": """
        update raw.profile_fragment set export_wh[3] = -7, import_wh[30] = null where meter_id = 22 and cardinality(import_wh) = 48""",
    "a clock that runs ahead": """
        insert into raw.rejected (discom_id, batch_id, reason, locator, payload, value_count, meter_id, received_at)
        select 1, min(batch_id), 'FUTURE_STAMP', 'x', 'x', 3, m, '2026-10-15 10:00+05:30'
               from raw.batch cross join unnest(array[23, 24]) m group by m""",
    "received too late": """
        update raw.profile_fragment set received_at = '2027-02-01 00:00+00' where meter_id in (24, 25) and day = '2026-10-14'""",
    "a peak that the register bears out": """
        update raw.profile_fragment set import_wh[40] = 3900 where meter_id = 26 and day = '2026-10-14';
        update raw.register_reading r set import_wh = (select import_wh from raw.register_reading o where o.meter_id = 26
            and o.day = '2026-10-13')
            + (select sum(w) from raw.profile_fragment f, unnest(f.import_wh) w where f.meter_id = 26 and f.day = '2026-10-14')
        where r.meter_id = 26 and r.day = '2026-10-14'""",
    "gaps at both ends and in the middle": """
        update raw.profile_fragment set import_wh[1:6] = array_fill(null::integer, array[6]),
            import_wh[20:33] = array_fill(null::integer, array[14]),
            import_wh[47:48] = array[null, null]::integer[], import_vah[9] = null
                where (meter_id in (27, 28) or meter_id in (29, 30, 31) and day = '2026-10-14') and cardinality(import_wh) = 48""",
    "gaps, and no register": """
        update raw.profile_fragment set import_wh[12] = null where meter_id = 28 and cardinality(import_wh) = 48;
        delete from raw.register_reading where meter_id = 28""",
    "a gap into which the register puts a peak, and one into which it puts more than can flow": """
        update raw.profile_fragment set import_wh[41] = null where meter_id in (205, 206) and day = '2026-10-14'
            and cardinality(import_wh) = 48;
        update raw.profile_fragment set import_wh[1] = null where meter_id = 206 and day = '2026-10-14' and cardinality(import_wh) = 48;
        update raw.register_reading set import_wh = import_wh + 3000 where meter_id = 205 and day = '2026-10-14';
        update raw.register_reading set import_wh = import_wh + 7000 where meter_id = 206 and day = '2026-10-14'""",
    "gaps, and a register that moved too little": """
        update raw.register_reading set import_wh = import_wh - 9000 where meter_id = 29 and day = '2026-10-14'""",
    "gaps, and a register that moved too much": """
        update raw.register_reading set import_wh = import_wh + 100000000 where meter_id = 30 and day = '2026-10-14'""",
    "gaps, and an outage on a like day": """
        insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
        values (1, '2026-10-09', 31, '2026-10-09 06:00+00', 101, now(), 1, 1),
            (1, '2026-10-09', 31, '2026-10-09 07:00+00', 102, now(), 1, 2)""",
    "a consumer at the feeder": "update registry.consumer_index set dt_id = null, feeder_id = 1 where service_point_id in (32, 33)",
    "hourly readings": """
        update registry.meter set interval_min = 60 where meter_id = 34;
        update raw.profile_fragment set interval_min = 60, import_wh = import_wh[1:24], export_wh = export_wh[1:24],
            import_vah = import_vah[1:24],
            voltage_dv = voltage_dv[1:24] where meter_id = 34""",
    "a meter that was taken down": "update registry.installation set valid_to = '2026-10-14' where meter_id = 35",
    "a register that was read twice": """
        insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh, export_wh, import_vah)
        select discom_id, day, meter_id, read_at, received_at + interval '1 hour', batch_id, seq, import_wh + 1000, export_wh, import_vah
        from raw.register_reading where meter_id = 36""",
    "a DT whose meter said nothing, and one with a gap": f"""
        delete from raw.profile_fragment where meter_id = {DT_METERS[2]}; delete from raw.register_reading
            where meter_id in ({DT_METERS[2]}, {DT_METERS[3]});
        update raw.profile_fragment set import_wh[15:22] = array_fill(null::integer, array[8]) where meter_id = {DT_METERS[3]}
            and day <> '2026-10-06'""",
    "a DT without a meter": f"delete from registry.installation where meter_id = {DT_METERS[4]}",
    "a meter of which no limit is known": f"""
        update registry.meter set i_max_a = null where meter_id = {FEEDER_METER};
        update raw.profile_fragment set import_wh[12] = null where meter_id = {FEEDER_METER}""",
}


@dataclass(frozen=True)
class Built:
    """A database in which the DISCOM's days are built."""

    url: str
    discom_id: int


@pytest.fixture(scope="module")
def built(built_module_database: str) -> Built:
    world = World(CONSUMERS, days=10, seed=3, first=FIRST)
    with psycopg.connect(built_module_database) as conn:
        discom_id = register(conn, world)
    with db.connect() as conn:
        discom = landing.DiscomContext.load(conn, CODE)
        for delivery in world.deliveries():
            landing.land(conn, discom, discom.hes_id(HES), delivery)
    with psycopg.connect(built_module_database) as conn:
        conn.execute("insert into registry.holiday (discom_id, day, name) values (%s, %s, 'a feast')", [discom_id, HOLIDAY])
        conn.execute("select ops.ensure_month('raw.event', %s, %s)", [FIRST, LAST])
        for statements in ODDITIES.values():
            conn.execute(statements)
    steps.build(CODE, discom_id, world.first, world.last)
    return Built(built_module_database, discom_id)


def test_the_days_have_what_the_peers_must_agree_on(built: Built) -> None:
    """A day on which a rule or a method is not met would prove nothing of it."""
    with psycopg.connect(built.url) as conn:
        rules = {tuple(r) for r in conn.execute("select rule, stage from vee.exception where day = %s and state <> 'cleared'", [LAST])}
        methods = {r[0] for r in conn.execute("select distinct unnest(method) from vee.estimated_day where day = %s", [LAST])}
        balances = {r[0] for r in conn.execute("select dt_import_wh is null from energy.dt_day where day = %s", [LAST])}
        held = conn.execute("select count(*) from vee.final_day where day = %s and missing_slots > 0", [LAST]).fetchone()
    assert {(r, "initial") for r in ("V05", "V06", "V07", "V11", "V13", "V16", "V17", "V19")} <= rules
    assert {(r, "estimate") for r in ("V07", "V17", "V19", "V32")} <= rules
    assert {(r, "initial") for r in ("V12", "V21", "V23")} <= rules, "no rule doubts a day that the peers do not know"
    assert {0, 3, 4, 8, 103, 104} <= methods
    assert balances == {True, False}
    assert held is not None
    assert held[0] > 0


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
@pytest.mark.parametrize("peer", ["polars", "duckdb", "pandas", "rowsql"])
def test_a_peer_agrees_with_us(built: Built, peer: str, day: date) -> None:
    program = importlib.import_module(f"tests.bench.peers.{peer}_day")
    assert program.run(built.url, built.discom_id, day) > 0
    with common.connect(built.url) as conn:
        assert compare.differences(conn, f"peer_{peer}", built.discom_id, day) == []


@pytest.mark.parametrize("peer", ["polars", "duckdb"])
def test_a_peer_agrees_with_us_from_parquet_to_parquet(built: Built, peer: str, tmp_path: Path) -> None:
    program = importlib.import_module(f"tests.bench.peers.{peer}_day")
    task = common.Day.of(built.url, built.discom_id, LAST)
    source, target = tmp_path / "in", tmp_path / "out"
    target.mkdir()
    parquet.export(task, source)
    assert program.run_parquet(task, source, target) > 0
    parquet.load(task, target, f"peer_{peer}_parquet")
    with common.connect(built.url) as conn:
        assert compare.differences(conn, f"peer_{peer}_parquet", built.discom_id, LAST) == []


@pytest.fixture
def control(built: Built) -> Iterator[psycopg.Connection]:
    """A peer's day that is ours, to be spoiled; nothing of it is kept."""
    with common.connect(built.url) as conn:
        common.make_schema(conn, "peer_control")
        for table, columns in common.TABLES.items():
            names = ", ".join(columns)
            conn.execute(f"insert into peer_control.{table} select {names} from ({compare.OURS[table]}) o", [built.discom_id, LAST])
        conn.commit()
        yield conn
        conn.rollback()
        conn.execute("drop schema peer_control cascade")


SPOILED = {
    "update peer_control.final_day set import_wh[3] = import_wh[3] + 1 where meter_id = 40": "import_wh: 1 differ, e.g. 40: slot 2: ours",
    "update peer_control.final_day set quality = null where quality is not null": "final_day.quality",
    "update peer_control.final_day set export_day_wh = null where meter_id = 41": "final_day.export_day_wh: 1 differ, e.g. 41",
    "delete from peer_control.final_day where meter_id = 42": "final_day: rows that the peer lacks: 1 differ, e.g. 42",
    "insert into peer_control.final_day select * from peer_control.final_day where meter_id = 43": "final_day: the peer has",
    "delete from peer_control.exception where rule = 'V13'": "exception: rows that the peer lacks",
    "insert into peer_control.exception values (44, 'V99', 'initial', 'fail', 'hold', 1)": "only the peer has: 1 differ, e.g. 44 V99",
    "update peer_control.exception set value = value * (1 + 1e-8) where rule = 'V19'": "exception.value",
    "update peer_control.dt_day set loss_wh = loss_wh + 1 where dt_id = 7": "dt_day.loss_wh: 1 differ, e.g. 7",
    # Meter 29 has a gap whose energy no register gives, 27 gaps that its register fills; feeder 1 has oddities, 2 has none.
    "update peer_control.final_day set import_wh[10] = import_wh[10] + 1 where meter_id = 29": "import_wh: 1 differ, e.g. 29: slot 9: ours",
    "update peer_control.final_day set import_wh[25] = null where meter_id = 27": "import_wh: 1 differ, e.g. 27: slot 24: ours",
    "update peer_control.final_day set quality[10] = 6 where meter_id = 29": "final_day.quality: 1 differ, e.g. 29: slot 9: ours 5",
    "update peer_control.final_day set import_day_wh = import_day_wh + 1 where meter_id = 27": "import_day_wh: 1 differ, e.g. 27",
    "update peer_control.final_day set estimated_slots = 1 where meter_id = 27": "estimated_slots: 1 differ, e.g. 27",
    "update peer_control.final_day set weakest_quality = 0 where meter_id = 22": "weakest_quality: 1 differ, e.g. 22",
    "insert into peer_control.exception values (27, 'V19', 'estimate', 'fail', 'hold', 5)": "only the peer has: 1 differ, e.g. 27 V19",
    "update peer_control.feeder_day set loss_wh = loss_wh + 1": "feeder_day.loss_wh: 1 differ, e.g. 2",
    "update peer_control.feeder_day set consumers = consumers - 1": "feeder_day.consumers: 2 differ, e.g. 1",
}


@pytest.mark.parametrize(("spoil", "said"), SPOILED.items(), ids=SPOILED.values())
def test_a_difference_is_told(built: Built, control: psycopg.Connection, spoil: str, said: str) -> None:
    assert compare.differences(control, "peer_control", built.discom_id, LAST) == []
    assert control.execute(spoil).rowcount > 0
    told = compare.differences(control, "peer_control", built.discom_id, LAST)
    assert any(said in line for line in told), told


METHODS = {
    "the value of a slot that a register fills": "update peer_control.final_day set import_wh[25] = import_wh[25] + 1 where meter_id = 27",
    "the total of an open day": """
        update peer_control.final_day set import_wh[25] = null, quality[25] = 9, import_day_wh = 1, estimated_slots = 1, missing_slots = 1,
            weakest_quality = 9 where meter_id = 29""",
    "a spike that was estimated": "insert into peer_control.exception values (27, 'V17', 'estimate', 'fail', 'hold', 500)",
    "the balance of an open day": "update peer_control.dt_day set loss_wh = 1 where dt_id = 1",
    "a doubt of a rule that the peer does not know": """
        update peer_control.final_day set quality = array_replace(quality, 5::smallint, 0::smallint) where meter_id = 22""",
}


@pytest.mark.parametrize("statement", METHODS.values(), ids=METHODS)
def test_what_hangs_on_the_method_may_differ(built: Built, control: psycopg.Connection, statement: str) -> None:
    assert control.execute(statement).rowcount > 0
    assert compare.differences(control, "peer_control", built.discom_id, LAST) == []


def test_the_bench_calls_a_peer_as_a_process(built: Built) -> None:
    command = [sys.executable, "-m", "tests.bench.peers", "polars_parquet", "--discom-id", str(built.discom_id), "--day", LAST.isoformat()]
    child = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"METERHOUSE_DATABASE_URL": built.url}, capture_output=True, text=True, timeout=120
    )
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout.splitlines()[-1])
    assert said["peer"] == "polars_parquet"
    assert said["differences"] == []
    assert said["seconds"] > 0
    assert said["peak_octets"] > 10 << 20


def test_a_peer_that_fails_says_why(built: Built) -> None:
    command = [sys.executable, "-m", "tests.bench.peers", "duckdb", "--discom-id", "999", "--day", LAST.isoformat()]
    child = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"METERHOUSE_DATABASE_URL": built.url}, capture_output=True, text=True, timeout=120
    )
    assert child.returncode != 0
    assert "no DISCOM has the id 999" in child.stderr
