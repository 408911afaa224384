"""meterhouse users, roles and keys rotate: what they do, and that a password is never an argument."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from tests.integration.identity_world import account, changes, cheap_hashes, key, log_in, rows, serving, world

pytestmark = pytest.mark.integration

OWN = "a sentence of four words"


@pytest.fixture(autouse=True)
def _world(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_hashes(monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")
    world()


def run(*words: str, stdin: str = "", ok: bool = True) -> Result:
    result = CliRunner().invoke(app, words, input=stdin)
    assert (result.exit_code == 0) is ok, f"{' '.join(words)}: {result.output} {result.exception}"
    return result


def logs_in(login: str, password: str, **more: str) -> str:
    """'' where it does, else the code of the answer."""
    with serving() as client:
        return str(log_in(client, login, password, **more).json().get("code", ""))


def test_an_account_from_its_making_to_its_end(tmp_path: Path) -> None:
    made = run("users", "create", "Anita", "-d", "acme", "--name", "Anita Rao", "--role", "tenant_admin").output.splitlines()
    assert logs_in("anita", made[1], new_password=OWN) == "", f"the second line must be the one-time password: {made}"
    (tmp_path / "password").write_text(OWN + "\n")
    run("users", "create", "ravi", "-d", "acme", "--name", "Ravi", "--password-file", str(tmp_path / "password"))
    run("users", "grant", "ravi", "field_engineer", "-d", "acme", "--office", "NORTH")
    assert logs_in("ravi", OWN) == ""
    listed = run("users", "list", "-d", "acme").output
    assert "field_engineer in NORTH" in listed
    run("users", "disable", "ravi", "-d", "acme")
    assert logs_in("ravi", OWN) == "WRONG_CREDENTIALS"
    run("users", "enable", "ravi", "-d", "acme")
    run("users", "unlock", "ravi", "-d", "acme")
    run("users", "reset-password", "ravi", "-d", "acme", "--password-file", "-", stdin="another sentence of words\n")
    assert logs_in("ravi", "another sentence of words") == ""
    run("users", "revoke", "ravi", "field_engineer", "-d", "acme")
    assert logs_in("ravi", "another sentence of words") == "NO_ROLE"
    assert [c["of"] for c in changes("acme", "users:create")] == ["anita", "ravi"]
    assert changes("acme", "grants:revoke")[0]["before"]["office"] == "NORTH"
    assert OWN not in json.dumps(rows("select a::text from ops.access_audit a"))


def test_bad_orders_are_told() -> None:
    account("there")
    for words, stdin, why in BAD:
        result = run("users", *words, stdin=stdin, ok=False)
        assert why in result.output, f"{' '.join(words)}: {result.output}"
    assert rows("select count(*) from ops.account") == [(1,)]


BAD: list[tuple[tuple[str, ...], str, str]] = [
    (("create", "x1", "--name", "X"), "", "--platform-admin"),
    (("create", "x1", "--name", "X", "-d", "nowhere"), "", "no DISCOM 'nowhere'"),
    (("create", "x 1", "--name", "X", "-d", "acme"), "", "login"),
    (("create", "x1", "--name", "X", "-d", "acme", "--role", "no_role"), "", "UNKNOWN_ROLE"),
    (("create", "x1", "--name", "X", "-d", "acme", "--role", "platform_admin"), "", "UNKNOWN_ROLE"),
    (("create", "x1", "--name", "X", "-d", "acme", "--password-file", "-"), "short\n", "WEAK_PASSWORD"),
    (("create", "x1", "--name", "X", "-d", "acme", "--password-file", "-"), "\n", "empty line"),
    (("create", "x1", "--name", "X", "-d", "acme", "--password-file", "-", "--ask-password"), "", "not both"),
    (("grant", "nobody", "analyst", "-d", "acme"), "", "no login 'nobody'"),
    (("grant", "there", "analyst", "-d", "acme", "--office", "EAST"), "", "UNKNOWN_OFFICE"),
    (("revoke", "there", "analyst", "-d", "acme"), "", "does not hold analyst"),
    (("unlock", "nobody", "-d", "acme"), "", "no login 'nobody'"),
    (("reset-password", "there"), "", "name its DISCOM"),
    (("disable", "there"), "", "name its DISCOM"),
]


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in ("create", "reset-password"):
        run("users", command, "x1", "-d", "acme", "--name", "X", "--password", "secret", ok=False)


def test_the_platform_has_accounts_of_its_own() -> None:
    made = run("users", "create", "root", "--name", "Root", "--platform-admin").output.splitlines()
    assert logs_in("root", made[1], new_password=OWN) == ""
    run("users", "create", "root", "--name", "Root", "--platform-admin", ok=False)
    again = run("users", "reset-password", "root").output.splitlines()
    assert logs_in("root", OWN) == "WRONG_CREDENTIALS"
    assert logs_in("root", again[1]) == "NEW_PASSWORD_REQUIRED"
    run("users", "disable", "root")
    assert logs_in("root", again[1]) == "WRONG_CREDENTIALS"


def test_who_opens_two_discoms_is_looked_after_at_the_command_line() -> None:
    account("both", ("acme", "analyst"))
    run("users", "grant", "both", "analyst", "-d", "globex")
    run("users", "reset-password", "both", "-d", "acme", ok=False)
    run("users", "reset-password", "both", "--password-file", "-", stdin=OWN + "\n")
    assert logs_in("both", OWN, discom="globex") == ""


def test_a_key_is_rotated_with_an_overlap() -> None:
    old = key("acme", "analyst")
    fresh = run("keys", "rotate", "-d", "acme", old.split("_")[1], "--overlap-hours", "1").output.splitlines()[0]
    with serving() as client:
        for each in (old, fresh):
            assert client.get("/api/v1/auth/me", headers={"X-API-Key": each}).status_code == 200
    run("keys", "revoke", "-d", "acme", fresh.split("_")[1])
    run("keys", "rotate", "-d", "acme", fresh.split("_")[1], ok=False)
    run("keys", "rotate", "-d", "globex", old.split("_")[1], ok=False)
    assert [len(changes("acme", f"keys:{a}")) for a in ("rotate", "revoke")] == [1, 1]


def test_roles_are_listed() -> None:
    listed = run("roles", "list", "-d", "acme").output
    assert "tenant_admin" in listed
    assert "platform_admin" not in listed
