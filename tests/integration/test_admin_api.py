"""The administration of a DISCOM over HTTP: what its administrators may do, what nobody may, and what the audit log says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.integration.identity_world import (
    PASSWORD,
    account,
    bearer,
    by_key,
    changes,
    cheap_hashes,
    grant,
    key,
    log_in,
    rows,
    serving,
    world,
)
from warehouse import db

pytestmark = pytest.mark.integration

ADMIN = "/api/v1/admin"
ME = "/api/v1/auth/me"


class Person:
    """Somebody who has logged in, and calls."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return self.client.request(method, ADMIN + path, headers=self.headers, json=body, params=query)

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = self.call(method, path, body)
        assert answer.is_client_error, f"{method} {path} was not refused: {answer.text}"
        return answer.status_code, answer.json()["code"]


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_hashes(monkeypatch)


@pytest.fixture
def client(database: str, _cheap_hashes: None) -> Iterator[TestClient]:
    world()
    account("admin", ("acme", "tenant_admin"))
    with serving() as c:
        yield c


@pytest.fixture
def admin(client: TestClient) -> Person:
    return Person(client, bearer(client, "admin"))


@pytest.fixture(scope="module")
def refused(module_database: str) -> Iterator[Person]:
    """An administrator who only asks for what is refused, so that tests may share the database."""
    with pytest.MonkeyPatch.context() as patch:
        cheap_hashes(patch)
        world()
        account("admin", ("acme", "tenant_admin"))
        with serving() as c:
            yield Person(c, bearer(c, "admin"))


def own_role(discom: str, code: str, *permissions: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            "insert into ops.role (discom_id, code, name, permissions) select discom_id, %s, %s, %s from registry.discom where code = %s",
            [code, code, list(permissions), discom],
        )


def everything_written() -> str:
    """All of the audit log's changes, as text."""
    ((text,),) = rows("select coalesce(string_agg(a::text, ' '), '') from ops.access_audit a where outcome = 'changed'")
    return str(text)


# --- users ---


def test_an_account_is_made_with_a_one_time_password_and_its_roles(client: TestClient, admin: Person) -> None:
    wanted = {"login": "Ravi@Acme.example", "name": "Ravi", "grants": [{"role": "field_engineer", "office": "NORTH"}]}
    made = admin.call("POST", "/users", wanted)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    user, password = made.json()["user"], made.json()["one_time_password"]
    assert (user["login"], user["administered_here"], user["grants"][0]["office"]) == ("ravi@acme.example", True, "NORTH")
    assert admin.call("GET", f"/users/{user['id']}").json() == user

    assert log_in(client, "ravi@acme.example", password).json()["code"] == "NEW_PASSWORD_REQUIRED"
    headers = bearer(client, "ravi@acme.example", password, new_password=PASSWORD)
    assert client.get(ME, headers=headers).json()["roles"] == ["field_engineer"]

    (change,) = changes("acme", "users:create")
    assert (change["who"], change["of"], change["after"]["name"]) == ("Admin (admin)", "ravi@acme.example", "Ravi")
    (given,) = changes("acme", "grants:give")
    assert (given["of"], given["after"]["role"], given["after"]["office"]) == ("ravi@acme.example", "field_engineer", "NORTH")
    assert password not in everything_written()
    assert "argon2" not in everything_written()


def test_a_login_is_taken_once_on_the_whole_platform(admin: Person) -> None:
    account("ravi", home="globex")
    assert admin.refused("POST", "/users", {"login": "RAVI", "name": "Ravi"}) == (409, "LOGIN_TAKEN")
    assert changes("acme", "users:create") == []


def test_nothing_stays_of_an_account_whose_role_is_refused(admin: Person) -> None:
    wanted = {"login": "ravi", "name": "Ravi", "grants": [{"role": "analyst", "office": "EAST"}]}
    assert admin.refused("POST", "/users", wanted) == (422, "UNKNOWN_OFFICE")
    assert rows("select 1 from ops.account where login = 'ravi'") == []
    assert changes("acme", "users:create") == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"login": "a b", "name": "x"},
        {"login": "ravi\x00", "name": "x"},
        {"login": "ravi", "name": "x\x00"},
        {"login": "ravi", "name": ""},
        {"login": "ravi", "name": "x", "platform_admin": True},
        {"login": "ravi", "name": "x", "password": "chosen by the admin"},
        {"login": "ravi", "name": "x", "email": "nowhere"},
        {"login": "ravi", "name": "x", "grants": [{"role": "analyst", "office": "NORTH", "service_point": "SP-NORTH"}]},
    ],
)
def test_bad_accounts_are_refused(refused: Person, wanted: dict[str, Any]) -> None:
    assert refused.refused("POST", "/users", wanted) == (422, "INVALID_REQUEST")


