"""SQL of edits, their decisions and frozen periods, in a transaction of one tenant as meterhouse_api."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from vee.edits.operations import Values
from warehouse.codes import Quality

CHANNELS = ("import_wh", "export_wh", "import_vah")
"""What can be edited: the channels that vee.final_day takes from edits."""


class Key(NamedTuple):
    serial: str
    day: date


@dataclass(frozen=True)
class Made:
    """An edit and what became of it; `decision` is None while it waits."""

    edit_id: int
    day: date
    meter_id: int
    channel: str
    before: list[int | None] | None
    editor: str
    edited_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None

    @property
    def last_moved(self) -> tuple[datetime, str]:
        """When it last changed, and by whom."""
        return (self.decided_at or self.edited_at, self.decided_by or self.editor)


@dataclass(frozen=True)
class Day:
    """A meter's day as the final layer shows it now."""

    meter_id: int
    serial: str
    day: date
    interval_min: int
    slots: int
    channels: dict[str, Values]
    quality: list[int]
    limit_wh: float | None
    """The most that can flow in a slot (V16), None = not known."""
    frozen: bool
    edits: list[Made] = field(default_factory=list)

    @property
    def version(self) -> str:
        """Changes whenever a value, a quality, an edit or a decision does."""
        seen = [self.channels, self.quality, [(e.edit_id, e.decision) for e in self.edits]]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]

    def good(self, channel: str, slot: int) -> int | None:
        """The value, where neither machine nor rule doubts it."""
        return self.channels[channel][slot] if self.quality[slot] <= Quality.SUBSTITUTED else None


def lock(conn: psycopg.Connection, discom_id: int) -> None:
    """Of the DISCOM, edits, decisions and freezes are made one after the other, until this transaction ends."""
    conn.execute("select pg_advisory_xact_lock(hashtext('vee.audit'), %s)", [discom_id])


def is_built(conn: psycopg.Connection) -> bool:
    """Whether the final layer is there at all."""
    row = conn.execute("select to_regclass('vee.final_day') is not null and to_regclass('vee.measure') is not null").fetchone()
    return bool(row and row[0])


def known_meters(conn: psycopg.Connection, discom_id: int, serials: Collection[str]) -> dict[str, int]:
    """Meters of this DISCOM: serial to interval in minutes."""
    return dict(
        conn.execute(
            "select serial, interval_min from registry.meter where discom_id = %s and serial = any(%s)", [discom_id, list(serials)]
        ).fetchall()
    )


