"""Rules on a real PostgreSQL: what fails and what passes at each limit, what becomes of an exception over time, and what GX sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from typer.testing import CliRunner

from cli.main import app
from expectations.cost import measure_costs
from expectations.rules import RuleError, Stage, load_suite
from expectations.runner import ValidationError, ValidationReport, validate
from warehouse import db

pytestmark = pytest.mark.integration

CONTRACT = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "vee" / "_vee__models.yml"
DAY = date(2026, 10, 1)
ACME, GLOBEX = 1, 2
GOOD: dict[str, Any] = {
    "place": "consumer",
    "category": "domestic",
    "office_id": 1,
    "slots": 48,
    "interval_min": 30,
    "present_slots": 48,
    "missing_slots": 0,
    "fragments": 1,
    "duplicate_slots": 0,
    "conflict_slots": 0,
    "negative_slots": 0,
    "zero_slots": 0,
    "over_limit_slots": 0,
    "limit_wh": 5000,
    "zero_days": 0,
    "sum_wh": 9600,
    "min_wh": 100,
    "max_wh": 300,
    "third_max_wh": 200,
    "spike_pct": 50.0,
    "sum_diff_wh": 0,
    "sum_diff_pct": 0.0,
    "future_stamps": 0,
    "age_days": 1,
    "phases": 1,
}
"""A meter-day that passes every rule."""

NOT_EDITED = ("fragments", "duplicate_slots", "conflict_slots", "zero_slots", "zero_days", "future_stamps", "age_days")
"""Figures of it that no edit can change."""
GOOD_MONTH: dict[str, Any] = {
    "place": "consumer",
    "category": "domestic",
    "daily_wh": 1500.0,
    "before_wh": 1000.0,
    "year_before_wh": 1000.0,
}
OTHER_FIGURES: dict[str, dict[str, Any]] = {"usage_month": GOOD_MONTH, "evidence": {}}


@cache
def contracts() -> dict[str, Any]:
    """dbt's contracts of the tables of schema vee, by name."""
    return {m["name"]: m for m in yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["models"]}


def make_table(conn: psycopg.Connection, name: str) -> None:
    """An empty vee.<name> with the columns of its dbt contract."""
    columns = ", ".join(f"{c['name']} {c['data_type']}" for c in contracts()[name]["columns"])
    conn.execute(f"create table vee.{name} ({columns}, primary key (discom_id, day, meter_id))")


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_owner", autocommit=True) as owner:
        owner.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        for name in ("measure", "evidence", "estimated_measure", "edited_measure", "usage_month"):
            make_table(conn, name)
        conn.execute("select ops.ensure_month('vee.estimated_day', %s, %s)", [DAY, DAY])
        yield conn


def put(conn: psycopg.Connection, meter_id: int, /, discom_id: int = ACME, day: date = DAY, table: str = "measure", **figures: Any) -> None:
    """A meter-day that is good but for `figures`; it replaces the one that is there."""
    good = OTHER_FIGURES.get(table, GOOD)
    if table == "edited_measure":
        good = {k: v for k, v in GOOD.items() if k not in NOT_EDITED}
    row = {"discom_id": discom_id, "day": day, "meter_id": meter_id, **good, **figures}
    conn.execute(f"delete from vee.{table} where (discom_id, day, meter_id) = (%s, %s, %s)", [discom_id, day, meter_id])
    conn.execute(f"insert into vee.{table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", [*row.values()])


def judge(tmp_path: Path, stage: Stage = "initial", last: date = DAY, discom: str = "acme") -> ValidationReport:
    return validate({"acme": ACME, "globex": GLOBEX}[discom], discom, DAY, last, stage, overlays=tmp_path)


def exceptions(conn: psycopg.Connection, columns: str = "meter_id, rule, severity, action, value, state") -> list[tuple[Any, ...]]:
    return conn.execute(f"select {columns} from vee.exception order by discom_id, day, meter_id, rule, stage").fetchall()


