"""A backend: what answers requests. Put the call of your engine where this one looks at how much moves."""

import asyncio
import json
from typing import Any

import numpy as np

import s3harness


class NewcomerBackend(s3harness.Backend):
    """Answers by how much the pictures of a clip differ; never much of an answer, always one that can be read."""

    modalities = ("video",)
    limits = s3harness.Limits(in_flight=4, timeout_s=60.0)

    def identity(self) -> dict[str, object]:
        """Who answers, for the manifest: the model as it is served, its revision, the version of the engine."""
        return {"engine": "movement", "version": "1"}

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request. What takes more than a few milliseconds runs in a thread: all share one event loop."""
        text = await asyncio.to_thread(self._answer, request)
        return s3harness.Response(request.id, text)

    def _answer(self, request: s3harness.Request) -> str:
        """The text of the answer; what goes wrong is raised, and journalled as the failure that it is."""
        is_moving = not request.clip.is_text_only and self._movement(request.clip) > 1.0
        said = "The patient moves." if is_moving else "The patient lies still."
        closed = s3harness.closed_answer(request)  # "yes" or "no", say, where only such answers are asked for
        choice = closed.choices[0 if is_moving else -1] if closed else said
        fields: Any = (request.answer_schema or {}).get("properties", {})  # those of the JSON, where it is asked for
        answer = {name: "0:00" if "pattern" in field else said for name, field in fields.items()}  # a time, or words
        return json.dumps(answer | ({closed.field: choice} if closed else {})) if fields else choice

    def _movement(self, clip: s3harness.Clip) -> float:
        """Mean difference of one picture to the next, in grey levels of 255."""
        pixels, _ = self.media.frames(clip)  # uint8 (T, H, W, 3), and the T seconds really sampled
        return float(np.abs(np.diff(pixels.astype(np.int16), axis=0)).mean()) if len(pixels) > 1 else 0.0