def test_disable_enable_unlock_and_reset(client: TestClient, admin: Person) -> None:
    ravi = account("ravi", ("acme", "analyst"))
    headers = bearer(client, "ravi")
    assert admin.call("POST", f"/users/{ravi}/disable").json()["disabled_at"]
    assert client.get(ME, headers=headers).status_code == 401
    assert admin.call("POST", f"/users/{ravi}/enable").json()["disabled_at"] is None
    assert client.get(ME, headers=headers).status_code == 401, "a session that ended must not come back"
    assert log_in(client, "ravi").status_code == 200

    for _ in range(5):
        log_in(client, "ravi", "wrong password")
    assert admin.call("GET", f"/users/{ravi}").json()["locked_until"]
    assert admin.call("POST", f"/users/{ravi}/unlock").json()["locked_until"] is None
    headers = bearer(client, "ravi")

    reset = admin.call("POST", f"/users/{ravi}/reset-password", {})
    assert client.get(ME, headers=headers).status_code == 401, "a reset ends the sessions"
    assert log_in(client, "ravi").status_code == 400
    assert log_in(client, "ravi", reset.json()["one_time_password"], new_password=PASSWORD).status_code == 200
    assert reset.json()["one_time_password"] not in everything_written()
    did = [changes("acme", f"users:{a}") for a in ("disable", "enable", "unlock", "reset-password")]
    assert [(len(c), c[0]["of"]) for c in did] == [(1, "ravi")] * 4
    assert (did[0][0]["before"], did[0][0]["after"]) == ({"disabled": False}, {"disabled": True})


def test_a_reset_takes_the_second_factor_only_where_it_is_told_to(client: TestClient, admin: Person) -> None:
    ravi = account("ravi", ("acme", "analyst"))
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set totp_since = now(), totp_secret = '\\x00' where login = 'ravi'")
    assert admin.call("POST", f"/users/{ravi}/reset-password", {}).json()["user"]["totp"] is True
    assert admin.call("POST", f"/users/{ravi}/reset-password", {"remove_totp": True}).json()["user"]["totp"] is False
    assert changes("acme", "users:reset-password")[1]["before"] == {"totp": True}


def test_an_administrator_does_not_do_it_to_their_own_account_nor_to_the_last_one(client: TestClient, admin: Person) -> None:
    ((me,),) = rows("select account_id from ops.account where login = 'admin'")
    for act in ("disable", "unlock", "reset-password"):
        assert admin.refused("POST", f"/users/{me}/{act}", {}) == (409, "OWN_ACCOUNT")
    own_role("acme", "helper", "users:manage", "keys:manage", "audit:read")
    account("helper", ("acme", "helper"))
    helper = Person(client, bearer(client, "helper"))
    assert helper.refused("POST", f"/users/{me}/disable") == (409, "LAST_ADMINISTRATOR")
    (line,) = admin.call("GET", "/grants", role="tenant_admin").json()["items"]
    assert admin.refused("DELETE", f"/grants/{line['id']}") == (409, "LAST_ADMINISTRATOR")
    account("second", ("acme", "tenant_admin"))
    assert helper.call("POST", f"/users/{me}/disable").status_code == 200


def test_pages_of_users_and_grants_show_each_once(admin: Person) -> None:
    for n in range(5):
        account(f"user-{n}", ("acme", "analyst"), ("acme", "auditor"))
    account("foreign", ("globex", "analyst"), home="globex")
    for what, total in (("users", 6), ("grants", 11)):
        seen: list[int] = []
        after: int | None = 0
        while after is not None:
            page = admin.call("GET", f"/{what}", size=2, after=after).json()
            seen += [line["id"] for line in page["items"]]
            after = page["next"]
        assert (len(seen), seen) == (total, sorted(set(seen))), what


