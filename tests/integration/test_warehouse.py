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
            where n.nspname in ('registry', 'raw', 'billing', 'vee', 'energy', 'ops') and c.relkind in ('r', 'p')
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_a_home_that_the_servers_user_cannot_enter(own_home: Path) -> None:
    own_home.chmod(0o700)
    server = EmbeddedServer(own_home)
    assert own_home not in server.data.parents, "the data stands where the server's user cannot go"
    assert server.start().running, "the copied binaries do not run"


def test_a_password_is_asked_for_and_is_readable_by_its_owner_alone(own_home: Path) -> None:
    server = EmbeddedServer(own_home)
    server.start()
    assert (own_home / "secrets" / "postgres_password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url().replace(server._password(), "wrong"))


def test_a_warehouse_whose_estimates_dbt_made_keeps_them_and_the_views_on_them(database: str) -> None:
    """As dbt made vee.estimated_day before 0008."""
    command.downgrade(db.alembic_config(), "0007")
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("insert into registry.discom (code, name) values ('D', 'D')")
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        conn.execute("""
            create table vee.estimated_day (
              discom_id smallint, day date, meter_id integer, import_wh integer[], export_wh integer[], import_vah integer[],
              quality smallint[], method smallint[], import_day_wh bigint, export_day_wh bigint, import_day_vah bigint,
              estimated_slots integer, missing_slots integer, estimated_wh bigint, primary key (discom_id, day, meter_id)
            ) partition by range (day)""")
        conn.execute(
            "create table vee.estimated_day_202610 partition of vee.estimated_day for values from ('2026-10-01') to ('2026-11-01')"
        )
        row = "values (1, '2026-10-05', 7, '{1}', null, null, '{6}', '{3}', 1, null, null, 1, 0, 1)"
        conn.execute(f"insert into vee.estimated_day {row}")
        conn.execute("create view vee.reader with (security_invoker = true) as select meter_id, method from vee.estimated_day")
    db.migrate()
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        assert conn.execute("select * from vee.reader").fetchall() == [(7, [3])]
        assert conn.execute("select basis, unscaled from vee.estimated_day").fetchall() == [(None, False)]
        conn.execute("select ops.ensure_month('vee.estimated_day', '2026-10-01', '2026-11-01')")
        conn.execute("delete from vee.estimated_day where discom_id = 1")
        conn.execute(f"insert into vee.estimated_day {row}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("drop table vee.estimated_day")
