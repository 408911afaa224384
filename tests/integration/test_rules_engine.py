"""Overlays on a real PostgreSQL: scoped limits, rules of a DISCOM's own, a preview that says what a run then does and writes nothing,
versions, and proposals by the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from fastapi.testclient import TestClient
from httpx import Response
from psycopg import sql
from typer.testing import CliRunner

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from cli.console import console
from cli.main import app
from expectations import preview as engine
from expectations import rule_set
from expectations.figures import columns_of
from expectations.rules import STAGES, Stage, base_suite, read_overlay
from expectations.runner import ValidationReport, validate
from orchestration import stale, steps
from warehouse import db

pytestmark = pytest.mark.integration

DAY, NEXT = date(2026, 10, 1), date(2026, 10, 2)
ACME = 1
GOOD: dict[str, Any] = {
    "place": "consumer",
    "category": "domestic",
    "slots": 48,
    "missing_slots": 0,
    "negative_slots": 0,
    "over_limit_slots": 0,
    "limit_wh": 5000,
    "sum_wh": 9600,
    "max_wh": 300,
    "spike_pct": 50.0,
    "sum_diff_wh": 0,
    "sum_diff_pct": 0.0,
}
"""A meter-day that passes every rule: a figure that is NULL does."""


@pytest.fixture
def conn(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """DISCOM acme with meters M1 to M9, empty tables of figures, and overlays in tmp_path."""
    monkeypatch.setenv("METERHOUSE_OVERLAYS", str(tmp_path))
    with db.connect("meterhouse_owner", autocommit=True) as owner:
        owner.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
        owner.execute("insert into registry.hes (discom_id, code, vendor) values (1, 'h1', 'hpl')")
        owner.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select 1, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 9) n order by n"""
        )
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        for name in {c.table for stage in STAGES for c in base_suite(stage).checks if columns_of(c.table)}:
            columns = ", ".join(f"{c} {kind}" for c, kind in columns_of(name).items())
            conn.execute(sql.SQL(f"create table {name} ({columns}, primary key (discom_id, day, meter_id))"))  # type: ignore[arg-type]
        conn.execute("select ops.ensure_month('vee.estimated_day', %s, %s)", [DAY, DAY])
        yield conn


def put(conn: psycopg.Connection, meter_id: int, day: date = DAY, table: str = "measure", **figures: Any) -> None:
    row = {"discom_id": ACME, "day": day, "meter_id": meter_id, **GOOD, **figures}
    conn.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("vee", table), sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
        ),
        [*row.values()],
    )


def judge(stage: Stage = "initial") -> ValidationReport:
    return validate(ACME, "acme", DAY, NEXT, stage)


def failing(conn: psycopg.Connection, columns: str = "day, meter_id, rule") -> set[tuple[Any, ...]]:
    return set(conn.execute(sql.SQL(f"select {columns} from vee.exception where state = 'open'")).fetchall())  # type: ignore[arg-type]


def overlay(folder: Path, text: str, name: str = "acme.yml") -> Path:
    (folder / name).write_text(f"discom: acme\n{text}", encoding="utf-8")
    return folder / name


# --- scope ---


def test_a_scoped_limit_is_for_its_meter_days_and_the_rule_goes_on_for_the_others(conn, tmp_path):
    for meter_id, category in enumerate(("agricultural", "domestic", "commercial", None), start=1):
        for day in (DAY, NEXT):
            put(conn, meter_id, day, category=category, sum_diff_pct=2.5, sum_diff_wh=240)
    overlay(
        tmp_path,
        """initial:
  V19:
    - {scope: {category: agricultural, to: 2026-10-01}, enabled: false}
    - {scope: {category: [agricultural, domestic]}, kwargs: {max_value: 3}}
    - {severity: warn, acceptance: 0}
""",
    )
    report = judge()
    assert failing(conn) == {(d, m, "V19") for d in (DAY, NEXT) for m in (3, 4)}, "who has no category is outside of a scope by category"
    assert failing(conn, "severity, message") == {
        ("warn", "sum of the intervals less the register's advance is 240 Wh, 2.5 % beyond one step (limit 1 %)")
    }
    assert [(r.day, r.tested, r.failed) for r in report.rule_days if r.rule == "V19"] == [(DAY, 3, 2), (NEXT, 4, 2)]