# --- other DISCOMs ---


def test_an_administrator_of_one_discom_can_do_nothing_in_another(client: TestClient, admin: Person) -> None:
    theirs = account("ravi", ("globex", "analyst"), home="globex")
    own_role("globex", "theirs", "meters:read")
    foreign_key = key("globex", "analyst").split("_")[1]
    ((foreign_grant,),) = rows("select grant_id from ops.role_grant where account_id = %s", theirs)

    assert [u["login"] for u in admin.call("GET", "/users").json()["items"]] == ["admin"]
    assert [g["login"] for g in admin.call("GET", "/grants").json()["items"]] == ["admin"]
    assert admin.call("GET", "/keys").json()["items"] == []
    assert "theirs" not in [r["code"] for r in admin.call("GET", "/roles").json()["items"]]
    body = {"name": "x", "permissions": ["meters:read"]}
    tried = [
        ("GET", f"/users/{theirs}", None),
        *(("POST", f"/users/{theirs}/{act}", {}) for act in ("disable", "enable", "unlock", "reset-password")),
        ("DELETE", f"/grants/{foreign_grant}", None),
        ("PUT", "/roles/theirs", body),
        ("DELETE", "/roles/theirs", None),
        ("PATCH", f"/keys/{foreign_key}", {"requests_per_min": 1}),
        ("POST", f"/keys/{foreign_key}/rotate", {}),
        ("DELETE", f"/keys/{foreign_key}", None),
    ]
    for method, path, sent in tried:
        assert admin.refused(method, path, sent)[0] == 404, f"{method} {path}"
    assert admin.refused("POST", "/grants", {"login": "ravi", "role": "analyst"}) == (422, "UNKNOWN_LOGIN")
    assert admin.refused("GET", "/tenants")[0] == 403
    assert admin.refused("POST", "/tenants", {"code": "new", "name": "New"})[0] == 403
    assert admin.refused("POST", "/tenants/globex/administrators", {"login": "mine", "name": "Mine"})[0] == 403
    assert log_in(client, "admin", discom="globex").json()["code"] == "NO_ROLE"
    assert bearer(client, "ravi"), "and all of theirs is as it was"
    assert rows("select revoked_at, expires_at, requests_per_min from ops.api_key where key_id = %s", foreign_key) == [(None, None, 100000)]


def test_an_account_that_opens_another_discom_is_not_taken_over_by_its_home(client: TestClient, admin: Person) -> None:
    both = account("both", ("acme", "analyst"), ("globex", "tenant_admin"), home="acme")
    guest = account("guest", ("acme", "analyst"), home="globex")
    for act in ("disable", "unlock", "reset-password"):
        assert admin.refused("POST", f"/users/{both}/{act}", {}) == (409, "HOLDS_ELSEWHERE"), act
        assert admin.refused("POST", f"/users/{guest}/{act}", {}) == (409, "NOT_ADMINISTERED_HERE"), act
    assert log_in(client, "both", discom="globex").status_code == 200
    assert [g["role"] for g in admin.call("GET", f"/users/{both}").json()["grants"]] == ["analyst"], "what it holds elsewhere is not shown"
    (line,) = admin.call("GET", "/grants", login="guest").json()["items"]
    assert admin.call("DELETE", f"/grants/{line['id']}").status_code == 204, "what it holds here is taken here"
    assert log_in(client, "guest").json()["code"] == "NO_ROLE"


