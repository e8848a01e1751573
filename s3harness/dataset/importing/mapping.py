"""Mappings: YAML files that give the meaning of a table's columns and words, confirmed by a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from s3harness.dataset.importing.source_table import SourceTable, read_tables
from s3harness.errors import UsageError, suggest
from s3harness.specs.document import Document, Place, read_document, validate
from s3harness.specs.features import vocabulary

IGNORE, SEIZURE = "ignore", "seizure"
"""Meanings of a word for a sign that is left out, and of one for the event itself: its times are onset and offset."""
UNKNOWN = "unknown"
"""Meaning of a word for a diagnosis that is not known."""
FACTS = ("schema", "name", "version", "licence", "language", "date_order", "unlisted", "repeats", "sheet", "encoding")
"""Texts of a mapping that name no column."""
WORDS = ("words", "values", "vocabulary", "ignore", "keep", "unlisted_untested")


def read_mapping(path: Path, confirmed: str = "") -> Document:
    """Return a mapping; :class:`SpecError` if it is wrong, :class:`UsageError` if nobody has confirmed it yet.

    ``confirmed`` is the :func:`code` of a drafted mapping, by which a person confirms this very file.
    """
    document = read_document(path)
    validate(document, "mapping")
    check_signs(document)
    if document.data.get("confirmed", True) is not True and confirmed != code(path):
        raise UsageError(
            f"{path.name} is a draft that nobody has confirmed: read it, correct it, and set confirmed: true in it, or "
            f"import with --confirmed {code(path)}"
        )
    return document


def code(path: Path) -> str:
    """Return the code of a mapping's content, by which a person confirms having read it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def check_signs(mapping: Document) -> None:
    """Raise :class:`SpecError` if a mapping names a sign that the benchmark does not have."""
    known = (*vocabulary().names, *vocabulary().signs)
    signs: list[tuple[Place, str]] = [(("features", name), name) for name in mapping.data.get("features", {})]
    words = mapping.data.get("sign", {}).get("vocabulary", {})
    meanings = {word: meaning if isinstance(meaning, str) else meaning["sign"] for word, meaning in words.items()}
    special = (IGNORE, SEIZURE)
    signs += [(("sign", "vocabulary", word), name) for word, name in meanings.items() if name not in special]
    for where, name in signs:
        if name not in known:
            raise mapping.error(where, f"there is no sign named {name!r}{suggest(name, known)}")


def standard_mapping(table: SourceTable) -> Mapping[str, Any]:
    """Return the mapping of a table whose columns have the names of the fields of annotations."""
    plain = ("video", "patient", "onset", "offset", "onset_body_part", "report", "split")
    mapping: dict[str, Any] = {name: name for name in plain if name in table.header}
    if "diagnosis" in table.header:
        mapping["diagnosis"] = {"column": "diagnosis"}
    if "sign" in table.header:
        of_sign = ("present", "start", "end", "side", "certainty", "justification")
        mapping["sign"] = {"column": "sign"} | {name: name for name in of_sign if name in table.header}
    return mapping


def mapped_table(source: Path, encoding: str, mapping: Document) -> SourceTable:
    """Return the table of a file in which most columns of a mapping stand; :class:`SpecError` if one is missing."""
    data = mapping.data
    tables = read_tables(
        source,
        encoding=encoding or data.get("encoding", ""),
        sheet=data.get("sheet", ""),
        header_row=data.get("header_row", 0),
    )
    named = dict(columns(data, ()))
    # German Excel writes semicolons, and a workbook has other sheets.
    table = max(tables, key=lambda table: sum(column in table.header for column in named.values()))
    for where, column in named.items():
        if column not in table.header:
            raise mapping.error(where, f"the table has no column {column!r}{suggest(column, table.header)}")
    return table


def columns(mapping: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
    """Yield every column that a mapping names, with its place in the mapping."""
    for key, value in mapping.items():
        # Words of cells and facts of the data set are texts in a mapping, too, but no columns.
        if key in WORDS or (not where and key in FACTS):
            continue
        if isinstance(value, str):
            yield (*where, key), value
        elif isinstance(value, Mapping):
            yield from columns(value, (*where, key))
        elif isinstance(value, list):
            for number, column in enumerate(value):
                yield (*where, key, number), column
