"""Structures extracted by an LLM: the JSON of the authors' released extractions, which an LLM judge returns too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from s3harness.errors import DatasetError
from s3harness.files import parse_json
from s3harness.metrics.rqi.structure import ReportStructure

_FIELDS = ("structural_completeness", "event_sequence", "localizing_features", "content_analysis")


def released_structure(row: Mapping[str, str]) -> ReportStructure:
    """Return the structure in a row of a released ``…_modified.csv``: four columns of JSON and ``report_length``.

    Events stay as they are, repeats and unknown words included. Raises :class:`DatasetError` naming the column.
    """
    components, events, laterality, content = (_column(row, name) for name in _FIELDS)
    return extracted_structure(
        {
            "structural_completeness": components,
            "event_sequence": events,
            "key_localizing_features": laterality,
            "content_analysis": content,
        },
        words=_words(row),
    )


def extracted_structure(reply: Mapping[str, object], words: int) -> ReportStructure:
    """Return a structure from the reply's fields; a field that is missing or of another type is empty."""
    # Tolerant, as released extractions lack fields where the report has nothing for them.
    content = _mapping(reply.get("content_analysis"))
    return ReportStructure(
        components=frozenset(_strings(reply.get("structural_completeness"))),
        events=_strings(reply.get("event_sequence")),
        laterality={key: str(value) for key, value in _mapping(reply.get("key_localizing_features")).items()},
        off_topic=bool(content.get("includes_non_seizure")),
        hazardous=bool(content.get("has_safety_issues")),
        words=words,
    )


def _column(row: Mapping[str, str], name: str) -> object:
    try:
        return parse_json(row[name])
    except KeyError:
        raise DatasetError(f"column {name!r} is missing; expected {', '.join(_FIELDS)}") from None
    except ValueError as error:
        raise DatasetError(f"column {name!r}: not JSON: {error}") from None


def _words(row: Mapping[str, str]) -> int:
    cell = row.get("report_length") or "0"
    try:
        # Through float: pandas writes whole numbers as 57.0 in a column with gaps.
        return int(float(cell))
    except (ValueError, OverflowError):
        raise DatasetError(f"column 'report_length': {cell[:40]!r} is not a number of words") from None


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
