"""The table of replies: ``replies/*.yaml``, each reply with what a careful person reads in it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from s3harness.rundir.journal_line import JournalEntry
from s3harness.scoring.answers import read_answer
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Answer, Clip, Response

FOLDER = Path(__file__).parent / "replies"
CARD = ModelCard("any", modalities=("video", "audio"))
HELD_OUT_SHARE = 3
"""One reply in three was left out of sight while the parsers were written."""

Outcome = Literal["right", "misread", "not read"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One row: the reply, its question, and the human reading (``None`` where nobody can say)."""

    question: str
    task: str
    subject: str
    text: str
    reads: Any
    justification: str | None
    is_unread: bool

    @property
    def is_held_out(self) -> bool:
        """Whether the row belongs to the third that was not looked at."""
        return hashlib.sha256(self.text.encode()).digest()[0] % HELD_OUT_SHARE == 0

    def answer(self) -> Answer:
        """The reply as the strict protocol's parser reads it."""
        return read(self.task, self.subject, self.text)

    def outcome(self) -> Outcome:
        """``right`` where parser and person agree, ``not read`` where only the person reads something."""
        answer = self.answer()
        wanted = None if self.reads == "refusal" else self.reads
        if not answer.is_read:
            is_right = wanted is None and (self.reads == "refusal") == (answer.status == "refused")
            return "right" if is_right else "not read"
        if wanted is None or not _same(_closed(answer.value), wanted):
            return "misread"
        has_text = self.justification is None or self.justification == _justification(answer.value)
        return "right" if has_text else "misread"


def replies() -> list[Reply]:
    """All rows of all questions."""
    tables = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    return [_row(table, row) for table in tables for row in table["replies"]]


def read(task: str, subject: str, text: str) -> Answer:
    """The answer that scoring reads in a reply to a question of the strict protocol."""
    clip = Clip("v", 0.0, 60.0, (), 0)
    return read_answer(
        JournalEntry(id="r", task=task, item="i", subject=subject, clip=clip, media="", response=Response("r", text)),
        spec(task).for_subject(subject),
    )


def spec(task: str) -> TaskSpec:
    """A task as the strict protocol asks it."""
    return resolve(load_task(task).data, protocol="strict", profile="strict", model=CARD)


def _row(table: dict[str, Any], row: dict[str, Any]) -> Reply:
    return Reply(
        question=table["question"],
        task=table["task"],
        subject=table["subject"],
        text=row["reply"],
        reads=row["reads"],
        justification=row.get("text"),
        is_unread=row.get("unread", False),
    )


def _closed(value: Any) -> Any:
    return value["answer"] if isinstance(value, dict) else value


def _justification(value: Any) -> Any:
    return value.get("justification") if isinstance(value, dict) else None


def _same(value: Any, wanted: Any) -> bool:
    return math.isclose(value, wanted) if isinstance(wanted, int | float) else bool(value == wanted)
