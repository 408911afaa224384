"""Why a value is what it is, on a small warehouse built by the steps of a day: raw, rejected, estimated, edited, missing; CLI and API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb
from rich.console import Console
from typer.testing import CliRunner

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from cli.main import app
from orchestration import steps
from vee.explain import ExplainError, Explanation, explain
from vee.explain.model import Interval, Run, Verdict
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

IST = ZoneInfo("Asia/Kolkata")
FIRST, DAY = date(2026, 10, 5), date(2026, 10, 8)
RECEIVED = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
ACME, GLOBEX = 1, 2
GAP = range(20, 24)
"""M1: intervals that did not come on DAY; registers are there."""
PEAK = 30
"""M2: an interval of 9 kWh where 0.1 kWh flowed, which the register refutes."""
EDITED = (40, 41)
"""M3: what a person changed."""

REGISTRY = """
insert into registry.discom (discom_id, code, name) overriding system value values (1, 'ACME', 'Acme'), (2, 'GLOBEX', 'Globex');
insert into registry.office (discom_id, office_id, code, name, level) overriding system value values (1, 1, 'D', 'D', 'discom');
insert into registry.substation (discom_id, substation_id, code, office_id) overriding system value values (1, 1, 'SS', 1);
insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) overriding system value values (1, 1, 'F', 1, 1);
insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) overriding system value
  values (1, 1, 'DT1', 1, 1, 100);
insert into registry.hes (discom_id, hes_id, code, vendor) overriding system value
  values (1, 1, 'HES-1', 'hpl'), (1, 2, 'HES-2', 'vendor_b');
insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w) overriding system value
  select 1, n, 'SP' || n, 1, case n when 4 then 'industrial' else 'domestic' end, 20000 from generate_series(1, 6) n;
insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
  select 1, n, '2026-01-01', 1 from generate_series(1, 6) n;
insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min) overriding system value
  select 1, n, 'M' || n, 1, 'D1', case n when 5 then 15 else 30 end from generate_series(1, 6) n;
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
  select 1, n, '2026-01-01', n from generate_series(1, 6) n;
