"""Rules on a real PostgreSQL: what fails and what passes at each limit, what becomes of an exception over time, and what GX sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import yaml

from expectations.rules import RuleError, Stage
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
}
"""A meter-day that passes every rule."""


def make_table(conn: psycopg.Connection, name: str) -> None:
    """An empty vee.<name> with the columns of the dbt contract of vee.measure."""
    models = {m["name"]: m for m in yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["models"]}
    columns = ", ".join(f"{c['name']} {c['data_type']}" for c in models["measure"]["columns"])
    conn.execute(f"create table vee.{name} ({columns}, primary key (discom_id, day, meter_id))")


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_owner", autocommit=True) as owner:
        owner.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        make_table(conn, "measure")
        make_table(conn, "estimated_measure")
        conn.execute(
            "create table vee.estimated_day (discom_id smallint, day date, meter_id integer, primary key (discom_id, day, meter_id))"
        )
        yield conn


def put(conn: psycopg.Connection, meter_id: int, /, discom_id: int = ACME, day: date = DAY, table: str = "measure", **figures: Any) -> None:
    """A meter-day that is good but for `figures`; it replaces the one that is there."""
    row = {"discom_id": discom_id, "day": day, "meter_id": meter_id, **GOOD, **figures}
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
    with pytest.raises(RuleError, match=r"acme\.yml: initial\.V98"):
        judge(tmp_path)


def test_every_rule_may_be_switched_off(conn, tmp_path):
    put(conn, 1, missing_slots=1)
    judge(tmp_path)
    off = "".join(f"  {r}: {{enabled: false}}\n" for r in ("V05", "V06", "V07", "V11", "V13", "V16", "V17", "V19"))
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
        conn.execute("insert into vee.estimated_day values (%s, %s, %s)", [ACME, DAY, meter_id])
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
