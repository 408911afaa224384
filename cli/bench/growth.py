"""How the cost of a day grows: with the days that lie behind it, and when a few of its meters change afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from cli.bench.checks import check
from cli.bench.clock import Clock
from cli.bench.database import as_owner, checkpoint, fresh_database, settle, warm_up
from cli.bench.master_data import register
from cli.bench.stages import LANDED, Say, build, land, read_reports
from cli.bench.world import World
from warehouse.embedded import EmbeddedServer

REPEATS = 3
LAST_DAY = date(2026, 10, 30)
"""The day with days behind it: a workday at the end of a month, so that its partition is not empty either."""
DAYS_AT_ONCE = 30
"""Days of history that are built together: off the clock, so in as few passes as memory allows."""


MONTH_DAYS = 31
DAYS_WITH_REPORTS_AT_ONCE = 8
FIRST_OF_MONTH = date(2026, 10, 1)


@dataclass
class Month:
    """A whole month of a DISCOM, of which the monthly reports are read: seconds of each."""

    consumers: int
    reports: dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.reports.values())


@dataclass
class Rerun:
    """A built day of which some meters got late data: seconds of landing that and of building it again, to the balances, by stage too."""

    meters: int
    landed_s: float
    built_s: float
    stages: dict[str, float]
    checks: list[str]


def rerun(world: World, discom_id: int, accepted: int, clock: Clock, say: Say) -> Rerun:
    """Late data for 1 % of the consumers, and the day again through production. `accepted`: values landed before. Raises BenchError."""
    late = world.late()
    landed, more = land([late], clock, say)
    again = build(discom_id, world.last, world.last, clock, say, with_reports=False, changed_only=True)
    say("checks after late data")
    stages = {name: lap.seconds for name, lap in again.laps.items()}
    held = check(world, discom_id, accepted + more)
    return Rerun(late.profiles[0].frame["serial"].nunique(), landed.seconds, again.balanced_s, stages, held)


@dataclass
class History:
    """One day of the same meters, landed to balanced, by the days that lay behind it: of each run the seconds of its stages."""

    consumers: int
    runs: dict[int, list[dict[str, float]]] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[int, float]:
        """The median of the runs, by days behind."""
        return {days: median(sum(stages.values()) for stages in runs) for days, runs in self.runs.items()}

    @property
    def ratio(self) -> float | None:
        """The day with most days behind to that with least."""
        seconds = self.seconds
        return seconds[max(seconds)] / seconds[min(seconds)] if len(seconds) > 1 else None


def history(server: EmbeddedServer, consumers: int, behind: Sequence[int], seed: int, say: Say, save: Callable[[History], None]) -> History:
    """Measure the same day with each count of days behind it. Each run is on a copy of a database with just those. Raises BenchError."""
    result = History(consumers)
    template, copy = (f"bench_history_{kind}_{os.getpid()}" for kind in ("template", "copy"))
    for days in behind:
        world = World(consumers, days + 1, seed, LAST_DAY - timedelta(days=days))
        with fresh_database(server, template), Clock(server.status().pid) as clock:
            say(f"{days} days behind: imports, parsing, tables")
            warm_up()
            with as_owner() as conn:
                discom_id = register(conn, world)
            earlier = world.every_day[:-1]
            accepted = 0
            for n in range(0, days, DAYS_AT_ONCE):
                some = earlier[n : n + DAYS_AT_ONCE]
                _, landed = land(world.deliveries(some), clock, say)
                accepted += landed
                build(discom_id, some[0], some[-1], clock, say, with_reports=False)
            say(f"{days} days behind: vacuum")
            settle()
            deliveries = list(world.deliveries([world.last]))
            for n in range(REPEATS):
                say(f"{days} days behind: run {n + 1} of {REPEATS}")
                with fresh_database(server, copy, template=template):
                    warm_up()
                    checkpoint()
                    landed_lap, more = land(deliveries, clock, say)
                    day = build(discom_id, world.last, world.last, clock, say, with_reports=False)
                    check(world, discom_id, accepted + more)
                laps = {LANDED: landed_lap, **day.laps}
                result.runs.setdefault(days, []).append({name: lap.seconds for name, lap in laps.items()})
                save(result)
    return result


def month(server: EmbeddedServer, consumers: int, seed: int, say: Say) -> Month:
    """Land and build a month, off the clock, and read its monthly reports. Raises BenchError."""
    world = World(consumers, MONTH_DAYS, seed, FIRST_OF_MONTH)
    with fresh_database(server, f"bench_month_{os.getpid()}"), Clock(server.status().pid) as clock:
        produce(world, clock, say)
        _, seconds = read_reports(clock, say, monthly=True)
    return Month(consumers, seconds)


def produce(world: World, clock: Clock, say: Say) -> None:
    """Land and build every day of `world` by production, in a database that is migrated and empty; vacuumed at the end."""
    say("imports, parsing, tables")
    warm_up()
    with as_owner() as conn:
        discom_id = register(conn, world)
    for n in range(0, world.days, DAYS_WITH_REPORTS_AT_ONCE):
        some = world.every_day[n : n + DAYS_WITH_REPORTS_AT_ONCE]

        def told(text: str, first: int = n + 1) -> None:
            say(f"days {first} and on of {world.days}: {text}")

        land(world.deliveries(some), clock, told)
        build(discom_id, some[0], some[-1], clock, told, with_reports=True)
    say("vacuum and analyze")
    settle()