@pytest.mark.parametrize(
    ("passes", "fails", "expected"),
    [
        ([{"future_stamps": 0}, {"future_stamps": None}], {"future_stamps": 1}, ("V05", "fatal", "note", 1.0, "1 values stamped")),
        (
            [{"age_days": 90}, {"age_days": None}],
            {"age_days": 91},
            ("V05", "warn", "note", 91.0, "received 91 days after the day (limit 90 days)"),
        ),
        ([{"conflict_slots": 0}, {"conflict_slots": None}], {"conflict_slots": 1}, ("V06", "warn", "note", 1.0, "1 intervals came with")),
        (
            [{"missing_slots": 0}, {"missing_slots": None}],
            {"missing_slots": 1},
            ("V07", "fail", "estimate", 1.0, "1 of 48 intervals are missing"),
        ),
        (
            [{"negative_slots": 0}, {"negative_slots": None}],
            {"negative_slots": 2, "min_wh": -7},
            ("V11", "fail", "estimate", 2.0, "2 intervals are negative, the lowest -7 Wh"),
        ),
        (
            [{"zero_days": 6}, {"zero_days": None}, {"zero_days": 2, "category": "commercial"}],
            {"zero_days": 7},
            ("V13", "warn", "flag", 7.0, "no energy for 7 days in a row (a home: fewer than 7 pass)"),
        ),
        (
            [{"zero_days": 99, "category": "dt", "place": "dt"}, {"zero_days": 99, "category": "feeder", "place": "feeder"}],
            {"zero_days": 3, "category": "commercial"},
            ("V13", "warn", "flag", 3.0, "no energy for 3 days in a row (fewer than 3 pass)"),
        ),
        (
            [{"over_limit_slots": 0}, {"over_limit_slots": None}],
            {"over_limit_slots": 1, "max_wh": 6000},
            ("V16", "fail", "estimate", 1.0, "1 intervals are above the 5000 Wh that can flow, the highest 6000 Wh"),
        ),
        (
            [{"spike_pct": 179.9}, {"spike_pct": 180.0}, {"spike_pct": None}, {"spike_pct": 999.0, "place": "dt", "category": "dt"}],
            {"spike_pct": 180.25, "max_wh": 560},
            ("V17", "fail", "estimate", 180.25, "peak of 560 Wh is 180.25 % above the third-highest interval (limit 180 %)"),
        ),
        (
            [{"sum_diff_pct": 0.99}, {"sum_diff_pct": 1.0}, {"sum_diff_pct": None, "sum_diff_wh": None}],
            {"sum_diff_pct": 1.5, "sum_diff_wh": -144},
            ("V19", "fail", "hold", 1.5, "register's advance is -144 Wh, 1.5 % beyond one step (limit 1 %)"),
        ),
    ],
)
def test_a_rule_fails_beyond_its_limit_and_only_there(conn, tmp_path, passes, fails, expected):
    for meter_id, figures in enumerate(passes, start=100):
        put(conn, meter_id, **figures)
    put(conn, 1, **fails)
    rule, severity, action, value, message = expected
    report = judge(tmp_path)
    assert exceptions(conn) == [(1, rule, severity, action, value, "open")]
    assert message in exceptions(conn, "message")[0][0]
    assert (report.written, report.cleared) == (1, 0)
    assert [(r.rule, r.failed) for r in report.rule_days if r.failed] == [(rule, 1)]


