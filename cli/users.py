"""meterhouse users and meterhouse roles: accounts, and the roles that they hold. Passwords come from a prompt, a file or standard input."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from pydantic import ValidationError
from rich.table import Table

from api.admin import grants, repository, roles
from api.admin import users as accounts
from api.admin.rights import administrator_grant
from api.admin.schemas import GrantLine, NewPassword, User, UserRequest, Where
from api.auth import Caller, passwords
from api.auth.changes import Origin, record
from api.database import Database
from cli.console import console, fail
from cli.data import Discom
from cli.database import ensure_ready
from cli.operator import operator
from warehouse import db

app = typer.Typer(no_args_is_help=True)
role_app = typer.Typer(no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="Login of the account.")]
Role = Annotated[str, typer.Argument(help="Code of the role.")]
Ask = Annotated[bool, typer.Option("--ask-password", help="Ask for a password that is theirs from the start.")]
File = Annotated[
    Path | None, typer.Option("--password-file", help="Read it from the first line of a file; - is standard input.", allow_dash=True)
]
OfWhom = Annotated[
    str | None, typer.Option("--discom", "-d", help="Code of its DISCOM. Default: it is the platform's, or opens several DISCOMs.")
]
Office = Annotated[str | None, typer.Option(help="Only in this office and those below it.")]
Point = Annotated[str | None, typer.Option("--service-point", help="Only at this service point, of a consumer.")]

_NOT_THE_PLATFORMS = "no account {!r} is the platform's own or holds roles in several DISCOMs: name its DISCOM with -d"


@app.command()
def create(
    login: Login,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    discom: Annotated[str | None, typer.Option("--discom", "-d", help="Code of the DISCOM whose account it is.")] = None,
    role: Annotated[str | None, typer.Option(help="Give it this role: analyst, tenant_admin … or one of the DISCOM's own.")] = None,
    office: Office = None,
    service_point: Point = None,
    email: Annotated[str | None, typer.Option(help="Where the person gets mail.")] = None,
    platform_admin: Annotated[bool, typer.Option("--platform-admin", help="It administers DISCOMs, and is of none.")] = False,
    ask_password: Ask = False,
    password_file: File = None,
) -> None:
    """Make an account. Without a password it gets one that is good once, within three days, to set another.

    Example: meterhouse users create anita -d D01 --name "Anita Rao" --role tenant_admin
    """
    if platform_admin == (discom is not None):
        fail("say -d CODE for an account of a DISCOM, or --platform-admin for one that administers DISCOMs")
    password = _password(ask_password, password_file)
    if platform_admin:
        return _create_platform_admin(login, name, email, password)
    assert discom is not None
    with _administrator(discom) as (pools, caller), _checked():
        where = [Where(role=role, office=office, service_point=service_point)] if role else []
        made = accounts.create(pools, caller, UserRequest(login=login, name=name, email=email, grants=where), Origin(), password)
        _say(made, "made")


@app.command("list")
def list_(discom: Discom) -> None:
    """List the accounts of a DISCOM and those that hold a role in it.

    Example: meterhouse users list -d D01
    """
    table = Table("login", "name", "kept by", "roles", "state")
    with _administrator(discom) as (pools, caller):
        after: int | None = 0
        while after is not None:
            page = accounts.listed(pools, caller, after, 500)
            for u in page.items:
                held = ", ".join(g.role + _place(g) for g in u.grants)
                table.add_row(u.login, u.name, u.provider or ("here" if u.administered_here else "elsewhere"), held, _state(u))
            after = page.next
    console.print(table)


@app.command()
def grant(
    login: Login,
    role: Annotated[str, typer.Argument(help="Code of the role.")],
    discom: Discom,
    office: Office = None,
    service_point: Point = None,
) -> None:
    """Give a role, also to an account of another DISCOM or of an identity provider.

    Example: meterhouse users grant ravi field_engineer -d D01 --office NORTH
    """
    with _administrator(discom) as (pools, caller), _checked():
        where = Where(role=role, office=office, service_point=service_point)
        account_id = _any_account(login)
        with pools.tenant(caller) as conn:
            grants.give(conn, caller, grants.Holder(login.lower(), account_id), where, Origin())
    console.print(f"{login} holds {role}")


@app.command()
def revoke(login: Login, role: Role, discom: Discom) -> None:
    """Take a role, wherever in the DISCOM it is held.

    Example: meterhouse users revoke ravi field_engineer -d D01
    """
    with _administrator(discom) as (pools, caller):
        held = grants.listed(pools, caller, 0, 500, login.lower(), role).items
        if not held:
            fail(f"{login} does not hold {role} in {discom}: `meterhouse users list -d {discom}`")
        for one in held:
            grants.revoke(pools, caller, one.id, Origin(), last_too=True)
    console.print(f"{login} holds {role} no more")


@app.command()
def disable(login: Login, discom: OfWhom = None) -> None:
    """Let an account log in no more, and end its sessions.

    Example: meterhouse users disable ravi -d D01
    """
    if discom is None:
        ensure_ready()
        with db.connect("meterhouse_auth") as conn:
            if not repository.disable_platform_account(conn, login.lower()):
                fail(_NOT_THE_PLATFORMS.format(login))
            record(conn, None, _who(), "users:disable", login.lower(), after={"disabled": True}, origin=Origin())
        return console.print(f"{login} is disabled")
    _act(login, discom, lambda pools, caller, i: accounts.disable(pools, caller, i, Origin(), last_too=True), "is disabled")


@app.command()
def enable(login: Login, discom: Discom) -> None:
    """Let an account that was disabled log in again.

    Example: meterhouse users enable ravi -d D01
    """
    _act(login, discom, lambda pools, caller, i: accounts.enable(pools, caller, i, Origin()), "may log in again")


@app.command()
def unlock(login: Login, discom: Discom) -> None:
    """End the lock that failed log-ins have led to.

    Example: meterhouse users unlock ravi -d D01
    """
    _act(login, discom, lambda pools, caller, i: accounts.unlock(pools, caller, i, Origin()), "is unlocked")


@app.command("reset-password")
def reset_password(
    login: Login,
    discom: OfWhom = None,
    remove_totp: Annotated[bool, typer.Option("--remove-totp", help="Also ask for no code any more: the phone is lost.")] = False,
    ask_password: Ask = False,
    password_file: File = None,
) -> None:
    """Give an account a new password, and end its sessions. Without one given it is good once, to set another.

    Example: meterhouse users reset-password ravi -d D01
    """
    password = _password(ask_password, password_file)
    if discom is None:
        return _reset_platform_account(login, password, remove_totp)
    with _administrator(discom) as (pools, caller):
        made = accounts.reset(pools, caller, _account(pools, caller, login), Origin(), remove_totp=remove_totp, password=password)
        _say(made, "has a new password")


@role_app.command("list")
def list_roles(discom: Discom) -> None:
    """List the roles that accounts and keys of a DISCOM may hold.

    Example: meterhouse roles list -d D01
    """
    table = Table("role", "name", "permissions", "whose")
    with _administrator(discom) as (pools, caller):
        for r in roles.listed(pools, caller).items:
            table.add_row(r.code, r.name, ", ".join(r.permissions), "every DISCOM's" if r.shipped else discom)
    console.print(table)


# --- what they share ---


@contextmanager
def _administrator(discom: str) -> Iterator[tuple[Database, Caller]]:
    """The user of this machine, whom the machine has let in to administer."""
    with operator(discom) as (pools, caller):
        yield pools, Caller(replace(caller.identity, grants=(administrator_grant(),)))


@contextmanager
def _checked() -> Iterator[None]:
    try:
        yield
    except ValidationError as e:
        fail("; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" if x["loc"] else x["msg"] for x in e.errors()))


def _act(login: str, discom: str, act: Callable[[Database, Caller, int], User], said: str) -> None:
    with _administrator(discom) as (pools, caller):
        act(pools, caller, _account(pools, caller, login))
    console.print(f"{login} {said}")


def _account(pools: Database, caller: Caller, login: str) -> int:
    with pools.tenant(caller) as conn:
        found = repository.user_by_login(conn, login.lower())
    if found is None:
        fail(f"{caller.discom} has no login {login!r}: `meterhouse users list -d {caller.discom}`")
    return found


def _any_account(login: str) -> int:
    """Of whatever DISCOM."""
    with db.connect("meterhouse_auth") as conn:
        found = repository.account_id(conn, login.lower())
    if found is None:
        fail(f"there is no login {login!r}: make it with `meterhouse users create`, or let the person log in at the provider once")
    return found


def _password(ask: bool, file: Path | None) -> str | None:
    if ask and file is not None:
        fail("say --ask-password or --password-file, not both")
    if ask:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    if file is None:
        return None
    text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8").partition("\n")[0]
    if not (password := text.rstrip("\r\n")):
        fail(f"{file} begins with an empty line: write the password there")
    return password


def _kept(password: str | None, login: str) -> tuple[str | None, str]:
    try:
        if password is not None:
            passwords.check(password, login)
            return None, passwords.hashed(password)
    except passwords.PasswordError as e:
        fail(str(e))
    given = passwords.one_time()
    return given, passwords.hashed(given)


def _create_platform_admin(login: str, name: str, email: str | None, password: str | None) -> None:
    ensure_ready()
    with _checked():
        wanted = UserRequest(login=login, name=name, email=email)
    given, kept = _kept(password, wanted.login)
    try:
        with db.connect("meterhouse_auth") as conn:
            repository.insert_platform_admin(conn, wanted.login, wanted.name, wanted.email, kept, given is not None)
            record(conn, None, _who(), "users:create", wanted.login, after={"platform_admin": True}, origin=Origin())
    except psycopg.errors.UniqueViolation:
        fail(f"the login {wanted.login} is taken: take another")
    _say_password(wanted.login, "made", given)


def _reset_platform_account(login: str, password: str | None, remove_totp: bool) -> None:
    ensure_ready()
    given, kept = _kept(password, login)
    with db.connect("meterhouse_auth") as conn:
        if not repository.reset_platform_account(conn, login.lower(), kept, given is not None, remove_totp):
            fail(_NOT_THE_PLATFORMS.format(login))
        record(conn, None, _who(), "users:reset-password", login.lower(), after={"totp_removed": remove_totp}, origin=Origin())
    _say_password(login, "has a new password", given)


def _who() -> str:
    return f"{getpass.getuser()} (cli)"


def _place(g: GrantLine) -> str:
    if g.office:
        return f" in {g.office}"
    return f" at {g.service_point}" if g.service_point else ""


def _state(u: User) -> str:
    if u.disabled_at:
        return "disabled"
    if u.locked_until:
        return f"locked until {u.locked_until:%Y-%m-%d %H:%M} UTC"
    return "one-time password" if u.one_time_until else ("with code" if u.totp else "")


def _say(made: NewPassword, what: str) -> None:
    _say_password(made.user.login, what, made.one_time_password or None)


def _say_password(login: str, what: str, given: str | None) -> None:
    console.print(f"{login}: {what}")
    if given:
        console.print(given, markup=False, highlight=False, soft_wrap=True)
        console.print("good once, within three days, to set another; it is not shown again", style="dim")
