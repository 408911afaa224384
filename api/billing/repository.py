"""SQL of bills and receipts, in a transaction of one tenant as meterhouse_api."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

_LOCK = 0x62696C6C
"""Space of the advisory locks of deliveries: «bill»."""


@dataclass(frozen=True)
class BillRow:
    """A row of billing.bill; `number` and `issued_on` are None where a file brought it."""

    consumer_id: int
    month: date
    energy_wh: int
    assessed: bool
    amount_inr: Decimal
    subsidy_inr: Decimal
    number: str | None
    issued_on: date | None


@dataclass(frozen=True)
class ReceiptRow:
    """A row of billing.collection."""

    receipt: str
    consumer_id: int
    received_on: date
    kind: str
    amount_inr: Decimal


def lock(conn: psycopg.Connection, discom_id: int) -> None:
    """One delivery of a DISCOM at a time, to the end of the transaction: what is there is looked at before it is written."""
    conn.execute("select pg_advisory_xact_lock(%s, %s)", [_LOCK, discom_id])


def consumers(conn: psycopg.Connection, codes: Collection[str]) -> dict[str, int]:
    """Ids of the consumers of these codes that there are."""
    rows = conn.execute("select code, consumer_id from registry.consumer where code = any(%s)", [list(codes)]).fetchall()
    return dict(rows)


def bills(conn: psycopg.Connection, numbers: Collection[str], consumer_ids: Collection[int], months: Collection[date]) -> list[BillRow]:
    """The bills of these numbers, and all of these consumers for these months."""
    with conn.cursor(row_factory=class_row(BillRow)) as cur:
        return cur.execute(
            """select consumer_id, month, energy_wh, assessed, amount_inr, subsidy_inr, number, issued_on
               from billing.bill where number = any(%s) or (consumer_id = any(%s) and month = any(%s))""",
            [list(numbers), list(consumer_ids), list(months)],
        ).fetchall()


def receipts(conn: psycopg.Connection, numbers: Collection[str]) -> list[ReceiptRow]:
    with conn.cursor(row_factory=class_row(ReceiptRow)) as cur:
        return cur.execute(
            "select receipt, consumer_id, received_on, kind, amount_inr from billing.collection where receipt = any(%s)", [list(numbers)]
        ).fetchall()


def store_bills(conn: psycopg.Connection, discom_id: int, rows: Sequence[BillRow]) -> None:
    """Each in the place of the bill that its consumer has for the month, if any. No consumer has two rows for a month here."""
    conn.execute(
        """insert into billing.bill (discom_id, consumer_id, month, energy_wh, assessed, amount_inr, subsidy_inr, number, issued_on)
           select %s, * from unnest(%s::int[], %s::date[], %s::bigint[], %s::bool[], %s::numeric[], %s::numeric[], %s::text[], %s::date[])
           on conflict (discom_id, consumer_id, month) do update
           set energy_wh = excluded.energy_wh, assessed = excluded.assessed, amount_inr = excluded.amount_inr,
               subsidy_inr = excluded.subsidy_inr, number = excluded.number, issued_on = excluded.issued_on""",
        [discom_id, *_columns(rows, 8)],
    )


def store_receipts(conn: psycopg.Connection, discom_id: int, rows: Sequence[ReceiptRow]) -> None:
    conn.execute(
        """insert into billing.collection (discom_id, receipt, consumer_id, received_on, kind, amount_inr)
           select %s, * from unnest(%s::text[], %s::int[], %s::date[], %s::text[], %s::numeric[])""",
        [discom_id, *_columns(rows, 5)],
    )


def note(
    conn: psycopg.Connection,
    discom_id: int,
    who: str,
    kind: str,
    counts: tuple[int, int, int],
    content_sha256: bytes,
    refusals: Sequence[dict[str, Any]],
) -> int:
    """The line of a delivery in the audit trail; `counts` = stored, unchanged, rejected. Its id."""
    row = conn.execute(
        """insert into billing.delivery (discom_id, who, kind, received, stored, unchanged, rejected, content_sha256, refusals)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning delivery_id""",
        [discom_id, who, kind, sum(counts), *counts, content_sha256, Jsonb(list(refusals))],
    ).fetchone()
    assert row is not None
    return int(row[0])


def deliveries(conn: psycopg.Connection, before: int | None, size: int) -> list[dict[str, Any]]:
    """Newest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select delivery_id as delivery, at, who, kind, received, stored, unchanged, rejected, refusals
               from billing.delivery where %(before)s::bigint is null or delivery_id < %(before)s
               order by delivery_id desc limit %(size)s""",
            {"before": before, "size": size},
        ).fetchall()


def _columns(rows: Sequence[BillRow] | Sequence[ReceiptRow], n: int) -> list[list[Any]]:
    values = [astuple(r) for r in rows]
    return [[v[i] for v in values] for i in range(n)]
