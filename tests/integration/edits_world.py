"""Two DISCOMs with built days, for tests of editing: meters of known values, and people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import psycopg

from orchestration import steps
from vee.edits.service import Editor
from warehouse import db

FIRST = date(2026, 10, 5)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
METERS = 60
SLOTS = 48
CODE = "acme"
OTHER = "globex"


def values(meter: int, day: date) -> list[int]:
    """Import of a meter's day, Wh per slot: 100 to 147, shifted by meter and day."""
    return [100 + (slot + meter + day.toordinal()) % SLOTS for slot in range(SLOTS)]


def land(
    discom_id: int,
    meter: int,
    day: date,
    wh: list[int | None],
    *,
    start_slot: int = 0,
    quality: list[int] | None = None,
    batch: int | None = None,
) -> int:
    """A fragment of import that lands now; its batch."""
    with db.connect("meterhouse_owner") as conn:
        batch = batch or _batch(conn, discom_id)
        conn.execute("select ops.ensure_month('raw.profile_fragment', %s, %s)", [day, day])
        conn.execute(
            """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh,
                                                quality)
               values (%s, %s, %s, %s, 30, %s, %s, %s, %s, %s)""",
            [discom_id, day, meter, start_slot, _received(batch), batch, meter, wh, quality],
        )
        _touch(conn, discom_id, day, batch, [meter])
    return batch


def land_register(discom_id: int, meter: int, day: date, wh: int) -> int:
    """The register that closes `day`."""
    with db.connect("meterhouse_owner") as conn:
        batch = _batch(conn, discom_id)
        _register(conn, discom_id, meter, day, wh, batch)
        _touch(conn, discom_id, day, batch, [meter])
    return batch


def make_world() -> dict[str, int]:
    """Both DISCOMs, built. Their ids by code."""
    ids = {}
    for code in (CODE, OTHER):
        ids[code] = _make(code, METERS if code == CODE else 2)
    for code, discom_id in ids.items():
        steps.build(code, discom_id, DAYS[0], DAYS[-1])
    return ids


def _make(code: str, meters: int) -> int:
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("insert into registry.discom (code, name) values (%s, %s) returning discom_id", [code, code]).fetchone()
        assert row
        of = {"discom": row[0], "meters": meters, "code": code}
        for statement in (
            "insert into registry.office (discom_id, office_id, code, name, level) values (%(discom)s, 1, 'o', 'o', 'discom')",
            "insert into registry.substation (discom_id, substation_id, code, office_id) values (%(discom)s, 1, 's', 1)",
            "insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) values (%(discom)s, 1, 'f', 1, 1)",
            "insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) values (%(discom)s, 1, 't', 1, 1, 100)",
            "insert into registry.hes (discom_id, hes_id, code, vendor) values (%(discom)s, 1, 'h', 'v')",
            """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
               select %(discom)s, n, n, 1, 'domestic', 5000 from generate_series(1, %(meters)s) n""",
            """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
               select %(discom)s, n, '2026-01-01', 1 from generate_series(1, %(meters)s) n""",
            """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
               select %(discom)s, n, %(code)s || n, 1, 'D1', 30, 240, 60 from generate_series(1, %(meters)s) n""",
            """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
               select %(discom)s, n, '2026-01-01', n from generate_series(1, %(meters)s) n""",
        ):
            conn.execute(statement, of)
        conn.execute("select ops.ensure_month('raw.register_reading', %s, %s)", [DAYS[0] - timedelta(days=1), DAYS[-1]])
        batch = _batch(conn, row[0])
        for meter in range(1, meters + 1):
            register = 10_000
            _register(conn, row[0], meter, DAYS[0] - timedelta(days=1), register, batch)
            for day in DAYS:
                register += sum(values(meter, day))
                _register(conn, row[0], meter, day, register, batch)
    for day in DAYS:
        for meter in range(1, meters + 1):
            land(row[0], meter, day, list(values(meter, day)), batch=batch)
    return int(row[0])


def _received(batch: int) -> datetime:
    return datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=batch)


def _batch(conn: psycopg.Connection, discom_id: int) -> int:
    row = conn.execute(
        """insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
           values (%s, 1, 'test', sha256(gen_random_uuid()::text::bytea), '2026-10-20 00:00+00', 1, 1, 0) returning batch_id""",
        [discom_id],
    ).fetchone()
    assert row
    return int(row[0])


def _register(conn: psycopg.Connection, discom_id: int, meter: int, day: date, wh: int, batch: int) -> None:
    conn.execute(
        """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
           values (%s, %s, %s, %s::date + time '18:30', %s, %s, %s, %s)""",
        [discom_id, day, meter, day, _received(batch), batch, meter, wh],
    )


def _touch(conn: psycopg.Connection, discom_id: int, day: date, batch: int, meters: list[int]) -> None:
    conn.execute(
        """insert into raw.touched_day (discom_id, day, batch_id, meters) values (%s, %s, %s, %s)
           on conflict (discom_id, day, batch_id) do update set meters = uniq(sort(touched_day.meters || excluded.meters))""",
        [discom_id, day, batch, meters],
    )


@contextmanager
def tenant(discom_id: int) -> Iterator[psycopg.Connection]:
    """A transaction of one tenant as the API has it."""
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
        yield conn


def person(ids: dict[str, int], name: str, code: str = CODE) -> Editor:
    return Editor(ids[code], code, name)
