"""Frames and sound of training samples: decoded once per video, cached, and flipped if a sample is mirrored."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from s3harness.media import Frames, MediaStore, Samples
from s3harness.media.frames import RATE
from s3harness.training.sample import Sample
from s3harness.types import Clip, Video

# Trainers shuffle their samples: if each video were released after its sample, nearly every sample would open cache
# files anew; if none were, the open ones would grow with the set.
VIDEOS_HELD = 32


class ClipFrames:
    """Loads frames and sound of samples in any order; at most :data:`VIDEOS_HELD` videos are open at a time."""

    def __init__(self, videos: Iterable[Video], samples: Iterable[Sample], store: MediaStore) -> None:
        self._videos = {video.id: video for video in videos}
        self.store = store
        self._held: OrderedDict[str, None] = OrderedDict()
        clips: defaultdict[str, dict[Clip, None]] = defaultdict(dict)
        for sample in samples:
            # Without its index, which a clip has only within an item: tasks that show the same frames share them.
            clips[sample.request.clip.video_id][replace(sample.request.clip, index=0)] = None
        self._clips: dict[str, Sequence[Clip]] = {video_id: tuple(of_video) for video_id, of_video in clips.items()}

    def frames(self, sample: Sample) -> Frames:
        """Return the frames of a sample with their times in the video; :class:`MediaError` if it cannot be decoded."""
        frames = self.of_clip(sample.request.clip)
        return mirrored_frames(frames) if sample.mirrored else frames

    def of_clip(self, clip: Clip) -> Frames:
        """Return the frames of the clip of a sample, not mirrored."""
        self._hold(clip.video_id)
        return self.store.frames(clip)

    def has_audio(self, clip: Clip) -> bool:
        """Tell whether the clip of a sample has sound that the model is given."""
        self._hold(clip.video_id)
        return self.store.has_audio(clip)

    def audio(self, clip: Clip, rate: int = RATE) -> Samples:
        """Return the sound of the clip of a sample: mono float32 at ``rate`` samples a second."""
        self._hold(clip.video_id)
        return self.store.audio(clip, rate)

    def _hold(self, video_id: str) -> None:
        if video_id not in self._held:
            self.store.prepare(self._videos[video_id], self._clips[video_id])
        self._held[video_id] = None
        # The least recently used video is released first.
        self._held.move_to_end(video_id)
        while len(self._held) > VIDEOS_HELD:
            self.store.release(self._held.popitem(last=False)[0])


def mirrored_frames(frames: Frames) -> Frames:
    """Return the frames with left and right swapped."""
    # Contiguous: torch.from_numpy refuses arrays with negative strides.
    return Frames(np.ascontiguousarray(frames.pixels[:, :, ::-1]), frames.timestamps)
