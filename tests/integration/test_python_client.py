"""The committed Python client against the application as it is: it imports, reads, writes and shows errors."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from tests.integration.served import serving
from warehouse import db

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "python_client"


@pytest.fixture(scope="module")
def demo() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        spec = importlib.util.spec_from_file_location("python_client_demo", FOLDER / "demo.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def key(module_database: str) -> str:
    made, key_id, secret = new_key()
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) values (1, 'h', 'hpl')")
        conn.execute("insert into registry.meter (discom_id, serial, hes_id, category, interval_min) values (1, 'M1', 1, 'D1', 30)")
        conn.execute(
            """insert into vee.case (discom_id, scope, meter_id, rule, stage, severity, action, first_day, last_day, meters, meter_days,
                                     priority)
               select 1, 'meter', 1, 'V0' || n, 'initial', 'fail', 'estimate', '2026-10-05', '2026-10-05', 1, 1, n
               from generate_series(1, 5) n"""
        )
        insert_key(conn, 1, key_id, secret, None, "integrator", [], 1_000_000)
    return made


@pytest.fixture
def client(demo: ModuleType, key: str) -> Iterator[Any]:
    """The generated client over the application, with no network between."""
    with TestClient(create_app(), headers={HEADER: key}) as http:
        yield demo.connect("http://testserver", key).set_httpx_client(http)


def test_it_reads_a_list_page_by_page(demo: ModuleType, client: Any) -> None:
    found = demo.cases(client, size=2)
    assert [c.rule for c in found] == ["V01", "V02", "V03", "V04", "V05"]
    assert isinstance(found[0].opened_at, datetime), "stamps come as stamps"
    assert demo.unchanged(client, "/api/v1/commands")


def test_it_writes_and_an_error_is_an_object(demo: ModuleType, client: Any) -> None:
    from meterhouse_client.api.commands import commands_create, commands_get, commands_list_commands
    from meterhouse_client.models import Command, CommandRequest, CommandsPage, ProblemDetails

    began = datetime.now(UTC)
    body = CommandRequest.from_dict({"kind": "connect", "meter": "M1"})
    made = commands_create.sync(client=client, body=body, idempotency_key="the-first-connect")
    again = commands_create.sync_detailed(client=client, body=body, idempotency_key="the-first-connect")
    assert isinstance(made, Command)
    assert (again.status_code, again.parsed.id) == (200, made.id)
    page = commands_list_commands.sync(client=client, updated_since=began)
    assert isinstance(page, CommandsPage)
    assert [c.id for c in page.items] == [made.id]
    problem = commands_get.sync(999_999, client=client)
    assert isinstance(problem, ProblemDetails)
    assert (problem.code, problem.type_) == ("UNKNOWN_COMMAND", "/problems/UNKNOWN_COMMAND")


def test_the_demo_runs_against_a_server(key: str) -> None:
    with serving() as served:
        environment = {"METERHOUSE_URL": served.url, "METERHOUSE_KEY": key, "PATH": ""}
        done = subprocess.run([sys.executable, str(FOLDER / "demo.py")], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "5 cases wait" in done.stdout
    assert "unchanged" in done.stdout
    assert "an error: UNKNOWN_COMMAND" in done.stdout
