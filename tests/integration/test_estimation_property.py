"""vee.estimated_day on generated days: whatever gaps, negative values and registers come, the promises of estimation hold, to the Wh.

One example is a DISCOM of some hundred meters over two weeks, built in a real database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.rows import namedtuple_row

from orchestration import dbt
from vee.estimation import job
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST_DAY = date(2026, 9, 28)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(14)]
HOLIDAY = date(2026, 10, 2)
METERS = 150
INTERVALS = [15, 30, 60, 240]
STEPS = [1, 10, 100]
CHANNELS = ("import_wh", "export_wh", "import_vah")

Readings = list[int | None]


@dataclass(frozen=True)
class Trouble:
    """How often a meter-day has what, 0 to 1."""

    gap: float
    negative: float
    too_high: float
    spike: float
    register_missing: float
    register_wrong: float


troubles = st.builds(
    Trouble,
    gap=st.floats(0.3, 0.7),
    negative=st.floats(0, 0.2),
    too_high=st.floats(0, 0.2),
    spike=st.floats(0, 0.3),
    register_missing=st.floats(0.2, 0.6),
    register_wrong=st.floats(0, 0.2),
)


@pytest.fixture(scope="module")
def warehouse(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        dbt.run(["seed", "--select", "code_event", "code_esw_bit"])  # the names of events are a view on them
        dbt.run(["run", "--select", "staging"])
        yield


def spoil(values: np.ndarray, limit: int, trouble: Trouble, rng: np.random.Generator) -> Readings:
    """A day as it is reported: true values of one channel with gaps and values that no meter can mean."""
    reported: Readings = [int(v) for v in values]
    for often, wrong in ((trouble.negative, -7), (trouble.too_high, limit + 1), (trouble.spike, limit - 1)):
        if rng.random() < often:
            reported[rng.integers(len(reported))] = wrong
    while rng.random() < trouble.gap:
        start, length = int(rng.integers(-2, len(reported))), int(rng.integers(1, 12))
        for slot in range(max(start, 0), min(start + length, len(reported))):
            reported[slot] = None
    return reported


def fragments(channels: dict[str, Readings], rng: np.random.Generator) -> Iterator[tuple[int, dict[str, Readings]]]:
    """A day as one piece, or cut in two."""
    slots = len(channels["import_wh"])
    cuts = [0, *([int(rng.integers(1, slots))] if rng.random() < 0.3 else []), slots]
    for start, end in pairwise(cuts):
        piece = {c: v[start:end] for c, v in channels.items() if any(x is not None for x in v[start:end])}
        if piece:
            yield start, piece


def register(conn: psycopg.Connection) -> int:
    """A DISCOM with meters 1 to METERS; its id."""
    row = conn.execute("insert into registry.discom (code, name) values (gen_random_uuid(), 'generated') returning discom_id").fetchone()
    assert row is not None
    for statement in (
        "insert into registry.office (discom_id, office_id, code, name, level) values (%(discom)s, 1, 'o', 'o', 'discom')",
        "insert into registry.hes (discom_id, hes_id, code, vendor) values (%(discom)s, 1, 'h', 'v')",
        "insert into registry.holiday values (%(discom)s, %(holiday)s, 'Gandhi Jayanti')",
        """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
           select %(discom)s, n, n, 1, 'domestic', 3000 from generate_series(1, %(meters)s) n""",
        """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a, register_lsb_wh)
           select %(discom)s, n, n, 1, 'D1', (%(intervals)s)[1 + n %% 4], 240, 30, (%(steps)s)[1 + n %% 3]
           from generate_series(1, %(meters)s) n""",
        """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
           select %(discom)s, n, '2026-01-01', n from generate_series(1, %(meters)s) n""",
    ):
        conn.execute(statement, {"discom": row[0], "holiday": HOLIDAY, "meters": METERS, "intervals": INTERVALS, "steps": STEPS})
    for table in ("raw.profile_fragment", "raw.register_reading", "vee.exception"):
        conn.execute("select ops.ensure_month(%s, %s, %s)", [table, FIRST_DAY, DAYS[-1]])
    return int(row[0])


def land(trouble: Trouble, seed: int) -> int:
    """The readings and registers of a new DISCOM; its id."""
    rng = np.random.default_rng(seed)
    readings: list[list[Any]] = []
    registers: list[list[Any]] = []
    for meter in range(1, METERS + 1):
        interval, lsb = INTERVALS[meter % 4], STEPS[meter % 3]
        slots, limit = 1440 // interval, int(1.1 * interval / 60 * 7200)
        channels = [c for c in CHANNELS if c == "import_wh" or rng.random() < 0.4]
        peak = int(rng.choice([0, 3, 500, limit // 2]))
        total = {c: int(rng.integers(10**6)) for c in channels}
        for day in [FIRST_DAY - timedelta(days=1), *DAYS]:
            received = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
            if day >= FIRST_DAY:
                true = {c: rng.integers(0, peak + 1, slots) for c in channels}
                total = {c: total[c] + int(v.sum()) for c, v in true.items()}
                reported = {c: spoil(v, limit, trouble, rng) for c, v in true.items()}
                if meter % 5 == 0:  # has no good day at all
                    reported["import_wh"][rng.integers(slots)] = None
                for start, piece in fragments(reported, rng):
                    readings.append([day, meter, start, interval, received, 1, 1, *(piece.get(c) for c in CHANNELS)])
            if rng.random() >= trouble.register_missing:
                wrong = int(rng.choice([-(10**5), 10**5, 10**13])) if rng.random() < trouble.register_wrong else 0
                shown = [total[c] // lsb * lsb + wrong if c in channels else None for c in CHANNELS]
                registers.append([day, meter, received, received, 1, 1, *shown])
    with db.connect("meterhouse_owner") as conn:
        discom = register(conn)
        for table, columns, rows in (
            ("profile_fragment", "start_slot, interval_min, received_at, batch_id, seq", readings),
            ("register_reading", "read_at, received_at, batch_id, seq", registers),
        ):
            target = f"raw.{table} (discom_id, day, meter_id, {columns}, {', '.join(CHANNELS)})"
            with conn.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
                for row in rows:
                    copy.write_row([discom, *row])
    return discom


def build(discom: int) -> None:
    """Days and their figures, the exceptions that the suites would write for them, estimated_day."""
    variables: dict[str, object] = {"discom_id": discom, "from_day": str(FIRST_DAY), "to_day": str(DAYS[-1])}
    dbt.run(["run", "--select", "assembled_day", "day_reading", "measure", "meter_day"], variables)
    with db.connect("meterhouse_dbt") as conn:
        conn.execute(
            """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message)
               select discom_id, day, meter_id, r.rule, 'initial', 'fail', 'estimate', ''
               from vee.measure
               cross join lateral (values ('V07', missing_slots > 0), ('V11', negative_slots > 0),
                                          ('V16', over_limit_slots > 0), ('V17', spike_pct > 180)) r(rule, failed)
               where discom_id = %s and r.failed""",
            [discom],
        )
    job.estimate(discom, "generated", FIRST_DAY, DAYS[-1])


def results(discom: int) -> list[Any]:
    """The days of all meters with their estimates, beside them what they were made of. `estimated`: vee.estimated_day has a row."""
    raw = ", ".join(f"m.{c} as raw_{c}, coalesce(e.{c}, m.{c}) as {c}" for c in CHANNELS)
    with db.connect("meterhouse_dbt") as conn, conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(
            f"""select x.meter_id, x.day, x.slots, e.meter_id is not null as estimated,
                       coalesce(e.quality, array_fill(0::smallint, array[x.slots])) as quality,
                       coalesce(e.method, array_fill(0::smallint, array[x.slots])) as method,
                       e.import_day_wh, e.export_day_wh, e.import_day_vah, e.estimated_slots, e.missing_slots, e.estimated_wh, {raw},
                       x.limit_wh, x.max_wh, x.register_lsb_wh, v.meter_id is not null as spike
                from vee.measure x
                join vee.meter_day m using (discom_id, day, meter_id)
                left join vee.estimated_day e using (discom_id, day, meter_id)
                left join vee.exception v
                  on v.discom_id = x.discom_id and v.day = x.day and v.meter_id = x.meter_id and v.stage = 'initial' and v.rule = 'V17'
                where x.discom_id = %s""",
            [discom],
        ).fetchall()


def unestimated(discom: int) -> int:
    """Meter-days with a slot that cannot stand, of which estimation made no row."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute(
            """select count(*) from vee.measure x left join vee.estimated_day e using (discom_id, day, meter_id)
               where x.discom_id = %s and e.meter_id is null and (x.missing_slots > 0 or x.negative_slots > 0 or x.over_limit_slots > 0)""",
            [discom],
        ).fetchone()
        assert row is not None
        return int(row[0])


