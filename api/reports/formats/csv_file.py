"""CSV (RFC 4180, UTF-8): the columns' names, then the rows. Stamps are ISO 8601 with the DISCOM's offset, a missing value is empty."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from api.reports.catalogue import Kind
from api.reports.formats.writer import About, Found, Row, Writer, conversions, converted, iso, plain, real

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula."""


def harmless(text: str) -> str:
    """A text that a spreadsheet would run gets an apostrophe before it: OWASP's rule for CSV."""
    return "'" + text if text.startswith(FORMULA) else text


class CsvFile(Writer):
    """One file, streamed."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        columns = about.report.columns
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow(c.name for c in columns)
        self._conversions = conversions(
            columns,
            {
                Kind.TEXT: harmless,
                Kind.DECIMAL: plain,
                Kind.REAL: real,
                Kind.BOOLEAN: lambda v: "true" if v else "false",
                Kind.STAMP: iso(about.discom.timezone),
            },
        )

    def add(self, rows: Sequence[Row]) -> None:
        self._csv.writerows(converted(row, self._conversions) for row in rows)

    def close(self, found: Found) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()
