"""Verdicts of readers on answers and annotations: ``verdicts.jsonl`` beside a run, to which lines are only added.

Each line holds the reader, the time, the item, the ``target`` (``answer`` or ``annotation``), the verdict, a comment,
and what was visible. The last line of a reader on a target counts; earlier ones stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import s3harness
from s3harness_view.durable_lines import append_json, read_json_lines

FILE = "verdicts.jsonl"
VERDICTS = ("right", "wrong", "label is wrong", "ambiguous", "comment", "withdrawn")
TARGETS = ("answer", "annotation")
COMMENT_CHARS = 4000


@dataclass(frozen=True, kw_only=True)
class ReaderVerdict:
    """One verdict; ``visible`` says what the reader saw: the truth, the names of models, other runs' answers."""

    reader: str
    at: str
    item: str
    target: str
    verdict: str
    comment: str = ""
    visible: Mapping[str, object] = field(default_factory=dict)


def new_verdict(reader: str, data: Mapping[str, Any], items: Mapping[str, object], *, blind: bool) -> ReaderVerdict:
    """Return the verdict that a page sent; ``ValueError`` names what is wrong with it."""
    item, target, verdict, comment = (data.get(name, "") for name in ("item", "target", "verdict", "comment"))
    if item not in items:
        raise ValueError("the run has no such item")
    if target not in TARGETS or verdict not in VERDICTS:
        raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}, on an {' or '.join(TARGETS)}")
    if not isinstance(comment, str) or len(comment) > COMMENT_CHARS:
        raise ValueError(f"a comment is a text of at most {COMMENT_CHARS} characters")
    visible = data.get("visible")
    shown = {str(name): bool(value) for name, value in visible.items()} if isinstance(visible, Mapping) else {}
    return ReaderVerdict(
        reader=reader,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        item=str(item),
        target=str(target),
        verdict=str(verdict),
        comment=comment,
        # Blinding is the server's word, not the page's.
        visible={name: shown[name] for name in ("truth", "other_runs") if name in shown} | {"model": not blind},
    )


def write_verdict(directory: Path, verdict: ReaderVerdict) -> None:
    """Append a verdict, on the disk before this returns. Raises :class:`S3HarnessError` if the disk takes no more."""
    append_json(directory / FILE, asdict(verdict))


def read_verdicts(directory: Path) -> Iterator[ReaderVerdict]:
    """Yield the verdicts beside a run, in their order; what a kill left of a line is passed over.

    Raises :class:`S3HarnessError` naming a whole line that cannot be read.
    """
    for number, value in read_json_lines(directory / FILE):
        try:
            yield ReaderVerdict(**value)
        except TypeError as error:
            raise s3harness.S3HarnessError(f"{directory / FILE}:{number}: not a verdict ({error})") from error


def last_verdicts(directory: Path) -> list[ReaderVerdict]:
    """Return the verdicts that count: the last of each reader on each target, without those withdrawn."""
    last = {(v.reader, v.item, v.target): v for v in read_verdicts(directory) if v.verdict != "comment"}
    return [verdict for verdict in last.values() if verdict.verdict != "withdrawn"]
