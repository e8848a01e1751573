"""What may not leave the building: looked for in every string of a submission.

Two searches: for the data set's own private words (patients, file names, paths), and for what looks like a path, a
date, a name, an address, a long number, a key or media. Fields that can only hold a hash or a number of ours are passed
over; anything else is looked into, so that whatever is doubtful is found rather than missed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from s3harness.leaderboard.findings import Finding
from s3harness.leaderboard.folder import DOCUMENTS, MANIFEST, Folder
from s3harness.leaderboard.safe_json import place, walk
from s3harness.run.private import PrivateWords

_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zé]{0,7}\.?"
_NAME = r"[A-ZÀ-Þ][a-zà-ÿ'’-]{1,30}"
KINDS: Mapping[str, re.Pattern[str]] = {
    "media": re.compile(r"data:[\w.+-]+/[\w.+-]+|[A-Za-z0-9+/_-]{160,}={0,2}"),
    "address": re.compile(
        r"\b(?:https?|ftp|s3|gs|smb|file|ssh)://\S+|\bwww\.\S+|\b(?:\d{1,3}\.){3}\d{1,3}\b|"
        r"\b[\w-]+(?:\.[\w-]+)*\.(?:local|lan|internal|intranet|corp|home)\b",
        re.IGNORECASE,
    ),
    "e-mail": re.compile(r"[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+\.[\w.-]+", re.IGNORECASE),
    "path": re.compile(
        r"(?<![\w.])(?:~?/[\w.@%+-]+){2,}/?|(?<!\w)~/\S+|(?<!\w)[A-Za-z]:\\\S+|\\\\[\w.-]+\\\S+|"
        r"(?<!\w)/(?:home|mnt|data|media|srv|users|root|tmp|var|opt|nas)\b|"
        r"(?<!\w)\.\.?/\S+|"
        r"\b[\w-]+\.(?:mp4|mov|avi|mkv|wmv|mpe?g|m4v|mts|m2ts|vob|webm|dcm|edf|bdf|wav|mp3|csv|xlsx?|docx?|pdf|jpe?g|png)\b",
        re.IGNORECASE,
    ),
    "date": re.compile(
        r"\b(?:19|20)\d\d[-/._ ](?:0?[1-9]|1[0-2])[-/._ ](?:0?[1-9]|[12]\d|3[01])\b|"
        r"\b(?:0?[1-9]|[12]\d|3[01])[-/._](?:0?[1-9]|[12]\d|3[01])[-/._](?:19|20)?\d\d\b|"
        r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)|"
        rf"\b\d{{1,2}}(?:st|nd|rd|th)?\.?\s(?:of\s)?{_MONTH}(?:,?\s(?:19|20)\d\d)?\b|"
        rf"\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s(?:19|20)\d\d)?\b|\b{_MONTH}\s(?:19|20)\d\d\b|"
        r"\b(?:born|dob|birth\w*)\W{1,3}(?:in\s|on\s)?\S*\d",
        re.IGNORECASE,
    ),
    "name": re.compile(
        rf"\b(?:Dr|Mr|Mrs|Ms|Miss|Prof|Herr|Frau|Professor|Doctor|Nurse|Sister)\b\.?\s{_NAME}|"
        rf"\b(?i:patient|name|named|called|pt|technician|operator|examiner)(?:\s(?i:name|is))?\s?[:=]\s?{_NAME}|"
        rf"\b(?i:named|called|by the name of)\s{_NAME}|"
        rf"\bpatient,?\s{_NAME}\s{_NAME}|"
        rf"\b{_NAME},\s{_NAME}\b(?=\s*(?:\(|,|;|$|\d))"
    ),
    "number": re.compile(
        r"(?<![\w.])\+?\d(?:[ ()/.-]{0,2}\d){6,}(?![\w])|"
        r"\b(?:mrn|ssn|nhs|id|case|chart|acc\w*)\W{0,3}[a-z]{0,3}\d{4,}\b",
        re.IGNORECASE,
    ),
    "key": re.compile(r"\b(?:sk|hf|ghp|gho|pk|xox[bp]|AKIA)[-_]?[A-Za-z0-9_-]{16,}|-----BEGIN|\bBearer\s\S{8,}"),
}

_HASH = re.compile(r"[0-9a-f]{12}|[0-9a-f]{20}|[0-9a-f]{64}")
_HASHED = {"id", "media", "sha256", "media_sha256", "fingerprint", "answers_sha256", "requests", "files", "revision"}
_NAMED = {"weights", "licence", "spec", "scorer", "versions", "plugins", "schema", "environment"}
"""Checked otherwise: against the schema, and a spec against the benchmark's own."""

_DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")


def leak_kinds(text: str) -> list[str]:
    """The kinds of leaks that a text looks to hold, whatever the data set."""
    plain = _DECIMAL.sub(_shorter, text)
    return [kind for kind, pattern in KINDS.items() if pattern.search(plain)]


@dataclass(frozen=True, slots=True)
class _Text:
    file: str
    line: str
    where: tuple[str | int, ...]
    text: str


def find_leaks(
    folder: Folder, words: Collection[str] = (), hashed: PrivateWords | None = None, allowed: Collection[str] = ()
) -> list[Finding]:
    """Every leak of a submission; the messages tell the kind and the place, never the text.

    ``words`` are looked for anywhere, case aside; ``hashed`` ones at the borders of words. ``allowed`` are exact pieces
    of text that somebody looked at and named as harmless.
    """
    search = _Search(words, hashed, allowed)
    found: dict[tuple[str, str, str], Finding] = {}
    for piece in _texts(folder):
        for kind in search.kinds(piece.text):
            where = ":".join(part for part in (piece.line, place(piece.where)) if part)
            found.setdefault((piece.file, where, kind), Finding(piece.file, where, "leak", f"holds {_ARTICLE[kind]}"))
    return list(found.values())


def holds_private(text: str, words: Collection[str], hashed: PrivateWords | None) -> bool:
    """Whether a text holds a private word of the data set."""
    return _Search(words, hashed, ()).is_private(text)


_ARTICLE = {
    "media": "what looks like media or encoded data",
    "address": "an address of a host",
    "e-mail": "an e-mail address",
    "path": "a path or a file name",
    "date": "a date",
    "name": "what looks like a person's name",
    "number": "a long number",
    "key": "a key or a token",
    "private": "a private word of the data set",
}


class _Search:
    """Remembers what it has seen: most texts of a run stand there many times."""

    def __init__(self, words: Collection[str], hashed: PrivateWords | None, allowed: Collection[str]) -> None:
        self._words = {word: word.casefold() for word in words if len(word) > 1}
        self._hashed = hashed
        self._allowed = [re.escape(text) for text in allowed if text]
        self._known: dict[str, tuple[str, ...]] = {}

    def is_private(self, text: str) -> bool:
        # A pattern of all words would be tried at every place of a text, and a large data set has thousands.
        folded = text.casefold()
        there = (word for word, as_folded in self._words.items() if as_folded in folded)
        is_there = any(re.search(_loosely(word), text, re.IGNORECASE) for word in there)
        return is_there or bool(self._hashed and self._hashed.are_in(text))

    def kinds(self, text: str) -> tuple[str, ...]:
        if text not in self._known:
            self._known[text] = tuple(self._found(text))
        return self._known[text]

    def _found(self, text: str) -> Iterator[str]:
        if self._allowed:
            text = re.sub("|".join(self._allowed), " ", text)
        if self.is_private(text):
            yield "private"
        yield from leak_kinds(text)


def _loosely(word: str) -> str:
    """A private word as it may be written: words that are short or of digits only stand alone, not inside others."""
    pattern = re.escape(word)
    return rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])" if len(word) < 6 or word.isdigit() else pattern


def _shorter(decimal: re.Match[str]) -> str:
    """Measured numbers have many digits and are no one's number."""
    whole, _, part = decimal[0].partition(".")
    return f"{whole}.{part[:1]}" if len(whole) < 6 else decimal[0]


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
    if keys & _HASHED and _HASH.fullmatch(text):
        return True
    if name in DOCUMENTS and keys & _NAMED:
        return name != MANIFEST or not keys & {"options"}
    return False