def check_import(row: Any) -> None:
    where = f"meter {row.meter_id} on {row.day}"
    for slot, (raw, value, quality, method) in enumerate(zip(row.raw_import_wh, row.import_wh, row.quality, row.method, strict=True)):
        at = f"{where}, slot {slot}: {raw} → {value}, quality {quality}, method {method}"
        stands = raw is not None and 0 <= raw <= row.limit_wh and not (row.spike and raw == row.max_wh)
        if quality == 6:
            assert not stands, f"a good value was replaced: {at}"
            assert value >= 0, f"an estimate is negative: {at}"
            assert method in (3, 4, 103, 104, 110), f"no such method: {at}"
        elif quality == 9:
            assert value is None, f"called missing, but there is a value: {at}"
            assert not stands, f"a good value was lost: {at}"
            assert method == 0, f"a missing slot has no method: {at}"
        else:
            assert value == raw, f"a measured value was changed: {at}"
            assert method == 0, f"a measured value has no method: {at}"
            assert 0 <= raw <= row.limit_wh, f"a value that no meter can mean stood: {at}"
    estimates = [v for v, q in zip(row.import_wh, row.quality, strict=True) if q == 6]
    assert row.estimated_slots == len(estimates), f"{where}: estimated_slots is not the number of estimated slots"
    assert row.missing_slots == row.quality.count(9), f"{where}: missing_slots is not the number of missing slots"
    assert row.estimated_wh == sum(estimates), f"{where}: estimated_wh is not the energy of the estimated slots"


