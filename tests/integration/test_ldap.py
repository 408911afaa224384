"""Log-ins by LDAP, against a slapd with TLS: search and bind, groups, and what must not be let in."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.auth.federated.vouched import RefusedError
from tests.brokers import Authority, free_port
from tests.identity import USERS, Directory, slapd
from tests.integration.federated_world import api, grant_to, owner, refused, two_discoms, works

pytestmark = pytest.mark.integration

PATH = "/api/v1/auth/ldap/office"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with slapd(tmp_path_factory.mktemp("ldap") / "slapd") as running:
        yield running


def office(folder: Path, directory: Directory, **more: Any) -> dict[str, Any]:
    (folder / "reader").write_text("reader-secret\n")
    (folder / "ca.pem").write_bytes(directory.ca_file.read_bytes())
    return {
        "kind": "ldap",
        "name": "office",
        "url": directory.ldaps,
        "ca_file": "ca.pem",
        "bind_dn": "cn=reader,dc=example,dc=org",
        "bind_password": {"file": "reader"},
        "search_base": "ou=people,dc=example,dc=org",
        "user_filter": "(&(objectClass=inetOrgPerson)(uid={login}))",
        "group_search": {"base": "ou=groups,dc=example,dc=org", "filter": "(&(objectClass=groupOfNames)(member={dn}))"},
        **more,
    }


@pytest.fixture
def client(module_database: str, directory: Directory, tmp_path: Path) -> Iterator[TestClient]:
    two_discoms("office")
    with api(tmp_path, [office(tmp_path, directory)]) as running:
        yield running


def log_in(client: TestClient, login: str, password: str | None = None, **more: str) -> Response:
    return client.post(PATH, data={"login": login, "password": str(USERS[login]["password"]) if password is None else password, **more})


def test_log_in_opens_a_session_with_the_roles_of_the_groups(client: TestClient) -> None:
    works(client, log_in(client, "asha"))
    ((subject, *rest),) = owner("select subject, login, name, email, source, provider, groups from ops.account")
    assert rest == ["asha", "Asha of LDAP", "asha@example.org", "ldap", "office", ["vee-operators"]]
    assert len(subject) == 36, f"{subject!r} is no entryUUID: an account must outlive the name of its entry"


def test_start_tls_and_member_of(module_database: str, directory: Directory, tmp_path: Path) -> None:
    two_discoms("office")
    owner("update ops.role_grant set group_name = 'cn=vee-operators,ou=groups,dc=example,dc=org' where group_name = 'vee-operators'")
    provider = office(tmp_path, directory, url=directory.ldap, start_tls=True)
    del provider["group_search"]
    with api(tmp_path, [provider]) as client:
        works(client, log_in(client, "asha"))
    assert owner("select groups from ops.account") == [(["cn=vee-operators,ou=groups,dc=example,dc=org"],)]


def test_who_holds_roles_in_two_discoms_says_which(client: TestClient) -> None:
    refused(log_in(client, "ravi"), 422, "WHICH_DISCOM")
    works(client, log_in(client, "ravi", discom="globex"))
    assert owner("select discom_id from ops.session") == [(2,)]


@pytest.mark.parametrize("discom", ["nowhere", "Acme", "x" * 64])
def test_a_discom_without_a_role_is_refused(client: TestClient, discom: str) -> None:
    refused(log_in(client, "asha", discom=discom), 403, "NO_ROLE")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("asha", "wrong"),
        ("asha", "ravi-secret"),
        ("asha", "asha-secret "),
        ("asha", "\u0000"),
        ("somebody", "asha-secret"),
        ("*)(uid=*", "asha-secret"),
        ("asha)(objectClass=*", "asha-secret"),
        ("as*", "asha-secret"),
        ("*", "asha-secret"),
        ("asha\u0000", "asha-secret"),
        ("asha)(|(uid=*)", "asha-secret"),
        ("\\2a", "asha-secret"),
        ("uid=asha,ou=people,dc=example,dc=org", "asha-secret"),
        ("{dn}", "asha-secret"),
    ],
)
def test_a_wrong_login_and_a_wrong_password_look_the_same(client: TestClient, login: str, password: str) -> None:
    assert refused(log_in(client, login, password), 401, "WRONG_CREDENTIALS") == "login or password is wrong"
    assert owner("select count(*) from ops.account") == [(0,)]


def test_a_directory_that_lets_unauthenticated_binds_pass_does_not_let_anybody_in(client: TestClient, directory: Directory) -> None:
    bind = ["ldapwhoami", "-x", "-H", directory.ldap, "-D", "uid=asha,ou=people,dc=example,dc=org", "-w", ""]
    assert subprocess.run(bind, capture_output=True, text=True).stdout.strip() == "anonymous", "this directory refuses such a bind itself"
    refused(log_in(client, "asha", ""), 422, "INVALID_REQUEST")
    refused(client.post(PATH, data={"login": "asha"}), 422, "INVALID_REQUEST")
    for nothing in ("\u00ad", "\u00ad\u200b", "\ufe00", " "):
        refused(log_in(client, "asha", nothing), 401, "WRONG_CREDENTIALS")
    with pytest.raises(RefusedError):
        client.app.state.federation._ldap["office"].check("asha", "")  # type: ignore[attr-defined]
    assert owner("select count(*) from ops.account") == [(0,)]


def test_passwords_of_a_login_may_be_tried_a_few_times_a_minute_only(client: TestClient) -> None:
    for n in range(10):
        refused(log_in(client, "asha", f"guess {n}"), 401, "WRONG_CREDENTIALS")
    response = log_in(client, "ASHA", "asha-secret")
    refused(response, 429, "TOO_OFTEN")
    assert int(response.headers["retry-after"]) > 0
    works(client, log_in(client, "ravi", discom="acme"))


def test_a_group_without_a_role_logs_nobody_in_until_the_account_is_given_one(client: TestClient) -> None:
    refused(log_in(client, "nobody"), 403, "NO_ROLE")
    grant_to("nobody")
    works(client, log_in(client, "nobody"))


def test_a_login_that_a_local_account_has_is_not_taken_over(client: TestClient) -> None:
    owner("insert into ops.account (login, name, source) values ('local', 'Local', 'local')")
    refused(log_in(client, "local"), 409, "LOGIN_TAKEN")


def test_a_disabled_account_stays_out(client: TestClient) -> None:
    works(client, log_in(client, "asha"))
    owner("update ops.account set disabled_at = now()")
    refused(log_in(client, "asha"), 403, "ACCOUNT_DISABLED")


def test_log_ins_and_refusals_are_in_the_audit_log_without_a_password(client: TestClient) -> None:
    works(client, log_in(client, "asha"))
    refused(log_in(client, "ravi", "hunter2"), 401, "WRONG_CREDENTIALS")
    client.app.state.access_log.flush()  # type: ignore[attr-defined]
    rows = owner(
        "select discom_id, who, outcome, row_to_json(a)::text from ops.access_audit a where action = 'log-in:office' order by audit_id"
    )
    assert [r[:3] for r in rows] == [(1, "Asha of LDAP (asha)", "allowed"), (None, None, "refused")]
    assert not [r for r in rows if "secret" in r[3] or "hunter2" in r[3]]


@pytest.mark.parametrize("change", ["another authority", "another name"])
def test_a_directory_that_cannot_prove_who_it_is_gets_no_password(
    module_database: str, directory: Directory, tmp_path: Path, change: str
) -> None:
    two_discoms("office")
    provider = office(tmp_path, directory)
    if change == "another authority":
        (tmp_path / "ca.pem").write_bytes(Authority(tmp_path / "other").ca.read_bytes())
    else:
        provider["url"] = directory.ldaps.replace("localhost", "127.0.0.2")
    with api(tmp_path, [provider]) as client:
        refused(log_in(client, "asha"), 503, "PROVIDER_UNAVAILABLE")


def test_a_wrong_password_of_our_own_is_the_set_ups_fault(module_database: str, directory: Directory, tmp_path: Path) -> None:
    two_discoms("office")
    with api(tmp_path, [office(tmp_path, directory)]) as client:
        (tmp_path / "reader").write_text("wrong")
        refused(log_in(client, "asha"), 503, "PROVIDER_UNAVAILABLE")
        (tmp_path / "reader").unlink()
        refused(log_in(client, "asha"), 503, "PROVIDER_UNAVAILABLE")


def test_a_directory_that_is_down_is_said_to_be(module_database: str, directory: Directory, tmp_path: Path) -> None:
    with api(tmp_path, [office(tmp_path, directory, url=f"ldaps://localhost:{free_port()}")]) as client:
        response = log_in(client, "asha")
        refused(response, 503, "PROVIDER_UNAVAILABLE")
        assert response.headers["retry-after"]


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_directory_that_says_nothing_is_not_waited_for(module_database: str, directory: Directory, tmp_path: Path, scheme: str) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=lambda: (silent.accept(), ended.wait(60)), daemon=True).start()
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        with api(tmp_path, [office(tmp_path, directory, url=url, timeout_s=1)]) as client:
            refused(log_in(client, "asha"), 503, "PROVIDER_UNAVAILABLE")
        ended.set()


def test_two_entries_of_one_login_are_nobody(module_database: str, directory: Directory, tmp_path: Path) -> None:
    two_discoms("office")
    with api(tmp_path, [office(tmp_path, directory, user_filter="(|(uid={login})(uid=ravi))")]) as client:
        refused(log_in(client, "asha"), 401, "WRONG_CREDENTIALS")
        works(client, log_in(client, "ravi", discom="acme"))
