"""The HTML report of a run: one file that opens offline."""

from __future__ import annotations

from s3harness.report.page.write import ReportSources, write_report

__all__ = ["ReportSources", "write_report"]
