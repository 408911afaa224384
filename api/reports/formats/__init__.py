"""The formats that a report is written in, by the name that is asked for. All take the same rows, in one pass."""

from __future__ import annotations

from importlib import import_module

from api.reports.catalogue import ReportError
from api.reports.formats.writer import Writer

FORMATS = {
    "xlsx": ("api.reports.formats.xlsx_file", "XlsxFile"),
    "csv": ("api.reports.formats.csv_file", "CsvFile"),
    "json": ("api.reports.formats.json_file", "JsonFile"),
    "xml": ("api.reports.formats.xml_file", "XmlFile"),
    "pdf": ("api.reports.formats.pdf_file", "PdfFile"),
    "parquet": ("api.reports.formats.parquet_file", "ParquetFile"),
}
"""Name, which also ends the file's name, and the writer. What a format needs is loaded when it is asked for."""


def writer(name: str) -> type[Writer]:
    """Raises ReportError for a format that there is not."""
    if name not in FORMATS:
        raise ReportError(f"no report is written as {name!r}: choose of {', '.join(FORMATS)}")
    module, of = FORMATS[name]
    found: type[Writer] = getattr(import_module(module), of)
    return found
