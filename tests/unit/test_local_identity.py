"""Rules of passwords, locks, codes of an authenticator and their sealing, without a database."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pydantic import TypeAdapter, ValidationError

from api.admin.rights import administrator_grant, giveable, must_hold
from api.admin.schemas import Login
from api.auth import passwords, tokens, totp
from api.auth.caller import Caller, Grant, Identity, Scope
from api.auth.local import lock_after
from api.auth.permissions import Permission
from api.errors import Problem

RFC_6238 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The secret of its appendix B."""


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()


# --- passwords ---


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "fewer than 12"),
        ("x" * 8 + "y" * 300, "more than 256"),
        ("my-Anita.Rao-word", "holds the login"),
        ("anita.rao@acme.example", "holds the login"),
        ("abababababababab", "different characters"),
    ],
)
def test_a_weak_password_is_refused_and_told_why(password: str, why: str) -> None:
    with pytest.raises(passwords.PasswordError, match=why):
        passwords.check(password, "anita.rao@acme.example")


@pytest.mark.parametrize("password", ["correct horse battery", "पासवर्ड बहुत लंबा है", "a1!" * 3 + "longer", "x" * 200 + "yzabc"])
def test_a_good_password_passes(password: str) -> None:
    passwords.check(password, "anita")


def test_a_short_login_does_not_forbid_the_words_that_hold_it() -> None:
    passwords.check("grandmother's raincoat", "ra")


def test_one_time_passwords_pass_the_rules_and_differ() -> None:
    given = {passwords.one_time() for _ in range(100)}
    assert len(given) == 100
    for one in given:
        passwords.check(one, "anita")


def test_the_same_characters_typed_otherwise_are_the_same_password() -> None:
    kept = passwords.hashed("caf\u00e9 au lait s'il vous")
    assert passwords.verify(kept, "cafe\u0301 au lait s'il vous")
    assert not passwords.verify(kept, "cafe au lait s'il vous")


def test_no_password_opens_an_account_without_one() -> None:
    for kept in (None, "", "not a hash"):
        assert not passwords.verify(kept, "anything at all"), f"{kept!r} was opened"


def test_too_many_at_once_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "WAIT_S", 0)
    with passwords._turn(), pytest.raises(passwords.BusyError):
        passwords.hashed("correct horse battery")
    assert passwords.hashed("correct horse battery"), "a turn that has ended must be free again"


def test_parameters_are_those_of_rfc_9106(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passwords._HASHER.type.name == "ID"
    assert (passwords._HASHER.time_cost, passwords._HASHER.memory_cost, passwords._HASHER.parallelism) == (3, 65536, 4)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, None), (4, None), (5, 1), (6, 2), (7, 4), (8, 8), (10, 32), (11, 60), (50, 60), (1000, 60)]
)
def test_locks_double_up_to_an_hour(failures: int, minutes: int | None) -> None:
    assert lock_after(failures) == (timedelta(minutes=minutes) if minutes else None)


@pytest.mark.parametrize("login", ["a", "a b", "-x", "", "x" * 101, "root'--", "a\nb", "ä.b"])
def test_what_is_no_login_is_refused(login: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Login).validate_python(login)


def test_logins_are_in_lower_case() -> None:
    assert TypeAdapter(Login).validate_python(" Anita.Rao@Acme.example ") == "anita.rao@acme.example"


# --- codes ---


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert totp.step_of(RFC_6238, code, at, None) == at // 30
    assert totp.step_of(RFC_6238, code[:3] + " " + code[3:], at, None) == at // 30, "as apps show it"


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    found = [totp.step_of(RFC_6238, "081804", 1111111109 + 30 * late, None) for late in (-2, -1, 0, 1, 2)]
    assert found == [None, 37037036, 37037036, 37037036, None]


def test_a_step_counts_once_and_so_do_those_before_it() -> None:
    assert totp.step_of(RFC_6238, "287082", 59, used=0) == 1
    assert totp.step_of(RFC_6238, "287082", 59, used=1) is None
    assert totp.step_of(RFC_6238, "287082", 59, used=2) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "abcdef", "２８７０８２", "-87082", "287082\x00"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.step_of(RFC_6238, code, 59, None) is None


def test_a_sealed_secret_opens_for_its_account_with_its_key_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("a" * 32 + "\n")
    monkeypatch.setenv("METERHOUSE_SECRETS_KEY_FILE", str(file))
    sealed = totp.seal(RFC_6238, 7)
    assert totp.seal(RFC_6238, 7) != sealed, "the same secret twice must not look the same"
    assert totp.opened(sealed, 7) == (RFC_6238, True)
    with pytest.raises(totp.SealError):
        totp.opened(sealed, 8)
    file.write_text("b" * 32 + "\n" + "a" * 32 + "\n")
    assert totp.opened(sealed, 7) == (RFC_6238, False), "an old key opens, and says that it is old"
    file.write_text("b" * 32)
    with pytest.raises(totp.SealError, match="METERHOUSE_SECRETS_KEY_FILE"):
        totp.opened(sealed, 7)
    file.write_text("short\n")
    with pytest.raises(ValueError, match="at least 32 characters"):
        totp.seal(RFC_6238, 7)


# --- tokens ---


def test_a_token_says_whose_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("METERHOUSE_TOKEN_KEY_FILE", str(tmp_path / "k" / "key.pem"))
    access = tokens.verify(tokens.issue_for_key("0123abcd"))
    assert (access.session_id, access.key_id, access.subject) == (None, "0123abcd", "0123abcd")
    assert (tmp_path / "k" / "key.pem").stat().st_mode & 0o077 == 0, "others may read the key that signs"
    with pytest.raises(tokens.TokenError, match="expired"):
        tokens.verify(tokens.issue_for_key("0123abcd", -1))


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_good_key_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    file = tmp_path / f"key-{time.monotonic_ns()}.pem"
    file.write_text(content)
    monkeypatch.setenv("METERHOUSE_TOKEN_KEY_FILE", str(file))
    with pytest.raises(ValueError, match=r"key|Key"):
        tokens.issue_for_key("x")


# --- who may give what ---


def holding(*grants: Grant) -> Caller:
    return Caller(Identity(1, "acme", "x", "x", grants))


def test_nobody_gives_what_they_hold_for_a_part_alone_or_not() -> None:
    part = Grant(frozenset({Permission.METERS_READ}), Scope((1,), ()))
    whole = Grant(frozenset({Permission.VEE_READ}))
    assert giveable(holding(part, whole)) == {Permission.VEE_READ}
    must_hold(holding(part, whole), [Permission.VEE_READ], "it")
    with pytest.raises(Problem, match="meters:read"):
        must_hold(holding(part, whole), [Permission.VEE_READ, Permission.METERS_READ], "it")


def test_an_administrator_of_the_discom_gives_all_but_what_is_the_platforms() -> None:
    assert giveable(holding(administrator_grant())) == frozenset(Permission) - {Permission.TENANTS_MANAGE}
    of_a_part = Grant(administrator_grant().permissions, Scope((1,), ()), "tenant_admin")
    assert giveable(holding(of_a_part)) == frozenset()
    platform = Grant(frozenset({Permission.TENANTS_MANAGE, Permission.USERS_MANAGE}), role="platform_admin")
    assert giveable(holding(platform)) == {Permission.USERS_MANAGE}
