"""``diagnosis.json`` of a run directory: the results of the two-stage diagnosis, for the run's report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.files import parse_json, write_json
from s3harness.rundir.journal import FILE as JOURNAL

FILE = "diagnosis.json"


def write_diagnosis(run: Path, result: Mapping[str, Any]) -> None:
    """Write a result (as ``s3harness diagnose --json`` prints a source), with the digest of the run's answers."""
    # A run that is resumed or answered anew would otherwise show a diagnosis of answers that it no longer has.
    write_json(run / FILE, {"answers_sha256": _digest(run), **result})


def read_diagnosis(run: Path) -> Mapping[str, Any] | None:
    """Return the result; ``None`` if there is none, or if the run's answers have changed since."""
    # Unreadable is as good as none: a report is written without this part, and diagnose writes it again.
    try:
        result: Mapping[str, Any] = parse_json((run / FILE).read_text(encoding="utf-8"))
        return result if result["answers_sha256"] == _digest(run) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(run: Path) -> str:
    return hashlib.sha256((run / JOURNAL).read_bytes()).hexdigest()