def test_rows_are_neither_lost_nor_judged_twice_whatever_is_null(conn, tmp_path):
    cases = [(c, p) for c in ("domestic", "commercial", None) for p in ("consumer", None)]
    for meter_id, (category, place) in enumerate(cases, start=1):
        put(conn, meter_id, category=category, place=place, negative_slots=1)
    put(conn, 9)
    every = {(DAY, m, "V11") for m in range(1, 7)}
    judge()
    assert failing(conn) == every
    overlay(
        tmp_path,
        "initial:\n  V11:\n    - {scope: {category: domestic, place: consumer}, severity: info}\n"
        "    - {scope: {place: consumer}, severity: warn}\n",
    )
    report = judge()
    assert failing(conn) == every
    assert dict(failing(conn, "meter_id, severity")) == {1: "info", 2: "fail", 3: "warn", 4: "fail", 5: "warn", 6: "fail"}
    assert [(r.tested, r.failed) for r in report.rule_days if r.rule == "V11"] == [(7, 6)], "each row is tested once"


def test_meters_are_scoped_by_what_the_registry_knows_of_them(conn, tmp_path):
    known = {"tariff": "LT-1", "phases": 1, "dt": "DT-7", "meter_category": "D1"}
    put(conn, 1, negative_slots=1, **known)
    for meter_id, (column, other) in enumerate({"tariff": "LT-5", "phases": 3, "dt": "DT-8", "meter_category": "D2"}.items(), start=2):
        put(conn, meter_id, negative_slots=1, **known | {column: other})
    put(conn, 6, negative_slots=1, **known | {"tariff": None})
    scope = "{tariff: [LT-1, LT-2], phases: 1, dt: DT-7, meter_category: D1, place: consumer, from: 2026-10-01, to: 2026-10-31}"
    overlay(tmp_path, f"initial:\n  V11: {{scope: {scope}, severity: info}}\n")
    judge()
    assert dict(failing(conn, "meter_id, severity")) == {1: "info"} | dict.fromkeys(range(2, 7), "fail")


# --- rules of a DISCOM's own ---

ADDED = """add:
  - rule: X01
    title: Peaky day
    severity: warn
    action: flag
    message: "the peak is {ratio} of the day's {sum_wh} Wh (limit {max})"
    test: {figure: max_wh, per: sum_wh, max: 0.25}
  - rule: X02
    title: Peak near the limit
    severity: info
    action: note
    message: "{difference} Wh below what can flow (at least {min})"
    scope: {category: commercial}
    test: {figure: limit_wh, minus: max_wh, min: 1000}
  - rule: X03
    title: A home that takes much
    severity: info
    action: note
    message: "{sum_wh} Wh"
    test: {figure: sum_wh, max: 50000}
"""


def test_ratios_differences_and_figures_are_judged_by_rules_without_code(conn, tmp_path):
    put(conn, 1, sum_wh=1000, max_wh=250)
    put(conn, 2, sum_wh=1000, max_wh=251)
    put(conn, 3, sum_wh=0, max_wh=0)
    put(conn, 4, sum_wh=None, max_wh=4500)
    put(conn, 5, sum_wh=90_000, max_wh=4500, category="commercial")
    put(conn, 6, sum_wh=50_000, max_wh=4000, category="commercial", limit_wh=None)
    overlay(tmp_path, ADDED)
    report = judge()
    assert failing(conn, "meter_id, rule, severity, action, value, message") == {
        (2, "X01", "warn", "flag", 0.251, "the peak is 0.25 of the day's 1000 Wh (limit 0.25)"),
        (5, "X02", "info", "note", 500.0, "500 Wh below what can flow (at least 1000)"),
        (5, "X03", "info", "note", 90000.0, "90000 Wh"),
    }
    tested = {r.rule: (r.tested, r.failed) for r in report.rule_days}
    assert (tested["X01"], tested["X02"], tested["X03"]) == ((4, 1), (1, 1), (5, 1)), "no figure or a divisor of 0: nothing to judge"
    overlay(tmp_path, "")
    assert judge().cleared == 3, "what a rule found that is gone is cleared"
    assert failing(conn) == set()


