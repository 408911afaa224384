"""Says in words what a peer's tables hold that ours do not, and the other way round."""

from __future__ import annotations

from datetime import date
from itertools import zip_longest
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from tests.bench.peers.common import TABLES

EXAMPLES = 3

OURS = {
    "final_day": "select * from vee.final_day where discom_id = %s and day = %s",
    "exception": "select * from vee.exception where discom_id = %s and day = %s and state in ('open', 'estimated')",
    "dt_day": "select * from energy.dt_day where discom_id = %s and day = %s",
    "feeder_day": "select * from energy.feeder_day where discom_id = %s and day = %s",
}
KEYS = {"final_day": ("meter_id",), "exception": ("meter_id", "rule", "stage"), "dt_day": ("dt_id",), "feeder_day": ("feeder_id",)}


def differences(conn: psycopg.Connection, peer_schema: str, discom_id: int, day: date) -> list[str]:
    """What differs between a peer's day and ours, with the first examples; empty = equal to the Wh, floats within 1e-9 of their size."""
    conn.execute("set enable_nestloop = off")
    found: list[str] = []
    for table, columns in TABLES.items():
        found += _of_table(conn, peer_schema, table, columns, [discom_id, day])
    return found


def _of_table(conn: psycopg.Connection, schema: str, table: str, columns: dict[str, str], partition: list[object]) -> list[str]:
    keys = KEYS[table]
    key = SQL(", ").join(map(Identifier, keys))
    counts = conn.execute(
        SQL("select (select count(*) from {}), (select count(distinct ({})) from {})").format(
            Identifier(schema, table), key, Identifier(schema, table)
        )
    ).fetchone()
    assert counts is not None, "a count always answers"
    found = [f"{table}: the peer has {counts[0]} rows of {counts[1]} keys"] if counts[0] != counts[1] else []
    checks = [(f"{table}: rows that the peer lacks", SQL("t.{} is null").format(Identifier(keys[0])))]
    checks += [(f"{table}: rows that only the peer has", SQL("o.{} is null").format(Identifier(keys[0])))]
    both = SQL("o.{k} is not null and t.{k} is not null and ").format(k=Identifier(keys[0]))
    checks += [(f"{table}.{c}", both + _differs(c, kind)) for c, kind in columns.items() if c not in keys]
    counted = SQL(", ").join(SQL("count(*) filter (where {})").format(condition) for _, condition in checks)
    joined = SQL("from ({ours}) o full join {peer} t using ({key})").format(ours=SQL(OURS[table]), peer=Identifier(schema, table), key=key)
    numbers = conn.execute(SQL("select {} {}").format(counted, joined), partition).fetchone()
    assert numbers is not None, "a count always answers"
    for (what, condition), number in zip(checks, numbers, strict=True):
        if number:
            found.append(f"{what}: {number} differ, {_examples(conn, joined, key, what, condition, keys, columns, partition)}")
    return found


def _differs(column: str, kind: str) -> Composable:
    o, t = SQL("o.{}").format(Identifier(column)), SQL("t.{}").format(Identifier(column))
    if kind != "double precision":
        return SQL("{} is distinct from {}").format(o, t)
    return SQL("(({o} is null) <> ({t} is null) or abs({o} - {t}) > 1e-9 * greatest(abs({o}), abs({t})))").format(o=o, t=t)


def _examples(
    conn: psycopg.Connection,
    joined: Composable,
    key: Composable,
    what: str,
    condition: Composable,
    keys: tuple[str, ...],
    columns: dict[str, str],
    partition: list[object],
) -> str:
    column = what.partition(".")[2]
    values = SQL("o.{c}, t.{c}").format(c=Identifier(column)) if column in columns else SQL("null, null")
    rows = conn.execute(
        SQL("select {key}, {values} {joined} where {condition} order by {key} limit {n}").format(
            key=key, values=values, joined=joined, condition=condition, n=Literal(EXAMPLES)
        ),
        partition,
    ).fetchall()
    said = []
    for row in rows:
        name = " ".join(map(str, row[: len(keys)]))
        said.append(f"{name}: {_unlike(row[-2], row[-1])}" if column else name)
    return "e.g. " + "; ".join(said)


def _unlike(ours: Any, peers: Any) -> str:
    """Two values, or the first slot in which they differ."""
    if isinstance(ours, list) and isinstance(peers, list):
        slot, (a, b) = next((n, pair) for n, pair in enumerate(zip_longest(ours, peers)) if pair[0] != pair[1])
        return f"slot {slot}: ours {a}, the peer's {b}"
    return f"ours {ours}, the peer's {peers}"
