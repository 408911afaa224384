"""A day from landed to reports, timed from outside. The stages are those of production, whose parts are timed by wrapping what they call.

Runs of dbt are named after the tables that they fill, suites by their stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from psycopg.sql import SQL, Identifier

from api.reports import catalogue
from api.reports.catalogue import SCHEMA
from cli.bench.clock import Clock, Lap
from cli.bench.database import checkpoint
from cli.bench.master_data import CODE, HES
from ingestion import landing, pgcopy
from ingestion.canonical import Delivery
from orchestration import dbt, progress, steps
from vee.exceptions import job as cases
from warehouse import db

LANDED, ESTIMATION, CASES, REST, REPORTS = "landed", "estimation", "cases", "rest of the build", "reports"
JUDGED = {"measure", "edited_measure"}
"""Tables of figures: the runs of dbt that fill them are validation and estimation, but for the days that are put together there."""
ASSEMBLED, SUITE = "assembled_day", " suite"
REPORT_SELECTIONS = {"config.schema:network", steps.REPORT_VIEWS}
"""Of runs of dbt, what only reports need."""
AT_ONCE = 4
"""Deliveries that are made before they are landed together."""

Say = Callable[[str], None]
Laps = dict[str, Lap]


class BenchError(RuntimeError):
    """The run is not right, so its times mean nothing; the message says what differs."""


@dataclass(frozen=True)
class Day:
    """What a day cost, by stage in the order of the work, with the seconds of each node of dbt."""

    laps: Laps
    nodes: dict[str, float]

    @property
    def balanced_s(self) -> float:
        """Landed to balanced."""
        return sum(lap.seconds for name, lap in self.laps.items() if name != REPORTS)

    @property
    def judged_s(self) -> float:
        """Validation and estimation: the figures, the suites that judge them, and the estimates."""
        laps = [lap for name, lap in self.laps.items() if name == ESTIMATION or name.endswith(SUITE) or JUDGED & lap.parts.keys()]
        return sum(lap.seconds - lap.parts.get(ASSEMBLED, 0.0) for lap in laps)

    @property
    def total_s(self) -> float:
        return sum(lap.seconds for lap in self.laps.values())


@contextmanager
def _replaced(where: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    """Raises BenchError where production does not call it any more: then there is something else to wrap."""
    original, called = getattr(where, name), []

    def counted(*args: Any, **kwargs: Any) -> Any:
        called.append(True)
        return wrapped(*args, **kwargs)

    wrapped = wrap(original)
    setattr(where, name, counted)
    try:
        yield
    finally:
        setattr(where, name, original)
    if not called:
        raise BenchError(f"{where.__name__}.{name} was not called: the bench does not know this production any more")


def land(deliveries: Iterable[Delivery], clock: Clock, say: Say) -> tuple[Lap, int]:
    """What landing cost, and the values accepted. The clock stands while deliveries are made."""
    parts: list[tuple[str, float]] = []

    def timed_cut(cut: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            done = cut(*args, **kwargs)
            parts.append(("cutting", time.perf_counter() - started))
            return done

        return call

    def timed_encode(encode: Any) -> Any:
        def call(columns: Any) -> Iterator[bytes]:
            chunks = encode(columns)
            while True:
                started = time.perf_counter()
                chunk = next(chunks, None)
                parts.append(("encoding", time.perf_counter() - started))
                if chunk is None:
                    return
                yield chunk

        return call

    total, accepted, made = Lap(LANDED), 0, iter(deliveries)
    checkpoint()
    with _replaced(landing, "cut", timed_cut), _replaced(pgcopy, "encode", timed_encode):
        with clock.lap() as lap, db.connect() as conn:
            discom = landing.DiscomContext.load(conn, CODE)
        total.add(lap)
        say("making readings")
        while batch := list(islice(made, AT_ONCE)):
            say(f"landing {batch[0].source}")
            with clock.lap() as lap:
                accepted += sum(r.accepted for r in landing.land_all(db.connect, discom, discom.hes_id(HES), batch))
            total.add(lap)
            say("making readings")
    for name, seconds in parts:
        total.parts[name] = total.parts.get(name, 0.0) + seconds
    return total, accepted


def build(discom_id: int, first: date, last: date, clock: Clock, say: Say, *, with_reports: bool, changed_only: bool = False) -> Day:
    """Build the days as production does, with or without views and tests of reports; with `changed_only` as after late data."""
    laps: Laps = {}
    nodes: dict[str, float] = {}
    asked: set[str] = set()
    reports = Lap(REPORTS)

    def timed_dbt(run: Any) -> Any:
        def call(args: list[str], *rest: Any, **kwargs: Any) -> Any:
            of_reports = REPORT_SELECTIONS & set(args)
            if of_reports:
                asked.update(of_reports)
                if not with_reports:
                    return []
            with clock.lap() as lap:
                done = run(args, *rest, **kwargs)
            nodes.update({n.unique_id: n.seconds for n in done})
            if of_reports:
                reports.add(lap)
            else:
                tables = [n for n in done if n.unique_id.startswith("model.") and not n.message.startswith("CREATE VIEW")]
                lap.parts = {_short(n.unique_id): n.seconds for n in tables}
                laps[", ".join(lap.parts) or f"dbt {len(laps)}"] = lap
            return done

        return call

    def timed(name: Callable[..., str]) -> Callable[[Any], Any]:
        def wrap(work: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                with clock.lap() as lap:
                    done = work(*args, **kwargs)
                laps[name(*args, **kwargs)] = lap
                return done

            return call

        return wrap

    class Progress:
        def expect(self, steps: int) -> None:
            pass

        def done(self, name: str, status: str) -> None:
            say(f"built {name}")

    say("building")
    with (
        progress.listening(Progress()),
        _replaced(dbt, "run", timed_dbt),
        _replaced(steps, "estimate", timed(lambda *_, **__: ESTIMATION)),
        _replaced(cases, "group", timed(lambda *_, **__: CASES)),
        _replaced(steps, "judge", timed(lambda *args, **_: args[-1] + SUITE)),
        clock.lap() as whole,
    ):
        steps.build(CODE, discom_id, first, last, changed_only=changed_only)
    if unknown := JUDGED - {part for lap in laps.values() for part in lap.parts}:
        raise BenchError(f"no run of dbt fills {', '.join(unknown)}: the bench does not know any more what validation is")
    if not asked:
        raise BenchError(f"no run of dbt selects {' or '.join(REPORT_SELECTIONS)}: the bench does not know any more what a report is")
    known = [*laps.values(), reports]
    laps[REST] = Lap(REST, whole.seconds - sum(x.seconds for x in known), whole.cpu_s - sum(x.cpu_s for x in known), whole.peak_octets)
    if with_reports:
        laps[REPORTS] = reports
    return Day(laps, nodes)


def _short(unique_id: str) -> str:
    return unique_id.split(".")[2]


def read_reports(clock: Clock, say: Say, *, monthly: bool = False) -> tuple[Lap, dict[str, float]]:
    """Every report of a day in full (of those by period the rows of a day), or of those by period all but their days; and the seconds of
    each: a view costs where it is read."""
    seconds: dict[str, float] = {}
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn, clock.lap(REPORTS) as lap:  # as api.reports.repository reads
        for report in catalogue().values():
            if monthly and not report.has("period"):
                continue
            say(f"reading {report.relation}")
            where = SQL("where period {} 'day'").format(SQL("<>" if monthly else "=")) if report.has("period") else SQL("")
            started = time.perf_counter()
            query = SQL("copy (select * from {} {}) to stdout").format(Identifier(SCHEMA, report.relation), where)
            with conn.cursor() as cur, cur.copy(query) as copy:
                for _ in copy:
                    pass
            seconds[report.relation] = time.perf_counter() - started
    return lap, seconds
