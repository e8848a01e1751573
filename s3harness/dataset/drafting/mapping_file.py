"""The drafted mapping as a commented YAML file, and the table of what was understood."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.dataset.drafting.draft import draft_mapping
from s3harness.dataset.drafting.findings import CUT, Draft, Finding
from s3harness.dataset.importing.annotations import AnnotationImporter, table_of
from s3harness.dataset.importing.choice import importer_for
from s3harness.dataset.importing.mapping import code
from s3harness.dataset.importing.source_table import SourceTable, read_tables
from s3harness.errors import UsageError
from s3harness.files import write_text
from s3harness.plugins.manager import load

HEAD = """\
# Drafted by s3harness data mapping. Read it, correct what is wrong, and set confirmed to true; or import with
# --confirmed and the code that was printed. Lines with "confirm" are likely and not sure.
schema: s3harness/mapping/v1
confirmed: false
"""
NOUNS = {"understood": "understood", "confirm": "to confirm", "not understood": "not understood"}
"""Status of a finding → its noun in a sentence."""
TRUTH_VALUES = ("yes", "no", "on", "off", "y", "n", "true", "false", "null")
"""Words that YAML reads as something else where they stand without quotes."""
ORDER = (
    "language",
    "sheet",
    "encoding",
    "header_row",
    "fill_down",
    "video",
    "patient",
    "event",
    "part",
    "cut_s",
    "camera",
    "date",
    "date_order",
    "recording_start",
    "onset",
    "offset",
    "onset_body_part",
    "report",
    "split",
    "diagnosis",
    "sign",
    "features",
    "unlisted",
    "unlisted_untested",
    "repeats",
    "words",
    "ignore",
)
"""Keys of a mapping in the order of the file."""


def draft_file(source: Path, out: Path, *, encoding: str = "", importer: str = "") -> tuple[list[Finding], str]:
    """Write the draft of a mapping for a source; return what was understood and not, and the code of the draft.

    Raises :class:`UsageError` if the file exists, if the source is no table, or if no column has the videos.
    """
    if out.exists():
        raise UsageError(f"{out} exists; choose another --out")
    table, draft = draft_mapping(_tables(source, encoding, importer))
    if "video" not in draft.mapping:
        columns = ", ".join(filter(None, table.header)) or "none"
        raise UsageError(f"{table.name}: no column has names of video files; its columns: {columns}")
    if encoding:
        draft.mapping["encoding"] = encoding
    if ", sheet " in table.name:
        draft.mapping["sheet"] = table.name.rpartition(", sheet ")[2]
    _add_language(draft, table)
    write_text(out, yaml_text(draft))
    return draft.findings, code(out)


def yaml_text(draft: Draft) -> str:
    """Return a drafted mapping as YAML, with a comment where something is to be confirmed."""
    doubts = {(one.what, one.word): one for one in draft.findings if one.status != "understood"}
    of_rows = {key: one for one in draft.findings if one.status != "understood" for key in _keys_of(one)}
    lines = [HEAD]
    for key in (key for key in ORDER if key in draft.mapping):
        note = of_rows.get(key)
        lines.append(f"{_comment(note)}{''.join(_entry(key, draft.mapping[key], 0, doubts))}")
    return "".join(lines)


def summary(findings: Sequence[Finding]) -> str:
    """Return how much was understood, in a sentence."""
    counts = Counter(finding.status for finding in findings)
    return (
        f"{counts['understood']} understood, {counts['confirm']} to confirm, {counts['not understood']} not understood"
    )


def _tables(source: Path, encoding: str, importer: str) -> list[SourceTable]:
    name = importer or importer_for(source)
    if name == "table":
        return read_tables(source, encoding=encoding)
    reader = load("dataset", name)
    if not isinstance(reader, AnnotationImporter):
        raise UsageError(f"the importer {name} needs no mapping: s3harness data import {name} {source}")
    return [table_of(source.name, reader.read(source).annotations)]


def _add_language(draft: Draft, table: SourceTable) -> None:
    """Add the language of the reports, where there are any."""
    from s3harness.language import language_of

    if "report" in draft.mapping:
        language = language_of(" ".join(table.values(draft.mapping["report"])[:200]))
        if language:
            draft.mapping["language"] = language
            draft.note("reports", draft.mapping["report"], f"language {language}", "confirm", "by their words")


def _keys_of(finding: Finding) -> tuple[str, ...]:
    if finding.what == "rows":
        by_word = {CUT: "cut_s", "empty cells": "fill_down", "several rows of a sign in a video": "repeats"}
        return (by_word.get(finding.word, "unlisted"),)
    return {"dates": ("date_order",), "times": ("onset",), "reports": ("language",)}.get(finding.what, ())


def _entry(key: str, value: Any, depth: int, doubts: Mapping[tuple[str, str], Finding]) -> Iterator[str]:
    """Yield the lines of one entry of a mapping."""
    indent = "  " * depth
    if isinstance(value, Mapping) and (depth == 0 or not _is_short(value)):
        yield f"{indent}{_scalar(key)}:\n"
        for inner, one in value.items():
            yield from _entry(inner, one, depth + 1, doubts)
        return
    text = _flow(value)
    columns = value if isinstance(value, list) else [value, key]
    doubt = next((one for (_, word), one in doubts.items() if word in columns), None)
    yield f"{indent}{_scalar(key)}: {text}{_remark(doubt)}\n"


def _is_short(value: Mapping[str, Any]) -> bool:
    return all(isinstance(one, str) for one in value.values()) and "sign" in value


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    text = str(value)
    if isinstance(value, int):
        return text
    # A word of a table may be a truth value, a number or a sign of YAML's.
    is_plain = text.isascii() and text.replace("_", "").isalpha() and text.lower() not in TRUTH_VALUES
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _comment(finding: Finding | None) -> str:
    return f"# confirm: {finding.meaning}: {finding.why}\n" if finding is not None else ""


def _remark(finding: Finding | None) -> str:
    if finding is None:
        return ""
    return f"  # {finding.status}{': ' + finding.why if finding.why else ''}"
