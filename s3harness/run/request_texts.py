"""The texts of a plan that would be put before a model, with the video and the field that each comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from s3harness.guard.outgoing_check import OutgoingText
from s3harness.run.plan import VideoPlan
from s3harness.types import Request, Video

REPORT = "report"
MIN_WORDS = 3
"""Of what experts wrote, shorter texts may stand in any prompt by chance, and stay in it."""


def texts_of_plan(plan: Iterable[VideoPlan]) -> Iterator[OutgoingText]:
    """Yield the texts of every request, each text once: what experts wrote by its field, the rest as the prompt."""
    seen: set[str] = set()
    for step_of_video in plan:
        for step in step_of_video.steps:
            for request in step.requests:
                yield from texts_of_request(request, step_of_video.video, seen)


def texts_of_request(request: Request, video: Video, seen: set[str], answer: str = "") -> Iterator[OutgoingText]:
    """Yield the texts of a request, and an ``answer`` to learn, that are not in ``seen``."""
    for field, text in (("prompt", request.prompt), ("answer", answer), ("system prompt", request.system)):
        if text not in seen:
            seen.add(text)
            yield from _by_field(field, text, video, seen)
    form = json.dumps([request.answer_schema, request.choices], ensure_ascii=False, default=str)
    if form not in seen:
        seen.add(form)
        yield OutgoingText("", f"answer form of {request.task}", form)


def _by_field(field: str, text: str, video: Video, seen: set[str]) -> Iterator[OutgoingText]:
    """What experts wrote of a video, by its field, and the text without it."""
    written = {REPORT: video.report.strip()}
    written |= {f"justification of {name}": label.justification for name, label in video.features.items()}
    is_of_video = False
    for name, words in written.items():
        if len(words.split()) >= MIN_WORDS and words in text:
            is_of_video = True
            text = text.replace(words, " ")
            if (key := f"{video.id}\0{name}") not in seen:
                seen.add(key)
                yield OutgoingText(video.id, name, words)
    if text not in seen or not is_of_video:
        seen.add(text)
        yield OutgoingText("" if field != "answer" else video.id, field, text)
