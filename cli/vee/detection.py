"""How well the rules find what is wrong: precision and recall on injected defects, and false flags on real homes.

In a database of its own on the embedded server, which is dropped afterwards. The readings go the way of all readings.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
import yaml

from cli.bench.database import fresh_database
from cli.console import count
from cli.overlay import overlay_in_force
from cli.real import SETS, run_set
from cli.vee import defects
from cli.vee.defects import Grade, Subject
from expectations.rules import load_suite
from ingestion.landing import DiscomContext, land
from orchestration import steps
from warehouse import db
from warehouse.embedded import EmbeddedServer

CODE = "score"
REAL = ("edrp", "london")
"""Real sets of intervals."""

Step = Callable[[str], None]


@dataclass(frozen=True)
class GradeScore:
    """One defect of one size: `found` of `injected` meter-days. Where it is not `due`, what is found is a false flag."""

    rule: str
    size: str
    due: bool
    injected: int
    found: int


@dataclass(frozen=True)
class RuleDetection:
    """One rule over all sizes. `false`: meter-days that it accuses though the meter is healthy or its defect within what the rule allows.

    Meter-days whose defect is another rule's are left out of both: a meter of which the register jumped may rightly fail several.
    """

    rule: str
    grades: tuple[GradeScore, ...]
    false: int

    @property
    def recall(self) -> float | None:
        due = sum(g.injected for g in self.grades if g.due)
        return sum(g.found for g in self.grades if g.due) / due if due else None

    @property
    def precision(self) -> float | None:
        found = sum(g.found for g in self.grades if g.due)
        return found / (found + self.false) if found + self.false else None


@dataclass(frozen=True)
class Detection:
    rules: tuple[RuleDetection, ...]
    clean_days: int
    """Meter-days of healthy simulated meters."""
    false_on_clean: dict[str, int]
    """By rule, meter-days of those that it accuses."""


@dataclass(frozen=True)
class FalseFlags:
    """Real homes, taken for clean: what each rule accuses there. Some of it is true: nobody knows what these meters had."""

    name: str
    meter_days: int
    flagged: dict[str, int]

    def per_1000(self, rule: str) -> float:
        return 1000 * self.flagged.get(rule, 0) / self.meter_days


def detect(server: EmbeddedServer, *, each: int = 10, clean: int = 100, seed: int = 1, step: Step = lambda _: None) -> Detection:
    """Injects every defect of cli.vee.defects into `each` meters, lands and builds them, and counts. Raises what these raise."""
    step("injecting defects")
    made = defects.subjects(each, clean, seed)
    with fresh_database(server, f"vee_score_{os.getpid()}"):
        discom_id = _register([s for s, _ in made])
        step("landing")
        with db.connect() as conn:
            context = DiscomContext.load(conn, CODE)
            for delivery in defects.delivery([s for s, _ in made]):
                land(conn, context, context.hes_id("HES"), delivery)
        step("building")
        with overlay_in_force(CODE, _every_rule_on()):
            steps.build(CODE, discom_id, defects.FIRST, defects.LAST)
        with db.connect("meterhouse_dbt") as conn:
            accused = _accused(conn, discom_id)
    return score(made, accused)


def _every_rule_on() -> str:
    """The overlay of the scored DISCOM: what is off as it is shipped is judged too, and no day is refused for its many defects."""
    checks = load_suite("initial", "").checks
    changes = {c.key: {"enabled": True} for c in checks if not c.enabled} | {c.key: {"acceptance": 0} for c in checks if c.acceptance > 0}
    return str(yaml.safe_dump({"discom": CODE, "initial": changes}))


def score(made: Iterable[tuple[Subject, Grade]], accused: dict[str, set[tuple[str, date]]]) -> Detection:
    """Pure: what was injected against what was found."""
    of_grade: dict[Grade, list[str]] = defaultdict(list)
    for subject, grade in made:
        of_grade[grade].append(subject.serial)
    healthy = set(of_grade.pop(defects.NOTHING, []))
    out = []
    for rule in sorted({g.rule for g in of_grade}):
        days = accused.get(rule, set())
        serials = Counter(s for s, _ in days)
        grades = [
            GradeScore(rule, g.size, g.due, len(of), sum(1 for s in of if (s, defects.DAY) in days))
            for g, of in of_grade.items()
            if g.rule == rule
        ]
        allowed = {s for g, of in of_grade.items() if g.rule == rule and not g.due for s in of}
        out.append(RuleDetection(rule, tuple(grades), sum(n for s, n in serials.items() if s in healthy | allowed)))
    on_clean = {rule: sum(1 for s, _ in days if s in healthy) for rule, days in sorted(accused.items())}
    return Detection(tuple(out), len(healthy) * ((defects.LAST - defects.BEGINS).days + 1), {r: n for r, n in on_clean.items() if n})


def _accused(conn: psycopg.Connection, discom_id: int) -> dict[str, set[tuple[str, date]]]:
    out: dict[str, set[tuple[str, date]]] = defaultdict(set)
    for rule, serial, day in conn.execute(
        """select distinct e.rule, m.serial, e.day from vee.exception e join registry.meter m using (discom_id, meter_id)
           where e.discom_id = %s and e.state <> 'cleared'""",
        [discom_id],
    ):
        out[rule].add((serial, day))
    return out


def false_flags(server: EmbeddedServer, data: Path, *, step: Step = lambda _: None) -> list[FalseFlags]:
    """Lands and builds the real sets of intervals below `data`, each taken for clean, and counts what is flagged."""
    out = []
    for chosen in SETS:
        folder = data / chosen.folder
        if chosen.code not in REAL or not folder.is_dir():
            continue
        step(f"building {chosen.name}")
        with fresh_database(server, f"vee_score_{os.getpid()}"):
            run_set(chosen, folder)
            with db.connect("meterhouse_dbt") as conn:
                row = conn.execute("select discom_id from registry.discom where code = %s", [chosen.code]).fetchone()
                assert row is not None
                flagged = {rule: len(days) for rule, days in sorted(_accused(conn, row[0]).items())}
                built = conn.execute("select count(*) from vee.measure where discom_id = %s", [row[0]]).fetchone()
                assert built is not None
        out.append(FalseFlags(chosen.name, built[0], flagged))
    return out


def _register(made: list[Subject]) -> int:
    """Master data of the meters in registry.*, by the owner of the tables; the new discom_id."""
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("insert into registry.discom (code, name) values (%s, %s) returning discom_id", [CODE, CODE]).fetchone()
        assert row is not None
        discom_id = int(row[0])
        conn.execute("insert into registry.hes (discom_id, hes_id, code, vendor) values (%s, 1, 'HES', 'score')", [discom_id])
        conn.execute(
            "insert into registry.office (discom_id, office_id, code, name, level) values (%s, 1, 'O', 'O', 'discom')", [discom_id]
        )
        with conn.cursor() as cursor:
            cursor.executemany(
                """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
                   values (%s, %s, %s, 1, %s, %s)""",
                [(discom_id, n, s.serial, s.category, s.sanctioned_w) for n, s in enumerate(made, start=1)],
            )
            cursor.executemany(
                """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
                   values (%s, %s, %s, 1, 'D1', %s, %s, %s)""",
                [(discom_id, n, s.serial, defects.MINUTES, defects.VOLTAGE_V, defects.I_MAX_A) for n, s in enumerate(made, start=1)],
            )
            cursor.executemany(
                """insert into registry.installation (discom_id, meter_id, valid_from, valid_to, service_point_id)
                   values (%s, %s, %s, %s, %s)""",
                [(discom_id, n, s.first, s.removed, n) for n, s in enumerate(made, start=1) if s.commissioned],
            )
            conn.execute("insert into registry.substation (discom_id, substation_id, code, office_id) values (%s, 1, 'S', 1)", [discom_id])
            conn.execute(
                "insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) values (%s, 1, 'F', 1, 1)", [discom_id]
            )
            cursor.executemany(
                "insert into registry.consumer_index (discom_id, service_point_id, valid_from, feeder_id) values (%s, %s, %s, 1)",
                [(discom_id, n, defects.FIRST) for n, s in enumerate(made, start=1) if s.category == "ht"],
            )
    return discom_id


def tables(found: Detection, real: list[FalseFlags]) -> list[tuple[str, list[list[str]]]]:
    """What was counted: headings, and rows with their header first."""
    sizes = [["rule", "defect", "must be found", "injected", "found"]]
    sums = [["rule", "recall %", "precision %"]]
    for r in found.rules:
        sizes += [[r.rule, g.size, "yes" if g.due else "no", count(g.injected), count(g.found)] for g in r.grades]
        sums.append([r.rule, *("-" if v is None else f"{100 * v:.1f}" for v in (r.recall, r.precision))])
    flags = [["rule", f"simulated, clean ({count(found.clean_days)} meter-days)", *(f"{f.name} ({count(f.meter_days)})" for f in real)]]
    for rule in sorted({*found.false_on_clean, *(r for f in real for r in f.flagged)}):
        simulated = 1000 * found.false_on_clean.get(rule, 0) / found.clean_days if found.clean_days else 0.0
        flags.append([rule, f"{simulated:.2f}", *(f"{f.per_1000(rule):.2f}" for f in real)])
    return [
        ("Recall and precision by rule", sums),
        ("Injected defects by size", sizes),
        ("Meter-days flagged of 1,000 that are taken for clean", flags),
    ]


def verdicts(found: Detection) -> list[tuple[str, bool]]:
    """What must hold of each rule: every defect beyond its limit is found, and nothing else is accused."""
    out = [(f"{r.rule}: recall {100 * (r.recall or 0):.1f} %, {r.false} false flags", r.recall == 1 and r.false == 0) for r in found.rules]
    return [*out, (f"clean simulated meter-days flagged: {sum(found.false_on_clean.values())}", not found.false_on_clean)]
