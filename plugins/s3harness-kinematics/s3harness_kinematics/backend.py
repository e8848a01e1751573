"""The classical baseline as a backend."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from s3harness import Backend, Clip, Limits, Request, Response, Sent, UsageError
from s3harness_kinematics.answers import answer
from s3harness_kinematics.findings import Judgement, judge
from s3harness_kinematics.measure import measure
from s3harness_kinematics.voice import RATE, SILENCE, measure_voice

if TYPE_CHECKING:
    from s3harness import MediaStore, ModelCard

CACHED_CLIPS = 32
"""Judgements in the cache, the least recently used leaves first: the requests about one clip come close together."""


class KinematicsBackend(Backend):
    """Answer every task from measured movement and voice, without a neural network.

    The backend uses what a model gets and nothing else: the prompt, the frames with their times, and the sound. A model
    that scores below it does not use what the video shows.
    """

    modalities = ("video", "audio")
    is_model = True
    takes_history = True
    # One attempt: the same clip gives the same answer, or the same error, every time.
    limits = Limits(in_flight=2, timeout_s=120.0, attempts=1)

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        super().__init__(model, options, media)
        if options:
            raise UsageError(f"the kinematics backend takes no options, not {', '.join(sorted(options))}")
        self._judged: OrderedDict[str, tuple[Judgement, Sent]] = OrderedDict()
        self._lock = threading.Lock()

    async def generate(self, request: Request) -> Response:
        """Return the answer to a request; refuse a request whose clip has neither frames nor sound."""
        if request.clip.is_text_only:
            return Response(request.id, status="refused")
        # Sixty frames take up to 0.3 s of CPU: in the event loop it would hold up every other request.
        return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Response:
        judgement, sent = self._judgement(request.clip)
        return Response(request.id, answer(request, judgement), sent=sent)

    def _judgement(self, clip: Clip) -> tuple[Judgement, Sent]:
        """Return the judgement of a clip and what was shown of it, from the cache or measured now."""
        key = self.media.key(clip)
        # Held while a clip is measured: two threads with requests about one clip must not measure it twice.
        with self._lock:
            if key not in self._judged:
                self._judged[key] = self._judge(clip)
            self._judged.move_to_end(key)
            while len(self._judged) > CACHED_CLIPS:
                self._judged.popitem(last=False)
            return self._judged[key]

    def _judge(self, clip: Clip) -> tuple[Judgement, Sent]:
        pixels, timestamps = self.media.frames(clip)
        times, length_s = np.asarray(timestamps, np.float64) - clip.start_s, clip.end_s - clip.start_s
        # A file may lack the audio track that the clip asks for; it is then answered from the frames alone.
        hears = self.media.has_audio(clip)
        voice = measure_voice(self.media.audio(clip, RATE)) if hears else SILENCE
        sent = Sent(
            media="pixels",
            times_s=tuple(map(float, timestamps)),
            size=(pixels.shape[2], pixels.shape[1]),
            sound_s=length_s if hears else 0.0,
        )
        return judge(measure(pixels, times, length_s, voice)), sent
