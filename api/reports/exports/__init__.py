"""Exports that take longer than a request may: jobs in ops.report_export, made by a worker, fetched by a signed link.

A part of the API that makes files has a line in `sources.SOURCES` and calls `service.submit`; all else is here.
"""

from api.reports.exports.model import Cut, Part, StoppedError, Work
from api.reports.exports.service import Asked, submit

__all__ = ["Asked", "Cut", "Part", "StoppedError", "Work", "submit"]
