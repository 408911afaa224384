"""Makes the reports that are due and brings them to their targets, at least once: by mail, or into a drop folder.

METERHOUSE_MAIL_MAX_BYTES  attachments of a mail together (default: 15,000,000)

Mail server and sender are those of alerts (ingestion.alerts.channels).

Several workers may run. A delivery is taken for a while, made without a transaction open, and marked afterwards: killed in between, it is
made again, with the same Message-ID or under the same file names.
"""

from __future__ import annotations

import logging
import mimetypes
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from api.builder import scheduled
from api.builder.schemas import Days
from api.reports import periods
from api.reports.catalogue import ReportError, report
from api.reports.files import File, publish, staging, write_reports
from api.reports.layouts import write_layout
from api.reports.repository import Span, snapshot
from api.reports.schedules import queue
from api.reports.schedules.queue import Delivery
from api.reports.words import period_text
from ingestion.alerts.channels import SendError, new_mail, post
from warehouse import settings

SMTP_TIMEOUT_S = 60
"""Of each exchange with the mail server: attachments are large, and some servers look into them before they answer."""
MAX_FILES = 10
"""So many files go as they are; more go as one ZIP."""

Pictures = Callable[[str, Sequence[str], Sequence[str], Path], None]
"""Writes <name>.<format> of dashboards (DISCOM, names, formats, folder), or raises RuntimeError. Handed in by who may call both."""

log = logging.getLogger(__name__)


