"""What happens at a DISCOM besides readings: a silent meter, tampering, commands, an edit. For tests that want a row in every report."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import psycopg

from ingestion.canonical import Delivery, MeterEvents
from ingestion.landing import DiscomContext, land
from tests.integration.edits_world import tenant
from vee.edits import service
from vee.edits.service import Asked, Change, Editor, Operation, OperationKind
from warehouse import db
from warehouse.codes import EditReason

SILENT = "SILENT-1"
"""Serial of the meter that never sent anything."""


def before_the_build(code: str, hes: str, first: date) -> None:
    """A meter that is installed and silent, and two meters that were tampered with on `first`."""
    with db.connect("meterhouse_owner") as conn:
        context = DiscomContext.load(conn, code)
        conn.execute(_SILENT, {"discom": context.discom_id, "serial": SILENT})
        serials = _serials(conn, context.discom_id)
    with db.connect() as conn:
        context = DiscomContext.load(conn, code)
        noon = datetime(first.year, first.month, first.day, 6, tzinfo=UTC)
        told = [
            (serials[0], 251, noon, None),
            (serials[1], 201, noon, {"voltage_r_mv": 231_500, "current_r_ma": 4_250, "power_factor_milli": 870, "import_wh": 12_345_678}),
            (serials[1], 202, noon + timedelta(minutes=45), None),
        ]
        events = pd.DataFrame(
            {
                "serial": [t[0] for t in told],
                "occurred_at": pd.Series([t[2] for t in told]).dt.as_unit("us"),
                "received_at": pd.Series([noon + timedelta(hours=1)] * len(told)).dt.as_unit("us"),
                "locator": "test",
                "code": [t[1] for t in told],
                "detail": pd.Series([t[3] for t in told], dtype=object),
            }
        )
        delivery = Delivery("tampering", hashlib.sha256(b"tampering").digest(), noon + timedelta(hours=1))
        delivery.events.append(MeterEvents(events))
        land(conn, context, context.hes_id(hes), delivery)


def after_the_build(code: str, day: date) -> None:
    """A read and a synchronisation of the clock that were done, a read that failed, a visit that a case asked for, and an edit of `day`."""
    with db.connect("meterhouse_owner") as conn:
        context = DiscomContext.load(conn, code)
        serials = _serials(conn, context.discom_id)
        for n, (kind, state) in enumerate((("read", "done"), ("clock_sync", "done"), ("read", "failed"))):
            asked = datetime(day.year, day.month, day.day, 8, n, tzinfo=UTC)
            conn.execute(
                """insert into ops.command (discom_id, meter_id, hes_id, kind, state, priority, requested_by, requested_at, due_at,
                                           expires_at, finished_at, attempts)
                   select discom_id, meter_id, hes_id, %(kind)s, %(state)s, 5, 'test', %(asked)s, %(asked)s, %(expires)s, %(ended)s, 1
                   from registry.meter where discom_id = %(discom)s and serial = %(serial)s""",
                {
                    "kind": kind,
                    "state": state,
                    "asked": asked,
                    "expires": asked + timedelta(hours=1),
                    "ended": asked + timedelta(seconds=30),
                    "discom": context.discom_id,
                    "serial": serials[n],
                },
            )
        asked_for = conn.execute(
            """insert into ops.work_order_request (discom_id, case_id, kind, meter_id)
               select discom_id, case_id, 'INSPECT_METER', meter_id from vee.case where discom_id = %s and scope = 'meter' limit 1
               on conflict do nothing""",
            [context.discom_id],
        ).rowcount
        assert asked_for == 1, "no meter of the simulated DISCOM has a case"
    change = Change(serials[2], day, "import_wh", (Operation(OperationKind.SET, 3, 3, (7,)),))
    with tenant(context.discom_id) as conn:
        service.make(conn, Editor(context.discom_id, code, "test"), Asked((change,), EditReason.TEST))


def _serials(conn: psycopg.Connection, discom_id: int) -> list[str]:
    """Of three consumers' meters."""
    rows = conn.execute(
        """select m.serial from registry.meter m join registry.installation i using (discom_id, meter_id)
           where m.discom_id = %s and i.service_point_id is not null and m.serial <> %s order by m.meter_id limit 3""",
        [discom_id, SILENT],
    )
    return [serial for (serial,) in rows]


_SILENT = """
with place as (
    insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
    select d.discom_id, 'SP-' || %(serial)s, d.office_id, 'domestic', 3000
    from registry.dt d where d.discom_id = %(discom)s order by d.dt_id limit 1
    returning discom_id, service_point_id
), meter as (
    insert into registry.meter (discom_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
    select h.discom_id, %(serial)s, h.hes_id, 'D1', 30, 240, 60 from registry.hes h where h.discom_id = %(discom)s order by h.hes_id limit 1
    returning discom_id, meter_id
), indexed as (
    insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
    select p.discom_id, p.service_point_id, '2026-09-01', (select min(dt_id) from registry.dt where discom_id = p.discom_id) from place p
)
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
select m.discom_id, m.meter_id, '2026-09-01', p.service_point_id from meter m join place p using (discom_id)
"""