def timezone(conn: psycopg.Connection, discom_id: int) -> str:
    row = conn.execute("select timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
    assert row is not None, "a tenant is a DISCOM of the registry"
    return str(row[0])


_DAYS = """
select m.meter_id, m.serial, k.day, f.interval_min, f.slots, f.import_wh, f.export_wh, f.import_vah, f.quality, f.day_quality, x.limit_wh,
       exists (select 1 from vee.frozen z where z.discom_id = %(discom)s and k.day between z.first_day and z.last_day) as frozen
from unnest(%(serials)s::text[], %(days)s::date[]) k(serial, day)
join registry.meter m on m.discom_id = %(discom)s and m.serial = k.serial
cross join lateral (
    select * from vee.final_day f where f.discom_id = %(discom)s and f.day = k.day and f.meter_id = m.meter_id offset 0
) f
cross join lateral (
    select x.limit_wh from vee.measure x where x.discom_id = %(discom)s and x.day = k.day and x.meter_id = m.meter_id offset 0
) x
"""

_MADE = """
select e.edit_id, e.day, e.meter_id, e.channel, e.before, e.editor, e.edited_at, d.decision, d.decided_by, d.decided_at
from unnest(%(meters)s::int[], %(days)s::date[]) k(meter_id, day)
join vee.edit e on e.discom_id = %(discom)s and e.day = k.day and e.meter_id = k.meter_id
left join vee.edit_decision d on d.discom_id = e.discom_id and d.edit_id = e.edit_id
order by e.edit_id
"""


def days(conn: psycopg.Connection, discom_id: int, keys: Collection[Key]) -> dict[Key, Day]:
    """The days of `keys` that were built, with their edits, oldest first."""
    wanted = sorted(set(keys))
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(_DAYS, {"discom": discom_id, "serials": [k.serial for k in wanted], "days": [k.day for k in wanted]}).fetchall()
    with conn.cursor(row_factory=class_row(Made)) as cur:
        made = cur.execute(
            _MADE, {"discom": discom_id, "meters": [r["meter_id"] for r in rows], "days": [r["day"] for r in rows]}
        ).fetchall()
    of_day: dict[tuple[int, date], list[Made]] = {}
    for e in made:
        of_day.setdefault((e.meter_id, e.day), []).append(e)
    return {Key(r["serial"], r["day"]): _day(r, of_day.get((r["meter_id"], r["day"]), [])) for r in rows}


def _day(row: dict[str, Any], made: list[Made]) -> Day:
    slots = row["slots"]
    missing: Values = [None] * slots
    base = row["day_quality"]
    stated = row["quality"] or [base] * slots
    quality = [
        int(Quality.MISSING) if v is None else base if q is None else q for q, v in zip(stated, row["import_wh"] or missing, strict=True)
    ]
    return Day(
        row["meter_id"],
        row["serial"],
        row["day"],
        row["interval_min"],
        slots,
        {c: row[c] or list(missing) for c in CHANNELS},
        quality,
        row["limit_wh"],
        row["frozen"],
        made,
    )


@dataclass(frozen=True)
class NewEdit:
    meter_id: int
    day: date
    channel: str
    operation: list[dict[str, Any]]
    before: Values
    after: Values


def insert_edits(
    conn: psycopg.Connection, discom_id: int, request: UUID, editor: str, reason: str, note: str | None, edits: Sequence[NewEdit]
) -> dict[tuple[int, date, str], int]:
    """Number of each new edit, by meter, day and channel."""
    rows = [
        {"n": n, "meter_id": e.meter_id, "day": e.day.isoformat(), "channel": e.channel, "operation": e.operation, "before": e.before}
        | {"after": e.after}
        for n, e in enumerate(edits)
    ]
    found = conn.execute(
        """insert into vee.edit (discom_id, request, day, meter_id, channel, operation, before, after, reason, note, editor)
           select %(discom)s, %(request)s, r.day, r.meter_id, r.channel, r.operation, r.before, r.after, %(reason)s, %(note)s, %(editor)s
           from jsonb_to_recordset(%(rows)s)
             as r(n int, meter_id int, day date, channel text, operation jsonb, before int[], after int[])
           order by r.n
           returning meter_id, day, channel, edit_id""",
        {"discom": discom_id, "request": request, "reason": reason, "note": note, "editor": editor, "rows": Jsonb(rows)},
    ).fetchall()
    return {(meter_id, day, channel): edit_id for meter_id, day, channel, edit_id in found}


def insert_decisions(conn: psycopg.Connection, discom_id: int, edits: Sequence[int], decision: str, by: str, note: str | None) -> None:
    conn.execute(
        """insert into vee.edit_decision (discom_id, edit_id, decision, decided_by, note)
           select %s, e, %s, %s, %s from unnest(%s::bigint[]) e order by e""",
        [discom_id, decision, by, note, list(edits)],
    )


_EDIT = """
    select e.edit_id as id, e.request, m.serial as meter, e.day, e.channel, e.operation, e.before, e.after, e.reason, e.note, e.editor,
           e.edited_at, coalesce(d.decision, 'pending') as state, d.decided_by, d.decided_at, d.note as decision_note,
           e.chain_no, encode(e.hash, 'hex') as hash
    from vee.edit e
    join registry.meter m on m.discom_id = e.discom_id and m.meter_id = e.meter_id
    left join vee.edit_decision d on d.discom_id = e.discom_id and d.edit_id = e.edit_id"""


def edits(conn: psycopg.Connection, discom_id: int, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Edits of these numbers that there are, in their order."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_EDIT} where e.discom_id = %s and e.edit_id = any(%s) order by e.edit_id", [discom_id, list(ids)]).fetchall()


def page(
    conn: psycopg.Connection,
    discom_id: int,
    *,
    state: str | None,
    meter: str | None,
    day: date | None,
    request: UUID | None,
    updated_since: datetime | None = None,
    before: int | None,
    size: int,
) -> list[dict[str, Any]]:
    """Up to `size` edits with a number below `before`, newest first. Of `updated_since` those made or decided since."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"""{_EDIT}
                where e.discom_id = %(discom)s
                  and (%(state)s::text is null or coalesce(d.decision, 'pending') = %(state)s)
                  and (%(meter)s::text is null or m.serial = %(meter)s) and (%(day)s::date is null or e.day = %(day)s)
                  and (%(request)s::uuid is null or e.request = %(request)s)
                  and (%(since)s::timestamptz is null or coalesce(d.decided_at, e.edited_at) >= %(since)s)
                  and (%(before)s::bigint is null or e.edit_id < %(before)s)
                order by e.edit_id desc limit %(size)s""",
            {
                "discom": discom_id,
                "state": state,
                "meter": meter,
                "day": day,
                "request": request,
                "since": updated_since,
                "before": before,
                "size": size,
            },
        ).fetchall()


# --- frozen periods ---


@dataclass(frozen=True)
class Freeze:
    freeze_id: int
    first_day: date
    last_day: date
    frozen_at: datetime
    frozen_by: str
    reason: str
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


_FREEZE = """
    select f.freeze_id, f.first_day, f.last_day, f.frozen_at, f.frozen_by, f.reason,
           r.frozen_at as released_at, r.frozen_by as released_by, r.reason as release_reason
    from vee.freeze f left join vee.freeze r on r.discom_id = f.discom_id and r.releases = f.freeze_id
    where f.discom_id = %s and f.releases is null"""


def freezes(conn: psycopg.Connection, discom_id: int) -> list[Freeze]:
    """Every freeze, released ones too, by day."""
    with conn.cursor(row_factory=class_row(Freeze)) as cur:
        return cur.execute(f"{_FREEZE} order by f.first_day, f.freeze_id", [discom_id]).fetchall()


def freeze(conn: psycopg.Connection, discom_id: int, freeze_id: int) -> Freeze | None:
    with conn.cursor(row_factory=class_row(Freeze)) as cur:
        return cur.execute(f"{_FREEZE} and f.freeze_id = %s", [discom_id, freeze_id]).fetchone()


def insert_freeze(
    conn: psycopg.Connection, discom_id: int, first: date, last: date, by: str, reason: str, *, releases: int | None = None
) -> int:
    row = conn.execute(
        """insert into vee.freeze (discom_id, releases, first_day, last_day, frozen_by, reason) values (%s, %s, %s, %s, %s, %s)
           returning freeze_id""",
        [discom_id, releases, first, last, by, reason],
    ).fetchone()
    assert row is not None
    return int(row[0])


def not_ready(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[date]:
    """Days that were not built to their end, or of which data landed that their build did not see."""
    rows = conn.execute(
        """select d::date from generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
           left join ops.day_build b on b.discom_id = %(discom)s and b.day = d
           where b.built_at is null
              or exists (select 1 from raw.touched_day t where t.discom_id = %(discom)s and t.day in (b.day, b.day - 1)
                         and not pg_visible_in_snapshot(t.written_by, b.saw))
              or exists (select 1 from vee.edit e where e.discom_id = %(discom)s and e.day = b.day
                         and not pg_visible_in_snapshot(e.approved_in, b.saw))
           order by d""",
        {"discom": discom_id, "first": first, "last": last},
    ).fetchall()
    return [row[0] for row in rows]


def waiting(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[int]:
    """Numbers of the edits of these days that nobody decided."""
    rows = conn.execute(
        """select e.edit_id from vee.edit e left join vee.edit_decision d using (discom_id, edit_id)
           where e.discom_id = %s and e.day between %s and %s and d.edit_id is null order by e.edit_id""",
        [discom_id, first, last],
    ).fetchall()
    return [row[0] for row in rows]


# --- the chain ---


@dataclass(frozen=True)
class Link:
    """A row of the chain. `line` is what is hashed, as the row is now."""

    chain_no: int
    kind: str
    row_id: int
    prev_hash: bytes
    hash: bytes
    line: str
    decided: bool
    """Of an edit: approver and approved_at are those of its decision."""


_CHAIN = """
select chain_no, 'edit' as kind, e.edit_id as row_id, e.prev_hash, e.hash, vee.audit_line(e) as line,
       (e.approver, e.approved_at) is not distinct from (d.decided_by, d.decided_at) as decided
from vee.edit e left join lateral (
    select d.decided_by, d.decided_at from vee.edit_decision d
    where d.discom_id = e.discom_id and d.edit_id = e.edit_id and d.decision = 'approved'
) d on true
where e.discom_id = %(discom)s
union all
select chain_no, 'edit_decision', d.edit_id, d.prev_hash, d.hash, vee.audit_line(d), true from vee.edit_decision d
where d.discom_id = %(discom)s
union all
select chain_no, 'freeze', f.freeze_id, f.prev_hash, f.hash, vee.audit_line(f), true from vee.freeze f where f.discom_id = %(discom)s
order by chain_no, kind
"""


def chain(conn: psycopg.Connection, discom_id: int) -> Iterator[Link]:
    """The DISCOM's chain from its first row on."""
    with conn.cursor(name="chain", row_factory=class_row(Link)) as cur:
        cur.itersize = 5000
        cur.execute(_CHAIN, {"discom": discom_id})
        yield from cur


def head(conn: psycopg.Connection, discom_id: int) -> tuple[int, bytes]:
    """How many rows the chain has, and the hash of the last. (0, b'') where it has none."""
    row = conn.execute("select entries, hash from ops.audit_head where discom_id = %s", [discom_id]).fetchone()
    return (row[0], row[1]) if row else (0, b"")
