"""Asks the head-end systems that the registry gives an address for: how is the vendor file's, where and how often is the registry's.

PULLS and READS_AGAIN are the dispatch by kind of transport; a new kind is one function in each. What is asked for and when is the callers'.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.types.json import Jsonb

from ingestion.landing import DiscomContext, LandingError
from ingestion.transports import dlms, rest
from ingestion.transports.file import FolderSummary, Progress, land_folder
from ingestion.vendor import Vendor, load_vendor

QUIET_S = 30
"""A file in a drop folder that was written more recently is left for the next pull, unless the vendor file says otherwise."""


def first_pull_days() -> int:
    """How far back the first pull of a head-end system reaches: METERHOUSE_FIRST_PULL_DAYS (3). What is older is a history of its own."""
    return int(os.environ.get("METERHOUSE_FIRST_PULL_DAYS", 3))


@dataclass(frozen=True)
class Source:
    """A head-end system as the registry has it."""

    discom: str
    discom_id: int
    hes: str
    hes_id: int
    vendor: str
    base_url: str
    pull_every_min: int | None


_SOURCES = """
select d.code, d.discom_id, h.code, h.hes_id, h.vendor, h.base_url, h.pull_every_min
from registry.hes h join registry.discom d using (discom_id)
where h.base_url is not null and (%(discom)s::text is null or d.code = %(discom)s)
order by d.code, h.code
"""


def sources(conn: psycopg.Connection, discom: str | None = None) -> list[Source]:
    """Every head-end system that has an address, of one DISCOM or of all."""
    with conn.transaction():
        return [Source(*row) for row in conn.execute(_SOURCES, {"discom": discom}).fetchall()]


def source(conn: psycopg.Connection, discom: str, hes: str) -> Source:
    """Raises LandingError where the DISCOM has no such head-end system, or the registry no address for it."""
    found = sources(conn, discom)
    for s in found:
        if s.hes == hes:
            return s
    known = ", ".join(s.hes for s in found) or "none"
    raise LandingError(
        f"DISCOM {discom} has no head-end system {hes!r} with an address (known: {known}): "
        "give it a base_url in hes.csv and import the master data again"
    )


# --- by kind of transport -------------------------------------------------------------------------------------------------

Pull = Callable[[psycopg.Connection, DiscomContext, Source, Vendor, Progress | None], FolderSummary]
"""Lands what came since the last pull."""

ReadAgain = Callable[
    [psycopg.Connection, DiscomContext, Source, Vendor, Sequence[str], datetime, datetime, Sequence[str], float], FolderSummary
]
"""Lands what single meters (serials) have for since < stamp <= until, by kinds of profiles, within so many seconds."""


def _pull_rest(conn: psycopg.Connection, discom: DiscomContext, source: Source, vendor: Vendor, progress: Progress | None) -> FolderSummary:
    now = datetime.now(UTC)
    first_since = now - timedelta(days=first_pull_days())
    return rest.pull(conn, discom, source.hes, vendor, source.base_url, None, now, progress, first_since=first_since)


def _pull_folder(
    conn: psycopg.Connection, discom: DiscomContext, source: Source, vendor: Vendor, progress: Progress | None
) -> FolderSummary:
    url = urlsplit(source.base_url)
    if url.scheme != "file" or url.netloc or not url.path:
        raise LandingError(
            f"{source.base_url!r} is no drop folder: write base_url of {source.hes} in hes.csv as file:///path/of/the/folder"
        )
    quiet_s = float(vendor.transport.get("quiet_s", QUIET_S))
    return land_folder(conn, discom, source.hes, vendor, Path(unquote(url.path)), progress, quiet_s=quiet_s)


def _read_again_rest(
    conn: psycopg.Connection,
    discom: DiscomContext,
    source: Source,
    vendor: Vendor,
    meters: Sequence[str],
    since: datetime,
    until: datetime,
    kinds: Sequence[str],
    seconds: float,
) -> FolderSummary:
    return rest.read_meters(conn, discom, source.hes, vendor, source.base_url, meters, since, until, kinds, seconds=seconds)


DLMS_FEED = "meters"


def _pull_dlms(conn: psycopg.Connection, discom: DiscomContext, source: Source, vendor: Vendor, progress: Progress | None) -> FolderSummary:
    """Reads all meters from where the last pull ended. What a meter did not give then is a gap of its own, and read again as such."""
    until = datetime.now(UTC)
    key = [source.discom_id, source.hes_id, DLMS_FEED]
    with conn.transaction():
        row = conn.execute("select cursor from ops.pull_cursor where discom_id = %s and hes_id = %s and feed = %s", key).fetchone()
    since = datetime.fromisoformat(row[0]["complete_until"]) if row else until - timedelta(days=first_pull_days())
    summary = dlms.read_meters(conn, discom, source.hes, vendor, None, None, since, until, progress)
    if summary.failed and not summary.received:
        raise LandingError(f"no meter of {source.hes} could be read: " + next(iter(summary.failures.values())))
    with conn.transaction():
        conn.execute(
            """insert into ops.pull_cursor (discom_id, hes_id, feed, cursor) values (%s, %s, %s, %s)
               on conflict (discom_id, hes_id, feed) do update set cursor = excluded.cursor, updated_at = now()""",
            [*key, Jsonb({"complete_until": until.isoformat()})],
        )
    return summary


def _read_again_dlms(
    conn: psycopg.Connection,
    discom: DiscomContext,
    source: Source,
    vendor: Vendor,
    meters: Sequence[str],
    since: datetime,
    until: datetime,
    kinds: Sequence[str],
    seconds: float,
) -> FolderSummary:
    return dlms.read_meters(conn, discom, source.hes, vendor, meters, kinds, since, until, seconds=seconds)


PULLS: dict[str, Pull] = {"rest": _pull_rest, "file": _pull_folder, "dlms": _pull_dlms}
READS_AGAIN: dict[str, ReadAgain] = {"rest": _read_again_rest, "dlms": _read_again_dlms}


# --- one pull, and the note of what it came to ---------------------------------------------------------------------------


def run(conn: psycopg.Connection, discom: str, hes: str, progress: Progress | None = None) -> FolderSummary:
    """Pull one head-end system as the registry says, and note in ops.hes_pull how it went.

    Raises LandingError or VendorError where a setting is wrong, PullError where the head-end system does not answer as it should.
    """
    asked = source(conn, discom, hes)
    _note(conn, asked, _BEGAN)
    try:
        vendor = load_vendor(asked.vendor)
        kind = vendor.transport["kind"]
        if kind not in PULLS:
            raise LandingError(f"vendor {vendor.name} is of kind {kind}, which is not pulled (pulled are {', '.join(sorted(PULLS))})")
        summary = PULLS[kind](conn, DiscomContext.load(conn, discom), asked, vendor, progress)
    except Exception as e:
        if not conn.broken:
            _note(conn, asked, _FAILED, f"{e}" or type(e).__name__)
        raise
    _note(conn, asked, _SUCCEEDED)
    return summary


_BEGAN = """
insert into ops.hes_pull (discom_id, hes_id, began_at) values (%(discom)s, %(hes)s, now())
on conflict (discom_id, hes_id) do update set began_at = now()
"""
_FAILED = """
update ops.hes_pull set failed_at = now(), failures = failures + 1, error = %(error)s where discom_id = %(discom)s and hes_id = %(hes)s
"""
_SUCCEEDED = """
update ops.hes_pull set succeeded_at = now(), failures = 0, error = null where discom_id = %(discom)s and hes_id = %(hes)s
"""


def _note(conn: psycopg.Connection, source: Source, sql: str, error: str | None = None) -> None:
    with conn.transaction():
        conn.execute(sql, {"discom": source.discom_id, "hes": source.hes_id, "error": (error or "").replace("\0", "")[:2000]})
