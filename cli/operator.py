"""Who asks, where a command does what the API does."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from api.auth import Caller
from api.auth.caller import of_this_machine
from api.database import Database
from api.errors import Problem
from cli.console import fail
from cli.database import ensure_ready
from warehouse import db
from warehouse.registry import discoms


@contextmanager
def operator(discom: str) -> Iterator[tuple[Database, Caller]]:
    """The API's pools, and a caller who is the user of this machine. What the API would refuse ends the command."""
    ensure_ready()
    with db.connect() as conn:
        known = discoms(conn)
    if discom not in known:
        fail(f"no DISCOM {discom!r} in the registry (known: {', '.join(known) or 'none'}): check the spelling, or import its master data")
    pools = Database()
    try:
        yield pools, of_this_machine(known[discom], discom, getpass.getuser())
    except Problem as e:
        fail(f"{e.code}: {e.detail}")
    finally:
        pools.close()
