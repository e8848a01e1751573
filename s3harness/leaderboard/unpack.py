"""Unpacking of a submission into a run directory, so that the code that scores runs scores submissions."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from s3harness.files import write_json, write_text
from s3harness.leaderboard.folder import ITEMS, MANIFEST, RESPONSES, Folder
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.types import Reference


@contextmanager
def unpacked(folder: Folder, references: Iterable[Reference]) -> Iterator[Path]:
    """Yield a temporary run directory with the answers of a submission and the given references."""
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary)
        write_json(run / MANIFEST, folder.documents[MANIFEST])
        # Byte for byte, so that the answers scored are those that were hashed.
        (run / JOURNAL).write_bytes(folder.files[RESPONSES])
        # The references stand in for the submission's item list, whose truth may be withheld or wrong.
        lines = (json.dumps(asdict(reference), ensure_ascii=False) for reference in references)
        write_text(run / ITEMS, "".join(f"{line}\n" for line in lines))
        yield run
