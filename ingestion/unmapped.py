"""Codes that no map of a vendor file knew, as they stand in raw.rejected: what `meterhouse hes unmapped` lists. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from warehouse.codes import Reason


@dataclass(frozen=True)
class Unmapped:
    """A code of a head-end system, with how many values came under it. `profile` is that of the vendor file, None where no profile took
    the row at all; `makes` are those of the meters, as far as they are registered; `sample` is what came first.
    """

    hes: str
    profile: str | None
    code: str
    makes: str
    meters: int
    values: int
    first_seen: datetime
    last_seen: datetime
    sample: str
    detail: str


def unmapped(conn: psycopg.Connection, discom_id: int, hes: str | None = None) -> list[Unmapped]:
    """Every code of a DISCOM (or one of its head-end systems) that was rejected as unknown, the most frequent first."""
    sql = """
        select h.code as hes, r.profile, r.code,
               coalesce(string_agg(distinct coalesce(m.make, 'make not known') || coalesce(' ' || m.firmware, ''), ', '), '') as makes,
               count(distinct r.meter_id)::int as meters, sum(r.value_count)::bigint as values,
               min(r.received_at) as first_seen, max(r.received_at) as last_seen,
               (array_agg(r.payload order by r.rejected_id))[1] as sample,
               coalesce((array_agg(r.detail order by r.rejected_id))[1], '') as detail
          from raw.rejected r
          join raw.batch b using (discom_id, batch_id)
          join registry.hes h using (discom_id, hes_id)
          left join registry.meter m on m.discom_id = r.discom_id and m.meter_id = r.meter_id
         where r.discom_id = %(discom)s and r.reason = %(reason)s and r.code is not null and (%(hes)s::text is null or h.code = %(hes)s)
         group by h.code, r.profile, r.code
         order by sum(r.value_count) desc, h.code, r.profile, r.code"""
    with conn.transaction(), conn.cursor(row_factory=class_row(Unmapped)) as cur:
        return cur.execute(sql, {"discom": discom_id, "hes": hes, "reason": Reason.UNKNOWN_OBIS.value}).fetchall()
