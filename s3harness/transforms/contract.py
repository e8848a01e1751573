"""The contract of a transform, which changes the frames and the audio of a clip before a model gets them.

A transform fails closed: where it raises, or returns an array of another form, the clip cannot be shown, and nothing of
it is sent as it was recorded.
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
    """Changes the media of a clip; where frames are all, a function ``(frames: Frames) -> Frames`` will do.

    The result depends on the arguments and on nothing else. ``version`` is part of the key of all media, and is to be
    raised whenever the result changes. With ``mutes`` no audio is handed over at all; with ``borrows_audio`` a clip has
    the audio of a clip of another patient.
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
        """Return the frames as shown: as many as before, uint8, T × H × W × 3, their times unchanged."""
        return frames

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Return the audio as heard: as many samples as before, mono float32, ``rate`` a second."""
        return samples

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """Return the annotations of the clip as it is now shown; ``None`` where nobody can know.

        They are for answerers that see the truth and no frame, so that a probe can be tried on them.
        """
        return None


@dataclass(frozen=True)
class Transforms:
    """Transforms with their names, in the order in which they are applied."""

    steps: tuple[tuple[str, Transform], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the transforms, in order."""
        return tuple(name for name, _ in self.steps)

    @property
    def muting(self) -> str:
        """Name of the first transform that mutes; empty if none does."""
        return next((name for name, step in self.steps if step.mutes), "")

    @property
    def borrows_audio(self) -> bool:
        """Tell whether a clip has the audio of another one."""
        return any(step.borrows_audio for _, step in self.steps)

    @property
    def key(self) -> str:
        """Hash of names and versions, in hexadecimal."""
        return hashlib.sha256(json.dumps([(n, step.version) for n, step in self.steps]).encode()).hexdigest()

    def describe(self) -> list[dict[str, str]]:
        """Return name, version and package of each transform, for the manifest."""
        entries = manager().registry.entry
        return [
            {"name": name, "version": step.version, "package": entries("transform", name).package}
            for name, step in self.steps
        ]

    def frames(self, frames: Frames) -> Frames:
        """Apply all transforms to frames; :class:`MediaError` naming the transform that fails."""
        for name, step in self.steps:
            frames = _checked_frames(name, frames, _apply(name, step, frames))
        return frames

    def audio(self, samples: Samples, rate: int) -> Samples:
        """Apply all transforms to audio; :class:`MediaError` naming the transform that fails."""
        for name, step in self.steps:
            samples = _checked_audio(name, samples, _apply(name, partial(step.audio, rate=rate), samples))
        return samples


def load_transforms(names: Sequence[str]) -> Transforms:
    """Load the transforms of these names; :class:`UsageError` for an unknown name, or one that comes twice."""
    if len(set(names)) < len(names):
        raise UsageError(f"a transform is named twice: {', '.join(names)}")
    return Transforms(tuple((name, _transform(name, load("transform", name))) for name in names))


class _FrameFunction(Transform):
    """A function of frames as a transform."""

    def __init__(self, function: Callable[[Frames], Frames]) -> None:
        self.function = function
        # A function can carry its version as an attribute.
        self.version = str(getattr(function, "version", "1"))

    def __call__(self, frames: Frames) -> Frames:
        return self.function(frames)


def _transform(name: str, plugin: object) -> Transform:
    if isinstance(plugin, Transform):
        return plugin
    # A class is callable too: called with frames, it would make an object, and no frames.
    if not callable(plugin) or isinstance(plugin, type):
        package = manager().registry.entry("transform", name).package
        expected = "a function of Frames, or an object of a class made of s3harness.Transform, is expected"
        raise PluginError(f"transform {name!r} of package {package!r} is {plugin!r}: {expected}")
    return _FrameFunction(cast("Callable[[Frames], Frames]", plugin))


def _apply(name: str, apply: Callable[..., object], media: object) -> object:
    try:
        return apply(media)
    except Exception as error:
        raise MediaError(
            f"transform {name!r} failed, so the clip is not sent: {type(error).__name__}: {error}"
        ) from error


def _checked_frames(name: str, before: Frames, after: object) -> Frames:
    pixels = after.pixels if isinstance(after, Frames) else None
    is_right = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 4
    if not isinstance(after, Frames) or not is_right or after.pixels.shape[3] != 3:
        raise MediaError(
            f"transform {name!r} returned no Frames with uint8 pixels (T × H × W × 3); the clip is not sent"
        )
    # Frames at other times would be asked about as if they were those of the plan.
    if len(after.pixels) != len(before.pixels) or tuple(after.timestamps) != tuple(before.timestamps):
        raise MediaError(f"transform {name!r} changed the number or the times of the frames; the clip is not sent")
    return after


def _checked_audio(name: str, before: Samples, after: object) -> Samples:
    if not isinstance(after, np.ndarray) or after.shape != before.shape:
        raise MediaError(f"transform {name!r} changed the length of the audio; the clip is not sent")
    return np.asarray(after, np.float32)
