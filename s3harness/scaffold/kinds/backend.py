"""A backend: answer requests. Put the call of your engine where this one measures movement."""

import asyncio
import json
from typing import Any

import numpy as np

import s3harness


class NewcomerBackend(s3harness.Backend):
    """Answers from the mean difference of successive frames: a trivial answer, but always a parsable one."""

    modalities = ("video",)
    limits = s3harness.Limits(in_flight=4, timeout_s=60.0)

    def identity(self) -> dict[str, object]:
        """Return what identifies the answerer, for the manifest: served model, revision, version of the engine."""
        return {"engine": "movement", "version": "1"}

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request."""
        # In a thread: all requests share one event loop, which work of more than a few milliseconds would block.
        text = await asyncio.to_thread(self._answer, request)
        return s3harness.Response(request.id, text)

    def _answer(self, request: s3harness.Request) -> str:
        """Return the text of the answer. An exception is written to the journal as a failed request."""
        is_moving = not request.clip.is_text_only and self._movement(request.clip) > 1.0
        sentence = "The patient moves." if is_moving else "The patient lies still."
        closed = s3harness.closed_answer(request)  # the allowed answers ("yes", "no") of a closed question
        choice = closed.choices[0 if is_moving else -1] if closed else sentence
        fields: Any = (request.answer_schema or {}).get("properties", {})  # the fields of an answer in JSON
        # A field with a pattern is a time, any other one is text.
        answer = {name: "0:00" if "pattern" in field else sentence for name, field in fields.items()}
        return json.dumps(answer | ({closed.field: choice} if closed else {})) if fields else choice

    def _movement(self, clip: s3harness.Clip) -> float:
        """Return the mean difference of successive frames, in grey levels of 255."""
        pixels, _ = self.media.frames(clip)  # uint8 (T, H, W, 3), and the times of the T frames in seconds
        # Signed before the difference: uint8 would wrap around.
        return float(np.abs(np.diff(pixels.astype(np.int16), axis=0)).mean()) if len(pixels) > 1 else 0.0
