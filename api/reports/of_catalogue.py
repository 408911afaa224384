"""Files of the catalogue's reports for whoever asks over the API: as a job, or at once where they are small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from api.reports.catalogue import Report, report
from api.reports.exports.model import Part, Work
from api.reports.files import Written, write_snapshot
from api.reports.repository import STREAM_TIMEOUT_S, Span, snapshot_of


@dataclass(frozen=True)
class Wanted:
    """Reports and formats over a span."""

    reports: tuple[Report, ...]
    formats: tuple[str, ...]
    span: Span

    def as_json(self) -> dict[str, Any]:
        return {
            "reports": [r.id for r in self.reports],
            "formats": list(self.formats),
            "first": self.span.first.isoformat(),
            "last": self.span.last.isoformat(),
            "period": self.span.period,
        }

    @staticmethod
    def from_json(what: dict[str, Any]) -> Wanted:
        """Raises ReportError for a report that there is no more."""
        span = Span(date.fromisoformat(what["first"]), date.fromisoformat(what["last"]), what["period"])
        return Wanted(tuple(report(i) for i in what["reports"]), tuple(what["formats"]), span)


def make(work: Work) -> Sequence[Part]:
    """The source `reports` of exports."""
    wanted = Wanted.from_json(work.what)
    with work.connection() as conn:
        written = write(conn, work.seen.discom_id, wanted, work.folder, STREAM_TIMEOUT_S, work.progress)
    return [part for w in written for part in parts(w, wanted)]


def write(
    conn: psycopg.Connection, discom_id: int, wanted: Wanted, folder: Path, timeout_s: int, on_rows: Callable[[int], None]
) -> list[Written]:
    """What `conn` sees, in its one moment. Raises ReportError, and what `on_rows` raises."""
    return write_snapshot(snapshot_of(conn, discom_id, timeout_s), wanted.reports, wanted.span, wanted.formats, folder, on_rows=on_rows)


def parts(written: Written, wanted: Wanted) -> list[Part]:
    """The files of a report. One report in one format is one file: the schema beside an XML is also under /reports/{id}/schema."""
    if written.error:
        return [Part(written.report.id, error=written.error)]
    alone = len(wanted.reports) == 1 and len(wanted.formats) == 1
    kept = [f for f in written.files if not alone or f.path.suffix[1:] == wanted.formats[0]]
    for f in written.files:
        if f not in kept:
            f.path.unlink()
    return [Part(f.path.name, f.path, written.rows) for f in kept]
