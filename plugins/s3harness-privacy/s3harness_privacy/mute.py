"""No sound: the voice alone tells who somebody is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import s3harness


class Mute(s3harness.Transform):
    """Hands no sound over at all; the pictures stay."""

    mutes = True

    def audio(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        """Silence, should anybody ask all the same."""
        return np.zeros_like(samples)


mute = Mute()
