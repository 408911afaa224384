"""Standard reports: the catalogue (from the dbt project), their rows, and their export as a workbook and a page.

No figure is computed here that a report has; what is summed for the page is summed from the report's own rows.
"""

from api.reports.catalogue import Column, Report, ReportError, catalogue, report
from api.reports.render import export
from api.reports.repository import ReportTable, read_report

__all__ = ["Column", "Report", "ReportError", "ReportTable", "catalogue", "export", "read_report", "report"]