@pytest.mark.parametrize(
    ("passes", "fails", "expected"),
    [
        ([{"removed_fragments": None}], {"removed_fragments": 2}, ("V01.removed", "fatal", "hold", 2.0, "removed before this day")),
        ([{"nameplate_other_serial": 0}], {"nameplate_other_serial": 1}, ("V01.serial", "fatal", "hold", 1.0, "another meter answers")),
        ([{"uninstalled_fragments": None}], {"uninstalled_fragments": 1}, ("V02", "fatal", "hold", 1.0, "has not installed")),
        (
            [{"clock_off_s": 60, "clock_off_pct": 3.3}, {"clock_off_s": None}],
            {"clock_drift_s": -61, "clock_off_s": 61, "clock_off_pct": 3.4},
            ("V03.warn", "warn", "note", -61.0, "off by -61 s (limit 60 s)"),
        ),
        (
            [],
            {"clock_drift_s": 181, "clock_off_s": 181, "clock_off_pct": 10.1},
            ("V03.fail", "fail", "flag", 181.0, "off by 181 s (limit 180 s)"),
        ),
        (
            [],
            {"clock_drift_s": -910, "clock_off_s": 910, "clock_off_pct": 50.56},
            ("V03.half_interval", "fail", "hold", -910.0, "-910 s, 50.56 % of an interval (limit 50 %)"),
        ),
        ([{"off_grid_values": None}], {"off_grid_values": 4}, ("V04", "warn", "note", 4.0, "4 values were rejected")),
        ([], {"wrong_interval_values": 96, "interval_min": 30}, ("V08", "fail", "note", 96.0, "not of the 30 minutes")),
        ([], {"wrong_unit_values": 1}, ("V09", "fail", "note", 1.0, "unit does not fit")),
        (
            [{"mf_diff_pct": 0.0}],
            {"mf_diff_pct": 50.0, "nameplate_mf": 20.0, "registry_mf": 40.0},
            ("V10", "fail", "hold", 20.0, "factor is 20, the registry's 40"),
        ),
        (
            [{"relay_open_max_wh": 10, "relay_open_wh": 400, "relay_open_slots": 40}],
            {"relay_open_max_wh": 11, "relay_open_wh": 11, "relay_open_slots": 40},
            ("V14.relay", "fail", "flag", 11.0, "11 Wh in 40 intervals with an open relay, up to 11 Wh in one (limit 10 Wh)"),
        ),
        (
            [{"vacant_max_wh": 10}],
            {"vacant_max_wh": 300, "vacant_wh": 900},
            ("V14.vacant", "fail", "flag", 900.0, "900 Wh where every account"),
        ),
        (
            [{"zone_excess_wh": 0, "zone_diff_wh": 8, "zones": 8}],
            {"zone_excess_wh": 1, "zone_diff_wh": -9, "zones": 8},
            ("V20", "fail", "flag", -9.0, "the 8 zone registers less the total register are -9 Wh, 1 Wh beyond"),
        ),
        ([{"programming_events": 0}], {"programming_events": 3}, ("V28", "warn", "note", 3.0, "programmed 3 times")),
        ([{"clock_set_events": 0}], {"clock_set_events": 1, "interval_min": 30}, ("V29", "fail", "flag", 1.0, "than 30 minutes")),
        (
            [{"outage_slots": 0, "outage_partial_slots": 0}],
            {"outage_slots": 4, "outage_partial_slots": 1, "missing_slots": 6, "missing_outage_slots": 3},
            ("V30.whole", "info", "note", 4.0, "in 4 intervals and in part of 1; of 6 missing intervals 3 lie in it"),
        ),
        ([], {"outage_slots": 0, "outage_partial_slots": 1}, ("V30.partial", "info", "note", 1.0, "no supply in part of 1 intervals")),
    ],
)
def test_a_rule_on_evidence_fails_beyond_its_limit_and_only_there(conn, tmp_path, passes, fails, expected):
    for meter_id, figures in enumerate(passes, start=100):
        put(conn, meter_id, table="evidence", **figures)
    put(conn, 1, table="evidence", **fails)
    key, severity, action, value, message = expected
    judge(tmp_path)
    assert exceptions(conn, "meter_id, rule, check_key, severity, action, value") == [(1, key.split(".")[0], key, severity, action, value)]
    assert message in exceptions(conn, "message")[0][0]


@pytest.mark.parametrize(
    ("rule", "figures", "message"),
    [
        ("V07", {"missing_slots": 2}, "2 of 48 intervals are missing after editing"),
        ("V11", {"negative_slots": 1, "min_wh": -3}, "the lowest -3 Wh"),
        ("V16", {"over_limit_slots": 1, "max_wh": 9000}, "above the 5000 Wh that can flow after editing, the highest 9000 Wh"),
        ("V17", {"spike_pct": 181.0}, "181 % above the third-highest interval after editing"),
        ("V19", {"sum_diff_pct": 1.5, "sum_diff_wh": 144}, "after editing, intervals less the register's advance are 144 Wh"),
    ],
)
def test_an_edited_day_is_judged_again_and_the_verdict_stands_beside_the_first(conn, tmp_path, rule, figures, message):
    put(conn, 1, missing_slots=3)
    put(conn, 1, table="edited_measure", **figures)
    put(conn, 2, table="edited_measure")
    judge(tmp_path)
    judge(tmp_path, "edit")
    assert exceptions(conn, "meter_id, rule, stage, action") == sorted([(1, "V07", "initial", "estimate"), (1, rule, "edit", "hold")])
    assert message in conn.execute("select message from vee.exception where stage = 'edit'").fetchone()[0]


def test_an_exception_names_the_check_that_wrote_it(conn, tmp_path):
    put(conn, 1, zero_days=9)
    judge(tmp_path)
    assert exceptions(conn, "rule, check_key") == [("V13", "V13.domestic")]
    put(conn, 1, zero_days=9, category="commercial")
    judge(tmp_path)
    assert exceptions(conn, "rule, check_key") == [("V13", "V13.other")], "another check finds the same value"


