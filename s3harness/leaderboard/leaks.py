"""Search for private content in every string of a submission, and of the pages made from a run.

It finds the data set's own private words and everything that looks like an identifier (:mod:`s3harness.guard`). Fields
that can only hold a hash or a number of this package's are skipped; all others are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser

from s3harness.files import parse_json
from s3harness.guard.identifiers.kinds import KINDS, Identifier
from s3harness.guard.identifiers.own_words import OwnWords
from s3harness.guard.identifiers.search import Search, fingerprint
from s3harness.leaderboard.findings import AuditFinding
from s3harness.leaderboard.folder import DOCUMENTS, MANIFEST, Folder
from s3harness.leaderboard.safe_json import place, walk

LEAK = "leak"
REVIEW = "review"

_HASH = re.compile(r"[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{20}|[0-9a-f]{64}")
_HASHED = {
    "id",
    "media",
    "sha256",
    "media_sha256",
    "fingerprint",
    "answers_sha256",
    "items_sha256",
    "requests",
    "files",
    "revision",
    "reviewed",
}
_NAMED = {"weights", "licence", "spec", "scorer", "versions", "plugins", "schema", "environment"}
"""Keys of values that other checks cover: the schema's patterns, and the comparison of specs with the benchmark's."""


@dataclass(frozen=True, slots=True)
class _Text:
    file: str
    line: str
    where: tuple[str | int, ...]
    text: str


def find_leaks(folder: Folder, search: Search) -> list[AuditFinding]:
    """Return every leak of a submission; the messages give kind and place, never the text.

    A likely leak that is not reviewed has the kind :data:`REVIEW`, a certain one :data:`LEAK`.
    """
    # One finding per place and kind: a report may name a patient in every sentence.
    findings: dict[tuple[str, str, str], AuditFinding] = {}
    for piece in _texts(folder):
        for one in _identifiers(piece, search):
            where = ":".join(part for part in (piece.line, place(piece.where)) if part)
            findings.setdefault((piece.file, where, one.kind), _finding(piece.file, where, one))
    return list(findings.values())


def search_of(folder: Folder, words: OwnWords | None = None) -> Search:
    """Return the search for a submission, without the texts that its submitter has reviewed as harmless."""
    check = folder.about["leak_check"]
    return Search(words, check["allowed"], check.get("reviewed", ()))


def likely_fingerprints(folder: Folder, search: Search) -> set[str]:
    """Return the fingerprints of a submission's likely identifiers, for a person to confirm as harmless."""
    return {
        fingerprint(piece.text, one)
        for piece in _texts(folder)
        for one in _identifiers(piece, search)
        if one.tier == "likely"
    }


def _identifiers(piece: _Text, search: Search) -> Iterator[Identifier]:
    """Yield the identifiers of a text; a submitter and a model's title may look like a person's name or a place."""
    # A submitter gives a name on purpose; other identifiers in these fields still count.
    is_name = piece.file in DOCUMENTS and piece.where[-1:] and piece.where[-1] in _OWN_NAMES
    return (one for one in search(piece.text) if not (is_name and one.kind in ("name", "place")))


_OWN_NAMES = ("submitter", "title")


def page_leaks(name: str, page: str, search: Search) -> Iterator[AuditFinding]:
    """Yield the leaks of a page: in its visible text, in attributes, and in the data of its scripts."""
    kinds: dict[str, Identifier] = {}
    for text in page_texts(page):
        for one in search(text):
            kinds.setdefault(one.kind, one)
    yield from (_finding(name, "", one) for one in kinds.values())


def page_texts(page: str) -> set[str]:
    """Return the texts of a page, without code of styles and scripts; of a file that is no page, its lines."""
    if not page.lstrip().startswith("<"):
        return set(page.splitlines())
    reader = _PageReader()
    reader.feed(page)
    reader.close()
    return reader.texts


class _PageReader(HTMLParser):
    """Parser that collects the text of a page as a person reads it, and every string in its JSON data."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: set[str] = set()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = ("json" if ("type", "application/json") in attrs else tag) if tag in _NO_TEXT else self._inside
        self.texts |= {value for name, value in attrs if value and name in _ATTRIBUTES}

    def handle_endtag(self, tag: str) -> None:
        if tag in _NO_TEXT:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            # A page of another program may hold JSON that does not parse; pages of this package do not.
            with suppress(ValueError):
                self.texts |= {text for _, text in walk(parse_json(data))}
        elif not self._inside and data.strip():
            self.texts.add(data.strip())


_NO_TEXT = ("script", "style")
_ATTRIBUTES = ("title", "alt", "content", "aria-label", "value", "href")


def _finding(file: str, where: str, one: Identifier) -> AuditFinding:
    if one.tier == "certain":
        return AuditFinding(file, where, LEAK, f"holds {KINDS[one.kind]}")
    return AuditFinding(file, where, REVIEW, f"may hold {KINDS[one.kind]}; please review")


def _texts(folder: Folder) -> Iterable[_Text]:
    for name, document in folder.documents.items():
        yield from _pieces(name, "", document)
    for name, lines in folder.tables.items():
        for number, line in enumerate(lines, start=1):
            yield from _pieces(name, str(number), line)


def _pieces(name: str, line: str, value: object) -> Iterator[_Text]:
    for where, text in walk(value):
        if not _is_ours(name, where, text):
            yield _Text(name, line, where, text)


def _is_ours(name: str, where: tuple[str | int, ...], text: str) -> bool:
    keys = {part for part in where if isinstance(part, str)}
    # The key alone is not enough: a name could be put where a hash belongs.
    if keys & _HASHED and _HASH.fullmatch(text):
        return True
    if name in DOCUMENTS and keys & _NAMED:
        # Options of a backend are free text, also where one of them is called "weights".
        return name != MANIFEST or not keys & {"options"}
    return False
