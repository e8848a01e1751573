"""The private words of a data set as fingerprints, so that a run can be searched for them without holding them.

``private.json`` stays in the run directory, readable by its owner alone, and is in no submission.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from s3harness.files import parse_json, write_text
from s3harness.guard.identifiers.own_words import OwnWords

FILE = "private.json"
FORM = 2
"""How words are compared; files of another form cannot be searched with and count as missing."""


@dataclass(frozen=True)
class PrivateWords(OwnWords):
    """Salted hashes of private words in every form that they are looked for in."""

    @classmethod
    def hashed(cls, words: Iterable[str]) -> PrivateWords:
        """Return the fingerprints of these words under a salt of their own."""
        # A salt for each run: without one, a list of names could be hashed once and tried on the files of all runs.
        own = OwnWords.of(words, secrets.token_hex(16))
        return cls(own.salt, own.keys, own.lengths)

    def write(self, directory: Path) -> None:
        """Write the fingerprints into a run directory, readable by its owner alone."""
        content = {"form": FORM, "salt": self.salt, "hashes": sorted(self.keys), "lengths": sorted(self.lengths)}
        write_text(directory / FILE, json.dumps(content) + "\n", is_private=True)

    @classmethod
    def read(cls, directory: Path) -> PrivateWords | None:
        """Return the fingerprints of a run directory; ``None`` if it has none that can be read."""
        try:
            data = parse_json((directory / FILE).read_text(encoding="utf-8"))
            is_current = data["form"] == FORM
            # Words of another form would be found nowhere, which would read as "nothing private in it".
            return cls(data["salt"], frozenset(data["hashes"]), frozenset(data["lengths"])) if is_current else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
