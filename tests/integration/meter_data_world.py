"""A DISCOM whose meter-days are of every kind, built by the steps of a day, and another one without days.

Measured, estimated, doubted, in pieces, edited, with multiplying factors, and of a meter that was moved. Callers of all of it, an office
and a service point.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from api.auth import HEADER, new_key, tokens
from api.auth.repository import insert_key
from orchestration import steps
from tests.integration import edits_world as landed
from warehouse import db

FIRST = date(2026, 10, 5)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]
LAST = DAYS[-1]
CODE, OTHER = "acme", "globex"
GAP_METER, PIECES_METER, SPIKE_METER, HALF_METER, MOVED_METER, EDITED_METER, SILENT_METER = 4, 5, 2, 3, 6, 1, 10
MOVED_ON = DAYS[2]
"""MOVED_METER hangs at P6 (south) before, at P9 (north) from then on."""
EDITED = {"approved": DAYS[1], "waiting": DAYS[2], "vah": DAYS[3]}

REGISTRY = """
insert into registry.office (discom_id, office_id, code, name, level, parent_id) overriding system value
  values ({d}, 1, 'root', 'root', 'discom', null), ({d}, 2, 'north', 'north', 'section', 1), ({d}, 3, 'south', 'south', 'section', 1);
insert into registry.substation (discom_id, substation_id, code, office_id) overriding system value values ({d}, 1, 'SS', 1);
insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) overriding system value values ({d}, 1, 'F', 1, 1);
insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) overriding system value
  values ({d}, 1, 'TN', 1, 2, 100), ({d}, 2, 'TS', 1, 3, 100);
insert into registry.hes (discom_id, hes_id, code, vendor) overriding system value values ({d}, 1, 'HES', 'hpl');
insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w) overriding system value
  select {d}, n, 'P' || n, case when n in (1, 2, 3, 9) then 2 else 3 end, 'domestic', 20000 from generate_series(1, 10) n;
insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
  select {d}, n, '2026-01-01', case when n in (1, 2, 3, 9) then 1 else 2 end from generate_series(1, 10) n;
insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, make) overriding system value
  select {d}, n, '{code}-' || n, 1, 'D1', 30, case when n = 5 then 'Cover-at-205' end from generate_series(1, 10) n;
