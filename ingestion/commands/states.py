"""States of a command, the moves between them, and the one statement that makes a move and its line in the audit trail.

Whoever changes ops.command.state does it by `move`: a move that is not in TRANSITIONS raises, one that another process was quicker
with does nothing. What is sent when is `dispatcher`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


class Kind(StrEnum):
    """What a command asks of a meter."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    LOAD_LIMIT = "load_limit"
    READ = "read"
    READ_PROFILE = "read_profile"
    CLOCK_SYNC = "clock_sync"
    TOD_CALENDAR = "tod_calendar"


RELAY = frozenset({Kind.CONNECT, Kind.DISCONNECT})
"""They switch a consumer's supply: never sent twice, and the latest one of a meter stands."""

NEEDS_RELAY = RELAY | {Kind.LOAD_LIMIT}
"""Only meters with a load switch take these."""

RELAY_CATEGORIES = frozenset({"D1", "D2"})
"""Categories of meters with a load switch: IS 15959 Part 3 says that D3 and D4 have none; A, B and C are no consumers' meters."""


class State(StrEnum):
    """docs/commands.md says what each means to an operator."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


Q, S, A, U, D, F, T, C = State

TRANSITIONS: Mapping[State, frozenset[State]] = {
    Q: frozenset({Q, S, F, T, C}),  # to itself: put off
    S: frozenset({Q, A, U, D, F, T}),  # back to the queue only where nothing was done, or doing it again does no harm
    A: frozenset({Q, U, D, F, T}),  # back to the queue: a head-end system forgot what does no harm when done again
    U: frozenset({A, D, F}),
    D: frozenset(),
    F: frozenset(),
    T: frozenset(),
    C: frozenset(),
}

FINAL = frozenset(s for s, to in TRANSITIONS.items() if not to)


class IllegalMove(RuntimeError):
    """A move that no rule allows: a fault of the program."""


def move(
    conn: psycopg.Connection,
    discom_id: int,
    command_id: int,
    before: State,
    after: State,
    *,
    who: str,
    why: str,
    holder: str | None = None,
    **columns: Any,
) -> bool:
    """Move a command from `before` to `after` and note it in ops.command_audit, in one statement; `columns` are set along with it
    (a timedelta: so long from now, by the database's clock).

    False, and nothing written, where the command is not (or no longer) in `before`, or `holder` is given and does not hold its lease.
    The lease ends unless `columns` sets one. Raises IllegalMove.
    """
    if after not in TRANSITIONS[before]:
        raise IllegalMove(f"command {command_id}: {before} -> {after} is no legal move ({why})")
    values: dict[str, Any] = {"leased_by": None, "leased_until": None, **columns}
    assignments: list[sql.Composable] = [
        sql.SQL("{} = {}{}").format(
            sql.Identifier(c), sql.SQL("clock_timestamp() + " if isinstance(v, timedelta) else ""), sql.Placeholder(c)
        )
        for c, v in values.items()
    ]
    if after in FINAL:
        assignments.append(sql.SQL("finished_at = clock_timestamp()"))
    statement = sql.SQL(
        """with moved as (
             update ops.command set state = %(_after)s, reason = %(_why)s, {}
             where discom_id = %(_discom)s and command_id = %(_command)s and state = %(_before)s
               and (%(_holder)s::text is null or leased_by = %(_holder)s)
             returning discom_id, command_id, hes_id)
           insert into ops.command_audit (discom_id, command_id, hes_id, who, from_state, to_state, why)
           select discom_id, command_id, hes_id, %(_who)s, %(_before)s, %(_after)s, %(_why)s from moved"""
    ).format(sql.SQL(", ").join(assignments))
    own = {"_after": after, "_why": why, "_discom": discom_id, "_command": command_id, "_before": before, "_holder": holder, "_who": who}
    given = {c: Jsonb(v) if isinstance(v, dict) else v for c, v in values.items()}
    return conn.execute(statement, {**own, **given}).rowcount == 1