@pytest.mark.parametrize(
    ("passes", "fails", "expected"),
    [
        (
            [{"register_back_wh": 0}, {"register_back_wh": None}],
            {"register_back_wh": 300, "register_open_wh": 900, "register_close_wh": 600},
            ("V12", "fail", "hold", 300.0, "fell by 300 Wh, from 900 to 600, and did not roll over"),
        ),
        (
            [{"export_diff_pct": 1.0}, {"export_diff_pct": None}],
            {"export_diff_pct": 1.01, "export_sum_wh": 500, "export_advance_wh": 400},
            (
                "V21",
                "fail",
                "hold",
                1.01,
                "export intervals add up to 500 Wh, their register gained 400: 1.01 % beyond one step (limit 1 %)",
            ),
        ),
        (
            [{"apparent_diff_pct": 1.0}, {"apparent_diff_pct": None}],
            {"apparent_diff_pct": 7.0, "import_sum_vah": 500, "apparent_advance_vah": 400},
            ("V21", "fail", "hold", 7.0, "kVAh intervals add up to 500 VAh"),
        ),
        (
            [{"reactive_sum_varh": 1}, {"reactive_sum_varh": None}],
            {"reactive_sum_varh": 0},
            ("V22", "warn", "note", 9600.0, "no reactive energy all day beside 9600 Wh"),
        ),
        (
            [{"apparent_off_pct": 2.0}, {"apparent_off_pct": None}],
            {"apparent_off_pct": 2.5, "import_sum_vah": 9000},
            ("V23", "fail", "hold", 2.5, "9000 VAh are 2.5 % off what kWh and kvarh make (limit 2 %)"),
        ),
        (
            [{"power_factor": 0.3}, {"power_factor": 1.0}, {"power_factor": None}],
            {"power_factor": 0.29},
            ("V24", "warn", "note", 0.29, "power factor of the day is 0.29, below 0.3"),
        ),
        ([{"power_factor": 1.0}], {"power_factor": 1.01}, ("V24", "warn", "note", 1.01, "power factor of the day is 1.01, above 1")),
        (
            [{"md_pct": 95.0}, {"md_pct": None}, {"md_pct": 300.0}],
            {"md_pct": 94.9},
            ("V25", "warn", "note", 94.9, "has 94.9 % of the highest interval, 300 Wh (at least 95 %)"),
        ),
        (
            [{"md_of_day_pct": 120.0}, {"md_of_day_pct": None}],
            {"md_of_day_pct": 121.0},
            ("V25", "warn", "note", 121.0, "121 % of its highest interval, 300 Wh (limit 120 %)"),
        ),
        (
            [{"voltage_min_v": 150.0}, {"voltage_min_v": None}],
            {"voltage_min_v": 149.9},
            ("V26", "warn", "note", 149.9, "voltage down to 149.9 V (limit 150 V)"),
        ),
        ([{"voltage_max_v": 300.0}], {"voltage_max_v": 300.1}, ("V26", "warn", "note", 300.1, "voltage up to 300.1 V (limit 300 V)")),
        (
            [{"dead_slots": 0}, {"dead_slots": None}],
            {"dead_slots": 1},
            ("V26", "warn", "note", 1.0, "energy flows in 1 intervals of 0 V"),
        ),
        (
            [{"overflow_slots": 0}, {"overflow_slots": None}],
            {"overflow_slots": 2, "max_wh": 65535},
            ("V27", "fail", "estimate", 2.0, "2 intervals hold the maximum of a type, which no load reaches (highest import 65535 Wh)"),
        ),
        (
            [{"frozen_slots": 23}, {"frozen_slots": None}],
            {"frozen_slots": 24},
            ("V31", "warn", "flag", 24.0, "the same value in 24 intervals in a row (fewer than 24 pass)"),
        ),
        (
            [{"export_missing_slots": 0}, {"export_missing_slots": None}],
            {"export_missing_slots": 48, "export_advance_wh": 70},
            ("V33", "warn", "note", 48.0, "48 intervals have import and no export, though 70 Wh went through the export register"),
        ),
        (
            [{"apparent_missing_slots": 0}],
            {"apparent_missing_slots": 48, "apparent_advance_vah": 70},
            ("V33", "warn", "note", 48.0, "48 intervals have import and no kVAh"),
        ),
        (
            [{"load_factor_pct": 0.5}, {"load_factor_pct": 100.0}, {"load_factor_pct": None}, {"load_factor_pct": 0.1, "place": "dt"}],
            {"load_factor_pct": 0.4},
            ("V35", "warn", "note", 0.4, "a load factor of 0.4 % of the sanctioned load (at least 0.5 %)"),
        ),
        ([{"load_factor_pct": 100.0}], {"load_factor_pct": 101.0}, ("V35", "warn", "note", 101.0, "(limit 100 %)")),
        (
            [
                {"both_ways_slots": 0},
                {"both_ways_slots": None},
                {"both_ways_slots": 9, "phases": 3},
                {"both_ways_slots": 9, "phases": None},
            ],
            {"both_ways_slots": 1},
            ("V36", "warn", "note", 1.0, "1 intervals have import and export"),
        ),
    ],
)
def test_a_further_rule_fails_beyond_its_limit_and_only_there(conn, tmp_path, passes, fails, expected):
    test_a_rule_fails_beyond_its_limit_and_only_there(conn, tmp_path, passes, fails, expected)


