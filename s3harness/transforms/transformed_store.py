"""A media store that shows clips through transforms.

The cache on the disk holds the decoded media as ever. The transformed frames of a clip are in memory until the clip is
finished, and they have another key, so that media of one run are never taken for those of another.

A video can be shown through other transforms as well, under an id of its own (:meth:`TransformingStore.variant`).
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
    """Applies ``transforms`` to clips; ``audio_donors`` maps a video's id to the video whose audio its clips have.

    Without either, it is a :class:`MediaStore` like any other.
    """

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
        self._variants: dict[str, Transforms] = {}

    def variant(self, video: Video, transforms: Transforms) -> Video:
        """Return a video under another id, by which its clips are shown through ``transforms`` instead of the store's.

        Its clips have their own audio, and no donor's.
        """
        shown = replace(video, id=f"{video.id} ({', '.join(transforms.names) or 'as recorded'})")
        self._variants[shown.id] = transforms
        return shown

    def prepare(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None] = lambda: None) -> None:
        """Prepare clips as :meth:`MediaStore.prepare` does, and the audio that they borrow."""
        super().prepare(video, clips, heartbeat)
        heard = [clip for clip in clips if clip.audio]
        if video.id in self._audio_donors and heard:
            donor = self._audio_donors[video.id]
            # Under an id of its own: the donor may be a video of the run, which is released at another time.
            super().prepare(
                replace(donor, id=_donated(video.id)), [self._donor_clip(clip) for clip in heard], heartbeat
            )

    def frames(self, clip: Clip) -> Frames:
        """Return the transformed frames."""
        if not self._transforms_of(clip):
            return super().frames(clip)
        frames = self._encoded(clip, "shown", lambda: self._transformed(clip))
        # A copy: what a backend does to its pixels must not reach the next request.
        return Frames(frames.pixels.copy(), frames.timestamps)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """Return the transformed audio; :class:`MediaError` where a transform hands none over."""
        transforms = self._transforms_of(clip)
        # First of all, so that no audio is read where none may be heard.
        if transforms.muting:
            raise MediaError(f"video {clip.video_id}: transform {transforms.muting!r} passes no audio on")
        samples = super().audio(self._audio_source(clip), rate)
        if not transforms:
            return samples
        wanted = round((clip.end_s - clip.start_s) * rate)
        # The donor's clip may be shorter: its audio is then repeated.
        heard = samples if len(samples) == wanted else np.resize(samples, wanted)
        return transforms.audio(heard, rate)

    def key(self, clip: Clip) -> str:
        """Return a key as :meth:`MediaStore.key` does, of the clip as it is shown."""
        transforms = self._transforms_of(clip)
        if not transforms:
            return super().key(clip)
        keys = [super().key(clip), transforms.key]
        if clip.audio and clip.video_id in self._audio_donors:
            # Two runs may pair the clip with different donors.
            keys.append(super().key(self._audio_source(clip)))
        return hashlib.sha256("\n".join(keys).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget a video, and the audio that it borrowed."""
        super().release(video_id)
        super().release(_donated(video_id))

    def _transformed(self, clip: Clip) -> Frames:
        frames = super().frames(clip)
        try:
            return self._transforms_of(clip).frames(frames)
        except MediaError as error:
            raise MediaError(f"video {clip.video_id}: {error}") from error

    def _transforms_of(self, clip: Clip) -> Transforms:
        return self._variants.get(clip.video_id, self._transforms)

    def _audio_source(self, clip: Clip) -> Clip:
        """Return the clip whose audio this one has."""
        return self._donor_clip(clip) if clip.video_id in self._audio_donors else clip

    def _donor_clip(self, clip: Clip) -> Clip:
        """Return a clip of the donor that is as long, from the same place if that is in the donor's video."""
        donor, length_s = self._audio_donors[clip.video_id], clip.end_s - clip.start_s
        start_s = max(0.0, min(clip.start_s, (donor.duration_s or 0.0) - length_s))
        end_s = min(start_s + length_s, max(donor.duration_s or 0.0, start_s))
        return Clip(_donated(clip.video_id), start_s, end_s, (), clip.max_pixels, audio=True)


def _donated(video_id: str) -> str:
    """Return the id under which the store holds the audio that a video borrows; no video has such an id."""
    return f"{video_id} (borrowed sound)"