def test_the_warehouse_itself_keeps_administrators_within_their_discom(client: TestClient) -> None:
    account("theirs", ("globex", "analyst"), home="globex")
    account("both", ("acme", "analyst"), ("globex", "analyst"))
    account("platform", platform=True)
    ids = dict(rows("select code, discom_id from registry.discom"))
    with db.connect("meterhouse_api") as conn:

        def as_acme(query: str, *parameters: Any) -> psycopg.Cursor[Any]:
            conn.rollback()
            conn.execute("select set_config('app.discom_id', %s, true)", [str(ids["acme"])])
            return conn.execute(query, parameters)  # type: ignore[arg-type]

        for login, changed in (("theirs", 0), ("both", 0), ("platform", 0), ("admin", 1)):
            done = as_acme("update ops.account set disabled_at = now() where login = %s", login)
            assert done.rowcount == changed, f"{login}: {done.rowcount} accounts were changed"
        refused = [
            ("insert into ops.account (login, name, source, home_discom_id) values ('x', 'x', 'local', %s)", ids["globex"]),
            ("insert into ops.account (login, name, source) values ('x', 'x', %s)", "local"),
            ("insert into ops.role_grant (discom_id, account_id, role, granted_by) values (%s, 1, 'analyst', 'x')", ids["globex"]),
            ("insert into ops.access_audit (discom_id, action, outcome) values (%s, 'x', 'changed')", ids["globex"]),
            ("update ops.account set platform_admin = true where login = %s", "admin"),
            ("update ops.account set home_discom_id = %s", ids["acme"]),
            ("select password_hash from ops.account where login = %s", "admin"),
            ("select refresh_sha256 from ops.session where account_id = %s", 1),
            ("update ops.role_grant set role = %s", "tenant_admin"),
            ("update ops.access_audit set who = %s", "somebody else"),
            ("delete from ops.access_audit where discom_id = %s", ids["acme"]),
            ("insert into ops.access_audit (discom_id, at, action, outcome) values (%s, '2020-01-01', 'x', 'changed')", ids["acme"]),
        ]
        for query, parameter in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_acme(query, parameter)
        for query in (
            "insert into ops.role_grant (discom_id, account_id, role, granted_by) values (%s, 1, 'platform_admin', 'x')",
            "insert into ops.role (discom_id, code, name, permissions) values (%s, 'x', 'x', '{tenants:manage}')",
            "insert into ops.role (discom_id, code, name, permissions) values (%s, 'tenant_admin', 'x', '{meters:read}')",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                as_acme(query, ids["acme"])
    with db.connect("meterhouse_auth") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("delete from ops.access_audit")


# --- nobody gives what they do not hold ---


@pytest.fixture
def helper(client: TestClient) -> Person:
    """Who may manage users and keys, and read meters; and is no administrator of the DISCOM."""
    own_role("acme", "helper", "users:manage", "keys:manage", "meters:read")
    account("helper", ("acme", "helper"))
    return Person(client, bearer(client, "helper"))


def test_escalation_is_refused(client: TestClient, helper: Person) -> None:
    ((admin_id,),) = rows("select account_id from ops.account where login = 'admin'")
    account("ravi", ("acme", "helper"))
    own_role("acme", "reader", "meters:read")
    own_role("acme", "approver_2", "vee:approve")
    strong = key("acme", "operator").split("_")[1]
    ((admin_grant,),) = rows("select grant_id from ops.role_grant where account_id = %s", admin_id)
    tried = [
        ("POST", "/roles", {"code": "mine", "name": "Mine", "permissions": ["meters:read", "vee:approve"]}),
        ("POST", "/roles", {"code": "mine", "name": "Mine", "permissions": ["tenants:manage"]}),
        ("PUT", "/roles/helper", {"name": "Helper", "permissions": ["users:manage", "vee:freeze"]}),
        ("PUT", "/roles/approver_2", {"name": "Mine now", "permissions": ["meters:read"]}),
        ("DELETE", "/roles/approver_2", None),
        ("POST", "/grants", {"login": "helper", "role": "tenant_admin"}),
        ("POST", "/grants", {"login": "helper", "role": "operator"}),
        ("POST", "/grants", {"provider": "idp", "group": "everyone", "role": "tenant_admin"}),
        ("DELETE", f"/grants/{admin_grant}", None),
        ("POST", "/users", {"login": "mine", "name": "Mine", "grants": [{"role": "tenant_admin"}]}),
        ("POST", f"/users/{admin_id}/reset-password", {"remove_totp": True}),
        ("POST", f"/users/{admin_id}/disable", None),
        ("POST", "/keys", {"name": "Mine", "role": "operator"}),
        ("POST", "/keys", {"name": "Mine", "role": "tenant_admin"}),
        ("POST", "/keys", {"name": "Mine", "hes": "h1"}),
        ("POST", f"/keys/{strong}/rotate", {}),
        ("PATCH", f"/keys/{strong}", {"networks": []}),
        ("DELETE", f"/keys/{strong}", None),
    ]
    for method, path, sent in tried:
        assert helper.refused(method, path, sent) == (403, "ESCALATION"), f"{method} {path} {sent}"
    assert everything_written() == "", "nothing may be changed by what was refused"
    # And what the helper holds, the helper gives.
    assert helper.call("POST", "/grants", {"login": "ravi", "role": "reader"}).status_code == 201
    assert helper.call("POST", "/keys", {"name": "Meters", "role": "reader"}).status_code == 201


def test_what_is_the_platforms_no_administrator_gives(admin: Person) -> None:
    assert admin.refused("POST", "/roles", {"code": "mine", "name": "Mine", "permissions": ["tenants:manage"]}) == (403, "ESCALATION")
    assert admin.refused("POST", "/grants", {"login": "admin", "role": "platform_admin"}) == (422, "UNKNOWN_ROLE")
    assert admin.refused("POST", "/keys", {"name": "x", "role": "platform_admin"}) == (422, "UNKNOWN_ROLE")
    for code in ("tenant_admin", "platform_admin", "consumer"):
        assert admin.refused("POST", "/roles", {"code": code, "name": "x", "permissions": ["meters:read"]}) == (409, "SHIPPED_ROLE")
        assert admin.refused("PUT", f"/roles/{code}", {"name": "x", "permissions": ["meters:read"]}) == (409, "SHIPPED_ROLE")
        assert admin.refused("DELETE", f"/roles/{code}") == (409, "SHIPPED_ROLE")


def test_who_administers_a_part_of_the_discom_administers_nothing(client: TestClient) -> None:
    account("north", ("acme", "tenant_admin"), office="NORTH")
    north = Person(client, bearer(client, "north"))
    for path in ("/users", "/roles", "/grants", "/keys", "/audit"):
        assert north.refused("GET", path) == (403, "NOT_PERMITTED_HERE"), path
    with db.connect("meterhouse_owner") as conn:
        ((north_id,),) = conn.execute("select account_id from ops.account where login = 'north'").fetchall()
        conn.execute(
            "insert into ops.role (discom_id, code, name, permissions) "
            "select discom_id, 'clerk', 'x', '{users:manage}' from registry.discom where code = 'acme'"
        )
        grant(conn, north_id, "acme", "clerk")
    client.app.state.known.forget()  # type: ignore[attr-defined]
    both = {"login": "north", "role": "tenant_admin"}
    assert north.refused("POST", "/grants", both) == (403, "ESCALATION"), "an administrator of a part is none where the whole is given"


@pytest.mark.parametrize("role", ["analyst", "operator", "auditor", "consumer", "billing_system"])
def test_other_roles_administer_nothing(refused: Person, role: str) -> None:
    person = Person(refused.client, by_key(key("acme", role)))
    for path in ("/users", "/roles", "/grants", "/keys"):
        assert person.refused("GET", path) == (403, "NOT_PERMITTED"), path
    assert person.call("GET", "/audit").status_code == (200 if role == "auditor" else 403)


# --- grants and roles ---


def test_a_role_of_the_discoms_own_from_its_making_to_its_end(client: TestClient, admin: Person) -> None:
    ravi = account("ravi")
    assert admin.call("POST", "/roles", {"code": "reader", "name": "Reader", "permissions": ["meters:read"]}).status_code == 201
    assert admin.refused("POST", "/roles", {"code": "reader", "name": "Again", "permissions": ["meters:read"]}) == (409, "ROLE_EXISTS")
    made = admin.call("POST", "/grants", {"login": "ravi", "role": "reader", "office": "HQ"})
    assert made.status_code == 201, made.text
    assert admin.refused("POST", "/grants", {"login": "ravi", "role": "reader", "office": "HQ"}) == (409, "ALREADY_GRANTED")
    headers = bearer(client, "ravi")
    assert [p["permission"] for p in client.get(ME, headers=headers).json()["permissions"]] == ["meters:read"]

    changed = {"name": "Reader of reports", "permissions": ["reports:read", "meters:read", "reports:read"]}
    assert admin.call("PUT", "/roles/reader", changed).json()["permissions"] == ["meters:read", "reports:read"]
    assert len(client.get(ME, headers=headers).json()["permissions"]) == 2, "a change of a role is a change for its holders"
    assert admin.refused("DELETE", "/roles/reader") == (409, "ROLE_IN_USE")
    assert admin.call("DELETE", f"/grants/{made.json()['id']}").status_code == 204
    assert client.get(ME, headers=headers).json()["permissions"] == [], "what is taken is taken at once"
    assert admin.refused("DELETE", f"/grants/{made.json()['id']}") == (404, "UNKNOWN_GRANT")
    assert admin.call("DELETE", "/roles/reader").status_code == 204
    assert admin.call("GET", f"/users/{ravi}").json()["grants"] == []

    (change,) = changes("acme", "roles:change")
    assert (change["before"]["permissions"], change["after"]["permissions"]) == (["meters:read"], ["meters:read", "reports:read"])
    assert [changes("acme", f"roles:{a}")[0]["of"] for a in ("create", "delete")] == ["reader", "reader"]
    (revoked,) = changes("acme", "grants:revoke")
    assert (revoked["of"], revoked["before"]["office"]) == ("ravi", "HQ")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"login": "nobody", "role": "analyst"}, "UNKNOWN_LOGIN"),
        ({"login": "admin", "role": "no_such_role"}, "UNKNOWN_ROLE"),
        ({"login": "admin", "role": "analyst", "office": "EAST"}, "UNKNOWN_OFFICE"),
        ({"login": "admin", "role": "consumer", "service_point": "SP-EAST"}, "UNKNOWN_SERVICE_POINT"),
        ({"login": "admin", "role": "consumer"}, "SERVICE_POINT_MISSING"),
        ({"login": "admin", "role": "consumer", "office": "HQ"}, "SERVICE_POINT_MISSING"),
        ({"login": "admin", "role": "hes_vendor"}, "NOT_FOR_ACCOUNTS"),
        ({"role": "analyst"}, "INVALID_REQUEST"),
        ({"login": "admin", "provider": "idp", "group": "x", "role": "analyst"}, "INVALID_REQUEST"),
        ({"provider": "idp", "role": "analyst"}, "INVALID_REQUEST"),
        ({"login": "admin", "role": "analyst'; drop table ops.role --"}, "INVALID_REQUEST"),
    ],
)
def test_bad_grants_are_refused(refused: Person, wanted: dict[str, str], code: str) -> None:
    assert refused.refused("POST", "/grants", wanted) == (422, code)


