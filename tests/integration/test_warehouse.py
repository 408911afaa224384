"""The ground floor on a real PostgreSQL: migrations, tenant isolation, append-only raw, partitions, the embedded server."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest
from alembic import command

from warehouse import db
from warehouse.embedded import EmbeddedServer

pytestmark = pytest.mark.integration


def test_tables_in_python_are_those_of_the_migrations(database: str) -> None:
    command.check(db.alembic_config())  # raises where a column has no migration


def test_every_tenant_table_has_row_level_security_forced(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("select ops.ensure_month('raw.event', '2026-10-01', '2026-10-01')")
        open_tables = conn.execute("""
            select n.nspname || '.' || c.relname
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('registry', 'raw', 'vee', 'ops') and c.relkind in ('r', 'p')
              and not (c.relrowsecurity and c.relforcerowsecurity
                       and exists (select 1 from pg_policy p where p.polrelid = c.oid))""").fetchall()
    assert open_tables == [], f"tables without forced row-level security: {open_tables}"


def test_a_request_sees_its_tenant_only_and_nothing_without_one(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        for code in ("acme", "globex"):
            conn.execute("insert into registry.discom (code, name) values (%s, %s)", [code, code.title()])
        ids = dict(conn.execute("select code, discom_id from registry.discom").fetchall())
    with db.connect("meterhouse_api") as conn:
        assert conn.execute("select count(*) from registry.discom").fetchone() == (0,), "without a tenant nothing may be seen"
        conn.execute("select set_config('app.discom_id', %s, true)", [str(ids["globex"])])
        assert conn.execute("select code from registry.discom").fetchall() == [("globex",)]
        conn.rollback()
        assert conn.execute("select count(*) from registry.discom").fetchone() == (0,), "SET LOCAL must end with its transaction"


@pytest.mark.parametrize("statement", ["delete from raw.batch", "update raw.rejected set reason = ''", "truncate raw.profile_fragment"])
@pytest.mark.parametrize("role", ["meterhouse_loader", "meterhouse_dbt", "meterhouse_api"])
def test_raw_is_append_only(database: str, role: db.Role, statement: str) -> None:
    with db.connect(role) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


def test_ensure_month_makes_each_partition_once_and_only_where_it_may(database: str) -> None:
    with db.connect() as conn:
        for _ in range(2):
            conn.execute("select ops.ensure_month('raw.profile_fragment', '2026-12-31', '2027-01-01')")
        names = conn.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'raw.profile_fragment'::regclass order by 1"
        ).fetchall()
        assert names == [("raw.profile_fragment_202612",), ("raw.profile_fragment_202701",)]
        with pytest.raises(psycopg.errors.RaiseException, match="not a partitioned table"):
            conn.execute("select ops.ensure_month('registry.meter', '2026-12-31', '2026-12-31')")


@pytest.mark.parametrize(
    ("day", "zone", "slots"),
    [("2026-10-01", "Asia/Kolkata", 48), ("2026-03-29", "Europe/London", 46), ("2026-10-25", "Europe/London", 50)],
)
def test_slots_of_a_day_come_from_the_zone(database: str, day: str, zone: str, slots: int) -> None:
    with db.connect() as conn:
        assert conn.execute("select ops.minutes(%s, %s)", [day, zone]).fetchone() == (30 * slots,)


def test_installation_periods_of_a_meter_may_not_overlap(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("""
            with d as (insert into registry.discom (code, name) values ('acme', 'Acme') returning discom_id),
                 o as (insert into registry.office (discom_id, code, name, level) select discom_id, 'O', 'O', 'discom' from d returning *),
                 s as (insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
                       select discom_id, 'S', office_id, 'domestic', 1000 from o returning *),
                 h as (insert into registry.hes (discom_id, code, vendor) select discom_id, 'H', 'x' from d returning *),
                 m as (insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
                       select discom_id, 'M1', hes_id, 'D1', 30 from h returning *)
            insert into registry.installation (discom_id, meter_id, valid_from, valid_to, service_point_id)
            select m.discom_id, meter_id, '2026-01-01', '2026-06-01', service_point_id from m, s""")
        with pytest.raises(psycopg.errors.ExclusionViolation):
            conn.execute("""
                insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
                select discom_id, meter_id, '2026-05-31', service_point_id from registry.installation""")


@pytest.fixture
def own_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="meterhouse-own-"))
    home.chmod(0o755)
    yield home
    EmbeddedServer(home).destroy()
    shutil.rmtree(home, ignore_errors=True)


def test_a_second_start_finds_the_first_and_a_crash_is_survived(own_home: Path) -> None:
    first = EmbeddedServer(own_home).start()
    again = EmbeddedServer(own_home).start()
    assert again == first, "the second start must find the running server"
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    restarted = EmbeddedServer(own_home).start()
    assert restarted.running
    assert restarted.pid != first.pid
    EmbeddedServer(own_home).stop()
    assert not EmbeddedServer(own_home).status().running


def test_a_password_is_asked_for_and_is_readable_by_its_owner_alone(own_home: Path) -> None:
    server = EmbeddedServer(own_home)
    server.start()
    assert (own_home / "secrets" / "postgres_password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url().replace(server._password(), "wrong"))
