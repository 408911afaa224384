"""Keys of a DISCOM's systems. No HTTP paths, no SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from api.admin import repository, roles
from api.admin.grants import place
from api.admin.rights import must_hold
from api.admin.schemas import KeyChange, KeyLine, KeyPage, KeyRequest, NewKey
from api.auth.caller import Caller
from api.auth.changes import Origin, record
from api.auth.keys import new_key
from api.auth.repository import insert_key, revoke_key
from api.database import Database
from api.errors import Problem

HES_ROLE = "hes_vendor"


def listed(pools: Database, caller: Caller, after: str, size: int) -> KeyPage:
    """A page of keys, ended ones too, by id."""
    with pools.tenant(caller) as conn:
        rows = repository.keys(conn, after, size + 1)
    return KeyPage(items=[KeyLine(**r) for r in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def create(pools: Database, caller: Caller, request: KeyRequest, origin: Origin) -> NewKey:
    """Raises Problem: 403 ESCALATION, 422 no such role, head-end system or office, or it would have ended."""
    role = request.role or HES_ROLE
    if request.role in (HES_ROLE, "consumer"):
        raise Problem(422, "NOT_FOR_KEYS", "Not for such a key", f"a key does not hold {role} by itself: name a head-end system as `hes`")
    _in_future(request.expires_at)
    key, key_id, secret_sha256 = new_key()
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        must_hold(caller, roles.permissions(conn, role), f"the role {role}")
        hes_id = place(conn, "hes", "hes_id", request.hes)
        office_id = place(conn, "office", "office_id", request.office)
        insert_key(
            conn,
            caller.discom_id,
            key_id,
            secret_sha256,
            hes_id,
            request.name,
            request.networks,
            request.requests_per_min,
            role=role,
            office_id=office_id,
            expires_at=request.expires_at,
        )
        record(conn, caller.discom_id, caller.who, "keys:create", key_id, after=request.model_dump(mode="json"), origin=origin)
        return NewKey(key=key, line=_line(conn, key_id))


def change(pools: Database, caller: Caller, key_id: str, request: KeyChange, origin: Origin) -> KeyLine:
    """Raises Problem: 403 ESCALATION, 404, 409 it has ended, 422."""
    _in_future(request.expires_at)
    with pools.tenant(caller) as conn:
        before = _in_use(conn, caller, key_id)
        repository.change_key(conn, key_id, request.networks, request.requests_per_min, request.expires_at)
        after = _line(conn, key_id)
        _changed(conn, caller, "keys:change", before, after, origin)
        return after


def rotate(pools: Database, caller: Caller, key_id: str, overlap: timedelta, origin: Origin) -> NewKey:
    """A key like it, which lasts as long from now on; the old one ends once the overlap is over. Raises Problem: 403, 404, 409."""
    key, new_id, secret_sha256 = new_key()
    with pools.tenant(caller) as conn:
        before = _in_use(conn, caller, key_id)
        repository.copy_key(conn, key_id, new_id, secret_sha256)
        repository.end_key(conn, key_id, overlap)
        made = _line(conn, new_id)
        said = {"expires_at": before.expires_at}, {"expires_at": _line(conn, key_id).expires_at, "replaced_by": new_id}
        record(conn, caller.discom_id, caller.who, "keys:rotate", key_id, before=said[0], after=said[1], origin=origin)
        return NewKey(key=key, line=made)


def revoke(pools: Database, caller: Caller, key_id: str, origin: Origin) -> None:
    """From now on it is refused. Raises Problem: 403 ESCALATION, 404, 409 it has ended."""
    with pools.tenant(caller) as conn:
        before = _in_use(conn, caller, key_id)
        revoke_key(conn, caller.discom_id, key_id)
        _changed(conn, caller, "keys:revoke", before, _line(conn, key_id), origin)


def _in_use(conn: psycopg.Connection, caller: Caller, key_id: str) -> KeyLine:
    repository.one_at_a_time(conn, caller.discom_id)
    found = _line(conn, key_id)
    must_hold(caller, roles.permissions(conn, found.role), f"the role {found.role}")
    if found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= datetime.now(UTC)):
        raise Problem(409, "KEY_ENDED", "The key has ended", f"the key {key_id} was revoked or has ended: make a new one")
    return found


def _line(conn: psycopg.Connection, key_id: str) -> KeyLine:
    row = repository.key(conn, key_id)
    if row is None:
        raise Problem(404, "UNKNOWN_KEY_ID", "No such key", f"the DISCOM has no key {key_id}: GET /api/v1/admin/keys")
    return KeyLine(**row)


def _changed(conn: psycopg.Connection, caller: Caller, action: str, before: KeyLine, after: KeyLine, origin: Origin) -> None:
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    differs = [name for name in was if was[name] != now[name]]
    said = {n: was[n] for n in differs}, {n: now[n] for n in differs}
    record(conn, caller.discom_id, caller.who, action, before.id, before=said[0], after=said[1], origin=origin)


def _in_future(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Problem(422, "IN_THE_PAST", "It would have ended", "expires_at lies in the past: name a time to come, with its zone")