def test_people_of_a_provider_are_granted_by_login_or_group_and_administered_by_it(admin: Person) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            "insert into ops.account (login, name, source, provider, subject) values ('meera', 'Meera', 'oidc', 'idp', 'abc'), "
            "('far', 'Far', 'oidc', 'idp', 'def')"
        )
    assert admin.call("POST", "/grants", {"login": "meera", "role": "analyst"}).status_code == 201
    group = admin.call("POST", "/grants", {"provider": "idp", "group": "meter-readers", "role": "field_engineer", "office": "SOUTH"})
    assert (group.status_code, group.json()["group"]) == (201, "meter-readers")
    (meera,) = [u for u in admin.call("GET", "/users").json()["items"] if u["login"] == "meera"]
    assert (meera["provider"], meera["administered_here"]) == ("idp", False)
    assert admin.refused("POST", f"/users/{meera['id']}/reset-password", {}) == (409, "NOT_ADMINISTERED_HERE")
    assert "far" not in admin.call("GET", "/users").text, "who holds nothing here is not shown"


def test_a_consumer_sees_the_own_service_point(client: TestClient, admin: Person) -> None:
    wanted = {"login": "consumer-1", "name": "Consumer", "grants": [{"role": "consumer", "service_point": "SP-NORTH"}]}
    password = admin.call("POST", "/users", wanted).json()["one_time_password"]
    headers = bearer(client, "consumer-1", password, new_password=PASSWORD)
    from uuid import UUID

    from api.auth import Permission
    from api.auth.caller import Caller
    from api.auth.repository import identity_of_session

    session_id = UUID(client.get(ME, headers=headers).json()["session_id"])
    pools = client.app.state.database  # type: ignore[attr-defined]
    with pools.auth() as conn:
        identity = identity_of_session(conn, session_id)
    scope = identity.scope(Permission.METERS_READ)
    with pools.tenant(Caller(identity, scope)) as conn:
        assert conn.execute("select code from registry.service_point").fetchall() == [("SP-NORTH",)]
    assert client.get(f"{ADMIN}/users", headers=headers).status_code == 403


