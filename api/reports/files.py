"""Reports as files, each written whole or not at all: the rows of a report are read once, and every format takes them in that pass.

So a report says the same in all formats, and all reports of a call say the same moment of the warehouse.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.reports import periods
from api.reports.catalogue import GROUPS, Report, ReportError, ReportNotBuiltError, catalogue, report
from api.reports.formats import writer
from api.reports.formats.writer import About, Found
from api.reports.repository import STREAM_TIMEOUT_S, Discom, ReportTooSlowError, Snapshot, Span, discom_id, snapshot
from api.reports.words import period_text, stamp_text

UNSAFE = re.compile(r"[^\w.-]")
"""What a code may hold and a file's name may not."""


@dataclass(frozen=True)
class File:
    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Written:
    """What became of one report. Where `error` says why it could not be written there are no files."""

    report: Report
    rows: int = 0
    lowest_coverage_pct: float | None = None
    data_as_of: datetime | None = None
    seconds: float = 0.0
    files: list[File] = field(default_factory=list)
    error: str | None = None
    too_slow: bool = False
    """Whether the error is that its time was over."""


Listener = Callable[[Written], None]


def chosen(ids: Iterable[str]) -> list[Report]:
    """The reports of these ids, each once. `D01` and `d01` are the same. Raises ReportError."""
    return [report(i) for i in dict.fromkeys(x.strip().upper() for x in ids if x.strip())]


def write_reports(
    discom_code: str,
    wanted: Sequence[Report],
    span: Span,
    formats: Sequence[str],
    folder: Path,
    *,
    grouped: bool = False,
    listener: Listener = lambda _: None,
) -> list[Written]:
    """Write each report in each format into `folder` (with `grouped`: a folder of it for each group of the catalogue).

    Files of these names are replaced. A report that cannot be given is among what is returned, with its error; the others are written.
    Raises ReportError for an unknown DISCOM or format, days in the wrong order, a period in the future, and one of which no day was built.
    """
    for name in formats:
        writer(name)
    with snapshot(discom_id(discom_code), STREAM_TIMEOUT_S) as s:
        return write_snapshot(s, wanted, span, formats, folder, grouped=grouped, listener=listener)


