"""Replacement of identifiers in the texts of a data set: proposed in a table, which a person reads and confirms.

The table stands in ``private/``, because it holds the identifiers; so do the texts as they were.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import search_of
from s3harness.dataset.tables import FEATURES, REPORTS, Row, read_table, write_table
from s3harness.errors import DatasetError, UsageError
from s3harness.files import write_text
from s3harness.guard.identifiers.kinds import Identifier
from s3harness.guard.identifiers.search import Search, fingerprint
from s3harness.guard.identifiers.vocabulary import is_ordinary
from s3harness.guard.review import code_of, confirm, folder_of_dataset

PROPOSALS = Path("private") / "deidentification.csv"
COLUMNS = ("decision", "text", "replacement", "kind", "tier", "times", "context")
TEXTS = (("reports.csv", REPORTS, "report"), ("features.csv", FEATURES, "justification"))
"""Tables with free text, their columns, and the column of the text."""
REPLACE, KEEP = "replace", "keep"
CONTEXT = 40
"""Characters on each side of an identifier in the table of proposals."""
MIN_NAME = 3
"""Letters of a word of a name that is replaced wherever it stands."""
PLACEHOLDERS = {"private": "[name]", "time of day": "[time]", "path": "[file]", "place": "[place]", "media": "[data]"}
"""Kind of identifier → its replacement; of other kinds, the kind in brackets."""
OF_PEOPLE = ("name", "private")

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One identifier, wherever it stands: its text, its replacement, and a place where it stands."""

    decision: str
    text: str
    replacement: str
    kind: str
    tier: str
    times: int
    context: str


@dataclass(frozen=True, slots=True)
class Deidentified:
    """Result of confirmed proposals: numbers of replacements and of confirmed texts, and identifiers still there."""

    replaced: int
    kept: int
    still_open: int


def propose(directory: Path) -> tuple[list[Proposal], str]:
    """Write a proposal for every identifier in the texts of a data set; return them, and the code of the table."""
    search = search_of(directory, load_dataset(directory).videos)
    proposals: dict[tuple[str, str], Proposal] = {}
    for _, _, text in _texts(directory):
        for one in search(text):
            key = (one.kind, text[one.start : one.end])
            known = proposals.get(key)
            proposals[key] = replace(known, times=known.times + 1) if known else _proposal(text, one)
    ordered = sorted(proposals.values(), key=lambda one: (one.tier, one.kind, one.text))
    rows = ({column: getattr(one, column) for column in COLUMNS} for one in ordered)
    (directory / PROPOSALS).parent.mkdir(mode=0o700, exist_ok=True)
    write_table(directory / PROPOSALS, COLUMNS, rows)
    (directory / PROPOSALS).chmod(0o600)
    return ordered, _code(directory)


def apply_proposals(directory: Path, code: str) -> Deidentified:
    """Replace what the table of proposals says, and confirm as harmless what it keeps; return what was done.

    ``code`` is that of the table as it is now, by which a person confirms having read it. Raises :class:`UsageError`
    for another code and :class:`DatasetError` for a table that is wrong. The texts as they were are kept in
    ``private/``.
    """
    proposals = _confirmed(directory, code)
    dataset = load_dataset(directory)
    search = search_of(directory, dataset.videos)
    texts = {one.text: one.replacement for one in proposals if one.decision == REPLACE}
    names = {w: one.replacement for one in proposals if one.decision == REPLACE for w in _name_words(one)}
    kept = {one.text for one in proposals if one.decision == KEEP}

    def change(text: str) -> tuple[str, int]:
        return _replaced(text, search, texts, names)

    replaced = sum(_rewrite(directory, file, columns, column, change) for file, columns, column in TEXTS)
    # After the replacements: a confirmation is about the text around, too.
    reviewed = {
        fingerprint(text, one)
        for _, _, text in _texts(directory)
        for one in search(text)
        if one.tier == "likely" and text[one.start : one.end] in kept
    }
    if reviewed:
        folder = folder_of_dataset(directory)
        confirm(folder, reviewed, code_of(reviewed))
    again = search_of(directory, dataset.videos)
    still_open = sum(len(again(text)) for _, _, text in _texts(directory))
    return Deidentified(replaced, len(reviewed), still_open)


