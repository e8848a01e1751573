"""A backend: what answers requests. Put the call of your engine where this one looks at how much moves."""

import asyncio
import json

import numpy as np

import s3harness


class NewcomerBackend(s3harness.Backend):
    """Answers by how much the pictures of a clip differ; never much of an answer, always one that can be read."""

    modalities = ("video",)
    limits = s3harness.Limits(in_flight=4, timeout_s=60.0)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request. What takes more than a few milliseconds runs in a thread: all share one event loop."""
        text = await asyncio.to_thread(self._answer, request)
        return s3harness.Response(request.id, text)

    def _answer(self, request: s3harness.Request) -> str:
        """The text of the answer; what goes wrong is raised, and journalled as the failure that it is."""
        is_moving = not request.clip.is_text_only and self._movement(request.clip) > 1.0
        closed = s3harness.closed_answer(request)  # "yes" or "no", say, where only such answers are asked for
        if closed is None:
            return "The patient moves." if is_moving else "The patient lies still."
        choice = closed.choices[0 if is_moving else -1]
        return json.dumps({closed.field: choice}) if closed.field else choice

    def _movement(self, clip: s3harness.Clip) -> float:
        """Mean difference of one picture to the next, in grey levels of 255."""
        pixels, _ = self.media.frames(clip)  # uint8 (T, H, W, 3), and the T seconds really sampled
        return float(np.abs(np.diff(pixels.astype(np.int16), axis=0)).mean()) if len(pixels) > 1 else 0.0