def check_channel(row: Any, channel: str, total: int | None) -> None:
    """Measured values stay, nothing is negative, and the day's total is its sum."""
    values, raw = getattr(row, channel), getattr(row, f"raw_{channel}")
    where = f"meter {row.meter_id} on {row.day}: {channel} {values} made of {raw}"
    if values is None:
        assert raw is None, f"the channel was lost. {where}"
        return
    present = [v for v in values if v is not None]
    assert total == (sum(present) if present else None), f"the day's total is not its sum. {where}"
    assert all(v >= 0 for v in present), f"a negative value. {where}"
    for value, was, kept in zip(values, raw or values, stands(row, channel), strict=True):
        assert not kept or value == was, f"a measured value was changed. {where}"


def stands(row: Any, channel: str) -> list[bool]:
    """Slots that stay as they were measured."""
    if channel == "import_wh":
        return [q not in (6, 9) for q in row.quality]
    raw = getattr(row, f"raw_{channel}")
    return [r is not None and r >= 0 for r in raw] if raw is not None else [False] * row.slots


def check_windows(rows: list[Any], channel: str, registers: dict[tuple[int, date], int]) -> int:
    """Between neighbouring registers, days sum to the advance exactly, wherever that can be believed. How many windows of several days
    did."""
    of_meter: dict[int, dict[date, Any]] = {}
    for row in rows:
        of_meter.setdefault(row.meter_id, {})[row.day] = row
    scaled_together = 0
    for meter, days in of_meter.items():
        edges = [d for d in [FIRST_DAY - timedelta(days=1), *DAYS] if (meter, d) in registers]
        for opening, closing in pairwise(edges):
            within = [days[d] for d in DAYS if opening < d <= closing]
            touched = [r for r in within if r.estimated]
            if not touched:
                continue
            advance = registers[meter, closing] - registers[meter, opening]
            where = f"meter {meter} from {opening} to {closing}: {channel}, advance {advance}"
            # A channel that did not come, or that is bad on a day of which the import passes, is not estimated there.
            if any(getattr(r, channel) is None or (not r.estimated and not all(stands(r, channel))) for r in within):
                continue
            kept = [(v, k) for r in within for v, k in zip(getattr(r, channel), stands(r, channel), strict=True)]
            measured, bad = sum(v for v, k in kept if k), sum(not k for _, k in kept)
            methods = [m for r in touched for m, k in zip(r.method, stands(r, channel), strict=True) if not k]
            if -touched[0].register_lsb_wh <= advance - measured <= touched[0].limit_wh * bad:
                if not bad:
                    continue
                assert all(v is not None for v, _ in kept), f"the register tells how much is missing, yet a slot is empty. {where}"
                assert sum(v for v, _ in kept) == max(advance, measured), f"the days do not sum to their register. {where}"
                assert channel != "import_wh" or all(m > 100 for m in methods), f"a scaled slot is not marked. {where}"
                scaled_together += len(within) > 1
            elif channel == "import_wh":
                assert all(m < 100 for m in methods), f"marked as scaled to a register that cannot be right. {where}"
    return scaled_together


def registers_of(discom: int, channel: str) -> dict[tuple[int, date], int]:
    with db.connect("meterhouse_dbt") as conn:
        found = conn.execute(
            f"select meter_id, day, {channel} from raw.register_reading where discom_id = %s and {channel} is not null", [discom]
        )
        return {(meter, day): wh for meter, day, wh in found}


@settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(trouble=troubles, seed=st.integers(0, 2**32 - 1))
def test_promises_of_estimation(warehouse: None, trouble: Trouble, seed: int) -> None:
    discom = land(trouble, seed)
    build(discom)
    every_day = results(discom)
    rows = [row for row in every_day if row.estimated]
    for row in rows:
        check_import(row)
        for channel, total in zip(CHANNELS, (row.import_day_wh, row.export_day_wh, row.import_day_vah), strict=True):
            check_channel(row, channel, total)
    scaled_together = [check_windows(every_day, c, registers_of(discom, c)) for c in CHANNELS]
    assert scaled_together[0], "no window of several days was scaled"
    assert unestimated(discom) == 0, "days with a slot that cannot stand were passed over"
    seen = {m for row in rows for m in row.method} | ({9} if any(9 in row.quality for row in rows) else set())
    assert seen == {0, 3, 4, 9, 103, 104, 110}, f"the generated days do not reach every method and a missing slot: {sorted(seen)}"
