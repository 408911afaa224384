"""The application over HTTP: liveness, readiness, version; and that it opens nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from warehouse.embedded import EmbeddedServer

pytestmark = pytest.mark.integration


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def empty_database(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that no migration has seen."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template template0")
        monkeypatch.setenv("METERHOUSE_DATABASE_URL", server.url(name))
        yield server.url(name)
        conn.execute(f"drop database {name} with (force)")


def test_ready_on_a_migrated_database(client: TestClient, database: str) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reason": None})


def test_not_ready_on_a_database_without_migrations(client: TestClient, empty_database: str) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "revision none" in answer.json()["reason"]
    assert "meterhouse db migrate" in answer.json()["reason"]


def test_not_ready_on_a_database_of_another_revision(client: TestClient, database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("update public.alembic_version set version_num = 'older'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "at revision older" in answer.json()["reason"]


def test_not_ready_without_a_database_and_silent_about_where_it_should_be(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:1/warehouse")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["reason"]
    for secret in ("hunter2", "someone", "127.0.0.1"):
        assert secret not in answer.text, f"an open endpoint tells {secret}"


def test_alive_without_a_database(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://someone@127.0.0.1:1/warehouse")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/version").json() == {"name": "meterhouse", "version": version("meterhouse")}


def test_nothing_is_loaded_from_outside_and_the_description_is_there(client: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        page = client.get(path)
        loaded = re.findall(r'(?:src|href|url)="([^"]+)"', page.text)
        assert len(loaded) >= 3, page.text
        for address in loaded:
            assert address.startswith("/"), f"{path} loads {address} from outside, which a closed network cannot"
            assert client.get(address).status_code == 200, f"{path} loads {address}, which is not there"
        assert "<script>" not in page.text, "a script that stands in the page would need a policy that lets any run"
        assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert "http" not in client.get("/docs/start.js").text
    description = client.get("/openapi.json").json()
    assert description["info"]["title"] == "Meterhouse"
    committed = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert sorted(description["paths"]) == sorted(committed["paths"]), "where that is meant, run `make openapi`"
    assert "503" in description["paths"]["/readyz"]["get"]["responses"]
