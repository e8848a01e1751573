"""A media store that shows clips through transforms.

The cache on the disk keeps what was decoded, as ever; what a transform makes of a clip is in memory until the clip is
finished, and its key is another, so that nothing of one run is ever taken for that of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from s3harness.errors import MediaError
from s3harness.media.cache import DEFAULT_BUDGET_BYTES
from s3harness.media.frames import Frames, Samples
from s3harness.media.options import MediaOptions
from s3harness.media.store import MediaStore
from s3harness.transforms.contract import Transforms
from s3harness.types import Clip, Video


class TransformingStore(MediaStore):
    """Gives clips as ``transforms`` show them; ``lenders`` says whose sound a video's clips have, if not its own."""

    def __init__(
        self,
        cache_dir: Path,
        budget_bytes: int = DEFAULT_BUDGET_BYTES,
        options: MediaOptions | None = None,
        transforms: Transforms | None = None,
        audio_donors: Mapping[str, Video] | None = None,
    ) -> None:
        super().__init__(cache_dir, budget_bytes, options)
        self._transforms = transforms or Transforms()
        self._audio_donors = audio_donors or {}

    def prepare(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None] = lambda: None) -> None:
        """As :meth:`MediaStore.prepare`, and the borrowed sound with it."""
        super().prepare(video, clips, heartbeat)
        heard = [clip for clip in clips if clip.audio]
        if video.id in self._audio_donors and heard:
            lender = self._audio_donors[video.id]
            super().prepare(replace(lender, id=_lent(video.id)), [self._borrowed(clip) for clip in heard], heartbeat)

    def frames(self, clip: Clip) -> Frames:
        """The pictures as they are shown."""
        shown = self._made(clip, "shown", lambda: self._shown(clip))
        return Frames(shown.pixels.copy(), shown.timestamps)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """The sound as it is heard; :class:`MediaError` where a transform hands none over."""
        if self._transforms.muting:
            raise MediaError(f"video {clip.video_id}: transform {self._transforms.muting!r} passes no audio on")
        samples = super().audio(self._source(clip), rate)
        wanted = round((clip.end_s - clip.start_s) * rate)
        heard = samples if len(samples) == wanted else np.resize(samples, wanted)  # a shorter one, over and over
        return self._transforms.audio(heard, rate)

    def key(self, clip: Clip) -> str:
        """As :meth:`MediaStore.key`, of the clip as it is shown."""
        keys = [super().key(clip), self._transforms.key]
        if clip.audio and clip.video_id in self._audio_donors:
            keys.append(super().key(self._source(clip)))
        return hashlib.sha256("\n".join(keys).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget what is held of a video, and of the sound that it borrowed."""
        super().release(video_id)
        super().release(_lent(video_id))

    def _shown(self, clip: Clip) -> Frames:
        frames = super().frames(clip)
        try:
            return self._transforms.frames(frames)
        except MediaError as error:
            raise MediaError(f"video {clip.video_id}: {error}") from error

    def _source(self, clip: Clip) -> Clip:
        """The clip whose sound this one has."""
        return self._borrowed(clip) if clip.video_id in self._audio_donors else clip

    def _borrowed(self, clip: Clip) -> Clip:
        """As long a clip of the lender, from the same place if that is there."""
        lender, length_s = self._audio_donors[clip.video_id], clip.end_s - clip.start_s
        start_s = max(0.0, min(clip.start_s, (lender.duration_s or 0.0) - length_s))
        end_s = min(start_s + length_s, max(lender.duration_s or 0.0, start_s))
        return Clip(_lent(clip.video_id), start_s, end_s, (), clip.max_pixels, audio=True)


def _lent(video_id: str) -> str:
    """What the store calls the sound that was lent to a video; no video has such a name."""
    return f"{video_id} (borrowed sound)"
