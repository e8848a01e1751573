"""A reader's second answers, given after a model's were shown: kept beside the first reading as they are given.

They become the journal of a run of their own, once the first reading is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import s3harness
from s3harness_view.durable_lines import append_json, read_json_lines

FILE = "second_answers.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondAnswer:
    """A second answer to the request ``id``: its text, unless ``is_declined``; ``media`` is the clip's key."""

    id: str
    text: str
    is_declined: bool
    latency_s: float
    media: str


def write_second(path: Path, response: s3harness.Response, media: str) -> None:
    """Append an answer, on the disk before this returns."""
    answer = SecondAnswer(
        id=response.request_id,
        text=response.text,
        is_declined=response.status == "refused",
        latency_s=response.latency_s or 0.0,
        media=media,
    )
    append_json(path, asdict(answer))


def read_seconds(path: Path) -> Mapping[str, SecondAnswer]:
    """Return request → its second answer, the first one given; raises :class:`S3HarnessError` for another file."""
    answers: dict[str, SecondAnswer] = {}
    for number, value in read_json_lines(path):
        try:
            answer = SecondAnswer(**value)
        except TypeError as error:
            raise s3harness.S3HarnessError(f"{path}:{number}: not an answer ({error})") from error
        answers.setdefault(answer.id, answer)
    return answers
