"""Master data of the measured DISCOM, written by SQL straight into the registry. Off the clock: importing it is no part of a day."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.world import CONSUMERS_OF_DT, I_MAX_A, INTERVAL_MIN, SANCTIONED_W, TIMEZONE, VOLTAGE_V, World

CODE, HES = "BENCH", "BENCH"
EVERY_RULE = f"""\
discom: {CODE}
initial:
  V18: {{enabled: true, scope: {{category: domestic}}, kwargs: {{max_value: 100000}}}}
"""
"""The overlay that switches on what is off by default. A home with a roof goes from nothing to hundreds of Wh from one slot to the next."""


def register(conn: psycopg.Connection, world: World) -> int:
    """Write the master data of `world` as the owner of the tables; the new discom_id. Commits.

    Foreign keys and exclusion constraints are put back at the end: checked row by row they cost three times as long.
    """
    constraints = conn.execute(_COSTLY).fetchall()
    for table, name, _ in constraints:
        conn.execute(SQL("alter table registry.{} drop constraint {}").format(Identifier(table), Identifier(name)))
    row = conn.execute(
        "insert into registry.discom (code, name, timezone) values (%s, %s, %s) returning discom_id", [CODE, CODE, TIMEZONE]
    ).fetchone()
    discom_id = int(row[0])  # type: ignore[index]
    values: dict[str, int | str] = {
        "d": discom_id,
        "n": world.consumers,
        "dts": world.dts,
        "feeders": world.feeders,
        "meters": world.meters,
    }
    values |= {"hes": HES, "min": INTERVAL_MIN, "w": SANCTIONED_W, "a": I_MAX_A, "v": VOLTAGE_V, "of_dt": CONSUMERS_OF_DT}
    for statement in _STATEMENTS:
        conn.execute(statement, values)
    for table, name, definition in constraints:
        conn.execute(SQL("alter table registry.{} add constraint {} {}").format(Identifier(table), Identifier(name), SQL(definition)))
    conn.execute("analyze")
    conn.commit()
    return discom_id


_COSTLY = """
select c.relname, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.connamespace = 'registry'::regnamespace and k.contype in ('f', 'x')"""

_STATEMENTS = (
    "insert into registry.hes (discom_id, hes_id, code, vendor) values (%(d)s, 1, %(hes)s, 'bench')",
    "insert into registry.office (discom_id, office_id, code, name, level) values (%(d)s, 1, 'bench', 'bench', 'discom')",
    """insert into registry.office (discom_id, office_id, code, name, level, parent_id)
       select %(d)s, 1 + n, 'section ' || n, 'section ' || n, 'section', 1 from generate_series(1, %(feeders)s) n""",
    "insert into registry.substation (discom_id, substation_id, code, office_id) values (%(d)s, 1, 'substation', 1)",
    """insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id)
       select %(d)s, n, 'feeder ' || n, 1, 1 + n from generate_series(1, %(feeders)s) n""",
    """insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva)
       select %(d)s, n, 'DT ' || n, f, 1 + f, 400
       from generate_series(1, %(dts)s) n cross join lateral (select 1 + (n - 1) * %(feeders)s / %(dts)s as f) x""",
    """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
       select %(d)s, n, 'SP ' || n, t.office_id, 'domestic', %(w)s
       from generate_series(1, %(n)s) n
       join registry.dt t on t.discom_id = %(d)s and t.dt_id = 1 + least((n - 1) / %(of_dt)s, %(dts)s - 1) order by n""",
    """insert into registry.consumer (discom_id, consumer_id, code, service_point_id, valid_from)
       select %(d)s, n, 'C ' || n, n, '2026-01-01' from generate_series(1, %(n)s) n""",
    """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
       select %(d)s, n, '2026-01-01', 1 + least((n - 1) / %(of_dt)s, %(dts)s - 1) from generate_series(1, %(n)s) n""",
    """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
       select %(d)s, n, 'B' || lpad(n::text, 7, '0'), 1, case when n <= %(n)s then 'D1' else 'D3' end, %(min)s,
              case when n <= %(n)s then %(v)s end, case when n <= %(n)s then %(a)s end
       from generate_series(1, %(meters)s) n""",
    """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, dt_id, feeder_id)
       select %(d)s, n, '2026-01-01', case when n <= %(n)s then n end,
              case when n > %(n)s and n <= %(n)s + %(dts)s then n - %(n)s end, case when n > %(n)s + %(dts)s then n - %(n)s - %(dts)s end
       from generate_series(1, %(meters)s) n""",
)
