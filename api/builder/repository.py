"""The SQL of this package that is not compiled from a query: running one, and the reports that are saved.

All in a transaction of `pools.tenant(caller)`, so that row-level security says whose rows there are. A private report is its owner's alone:
whoever owns it is an account, or a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from api.auth import Caller
from api.builder.compile import Compiled
from api.builder.limits import Limit
from api.reports.repository import CHUNK, Discom

MAX_SAVED = 1_000
"""Reports that one owner may have."""


# --- running ---


@dataclass(frozen=True)
class Plan:
    """What the server reckons. `relations`: what it would read, the dearest first, each with its share of the cost."""

    cost: float
    rows: float
    relations: tuple[tuple[str, float], ...]


def discom(conn: psycopg.Connection, discom_id: int) -> Discom:
    row = conn.execute("select discom_id, code, name, timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
    assert row, "a caller has a DISCOM"
    return Discom(row[0], row[1], row[2], ZoneInfo(row[3]), None)


def read_only(conn: psycopg.Connection, limit: Limit) -> None:
    """For the rest of the transaction: nothing is written, and no statement runs longer than the limit."""
    conn.execute("set transaction read only")
    conn.execute("select set_config('statement_timeout', %s, true)", [str(max(1, round(limit.seconds * 1000)))])


def plan(conn: psycopg.Connection, query: Compiled) -> Plan:
    """Raises psycopg.errors.UndefinedTable where the dataset was never built."""
    row = conn.execute("explain (format json) " + query.sql, query.parameters).fetchone()
    assert row
    top = row[0][0]["Plan"]
    relations: dict[str, float] = {}
    for node in _nodes(top):
        if "Relation Name" in node:
            name = str(node["Relation Name"])
            relations[name] = relations.get(name, 0.0) + float(node["Total Cost"])
    dearest = tuple(sorted(relations.items(), key=lambda r: -r[1]))
    return Plan(float(top["Total Cost"]), float(top["Plan Rows"]), dearest)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def rows(conn: psycopg.Connection, query: Compiled) -> list[tuple[Any, ...]]:
    return conn.execute(query.sql, query.parameters).fetchall()


@contextmanager
def chunks(conn: psycopg.Connection, query: Compiled) -> Iterator[Iterator[list[tuple[Any, ...]]]]:
    """The rows, some at a time: neither side holds them all."""
    with conn.cursor(name="builder") as cur:
        cur.execute(query.sql, query.parameters)

        def taken() -> Iterator[list[tuple[Any, ...]]]:
            while some := cur.fetchmany(CHUNK):
                yield some

        yield taken()


# --- saved reports ---

_OWN = sql.SQL("coalesce(c.owner_account_id = %(account)s or c.owner_key_id = %(key)s, false)")
_CONFIG = sql.SQL("""
    select c.config_id as id, v.name, v.description, v.query, c.visibility, o.code as office, c.owner, {own} as own,
           c.version, c.cloned_from, c.created_at, c.updated_at, c.owner_account_id, c.owner_key_id
    from ops.report_config c
    join ops.report_config_version v on v.discom_id = c.discom_id and v.config_id = c.config_id and v.version = c.version
    left join registry.office o on o.discom_id = c.discom_id and o.office_id = c.share_office_id
    where c.deleted_at is null and ({own} or c.visibility = 'shared')""").format(own=_OWN)
"""What a caller may see. Whom a shared one is for, row-level security knows."""
_PAGE = sql.SQL("""
    {config} and c.config_id > %(after)s and (%(own)s::boolean is null or {own} = %(own)s)
    and (%(dataset)s::text is null or v.query ->> 'dataset' = %(dataset)s) order by c.config_id limit %(size)s""").format(
    config=_CONFIG, own=_OWN
)
_ONE = sql.SQL("{config} and c.config_id = %(id)s").format(config=_CONFIG)
_COUNT = sql.SQL("select count(*) from ops.report_config c where c.deleted_at is null and {own}").format(own=_OWN)


def owner(caller: Caller) -> dict[str, Any]:
    """Who owns what a caller saves: the account, or the key."""
    account = caller.identity.account_id
    return {"account": account, "key": None if account is not None else caller.subject}


def configs(
    conn: psycopg.Connection, caller: Caller, after: int, size: int, *, own: bool | None, dataset: str | None
) -> list[dict[str, Any]]:
    """What the caller may run, by id."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(_PAGE, {**owner(caller), "after": after, "own": own, "dataset": dataset, "size": size}).fetchall()


