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

from warehouse import db, security
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


def test_the_catalogue_shows_nothing_that_stands_open(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("select ops.ensure_month('raw.event', '2026-10-01', '2026-10-01')")
        assert security.faults(conn) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("alter table registry.meter no force row level security", "registry.meter has no forced row-level security"),
        ("drop policy tenant on registry.meter", "registry.meter has no policy `tenant`"),
        ("drop policy within on raw.event_202610", "raw.event_202610 has no restrictive policy `within`"),
        ("create table energy.new (discom_id smallint)", "energy.new has no forced row-level security"),
        ("create table reference.new (discom_id smallint)", "reference.new holds the data of tenants"),
        ("create view reports.new as select * from registry.meter", "view reports.new reads with its owner's rights"),
        ("create materialized view reports.new as select * from registry.meter", "reports.new is a materialised view"),
        ("create function ops.new() returns int language sql security definer as 'select 1'", "ops.new runs with its owner's rights for"),
        ("alter role meterhouse_api login", "meterhouse_api may log in"),
        ("grant update (who) on ops.access_audit to meterhouse_auth", "meterhouse_auth may change or delete rows of ops.access_audit"),
        ("grant meterhouse_loader to meterhouse_auth", "meterhouse_auth is a member of"),
    ],
)
def test_what_stands_open_is_found(database: str, statement: str, said: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("select ops.ensure_month('raw.event', '2026-10-01', '2026-10-01')")
        conn.execute(statement)
        found = security.faults(conn)
        conn.rollback()  # roles are the whole server's
    assert any(said in fault for fault in found), f"{statement}: {found}"


def test_what_a_function_of_the_policies_says_is_of_the_callers_tenant_alone(database: str) -> None:
    """Everybody may run them, with their owner's rights."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("""
            insert into registry.discom (discom_id, code, name) values (1, 'acme', 'A'), (2, 'globex', 'G');
            insert into registry.office (discom_id, office_id, code, name, level)
            values (1, 10, 'O', 'O', 'discom'), (2, 20, 'O', 'O', 'discom');
            insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
            values (1, 11, 'S', 10, 'domestic', 1), (2, 21, 'S', 20, 'domestic', 1)""")
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', '1', true), set_config('app.offices', '{10,20}', true)")
        seen = """select ops.sees_service_point(1::smallint, 11), ops.sees_service_point(2::smallint, 21),
                         array(select ops.service_points_within())"""
        assert conn.execute(seen).fetchone() == (True, False, [11])


def test_a_meters_days_are_seen_by_whom_it_hung_with(database: str) -> None:
    """A meter that went from one consumer to another: neither sees the other's days, read one by one or many at once."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("select ops.ensure_month('raw.event', '2026-10-01', '2026-10-01')")
        conn.execute("""
            insert into registry.discom (discom_id, code, name) values (1, 'acme', 'A');
            insert into registry.office (discom_id, office_id, code, name, level)
            values (1, 10, 'N', 'N', 'division'), (1, 20, 'S', 'S', 'division');
            insert into registry.hes (discom_id, hes_id, code, vendor) values (1, 1, 'h', 'hpl');
            insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
            values (1, 11, 'P1', 10, 'domestic', 1), (1, 21, 'P2', 20, 'domestic', 1);
            insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min)
            values (1, 5, 'M', 1, 'D1', 30), (1, 6, 'N', 1, 'D1', 30);
            insert into registry.installation (discom_id, meter_id, valid_from, valid_to, service_point_id)
            values (1, 5, '2026-01-01', '2026-10-05', 11), (1, 5, '2026-10-06', null, 21), (1, 6, '2026-01-01', null, 11);
            insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
            select 1, day, meter, day, 101, now(), 1, 1
            from generate_series('2026-10-03'::date, '2026-10-08', interval '1 day') day, unnest(array[5, 6]) meter""")
    for points, offices, expected in (
        ("{11}", "{}", [(5, 3), (5, 4), *((6, d) for d in range(3, 9))]),
        ("{21}", "{}", [(5, 6), (5, 7), (5, 8)]),
        ("{}", "{20}", [(5, 6), (5, 7), (5, 8)]),
        ("{}", "{}", []),
    ):
        for many in ("off", "on"):
            with db.connect("meterhouse_api") as conn:
                conn.execute(
                    "select set_config('app.discom_id', '1', true), set_config('app.service_points', %s, true),"
                    " set_config('app.offices', %s, true), set_config('app.reads_many', %s, true)",
                    [points, offices, many],
                )
                seen = conn.execute("select meter_id, extract(day from day)::int from raw.event order by 1, 2").fetchall()
                assert seen == expected, f"service points {points}, offices {offices}, many at once: {many}"


def test_who_is_limited_grants_nothing_beyond(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("""
            insert into registry.discom (discom_id, code, name) values (1, 'acme', 'A');
            insert into registry.office (discom_id, office_id, code, name, level)
            values (1, 10, 'N', 'N', 'division'), (1, 20, 'S', 'S', 'division')""")
    grant = """insert into ops.role_grant (discom_id, provider, group_name, role, office_id, granted_by)
               values (1, 'p', 'g', 'operator', {}, 'test')"""
    for statement, may in ((grant.format(10), True), (grant.format(20), False), (grant.format("null"), False),
                           ("insert into ops.role (discom_id, code, name, permissions) values (1, 'x', 'x', '{}')", False)):  # fmt: skip
        with db.connect("meterhouse_api") as conn:
            conn.execute("select set_config('app.discom_id', '1', true), set_config('app.offices', '{10}', true)")
            if may:
                conn.execute(statement)
                continue
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


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
