"""``diagnosis.json`` of a run directory: what the two-stage diagnosis made of its answers, for the report to show."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.files import parse_json, write_json
from s3harness.rundir.journal import FILE as JOURNAL

FILE = "diagnosis.json"


def write_diagnosis(run: Path, found: Mapping[str, Any]) -> None:
    """Keep what was found (as ``s3harness diagnose --json`` prints a source), bound to the answers it rests on."""
    write_json(run / FILE, {"answers_sha256": _digest(run), **found})


def read_diagnosis(run: Path) -> Mapping[str, Any] | None:
    """What was kept; ``None`` if there is nothing, or if it rests on other answers than the run has now."""
    try:
        found: Mapping[str, Any] = parse_json((run / FILE).read_text(encoding="utf-8"))
        return found if found["answers_sha256"] == _digest(run) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(run: Path) -> str:
    return hashlib.sha256((run / JOURNAL).read_bytes()).hexdigest()
