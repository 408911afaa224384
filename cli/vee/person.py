"""Who edits, approves and freezes at this terminal: the user of the machine."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from api.auth.caller import of_this_machine
from api.database import Database
from cli.console import fail
from cli.database import ensure_ready
from cli.run import discom_id_of
from vee.edits.errors import EditError
from vee.edits.service import Editor


@contextmanager
def person(discom: str) -> Iterator[tuple[psycopg.Connection, Editor]]:
    """A transaction of the DISCOM as meterhouse_api, and the person. What is refused is said, and ends the command with 1."""
    ensure_ready()
    discom_id = discom_id_of(discom)
    pools = Database()
    try:
        with pools.tenant(of_this_machine(discom_id, discom, getpass.getuser())) as conn:
            yield conn, Editor(discom_id, discom, getpass.getuser())
    except EditError as e:
        fail(f"{e.code}: {e}")
    finally:
        pools.close()
