"""XLSX of one report: a sheet that says what it is and what its columns mean, then its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from api.reports.catalogue import Kind
from api.reports.formats.writer import About, Found, Row, Writer
from api.reports.words import stamp_text
from api.reports.workbook import HIDDEN, ReportSheets, text_cell, write_header


class XlsxFile(Writer):
    """One workbook, streamed: the rows wait on disk, not in memory, until it is saved."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        self._book, self._saved = Workbook(write_only=True), False
        self._book.properties.title = f"{about.discom.name}: {about.report.name}"
        self._book.properties.creator = "Meterhouse"
        self._about = self._book.create_sheet("About")
        self._sheets = ReportSheets(self._book, about.report, about.discom, about.generated_at)

    def add(self, rows: Sequence[Row]) -> None:
        self._sheets.add(rows)

    def close(self, found: Found) -> None:
        self._sheets.close()
        self._write_about(found)
        self._saved = True  # also where it fails: the sheets' files are gone then
        self._book.save(self.path)

    def abandon(self) -> None:
        # A streamed sheet holds a file of its own, which saving closes and removes; a book without any cannot be saved.
        for sheet in [] if self._saved else self._book.worksheets:
            streamed: Any = sheet
            if not streamed.closed:
                streamed.close()
            streamed._writer.cleanup()

    def _write_about(self, found: Found) -> None:
        sheet, report, discom, span = self._about, self.about.report, self.about.discom, self.about.span
        for n, width in enumerate((28, 34, 10, 16, 80), 1):
            sheet.column_dimensions[get_column_letter(n)].width = width
        coverage = found.lowest_coverage_pct
        facts = {
            "DISCOM": f"{discom.name} ({discom.code})",
            "Period": f"{span.first:%d-%b-%Y} to {span.last:%d-%b-%Y}, business days" + (f", by {span.period}" if span.period else ""),
            "Grain": report.grain,
            "Formula": report.formula,
            "Requirement": report.requirement,
            "Rows": f"{found.rows:,}",
            "Lowest coverage": "unknown" if coverage is None else f"{coverage:.2f} %",
            "Generated at": stamp_text(self.about.generated_at, discom),
            "Data as of": stamp_text(found.data_as_of, discom),
            "Time zone": discom.timezone.key,
        }
        if report.unfed:
            facts["Empty because"] = report.unfed
        sheet.append([text_cell(report.name, Font(bold=True, size=14), sheet)])
        for name, fact in facts.items():
            sheet.append([text_cell(name, Font(bold=True), sheet), text_cell(fact, None, sheet)])
        sheet.append([])
        write_header(sheet, ["Column", "Name in other formats", "Unit", "Kind", "Meaning"])
        for c in report.columns:
            if c.name not in HIDDEN:
                kind = "time" if c.kind is Kind.STAMP else "number" if c.kind in (Kind.REAL, Kind.DECIMAL) else c.kind.value
                said = (c.heading, c.name, c.unit or "", kind, c.description)
                sheet.append([text_cell(x, None, sheet) for x in said])