def test_less_apparent_than_active_energy_breaks_two_rules(conn, tmp_path):
    put(conn, 1, power_factor=1.0101, import_sum_vah=9600)
    put(conn, 2, power_factor=1.02, import_sum_vah=9400)
    judge(tmp_path)
    found = exceptions(conn)
    assert found == [
        (1, "V24", "warn", "note", 1.0101, "open"),
        (2, "V23", "fail", "hold", 1.02, "open"),
        (2, "V24", "warn", "note", 1.02, "open"),
    ]
    assert "9400 VAh are less than the 9600 Wh of the day" in exceptions(conn, "message")[1][0]


@pytest.mark.parametrize(
    ("passes", "fails", "expected"),
    [
        (
            [{"usage_pct": 50.0}, {"usage_pct": 200.0}, {"usage_pct": None}],
            {"usage_pct": 49.0, "daily_wh": 490.0},
            ("V15", "warn", "note", 49.0, "490 Wh a day are 49 % of the three months before, 1000 Wh a day (at least 50 %)"),
        ),
        (
            [{"usage_pct": 200.0}],
            {"usage_pct": 201.0},
            ("V15", "warn", "note", 201.0, "of the three months before, 1000 Wh a day (limit 200 %)"),
        ),
        (
            [{"usage_year_pct": 50.0}],
            {"usage_year_pct": 49.0},
            ("V15", "warn", "note", 49.0, "same month last year, 1000 Wh a day (at least"),
        ),
        (
            [{"usage_year_pct": 200.0}],
            {"usage_year_pct": 201.0},
            ("V15", "warn", "note", 201.0, "same month last year, 1000 Wh a day (limit"),
        ),
        (
            [{"month_diff_pct": 1.0}, {"month_diff_pct": None}],
            {"month_diff_pct": 1.5, "month_diff_wh": 700},
            ("V19", "fail", "note", 1.5, "the month's intervals less the register's advance are 700 Wh, 1.5 % beyond one step (limit 1 %)"),
        ),
    ],
)
def test_a_month_is_judged_on_figures_of_its_own(conn, tmp_path, passes, fails, expected):
    for meter_id, figures in enumerate(passes, start=100):
        put(conn, meter_id, table="usage_month", **figures)
    put(conn, 1, table="usage_month", **fails)
    rule, severity, action, value, message = expected
    judge(tmp_path)
    assert exceptions(conn) == [(1, rule, severity, action, value, "open")]
    assert message in exceptions(conn, "message")[0][0]


def test_a_rule_that_is_off_is_judged_once_an_overlay_says_so(conn, tmp_path):
    put(conn, 1, step_pct=1000.0)
    put(conn, 2, step_pct=1001.0)
    assert judge(tmp_path).written == 0
    (tmp_path / "acme.yml").write_text("discom: acme\ninitial:\n  V18: {enabled: true}\n")
    judge(tmp_path)
    assert exceptions(conn) == [(2, "V18", "warn", "flag", 1001.0, "open")]


def test_a_long_run_of_estimates_is_noted_and_the_estimate_stands(conn, tmp_path):
    put(conn, 1, missing_slots=3)
    judge(tmp_path)
    conn.execute("insert into vee.estimated_day values (%s, %s, 1, '{1}', null, null, '{6}', '{3}', 1, null, null, 1, 0, 1)", [ACME, DAY])
    put(conn, 1, table="estimated_measure", estimated_days=6)
    assert judge(tmp_path, "estimate").written == 0
    put(conn, 1, table="estimated_measure", estimated_days=7)
    judge(tmp_path, "estimate")
    assert exceptions(conn, "rule, stage, severity, action, state, message") == [
        ("V07", "initial", "fail", "estimate", "estimated", "3 of 48 intervals are missing"),
        ("V32", "estimate", "warn", "note", "open", "estimates on 7 days in a row (fewer than 7 pass)"),
    ]


def test_tested_are_the_rows_that_have_a_figure_and_are_what_the_rule_is_for(conn, tmp_path):
    put(conn, 1)
    put(conn, 2, spike_pct=None)
    put(conn, 3, place="dt", category="dt", zero_days=9)
    put(conn, 4, day=date(2026, 10, 2), age_days=None)
    put(conn, 5, day=date(2026, 10, 3))
    report = judge(tmp_path, last=date(2026, 10, 2))
    tested = {(r.rule, r.day.day): r.tested for r in report.rule_days}
    assert tested[("V17", 1)] == 1, "no figure and no consumer's meter: not tested"
    assert tested[("V13", 1)] == 2, "both variants of V13 together test the two consumers"
    assert tested[("V05", 2)] == 1, "one of the rule's two figures is enough"
    assert {day for _, day in tested} == {1, 2}, "only the days that were asked for"


