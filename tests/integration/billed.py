"""What happens to a consumer's meter besides readings: it is changed, or switched off and on. For tests that want rows in every report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg

from warehouse import db


def change_a_meter(code: str, day: date) -> None:
    """The meter of the DISCOM's last domestic consumer gives way to a new one on `day`, which has not sent anything yet."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """with old as (
                   update registry.installation i set valid_to = %(day)s
                   where (i.discom_id, i.service_point_id) = (
                       select n.discom_id, max(n.service_point_id) from registry.consumer n
                       join registry.service_point p using (discom_id, service_point_id)
                       join registry.discom d using (discom_id) where d.code = %(code)s and p.category = 'domestic' group by n.discom_id
                   )
                   returning i.discom_id, i.meter_id, i.service_point_id, i.mf
               ), new as (
                   insert into registry.meter (discom_id, serial, hes_id, make, category, interval_min, voltage_v, i_max_a)
                   select m.discom_id, 'NEW-1', m.hes_id, m.make, m.category, m.interval_min, m.voltage_v, m.i_max_a
                   from registry.meter m join old using (discom_id, meter_id)
                   returning discom_id, meter_id
               )
               insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, mf)
               select n.discom_id, n.meter_id, %(day)s, o.service_point_id, o.mf from new n join old o using (discom_id)""",
            {"code": code, "day": day},
        )


def switch_a_meter(code: str, day: date) -> None:
    """A single-phase meter is switched off on `day`, which was done, and on again, which failed."""
    asked = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    with db.connect("meterhouse_owner") as conn:
        for kind, state, at in (("disconnect", "done", asked), ("connect", "failed", asked + timedelta(hours=1))):
            _command(conn, code, kind, state, at)


def _command(conn: psycopg.Connection, code: str, kind: str, state: str, at: datetime) -> None:
    conn.execute(
        """insert into ops.command (discom_id, meter_id, hes_id, kind, state, priority, requested_by, requested_at, due_at, expires_at,
                                    sent_at, finished_at, attempts)
           select m.discom_id, m.meter_id, m.hes_id, %(kind)s, %(state)s, 5, 'test', %(at)s, %(at)s, %(at)s + interval '1 hour',
                  %(at)s + interval '2 seconds', %(at)s + interval '40 seconds', 1
           from registry.meter m join registry.discom d using (discom_id)
           where d.code = %(code)s and m.category = 'D1' order by m.meter_id limit 1""",
        {"code": code, "kind": kind, "state": state, "at": at},
    )
