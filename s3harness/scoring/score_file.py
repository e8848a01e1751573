"""Reading of ``scores.json``. Apart from scoring, whose libraries take half a second to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.types import FloorTest, Interval, Score

FILE = "scores.json"


def read_scores(directory: Path) -> list[Score]:
    """Read the scores of a run directory; raise :class:`UsageError` if there are none."""
    path = directory / FILE
    try:
        return [score_of(row) for row in parse_json(path.read_text(encoding="utf-8"))["scores"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: no scores can be read; run s3harness score {directory} first") from error


def score_of(row: Mapping[str, Any]) -> Score:
    """Return a score from its JSON; raise ``KeyError`` or ``TypeError`` if it is malformed."""
    floor_test = dict(row["floor_test"]) if row.get("floor_test") else None
    if floor_test:
        floor_test["interval"] = _interval_of(floor_test["interval"])
    # skill is computed from the rest, and written for those who read the file without this package.
    fields_of_score = {key: value for key, value in row.items() if key != "skill"}
    fields_of_score["interval"] = _interval_of(row["interval"])
    fields_of_score["floor_test"] = FloorTest(**floor_test) if floor_test else None
    return Score(**fields_of_score)


def _interval_of(row: Mapping[str, Any] | None) -> Interval | None:
    return Interval(**row) if row else None
