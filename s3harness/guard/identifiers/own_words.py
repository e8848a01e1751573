"""Private words of a data set, searched for in texts in whatever form they are written.

A word is compared without case, accents, transliteration (ä, ae, a), format characters and separators, so that
``Müller, Anna`` is also found as ``ANNA_MUELLER``, ``Muller^Anna`` or ``m u l l e r``. Words are looked up by key, and
keys may be salted hashes: the time does not depend on how many words there are, and both ways find the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from s3harness.guard.identifiers.normalization import NormalText, fold, normalize
from s3harness.guard.identifiers.vocabulary import words, words_in_small_letters

MAX_PIECES = 16
"""Pieces of the longest phrase that is looked for: a path of many folders is found by its end."""
MAX_LENGTH = 120
SHORT = 6
"""Words with fewer characters, and numbers, are found only where they stand alone."""

_RUN = re.compile(r"\d+|[^\W\d_]+")
_MIN_STEM = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters or of digits of a text; ``is_glued`` if nothing stands between it and the run before."""

    start: int
    end: int
    text: str
    folded: str
    is_glued: bool


@dataclass(frozen=True)
class OwnWords:
    """Keys of private words, and the ``lengths`` of the words as compared; with a ``salt`` the keys are hashes."""

    salt: str
    keys: frozenset[str]
    lengths: frozenset[int]

    @classmethod
    def of(cls, private: Iterable[str], salt: str = "") -> OwnWords:
        """Return the keys of these words; words of one character are left out."""
        plain = {key for word in private for key in _keys_of(word)}
        return cls(salt, frozenset(_key(salt, key) for key in plain), frozenset(len(key) - 1 for key in plain))

    def are_in(self, text: str) -> bool:
        """Return whether any of the words stands in a text."""
        return next(self.find(normalize(text)), None) is not None

    def find(self, text: NormalText) -> Iterator[tuple[int, int]]:
        """Yield the places of the words in a normal form, the longest word at each place."""
        # Nothing to search for: the text is not even split.
        if not self.keys:
            return
        pieces = [*_pieces(text.text)]
        first = 0
        while first < len(pieces):
            last = self._longest(text.text, pieces, first)
            if last >= first:
                yield pieces[first].start, pieces[last].end
            first = max(last, first) + 1
        yield from self._spelled(pieces)

    def _longest(self, text: str, pieces: Sequence[Piece], first: int) -> int:
        """Return the index of the last piece of the longest word that begins with a piece; -1 if none does."""
        joined, is_glued, longest = "", True, -1
        longest_length = max(self.lengths)
        for last in range(first, min(len(pieces), first + MAX_PIECES)):
            is_glued = is_glued and (last == first or pieces[last].is_glued)
            joined += pieces[last].folded
            if len(joined) > longest_length:
                break
            # Lengths first: a hash is computed only where a word of this length exists.
            if len(joined) in self.lengths and self._has(("c" if is_glued else "s") + joined):
                window = pieces[first : last + 1]
                follower = pieces[last + 1] if last + 1 < len(pieces) else None
                if _may_stand(text, window, joined, follower):
                    longest = last
        return first if longest < 0 and self._is_inflected(pieces[first]) else longest

    def _is_inflected(self, piece: Piece) -> bool:
        """Return whether a piece is a private name with the ending of a case, as in German "Müllers"."""
        word = piece.folded
        # Without a capital letter it would be found in ordinary words: "kurzes" is no form of the name Kurz.
        if len(word) <= _MIN_STEM or piece.text.islower() or not piece.text.isalpha():
            return False
        stems = (word[: -len(ending)] for ending in words("case_endings") if word.endswith(ending))
        return any(
            len(stem) in self.lengths and (self._has(f"c{stem}") or self._has(f"n{stem}"))
            for stem in stems
            if len(stem) >= _MIN_STEM
        )

    def _spelled(self, pieces: Sequence[Piece]) -> Iterator[tuple[int, int]]:
        """Yield the places of words whose letters stand apart, as in "H u b e r"."""
        run: list[Piece] = []
        for piece in (*pieces, None):
            if piece is not None and len(piece.text) == 1 and piece.text.isalpha():
                run.append(piece)
                continue
            if len(run) >= 3 and self._has("c" + fold("".join(p.text for p in run))):
                yield run[0].start, run[-1].end
            run = []

    def _has(self, key: str) -> bool:
        return _key(self.salt, key) in self.keys


def _keys_of(word: str) -> Iterator[str]:
    """Yield the keys of a word: ``c`` and the word in one piece, ``s`` with separators, ``n`` for its stem."""
    pieces = [*_pieces(normalize(word).text)][-MAX_PIECES:]
    joined = "".join(piece.folded for piece in pieces)
    if not 1 < len(joined) <= MAX_LENGTH:
        return
    # Folded piece by piece and as a whole: a text may part the word elsewhere, and folding looks at neighbours.
    yield f"c{joined}"
    yield f"c{fold(''.join(piece.text for piece in pieces))}"
    is_apart = any(not piece.is_glued for piece in pieces[1:])
    # A short word of letters and digits, such as p17, would be found in "p. 17"; longer ones may have separators.
    if is_apart or (len(joined) >= SHORT and len(pieces) > 1):
        yield f"s{joined}"
    # Slavic endings take the place of the last vowel: Kowalska, Kowalską, Kowalskiej.
    if len(pieces) == 1 and joined.isalpha() and len(joined) > _MIN_STEM + 1 and joined[-1] in "aeiouy":
        yield f"n{joined[:-1]}"


def _may_stand(text: str, window: Sequence[Piece], joined: str, follower: Piece | None) -> bool:
    """Return whether pieces are the private word, and no part of another word, no decimal and no ordinary word."""
    first, last = window[0], window[-1]
    if joined.isdigit() and _is_decimal(text, first.start, last.end):
        return False
    if len(joined) < SHORT and (first.is_glued or (follower is not None and follower.is_glued)):
        return False
    # A patient called Kurz is found in "Herr Kurz", and not in "kurz danach".
    is_one_small_word = len(window) == 1 and first.text.islower()
    return not (is_one_small_word and joined in words_in_small_letters())


def _is_decimal(text: str, start: int, end: int) -> bool:
    # A record number of seven digits may be the fraction of a measured value.
    before = text[max(0, start - 2) : start]
    after = text[end : end + 2]
    return (len(before) == 2 and before[0].isdigit() and before[1] in ".,") or (
        len(after) == 2 and after[0] in ".," and after[1].isdigit()
    )


def _pieces(text: str) -> Iterator[Piece]:
    end = -1
    for run in _RUN.finditer(text):
        for start, stop in _humps(run):
            piece = text[start:stop]
            yield Piece(start, stop, piece, fold(piece), start == end)
            end = stop


def _humps(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the parts of a run of letters, divided before each capital letter that follows a small one."""
    letters = run[0]
    if letters.islower() or letters.isupper() or letters.isdigit():
        yield run.span()
        return
    cuts = [n for n, (a, b) in enumerate(pairwise(letters), start=1) if a.islower() and b.isupper()]
    yield from ((run.start() + a, run.start() + b) for a, b in pairwise((0, *cuts, len(letters))))


def _key(salt: str, key: str) -> str:
    return hashlib.blake2b(f"{salt}\0{key}".encode(), digest_size=10).hexdigest() if salt else key
