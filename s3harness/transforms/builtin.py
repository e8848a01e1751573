"""The built-in transforms, which the probes use: each takes one kind of evidence away, or turns it round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from s3harness.media.frames import Frames, Samples
from s3harness.spans import within
from s3harness.transforms.contract import Transform
from s3harness.types import Clip, FeatureLabel, Video

GREY = 127
"""Half-way between black and white."""


class Mirror(Transform):
    """Exchanges left and right in every frame; the audio stays."""

    def __call__(self, frames: Frames) -> Frames:
        """Flip the frames."""
        # Contiguous, as engines hand the bytes of an array on.
        return Frames(np.ascontiguousarray(frames.pixels[:, :, ::-1]), frames.timestamps)

    def truth(self, video: Video, clip: Clip) -> Video:
        """Exchange every side, in the labels and in the words."""
        from s3harness.transforms.mirror import mirrored_video

        return mirrored_video(video)


class Reverse(Transform):
    """Runs the clip backwards, frames and audio."""

    def __call__(self, frames: Frames) -> Frames:
        """Return the last frame first; the times stay ascending."""
        return Frames(np.ascontiguousarray(frames.pixels[::-1]), frames.timestamps)

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Return the last sample first."""
        return samples[::-1].copy()

    def truth(self, video: Video, clip: Clip) -> Video:
        """Exchange starts and ends; a sign that ended first now begins last.

        The body part that moves first, and the report, are empty: nobody has annotated them of the clip backwards.
        """
        features = {name: _reversed(label, clip) for name, label in video.features.items()}
        onset_s, offset_s = _back(video.offset_s, clip), _back(video.onset_s, clip)
        return replace(
            video,
            features=features,
            onset_s=onset_s,
            offset_s=offset_s,
            onset_body_part="",
            report="",
            seizures=_seizures_back(video, clip),
        )


class Shuffle(Transform):
    """Puts the frames into a random order, the same for clips of equally many frames; times and audio stay."""

    def __call__(self, frames: Frames) -> Frames:
        """Reorder the frames."""
        # Seeded by the number of frames: the same clip gets the same order in every run and every process.
        order = np.random.default_rng(len(frames.pixels)).permutation(len(frames.pixels))
        # A draw can be the order as it was, which would change nothing.
        if (order == np.arange(len(order))).all():
            order = np.roll(order, 1)
        return Frames(frames.pixels[order], frames.timestamps)


class Freeze(Transform):
    """Shows the frame in the middle all the time; the audio stays."""

    def __call__(self, frames: Frames) -> Frames:
        """Repeat the frame in the middle."""
        middle = len(frames.pixels) // 2
        return Frames(np.repeat(frames.pixels[middle : middle + 1], len(frames.pixels), axis=0), frames.timestamps)


class Blank(Transform):
    """Shows nothing but grey; the audio stays."""

    def __call__(self, frames: Frames) -> Frames:
        """Return grey frames."""
        return Frames(np.full_like(frames.pixels, GREY), frames.timestamps)


class Silence(Transform):
    """Replaces the audio by silence of the same length; the frames stay."""

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Return zeros."""
        return np.zeros_like(samples)

    def truth(self, video: Video, clip: Clip) -> Video:
        """Take the signs that are heard away; the report is empty, as nobody has written one without the voice."""
        unheard = {"verbal_responsiveness": FeatureLabel("untested"), "ictal_vocalization": FeatureLabel("no")}
        features = {name: unheard.get(name, label) for name, label in video.features.items()}
        return replace(video, features=features, report="")


class SwapSound(Transform):
    """Replaces the audio by that of a clip of another patient; the frames stay."""

    borrows_audio = True


mirror, reverse, shuffle, freeze = Mirror(), Reverse(), Shuffle(), Freeze()
blank, silence, swap_sound = Blank(), Silence(), SwapSound()


def _reversed(label: FeatureLabel, clip: Clip) -> FeatureLabel:
    """Return a label for the clip run backwards; a sign without an end lasts as long as the clip does."""
    if label.start_s is None:
        return label
    end_s = clip.end_s if label.end_s is None else label.end_s
    return replace(label, start_s=_back(end_s, clip), end_s=_back(label.start_s, clip))


def _seizures_back(video: Video, clip: Clip) -> tuple[tuple[float, float], ...] | None:
    """Return the parts of the seizures that the clip shows, backwards, in seconds from the start of the video."""
    if video.seizures is None:
        return None
    shown = within(video.seizures, clip.start_s, clip.end_s)
    return tuple((clip.start_s + clip.end_s - end, clip.start_s + clip.end_s - start) for start, end in reversed(shown))


def _back(time_s: float | None, clip: Clip) -> float | None:
    return None if time_s is None else clip.start_s + clip.end_s - time_s
