"""What the warehouse says of losses, tags, theft and loads of a span of days: SQL for whoever compares it with something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.sql import SQL, Identifier


@dataclass(frozen=True)
class DtLoss:
    """A DT's balance of a day that has one, Wh; `unmetered_wh` is what was assessed and taken off the loss."""

    dt: str
    day: date
    input_wh: int
    loss_wh: int
    unmetered_wh: int


@dataclass(frozen=True)
class DtLoad:
    dt: str
    day: date
    kva_max: float | None
    unbalance_avg_pct: float | None


def dt_losses(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[DtLoss]:
    rows = conn.execute(
        """select t.code, d.day, d.input_wh, d.loss_wh, d.unmetered_wh + d.street_light_wh
           from energy.dt_day d join registry.dt t using (discom_id, dt_id)
           where d.discom_id = %s and d.day between %s and %s and d.loss_wh is not null order by 1, 2""",
        [discom_id, first, last],
    ).fetchall()
    return [DtLoss(*r) for r in rows]


def dt_loads(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[DtLoad]:
    """Of network.dt_load_day."""
    rows = conn.execute(
        """select t.code, d.day, d.kva_max::float8, d.unbalance_avg_pct::float8
           from network.dt_load_day d join registry.dt t using (discom_id, dt_id)
           where d.discom_id = %s and d.day between %s and %s order by 1, 2""",
        [discom_id, first, last],
    ).fetchall()
    return [DtLoad(*r) for r in rows]


def suspected_theft(conn: psycopg.Connection, discom_id: int, month: date) -> dict[str, tuple[str, str]]:
    """Service points of which report H04 suspects theft in the month, with the meter's serial and the reasons."""
    rows = conn.execute(
        """select p.code, r.serial, r.reasons
           from reports.rpt_h04_suspected_theft r
           join registry.consumer c using (discom_id, consumer_id)
           join registry.service_point p on p.discom_id = c.discom_id and p.service_point_id = c.service_point_id
           where r.discom_id = %s and r.period_start = %s and r.suspected""",
        [discom_id, month],
    ).fetchall()
    return {code: (serial, reasons) for code, serial, reasons in rows}


def technical_by_dt(conn: psycopg.Connection, discom_id: int, relation: str, month: date) -> dict[str, float]:
    """Technical loss of the DTs in a month by report D06, kWh of all its days, where it gives one."""
    rows = conn.execute(
        SQL("""select code, technical_kwh::float8 from reports.{}
               where discom_id = %s and level = 'dt' and period_start = %s and technical_kwh is not null""").format(Identifier(relation)),
        [discom_id, month],
    ).fetchall()
    return dict(rows)
