"""What is done to the pictures and the sound of a clip before a model gets them.

A transform fails closed: where it raises, or gives what it may not, the clip cannot be shown, and nothing of it is
sent as it was recorded.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from s3harness.errors import MediaError, PluginError, UsageError
from s3harness.media.frames import Frames, Samples
from s3harness.plugins.manager import load, manager
from s3harness.types import Clip, Video

_RENAMED = {"sound": "audio", "borrows_sound": "borrows_audio"}
"""Old → new names of what a transform defines."""


class Transform:
    """Changes what a model is shown; where pictures are all, a function ``(frames: Frames) -> Frames`` will do.

    What it gives depends on what it is given and on nothing else. ``version`` is part of the key of all media, and is
    raised whenever something else is shown. One that ``mutes`` hands no sound over at all; where one
    ``borrows_audio``, a clip has the sound of a clip of another patient.
    """

    version: str = "1"
    mutes: bool = False
    borrows_audio: bool = False

    def __init_subclass__(cls) -> None:
        # For one release: a transform that mutes under the old name must not become one that lets the sound through.
        for old, new in _RENAMED.items():
            if old in vars(cls):
                warnings.warn(f"{cls.__name__}.{old} is now called {new}", DeprecationWarning, stacklevel=2)
                setattr(cls, new, vars(cls)[old])

    def __call__(self, frames: Frames) -> Frames:
        """The pictures: as many as before, uint8, T × H × W × 3, their times unchanged."""
        return frames

    def audio(self, samples: Samples, rate: int) -> Samples:
        """The sound: as many samples as before, mono float32."""
        return samples

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """What the annotators would say of the clip as it is now shown; ``None`` where nobody can know.

        It is for answerers that see the truth and no picture, so that a probe can be tried on them.
        """
        return None


@dataclass(frozen=True)
class Transforms:
    """Transforms by name, in the order in which they are applied."""

    steps: tuple[tuple[str, Transform], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(name for name, _ in self.steps)

    @property
    def muting(self) -> str:
        """The name of the first that hands no sound over; empty if none does."""
        return next((name for name, step in self.steps if step.mutes), "")

    @property
    def borrows_audio(self) -> bool:
        """Whether a clip has another one's sound."""
        return any(step.borrows_audio for _, step in self.steps)

    @property
    def key(self) -> str:
        """A hash of names and versions, in hexadecimal."""
        return hashlib.sha256(json.dumps([(n, step.version) for n, step in self.steps]).encode()).hexdigest()

    def describe(self) -> list[dict[str, str]]:
        """Name, version, and what package brought each, for the manifest."""
        entries = manager().registry.entry
        return [
            {"name": name, "version": step.version, "package": entries("transform", name).package}
            for name, step in self.steps
        ]

    def frames(self, frames: Frames) -> Frames:
        """The pictures as they are shown; :class:`MediaError` naming the transform that fails."""
        for name, step in self.steps:
            frames = _checked_frames(name, frames, _tried(name, step, frames))
        return frames

    def audio(self, samples: Samples, rate: int) -> Samples:
        """The sound as it is heard; :class:`MediaError` naming the transform that fails."""
        for name, step in self.steps:
            samples = _checked_sound(name, samples, _tried(name, partial(step.audio, rate=rate), samples))
        return samples


def load_transforms(names: Sequence[str]) -> Transforms:
    """The transforms of these names; :class:`UsageError` for one that there is not, or that is named twice."""
    if len(set(names)) < len(names):
        raise UsageError(f"a transform is named twice: {', '.join(names)}")
    return Transforms(tuple((name, _transform(name, load("transform", name))) for name in names))


class _OfPictures(Transform):
    """A function as a transform."""

    def __init__(self, function: Callable[[Frames], Frames]) -> None:
        self.function = function
        self.version = str(getattr(function, "version", "1"))

    def __call__(self, frames: Frames) -> Frames:
        return self.function(frames)


def _transform(name: str, found: object) -> Transform:
    if isinstance(found, Transform):
        return found
    if not callable(found) or isinstance(found, type):
        package = manager().registry.entry("transform", name).package
        what = "a function of Frames, or an object of a class made of s3harness.Transform, is expected"
        raise PluginError(f"transform {name!r} of package {package!r} is {found!r}: {what}")
    return _OfPictures(cast("Callable[[Frames], Frames]", found))


def _tried(name: str, apply: Callable[..., object], given: object) -> object:
    try:
        return apply(given)
    except Exception as error:
        raise MediaError(
            f"transform {name!r} failed, so the clip is not sent: {type(error).__name__}: {error}"
        ) from error


def _checked_frames(name: str, before: Frames, made: object) -> Frames:
    pixels = made.pixels if isinstance(made, Frames) else None
    is_right = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 4
    if not isinstance(made, Frames) or not is_right or made.pixels.shape[3] != 3:
        raise MediaError(
            f"transform {name!r} returned no Frames with uint8 pixels (T × H × W × 3); the clip is not sent"
        )
    if len(made.pixels) != len(before.pixels) or tuple(made.timestamps) != tuple(before.timestamps):
        raise MediaError(f"transform {name!r} changed the number or the times of the frames; the clip is not sent")
    return made


def _checked_sound(name: str, before: Samples, made: object) -> Samples:
    if not isinstance(made, np.ndarray) or made.shape != before.shape:
        raise MediaError(f"transform {name!r} changed the length of the audio; the clip is not sent")
    return np.asarray(made, np.float32)
