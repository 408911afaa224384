"""The application over HTTP: liveness, readiness, version; and that it opens nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
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
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reason": None})


def test_not_ready_on_a_database_without_migrations(client: TestClient, empty_database: str) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "revision none" in answer.json()["reason"]
    assert "meterhouse db migrate" in answer.json()["reason"]


def test_not_ready_on_a_database_of_another_revision(client: TestClient, database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("update public.alembic_version set version_num = 'older'")
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "at revision older" in answer.json()["reason"]


def test_not_ready_without_a_database_and_silent_about_where_it_should_be(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:1/warehouse")
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["reason"]
    for secret in ("hunter2", "someone", "127.0.0.1"):
        assert secret not in answer.text, f"an open endpoint tells {secret}"


def test_alive_without_a_database(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://someone@127.0.0.1:1/warehouse")
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/version").json() == {"name": "meterhouse", "version": version("meterhouse")}


def test_nothing_is_loaded_from_outside_and_the_description_is_there(client: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404, f"{path} loads scripts from outside, which a closed network cannot"
    description = client.get("/openapi.json").json()
    assert description["info"]["title"] == "Meterhouse"
    rules = ["", "/proposals", "/proposals/{id}", "/proposals/{id}/withdraw", "/versions", "/versions/{id}"]
    commands = ["", "/groups", "/groups/{id}", "/{id}", "/{id}/cancel"]
    cases = ["", "/actions", "/summary", "/{id}", "/{id}/actions"]
    assert sorted(description["paths"]) == [
        *(f"/api/v1/billing/{b}" for b in ("bills", "deliveries", "receipts")),
        *(f"/api/v1/commands{c}" for c in commands),
        *(
            f"/api/v1/edits{e}"
            for e in ("", "/day", "/file", "/file/preview", "/preview", "/{id}", "/{id}/approve", "/{id}/reject", "/{id}/withdraw")
        ),
        "/api/v1/embed/guest-token",
        *("/api/v1/freezes", "/api/v1/freezes/{id}/release"),
        *("/api/v1/meters/events", "/api/v1/meters/readings"),
        *(f"/api/v1/vee/cases{c}" for c in cases),
        "/api/v1/vee/exceptions",
        *(f"/api/v1/vee/explain/{{serial}}/{{day}}{rest}" for rest in ("", "/{slot}")),
        *(f"/api/v1/vee/rules{r}" for r in rules),
        *("/health", "/ready", "/version"),
    ]
    assert "503" in description["paths"]["/ready"]["get"]["responses"]
