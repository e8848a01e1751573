"""The inputs that a model gets for a request, as arrays with common names, so that two ways to them can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PIXELS, GRID, STEP_S, AUDIO = "pixels", "grid", "seconds_per_grid_step", "audio_features"
"""Names of the arrays that :class:`ModelInputs` may have."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelInputs:
    """The tokens of a prompt, and arrays by name.

    The arrays are named alike whatever the engine: ``pixels`` are the values of all patches or frames, normalised as
    the model gets them, in its order; ``grid`` the numbers of patches (steps, down, across) of each picture or video;
    ``seconds_per_grid_step`` the seconds between two steps of it; ``audio_features`` the features of the sound,
    without padding. An array that a model does not get is left out.
    """

    token_ids: tuple[int, ...]
    arrays: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    text: str = ""

    def sha256(self) -> str:
        """Return a hash of tokens and arrays (hex): the same for the same inputs, bit for bit."""
        return hashlib.sha256("\n".join(self.hashes().values()).encode()).hexdigest()

    def hashes(self) -> dict[str, str]:
        """Return name → hash of the tokens and of each array, in alphabetical order."""
        tokens = hashlib.sha256(repr(self.token_ids).encode()).hexdigest()
        return {"tokens": tokens} | {name: _hash(self.arrays[name]) for name in sorted(self.arrays)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceClip:
    """A clip as a plain decoder has it, for a model's own processor.

    ``frames`` is RGB, uint8, frames × height × width × 3; ``times_s`` are their times since the start of the clip, and
    empty where a processor is to be told none. ``fps`` is the rate of the source, ``audio`` mono float32 at ``rate``
    samples a second, ``None`` without sound.
    """

    frames: NDArray[np.uint8]
    times_s: tuple[float, ...]
    fps: float
    audio: NDArray[np.float32] | None = None
    rate: int = 16_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecipeInputs:
    """The inputs by the recipe of a model's authors: ``library`` with its version, and the times of its frames.

    ``times_s`` are seconds since the start of the clip, ``frames`` is what its decoder makes of the file (RGB, uint8,
    frames x height x width x 3), and ``min_pixels`` the area to which it enlarges smaller frames.
    """

    library: str
    inputs: ModelInputs
    times_s: tuple[float, ...] = ()
    frames: NDArray[np.uint8]
    min_pixels: int = 0


def _hash(array: NDArray[np.generic]) -> str:
    own = np.ascontiguousarray(array)
    return hashlib.sha256(f"{own.dtype} {own.shape}".encode() + own.tobytes()).hexdigest()
