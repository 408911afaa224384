"""Two DISCOMs with people: what the tests of log-ins and of their administration share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key, passwords
from api.auth.repository import insert_key
from api.main import create_app
from warehouse import db

PASSWORD = "correct horse battery"
TOKEN = "/api/v1/auth/token"

_HASHES: dict[str, str] = {}


def cheap_hashes(patch: pytest.MonkeyPatch) -> None:
    """Hashes of next to no cost, in tests of something else."""
    patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    _HASHES.clear()


def world() -> dict[str, int]:
    """acme with offices HQ > NORTH, SOUTH and a service point in each; globex alike. discom_id by code."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
        conn.execute("insert into registry.office (discom_id, code, name, level) select discom_id, 'HQ', 'HQ', 'zone' from registry.discom")
        for code in ("NORTH", "SOUTH"):
            conn.execute(
                """insert into registry.office (discom_id, code, name, level, parent_id)
                   select discom_id, %s, %s, 'division', office_id from registry.office where code = 'HQ'""",
                [code, code],
            )
            conn.execute(
                """insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
                   select discom_id, 'SP-' || code, office_id, 'LT-DOM', 5000 from registry.office where code = %s""",
                [code],
            )
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'vendor_b' from registry.discom")
        return dict(conn.execute("select code, discom_id from registry.discom").fetchall())


def account(
    login: str, *roles: tuple[str, str], home: str | None = "acme", password: str = PASSWORD, platform: bool = False, **scope: str
) -> int:
    """A local account that holds each (discom, role), at `office` or `service_point` where one is named. Its id."""
    kept = _HASHES.setdefault(password, passwords.hashed(password))
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute(
            """insert into ops.account (login, name, source, password_hash, platform_admin, home_discom_id)
               values (%s, %s, 'local', %s, %s, (select discom_id from registry.discom where code = %s)) returning account_id""",
            [login, login.title(), kept, platform, None if platform else home],
        ).fetchone()
        assert row is not None
        for discom, role in roles:
            grant(conn, row[0], discom, role, **scope)
        return int(row[0])


def grant(conn: Any, account_id: int, discom: str, role: str, office: str | None = None, service_point: str | None = None) -> None:
    conn.execute(
        """insert into ops.role_grant (discom_id, account_id, role, granted_by, office_id, service_point_id)
           select d.discom_id, %s, %s, 'test', (select office_id from registry.office o where o.discom_id = d.discom_id and o.code = %s),
                  (select service_point_id from registry.service_point s where s.discom_id = d.discom_id and s.code = %s)
           from registry.discom d where d.code = %s""",
        [account_id, role, office, service_point, discom],
    )


def key(discom: str, role: str, **more: Any) -> str:
    """A whole API key."""
    made, key_id, sha256 = new_key()
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("select discom_id from registry.discom where code = %s", [discom]).fetchone()
        assert row is not None
        insert_key(conn, row[0], key_id, sha256, None, f"{role} of {discom}", more.pop("networks", []), 100_000, role=role, **more)
    return made


@contextmanager
def serving() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


def log_in(client: TestClient, login: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post(TOKEN, data={"grant_type": "password", "username": login, "password": password, **more})


def bearer(client: TestClient, login: str, password: str = PASSWORD, **more: str) -> dict[str, str]:
    """The header of somebody who has logged in."""
    answer = log_in(client, login, password, **more)
    assert answer.status_code == 200, f"{login} cannot log in: {answer.text}"
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def by_key(key: str) -> dict[str, str]:
    return {HEADER: key}


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner") as conn:
        return conn.execute(query, parameters).fetchall()  # type: ignore[arg-type]


def changes(discom: str, action: str) -> list[dict[str, Any]]:
    """What the audit log says was changed: who, detail."""
    found = rows(
        """select who, detail from ops.access_audit join registry.discom using (discom_id)
           where code = %s and action = %s and outcome = 'changed' order by audit_id""",
        discom,
        action,
    )
    return [{"who": who, **detail} for who, detail in found]
