"""Fixtures that every folder of tests shares: a real PostgreSQL of the tests' own, and a fresh migrated database for who asks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

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


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A PostgreSQL server of this test run alone, with the template database `template_meterhouse` migrated."""
    home = Path(tempfile.mkdtemp(prefix="meterhouse-test-"))
    home.chmod(0o755)
    instance = EmbeddedServer(home, FAST)
    try:
        instance.start()
        with psycopg.connect(instance.url("postgres"), autocommit=True) as conn:
            conn.execute("create database template_meterhouse")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METERHOUSE_DATABASE_URL", instance.url("template_meterhouse"))
            db.migrate()
        with psycopg.connect(instance.url("postgres"), autocommit=True) as conn:
            # Whoever is connected to it would keep it from being copied, as what an application of an earlier test still writes may be.
            conn.execute("alter database template_meterhouse allow_connections false")
            conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'template_meterhouse'")
        yield instance
    finally:
        instance.destroy()
        shutil.rmtree(home, ignore_errors=True)


def _fresh_database(server: EmbeddedServer) -> Iterator[str]:
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template template_meterhouse")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_DATABASE_URL", server.url(name))
        yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[str]:
    """URL of a fresh migrated database, which METERHOUSE_DATABASE_URL names for the test."""
    yield from _fresh_database(server)


@pytest.fixture(scope="module")
def module_database(server: EmbeddedServer) -> Iterator[str]:
    """As `database`, shared by the tests of one module."""
    yield from _fresh_database(server)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, which is not part of the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real data sets are not here ({REAL_DATA}): see docs/real-data.md")
    return REAL_DATA
