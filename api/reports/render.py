"""A DISCOM's period at a glance: one page with what matters, and a workbook of the rows behind it. Whole reports are files'."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from api.reports.catalogue import ReportError
from api.reports.page import write_pdf
from api.reports.repository import discom_id, snapshot
from api.reports.workbook import write_xlsx

BEHIND = ("A03", "B01", "C01", "D01", "D02", "D05")
"""Reports that the page is drawn from."""
_UNSAFE = re.compile(r"[^\w.-]")
"""What a code may hold and a file's name may not."""


def export(discom_code: str, first: date, last: date, folder: Path) -> list[Path]:
    """Write <discom>_<first>_<last>.xlsx and .pdf into `folder` and give their paths. Files of these names are replaced.

    Both say the same moment of the warehouse. Raises ReportError for an unknown DISCOM, days in the wrong order, and a period without data.
    """
    with snapshot(discom_id(discom_code)) as s:
        tables = {report_id: s.report(report_id, first, last) for report_id in BEHIND}
        if not tables["A03"].rows:
            raise ReportError(
                f"{discom_code} has no meter-day from {first} to {last}: build the days with `meterhouse run --discom {discom_code}`"
            )
        curve = s.load_curve(first, last)
        discom = s.discom
    generated_at = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{_UNSAFE.sub('_', discom_code)}_{first}_{last}"
    return [
        _whole(stem.with_name(stem.name + ".xlsx"), lambda p: write_xlsx(list(tables.values()), p, discom, generated_at)),
        _whole(stem.with_name(stem.name + ".pdf"), lambda p: write_pdf(tables, curve, p, discom, generated_at)),
    ]


def _whole(path: Path, write: Callable[[Path], None]) -> Path:
    """A reader never sees half a file: it is written under another name and renamed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
