"""Drop folder: lands the files that a head-end system leaves there and puts them away. Parsing is the readers', writing is landing's.

A file is landed before it is moved. Where the program dies between the two, the next run recognises the file by its hash and only moves it.
A head-end system that writes slowly should write under another name and rename the file when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import psycopg

from ingestion.alerts.rules import AlertRuleError
from ingestion.landing import DiscomContext, LandingError, LandingResult, earlier_landing, land, require_idle
from ingestion.readers import read
from ingestion.vendor import Vendor
from warehouse.codes import Reason

Progress = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and the name of the one just done."""


def max_file_bytes() -> int:
    """Largest file that is read: METERHOUSE_MAX_FILE_BYTES, 4 GiB by default."""
    return int(os.environ.get("METERHOUSE_MAX_FILE_BYTES", 4 << 30))


@dataclass
class FolderSummary:
    """What became of a folder, or of a pull's pages. Counts of values are those of new landings."""

    files: int = 0
    landed: int = 0
    duplicates: int = 0
    failed: int = 0
    received: int = 0
    accepted: int = 0
    rejected: int = 0
    days: set[date] = field(default_factory=set)
    rejected_by_reason: Counter[Reason] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    """What is wrong with each file that failed, and how to mend it."""
    waiting: list[str] = field(default_factory=list)
    """Files that are not whole yet, or changed while they were read: the next run takes them."""
    unmatched: list[str] = field(default_factory=list)
    """Files that no pattern of the vendor file knows."""
    repeated: int = 0
    """Items of a pull that came on two pages and were landed once."""

    def add(self, result: LandingResult) -> None:
        self.files += 1
        self.duplicates += result.duplicate
        self.landed += not result.duplicate
        self.received += result.received
        self.accepted += result.accepted
        self.rejected += result.rejected
        self.days |= result.days
        self.rejected_by_reason.update(result.rejected_by_reason)


def land_folder(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_code: str,
    vendor: Vendor,
    folder: Path,
    progress: Progress | None = None,
    *,
    keep: bool = False,
    quiet_s: float = 0,
) -> FolderSummary:
    """Land the files of `folder` that the vendor file's patterns match, in the order of their names.

    Each is moved to `done/`, or to `failed/` with `<name>.error.txt` beside it where nothing of it could be accepted. `keep` leaves them
    all where they are. Nothing is deleted. A file that was written within the last `quiet_s` seconds waits for the next run: who writes
    slowly under the final name has no other way to say that it is whole. Errors of the database and of alert rules are raised: the file
    that they met stays for the next run.
    Raises LandingError for an unknown head-end system, a vendor without file patterns, a folder that is not there or cannot be written.
    """
    hes_id = discom.hes_id(hes_code)
    require_idle(conn)
    patterns = [p for many in vendor.transport.get("files", {}).values() for p in many]
    if not patterns:
        raise LandingError(f"vendor {vendor.name} has no patterns of files: add transport.files to {vendor.path}")
    if not folder.is_dir():
        raise LandingError(f"{folder} is not a folder: check the path, or make it")
    if not keep:
        _make_places(folder)

    summary = FolderSummary()
    paths = []
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        if any(fnmatchcase(path.name, p) for p in patterns):
            paths.append(path)
        else:
            summary.unmatched.append(path.name)
    for n, path in enumerate(paths, 1):
        if _quiet(path, quiet_s):
            _land_file(conn, discom, hes_id, vendor, path, summary, keep=keep)
        else:
            summary.waiting.append(path.name)
        if progress:
            progress(n, len(paths), path.name)
    return summary


def _quiet(path: Path, seconds: float) -> bool:
    try:
        return not seconds or time.time() - path.stat().st_mtime >= seconds
    except FileNotFoundError:
        return True  # another run has put it away


def _land_file(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_id: int,
    vendor: Vendor,
    path: Path,
    summary: FolderSummary,
    *,
    keep: bool,
) -> None:
    try:
        before = path.stat()
        if before.st_size > max_file_bytes():
            raise LandingError(
                f"the file has {before.st_size} bytes, more than the {max_file_bytes()} that are read at once: split it, "
                "or raise METERHOUSE_MAX_FILE_BYTES where there is the memory for it"
            )
        content = path.read_bytes()
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            summary.waiting.append(path.name)
            return
        earlier = earlier_landing(conn, discom, hes_id, hashlib.sha256(content).digest())
        if earlier.stands:
            result = LandingResult(earlier.batch_id, duplicate=True)
        else:
            arrival = datetime.fromtimestamp(before.st_mtime, UTC)
            result = land(conn, discom, hes_id, read(vendor, path.name, content, arrival))
        summary.add(result)
        error = _nothing_accepted(conn, discom, result)
    except FileNotFoundError:
        return  # another run has put it away
    except psycopg.DataError as e:
        error = f"PostgreSQL refuses its values: {e}".strip()
    except (psycopg.Error, AlertRuleError):
        raise  # not the file's fault
    except Exception as e:
        error = str(e) if isinstance(e, LandingError) else f"{type(e).__name__}: {e}"
    if error:
        summary.failed += 1
        summary.failures[path.name] = error
    if not keep:
        _put_away(path, "failed" if error else "done", error)


def _nothing_accepted(conn: psycopg.Connection, discom: DiscomContext, result: LandingResult) -> str | None:
    """Why nothing of a batch was accepted; None where something was, or where nothing was received. Also for a batch of an earlier run."""
    of_batch = [discom.discom_id, result.batch_id]
    with conn.transaction():
        counts = conn.execute(
            "select values_accepted, values_rejected from raw.batch where discom_id = %s and batch_id = %s", of_batch
        ).fetchone()
        if counts is None or counts[0] or not counts[1]:
            return None
        reasons = conn.execute(
            """select reason, sum(value_count), count(*), (array_agg(locator order by rejected_id))[1:5], max(detail)
               from raw.rejected where discom_id = %s and batch_id = %s group by reason order by 2 desc""",
            of_batch,
        ).fetchall()
    lines = [f"none of {counts[1]} values could be accepted (batch {result.batch_id}, table raw.rejected):"]
    for reason, values, rows, locators, detail in reasons:
        more = f" and {rows - len(locators)} more" if rows > len(locators) else ""
        said = f" ({detail})" if detail else ""
        lines.append(f"- {reason}, {values} values, at {', '.join(locators)}{more}: {Reason(reason).meaning}{said}")
    return "\n".join(lines)


def _make_places(folder: Path) -> None:
    for place in ("done", "failed"):
        try:
            (folder / place).mkdir(exist_ok=True)
        except OSError as e:
            raise LandingError(
                f"{folder / place} cannot be made ({e.strerror}): give this user the right to write there, "
                "or leave the files where they are (keep)"
            ) from e


def _put_away(path: Path, place: str, error: str | None) -> None:
    target = path.parent / place / path.name
    n = 0
    while target.exists():
        n += 1
        target = path.parent / place / f"{path.name}.{n}"
    if error:
        text = f"{path.name}\n\n{error}\n\nOnce it is mended, put the file or a corrected one into {path.parent} again.\n"
        target.with_name(target.name + ".error.txt").write_text(text, encoding="utf-8")
    try:
        path.rename(target)
    except FileNotFoundError:
        return  # another run has put it away