def test_great_expectations_counts_compared_figures_as_we_do(conn, tmp_path, monkeypatch):
    from great_expectations.datasource.fluent.interfaces import Batch

    seen: dict[str, int] = {}
    original = Batch.validate

    def spy(self, suite, **kwargs):
        answer = original(self, suite, **kwargs)
        for r in answer.results:
            if r.expectation_config.type == "expect_column_compared_to_be_between":
                seen[r.expectation_config.kwargs["column"]] = r.result["unexpected_count"]
        return answer

    monkeypatch.setattr(Batch, "validate", spy)
    for meter_id in range(1, 9):
        put(conn, meter_id, sum_wh=(meter_id % 4) * 400 or None, max_wh=300, category="commercial", limit_wh=meter_id * 250)
    overlay(tmp_path, ADDED)
    found = {r.rule: r.failed for r in judge().rule_days}
    assert (found["X01"], found["X02"]) == (seen["max_wh"], seen["limit_wh"])
    assert min(seen.values()) > 0


# --- preview ---

NEW = """initial:
  V17: {scope: {category: domestic}, kwargs: {max_value: 100}, action: hold}
  V07: {enabled: false}
  V16: {acceptance: 1}
estimate:
  V07: {severity: warn}
add:
  - {rule: X01, title: Peaky, severity: warn, action: hold, message: "{ratio}", test: {figure: max_wh, per: sum_wh, max: 0.1}}
"""


def world(conn: psycopg.Connection) -> None:
    for meter_id in range(1, 9):
        for day in (DAY, NEXT):
            put(
                conn,
                meter_id,
                day,
                spike_pct=meter_id * 40.0,
                missing_slots=int(meter_id < 3),
                max_wh=1200 if meter_id == 8 else 300,
                over_limit_slots=int(meter_id == 5 and day == NEXT),
                category="commercial" if meter_id == 7 else "domestic",
            )
    put(conn, 1, table="estimated_measure", missing_slots=2)


def everything(conn: psycopg.Connection) -> list[Any]:
    """All rows of all tables of vee and ops that the role may read."""
    tables = conn.execute(
        """select table_schema, table_name from information_schema.tables
           where table_schema in ('vee', 'ops') and has_table_privilege(format('%I.%I', table_schema, table_name), 'select')
           order by 1, 2"""
    )
    names = [sql.Identifier(*t) for t in tables.fetchall()]
    return [conn.execute(sql.SQL("select * from {} t order by t::text").format(n)).fetchall() for n in names]


def test_a_preview_says_what_the_run_then_does_and_changes_nothing(conn, tmp_path):
    world(conn)
    judge()
    judge("estimate")
    steps.begin("acme", ACME, DAY, NEXT, changed_only=False)
    stale.end_build(ACME, DAY, DAY)
    before = everything(conn)
    new = overlay(tmp_path, NEW, "new.yml")
    then = rule_set.of_overlay("acme", read_overlay(new, discom="acme"))
    found = engine.preview(ACME, rule_set.load("acme"), then, DAY, NEXT)
    assert everything(conn) == before

    said = {(r.stage, r.rule): r for r in found.rules}
    spike = said["initial", "V17"]
    assert (spike.now, spike.then, spike.new, spike.gone, spike.otherwise) == (8, 12, 4, 0, 6), "5 to 8 now; 3 to 8 then, 7 as ever"
    assert spike.new_examples == ["M3", "M4"]
    assert (said["initial", "V07"].gone, said["initial", "V07"].gone_examples) == (4, ["M1", "M2"])
    assert (said["initial", "X01"].now, said["initial", "X01"].then) == (0, 2)
    assert (said["estimate", "V07"].now, said["estimate", "V07"].otherwise) == (1, 1)
    actions = {a.action: (a.now, a.then, a.new, a.gone) for a in found.actions}
    assert actions == {"estimate": (12, 3, 0, 9), "hold": (0, 10, 10, 0)}
    assert [(r.rule, r.day, r.tested, r.failed) for r in found.refused] == [("V16", NEXT, 8, 1)]

    now_failing = failing(conn, "day, meter_id, rule, stage")
    overlay(tmp_path, NEW)
    reports = {stage: judge(stage) for stage in ("initial", "estimate")}  # type: ignore[arg-type]
    then_failing = failing(conn, "day, meter_id, rule, stage")
    for (stage, rule), r in said.items():
        was, is_so = ({x[:2] for x in y if x[2:] == (rule, stage)} for y in (now_failing, then_failing))
        assert (r.now, r.then, r.new, r.gone) == (len(was), len(is_so), len(is_so - was), len(was - is_so)), (stage, rule)
    assert found.refused == reports["initial"].refused
    assert found.unbuilt == [NEXT], "what was judged there is not of a whole build"