# --- keys ---


def test_a_key_from_its_making_to_its_end(client: TestClient, admin: Person) -> None:
    wanted = {"name": "Billing", "role": "billing_system", "networks": ["0.0.0.0/0", "::/0"], "expires_at": "2099-01-01T00:00:00+05:30"}
    client.app.state.known.forget()  # type: ignore[attr-defined]
    made = admin.call("POST", "/keys", wanted)
    assert made.status_code == 201, made.text
    whole, line = made.json()["key"], made.json()["line"]
    assert (line["role"], line["networks"], line["expires_at"][:10]) == ("billing_system", ["0.0.0.0/0", "::/0"], "2098-12-31")
    assert admin.call("PATCH", f"/keys/{line['id']}", {"networks": [], "requests_per_min": 30}).json()["networks"] == []
    assert client.get(ME, headers=by_key(whole)).json()["requests_per_min"] == 30

    rotated = admin.call("POST", f"/keys/{line['id']}/rotate", {"overlap_hours": 2})
    assert rotated.status_code == 201, rotated.text
    fresh = rotated.json()["key"]
    assert (rotated.json()["line"]["role"], rotated.json()["line"]["requests_per_min"]) == ("billing_system", 30)
    for each in (whole, fresh):
        assert client.get(ME, headers=by_key(each)).status_code == 200, "both are good in the overlap"
    with db.connect("meterhouse_owner") as conn:
        left = conn.execute("select expires_at - now() from ops.api_key where key_id = %s", [line["id"]]).fetchone()
        assert left is not None
        assert 7100 < left[0].total_seconds() <= 7200
        conn.execute("update ops.api_key set expires_at = now() where key_id = %s", [line["id"]])
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers=by_key(whole)).status_code == 401, "the old one ends"
    assert admin.refused("POST", f"/keys/{line['id']}/rotate", {}) == (409, "KEY_ENDED")
    assert client.get(ME, headers=by_key(fresh)).status_code == 200

    new_id = rotated.json()["line"]["id"]
    assert admin.call("DELETE", f"/keys/{new_id}").status_code == 204
    assert client.get(ME, headers=by_key(fresh)).status_code == 401
    assert admin.refused("DELETE", f"/keys/{new_id}") == (409, "KEY_ENDED")

    assert [changes("acme", f"keys:{a}")[0]["of"] for a in ("create", "change", "rotate", "revoke")] == [line["id"]] * 3 + [new_id]
    assert changes("acme", "keys:rotate")[0]["after"]["replaced_by"] == new_id
    for secret in (whole, fresh):
        assert secret.split("_", 2)[2] not in everything_written()