@dataclass
class Delivered:
    """What a pass did. `troubles` are the texts of what did not go out."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """The files of a delivery, and a line for people about each report."""

    files: list[File]
    lines: list[str]
    rows: dict[str, int]
    """Rows by name of the file."""


def deliver_due(
    conn: psycopg.Connection,
    ids: Sequence[int] | None = None,
    listener: Callable[[Delivery, str], None] = lambda _d, _s: None,
    pictures: Pictures | None = None,
) -> Delivered:
    """Deliver what is due, of these deliveries or of all. `conn` acts as meterhouse_loader and has no transaction open."""
    result = Delivered()
    while delivery := queue.take(conn, ids):
        try:
            files = SENDERS[delivery.channel](delivery, pictures)
        except Exception as e:
            if not isinstance(e, (ReportError, SendError, OSError, psycopg.Error)):
                log.exception("report delivery %s", delivery.delivery_id)
            over = queue.mark_failed(conn, delivery, str(e) or type(e).__name__, permanent=getattr(e, "permanent", False))
            result.failed += over
            result.retried += not over
            result.troubles.append(f"{delivery.discom} {delivery.schedule!r} to {delivery.target}: {e}")
            listener(delivery, "failed" if over else "to be tried again")
        else:
            queue.mark_sent(conn, delivery, files)
            result.sent += 1
            listener(delivery, "sent")
    return result


def make(delivery: Delivery, folder: Path, pictures: Pictures | None) -> Made:
    """Write the files of a delivery into `folder`. Raises ReportError where a report cannot be given, or its last day is not built yet."""
    what = delivery.what
    wanted = [report(i) for i in what["reports"]]
    saved: int | None = what.get("builder")
    shown: list[str] = what.get("dashboards", [])
    if shown or any(r.has("day") or r.has("period_start") for r in wanted) or (saved and scheduled.of_days(delivery.discom_id, saved)):
        with snapshot(delivery.discom_id) as s:
            if not s.built_days(delivery.last_day, delivery.last_day):
                raise ReportError(f"{delivery.last_day} of {delivery.discom} is not built yet")
    if shown:
        if pictures is None:
            raise ReportError("dashboards go out by Dagster or `meterhouse report-schedule` alone")
        with staging(folder) as stage:
            try:
                pictures(delivery.discom, shown, what["formats"], stage)
            except RuntimeError as e:  # as the packages that draw them say it
                raise ReportError(str(e)) from e
            for path in list(stage.iterdir()):
                path.rename(stage / f"{path.stem}_{delivery.discom}_{delivery.last_day}{path.suffix}")
            files = publish(stage, folder)
        return Made(files, [f.path.name for f in files], {})
    if saved:
        days = Days(first=delivery.first_day, last=delivery.last_day)
        name, rows, files = scheduled.write(delivery.discom_id, saved, days, what["formats"], folder)
        return Made(files, [f"{name}: {rows:,} rows"], {f.path.name: rows for f in files})
    if what["layout"]:
        files = write_layout(what["layout"], delivery.discom, delivery.first_day, delivery.last_day, folder)
        return Made(files, [f.path.name for f in files], {})
    span = Span(delivery.first_day, delivery.last_day, what["only"])
    written = write_reports(delivery.discom, wanted, span, what["formats"], folder)
    if wrong := [w for w in written if w.error]:
        raise ReportError("; ".join(f"{w.report.id}: {w.error}" for w in wrong))
    lines = []
    for w in written:
        coverage = "" if w.lowest_coverage_pct is None else f", lowest coverage {w.lowest_coverage_pct:.1f} %"
        why = f" (empty as yet: {w.report.unfed})" if w.report.unfed else ""
        lines.append(f"{w.report.name}: {w.rows:,} rows{coverage}{why}")
    return Made([f for w in written for f in w.files], lines, {f.path.name: w.rows for w in written for f in w.files})


def to_folder(delivery: Delivery, pictures: Pictures | None) -> list[dict[str, Any]]:
    """Each file comes under its final name when it is whole. Raises ReportError, OSError."""
    folder = Path(delivery.target)
    if not folder.is_dir():
        raise ReportError(f"there is no folder {folder}: make it, or mount what holds it")
    return _noted(make(delivery, folder, pictures))


def to_email(delivery: Delivery, pictures: Pictures | None) -> list[dict[str, Any]]:
    """One mail to all addresses. Raises ReportError, SendError, OSError."""
    home = settings.home() / "report-deliveries"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        made = make(delivery, Path(folder), pictures)
        key = f"report-{delivery.discom}-{delivery.delivery_id}"
        period = period_text(delivery.first_day, delivery.last_day)
        mail = new_mail(delivery.target, f"{delivery.discom}: {delivery.schedule}, {period}", key)
        mail.set_content(_letter(delivery, made, period))
        for path in _attached(delivery, made.files, Path(folder)):
            kind, _ = mimetypes.guess_type(path.name)
            main, _, sub = (kind or "application/octet-stream").partition("/")
            mail.add_attachment(path.read_bytes(), maintype=main, subtype=sub, filename=path.name)
        post(mail, SMTP_TIMEOUT_S)
        return _noted(made)


SENDERS: dict[str, Callable[[Delivery, Pictures | None], list[dict[str, Any]]]] = {"email": to_email, "folder": to_folder}


def _letter(delivery: Delivery, made: Made, period: str) -> str:
    hashes = "\n".join(f"{f.sha256}  {f.path.name}" for f in made.files)
    lines = "\n".join(f"- {line}" for line in made.lines)
    return f"{delivery.discom_name}\n{delivery.schedule}, {period}\n\n{lines}\n\nSHA-256 of the files:\n{hashes}\n\nMeterhouse\n"


def _attached(delivery: Delivery, files: Sequence[File], folder: Path) -> list[Path]:
    """The files, or one ZIP of them where they are many or large. Raises SendError where that is too large as well."""
    limit = int(os.environ.get("METERHOUSE_MAIL_MAX_BYTES", 15_000_000))
    if len(files) <= MAX_FILES and sum(f.bytes for f in files) <= limit:
        return [f.path for f in files]
    name = f"reports_{delivery.discom}_{periods.said(delivery.first_day, delivery.last_day)}.zip"
    zipped = folder / name
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as z:
        for f in files:
            z.write(f.path, f.path.name)
    if (size := zipped.stat().st_size) > limit:
        raise SendError(
            f"{size:,} octets are more than a mail takes (METERHOUSE_MAIL_MAX_BYTES, {limit:,}): send fewer reports, or to a folder",
            permanent=True,
        )
    return [zipped]


def _noted(made: Made) -> list[dict[str, Any]]:
    return [{"name": f.path.name, "bytes": f.bytes, "rows": made.rows.get(f.path.name), "sha256": f.sha256} for f in made.files]
