"""What a cheat would do to a submission, and how he would cover it up: hashes and counts made to match again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s3harness.leaderboard.folder import RESPONSES, SUBMISSION, answers_sha256, read_folder


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON document, or each line of a table; ``None`` drops the line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        value = json.loads(text)
        path.write_text(json.dumps(change(value) or value), encoding="utf-8")
        return
    lines = [change(json.loads(line)) for line in text.splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line is not None), encoding="utf-8")


def cover_up(folder: Path) -> None:
    """Make all hashes match what the files now hold."""
    responses = [json.loads(line) for line in (folder / RESPONSES).read_text(encoding="utf-8").splitlines()]
    edit(folder / SUBMISSION, lambda about: about.update(answers_sha256=answers_sha256(responses)))
    hashes = read_folder(folder).hashes()
    edit(folder / SUBMISSION, lambda about: about.update(files=hashes))
