"""The temperature feed (EM5): CSV `station,at,celsius` from a file or by HTTP, into registry.temperature. A feed is taken whole or not at
all.

`station` is the code of an office, for which and for all offices below the reading holds; `at` ISO 8601,
    in the DISCOM's time zone where it has no
offset; `celsius` the air temperature, with a decimal point.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psycopg

COLUMNS = ("station", "at", "celsius")
LOWEST, HIGHEST = Decimal(-60), Decimal(65)
MAX_OCTETS = 64 << 20
TIMEOUT_S = 30
SHOWN = 20
"""Faults that are listed; the rest is counted."""


class WeatherError(ValueError):
    """A feed that is no good, with what is wrong, where, and how to mend it. Nothing was taken."""


@dataclass(frozen=True)
class Readings:
    """What a feed brought; `changed` of them were new or different."""

    received: int
    changed: int


def fetch(source: str) -> bytes:
    """The feed at a path or an http(s) URL. Raises WeatherError."""
    if not source.startswith(("http://", "https://")):
        try:
            return Path(source).read_bytes()
        except OSError as e:
            raise WeatherError(f"{source}: cannot be read: {e.strerror}") from None
    content = b""
    try:
        with httpx.stream("GET", source, timeout=TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > MAX_OCTETS:
                    raise WeatherError(f"{source}: sends more than {MAX_OCTETS >> 20} MB: ask for fewer days")
    except httpx.HTTPError as e:
        raise WeatherError(f"{source}: {e or type(e).__name__}") from None
    return content


def land(conn: psycopg.Connection, discom_code: str, source: str, content: bytes) -> Readings:
    """Bring registry.temperature to what the feed says, in one transaction. Raises WeatherError with all faults."""
    with conn.transaction():
        row = conn.execute("select discom_id, timezone from registry.discom where code = %s", [discom_code]).fetchone()
        if row is None:
            raise WeatherError(f"no DISCOM {discom_code!r} in the registry: import its master data first")
        discom_id, timezone = row
        stations = {r[0] for r in conn.execute("select code from registry.office where discom_id = %s", [discom_id])}
        found: dict[tuple[str, datetime], int] = {}
        faults = list(_read(content, ZoneInfo(timezone), stations, found))
        if faults:
            more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
            raise WeatherError("\n".join([f"{source}: nothing was taken:", *faults[:SHOWN], *more]))
        conn.execute("create temporary table feed (station text, at timestamptz, milli_c integer) on commit drop")
        with conn.cursor() as cursor, cursor.copy("copy feed from stdin") as copy:
            for (station, at), milli_c in found.items():
                copy.write_row((station, at, milli_c))
        changed = conn.execute(
            """insert into registry.temperature as t (discom_id, station, at, milli_c) select %s, station, at, milli_c from feed
               on conflict (discom_id, station, at) do update set milli_c = excluded.milli_c where t.milli_c <> excluded.milli_c""",
            [discom_id],
        ).rowcount
    return Readings(len(found), changed)


def _read(content: bytes, zone: ZoneInfo, stations: set[str], found: dict[tuple[str, datetime], int]) -> Iterator[str]:
    """Fills `found` with thousandths of a degree by station and instant; gives the faults."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        header = rows.fieldnames or []
    except UnicodeDecodeError:
        yield "is not UTF-8: save it as CSV UTF-8"
        return
    if missing := [c for c in COLUMNS if c not in header]:
        yield f"line 1: no column {', '.join(missing)}: the header must be {','.join(COLUMNS)}"
        return
    try:
        for row in rows:
            line = f"line {rows.line_num}"
            station, at, celsius = ((row[c] or "").strip() for c in COLUMNS)
            if station not in stations:
                yield f"{line}, column station: {station!r} is no office of the registry: import it, or correct the code"
                continue
            try:
                stamp = datetime.fromisoformat(at)
                instant = (stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)).astimezone(UTC)
            except (ValueError, OverflowError):
                yield f"{line}, column at: {at!r} is no time: write it as 2026-10-05T14:00+05:30"
                continue
            try:
                degrees = Decimal(celsius)
            except InvalidOperation:
                degrees = Decimal("nan")
            if not LOWEST <= degrees <= HIGHEST if degrees.is_finite() else True:
                yield f"{line}, column celsius: {celsius!r} is no air temperature from {LOWEST} to {HIGHEST}: write degrees Celsius"
                continue
            milli_c = int((degrees * 1000).to_integral_value())
            if found.setdefault((station, instant), milli_c) != milli_c:
                yield f"{line}: {station} at {at} stands in the feed twice, with different values: remove one"
    except csv.Error as e:
        yield f"line {rows.line_num}: cannot be read as CSV: {e}"
    if not found:
        yield "has no readings: it needs a line for each station and hour below the header"