def _proposal(text: str, one: Identifier) -> Proposal:
    around = text[max(0, one.start - CONTEXT) : one.end + CONTEXT]
    return Proposal(
        decision=REPLACE,
        text=text[one.start : one.end],
        replacement=PLACEHOLDERS.get(one.kind, f"[{one.kind}]"),
        kind=one.kind,
        tier=one.tier,
        times=1,
        context=" ".join(around.split()),
    )


def _texts(directory: Path) -> Iterator[tuple[Row, str, str]]:
    """Yield row, column and text of every free text of a data set."""
    for file, columns, column in TEXTS:
        for row in read_table(directory / file, columns, (), []) if (directory / file).is_file() else ():
            yield row, column, row[column]


def _code(directory: Path) -> str:
    return hashlib.sha256((directory / PROPOSALS).read_bytes()).hexdigest()[:8]


def _confirmed(directory: Path, code: str) -> list[Proposal]:
    path = directory / PROPOSALS
    if not path.is_file():
        raise UsageError(f"{path} is missing: make it with s3harness data deidentify {directory}")
    if code != _code(directory):
        raise UsageError(
            f"{code} is not the code of {path}, which is {_code(directory)} now: read the table, then confirm that code"
        )
    problems: list[object] = []
    proposals = []
    for row in read_table(path, COLUMNS, ("decision", "text", "replacement"), []):
        if row["decision"] not in (REPLACE, KEEP):
            problems.append(row.problem("decision", f"{row['decision']!r} is not {REPLACE} or {KEEP}"))
        elif row["decision"] == KEEP and row["tier"] == "certain":
            problems.append(row.problem("decision", f"a {row['kind']} of this form cannot be kept; write {REPLACE}"))
        cells = {column: row[column] for column in COLUMNS if column != "times"}
        proposals.append(Proposal(**cells, times=0))
    if problems:
        raise DatasetError("\n".join(map(str, problems)))
    return proposals


def _name_words(one: Proposal) -> list[str]:
    """Return the words of a person's name, which are replaced wherever they stand."""
    if one.kind not in OF_PEOPLE:
        return []
    return [w for w in _WORD.findall(one.text) if len(w) >= MIN_NAME and w[0].isupper() and not is_ordinary(w)]


def _replaced(text: str, search: Search, texts: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, int]:
    """Return a text with its identifiers replaced, and their number."""
    number = 0
    # From the end, so that the places before stay as they are.
    for one in reversed(search(text)):
        replacement = texts.get(text[one.start : one.end])
        if replacement is not None:
            text, number = text[: one.start] + replacement + text[one.end :], number + 1
    for name, replacement in names.items():
        # Of a name that was once behind a title, every other place tells who it is.
        text, more = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", replacement.replace("\\", r"\\"), text)
        number += more
    return text, number


def _rewrite(
    directory: Path, file: str, columns: tuple[str, ...], column: str, change: Callable[[str], tuple[str, int]]
) -> int:
    """Rewrite the texts of a table; return the number of replacements. The table as it was is kept in private/."""
    path = directory / file
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8-sig", newline="") as table:
        reader = csv.DictReader(table)
        header, rows = list(reader.fieldnames or columns), list(reader)
    total = 0
    for row in rows:
        row[column], number = change(row[column] or "")
        total += number
    if total:
        kept = directory / "private" / f"identified_{file}"
        # The first one only: a second round must not overwrite what came from the hospital.
        if not kept.exists():
            write_text(kept, "", is_private=True)
            shutil.copyfile(path, kept)
        write_table(path, header, rows)
    return total
