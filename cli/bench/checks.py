"""Without these no time counts: nothing is lost, every defect and event is found, no other is, every DT balances to the Wh."""

from __future__ import annotations

from typing import Any

from cli.bench.stages import BenchError
from cli.bench.world import EVIDENCE, RULE_OF, World
from warehouse import db


def check(world: World, discom_id: int, accepted: int) -> list[str]:
    """What was compared and holds. Raises BenchError at the first that does not."""
    held: list[str] = []

    def hold(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise BenchError(f"{what}: {found} found, {expected} expected. The times of this run mean nothing, and none are kept")
        held.append(what)

    with db.connect("meterhouse_owner") as conn:
        hold("values accepted = values sent", accepted, world.sent)
        stored = conn.execute(_STORED, [discom_id] * 3).fetchone()
        hold("values stored in raw = values sent", int(stored[0]), world.sent)  # type: ignore[index]
        found: dict[str, set[tuple[Any, int]]] = {rule: set() for rule in RULE_OF.values()}
        for rule, day, meter in conn.execute(_FOUND, [discom_id]):
            found.setdefault(rule, set()).add((day, meter))
        for kind, rule in RULE_OF.items():
            hold(f"every {kind} is found by {rule}", len(world.defects[kind] - found[rule]), 0)
        for kind, rule in EVIDENCE.items():
            hold(f"{rule} finds no meter-day without {kind}", len(found.pop(rule) - world.defects[kind]), 0)
        spoiled: set[tuple[Any, int]] = set().union(*(days for kind, days in world.defects.items() if kind not in EVIDENCE))
        hold("no rule finds a meter-day without defect", {rule: len(days - spoiled) for rule, days in found.items() if days - spoiled}, {})
        balances = {(r[0], r[1]): r[2:] for r in conn.execute(_BALANCES, [discom_id])}
    truth = {(day, n): tuple(row) for day, rows in world.truth.items() for n, row in enumerate(rows.tolist(), 1)}
    hold("DT balances", len(balances), len(truth))
    hold("every DT balance closes with the truth, to the Wh", sum(balances.get(key) != row for key, row in truth.items()), 0)
    return held


_FOUND = "select rule, day, meter_id from vee.exception where discom_id = %s and stage = 'initial' and state <> 'cleared'"

_BALANCES = """
select day, dt_id, consumer_import_wh, consumer_export_wh, dt_import_wh, dt_export_wh, loss_wh from energy.dt_day where discom_id = %s"""

_STORED = """
select (select coalesce(sum(cardinality(array_remove(import_wh, null)) + cardinality(array_remove(export_wh, null))
                            + cardinality(array_remove(import_vah, null)) + cardinality(array_remove(voltage_dv, null))), 0)
        from raw.profile_fragment where discom_id = %s)
     + (select coalesce(sum(num_nonnulls(import_wh, export_wh, import_vah)), 0) from raw.register_reading where discom_id = %s)
     + (select count(*) from raw.event where discom_id = %s)"""