def config(conn: psycopg.Connection, caller: Caller, config_id: int, *, lock: bool = False) -> dict[str, Any] | None:
    """None where there is none that the caller may see."""
    if lock:
        # By itself: who waited for the lock must see the version that the other left.
        conn.execute("select 1 from ops.report_config where config_id = %s for update", [config_id])
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(_ONE, {**owner(caller), "id": config_id}).fetchone()


def count_own(conn: psycopg.Connection, caller: Caller) -> int:
    found = conn.execute(_COUNT, owner(caller)).fetchone()
    assert found
    return int(found[0])


def office_id(conn: psycopg.Connection, code: str) -> int | None:
    found = conn.execute("select office_id from registry.office where code = %s", [code]).fetchone()
    return found[0] if found else None


def insert(
    conn: psycopg.Connection,
    caller: Caller,
    content: Mapping[str, Any],
    visibility: str,
    share_office_id: int | None,
    cloned_from: int | None,
) -> int:
    """A report in its first version. `content`: name, description, query. Its id."""
    row = conn.execute(
        """insert into ops.report_config (discom_id, owner_account_id, owner_key_id, owner, visibility, share_office_id, cloned_from)
           values (%(discom)s, %(account)s, %(key)s, %(who)s, %(visibility)s, %(office)s, %(from)s) returning config_id""",
        {
            **owner(caller),
            "discom": caller.discom_id,
            "who": caller.who,
            "visibility": visibility,
            "office": share_office_id,
            "from": cloned_from,
        },
    ).fetchone()
    assert row
    _insert_version(conn, caller, row[0], 1, content, None)
    return int(row[0])


def update(
    conn: psycopg.Connection,
    caller: Caller,
    config_id: int,
    version: int,
    content: Mapping[str, Any],
    *,
    sharing: tuple[str, int | None] | None = None,
    restored_from: int | None = None,
) -> None:
    """Version `version` of a report, which is locked. `sharing`: visibility and office; None leaves them."""
    _insert_version(conn, caller, config_id, version, content, restored_from)
    conn.execute(
        """update ops.report_config set version = %(version)s, updated_at = clock_timestamp(),
             visibility = case when %(share)s then %(visibility)s else visibility end,
             share_office_id = case when %(share)s then %(office)s::integer else share_office_id end
           where discom_id = %(discom)s and config_id = %(id)s""",
        {
            "version": version,
            "share": sharing is not None,
            "visibility": sharing[0] if sharing else "private",
            "office": sharing[1] if sharing else None,
            "discom": caller.discom_id,
            "id": config_id,
        },
    )


def _insert_version(
    conn: psycopg.Connection, caller: Caller, config_id: int, version: int, content: Mapping[str, Any], restored_from: int | None
) -> None:
    conn.execute(
        """insert into ops.report_config_version (discom_id, config_id, version, name, description, query, saved_by, restored_from)
           values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            *(caller.discom_id, config_id, version, content["name"], content["description"], Jsonb(content["query"])),
            *(caller.who, restored_from),
        ],
    )


def delete(conn: psycopg.Connection, caller: Caller, config_id: int) -> None:
    """It is not listed any more; its versions stay."""
    conn.execute(
        """update ops.report_config set deleted_at = clock_timestamp(), updated_at = clock_timestamp()
           where discom_id = %s and config_id = %s""",
        [caller.discom_id, config_id],
    )


def versions(conn: psycopg.Connection, config_id: int) -> list[dict[str, Any]]:
    """The newest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select version, name, saved_by, saved_at, restored_from from ops.report_config_version where config_id = %s
               order by version desc""",
            [config_id],
        ).fetchall()


def version(conn: psycopg.Connection, config_id: int, number: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select version, name, description, query, saved_by, saved_at, restored_from from ops.report_config_version
               where config_id = %s and version = %s""",
            [config_id, number],
        ).fetchone()


def owner_of(conn: psycopg.Connection, discom_id: int, config_id: int) -> tuple[int | None, str | None] | None:
    """account_id or key_id of whose it is (as meterhouse_loader, for schedules); None where there is none."""
    return conn.execute(
        """select owner_account_id, owner_key_id from ops.report_config where discom_id = %s and config_id = %s and deleted_at is null""",
        [discom_id, config_id],
    ).fetchone()
