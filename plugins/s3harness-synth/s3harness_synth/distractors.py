"""Movements that look like signs and are none: the prior says how often, and no truth ever names them.

``head_shaking`` goes from side to side and is no versive turning; ``steady_shaking`` of the legs keeps its rate, where
clonic jerks slow down; a ``glance`` aside is over before it is a turn of the head; a ``yawn`` is no automatism.
"""

from __future__ import annotations

from collections.abc import Iterator

from numpy.random import Generator

from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event
from s3harness_synth.prior import GroupPrior
from s3harness_synth.vocabulary import SIDES

ICTAL: dict[str, tuple[float, float]] = {"head_shaking": (0.2, 0.4), "steady_shaking": (0.15, 0.35)}
"""Distractors of the seizure itself, and the share of it that they take."""

MOMENTARY: dict[str, float] = {"glance": 1.3, "yawn": 2.4}
"""Distractors at any time until the seizure is over, and their seconds."""

DISTRACTORS: tuple[str, ...] = (*ICTAL, *MOMENTARY)

_FREQUENCIES = {"head_shaking": (0.7, 1.2), "steady_shaking": (3.2, 4.8)}
_RAMP_S = 0.4
# Three seconds hold two cycles of the slowest rate; less would be a single movement.
_SHORTEST_S = 3.0


def sample_distractors(
    group: GroupPrior, seizure: tuple[float, float], awake: tuple[float, float], rng: Generator
) -> Iterator[Event]:
    """Draw the distractors of one event; ``awake`` is when the patient may look around, in the seizure or before."""
    for feature in DISTRACTORS:
        occurs, place, share = rng.random() < group.distractors[feature], rng.random(), rng.random()
        seed, side = int(rng.integers(2**31)), SIDES[int(rng.integers(2))]
        if not occurs:
            continue
        span = _ictal(feature, seizure, place, share) if feature in ICTAL else _momentary(feature, awake, place)
        if span is not None:
            low, high = _FREQUENCIES.get(feature, (1.0, 1.0))
            frequency = low + (high - low) * rng.random()
            envelope = Envelope.spanning(*span, _RAMP_S)
            yield Event(
                feature=feature,
                envelope=envelope,
                side=side if feature == "glance" else None,
                frequency=frequency,
                seed=seed,
            )


def _ictal(feature: str, seizure: tuple[float, float], place: float, share: float) -> tuple[float, float] | None:
    low, high = ICTAL[feature]
    length = (low + (high - low) * share) * (seizure[1] - seizure[0])
    # Away from the edges, so that the seizure is seen to begin and to end with a sign.
    begin = seizure[0] + (0.1 + 0.8 * place) * (seizure[1] - seizure[0] - length)
    return (begin, begin + length) if length >= _SHORTEST_S else None


def _momentary(feature: str, awake: tuple[float, float], place: float) -> tuple[float, float] | None:
    room = awake[1] - awake[0] - MOMENTARY[feature]
    begin = awake[0] + place * room
    return (begin, begin + MOMENTARY[feature]) if room > 0 else None
