"""Identifiers that a person confirmed as harmless, kept as digests: nobody is asked twice, and no text can be read.

``reviewed.json`` stands in the ``private/`` folder of a data set, or in a run directory, and is in no submission.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.files import parse_json

FILE = "reviewed.json"
PRIVATE = "private"


def folder_of_dataset(directory: Path) -> Path:
    """Return the folder of a data set's confirmations."""
    return directory / PRIVATE


def read_reviewed(folder: Path) -> frozenset[str]:
    """Return the confirmed fingerprints in a folder; none where there is no file that can be read."""
    # A damaged file counts as nothing confirmed: the person is asked again, and nothing goes out unseen.
    try:
        return frozenset(map(str, parse_json((folder / FILE).read_text(encoding="utf-8"))["reviewed"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def code_of(fingerprints: Iterable[str]) -> str:
    """Return the code of a list of findings, by which a person confirms having looked at this very list."""
    return hashlib.sha256("\n".join(sorted(set(fingerprints))).encode()).hexdigest()[:8]


def confirm(folder: Path, fingerprints: Collection[str], code: str) -> None:
    """Keep a list as confirmed; :class:`UsageError` if the code is that of another list, or it cannot be written."""
    # The code covers the whole list, so that an old confirmation lets nothing new through.
    if code != code_of(fingerprints):
        raise UsageError(
            f"--reviewed {code} is not the code of this list, which is {code_of(fingerprints)}: the list has changed; "
            "review it again"
        )
    path = folder / FILE
    content = json.dumps({"reviewed": sorted(read_reviewed(folder) | set(fingerprints))}, indent=1) + "\n"
    temporary = path.with_name(f".{FILE}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Created with its final mode: a chmod afterwards would leave a moment in which anyone could read it.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written, so the review cannot be kept: {error.strerror}") from error
