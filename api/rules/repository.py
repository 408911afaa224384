"""SQL of rule sets and proposals, in a transaction of one tenant as meterhouse_api."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

_VERSION = """
    select rule_set_id as id, encode(sha256, 'hex') as sha256, noted_at, overlay, rules,
           (select count(*) from ops.day_build b where b.discom_id = r.discom_id and b.rule_set_id = r.rule_set_id) as days
    from vee.rule_set r"""

_PROPOSAL = """
    select proposal_id as id, state, note, proposed_by, proposed_at, decided_by, decided_at, overlay, preview, replaces_sha256
    from vee.rule_proposal"""


def versions(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """All versions, newest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_VERSION} order by rule_set_id desc").fetchall()


def version(conn: psycopg.Connection, rule_set_id: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_VERSION} where rule_set_id = %s", [rule_set_id]).fetchone()


def insert(
    conn: psycopg.Connection, discom_id: int, overlay: str, replaces: bytes | None, note: str, preview: dict[str, Any] | None, who: str
) -> int:
    row = conn.execute(
        """insert into vee.rule_proposal (discom_id, overlay, replaces_sha256, note, preview, proposed_by)
           values (%s, %s, %s, %s, %s, %s) returning proposal_id""",
        [discom_id, overlay, replaces, note, Jsonb(preview) if preview else None, who],
    ).fetchone()
    assert row is not None
    return int(row[0])


def one_at_a_time(conn: psycopg.Connection, discom_id: int) -> None:
    """Until the transaction ends, nobody else accepts a proposal of the DISCOM."""
    conn.execute("select pg_advisory_xact_lock(hashtext('vee.rule_proposal'), %s)", [discom_id])


def proposal(conn: psycopg.Connection, proposal_id: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_PROPOSAL} where proposal_id = %s", [proposal_id]).fetchone()


def page(conn: psycopg.Connection, state: str | None, before: int | None, size: int) -> list[dict[str, Any]]:
    """Up to `size` proposals with an id below `before`, newest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"""{_PROPOSAL} where (%(state)s::text is null or state = %(state)s)
                and (%(before)s::bigint is null or proposal_id < %(before)s)
                order by proposal_id desc limit %(size)s""",
            {"state": state, "before": before, "size": size},
        ).fetchall()


def decide(conn: psycopg.Connection, proposal_id: int, state: str, who: str) -> bool:
    """Whether it was still open."""
    done = conn.execute(
        """update vee.rule_proposal set state = %s, decided_by = %s, decided_at = now()
           where proposal_id = %s and state = 'proposed'""",
        [state, who, proposal_id],
    )
    return done.rowcount > 0
