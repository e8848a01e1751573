"""Lists the texts of a plan that would be sent to a model, with the video and the field that each comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from s3harness.guard.outgoing_check import OutgoingText
from s3harness.run.plan import VideoPlan
from s3harness.types import Request, Video

REPORT = "report"
MIN_WORDS = 3
"""Shorter texts of experts may stand in a prompt by chance, and are not searched for in it."""


def texts_of_plan(plan: Iterable[VideoPlan]) -> Iterator[OutgoingText]:
    """Yield the texts of every request, each text once: the experts' texts by their field, the rest as the prompt."""
    seen: set[str] = set()
    for video_plan in plan:
        for step in video_plan.steps:
            for request in step.requests:
                yield from texts_of_request(request, video_plan.video, seen)


def texts_of_request(request: Request, video: Video, seen: set[str], answer: str = "") -> Iterator[OutgoingText]:
    """Yield the texts of a request, and an ``answer`` to learn, that are not in ``seen``."""
    for field, text in (("prompt", request.prompt), ("answer", answer), ("system prompt", request.system)):
        if text not in seen:
            seen.add(text)
            yield from _by_field(field, text, video, seen)
    # The form of the answer is sent as well, and a task of a user may hold a name in it.
    form = json.dumps([request.answer_schema, request.choices], ensure_ascii=False, default=str)
    if form not in seen:
        seen.add(form)
        yield OutgoingText("", f"answer form of {request.task}", form)


def _by_field(field: str, text: str, video: Video, seen: set[str]) -> Iterator[OutgoingText]:
    """Yield the experts' texts that ``text`` holds, by field, and then the text without them."""
    written = {REPORT: video.report.strip()}
    written |= {f"justification of {name}": label.justification for name, label in video.features.items()}
    has_experts_text = False
    for name, words in written.items():
        if len(words.split()) >= MIN_WORDS and words in text:
            has_experts_text = True
            text = text.replace(words, " ")
            if (key := f"{video.id}\0{name}") not in seen:
                seen.add(key)
                yield OutgoingText(video.id, name, words)
    # Prompts that differ in the report alone are one text without it.
    if text not in seen or not has_experts_text:
        seen.add(text)
        yield OutgoingText("" if field != "answer" else video.id, field, text)
