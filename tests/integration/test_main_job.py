"""The main job from end to end, against the truth of a simulated DISCOM: what was sent was received, what was done was found.

Readers, landing, rules, estimation and reports have tests of their own; here they meet.
"""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from psycopg import sql

from cli import score
from expectations.rules import load_suite
from ingestion.canonical import Delivery, RegisterReadings
from ingestion.landing import DiscomContext, LandingResult, land
from ingestion.readers import read
from ingestion.transports.file import FolderSummary
from ingestion.vendor import load_vendor
from orchestration import stale, steps
from simulation import SimulationConfig
from simulation.server import Store
from tests.integration.simulated import HES, IST, SINCE, UNTIL, World, land_all, register, simulate
from warehouse import db, summary

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 7)
RULES = sorted({c.rule for c in load_suite("initial", "D01").enabled})


@dataclass(frozen=True)
class Built:
    """A world after the main job."""

    world: World
    discom_id: int
    landings: dict[str, FolderSummary]


def build(world: World, discom_id: int, first: date = FIRST, last: date = LAST, *, changed_only: bool = False) -> None:
    steps.build(world.code, discom_id, first, last, changed_only=changed_only)


def stale_days(world: World) -> set[date]:
    return {r.first + timedelta(days=n) for r in stale.stale_ranges(world.code) for n in range(r.days)}


Tables = dict[str, dict[str, str]]
"""Each row of a table by its md5."""


def outcome(discom_id: int) -> Tables:
    """vee.final_day and every report of figures, without the time at which a report was made. Others tell of the landing itself."""
    tables: Tables = {}
    with db.connect("meterhouse_dbt") as conn:
        reports = conn.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema = 'reports' and table_name ~ '^rpt_(a03|b01|[cdefg]..)_' order by table_name"
        ).fetchall()
        for schema, table in [("vee", "final_day"), *reports]:
            rows = conn.execute(
                sql.SQL("select md5(r), r from (select (to_jsonb(t) - 'generated_at')::text as r from {} t where discom_id = %s) q").format(
                    sql.Identifier(schema, table)
                ),
                [discom_id],
            ).fetchall()
            tables[f"{schema}.{table}"] = dict(rows)
    assert len(tables) > 5, f"only these tables were there to compare: {sorted(tables)}"
    return tables


def difference(found: Tables, expected: Tables) -> list[str]:
    """The first rows of each table that stand on one side only."""
    said = []
    for table in sorted(found.keys() | expected.keys()):
        ours, theirs = found.get(table, {}), expected.get(table, {})
        said += [f"{table}, found: {ours[k]}" for k in sorted(ours.keys() - theirs.keys())[:2]]
        said += [f"{table}, expected: {theirs[k]}" for k in sorted(theirs.keys() - ours.keys())[:2]]
    return said