insert into raw.batch (discom_id, batch_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
  overriding system value values
  (1, 1, 1, 'block_1.csv', '\\x01', %(received)s, 1, 1, 0), (1, 2, 2, 'block_2.csv', '\\x02', %(later)s, 3, 1, 2),
  (1, 3, 1, 'block_3.csv', '\\x03', %(later)s, 1, 1, 0);
insert into raw.touched_day (discom_id, day, batch_id)
  select 1, d::date, b from generate_series(%(first)s::date, %(day)s, interval '1 day') d, generate_series(1, 2) b;
"""


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=IST)


def waves(slots: int, mean: int) -> list[int | None]:
    """A day that no rule doubts, of slots x mean Wh."""
    return [mean + (s % 3 - 1) * mean // 10 for s in range(slots)]


WAVES = waves(48, 100)
"""90, 100, 110 Wh and so on: 4800 Wh."""


def days() -> Iterator[date]:
    for n in range((DAY - FIRST).days + 1):
        yield FIRST + timedelta(days=n)


def put(
    conn: psycopg.Connection, meter: int, day: date, values: list[int | None], batch: int = 1, start: int = 0, minutes: int = 30
) -> None:
    received = RECEIVED if batch == 1 else RECEIVED + timedelta(hours=1)
    conn.execute(
        """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh)
           values (1, %s, %s, %s, %s, %s, %s, 1, %s)""",
        [day, meter, start, minutes, received, batch, values],
    )


def put_register(conn: psycopg.Connection, meter: int, day: date, wh: int) -> None:
    conn.execute(
        """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
           values (1, %s, %s, %s, %s, 1, 1, %s)""",
        [day, meter, midnight(day + timedelta(days=1)), RECEIVED, wh],
    )


@pytest.fixture(scope="module")
def built(built_module_database: str) -> str:
    with psycopg.connect(built_module_database) as conn:
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event", "vee.exception"):
            conn.execute("select ops.ensure_month(%s::regclass, %s, %s)", [table, FIRST, DAY])
        psycopg.ClientCursor(conn).execute(
            REGISTRY, {"received": RECEIVED, "later": RECEIVED + timedelta(hours=1), "first": FIRST, "day": DAY}
        )
        for meter in (1, 2, 3):
            put_register(conn, meter, FIRST - timedelta(days=1), 0)
            for n, day in enumerate(days(), start=1):
                put_register(conn, meter, day, 4800 * n)
                if day < DAY:
                    put(conn, meter, day, WAVES)
        put(conn, 1, DAY, [None if s in GAP else v for s, v in enumerate(WAVES)])
        put(conn, 2, DAY, [9000 if s == PEAK else v for s, v in enumerate(WAVES)])
        put(conn, 3, DAY, WAVES)
        # M4, the only one of its category: ten values twice, two of them different the second time; then nothing, and no register.
        put(conn, 4, DAY, WAVES[:30])
        put(conn, 4, DAY, [*WAVES[10:18], 120, 120], batch=2, start=10)
        conn.execute(
            """insert into raw.rejected
               (discom_id, batch_id, reason, locator, detail, payload, value_count, meter_id, stamp, received_at)
               values (1, 2, 'NOT_A_NUMBER', 'line 7', 'value ''x''', 'M4;x', 1, 4, %s, %s),
                      (1, 2, 'NOT_A_NUMBER', 'line 9', 'value ''y''', 'M4;y', 1, 4, %s, %s)""",
            [midnight(DAY) + timedelta(hours=16), RECEIVED, midnight(DAY) + timedelta(days=3), RECEIVED],
        )
        for hour, code in ((16, 101), (18, 102)):
            conn.execute(
                """insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
                   values (1, %s, 4, %s, %s, %s, 1, 1)""",
                [DAY, midnight(DAY) + timedelta(hours=hour), code, RECEIVED],
            )
        put(conn, 5, DAY, waves(96, 50), minutes=15)
        key, key_id, secret = new_key()
        insert_key(conn, ACME, key_id, secret, None, "operator", [], 1_000_000)
    steps.build("ACME", ACME, FIRST, DAY)
    edited = [300 if s in EDITED else v for s, v in enumerate(WAVES)]
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute(
            """insert into vee.edit (discom_id, day, meter_id, channel, operation, before, after, reason, note, editor)
               values (1, %s, 3, 'import_wh', %s, %s, %s, 'METER_FAULT', 'load bank', 'asha') returning edit_id""",
            [DAY, Jsonb([{"kind": "set", "first": EDITED[0], "last": EDITED[-1]}]), WAVES, edited],
        ).fetchone()
        assert row
        conn.execute("insert into vee.edit_decision (discom_id, edit_id, decision, decided_by) values (1, %s, 'approved', 'ravi')", row)
        conn.execute(
            """insert into vee.edit (discom_id, day, meter_id, channel, operation, before, after, reason, editor)
               values (1, %s, 3, 'import_wh', '[{"kind": "zero", "first": 40}]', %s, %s, 'OTHER', 'asha')""",
            [DAY, edited, WAVES],
        )
        # M6 has nothing but what came after the build, and so has one interval of M5.
        put(conn, 6, DAY, WAVES, batch=3)
        put(conn, 5, DAY, [77], batch=3, start=4, minutes=15)
        conn.execute("insert into raw.touched_day (discom_id, day, batch_id) values (1, %s, 3)", [DAY])
    return key


def told(serial: str, day: date = DAY) -> Explanation:
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', '1', true)")
        return explain(conn, "ACME", serial, day)


def run_at(x: Explanation, slot: int) -> Run:
    return next(r for r in x.runs if r.first_slot <= slot < r.first_slot + r.slots)


def verdict(x: Explanation, rule: str, stage: str = "initial") -> Verdict:
    return next(v for v in x.rules if (v.rule, v.stage) == (rule, stage))


# --- what is told ---


def test_a_gap_is_told_from_what_came_to_the_estimate_that_fits_the_register(built: str) -> None:
    x = told("M1")
    assert (x.final_wh, x.interval_min, len(x.intervals)) == (4800, 30, 48)
    assert x.built_at, "the day was built"
    assert [(d.hes, d.source, d.values, d.slots, d.in_build) for d in x.deliveries] == [("HES-1", "block_1.csv", 44, 48, True)]
    gap = [x.intervals[s] for s in GAP]
    assert {(i.raw, i.measured_wh, i.quality, i.letter) for i in gap} == {((), None, "estimated", "E")}
    assert sum(i.final_wh or 0 for i in gap) == 410, "what the register leaves for the gap"
    assert all(i.estimated_wh == i.final_wh for i in gap)
    assert {i.nem12 for i in gap} == {"S24"}, "the last step was scaling to the register"
    assert {i.ieee2030_5 for i in gap} <= {0b100, 0b1000}
    assert {i.cim_unverified for i in gap} == {True}
    found = verdict(x, "V07")
    assert (found.outcome, found.figure, found.value, found.limit) == ("failed", "vee.measure.missing_slots", 4.0, "at most 0")
    assert (found.slots, found.state) == (tuple(GAP), "estimated")
    assert verdict(x, "V11").outcome == "passed"
    assert verdict(x, "V19").outcome == "not judged", "the sum of a day with a gap says nothing"
    assert verdict(x, "V19", "estimate").outcome == "passed"
    run = run_at(x, GAP[0])
    assert (run.first_slot, run.slots, run.raw_wh, run.final_wh) == (GAP[0], len(GAP), None, 410)
    assert run.method.endswith("_SCALED")
    assert "register" in run.how
    assert x.registers
    assert (x.registers.advance_wh, x.registers.final_wh, x.registers.difference_wh) == (4800, 4800, 0)
    assert (x.registers.opening.day, x.registers.closing.day) == (DAY - timedelta(days=1), DAY)


def test_a_refuted_peak_keeps_its_raw_value_beside_the_estimate(built: str) -> None:
    x = told("M2")
    peak = x.intervals[PEAK]
    assert (peak.measured_wh, peak.estimated_wh, peak.final_wh, peak.quality) == (9000, 90, 90, "estimated")
    assert [(v.wh, v.verdict) for v in peak.raw] == [(9000, "stands")]
    assert "V17" in peak.failed
    assert "3.6.5" in peak.cim, "above %: why it was not believed"
    assert verdict(x, "V17").slots == (PEAK,)
    assert verdict(x, "V19").slots == (), "it judges the day as a whole"


def test_values_that_came_twice_say_which_stands(built: str) -> None:
    x = told("M4")
    assert [(d.nr, d.hes, d.first_slot, d.slots) for d in x.deliveries] == [(1, "HES-2", 10, 10), (2, "HES-1", 0, 30)]
    assert [(v.delivery, v.wh, v.verdict) for v in x.intervals[12].raw] == [(1, 90, "stands"), (2, 90, "same")]
    assert [(v.delivery, v.wh, v.verdict) for v in x.intervals[19].raw] == [(1, 120, "stands"), (2, 100, "other")]
    assert x.intervals[19].measured_wh == 120
    assert verdict(x, "V06").slots == (18, 19)
    assert x.intervals[19].failed == ("V06",)
    assert x.intervals[19].cim == ("3.0.0",), "a rule that only notes takes nothing from the value"


def test_a_value_that_was_rejected_is_told_where_it_would_stand(built: str) -> None:
    x = told("M4")
    assert [(r.slot, r.reason, r.detail, r.source, r.locator) for r in x.rejected] == [
        (32, "NOT_A_NUMBER", "value 'x'", "block_2.csv", "line 7")
    ], "the other one is of another day"


def test_what_could_not_be_estimated_is_missing_and_says_so(built: str) -> None:
    x = told("M4")
    last = x.intervals[47]
    assert (last.final_wh, last.quality, last.nem12, last.cim[0], last.ieee2030_5) == (None, "missing", "N", "3.5.259", 0)
    assert run_at(x, 47).how == "no value came, and nothing could be estimated"
    assert x.registers is None
    assert verdict(x, "V07", "estimate").state == "open"


def test_events_that_reach_into_the_day_are_told(built: str) -> None:
    events = [(e.event, e.code, e.occurred_at, e.ended_at, e.state) for e in told("M4").episodes]
    began = midnight(DAY) + timedelta(hours=16)
    assert events == [("power_failure", 101, began, began + timedelta(hours=2), "restored")]
    assert told("M1").episodes == ()


def test_an_edit_tells_who_why_and_who_approved(built: str) -> None:
    x = told("M3")
    assert [(e.kind_of(EDITED[0]), e.slots, e.reason, e.editor, e.decision, e.decided_by) for e in x.edits] == [
        ("set", EDITED, "METER_FAULT", "asha", "approved", "ravi"),
        ("zero", EDITED, "OTHER", "asha", None, None),
    ]
    assert (x.edits[0].before_wh, x.edits[0].after_wh) == (210, 600)
    edited = x.intervals[EDITED[0]]
    assert (edited.measured_wh, edited.edited_wh, edited.final_wh, edited.quality) == (100, 300, 300, "edited")
    assert (edited.nem12, edited.cim, edited.ieee2030_5_flags) == ("S18", ("3.7.0",), ("manually_edited",))
    assert edited.edit_id == x.edits[0].edit_id
    assert "asha" in run_at(x, EDITED[0]).how
    assert x.intervals[0].edit_id is None
    assert x.final_wh == 5190


def test_what_came_after_the_build_is_shown_and_does_not_count_yet(built: str) -> None:
    x = told("M5")
    assert [d.in_build for d in x.deliveries] == [False, True]
    late = x.intervals[4]
    assert [(v.wh, v.verdict) for v in late.raw] == [(77, "not built yet"), (50, "stands")]
    assert (late.final_wh, late.quality) == (50, "actual")


def test_a_frozen_day_says_so_in_every_code(built: str) -> None:
    with psycopg.connect(db.database_url()) as conn:
        conn.execute(
            "insert into vee.freeze (discom_id, first_day, last_day, frozen_by, reason) values (1, %s, %s, 'billing', 'billed')", [DAY, DAY]
        )
        conn.execute("select set_config('app.discom_id', '1', true)")
        x = explain(conn, "ACME", "M1", DAY)
        conn.rollback()
    assert x.frozen
    assert {i.nem12 for i in x.intervals} == {"A", "F24"}


def test_a_day_that_was_not_built_has_raw_values(built: str) -> None:
    with psycopg.connect(db.database_url()) as conn:
        conn.execute("select ops.ensure_month('raw.profile_fragment', %s, %s)", [date(2026, 11, 1)] * 2)
        put(conn, 3, date(2026, 11, 1), [100, None, 100], batch=3)
        conn.execute("select set_config('app.discom_id', '1', true)")
        x = explain(conn, "ACME", "M3", date(2026, 11, 1))
        conn.rollback()
    assert x.built_at is None
    assert [(i.final_wh, i.quality, i.nem12) for i in x.intervals[:3]] == [(100, "raw", None), (None, "missing", "N"), (100, "raw", None)]
    assert x.rules == ()


@pytest.mark.parametrize(
    ("serial", "day", "code"),
    [
        ("M9", DAY, "UNKNOWN_METER"),
        ("M1", date(2026, 1, 1), "NOTHING_KNOWN"),
        ("M1", date(9999, 12, 31), "NOTHING_KNOWN"),
        ("M1", date.min, "NOTHING_KNOWN"),
    ],
)
def test_nothing_to_explain_is_said(built: str, serial: str, day: date, code: str) -> None:
    with pytest.raises(ExplainError) as e:
        told(serial, day)
    assert e.value.code == code


def test_every_interval_is_in_one_run_and_final_values_add_up(built: str) -> None:
    for serial in ("M1", "M2", "M3", "M4", "M5"):
        x = told(serial)
        assert [s for r in x.runs for s in range(r.first_slot, r.first_slot + r.slots)] == [i.slot for i in x.intervals]
        assert sum(r.final_wh or 0 for r in x.runs) == sum(i.final_wh or 0 for i in x.intervals) == x.final_wh
        assert x.intervals[0].starts_at == midnight(DAY)
        assert x.intervals[-1].ends_at == midnight(DAY + timedelta(days=1))


def test_an_outage_is_told_by_interval_and_drawn(built: str) -> None:
    x = told("M4")
    assert [i.slot for i in x.intervals if i.outage == "wholly"] == [32, 33, 34, 35]
    assert x.evidence["outage_slots"] == 4
    assert "slots" not in x.evidence, "that is told elsewhere"
    assert verdict(x, "V30").outcome == "failed"
    assert told("M1").evidence == {}
    out = shown("M4", DAY.isoformat(), width=80)
    assert "▓▓▓▓" in next(line for line in out.splitlines() if line.strip().startswith("outage"))
    assert "outage slots 4" in out


def test_limits_are_those_of_the_rule_set_that_judged_the_day(built: str) -> None:
    x = told("M1")
    assert x.rule_set is not None
    assert verdict(x, "V17").limit == "at most 180"
    with psycopg.connect(db.database_url()) as conn:
        conn.execute("select set_config('app.discom_id', '1', true)")
        rules = conn.execute("select rules from vee.rule_set where rule_set_id = %s", [x.rule_set]).fetchone()[0]  # type: ignore[index]
        for r in rules:
            if r["rule"] == "V17":
                r["kwargs"]["max_value"] = 99
        conn.execute("update vee.rule_set set rules = %s where rule_set_id = %s", [Jsonb(rules), x.rule_set])
        assert verdict(explain(conn, "ACME", "M1", DAY), "V17").limit == "at most 99"
        conn.rollback()


# --- in the terminal ---


def shown(*args: str, width: int = 80) -> str:
    done = CliRunner().invoke(app, ["vee", "explain", *args, "--discom", "ACME"], env={"COLUMNS": str(width), "NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(("width", "each"), [(80, 1), (120, 2)])
def test_the_picture_has_every_interval_its_quality_and_what_was_measured(
    built: str, monkeypatch: pytest.MonkeyPatch, width: int, each: int
) -> None:
    monkeypatch.setattr("cli.vee.explain.console", Console(width=width, no_color=True))
    out = shown("M1", DAY.isoformat())
    lines = out.splitlines()
    assert max(map(len, lines)) <= width
    quality = next(line for line in lines if line.startswith("quality"))
    assert quality[9:].rstrip() == "".join(("E" if s in GAP else "·") * each for s in range(48))
    raw = next(line for line in lines if line.strip().startswith("raw "))
    assert raw.count("×") == len(GAP) * each
    for word in ("From raw to final", "10:00-12:00", "E estimated", "Registers", "they agree", "V07", "block_1.csv", "passed: "):
        assert word in out, f"{word!r} is not in the picture:\n{out}"


def test_a_day_of_quarter_hours_fits_into_eighty_columns(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.vee.explain.console", Console(width=80, no_color=True))
    out = shown("M5", DAY.isoformat())
    assert max(map(len, out.splitlines())) <= 80
    assert "more came since" in out


def test_one_interval_by_its_time_is_told_step_by_step(built: str) -> None:
    out = " ".join(shown("M2", DAY.isoformat(), "--time", "15:10").split())
    for word in ("15:00 to 15:30", "9.000 kWh", "V17", "estimated 0.090 kWh", "final 0.090 kWh", "NEM12 S24", "3.6.5", "passed: "):
        assert word in out, f"{word!r} is not in the story:\n{out}"
    assert out == " ".join(shown("M2", DAY.isoformat(), "--slot", str(PEAK)).split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("M9", DAY.isoformat()), "M9"),
        (("M1", DAY.isoformat(), "--time", "24:00"), "24:00"),
        (("M1", DAY.isoformat(), "--slot", "48"), "0 to 47"),
        (("M1", DAY.isoformat(), "--slot", "1", "--time", "07:00"), "give one"),
    ],
)
def test_a_mistake_is_named(built: str, args: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, ["vee", "explain", *args, "--discom", "ACME"])
    assert done.exit_code != 0
    assert said in done.output + str(done.exception)


# --- over HTTP ---


@pytest.fixture
def client(built: str) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: built}) as client:
        yield client


def test_the_api_tells_what_the_command_tells(client: TestClient) -> None:
    answer = client.get(f"/api/v1/vee/explain/M2/{DAY}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert body["intervals"][PEAK]["measured_wh"] == 9000
    assert client.get(f"/api/v1/vee/explain/M2/{DAY}/{PEAK}").json() == body["intervals"][PEAK]
    printed = json.loads(shown("M2", DAY.isoformat(), "--json"))
    assert printed.keys() == body.keys()
    assert printed["runs"][0]["how"] == body["runs"][0]["how"]
    assert set(body["intervals"][PEAK]) == set(Interval.__dataclass_fields__)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("M9/2026-10-08", 404, "UNKNOWN_METER"),
        ("M1/2026-01-08", 404, "NOTHING_KNOWN"),
        ("M1/9999-12-31", 404, "NOTHING_KNOWN"),
        ("M1/2026-10-08/48", 404, "NO_SUCH_INTERVAL"),
        ("M1/yesterday", 422, "INVALID_REQUEST"),
        ("M1/2026-10-08/-1", 422, "INVALID_REQUEST"),
    ],
)
def test_what_is_not_there_is_a_problem_with_its_code(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(f"/api/v1/vee/explain/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_tenant_sees_nothing_of_it(built: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        key, key_id, secret = new_key()
        insert_key(conn, GLOBEX, key_id, secret, None, "operator", [], 1_000_000)
    with TestClient(create_app(), headers={HEADER: key}) as client:
        assert client.get(f"/api/v1/vee/explain/M1/{DAY}").json()["code"] == "UNKNOWN_METER"