def test_a_preview_can_only_read(conn, tmp_path):
    with db.connect("meterhouse_dbt", session=engine.READ_ONLY) as reader, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute("update vee.exception set state = 'closed'")


def test_a_stage_of_which_nothing_is_built_is_named(conn, tmp_path):
    world(conn)
    conn.execute("drop table vee.estimated_measure")
    same = rule_set.load("acme")
    found = engine.preview(ACME, same, same, DAY, NEXT)
    assert found.skipped == ["estimate (vee.estimated_measure is not built)"]
    assert not [r for r in found.rules if r.changes]
    with pytest.raises(ValueError, match="run backwards"):
        engine.preview(ACME, same, same, NEXT, DAY)


def test_the_command_shows_the_preview(conn, tmp_path):
    world(conn)
    new = overlay(tmp_path, NEW, "new.yml")
    span = ["--from", "2026-10-01", "--to", "2026-10-02"]
    done = CliRunner().invoke(app, ["vee", "preview", "-d", "acme", "--overlay", str(new), *span])
    assert done.exit_code == 0, done.output
    words = " ".join(done.output.split())
    assert "initial V17 8 12 4 0 6 +M3 +M4" in words
    assert "to estimate: 12 now, 3 then (0 newly, 9 no longer)" in words
    assert "2026-10-02 would be refused: V16 fails for 1 of 8, at least 100% must pass" in words
    bad = CliRunner().invoke(app, ["vee", "preview", "-d", "acme", "--overlay", str(overlay(tmp_path, "ini: {}\n", "bad.yml")), *span])
    assert bad.exit_code != 0
    assert "bad.yml:2: ini: unknown field" in str(bad.exception)
    backwards = CliRunner().invoke(
        app, ["vee", "preview", "-d", "acme", "--overlay", str(new), "--from", "2026-10-02", "--to", "2026-10-01"]
    )
    assert (backwards.exit_code, "run backwards" in backwards.output) == (1, True)


# --- versions ---


def test_every_build_notes_the_rules_and_a_version_is_as_old_as_its_rules(conn, tmp_path):
    def begin(day: date) -> int:
        steps.begin("acme", ACME, day, day, changed_only=False)
        row = conn.execute("select rule_set_id from ops.day_build where day = %s", [day]).fetchone()
        assert row is not None
        return int(row[0])

    base = begin(DAY)
    assert begin(NEXT) == base, "the same rules are the same version"
    overlay(tmp_path, "# a comment\n")
    assert begin(NEXT) == base, "an overlay that changes nothing makes no version"
    overlay(tmp_path, ADDED)
    added = begin(NEXT)
    assert added == base + 1, "one number after the other"
    assert conn.execute("select rule_set_id from ops.day_build where day = %s", [DAY]).fetchone() == (base,)
    overlay(tmp_path, "")
    assert begin(NEXT) == base, "who goes back to the old rules has the old version again"
    kept = conn.execute("select overlay, rules from vee.rule_set where rule_set_id = %s", [added]).fetchone()
    assert kept is not None
    assert kept[0] == f"discom: acme\n{ADDED}"
    assert {r["rule"] for r in kept[1]} >= {"V17", "X01", "X02", "X03"}
    assert rule_set.version(conn, 2, rule_set.load("acme")) is None, "versions are of one DISCOM"