def count(statement: str, *of: object) -> int:
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute(statement, of).fetchone()
    assert row is not None
    return int(row[0] or 0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return simulate(tmp_path_factory.mktemp("world") / "w", SimulationConfig(tenants=1, consumers=150, dts=4))[0]


@dataclass(frozen=True)
class Reference:
    """The world built once, from files in their order; and what it came to, before any test built again."""

    built: Built
    tables: Tables


@pytest.fixture(scope="module")
def reference(module_database: str, home: None, world: World) -> Reference:
    discom_id = register(world)
    landings = land_all(world)
    build(world, discom_id)
    return Reference(Built(world, discom_id, landings), outcome(discom_id))


@pytest.fixture(scope="module")
def built(reference: Reference) -> Built:
    return reference.built


# --- received, found, estimated, lost ---


def test_what_was_sent_was_received_and_nothing_lost(built: Built) -> None:
    for name, s in built.landings.items():
        sent = built.world.sent.values_sent(name)
        assert s.received == sent, f"{name}: {sent} values were sent, {s.received} received"
        assert s.received == s.accepted + s.rejected, f"{name}: a value was neither accepted nor rejected"
        assert not s.failed, f"{name}: {s.failures}"
    with db.connect("meterhouse_dbt") as conn:
        landed = summary.landed(conn, built.discom_id)
    assert landed.received == sum(map(built.world.sent.values_sent, HES)), "raw.batch counts other values than were sent"
    assert landed.received == landed.accepted + landed.rejected
    assert sum(landed.by_reason.values()) == landed.rejected, "raw.rejected must account for every rejected value"
    assert set(landed.by_reason) == {"FUTURE_STAMP"}, f"only clocks that run ahead were simulated, rejected were {landed.by_reason}"


def test_every_defect_is_found_and_nothing_else(built: Built) -> None:
    with db.connect("meterhouse_dbt") as conn:
        scores = score.rule_scores(built.world.truth, summary.found(conn, built.discom_id, FIRST, LAST), RULES)
    assert sum(s.injected > 0 for s in scores) >= 6, "the simulation must put defects in for most rules, or this test shows nothing"
    for s in scores:
        assert s.found >= 0.99 * s.injected, f"{s.rule} found {s.found} of {s.injected}, missed {s.missed}"
        assert s.false == 0, f"{s.rule} accuses {s.false} meter-days to which nothing was done"


def test_the_slots_without_supply_are_known(built: Built) -> None:
    truth = {
        (r["meter_serial"], date.fromisoformat(r["day"])): {int(s) for s in r["slots"].split()}
        for r in csv.DictReader((built.world.truth / "outage.csv").open())
    }
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(
            """select m.serial, e.day, e.outage from vee.evidence e join registry.meter m using (discom_id, meter_id)
               where e.discom_id = %s and e.outage is not null""",
            [built.discom_id],
        ).fetchall()
    assert {(s, d): {n for n, state in enumerate(outage) if state == 2} for s, d, outage in rows} == truth


def test_estimates_meet_the_register(built: Built) -> None:
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(
            """
            select m.serial, d.day, f.import_day_wh, c.import_wh - o.import_wh
            from vee.estimated_day d
            join vee.final_day f using (discom_id, day, meter_id)
            join registry.meter m using (discom_id, meter_id)
            join raw.register_reading o on o.discom_id = d.discom_id and o.meter_id = d.meter_id and o.day = d.day - 1
            join raw.register_reading c on c.discom_id = d.discom_id and c.meter_id = d.meter_id and c.day = d.day
            where d.discom_id = %s and exists (select 1 from unnest(d.method) v where v >= 100)""",
            [built.discom_id],
        ).fetchall()
    assert len(rows) >= 5, f"only {len(rows)} meter-days were scaled to their register: too few to show anything"
    for serial, day, final, advance in rows:
        assert final == advance, f"{serial} on {day}: measured and estimated values sum to {final} Wh, the register advanced {advance} Wh"


def test_each_loss_is_explained(built: Built) -> None:
    """Loss = technical + theft + wrong tags + what faulty meters still miss; the rest is that a meter counts whole Wh times its MF."""
    with db.connect("meterhouse_dbt") as conn:
        balance = summary.dt_balance(conn, built.discom_id, FIRST, LAST)
        final = summary.final_energy(conn, built.discom_id, FIRST, LAST)
    truth = score.dt_truth(built.world.truth)
    faults = score.meter_faults(built.world.folder / "registry", built.world.truth, final)
    with db.connect() as conn:
        counts: dict[str, Decimal] = dict(
            conn.execute(
                """select d.code, i.mf from registry.installation i join registry.dt d using (discom_id, dt_id)
                   where i.discom_id = %s""",
                [built.discom_id],
            ).fetchall()
        )
    assert set(balance) == set(truth), "every DT must have a balance"
    assert any(t.theft_wh for t in truth.values()), "without theft in the simulation this test shows little"
    for code, (_, loss_wh) in balance.items():
        rest = loss_wh - truth[code].apparent_wh - faults.get(code, 0)
        assert abs(rest) <= 2 * counts[code], f"{code}: {rest} Wh of the loss are not explained (two counts are {2 * counts[code]} Wh)"


def test_building_again_changes_nothing(reference: Reference) -> None:
    b = reference.built
    assert stale_days(b.world) == set(), "a build leaves none of its days stale"
    before = count("select count(*) from vee.exception where discom_id = %s", b.discom_id)
    build(b.world, b.discom_id, date(2026, 10, 3), date(2026, 10, 5))
    build(b.world, b.discom_id)
    assert difference(outcome(b.discom_id), reference.tables) == [], "a rebuild of built days must give the same rows"
    assert count("select count(*) from vee.exception where discom_id = %s", b.discom_id) == before


def test_landing_again_adds_nothing(reference: Reference) -> None:
    fragments = "select count(*) from raw.profile_fragment where discom_id = %s"
    before = count(fragments, reference.built.discom_id)
    for name, s in land_all(reference.built.world).items():
        assert (s.landed, s.received) == (0, 0), f"{name}: what was landed before must be known again"
        assert s.duplicates == s.files > 0
    assert count(fragments, reference.built.discom_id) == before


# --- a clean world ---


def test_a_clean_world_raises_nothing(reference: Reference, tmp_path: Path) -> None:
    config = SimulationConfig(tenants=1, consumers=150, dts=4, clean=True, code_prefix="CLEAN", seed=2)
    (clean,) = simulate(tmp_path / "w", config)
    discom_id = register(clean)
    land_all(clean)
    build(clean, discom_id)
    with db.connect("meterhouse_dbt") as conn:
        found = summary.found(conn, discom_id, FIRST, LAST)
        totals = summary.totals(conn, discom_id, FIRST, LAST)
    # The supply fails in a clean world too: a fact that V30 notes, and nothing else.
    out = {(r["meter_serial"], date.fromisoformat(r["day"])) for r in csv.DictReader((clean.truth / "outage.csv").open())}
    assert {(f.serial, f.day) for f in found if f.rule == "V30"} == out
    assert len(out) > 10, "without outages in the simulation this test shows little"
    accused = [f for f in found if f.rule != "V30"]
    assert accused == [], f"nothing was done to these meters, yet {accused[:5]} stand"
    assert totals.meter_days == 7 * sum(clean.sent.meters.values())
    assert (totals.missing_slots, totals.estimated_slots) == (0, 0)
    assert totals.present_slots == totals.due_slots > 0


# --- in any order, any number of times, early or late ---


def deliveries(world: World, page_size: int = 40) -> list[tuple[str, str, bytes]]:
    """(vendor, name, content) of everything that the head-end systems of a tenant give, hpl as pages of `page_size` items."""
    found = [(v, p.name, p.read_bytes()) for v in ("vendor_b", "vendor_c") for p in sorted((world.folder / v).iterdir())]
    store = Store(world.folder / "hpl")
    for profile in ("block", "daily", "event"):
        number, pages = 1, 1
        while number <= pages:
            page = store.page(profile, SINCE, UNTIL, number, page_size)
            pages = page["pages"]
            page["generatedAt"] = "2026-10-15T00:00:00+05:30"
            found.append(("hpl", f"{profile}?page={number}", json.dumps(page).encode()))
            number += 1
    return found


def land_deliveries(world: World, wanted: list[tuple[str, str, bytes]]) -> list[LandingResult]:
    vendors = {name: load_vendor(name) for name in HES}
    with db.connect() as conn:
        context = DiscomContext.load(conn, world.code)
        return [
            land(conn, context, context.hes_id(HES[vendor]), read(vendors[vendor], name, content, UNTIL.astimezone(UTC)))
            for vendor, name, content in wanted
        ]


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_any_repetition_gives_the_same(reference: Reference, database: str, seed: int) -> None:
    world = reference.built.world
    discom_id = register(world)
    wanted = 3 * deliveries(world, page_size=30 + seed)
    random.Random(seed).shuffle(wanted)
    results = land_deliveries(world, wanted)
    assert sum(r.duplicate for r in results) == len(wanted) * 2 // 3, "of three equal deliveries two must be known already"
    assert sum(r.received for r in results) == sum(map(world.sent.values_sent, HES))
    build(world, discom_id)
    assert difference(outcome(discom_id), reference.tables) == [], "these tables depend on the order in which files came"


def of_days(rows: dict[str, str], days: set[date]) -> dict[str, str]:
    return {k: r for k, r in rows.items() if date.fromisoformat(json.loads(r)["day"]) in days}


def row_versions(vendor: str, days: set[date]) -> set[tuple[str, ...]]:
    """Measures of these days with the transaction that wrote them, of meters that another vendor's head-end system reads."""
    with db.connect("meterhouse_dbt") as conn:
        return set(
            conn.execute(
                """select m.day::text, m.meter_id::text, m.xmin::text from vee.measure m
                   join registry.meter r using (discom_id, meter_id) join registry.hes h using (discom_id, hes_id)
                   where h.code <> %s and m.day = any(%s)""",
                [HES[vendor], list(days)],
            )
        )


@pytest.mark.parametrize("changed_only", [False, True], ids=["every meter anew", "changed meters anew"])
@pytest.mark.parametrize(
    "vendor",
    [
        "vendor_b",
        # Its gap on the 7th is estimated from like days that were late themselves.
        "vendor_c",
    ],
)
def test_late_data_makes_its_days_stale_and_gives_the_same_in_the_end(
    reference: Reference, database: str, vendor: str, changed_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale, "CHANGED_AT_MOST", 1.0)
    world = reference.built.world
    discom_id = register(world)
    everything = deliveries(world)
    late = [d for d in everything if d[0] == vendor and ("20261006_" in d[1] or "20261007_" in d[1])]
    land_deliveries(world, [d for d in everything if d not in late])
    build(world, discom_id)
    assert stale_days(world) == set(), "everything that came was built"
    assert difference(outcome(discom_id), reference.tables), "what is late must be missed, or this test shows nothing"

    touched = set[date]().union(*(r.days for r in land_deliveries(world, late)))
    due = touched | {d + timedelta(days=1) for d in touched if d < LAST}
    assert stale_days(world) == due, "stale is what was touched, and the day after"
    assert date(2026, 10, 5) in touched
    assert FIRST not in due, "days that were not touched must not be built again"
    before = row_versions(vendor, due)
    for r in stale.stale_ranges(world.code):
        build(world, discom_id, r.first, r.last, changed_only=changed_only)
        partial = count("select count(*) from ops.day_build where changed_only and day between %s and %s", r.first, r.last)
        assert partial == (r.days if changed_only else 0), "the build was not for what it was asked for"
    assert stale_days(world) == set()
    built_anew = {"vee.final_day": of_days(outcome(discom_id)["vee.final_day"], due)}
    expected = {"vee.final_day": of_days(reference.tables["vee.final_day"], due)}
    assert difference(built_anew, expected) == [], "late data must end where data in time does"
    kept = before & row_versions(vendor, due)
    if changed_only:
        assert len(kept) > 0.9 * len(before), "rows of meters of which nothing came late were written again"
    else:
        assert not kept, "asked for every meter, a build left rows as they were"
    assert count("select count(*) from ops.changed_meter") == 0, "what a build was for is forgotten once it is done"
    # Estimates of other days keep what was known when they were made.
    steps.reestimate(world.code, discom_id, FIRST, LAST)
    assert difference(outcome(discom_id), reference.tables) == [], "made anew, estimates are those of data in time, and so is the rest"


# --- a day that is refused ---


def spoil_registers(conn: psycopg.Connection, world: World, day: date) -> None:
    """Registers of every meter that come once more and are wrong by a MWh."""
    context = DiscomContext.load(conn, world.code)
    serials = [r[0] for r in conn.execute("select serial from registry.meter where discom_id = %s", [context.discom_id]).fetchall()]
    conn.commit()
    midnight = pd.Timestamp(datetime.combine(day + timedelta(days=1), datetime.min.time(), IST)).tz_convert("UTC")
    frame = pd.DataFrame(
        {
            "serial": serials,
            "read_at": pd.Series([midnight] * len(serials)).dt.as_unit("us"),
            "day": pd.Timestamp(day),
            "received_at": pd.Series([midnight + pd.Timedelta(days=3)] * len(serials)).dt.as_unit("us"),
            "locator": "made here",
            "import_wh": pd.Series([10**9] * len(serials), dtype="Int64"),
        }
    )
    land(conn, context, context.hes_id("HES-B"), Delivery("wrong registers", b"w" * 32, UNTIL, registers=[RegisterReadings(frame)]))


def test_a_refused_day_stops_its_tenant_and_no_other(reference: Reference, tmp_path: Path) -> None:
    config = SimulationConfig(tenants=2, consumers=40, dts=2, days=2, clean=True, code_prefix="R")
    bad, good = simulate(tmp_path / "w", config)
    last = FIRST + timedelta(days=1)
    ids = {w.code: register(w) for w in (bad, good)}
    for w in (bad, good):
        land_deliveries(w, deliveries(w))
    with db.connect() as conn:
        spoil_registers(conn, bad, last)
    with pytest.raises(steps.RefusedError, match=rf"(?s){bad.code} is not accepted.*{last} V19"):
        build(bad, ids[bad.code], FIRST, last)
    build(good, ids[good.code], FIRST, last)

    rows = defaultdict[str, dict[str, int]](dict)
    for table in ("vee.measure", "vee.estimated_measure", "energy.dt_day", "energy.feeder_day", "reports.rpt_d01_dt_energy_audit"):
        for w in (bad, good):
            rows[table][w.code] = count(f"select count(*) from {table} where discom_id = %s", ids[w.code])
    assert rows.pop("vee.measure")[bad.code] > 0, "the measures that were judged stay"
    assert rows.pop("vee.estimated_measure")[bad.code] == 0, "estimation must not begin on a refused day"
    for table, of in rows.items():
        assert of[bad.code] == 0, f"{table} was built from a refused day"
        assert of[good.code] > 0, f"{table} of the other tenant must be built"
    assert stale.stale_ranges(bad.code), "a refused day stays stale, so that it is built once it is mended"
    open_v19 = "select count(*) from vee.exception where discom_id = %s and rule = 'V19' and state = 'open'"
    assert count(open_v19, ids[bad.code]) > 20, "the exceptions say why the day was refused"