def test_of_two_expectations_of_a_rule_the_worse_is_recorded(conn, tmp_path):
    put(conn, 1, future_stamps=4, age_days=200)
    judge(tmp_path)
    assert exceptions(conn) == [(1, "V05", "fatal", "note", 4.0, "open")]
    put(conn, 1, future_stamps=0, age_days=200)
    judge(tmp_path)
    assert exceptions(conn) == [(1, "V05", "warn", "note", 200.0, "open")]


def test_a_second_run_changes_nothing(conn, tmp_path):
    for meter_id in range(1, 30):
        put(conn, meter_id, missing_slots=meter_id % 3, spike_pct=meter_id * 10.1)
    first = judge(tmp_path)
    before = exceptions(conn, "*")
    second = judge(tmp_path)
    assert first.written == len(before) > 0
    assert (second.written, second.cleared) == (0, 0)
    assert exceptions(conn, "*") == before, "not even updated_at may move"
    assert second.rule_days == first.rule_days


def test_what_fails_no_more_is_cleared_and_opens_again_under_its_first_date(conn, tmp_path):
    put(conn, 1, missing_slots=3)
    judge(tmp_path)
    opened = exceptions(conn, "opened_at")
    put(conn, 1)
    assert judge(tmp_path).cleared == 1
    assert exceptions(conn, "rule, state") == [("V07", "cleared")]
    put(conn, 1, missing_slots=3)
    judge(tmp_path)
    assert exceptions(conn, "rule, state") == [("V07", "open")]
    assert exceptions(conn, "opened_at") == opened


def test_the_exception_of_a_meter_day_that_is_gone_is_cleared(conn, tmp_path):
    put(conn, 1, missing_slots=3)
    judge(tmp_path)
    conn.execute("delete from vee.measure")
    report = judge(tmp_path)
    assert (report.cleared, report.rule_days) == (1, ())


def test_what_a_person_closed_stays_closed_until_its_value_changes(conn, tmp_path):
    put(conn, 1, missing_slots=3)
    judge(tmp_path)
    conn.execute("update vee.exception set state = 'closed', message = 'seen'")
    judge(tmp_path)
    assert exceptions(conn, "state, message") == [("closed", "seen")]
    put(conn, 1)
    judge(tmp_path)
    assert exceptions(conn, "state") == [("closed",)], "a person's word is not cleared"
    put(conn, 1, missing_slots=4)
    judge(tmp_path)
    assert exceptions(conn, "state, value, message") == [("open", 4.0, "4 of 48 intervals are missing")]


def test_days_outside_the_range_other_stages_and_other_rules_are_left_alone(conn, tmp_path):
    later = date(2026, 11, 1)
    put(conn, 1, day=later, missing_slots=1)
    conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [DAY, later])
    for day, rule, stage in [(DAY, "V32", "initial"), (DAY, "V07", "estimate"), (later, "V11", "initial")]:
        conn.execute(
            """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message)
               values (%s, %s, 1, %s, %s, 'fail', 'hold', '')""",
            [ACME, day, rule, stage],
        )
    before = exceptions(conn, "*")
    judge(tmp_path)
    assert exceptions(conn, "*") == before


def test_two_tenants_do_not_touch_each_other(conn, tmp_path):
    put(conn, 1, missing_slots=1)
    put(conn, 1, discom_id=GLOBEX, missing_slots=2)
    judge(tmp_path)
    assert exceptions(conn, "discom_id, value") == [(ACME, 1.0)]
    judge(tmp_path, discom="globex")
    put(conn, 1)
    judge(tmp_path)
    assert exceptions(conn, "discom_id, value, state") == [(ACME, 1.0, "cleared"), (GLOBEX, 2.0, "open")]


def test_an_overlay_moves_limits_changes_the_action_and_switches_rules_off(conn, tmp_path):
    put(conn, 1, spike_pct=200.0, missing_slots=1)
    put(conn, 2, spike_pct=300.0)
    judge(tmp_path)
    assert exceptions(conn, "meter_id, rule, state") == [(1, "V07", "open"), (1, "V17", "open"), (2, "V17", "open")]
    (tmp_path / "acme.yml").write_text(
        "discom: acme\ninitial:\n  V17: {kwargs: {max_value: 250}, severity: warn, action: flag}\n  V07: {enabled: false}\n"
    )
    report = judge(tmp_path)
    assert exceptions(conn, "meter_id, rule, severity, action, state") == [
        (1, "V07", "fail", "estimate", "cleared"),
        (1, "V17", "fail", "estimate", "cleared"),
        (2, "V17", "warn", "flag", "open"),
    ]
    assert "limit 250 %" in exceptions(conn, "message")[2][0]
    assert "V07" not in {r.rule for r in report.rule_days}
    (tmp_path / "acme.yml").write_text("discom: acme\ninitial:\n  V98: {enabled: false}\n")
    with pytest.raises(RuleError, match=r"acme\.yml:3: initial\.V98"):
        judge(tmp_path)