insert into registry.installation (discom_id, meter_id, valid_from, valid_to, service_point_id, dt_id, feeder_id, mf)
  select {d}, n, '2026-01-01'::date, case when n = 6 then '{moved}'::date end, case when n not in (7, 8, 9) then n end,
         case n when 7 then 1 when 8 then 2 end, case n when 9 then 1 end, case n when 2 then 2 when 3 then 1.5 else 1 end
  from generate_series(1, 10) n;
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id) values ({d}, 6, '{moved}', 9);
"""


@dataclass(frozen=True)
class World:
    """Ids of the DISCOMs by code, and headers of callers by who they are."""

    ids: dict[str, int]
    headers: dict[str, dict[str, str]]


def values(meter: int, day: date) -> list[int | None]:
    """Import of a day in Wh: no two days alike, none that a rule doubts; the heads of the network count what is below them and more."""
    base = [100 + (s * 7 + meter * 3 + day.toordinal()) % 48 for s in range(48)]
    if meter in (7, 8, 9):
        return [b * 7 for b in base]
    return list(base)


def make() -> World:
    """Land, edit and build."""
    ids = {}
    for code in (CODE, OTHER):
        with db.connect("meterhouse_owner") as conn:
            row = conn.execute("insert into registry.discom (code, name) values (%s, %s) returning discom_id", [code, code]).fetchone()
            assert row
            ids[code] = int(row[0])
            for statement in REGISTRY.format(d=row[0], code=code, moved=MOVED_ON).split(";"):
                if statement.strip():
                    conn.execute(statement)
            conn.execute("select ops.ensure_month('raw.register_reading', %s, %s)", [FIRST - timedelta(days=1), LAST])
            conn.execute("select ops.ensure_month('raw.event', %s, %s)", [FIRST, LAST])
            conn.execute("select ops.ensure_month('raw.event_status', %s, %s)", [FIRST, LAST])
    _land(ids[CODE])
    steps.build(CODE, ids[CODE], FIRST, LAST)
    with db.connect("meterhouse_owner") as conn:
        _edit(conn, ids[CODE])
        headers = {
            "analyst": _key(conn, ids[CODE], "analyst", None),
            "north": _key(conn, ids[CODE], "analyst", 2),
            "south": _key(conn, ids[CODE], "analyst", 3),
            "stranger": _key(conn, ids[OTHER], "analyst", None),
            "billing": _key(conn, ids[CODE], "billing_system", None),
            "P6": _consumer(conn, ids[CODE], 6),
            "P9": _consumer(conn, ids[CODE], 9),
        }
    return World(ids, headers)


def _land(discom_id: int) -> None:
    for meter in range(1, 10):
        register = 10_000
        landed.land_register(discom_id, meter, FIRST - timedelta(days=1), register)
        for day in DAYS:
            wh = values(meter, day)
            register += sum(v or 0 for v in wh)
            if meter == GAP_METER and day == DAYS[1]:
                wh[20:24] = [None] * 4
            if meter == SPIKE_METER and day == DAYS[2]:
                wh[30] = 9_000
            if meter == PIECES_METER and day in DAYS[1:3]:
                landed.land(discom_id, meter, day, wh[:24])
                landed.land(discom_id, meter, day, wh[24:], start_slot=24)
            else:
                quality = [0] * 47 + [5] if (meter, day) == (HALF_METER, DAYS[3]) else None
                landed.land(discom_id, meter, day, wh, quality=quality)
            # A register that does not fit makes the day doubtful.
            landed.land_register(discom_id, meter, day, register + (900 if (meter, day) == (HALF_METER, LAST) else 0))
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """update raw.profile_fragment set
                 import_vah = array(select round(v / 0.9)::integer from unnest(import_wh) with ordinality u(v, n) order by n),
                 export_wh = case when meter_id in (1, 7) then array(select case when n %% 5 = 0 then 3 else 0 end
                                                                     from unnest(import_wh) with ordinality u(v, n) order by n) end
               where discom_id = %s and meter_id <> 8""",
            [discom_id],
        )
        events = [
            *((1, 101, "08:00"), (1, 102, "09:30"), (1, 101, "12:00"), (1, 151, "13:00"), (1, 4711, "13:00"), (5, 205, "10:00")),
            *(
                (6, 101, "08:00"),
                (6, 102, "08:10"),
                (1, 102, "12:00"),
                (1, 102, "23:00"),
                (7, 251, "07:00"),
                (1, 7, "23:10"),
                (1, 8, "23:20"),
            ),
        ]
        for n, day in enumerate(DAYS):
            for meter, code, at in events if n % 2 else events[:2] + events[6:8]:
                conn.execute(
                    """insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
                       values (%s, %s, %s, (%s || ' ' || %s)::timestamp at time zone 'Asia/Kolkata', %s, now(), 1, 1)""",
                    [discom_id, day, meter, day.isoformat(), at, code],
                )
        for day, word in ((DAYS[0], "80000000000000000000000000000000"), (DAYS[3], "00000000000000000000000000000001")):
            conn.execute(
                """insert into raw.event_status (discom_id, day, meter_id, occurred_at, word, received_at, batch_id, seq)
                   values (%s, %s, 1, %s::timestamp + interval '18 hours', decode(%s, 'hex'), now(), 1, 1)""",
                [discom_id, day, day, word],
            )


def _edit(conn: psycopg.Connection, discom_id: int) -> None:
    """Edits that the build has not seen: what is approved counts at once."""
    for kind, day in EDITED.items():
        meter = EDITED_METER
        after = [v or 0 for v in values(meter, day)]
        after[10:13] = [500, 501, 502]
        approver = None if kind == "waiting" else "b"
        conn.execute(
            """insert into vee.edit (discom_id, day, meter_id, channel, before, after, reason, editor, approver, approved_at)
               values (%s, %s, %s, %s, null, %s, 'TEST', 'a', %s, case when %s::text is not null then now() end)""",
            [discom_id, day, meter, "import_vah" if kind == "vah" else "import_wh", after, approver, approver],
        )
    after = [100] * 48
    conn.execute(
        """insert into vee.edit (discom_id, day, meter_id, channel, before, after, reason, editor, approver, approved_at)
           values (%s, %s, %s, 'import_wh', null, %s, 'TEST', 'a', 'b', now())""",
        [discom_id, DAYS[1], HALF_METER, after],
    )


def _key(conn: psycopg.Connection, discom_id: int, role: str, office: int | None) -> dict[str, str]:
    key, key_id, secret = new_key()
    insert_key(conn, discom_id, key_id, secret, None, role, [], 1_000_000, role=role, office_id=office)
    return {HEADER: key}


def _consumer(conn: psycopg.Connection, discom_id: int, point: int) -> dict[str, str]:
    """The header of a consumer's session."""
    login = f"p{point}@example.org"
    row = conn.execute(
        "insert into ops.account (login, name, source) values (%s, %s, 'local') returning account_id", [login, login]
    ).fetchone()
    assert row
    conn.execute(
        "insert into ops.role_grant (discom_id, account_id, role, service_point_id, granted_by) values (%s, %s, 'consumer', %s, 'test')",
        [discom_id, row[0], point],
    )
    session = conn.execute(
        """insert into ops.session (account_id, discom_id, refresh_sha256, expires_at)
           values (%s, %s, sha256(%s::bytea), now() + interval '1 hour') returning session_id""",
        [row[0], discom_id, login],
    ).fetchone()
    assert session
    return {"Authorization": f"Bearer {tokens.issue(session[0], login)}"}
