"""The private words of a data set as fingerprints, so that a run can be searched for them without holding them.

``private.json`` stays in the run directory, readable by its owner alone, and is in no submission.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from s3harness.run.manifest import write_text

FILE = "private.json"
MAX_WORDS = 12
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class PrivateWords:
    """Salted hashes of words and of phrases of words; ``lengths`` are how many words the phrases have."""

    salt: str
    hashes: frozenset[str]
    lengths: frozenset[int]

    @classmethod
    def of(cls, words: Iterable[str]) -> PrivateWords:
        """The fingerprints of these words. A path or a name of several words is found as a whole."""
        salt = secrets.token_hex(16)
        phrases = {phrase for word in words if (phrase := tuple(_split(word)))}
        kept = {phrase for phrase in phrases if len(phrase) <= MAX_WORDS and len("".join(phrase)) > 1}
        hashes = frozenset(_hash(salt, phrase) for phrase in kept)
        return cls(salt, hashes, frozenset(map(len, kept)))

    def are_in(self, text: str) -> bool:
        """Whether any of the words stands in a text, whatever stands between the parts of it."""
        words = list(_split(text))
        return any(
            _hash(self.salt, tuple(words[start : start + length])) in self.hashes
            for length in self.lengths
            for start in range(len(words) - length + 1)
        )

    def write(self, directory: Path) -> None:
        """Write them into a run directory."""
        path = directory / FILE
        content = {"salt": self.salt, "hashes": sorted(self.hashes), "lengths": sorted(self.lengths)}
        write_text(path, json.dumps(content) + "\n", is_private=True)

    @classmethod
    def read(cls, directory: Path) -> PrivateWords | None:
        """Those of a run directory; ``None`` if there are none to be read."""
        try:
            data = json.loads((directory / FILE).read_text(encoding="utf-8"))
            return cls(data["salt"], frozenset(data["hashes"]), frozenset(data["lengths"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _split(text: str) -> Iterator[str]:
    return (match[0].casefold() for match in _WORD.finditer(text))


def _hash(salt: str, phrase: tuple[str, ...]) -> str:
    return hashlib.blake2b("\0".join((salt, *phrase)).encode(), digest_size=10).hexdigest()