def test_every_rule_may_be_switched_off(conn, tmp_path):
    put(conn, 1, missing_slots=1)
    judge(tmp_path)
    off = "".join(f"  {r}: {{enabled: false}}\n" for r in load_suite("initial", "nobody").rules)
    (tmp_path / "acme.yml").write_text(f"discom: acme\ninitial:\n{off}")
    report = judge(tmp_path)
    assert (report.cleared, report.rule_days, report.accepted) == (1, (), True)


@pytest.mark.parametrize(("failing", "accepted"), [(1, True), (2, True), (3, False)])
def test_a_day_is_refused_when_fewer_pass_than_the_rule_accepts(conn, tmp_path, failing, accepted):
    for meter_id in range(4):
        put(conn, meter_id, over_limit_slots=int(meter_id < failing), missing_slots=1)
        put(conn, meter_id, day=date(2026, 10, 2))
    report = judge(tmp_path, last=date(2026, 10, 2))
    assert report.accepted is accepted, f"{failing} of 4 meters fail V16, of which half must pass"
    assert [(r.rule, r.day) for r in report.refused] == ([] if accepted else [("V16", DAY)]), "V07 states no share, the other day is good"


def test_an_estimate_that_passes_settles_what_it_was_made_for(conn, tmp_path):
    def states() -> dict[tuple[int, str, str], str]:
        return {(m, r, s): state for m, r, s, state in exceptions(conn, "meter_id, rule, stage, state")}

    put(conn, 1, missing_slots=3)  # estimated, passes
    put(conn, 2, missing_slots=3, sum_diff_pct=5.0)  # estimated, fails again
    put(conn, 3, missing_slots=3)  # not estimated
    judge(tmp_path)
    for meter_id, missing in ((1, 0), (2, 2)):
        put(conn, meter_id, table="estimated_measure", missing_slots=missing)
        conn.execute(
            "insert into vee.estimated_day values (%s, %s, %s, '{1}', null, null, '{6}', '{3}', 1, null, null, 1, 0, 1)",
            [ACME, DAY, meter_id],
        )
    judge(tmp_path, "estimate")
    assert states() == {
        (1, "V07", "initial"): "estimated",
        (2, "V07", "initial"): "open",
        (2, "V07", "estimate"): "open",
        (2, "V19", "initial"): "open",
        (3, "V07", "initial"): "open",
    }
    assert exceptions(conn, "message")[1][0] == "2 of 48 intervals could not be estimated"

    before = exceptions(conn, "*")
    for stage in ("initial", "estimate"):
        assert judge(tmp_path, stage).written == 0
    assert exceptions(conn, "*") == before, "both stages again change nothing: an estimate stands while its cause is the same"

    put(conn, 2, table="estimated_measure")
    judge(tmp_path, "estimate")
    assert states()[(2, "V07", "initial")] == "estimated", "the estimate passes now"
    assert states()[(2, "V07", "estimate")] == "cleared"
    assert states()[(2, "V19", "initial")] == "open", "an estimate does not settle what a person must see"

    conn.execute("delete from vee.estimated_day where meter_id = 1")
    judge(tmp_path, "estimate")
    assert states()[(1, "V07", "initial")] == "open", "without an estimate it is open again"

    put(conn, 2, missing_slots=5)
    judge(tmp_path)
    assert states()[(2, "V07", "initial")] == "open", "more is missing than the estimate was made for"


def test_no_row_comes_to_python_and_statements_do_not_grow_with_failures(conn, tmp_path):
    sent: list[tuple[str, int]] = []

    def count(_conn, cursor, statement, *_):
        if "measure" in statement and "pg_catalog" not in statement:
            sent.append((statement, cursor.rowcount))

    put(conn, 1, missing_slots=1, spike_pct=500.0)
    sa.event.listen(sa.Engine, "after_cursor_execute", count)
    try:
        judge(tmp_path)
        few = len(sent)
        sent.clear()
        conn.execute(
            """insert into vee.measure (discom_id, day, meter_id, place, category, missing_slots, spike_pct)
               select discom_id, day, meter_id + n, place, category, missing_slots, spike_pct
               from vee.measure, generate_series(1, 5000) n"""
        )
        report = judge(tmp_path)
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", count)
    assert report.written == 10_000
    assert len(sent) == few > 0, "more statements for more failing rows"
    many = [(s, rows) for s, rows in sent if rows > 1]
    assert not many, f"Great Expectations fetched rows: {many}"


