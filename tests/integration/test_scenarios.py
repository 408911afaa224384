"""The golden scenarios (tests/golden.py says how they are written): landed, built by the main job, compared with what must come of them.

The cases share a DISCOM, so that all of them cost one build; a case with rules of its own has one of its own.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from expectations import rules
from orchestration.stale import rebill_ranges, stale_ranges
from orchestration.steps import build, rebill
from tests import golden
from tests.golden import Case
from vee.estimation.zones import by_zone
from warehouse import db
from warehouse.codes import SCALED, Method

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

CASES = golden.cases()
RELATION = {"exceptions": "vee.exception"}
NOT_SHOWN = {"exceptions": "r.state <> 'cleared'"}
CASES_OF = """
select distinct c.scope, c.rule, c.stage, c.severity, c.first_day, c.last_day, c.meters, c.meter_days, c.state
from vee.case c
join vee.exception e using (discom_id, case_id)
join registry.meter m on m.discom_id = e.discom_id and m.meter_id = e.meter_id
join registry.discom d on d.discom_id = c.discom_id
where d.code = %s and m.serial like %s"""


@pytest.fixture(scope="module")
def built(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """Every case landed and built, step by step."""
    overlays = tmp_path_factory.mktemp("overlays")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_OVERLAYS", str(overlays))
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        by_discom: dict[str, list[Case]] = defaultdict(list)
        for case in CASES:
            by_discom[case.discom].append(case)
        for code, of_discom in by_discom.items():
            golden.register(code, of_discom, overlays)
            for step in golden.steps(of_discom):
                golden.land_step(code, of_discom, step)
                build_stale(code)
                with db.connect("meterhouse_owner") as conn:
                    golden.do_step(conn, of_discom, step)
                build_stale(code)
        with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
            yield conn


def build_stale(code: str) -> None:
    """Bring the DISCOM's days up to date, and judge what came for frozen ones."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute("select discom_id from registry.discom where code = %s", [code]).fetchone()
    assert row is not None
    for span in stale_ranges(code):
        build(code, row[0], span.first, span.last)
    for span in rebill_ranges(code):
        rebill(code, row[0], span.first, span.last)


def cells(row: dict[str, Any], columns: list[str]) -> tuple[str, ...]:
    return tuple("" if row[c] is None else f"{row[c]:.10g}" if isinstance(row[c], float) else str(row[c]) for c in columns)


def outcome(conn: psycopg.Connection, case: Case, what: str, columns: list[str]) -> Counter[tuple[str, ...]]:
    """The rows of a relation that are of the case's meters, in the columns that the case speaks of."""
    selected = ", ".join("split_part(m.serial, '/', 2) as serial" if c == "serial" else f"r.{c}" for c in columns)
    query = (
        CASES_OF
        if what == "cases"
        else f"""select {selected} from {RELATION.get(what, what)} r join registry.meter m using (discom_id, meter_id)
                 join registry.discom d using (discom_id)
                 where d.code = %s and m.serial like %s and {NOT_SHOWN.get(what, "true")}"""
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, [case.discom, case.serial("%")]).fetchall()
    return Counter(cells(r, columns) for r in found)


def check_zones(conn: psycopg.Connection, case: Case, row: dict[str, str]) -> None:
    """A row of then/zones.csv against the energy of a period by TOD zone."""
    discom = conn.execute("select discom_id from registry.discom where code = %s", [case.discom]).fetchone()
    assert discom is not None
    first, last = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
    found = by_zone(conn, discom[0], case.discom, case.serial(row["serial"]), first, last)
    told = {z.zone: (z.wh, z.source) for z in found}
    assert told[int(row["zone"])] == (int(row["wh"]), row["source"]), f"{case.folder.name}: {row['serial']}, {told}"


def flag(method: int) -> str:
    name = Method(method % SCALED).flag
    return f"{name}_SCALED" if method >= SCALED else name or "-"