def test_no_overlap_ends_the_old_key_at_once(client: TestClient, admin: Person) -> None:
    old = key("acme", "analyst")
    assert client.get(ME, headers=by_key(old)).status_code == 200
    assert admin.call("POST", f"/keys/{old.split('_')[1]}/rotate", {"overlap_hours": 0}).status_code == 201
    assert client.get(ME, headers=by_key(old)).status_code == 401


def test_a_key_of_a_head_end_system_pushes_for_it(admin: Person) -> None:
    made = admin.call("POST", "/keys", {"name": "HPL", "hes": "h1"}).json()
    assert (made["line"]["role"], made["line"]["hes"]) == ("hes_vendor", "h1")
    assert admin.call("POST", f"/keys/{made['line']['id']}/rotate", {}).json()["line"]["hes"] == "h1"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"name": "x"}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "hes": "h1"}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "networks": ["10.0.0.1/8"]}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "networks": ["everywhere"]}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "requests_per_min": 0}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "expires_at": "2030-01-01T00:00:00"}, "INVALID_REQUEST"),
        ({"name": "x", "role": "analyst", "expires_at": "2020-01-01T00:00:00Z"}, "IN_THE_PAST"),
        ({"name": "x", "role": "hes_vendor"}, "NOT_FOR_KEYS"),
        ({"name": "x", "role": "consumer"}, "NOT_FOR_KEYS"),
        ({"name": "x", "hes": "h2"}, "UNKNOWN_HES"),
        ({"name": "x", "role": "analyst", "office": "EAST"}, "UNKNOWN_OFFICE"),
    ],
)
def test_bad_keys_are_refused(refused: Person, wanted: dict[str, Any], code: str) -> None:
    assert refused.refused("POST", "/keys", wanted) == (422, code)


