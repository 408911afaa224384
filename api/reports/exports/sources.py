"""Who makes the files of which jobs. What a source needs is loaded when a job of it comes."""

from __future__ import annotations

from importlib import import_module

from api.reports.catalogue import ReportError
from api.reports.exports.model import Make

SOURCES = {
    "reports": "api.reports.of_catalogue:make",
}
"""Name of a source, as ops.report_export keeps it, and its `Make`."""


def maker(source: str) -> Make:
    """Raises ReportError for a source that there is not, as after an upgrade."""
    if source not in SOURCES:
        raise ReportError(f"nothing makes exports of {source!r} any more: ask for it anew")
    module, name = SOURCES[source].split(":")
    found: Make = getattr(import_module(module), name)
    return found
