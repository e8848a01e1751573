"""The transforms that the probes are made of: each takes one kind of evidence away, or turns it round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from s3harness.media.frames import Frames, Samples
from s3harness.transforms.contract import Transform
from s3harness.types import Clip, FeatureLabel, Video

GREY = 127


class Mirror(Transform):
    """Every picture with left and right exchanged; the sound stays."""

    def __call__(self, frames: Frames) -> Frames:
        """Flipped."""
        return Frames(np.ascontiguousarray(frames.pixels[:, :, ::-1]), frames.timestamps)

    def truth(self, video: Video, clip: Clip) -> Video:
        """Every side exchanged, in the labels and in the words."""
        from s3harness.transforms.mirror import mirrored_video

        return mirrored_video(video)


class Reverse(Transform):
    """The clip run backwards, pictures and sound."""

    def __call__(self, frames: Frames) -> Frames:
        """The last first."""
        return Frames(np.ascontiguousarray(frames.pixels[::-1]), frames.timestamps)

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Run backwards."""
        return samples[::-1].copy()

    def truth(self, video: Video, clip: Clip) -> Video:
        """What ended first begins last. What moved first, and how a report would tell it, nobody has annotated."""
        features = {name: _reversed(label, clip) for name, label in video.features.items()}
        onset_s, offset_s = _back(video.offset_s, clip), _back(video.onset_s, clip)
        return replace(video, features=features, onset_s=onset_s, offset_s=offset_s, onset_body_part="", report="")


class Shuffle(Transform):
    """The pictures in a drawn order, the same for equally many; times and sound stay."""

    def __call__(self, frames: Frames) -> Frames:
        """In another order."""
        order = np.random.default_rng(len(frames.pixels)).permutation(len(frames.pixels))
        if (order == np.arange(len(order))).all():
            order = np.roll(order, 1)
        return Frames(frames.pixels[order], frames.timestamps)


class Freeze(Transform):
    """The picture in the middle, all the time; the sound stays."""

    def __call__(self, frames: Frames) -> Frames:
        """One for all."""
        middle = len(frames.pixels) // 2
        return Frames(np.repeat(frames.pixels[middle : middle + 1], len(frames.pixels), axis=0), frames.timestamps)


class Blank(Transform):
    """Nothing but grey; the sound stays."""

    def __call__(self, frames: Frames) -> Frames:
        """None."""
        return Frames(np.full_like(frames.pixels, GREY), frames.timestamps)


class Silence(Transform):
    """Silence as long as the sound; the pictures stay."""

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Nothing but zeros."""
        return np.zeros_like(samples)

    def truth(self, video: Video, clip: Clip) -> Video:
        """Nobody cries and nobody speaks; a report that leaves the voice out nobody has written."""
        unheard = {"verbal_responsiveness": FeatureLabel("untested"), "ictal_vocalization": FeatureLabel("no")}
        features = {name: unheard.get(name, label) for name, label in video.features.items()}
        return replace(video, features=features, report="")


class SwapSound(Transform):
    """The sound of a clip of another patient; the pictures stay."""

    borrows_audio = True


mirror, reverse, shuffle, freeze = Mirror(), Reverse(), Shuffle(), Freeze()
blank, silence, swap_sound = Blank(), Silence(), SwapSound()


def _reversed(label: FeatureLabel, clip: Clip) -> FeatureLabel:
    """A label of the clip run backwards; what has no end lasts as long as the clip does."""
    if label.start_s is None:
        return label
    end_s = clip.end_s if label.end_s is None else label.end_s
    return replace(label, start_s=_back(end_s, clip), end_s=_back(label.start_s, clip))


def _back(time_s: float | None, clip: Clip) -> float | None:
    return None if time_s is None else clip.start_s + clip.end_s - time_s
