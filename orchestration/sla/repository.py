"""The agreed service levels in ops.sla_target, where dbt reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import psycopg
from psycopg.types.json import Jsonb

from orchestration.sla.settings import Target

_AGREED = """
    select %(discom)s::smallint as discom_id, t.*
    from jsonb_to_recordset(%(targets)s) as t(
        sla text, target_no smallint, title text, within_min integer, target_pct numeric(6, 3), bands jsonb,
        exclude_network_outage boolean, verified boolean)"""

_DELETE = f"""
delete from ops.sla_target o
where o.discom_id = %(discom)s and not exists (select 1 from ({_AGREED}) a where a.sla = o.sla and a.target_no = o.target_no)"""  # noqa: S608

_WRITE = f"""
insert into ops.sla_target as o (discom_id, sla, target_no, title, within_min, target_pct, bands, exclude_network_outage, verified)
select * from ({_AGREED}) a
on conflict (discom_id, sla, target_no) do update
set title = excluded.title, within_min = excluded.within_min, target_pct = excluded.target_pct, bands = excluded.bands,
    exclude_network_outage = excluded.exclude_network_outage, verified = excluded.verified, noted_at = now()
where (o.title, o.within_min, o.target_pct, o.bands, o.exclude_network_outage, o.verified) is distinct from
      (excluded.title, excluded.within_min, excluded.target_pct, excluded.bands, excluded.exclude_network_outage, excluded.verified)"""  # noqa: S608


def note(conn: psycopg.Connection, discom_id: int, targets: Sequence[Target]) -> int:
    """Make ops.sla_target say what the DISCOM agreed, as meterhouse_dbt. How many rows that changed: as a rule, none."""
    rows = [{**asdict(t), "target_no": t.number} for t in targets]
    given = {"discom": discom_id, "targets": Jsonb(rows)}
    return conn.execute(_DELETE, given).rowcount + conn.execute(_WRITE, given).rowcount