def check_final(conn: psycopg.Connection, case: Case, row: dict[str, str]) -> None:
    """A row of then/final.csv against the final layer."""
    channel = row.get("channel") or "import_wh"
    found = conn.execute(
        f"""select f.{channel}, f.quality, f.day_quality, f.slots, f.method
            from vee.final_day f join registry.meter m using (discom_id, meter_id) join registry.discom d using (discom_id)
            where d.code = %s and m.serial = %s and f.day = %s""",
        [case.discom, case.serial(row["serial"]), row["day"]],
    ).fetchone()
    assert found is not None, f"{case.folder.name}: {row['serial']} has no day {row['day']}"
    values, quality, day_quality, count, method = found
    told: dict[str, list[str]] = {
        "values": ["-" if v is None else str(v) for v in values or []],
        "quality": golden.letters(quality, day_quality, count),
        "method": [flag(m or 0) for m in method] if method else ["-"] * count,
    }
    for what, shown in told.items():
        if what in row:
            place = f"{case.folder.name}: {what} of {row['serial']} on {row['day']}"
            assert shown == golden.tokens(row[what]), f"{place}\nis       {golden.short(shown)}\nmust be  {row[what]}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_scenario(built: psycopg.Connection, case: Case) -> None:
    assert case.outcomes, f"{case.folder.name} expects nothing"
    for what in case.outcomes:
        expected = case.then(what)
        if what == "episodes":
            continue  # in any order of landing: test_event_episodes
        if what == "zones":
            for row in expected:
                check_zones(built, case, row)
            continue
        if what == "final":
            assert expected, f"{case.folder.name}: then/final.csv has no row"
            for row in expected:
                check_final(built, case, row)
            continue
        with (case.folder / "then" / f"{what}.csv").open(newline="", encoding="utf-8") as f:
            columns = next(csv.reader(f))
        found, wanted = outcome(built, case, what, columns), Counter(tuple(r[c] for c in columns) for r in expected)
        assert found == wanted, (
            f"{case.folder.name}: {what} ({', '.join(columns)})\nmissing: {wanted - found}\nnot expected: {found - wanted}"
        )


COVERAGE = golden.FOLDER / "coverage.csv"


def coverage() -> list[dict[str, str]]:
    return golden.rows_of(COVERAGE)


def test_every_clause_has_a_scenario_that_is_there() -> None:
    folders = {p.name for p in golden.FOLDER.glob("given_*")}
    for row in coverage():
        named = row["scenarios"].split()
        assert named, f"{row['clause']} ({row['what']}) is covered by no scenario"
        for name in named:
            if "::" in name:  # what no scenario can show, such as a head-end system that is asked again: a test
                path, _, test = name.partition("::")
                text = (golden.FOLDER.parent / path).read_text(encoding="utf-8")
                assert f"def {test}(" in text, f"{row['clause']} names a test that is not there: {name}"
            else:
                assert name in folders, f"{row['clause']} names a scenario that is not there: {name}"


def test_every_scenario_proves_a_clause() -> None:
    named = {s for row in coverage() for s in row["scenarios"].split()}
    idle = {p.name for p in golden.FOLDER.glob("given_*")} - named
    assert not idle, f"these scenarios stand in no row of {COVERAGE.name}: {sorted(idle)}"


def test_every_rule_and_method_is_in_the_list() -> None:
    clauses = {row["clause"] for row in coverage()}
    domain = {f"V{n:02}" for n in range(1, 37)} | {f"EM{n}" for n in range(13)}
    in_force = {c.rule for stage in rules.STAGES for c in rules.load_suite(stage, "").checks}
    missing = (domain | in_force) - clauses
    assert not missing, f"{COVERAGE.name} does not list {sorted(missing)}"


def test_a_rule_that_a_scenario_covers_is_found_in_it() -> None:
    """A row of the list is a promise: the scenario's exceptions name the rule."""
    for row in coverage():
        if row["clause"].startswith("V") and row["clause"][1:].isdigit():
            for name in (n for n in row["scenarios"].split() if "::" not in n):
                path: Path = golden.FOLDER / name / "then" / "exceptions.csv"
                rules_found = {r["rule"] for r in golden.rows_of(path)} if path.exists() else set()
                assert row["clause"] in rules_found or row["proof"] == "absence", f"{name} does not show {row['clause']}"
