"""The questions of an exam: in which order, and the form in which a person answers each."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import s3harness

ASKED_OF_ALL = frozenset({"feature", "rationale", "sequence", "report", "diagnosis"})
"""Kinds of items that every video has. Others are asked only where the annotators noted something: a person who is
asked for the onset of a sign learns that it is there, so these come later."""
NOT_ANSWERED = "declined"
MOST_CHARS = 8000


@dataclass(frozen=True, slots=True)
class Question:
    """A request about a video."""

    video: s3harness.Video
    request: s3harness.Request

    @property
    def form(self) -> dict[str, Any]:
        """Return the form of the answer, by what the request's schema and choices ask for."""
        request = self.request
        fields = _fields(request)
        answer = fields.get("answer", {})
        choices = [str(choice) for choice in (answer.get("enum", ()) if "answer" in fields else request.choices)]
        if "timestamp" in fields or "frame" in fields:
            return {"kind": "time"}
        if choices:
            return {"kind": "choice", "choices": choices, "words": len(fields) > 1}
        names = [feature.name for feature in s3harness.vocabulary().features if f" {feature.name}:" in request.prompt]
        if request.item_kind == "sequence" and names:
            return {"kind": "names", "choices": names}
        return {"kind": "text"}

    def answer_text(self, value: object, words: str) -> str:
        """Return an answer in the form that the prompt asks for; ``ValueError`` says what is wrong with it."""
        form = self.form
        if not isinstance(words, str) or len(words) > MOST_CHARS:
            raise ValueError(f"a text of at most {MOST_CHARS} characters is expected")
        if form["kind"] == "time":
            length = self.request.clip.end_s - self.request.clip.start_s
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= length:
                raise ValueError(f"a time from 0 to {length:.1f} s is expected")
            return s3harness.write_answer(self.request, float(value))
        if form["kind"] == "choice" and value not in form["choices"]:
            raise ValueError(f"one of {', '.join(form['choices'])} is expected")
        if form["kind"] == "names":
            names = [str(name) for name in value] if isinstance(value, list) else [""]
            if len(set(names)) < len(names) or not set(names) <= set(form["choices"]):
                raise ValueError("signs of the list are expected, each at most once")
        if form["kind"] == "text" and not (isinstance(value, str) and 0 < len(value.strip()) <= MOST_CHARS):
            raise ValueError(f"a text of 1 to {MOST_CHARS} characters is expected")
        return s3harness.write_answer(self.request, value, words)


def in_exam_order(questions: Sequence[Question], seed: int) -> list[Question]:
    """Return the questions in the order of an exam.

    First those that are asked of every video, then those whose being asked tells something, and last those whose prompt
    holds the expert's report. Within each part the clips come in an order drawn by the seed, and so do the questions
    about a clip.
    """

    def place(question: Question) -> tuple[int, float, float]:
        clip, request = question.request.clip, question.request
        part = 2 if request.public_prompt else 0 if request.item_kind in ASKED_OF_ALL else 1
        of_clip = random.Random(f"{seed} {part} {clip.video_id} {clip.start_s} {clip.end_s}").random()
        return part, of_clip, random.Random(f"{seed} {request.id}").random()

    return sorted(questions, key=place)


def _fields(request: s3harness.Request) -> Mapping[str, Any]:
    fields = (request.answer_schema or {}).get("properties", {})
    return fields if isinstance(fields, Mapping) else {}
