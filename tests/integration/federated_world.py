"""Two DISCOMs, roles for groups of identity providers, and the API with a file of providers: for tests of log-ins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from fastapi.testclient import TestClient
from httpx import Response

from api.main import create_app
from warehouse import db

URL = "http://localhost"
PROTECTED = "/api/v1/commands"
"""A route that a VEE operator may read."""


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def two_discoms(provider: str) -> None:
    """acme (1) and globex (2), and nobody yet. Of the provider, vee-operators are VEE operators at acme, and `both` are at globex too."""
    owner("truncate ops.account, ops.role_grant, ops.session, ops.access_audit, ops.spent cascade")
    for discom_id, code in ((1, "acme"), (2, "globex")):
        owner(
            "insert into registry.discom (discom_id, code, name) overriding system value values (%s, %s, %s) on conflict do nothing",
            discom_id,
            code,
            code,
        )
    for discom_id, group in ((1, "vee-operators"), (2, "both")):
        grant(discom_id, provider, group)


def grant(discom_id: int, provider: str, group: str) -> None:
    owner(
        "insert into ops.role_grant (discom_id, provider, group_name, role, granted_by) values (%s, %s, %s, 'vee_operator', 'test')",
        discom_id,
        provider,
        group,
    )


def grant_to(login: str, discom_id: int = 1) -> None:
    owner(
        "insert into ops.role_grant (discom_id, account_id, role, granted_by)"
        " select %s, account_id, 'vee_operator', 'test' from ops.account where login = %s",
        discom_id,
        login,
    )


@contextmanager
def api(folder: Path, providers: list[dict[str, Any]], **more: Any) -> Iterator[TestClient]:
    """The application with these providers. Of the client, no redirect is followed."""
    file = folder / "identity.yml"
    file.write_text(yaml.safe_dump({"public_url": URL, "providers": providers, **more}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_IDENTITY_FILE", str(file))
        app = create_app()
    with TestClient(app, base_url=URL, follow_redirects=False) as client:
        yield client


def path_of(url: str) -> str:
    """Path and query, as a browser asks our server for them."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def query_of(url: str) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}


def refused(response: Response, status: int, code: str) -> str:
    """The detail of a problem that must be this one."""
    assert response.status_code == status, f"{status} {code} was due, and {response.status_code} came: {response.text}"
    assert response.json()["code"] == code, response.text
    return str(response.json()["detail"])


def works(client: TestClient, response: Response) -> dict[str, Any]:
    """The tokens of a log-in, with which the API answers."""
    assert response.status_code == 200, f"the log-in failed: {response.status_code} {response.text}"
    assert response.headers["cache-control"] == "no-store", "tokens must not be kept by a cache"
    tokens: dict[str, Any] = response.json()
    called = client.get(PROTECTED, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert called.status_code == 200, f"the API does not take the token of the log-in: {called.text}"
    return tokens


def forget(client: TestClient) -> None:
    """As five seconds later."""
    client.app.state.known.forget()  # type: ignore[attr-defined]