def write_snapshot(
    s: Snapshot,
    wanted: Sequence[Report],
    span: Span,
    formats: Sequence[str],
    folder: Path,
    *,
    grouped: bool = False,
    listener: Listener = lambda _: None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> list[Written]:
    """As write_reports, of what a snapshot sees. `on_rows` is told how many more rows were read; what it raises ends all."""
    for name in formats:
        writer(name)
    now = datetime.now(UTC)
    periods.check(span.first, span.last, s.discom.timezone, now)
    check_built(s, wanted, span)
    written = []
    for r in wanted:
        into = folder / group_folder(r) if grouped else folder
        try:
            done = _write(s, About(r, s.discom, span, now), formats, into, on_rows)
        except ReportError as e:
            done = Written(r, error=str(e), too_slow=isinstance(e, ReportTooSlowError))
        listener(done)
        written.append(done)
    return written


def group_folder(r: Report) -> str:
    return f"{r.id[0]}_{re.sub(r'[^a-z]+', '_', GROUPS[r.id[0]].lower())}"


def file_stem(r: Report, discom: Discom, span: Span) -> str:
    return f"{r.relation.removeprefix('rpt_')}_{UNSAFE.sub('_', discom.code)}_{periods.said(span.first, span.last)}"


def check_built(s: Snapshot, wanted: Sequence[Report], span: Span) -> None:
    """Before anything is written: reports of days need days that were built."""
    of_days = [r for r in wanted if r.has("day") or r.has("period_start")]
    if of_days and not s.built_days(span.first, span.last):
        raise ReportNotBuiltError(
            f"no day of {s.discom.code} from {span.first} to {span.last} was built: "
            f"`meterhouse run --discom {s.discom.code} --from {span.first} --to {span.last}`"
        )


def _write(s: Snapshot, about: About, formats: Sequence[str], folder: Path, on_rows: Callable[[int], None]) -> Written:
    """One report. Raises ReportError, and then there is no file of it."""
    started = time.perf_counter()
    stem = file_stem(about.report, about.discom, about.span)
    found, files = write_rows(about, s.stream(about.report, about.span), formats, folder, stem, on_rows)
    seconds = time.perf_counter() - started
    return Written(about.report, found.rows, found.lowest_coverage_pct, found.data_as_of, seconds, files)


def write_rows(
    about: About,
    chunks: Iterable[Sequence[tuple[Any, ...]]],
    formats: Sequence[str],
    folder: Path,
    stem: str,
    on_rows: Callable[[int], None] = lambda _: None,
) -> tuple[Found, list[File]]:
    """Rows, taken once, as a file of each format in `folder`: all of them, or none where anything is raised on the way."""
    found = Found(about.report)
    with staging(folder) as stage:
        writers = []
        try:
            for name in dict.fromkeys(formats):
                writers.append(writer(name)(stage / f"{stem}.{name}", about))
            for rows in chunks:
                on_rows(len(rows))
                found.add(rows)
                for w in writers:
                    w.add(rows)
            for w in writers:
                w.close(found)
        except BaseException:
            for w in writers:
                w.abandon()
            raise
        return found, publish(stage, folder)


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder beside the files-to-be, so that they come to their place by renaming; a reader never sees half of one."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".writing-{os.getpid()}-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def publish(stage: Path, folder: Path) -> list[File]:
    """Move what was written into its folder."""
    files = []
    for path in sorted(stage.iterdir()):
        with path.open("rb") as f:
            sha256 = hashlib.file_digest(f, "sha256").hexdigest()
        files.append(File(folder / path.name, path.stat().st_size, sha256))
        path.chmod(0o644)
        path.replace(folder / path.name)
    return files


def write_index(discom_code: str, written: Sequence[Written], span: Span, folder: Path) -> list[Path]:
    """index.html for people and index.json for machines: what there is, how complete, and the hash of each file."""
    with snapshot(discom_id(discom_code)) as s:
        discom = s.discom
    now = datetime.now(UTC)
    with staging(folder) as stage:
        (stage / "index.html").write_text(_html(discom, written, span, now, folder), encoding="utf-8")
        (stage / "index.json").write_bytes(orjson.dumps(_index(discom, written, span, now, folder), option=orjson.OPT_INDENT_2))
        return [f.path for f in publish(stage, folder)]


def _index(discom: Discom, written: Sequence[Written], span: Span, now: datetime, folder: Path) -> dict[str, object]:
    return {
        "discom": discom.code,
        "first": span.first,
        "last": span.last,
        "generated_at": now,
        "reports": [
            {
                "id": w.report.id,
                "title": w.report.title,
                "rows": w.rows,
                "lowest_coverage_pct": w.lowest_coverage_pct,
                "data_as_of": w.data_as_of,
                "unfed": w.report.unfed,
                "error": w.error,
                "files": [{"path": f.path.relative_to(folder).as_posix(), "bytes": f.bytes, "sha256": f.sha256} for f in w.files],
            }
            for w in written
        ],
    }


_STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:0;color:#22303c}header{background:#1f3a5f;color:#fff;padding:18px 28px}
main{padding:10px 28px 40px}h1{font-size:21px;margin:0}h2{font-size:16px;color:#1f3a5f;margin:26px 0 6px}
table{border-collapse:collapse;width:100%}
td,th{padding:4px 10px 4px 0;text-align:left;border-bottom:1px solid #e3e8ee;vertical-align:top}
td.n{text-align:right}.no{color:#7a8794}.bad{color:#c0392b}a{color:#3b75af}"""


def _html(discom: Discom, written: Sequence[Written], span: Span, now: datetime, folder: Path) -> str:
    e = html.escape
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{e(discom.name)}: reports</title><style>{_STYLE}</style><header><h1>{e(discom.name)}: standard reports</h1>",
        f"{period_text(span.first, span.last)} · generated {e(stamp_text(now, discom))} · Meterhouse</header><main>",
    ]
    for letter, group in GROUPS.items():
        of_group = [w for w in written if w.report.id[0] == letter]
        if not of_group:
            continue
        parts.append(f"<h2>{letter}. {e(group)}</h2><table><tr><th>Report<th>Rows<th>Lowest coverage<th>Files</tr>")
        for w in of_group:
            links = " ".join(f'<a href="{e(f.path.relative_to(folder).as_posix())}">{e(f.path.suffix[1:])}</a>' for f in w.files)
            why = f'<div class="no">Empty as yet: {e(w.report.unfed)}</div>' if w.report.unfed else ""
            why += f'<div class="bad">{e(w.error)}</div>' if w.error else ""
            coverage = "" if w.lowest_coverage_pct is None else f"{w.lowest_coverage_pct:.1f} %"
            parts.append(f'<tr><td>{e(w.report.name)}{why}<td class="n">{w.rows:,}<td class="n">{coverage}<td>{links}</tr>')
        parts.append("</table>")
    return "\n".join([*parts, "</main></html>"])


def everything() -> list[Report]:
    return list(catalogue().values())