def test_figures_agree_with_those_of_great_expectations(conn, tmp_path, monkeypatch):
    from great_expectations.datasource.fluent.interfaces import Batch

    seen: dict[str, tuple[int, int]] = {}
    original = Batch.validate

    def spy(self, suite, **kwargs):
        answer = original(self, suite, **kwargs)
        for r in answer.results:
            k = r.expectation_config.kwargs
            conditions = k["row_condition"]["conditions"]
            if len(conditions) == 3 and k["column"] != "age_days" and k["column"] != "future_stamps":
                seen[k["column"]] = (r.result["element_count"] - r.result["missing_count"], r.result["unexpected_count"])
        return answer

    monkeypatch.setattr(Batch, "validate", spy)
    for meter_id in range(40):
        put(conn, meter_id, missing_slots=meter_id % 4, conflict_slots=meter_id % 5 or None, sum_diff_pct=meter_id / 10)
        put(conn, meter_id, discom_id=GLOBEX, missing_slots=1)
    found = {r.rule: (r.tested, r.failed) for r in judge(tmp_path).rule_days}
    columns = {"V06": "conflict_slots", "V07": "missing_slots", "V11": "negative_slots", "V16": "over_limit_slots", "V19": "sum_diff_pct"}
    assert {r: found[r] for r in columns} == {r: seen[c] for r, c in columns.items()}


def test_great_expectations_acts_as_dbt_does_and_takes_any_form_of_url(conn, database, tmp_path, monkeypatch):
    u = sa.make_url(database)
    monkeypatch.setenv(
        "METERHOUSE_DATABASE_URL", f"postgresql:///{u.database}?host={u.host}&port={u.port}&user={u.username}&password={u.password}"
    )
    users: list[str] = []

    def ask(dbapi_connection, _record):
        users.append(dbapi_connection.execute("select current_user").fetchone()[0])

    put(conn, 1, missing_slots=1)
    sa.event.listen(sa.Engine, "connect", ask)
    try:
        judge(tmp_path)
    finally:
        sa.event.remove(sa.Engine, "connect", ask)
    assert set(users) == {"meterhouse_dbt"}
    assert exceptions(conn, "rule") == [("V07",)]


def test_a_missing_table_or_column_is_named(conn, tmp_path):
    conn.execute("alter table vee.measure drop column spike_pct")
    with pytest.raises(ValidationError, match="spike_pct"):
        judge(tmp_path)
    conn.execute("drop table vee.measure")
    with pytest.raises(ValidationError, match=r"vee\.measure cannot be judged\. Build it first: dbt build --select measure"):
        judge(tmp_path)
    assert exceptions(conn) == []


def test_days_that_run_backwards_are_refused(tmp_path):
    with pytest.raises(ValueError, match="run backwards"):
        validate(ACME, "acme", DAY, date(2026, 9, 30), "initial", overlays=tmp_path)


def test_the_cost_of_a_rule_is_told_with_the_figure_that_it_judges(conn, tmp_path):
    put(conn, 1, missing_slots=3)
    put(conn, 2, spike_pct=None)
    put(conn, 3, place="dt", category="dt")
    put(conn, 4, table="evidence", outage_slots=2)
    put(conn, 5, table="usage_month")
    heard: list[tuple[int, int]] = []
    costs = measure_costs(ACME, "acme", DAY, DAY, "initial", overlays=tmp_path, said=lambda done, total: heard.append((done, total)))
    of = {c.check.key: c for c in costs}
    assert set(of) == {c.key for c in load_suite("initial", "nobody").enabled}
    assert (of["V07"].tested, of["V07"].failed) == (3, 1)
    assert (of["V17"].tested, of["V17"].failed) == (1, 0), "no figure and no consumer's meter: not tested"
    assert (of["V30.whole"].check.table, of["V30.whole"].tested, of["V30.whole"].failed) == ("vee.evidence", 1, 1)
    assert [c.seconds for c in costs] == sorted((c.seconds for c in costs), reverse=True)
    assert all(c.seconds > 0 for c in costs)
    assert heard[-1] == (len(costs), len(costs))
    assert exceptions(conn) == [], "who measures writes nothing"


def test_the_command_prints_what_each_rule_costs_and_refuses_what_it_does_not_know(conn, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    put(conn, 1, missing_slots=3)
    put(conn, 2, table="evidence", outage_slots=0)
    command = ["vee", "cost", "--discom", "acme", "--from", f"{DAY}", "--to", f"{DAY}"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    lines = {words[0]: words[1:] for words in map(str.split, done.output.splitlines())}
    assert lines["V07"][:3] == ["vee.measure.missing_slots", "1", "1"]
    assert lines["V30.whole"][:3] == ["vee.evidence.outage_slots", "1", "0"]
    for wrong in (["--stage", "final"], ["--to", "2026-09-01"], ["--discom", "nobody"]):
        assert CliRunner().invoke(app, [*command, *wrong]).exit_code == 1