def test_a_changed_rule_makes_a_build_of_all_meters(conn, tmp_path):
    def begin() -> bool:
        partial = steps.begin("acme", ACME, DAY, DAY, changed_only=True)
        stale.end_build(ACME, DAY, DAY)
        return partial

    with db.connect("meterhouse_owner", autocommit=True) as owner:
        owner.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select 1, 'N' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 20) n"""
        )
    conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [DAY, DAY])
    conn.execute(  # what a person closed may always have changed
        """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message, state)
           values (1, %s, 1, 'V07', 'initial', 'fail', 'hold', '', 'closed')""",
        [DAY],
    )
    assert not begin(), "the first build is of all meters"
    assert begin()
    overlay(tmp_path, "initial:\n  V17: {severity: warn}\n")
    assert not begin(), "verdicts of two rule sets must not stand side by side"
    assert begin()


@pytest.mark.parametrize("role", ["meterhouse_dbt", "meterhouse_api"])
@pytest.mark.parametrize("statement", ["update vee.rule_set set overlay = ''", "delete from vee.rule_set"])
def test_versions_are_append_only(conn, role, statement):
    with db.connect(role) as someone, pytest.raises(psycopg.errors.InsufficientPrivilege):
        someone.execute(statement)


# --- the API ---


@pytest.fixture
def keys(conn: psycopg.Connection) -> dict[str, str]:
    made = {}
    with db.connect("meterhouse_owner") as owner:
        for discom_id, name in ((1, "A. Rao"), (1, "B. Sen"), (2, "C. Das")):
            made[name], key_id, secret = new_key()
            insert_key(owner, discom_id, key_id, secret, None, name, [], 1_000_000)
    return made


@pytest.fixture
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: keys["A. Rao"]}) as client:
        yield client


def propose(client: TestClient, text: Any = f"discom: acme\n{NEW}", **rest: Any) -> Response:
    return client.post("/api/v1/vee/rules/proposals", json={"overlay": text, "note": "monsoon limits", **rest})


def accept(proposal: int, by: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["vee", "rules", "accept", str(proposal), "-d", "acme", "--by", by])
    return done.exit_code, " ".join(done.output.split())


def test_the_rules_in_force_can_be_read_with_their_version(client, conn, tmp_path):
    overlay(tmp_path, ADDED + "initial:\n  V17: {scope: {category: domestic}, kwargs: {max_value: 100}}\n")
    found = client.get("/api/v1/vee/rules").json()
    assert (found["discom"], found["version"]) == ("acme", None)
    rules = [(r["limit"], r["scope"], r["source"]) for r in found["rules"] if r["rule"] in ("V17", "X01") and r["stage"] == "initial"]
    assert rules == [
        ("spike_pct <= 100", "place = consumer, category in domestic", "overlay"),
        ("spike_pct <= 180", "place = consumer but not (category in domestic)", "base"),
        ("max_wh / sum_wh <= 0.25", "", "overlay"),
    ]
    steps.begin("acme", ACME, DAY, NEXT, changed_only=False)
    version = client.get("/api/v1/vee/rules").json()["version"]
    listed = client.get("/api/v1/vee/rules/versions").json()["items"]
    assert [(v["id"], v["days"], v["sha256"]) for v in listed] == [(version, 2, found["sha256"])]
    whole = client.get(f"/api/v1/vee/rules/versions/{version}").json()
    assert len(whole["rules"]) == len(found["rules"])
    assert client.get("/api/v1/vee/rules/versions/99").json()["code"] == "UNKNOWN_RULE_SET"
    overlay(tmp_path, "initial: 5\n")
    broken = client.get("/api/v1/vee/rules")
    assert (broken.status_code, broken.json()["code"]) == (503, "RULES_UNREADABLE")


def test_a_proposal_is_checked_previewed_and_kept_and_changes_nothing(client, conn, keys, tmp_path):
    world(conn)
    made = propose(client, preview={"from": "2026-10-01", "to": "2026-10-02"})
    assert made.status_code == 201, made.text
    found = client.get(made.headers["Location"]).json()
    assert found == made.json()
    assert (found["state"], found["proposed_by"].split(" (")[0], found["note"]) == ("proposed", "A. Rao", "monsoon limits")
    spike = next(r for r in found["preview"]["rules"] if (r["stage"], r["rule"]) == ("initial", "V17"))
    assert (spike["now"], spike["then"], spike["new_examples"]) == (8, 12, ["M3", "M4"])
    assert found["preview"]["refused"] == [{"rule": "V16", "day": "2026-10-02", "tested": 8, "failed": 1, "acceptance": 1}]
    assert not (tmp_path / "acme.yml").exists()
    assert failing(conn) == set()
    structured = propose(client, yaml.safe_load(found["overlay"]))
    assert structured.status_code == 201
    assert yaml.safe_load(structured.json()["overlay"]) == yaml.safe_load(found["overlay"])
    assert [p["id"] for p in client.get("/api/v1/vee/rules/proposals?size=1").json()["items"]] == [structured.json()["id"]]
    other = client.get(made.headers["Location"], headers={HEADER: keys["C. Das"]})
    assert (other.status_code, other.json()["code"]) == (404, "UNKNOWN_PROPOSAL")


def test_a_bad_proposal_is_refused_with_lines_and_fields(client, conn):
    answer = propose(client, "discom: acme\ninitial:\n  V17: {enabled: no}\n  V99: {severity: bad}\n")
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_OVERLAY")
    assert [(e["line"], e["field"]) for e in answer.json()["errors"]] == [("4", "initial.V99.severity")]
    assert propose(client, "discom: globex\n").json()["errors"][0]["message"] == "globex is asked for acme: name acme"
    assert propose(client, "x: [").status_code == 422
    assert propose(client, preview={"from": "2026-10-02", "to": "2026-10-01"}).json()["code"] == "INVALID_REQUEST"
    conn.execute("alter table vee.measure drop column spike_pct")
    assert propose(client, preview={"from": "2026-10-01", "to": "2026-10-01"}).json()["code"] == "NOT_BUILT"
    assert client.get("/api/v1/vee/rules/proposals").json()["items"] == [], "what is refused is not kept"


def test_a_proposal_comes_into_force_by_another_person_only(client, tmp_path):
    made = propose(client).json()
    for proposer in ("A. Rao", "a. rao ", made["proposed_by"], made["proposed_by"].split("(")[1][:-1], " "):
        assert accept(made["id"], proposer)[0] == 1, f"{proposer!r} may not accept what A. Rao proposed"
    assert not (tmp_path / "acme.yml").exists()
    code, said = accept(made["id"], "B. Sen")
    assert (code, "in force from the next build on" in said) == (0, True), said
    assert (tmp_path / "acme.yml").read_text() == made["overlay"]
    found = client.get(f"/api/v1/vee/rules/proposals/{made['id']}").json()
    assert (found["state"], found["decided_by"]) == ("accepted", "B. Sen")
    assert any(r["rule"] == "X01" for r in client.get("/api/v1/vee/rules").json()["rules"])
    assert accept(made["id"], "B. Sen")[0] == 1, "once is enough"
    late = client.post(f"/api/v1/vee/rules/proposals/{made['id']}/withdraw")
    assert (late.status_code, late.json()["code"]) == (409, "NOT_OPEN")
    assert accept(999, "B. Sen")[0] == 1


def test_a_proposal_that_was_withdrawn_or_overtaken_does_not_come_into_force(client, tmp_path):
    first, second, third = (propose(client).json()["id"] for _ in range(3))
    for _ in range(2):
        assert client.post(f"/api/v1/vee/rules/proposals/{first}/withdraw").json()["state"] == "withdrawn"
    assert accept(first, "B. Sen")[0] == 1
    assert accept(second, "B. Sen")[0] == 0
    text = (tmp_path / "acme.yml").read_text()
    assert accept(third, "B. Sen")[0] == 1, "made for an overlay that is no more in force"
    assert (tmp_path / "acme.yml").read_text() == text
    assert client.get(f"/api/v1/vee/rules/proposals/{third}").json()["state"] == "proposed"


def test_the_four_eyes_are_the_databases_too(client, conn):
    made = propose(client).json()
    with db.connect("meterhouse_owner") as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("update vee.rule_proposal set state = 'accepted', decided_by = proposed_by, decided_at = now()")
    with db.connect("meterhouse_api") as api:
        api.execute("select set_config('app.discom_id', '1', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute("update vee.rule_proposal set overlay = '' where proposal_id = %s", [made["id"]])


# --- the commands ---


def test_the_commands_show_and_check_rules(tmp_path, monkeypatch):
    monkeypatch.setenv("METERHOUSE_OVERLAYS", str(tmp_path))
    monkeypatch.setattr(console, "width", 200)
    good = overlay(tmp_path, ADDED)
    shown = CliRunner().invoke(app, ["vee", "rules", "--discom", "acme"])
    assert shown.exit_code == 0, shown.output
    assert "X02" in shown.output
    assert "limit_wh - max_wh" in shown.output
    checked = CliRunner().invoke(app, ["vee", "rules", "check", str(good.rename(tmp_path / "a draft.yml"))])
    assert "good: 0 rules changed, 3 added" in checked.output
    bad = CliRunner().invoke(app, ["vee", "rules", "check", str(overlay(tmp_path, "add: []\nadd: []\n"))])
    assert bad.exit_code != 0
    assert "acme.yml:3: add: is there twice" in str(bad.exception)