# --- the audit log ---


def test_the_audit_log_pages_and_filters_within_the_discom(client: TestClient, admin: Person) -> None:
    account("ravi", ("globex", "tenant_admin"), home="globex")
    theirs = Person(client, bearer(client, "ravi"))
    theirs.call("POST", "/roles", {"code": "theirs", "name": "Theirs", "permissions": ["meters:read"]})
    for n in range(5):
        admin.call("POST", "/roles", {"code": f"role_{n}", "name": "x", "permissions": ["meters:read"]})
    client.app.state.access_log.flush()  # type: ignore[attr-defined]

    seen: list[str] = []
    before: str | None = None
    for _ in range(9):
        page = admin.call("GET", "/audit", size=2, outcome="changed", **({"before": before} if before else {})).json()
        seen += [line["detail"]["of"] for line in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [f"role_{n}" for n in reversed(range(5))], "each once, the latest first, and nothing of another DISCOM"
    (first, *_) = admin.call("GET", "/audit", action="roles:create").json()["items"]
    assert (first["who"], first["method"], first["path"]) == ("Admin (admin)", "POST", "/api/v1/admin/roles")
    assert {x["outcome"] for x in admin.call("GET", "/audit", action="users:manage").json()["items"]} == {"allowed"}
    assert admin.call("GET", "/audit", who="Nobody (x)").json() == {"items": [], "next": None}
    assert admin.call("GET", "/audit", until="2020-01-01T00:00:00Z").json()["items"] == []
    assert "ravi" not in admin.call("GET", "/audit").text
    for cursor in ("x", "20261001T000000000000Z_0", "20261001T000000000000Z_99999999999999999999", "_1"):
        assert admin.call("GET", "/audit", before=cursor).json()["code"] == "INVALID_CURSOR", cursor
    assert admin.call("GET", "/audit", since="2026-10-01T00:00:00").status_code == 422, "a time without its zone is refused"


# --- the platform ---


def test_the_platforms_administrator_makes_a_discom_and_names_its_first_administrator(client: TestClient) -> None:
    account("platform", platform=True)
    platform = Person(client, bearer(client, "platform"))
    assert client.get(ME, headers=platform.headers).json()["discom"] is None
    made = platform.call("POST", "/tenants", {"code": "new", "name": "New DISCOM"})
    assert made.status_code == 201, made.text
    assert platform.refused("POST", "/tenants", {"code": "new", "name": "Again"}) == (409, "TENANT_EXISTS")
    assert platform.refused("POST", "/tenants", {"code": "n2", "name": "x", "timezone": "Mars/Base"}) == (422, "INVALID_REQUEST")
    assert [t["code"] for t in platform.call("GET", "/tenants").json()["items"]] == ["acme", "globex", "new"]

    named = platform.call("POST", "/tenants/new/administrators", {"login": "first", "name": "First"})
    assert named.status_code == 201, named.text
    second = {"login": "second", "name": "Second"}
    assert platform.refused("POST", "/tenants/new/administrators", second) == (409, "HAS_ADMINISTRATOR")
    assert platform.refused("POST", "/tenants/none/administrators", second) == (404, "UNKNOWN_TENANT")
    first = Person(client, bearer(client, "first", named.json()["one_time_password"], new_password=PASSWORD))
    assert first.call("POST", "/users", second).status_code == 201

    assert [changes("new", a)[0]["who"] for a in ("tenants:create", "users:create", "grants:give")] == ["Platform (platform)"] * 3
    for path in ("/users", "/roles", "/grants"):
        assert platform.refused("GET", path) == (403, "NO_DISCOM"), "the platform's administrator sees the people of no DISCOM"
    assert platform.refused("GET", "/keys") == (403, "NOT_PERMITTED")
    assert platform.refused("GET", "/audit") == (403, "NOT_PERMITTED")
    assert log_in(client, "platform", discom="acme").json()["code"] == "NO_ROLE"
