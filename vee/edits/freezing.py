"""Frozen periods: what was billed stays as it is, until somebody else than who froze it releases it with a reason."""

from __future__ import annotations

from datetime import date

import psycopg

from vee.edits import repository
from vee.edits.errors import EditError
from vee.edits.repository import Freeze
from vee.edits.service import Editor

LONGEST_DAYS = 366


def freeze(conn: psycopg.Connection, editor: Editor, first: date, last: date, reason: str) -> Freeze:
    """Freeze the business days first..last. Raises EditError: not all of them are built with all that landed, an edit waits, some are
    frozen already."""
    if last < first or (last - first).days >= LONGEST_DAYS:
        raise EditError("WRONG_PERIOD", f"{first} to {last} is not a period of 1 to {LONGEST_DAYS} days")
    repository.lock(conn, editor.discom_id)
    for f in repository.freezes(conn, editor.discom_id):
        if f.released_at is None and f.first_day <= last and first <= f.last_day:
            said = f"{f.first_day} to {f.last_day} is frozen by {f.frozen_by} (freeze {f.freeze_id})"
            raise EditError("FROZEN", f"{said}: leave these days out", kind="conflict")
    if days := repository.not_ready(conn, editor.discom_id, first, last):
        listed = ", ".join(map(str, days[:5])) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
        raise EditError("NOT_BUILT", f"not built with all that landed and was edited: {listed}. `meterhouse run` first", kind="conflict")
    if ids := repository.waiting(conn, editor.discom_id, first, last):
        listed = ", ".join(map(str, ids[:5])) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
        raise EditError("WAITING", f"edits wait for a decision: {listed}. Approve, reject or withdraw them first", kind="conflict")
    return _found(conn, editor, repository.insert_freeze(conn, editor.discom_id, first, last, editor.name, reason))


def release(conn: psycopg.Connection, editor: Editor, freeze_id: int, reason: str) -> Freeze:
    """End a freeze. Its days can be built and edited again. Raises EditError: unknown, released already, by who froze it."""
    repository.lock(conn, editor.discom_id)
    found = repository.freeze(conn, editor.discom_id, freeze_id)
    if found is None:
        raise EditError("UNKNOWN_FREEZE", f"there is no freeze {freeze_id}", kind="unknown")
    if found.released_at is not None:
        said = f"{found.released_by} released it at {found.released_at:%Y-%m-%d %H:%M:%SZ}"
        raise EditError("RELEASED", said, kind="conflict")
    if editor.is_(found.frozen_by):
        raise EditError("FOUR_EYES", f"{found.frozen_by} froze it: somebody else releases it")
    repository.insert_freeze(conn, editor.discom_id, found.first_day, found.last_day, editor.name, reason, releases=freeze_id)
    return _found(conn, editor, freeze_id)


def _found(conn: psycopg.Connection, editor: Editor, freeze_id: int) -> Freeze:
    found = repository.freeze(conn, editor.discom_id, freeze_id)
    assert found is not None, "it was just written"
    return found
