"""One size from empty to measured: land, build, check, then floors, peers and the day once more after late data, on one database."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.bench.checks import check
from cli.bench.clock import Clock, Lap
from cli.bench.database import as_owner, fresh_database, octets_by_kind, warm_up
from cli.bench.floors import COPY, INSERT, floors
from cli.bench.growth import Rerun, rerun
from cli.bench.master_data import CODE, EVERY_RULE, register
from cli.bench.peers import PeerResult, run_peer
from cli.bench.stages import LANDED, REPORTS, Day, Say, build, land, read_reports
from cli.bench.world import World
from cli.overlay import overlay_in_force
from warehouse.embedded import EmbeddedServer


@dataclass
class SizeResult:
    """What one size gave. Seconds by dbt node, by report and by floor; octets on disk by kind. What was not reached yet is empty."""

    consumers: int
    meters: int
    dts: int
    feeders: int
    days: int
    intervals: int
    values: int
    defects: dict[str, int]
    laps: dict[str, Lap]
    nodes: dict[str, float]
    reports: dict[str, float]
    octets: dict[str, int]
    checks: list[str]
    floors: dict[str, float] = field(default_factory=dict)
    peers: list[PeerResult] = field(default_factory=list)
    rerun: Rerun | None = None

    @property
    def figures(self) -> dict[str, Any]:
        """What follows from the rest. `from_raw_s` is what a peer does: raw in PostgreSQL to balances in PostgreSQL."""
        day = Day(self.laps, self.nodes)
        floor_s = self.floors[COPY] + self.floors[INSERT] if self.floors else None
        return {
            "balanced_s": day.balanced_s,
            "reports_s": self.laps[REPORTS].seconds if REPORTS in self.laps else None,
            "total_s": day.total_s if REPORTS in self.laps else None,
            "judged_s": day.judged_s / self.days,
            "from_raw_s": day.balanced_s - self.laps[LANDED].seconds,
            "peak_octets": max(lap.peak_octets for lap in self.laps.values()),
            "floor_s": floor_s,
            "floor_ratio": day.balanced_s / floor_s if floor_s else None,
            "rerun_share": (self.rerun.landed_s + self.rerun.built_s) / (day.balanced_s / self.days) if self.rerun else None,
        }


def measure(
    server: EmbeddedServer,
    consumers: int,
    days: int,
    seed: int,
    *,
    with_reports: bool = True,
    peers: Sequence[str] = (),
    keep: bool = False,
    say: Say = lambda _: None,
    save: Callable[[SizeResult], None] = lambda _: None,
) -> SizeResult:
    """Measure `days` of a DISCOM with so many consumers; without reports it ends at the balances. `save` is called after each part.

    Raises BenchError where the outcome is not what was sent.
    """
    world = World(consumers, days, seed)
    with (
        overlay_in_force(CODE, EVERY_RULE),
        fresh_database(server, f"bench_{consumers}_{os.getpid()}", keep=keep),
        Clock(server.status().pid) as clock,
    ):
        say("imports, parsing, tables")
        warm_up()
        say("master data")
        with as_owner() as conn:
            discom_id = register(conn, world)
        landed, accepted = land(world.deliveries(), clock, say)
        day = build(discom_id, world.first, world.last, clock, say, with_reports=with_reports)
        laps = {LANDED: landed, **day.laps}
        reports: dict[str, float] = {}
        if with_reports:
            read, reports = read_reports(clock, say)
            laps[REPORTS].add(read)
        octets = octets_by_kind()
        say("checks")
        result = SizeResult(
            consumers,
            world.meters,
            world.dts,
            world.feeders,
            days,
            world.intervals,
            world.sent,
            {k: len(v) for k, v in world.defects.items()},
            laps,
            day.nodes,
            reports,
            octets,
            check(world, discom_id, accepted),
        )
        save(result)
        result.floors = floors(say)
        save(result)
        for name in peers:
            say(f"peer {name}")
            result.peers.append(run_peer(name, discom_id, world.last))
            save(result)
        result.rerun = rerun(world, discom_id, accepted, clock, say)
        save(result)
    return result
