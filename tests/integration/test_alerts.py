"""Alerts in a real PostgreSQL: raised with their data, held back by the throttle, told to nobody where they are old, seen by one tenant."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from ingestion.alerts import raising
from ingestion.alerts.rules import AlertRuleError
from ingestion.canonical import Delivery, MeterEvents, MeterValues, ProfileReadings, StatusWords
from ingestion.landing import DiscomContext, land
from warehouse import db

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

RULES = [
    {"name": "cover", "when": {"event": "meter_cover_opened"}, "throttle_min": 30, "send": [{"webhook": "https://a.example/"}]},
    {"name": "voltage", "when": {"log": "voltage"}, "severity": "critical", "throttle_min": 10},
    {"name": "odd", "when": {"event": ["UNKNOWN_777", "over_voltage_restored"]}, "throttle_min": 0},
    {"name": "high volts", "when": {"channel": "voltage_dv", "above": 2700, "slots": 2}, "throttle_min": 120},
    {"name": "hot", "when": {"quantity": "temperature_mdegc", "above": 80000}, "severity": "minor", "send": [{"work_order": "look"}]},
]


@pytest.fixture
def loader(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A DISCOM `acme` with meters M1 to M9; M9 is of a make that calls an opened cover 205. Its rules stand in `tmp_path`."""
    monkeypatch.setenv("METERHOUSE_ALERT_RULES", str(tmp_path))
    (tmp_path / "default.yml").write_text(json.dumps({"version": 1, "rules": RULES}))
    with db.connect("meterhouse_owner") as conn:
        for code in ("acme", "globex"):
            conn.execute("insert into registry.discom (code, name) values (%s, %s)", [code, code])
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'vendor_b' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min, make)
               select discom_id, 'M' || n, hes_id, 'D1', 30, case when n = 9 then 'Cover-at-205' end
               from registry.hes, generate_series(1, 9) n"""
        )
    with db.connect() as conn:
        yield conn


@pytest.fixture
def acme(loader: psycopg.Connection) -> DiscomContext:
    return DiscomContext.load(loader, "acme")


def frame(serials: list[str], at: list[datetime], column: str) -> pd.DataFrame:
    stamps = pd.Series(at, dtype="datetime64[us, UTC]")
    received = pd.Series([NOW] * len(at), dtype="datetime64[us, UTC]")
    return pd.DataFrame({"serial": serials, column: stamps, "received_at": received, "locator": "test"})


def events(*rows: tuple[str, datetime, int]) -> MeterEvents:
    of = frame([r[0] for r in rows], [r[1] for r in rows], "occurred_at")
    return MeterEvents(of.assign(code=[r[2] for r in rows], detail=None))


def words(*rows: tuple[str, datetime, set[int]]) -> StatusWords:
    of = frame([r[0] for r in rows], [r[1] for r in rows], "occurred_at")
    return StatusWords(of.assign(word=[sum(1 << (127 - b) for b in r[2]).to_bytes(16, "big") for r in rows]))


def voltages(serial: str, start: datetime, *values: int | None) -> ProfileReadings:
    of = frame([serial] * len(values), [start + 30 * MINUTE * n for n in range(len(values))], "start")
    return ProfileReadings(of.assign(voltage_dv=pd.array(values, dtype="Int64")), 30)


count = 0


def push(conn: psycopg.Connection, discom: DiscomContext, **parts: object) -> None:
    global count
    count += 1
    sha = hashlib.sha256(str(count).encode()).digest()
    land(conn, discom, discom.hes_id("h1"), Delivery(f"push {count}", sha, NOW, **{k: [v] for k, v in parts.items()}))


def alerts(conn: psycopg.Connection, columns: str = "serial, rule, event, severity, repeats") -> list[tuple]:
    with conn.transaction():
        return conn.execute(
            f"select {columns} from ops.alert join registry.meter m using (discom_id, meter_id) order by serial, rule, occurred_at, event"
        ).fetchall()


def deliveries(conn: psycopg.Connection) -> list[tuple]:
    with conn.transaction():
        return conn.execute(
            """select a.rule, d.channel, d.target, d.state
               from ops.alert_delivery d join ops.alert a using (discom_id, alert_id) order by 1, 2"""
        ).fetchall()


def test_an_event_raises_what_its_rules_say(loader: psycopg.Connection, acme: DiscomContext) -> None:
    at = NOW - HOUR
    push(
        loader,
        acme,
        events=events(
            ("M1", at, 251), ("M2", at, 7), ("M2", at + HOUR / 2, 8), ("M3", at, 777), ("M4", at, 151), ("M9", at, 205), ("M1", at, 205)
        ),
    )
    assert alerts(loader, "serial, rule, event, severity, code, source, occurred_at, received_at, backfill") == [
        ("M1", "cover", "meter_cover_opened", "critical", 251, "event", at, NOW, False),
        ("M2", "odd", "over_voltage_restored", "info", 8, "event", at + HOUR / 2, NOW, False),
        ("M2", "voltage", "over_voltage", "critical", 7, "event", at, NOW, False),
        ("M3", "odd", "UNKNOWN_777", "info", 777, "event", at, NOW, False),
        ("M9", "cover", "meter_cover_opened", "critical", 205, "event", at, NOW, False),
    ]
    assert deliveries(loader) == [("cover", "webhook", "https://a.example/", "pending")] * 2


def test_the_throttle_is_per_meter_and_rule_and_counts_what_it_holds_back(loader: psycopg.Connection, acme: DiscomContext) -> None:
    at = NOW - 3 * HOUR
    push(loader, acme, events=events(("M1", at, 7), ("M1", at + 5 * MINUTE, 9), ("M2", at + 5 * MINUTE, 9), ("M1", at + 9 * MINUTE, 7)))
    push(loader, acme, events=events(("M1", at + 9 * MINUTE + timedelta(seconds=59), 9), ("M1", at + 10 * MINUTE, 9)))
    assert alerts(
        loader, "serial, event, occurred_at - %s, repeats, last_at - occurred_at".replace("%s", f"'{at.isoformat()}'::timestamptz")
    ) == [
        ("M1", "over_voltage", timedelta(0), 3, timedelta(minutes=9, seconds=59)),
        ("M1", "low_voltage", 10 * MINUTE, 0, timedelta(0)),
        ("M2", "low_voltage", 5 * MINUTE, 0, timedelta(0)),
    ]
    push(loader, acme, events=events(("M1", at - 2 * MINUTE, 7)))
    assert alerts(loader, "repeats")[0] == (4,), "what came late, from before the alert, is held back as well"


def test_the_same_event_counts_once_however_it_came(loader: psycopg.Connection, acme: DiscomContext) -> None:
    at = NOW - HOUR
    both = (("M1", at, 7), ("M1", at + 5 * MINUTE, 9), ("M3", at, 777))
    push(loader, acme, events=events(*both, *both))
    push(loader, acme, events=events(*both))
    push(loader, acme, status_words=words(("M1", at + timedelta(seconds=40), {3}), ("M1", at + 6 * MINUTE, {3, 4})))
    assert alerts(loader) == [("M1", "voltage", "over_voltage", "critical", 1), ("M3", "odd", "UNKNOWN_777", "info", 0)]


def test_a_status_word_raises_what_differs_from_the_word_before(loader: psycopg.Connection, acme: DiscomContext) -> None:
    at = NOW - 2 * HOUR
    push(loader, acme, status_words=words(("M1", at, {83}), ("M1", at + HOUR, {83, 3}), ("M2", at, {120})))
    push(loader, acme, status_words=words(("M1", at + HOUR + 5 * MINUTE, {83})))
    assert alerts(loader, "serial, event, source, code") == [
        ("M1", "meter_cover_opened", "status", 251),
        ("M1", "over_voltage_restored", "status", 8),
        ("M1", "over_voltage", "status", 7),
    ]


def test_what_happened_long_ago_is_recorded_and_nobody_is_told(loader: psycopg.Connection, acme: DiscomContext) -> None:
    push(loader, acme, events=events(("M1", NOW - 25 * HOUR, 251), ("M2", NOW - 23 * HOUR, 251)))
    assert alerts(loader, "serial, backfill") == [("M1", True), ("M2", False)]
    assert len(deliveries(loader)) == 1


@pytest.mark.parametrize(
    ("pushes", "expected"),
    [
        pytest.param([(0, [2701, 2702, 2600])], [(2, 2702)], id="two slots in one fragment, to the end of the second"),
        pytest.param([(0, [2701, 2700, 2701])], [], id="the limit itself is not beyond it"),
        pytest.param([(0, [2701, None, 2701])], [], id="a gap ends a run"),
        pytest.param([(0, [2701]), (1, [2709])], [(2, 2709)], id="slots that come one by one"),
        pytest.param([(1, [2709]), (0, [2701])], [(2, 2709)], id="and in any order"),
        pytest.param([(0, [2701]), (2, [2701])], [], id="slots with one between them"),
        pytest.param([(0, [2701, 2702]), (2, [2800])], [(2, 2702)], id="a run that goes on is one alert"),
        pytest.param([(0, [2701, 2702, 2600, 2701, 2702])], [(2, 2702)], id="a further run within the throttle is counted with it"),
        pytest.param([(-1, [2701]), (0, [2702])], [(1, 2702)], id="over midnight"),
        pytest.param([(0, [2701]), (0, [2500]), (1, [2701])], [], id="of a slot that came twice the later value stands"),
    ],
)
def test_a_limit_on_a_channel(loader: psycopg.Connection, acme: DiscomContext, pushes: list, expected: list) -> None:
    midnight = datetime.combine(date.today() - timedelta(days=1), datetime.min.time(), acme.timezone).astimezone(UTC)
    for n, (slot, values) in enumerate(pushes):
        readings = voltages("M1", midnight + slot * 30 * MINUTE, *values)
        readings.frame["received_at"] += pd.Timedelta(seconds=n)
        push(loader, acme, profiles=readings)
    found = alerts(loader, "rule, event, severity, source, occurred_at, value")
    assert found == [("high volts", "voltage_dv", "major", "interval", midnight + slot * 30 * MINUTE, value) for slot, value in expected]


def test_a_limit_on_a_quantity(loader: psycopg.Connection, acme: DiscomContext) -> None:
    of = frame(["M1", "M1", "M2"], [NOW - HOUR, NOW - HOUR / 2, NOW - HOUR], "read_at")
    of = of.assign(day=pd.Series([pd.Timestamp(date.today())] * 3, dtype="datetime64[us]"), quantity="temperature_mdegc", zone=0)
    of = of.assign(value=pd.array([80001, 90000, 80000], dtype="Int64"), at=pd.Series([pd.NaT] * 3, dtype="datetime64[us, UTC]"))
    push(loader, acme, values=MeterValues(of, "instant"))
    assert alerts(loader, "serial, rule, severity, value, repeats") == [("M1", "hot", "minor", 80001, 1)]
    assert deliveries(loader) == [("hot", "work_order", "look", "pending")]


def test_an_alert_is_there_exactly_with_its_data(loader: psycopg.Connection, acme: DiscomContext, monkeypatch: pytest.MonkeyPatch) -> None:
    content = Delivery("once", hashlib.sha256(b"once").digest(), NOW, events=[events(("M1", NOW - HOUR, 251))])

    def fail(_: psycopg.Connection) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        land(loader, acme, acme.hes_id("h1"), content, within=fail)
    assert alerts(loader) == [], "an alert of data that was not landed"
    assert [land(loader, acme, acme.hes_id("h1"), content).duplicate for _ in range(3)] == [False, True, True]
    assert len(alerts(loader)) == 1
    assert len(deliveries(loader)) == 1
    with loader.transaction():
        assert loader.execute("select a.batch_id = b.batch_id from ops.alert a, raw.batch b").fetchall() == [(True,)]


def test_loaders_at_once_raise_one_alert_and_count_every_other(loader: psycopg.Connection, acme: DiscomContext) -> None:
    barrier = threading.Barrier(4)

    def run(n: int) -> None:
        with db.connect() as conn:
            barrier.wait()
            sha = hashlib.sha256(f"side by side {n}".encode()).digest()
            of = events(*(("M1", NOW - HOUR + timedelta(seconds=10 * n + s), 7) for s in range(10)))
            land(conn, acme, acme.hes_id("h1"), Delivery(f"{n}", sha, NOW, events=[of]))

    threads = [threading.Thread(target=run, args=[n]) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert alerts(loader, "rule, repeats") == [("voltage", 39)]


def test_wrong_rules_stop_the_landing_with_file_and_line(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text("version: 1\nrules:\n  - {name: x, when: {event: nothing}}\n")
    with pytest.raises(AlertRuleError, match=r"acme.yml:3: rules.0.when.event: no event is called nothing"):
        push(loader, acme, events=events(("M1", NOW - HOUR, 7)))
    with loader.transaction():
        assert loader.execute("select count(*) from raw.batch").fetchone() == (0,), "what is not landed comes again"


def test_a_landing_without_anything_to_judge_asks_the_database_nothing(
    loader: psycopg.Connection, acme: DiscomContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(raising, "_Kinds", lambda *a: asked.append(a))
    readings = voltages("M1", NOW - HOUR, 2800, 2800)
    push(loader, acme, profiles=ProfileReadings(readings.frame.rename(columns={"voltage_dv": "current_ma"}), 30))
    assert asked == []


def test_a_tenant_sees_its_alerts_alone(loader: psycopg.Connection, acme: DiscomContext) -> None:
    globex = DiscomContext.load(loader, "globex")
    push(loader, acme, events=events(("M1", NOW - HOUR, 251)))
    push(loader, globex, events=events(("M1", NOW - HOUR, 251), ("M2", NOW - HOUR, 251)))
    tables = ("alert", "alert_delivery", "work_order_request", "outage")
    with loader.transaction():
        loader.execute(
            """insert into ops.work_order_request (discom_id, alert_id, kind, meter_id)
               select discom_id, alert_id, 'look', meter_id from ops.alert"""
        )
    with db.connect("meterhouse_api") as conn:
        for table in tables:
            assert conn.execute(f"select count(*) from ops.{table}").fetchone() == (0,), f"ops.{table} is open without a tenant"
        conn.execute("select set_config('app.discom_id', %s, true)", [str(acme.discom_id)])
        assert [conn.execute(f"select count(*) from ops.{t}").fetchone() for t in tables] == [(1,), (1,), (1,), (0,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("delete from ops.alert")
