"""Fixtures that every folder of tests shares: a real PostgreSQL of the tests' own, and a fresh migrated database for who asks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from warehouse import db
from warehouse.embedded import EmbeddedServer

REAL_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

# A test's database may be lost with the machine, so it need not wait for the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


def pytest_configure(config: pytest.Config) -> None:
    """What the tests keep on disk stands apart from what a person's own Meterhouse keeps."""
    os.environ["METERHOUSE_HOME"] = tempfile.mkdtemp(prefix="meterhouse-home-")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(os.environ["METERHOUSE_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Heavy files first, so that the short ones fill up what a worker has left at the end (`--no-loadscope-reorder` keeps this order)."""
    heavy = {item.path for item in items if item.get_closest_marker("heavy")}
    items.sort(key=lambda item: item.path not in heavy)
    # Those of schemathesis differ by name and not by id, and pytest-xdist runs one test of each id.
    for item in items:
        if operation := getattr(item, "operation_label", None):
            item._id = item.id.with_params(operation)
    twice = [nodeid for nodeid, n in Counter(item.nodeid for item in items).items() if n > 1]
    if twice:
        raise pytest.UsageError(f"tests of the same name, of which pytest-xdist would run one: {twice[:5]}")


TEMPLATE, BUILT = "template_meterhouse", "template_built"
OF_A_MODULE, OF_A_TEST = "of_a_module", "of_a_test"
"""Databases come and go by these names: dbt reads its project anew for each name."""

_TABLES_OF_DISCOMS = """
select c.oid::regclass::text, (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '')
from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition
  and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'discom_id' and not a.attisdropped)"""


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A PostgreSQL server of this test run alone, with the template database TEMPLATE migrated."""
    home = Path(tempfile.mkdtemp(prefix="meterhouse-test-"))
    home.chmod(0o755)
    instance = EmbeddedServer(home, FAST)
    try:
        instance.start()
        with _database(instance, TEMPLATE, "template1"):
            db.migrate()
        _seal(instance, TEMPLATE)
        yield instance
    finally:
        instance.destroy()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def built(server: EmbeddedServer) -> str:
    """The name of a template in which dbt has made its tables and the reports, for a DISCOM that is gone: half a minute spent once."""
    from orchestration import steps  # dbt takes seconds to import

    with _database(server, OF_A_MODULE, TEMPLATE):
        with db.connect("meterhouse_owner") as conn:
            conn.execute("insert into registry.discom (code, name) values ('NOBODY', 'NOBODY')")
        steps.build("NOBODY", 1, date(2020, 1, 1), date(2020, 1, 1))
    with psycopg.connect(server.url(OF_A_MODULE)) as conn:
        conn.execute("set session_replication_role = replica")  # no trigger keeps what may only be added to
        for table, identity in conn.execute(_TABLES_OF_DISCOMS).fetchall():
            found = conn.execute(sql.SQL("delete from {} where discom_id = 1").format(sql.SQL(table))).rowcount
            if found and identity:
                conn.execute(sql.SQL("alter table {} alter column {} restart").format(sql.SQL(table), sql.Identifier(identity)))
    _seal(server, OF_A_MODULE)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(OF_A_MODULE), sql.Identifier(BUILT)))
    return BUILT


def _seal(server: EmbeddedServer, template: str) -> None:
    """Whoever is connected to it would keep it from being copied, as what an application of an earlier test still writes may be."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(template)))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [template])


@contextmanager
def _database(server: EmbeddedServer, name: str, template: str) -> Iterator[str]:
    """A database made of the template, which METERHOUSE_DATABASE_URL names."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_DATABASE_URL", server.url(name))
        yield server.url(name)


def _fresh(server: EmbeddedServer, name: str, template: str = TEMPLATE) -> Iterator[str]:
    """As `_database`, dropped at the end."""
    with _database(server, name, template) as url:
        yield url
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[str]:
    """URL of a fresh migrated database, which METERHOUSE_DATABASE_URL names for the test."""
    yield from _fresh(server, OF_A_TEST)


@pytest.fixture
def built_database(server: EmbeddedServer, built: str) -> Iterator[str]:
    """As `database`, with dbt's tables and the reports."""
    yield from _fresh(server, OF_A_TEST, built)


@pytest.fixture(scope="module")
def module_database(server: EmbeddedServer) -> Iterator[str]:
    """As `database`, shared by the tests of one module."""
    yield from _fresh(server, OF_A_MODULE)


@pytest.fixture(scope="module")
def built_module_database(server: EmbeddedServer, built: str) -> Iterator[str]:
    """As `built_database`, shared by the tests of one module."""
    yield from _fresh(server, OF_A_MODULE, built)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, which is not part of the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real data sets are not here ({REAL_DATA}): see docs/real-data.md")
    return REAL_DATA
