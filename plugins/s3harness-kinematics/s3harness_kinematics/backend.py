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

KEPT_CLIPS = 32
"""Judgements that are kept, the least recently used going first: the questions on one clip come close together."""


class KinematicsBackend(Backend):
    """Answers every task from how much moves where, and from the voice: no weights, no network.

    It uses what a model gets, the prompt, the frames with their times and the sound, and nothing else. It is the line
    under which a model is not seeing.
    """

    modalities = ("video", "audio")
    is_model = True
    limits = Limits(in_flight=2, timeout_s=120.0, attempts=1)

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        super().__init__(model, options, media)
        if options:
            raise UsageError(f"the kinematics backend takes no options, not {', '.join(sorted(options))}")
        self._judged: OrderedDict[str, tuple[Judgement, Sent]] = OrderedDict()
        self._lock = threading.Lock()

    async def generate(self, request: Request) -> Response:
        """Look at the clip, unless it was just looked at, and answer; decline where there is nothing to look at."""
        if request.clip.is_text_only:
            return Response(request.id, status="refused")
        return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Response:
        judgement, sent = self._judgement(request.clip)
        return Response(request.id, answer(request, judgement), sent=sent)

    def _judgement(self, clip: Clip) -> tuple[Judgement, Sent]:
        """The judgement of a clip, and what it rests on; threads wait, so that no clip is measured twice at once."""
        key = self.media.key(clip)
        with self._lock:
            if key not in self._judged:
                self._judged[key] = self._judge(clip)
            self._judged.move_to_end(key)
            while len(self._judged) > KEPT_CLIPS:
                self._judged.popitem(last=False)
            return self._judged[key]

    def _judge(self, clip: Clip) -> tuple[Judgement, Sent]:
        pixels, timestamps = self.media.frames(clip)
        times, length_s = np.asarray(timestamps, np.float64) - clip.start_s, clip.end_s - clip.start_s
        hears = self.media.has_audio(clip)
        voice = measure_voice(self.media.audio(clip, RATE)) if hears else SILENCE
        sent = Sent(
            media="pixels",
            times_s=tuple(map(float, timestamps)),
            size=(pixels.shape[2], pixels.shape[1]),
            sound_s=length_s if hears else 0.0,
        )
        return judge(measure(pixels, times, length_s, voice)), sent
