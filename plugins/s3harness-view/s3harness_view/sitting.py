"""A sitting of an exam: the question at hand, and answers that are journalled once and cannot be changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import s3harness
from s3harness_view.application import bytes_with_ranges, guarded, json_response, read_object, static_files
from s3harness_view.exam_questions import Question

WriteAnswer = Callable[["Step", s3harness.Response, str], None]
"""Journals the response to a step; the last argument is the key of the media."""
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Step:
    """A question to be answered: by the reader alone, or a ``is_second`` time with the model's answer shown."""

    question: Question
    is_second: bool = False

    @property
    def request(self) -> s3harness.Request:
        """The request of the question."""
        return self.question.request


@dataclass
class Sitting:
    """The steps that are left, in their order; ``total`` counts the questions of the exam, answered or not.

    ``write`` journals an answer. For second answers ``own`` maps a question's item and window to the reader's own
    answer, given before, and ``advice`` to the model's; both are shown.
    """

    steps: Sequence[Step]
    total: int
    media: s3harness.MediaStore
    identity: Mapping[str, object]
    write: WriteAnswer
    own: dict[tuple[str, int], str] = field(default_factory=dict)
    advice: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.finished = asyncio.Event()
        self._at = 0
        self._shown_at: dict[str, float] = {}
        self._writing, self._preparing = asyncio.Lock(), asyncio.Lock()
        self._encoded: tuple[s3harness.Clip, str, bytes] | None = None
        if not self.steps:
            self.finished.set()

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                *static_files("exam.html"),
                Route("/api/question", guarded(self.question)),
                Route("/media/question", guarded(self.clip)),
                Route("/api/answer", guarded(self.answer), methods=["POST"]),
            ]
        )

    async def question(self, _: Request) -> Response:
        """Return the question at hand; those whose clip cannot be shown become failures on the way."""
        while (step := self._step) is not None:
            try:
                await self._prepare(step.question)
            except s3harness.MediaError as error:
                async with self._writing:
                    failed = s3harness.Response(step.request.id, status="failed", error=str(error))
                    self._write(step, failed, "")
                continue
            return json_response(self._as_json(step))
        return json_response({"finished": True, "total": self.total})

    async def clip(self, request: Request) -> Response:
        """Return the clip of the question at hand, as a model gets it, and of no other."""
        step = self._step
        if step is None or step.request.id != request.query_params["id"]:
            raise KeyError("such question")
        data = await self._prepare(step.question)
        return bytes_with_ranges(request, data, "video/mp4")

    async def answer(self, request: Request) -> Response:
        """Journal an answer; the same question is not taken again."""
        data = await read_object(request)
        async with self._writing:
            step = self._step
            is_second = data.get("second") is True
            if step is None or (step.request.id, step.is_second) != (str(data.get("id")), is_second):
                # A second browser, or a reply that was lost on its way: the first answer counts.
                return json_response({"error": "This question has been answered; the first answer counts."}, 409)
            self._write(step, self._response(step.question, data), self._media_key(step.request.clip))
            # The server ends after the last answer: its reply is the last that the page gets.
            return json_response({"written": True, "finished": self._step is None, "total": self.total})

    @property
    def _step(self) -> Step | None:
        return self.steps[self._at] if self._at < len(self.steps) else None

    def _write(self, step: Step, response: s3harness.Response, key: str) -> None:
        self.write(step, response, key)
        self.own.setdefault(_place(step.request), response.text)
        self._shown_at.pop(step.request.id, None)
        self._at += 1
        # What could not be shown once is not asked about a second time.
        while response.status == "failed" and (left := self._step) is not None and left.request.id == step.request.id:
            self._at += 1
        if self._step is None:
            self.finished.set()

    def _response(self, question: Question, data: Mapping[str, Any]) -> s3harness.Response:
        request = question.request
        # The page counts the seconds without pauses; it cannot have looked for longer than the question is shown.
        passed = time.monotonic() - self._shown_at.get(request.id, time.monotonic())
        seconds = data.get("seconds")
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0
        latency_s = min(float(seconds), passed) if is_number and seconds is not None else passed
        if data.get("declined") is True:
            return s3harness.Response(request.id, "", status="refused", latency_s=latency_s, identity=self.identity)
        text = question.answer_text(data.get("value"), data.get("words", ""))
        return s3harness.Response(request.id, text, latency_s=latency_s, sent=sent_of(question), identity=self.identity)

    async def _prepare(self, question: Question) -> bytes:
        """Return the clip of a question, empty for one without; decodes and encodes in a thread, once for each clip."""
        clip = question.request.clip
        if clip.is_text_only:
            return b""
        async with self._preparing:
            # The questions about a clip come one after the other.
            if self._encoded is None or self._encoded[0] != clip:
                self._encoded = await run_in_threadpool(self._encode, question.video, clip)
            return self._encoded[2]

    def _media_key(self, clip: s3harness.Clip) -> str:
        """Return the key of the clip that was shown last; empty where a question has none, or it was not shown."""
        return self._encoded[1] if self._encoded and self._encoded[0] == clip else ""

    def _encode(self, video: s3harness.Video, clip: s3harness.Clip) -> tuple[s3harness.Clip, str, bytes]:
        self.media.prepare(video, [clip])
        try:
            return clip, self.media.key(clip), self.media.mp4(clip)
        finally:
            # The frames stay in the cache on the disk.
            self.media.release(video.id)

    def _as_json(self, step: Step) -> dict[str, Any]:
        request, clip = step.request, step.request.clip
        self._shown_at.setdefault(request.id, time.monotonic())
        left = {later.request.id for later in self.steps[self._at :]}
        # No id of the video and no place in it: a model is not told either.
        shown = {
            "id": request.id,
            "number": self.total - len(left) + 1,
            "total": self.total,
            "system": request.system,
            "prompt": request.prompt,
            "form": step.question.form,
            "has_clip": not clip.is_text_only,
            "length_s": clip.end_s - clip.start_s,
            "times_s": [round(time_s - clip.start_s, 3) for time_s in clip.timestamps],
            "second": step.is_second,
        }
        if not step.is_second:
            return shown
        place = _place(request)
        return shown | {"own": self.own.get(place, ""), "advice": self.advice.get(place, "")}


def _place(request: s3harness.Request) -> tuple[str, int]:
    return request.item, request.clip.index


def sent_of(question: Question) -> s3harness.Sent:
    """Return what a reader was shown of a question, as a run records it."""
    clip = question.request.clip
    if clip.is_text_only:
        return s3harness.Sent()
    sound_s = clip.end_s - clip.start_s if clip.audio else 0.0
    return s3harness.Sent(media="mp4", times_s=clip.timestamps, sound_s=sound_s)
