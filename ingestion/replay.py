"""Lands what was rejected because the registry did not know its meter, once it does. Knows raw.rejected; landing does the rest.

The file or message itself cannot come again: it is known by its hash, and what was accepted of it is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import psycopg

from ingestion.landing import DiscomContext, land
from ingestion.readers.native import LISTS, read_native
from ingestion.transports.file import FolderSummary, Progress

AT_ONCE = 50_000
"""Rejections that are replayed in one batch."""


def replay(conn: psycopg.Connection, discom: DiscomContext, progress: Progress | None = None) -> FolderSummary:
    """Land every rejected record whose meter is registered now, with the time at which it was received; each once.

    `files` of the summary counts batches. What is still wrong (other than its meter) is rejected again, under the new batch.
    """
    summary = FolderSummary()
    groups = _groups(conn, discom.discom_id)
    for n, (hes_id, received_at, ids) in enumerate(groups, 1):
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            content = orjson.dumps(_document(conn, discom.discom_id, part))
            delivery = read_native(f"replay of {len(part)} rejections", content, received_at)
            # The ids make it a content of its own, even where two records are alike.
            delivery.content_sha256 = hashlib.sha256(repr(part).encode()).digest()
            summary.add(land(conn, discom, hes_id, delivery, within=_note(discom.discom_id, part, delivery.content_sha256)))
        if progress:
            progress(n, len(groups), f"{received_at:%Y-%m-%d %H:%M}")
    return summary


def _groups(conn: psycopg.Connection, discom_id: int) -> list[tuple[int, datetime, list[int]]]:
    """(head-end system, time of receipt, rejections) that can land now."""
    with conn.transaction():
        return conn.execute(
            """select b.hes_id, r.received_at, array_agg(r.rejected_id order by r.rejected_id)
               from raw.rejected r
               join raw.batch b using (discom_id, batch_id)
               cross join lateral jsonb_each(r.record) as record(kind, said)
               join registry.meter m on m.discom_id = r.discom_id and m.serial = record.said ->> 'serial'
               where r.discom_id = %s and r.record is not null
                 and (r.reason <> 'WRONG_INTERVAL' or m.interval_min = (record.said ->> 'interval_min')::int)
                 and not exists (select from raw.replayed p where p.discom_id = r.discom_id and p.rejected_id = r.rejected_id)
               group by b.hes_id, r.received_at order by r.received_at, b.hes_id""",
            [discom_id],
        ).fetchall()


def _document(conn: psycopg.Connection, discom_id: int, ids: list[int]) -> dict[str, list[Any]]:
    """The records as one body of Meterhouse's own JSON. A profile whose source said no interval has that of its meter."""
    document: dict[str, list[Any]] = {name: [] for name in LISTS}
    with conn.transaction():
        rows = conn.execute(
            """select record.kind, record.said, m.interval_min
               from raw.rejected r
               cross join lateral jsonb_each(r.record) as record(kind, said)
               join registry.meter m on m.discom_id = r.discom_id and m.serial = record.said ->> 'serial'
               where r.discom_id = %s and r.rejected_id = any(%s) order by r.rejected_id""",
            [discom_id, ids],
        ).fetchall()
    for kind, said, interval_min in rows:
        document[kind].append({"interval_min": interval_min, **said} if kind == "profiles" else said)
    return document


def _note(discom_id: int, ids: list[int], sha256: bytes) -> Callable[[psycopg.Connection], None]:
    def note(conn: psycopg.Connection) -> None:
        conn.execute(
            """insert into raw.replayed (discom_id, rejected_id, batch_id)
               select %s, unnest(%s::bigint[]), batch_id from raw.batch where discom_id = %s and content_sha256 = %s
               on conflict do nothing""",
            [discom_id, ids, discom_id, sha256],
        )

    return note
