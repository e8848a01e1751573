"""What speaks for a change at each moment of a clip: how its series differ before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from s3harness_kinematics.dialogue import SPEECH_VARIETY, reply
from s3harness_kinematics.grid import Array
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.series import change_scores
from s3harness_kinematics.summary import both_sides
from s3harness_kinematics.voice import Utterance

STEP_S = 0.5
"""Moments are no finer than this, however many frames a second there are."""

SPANS_S = (2.0, 6.0, 15.0)
"""How many seconds before and after a moment are compared."""

WHOLE_WINDOW_S = 59.0
"""A shorter clip is a whole video, in which seizures begin early; in a longer one they may begin anywhere."""

SEEN = (
    "moves_body",
    "moves_head",
    "moves_reach",
    "moves_chest",
    "moves_leg",
    "mirrored",
    "posture_head",
    "posture_reach",
    "posture_chest",
    "posture_shoulder",
    "posture_leg",
    "eye",
    "eye_moves",
    "mouth",
    "teeth",
    "mouth_moves",
)
DIRECTED = ("yaw", "head_x", "head_y", "shade")
"""Series with a direction, of which the distance from the clip's usual value counts."""


def change_features(measured: Measurements) -> tuple[Array, Array, list[str]]:
    """Moments in seconds (T + 1 edges of T steps), features T × k of a change at each step, and their names.

    Each change is measured against the spread of its series in the clip, so that it does not depend on how many frames
    a second are shown.
    """
    times, series = _series(measured)
    columns: dict[str, Array] = {}
    for name, values in series.items():
        spread = float(values.std()) + _SMALLEST.get(name.split("_")[0], 1e-3)
        for span in SPANS_S:
            columns[f"{name} {span:g} s"] = change_scores(times, values, span) / spread
        columns[f"{name} record"] = _record(values) / spread
    share = (times - times[0]) / max(measured.duration_s, 1e-6)
    short = float(measured.duration_s < WHOLE_WINDOW_S)
    columns |= {"place": share, "place²": share**2, "place, short": short * share, "place², short": short * share**2}
    columns |= {"beginning": np.exp(-times / 3.0), "beginning, short": short * np.exp(-times / 3.0)}
    return _edges(times, measured.duration_s), np.stack(list(columns.values()), axis=1), list(columns)


_SMALLEST = {"posture": 0.5}
"""Spread below which a series counts as constant, by the first word of its name."""


def _series(measured: Measurements) -> tuple[Array, dict[str, Array]]:
    """Times and series, thinned to one value every :data:`STEP_S` at most."""
    seen = {name: both_sides(measured.tracks, name) for name in SEEN}
    for name in DIRECTED:
        values = measured.tracks[name]
        seen[name] = np.abs(values - np.median(values))
    step = max(1, round(STEP_S * measured.rate))
    times = measured.times[::step]
    thinned = {name: _thinned(values, step) for name, values in seen.items()}
    heard = {name: _heard(of(measured.voice.utterances), times) for name, of in HEARD.items()}
    answered = reply(measured.voice)
    return times, thinned | heard | {"reply": _heard([answered] if answered else [], times)}


def _wordless(utterances: Iterable[Utterance], *, wanted: bool) -> list[Utterance]:
    return [one for one in utterances if (one.variety < SPEECH_VARIETY) is wanted]


HEARD: dict[str, Callable[[Iterable[Utterance]], list[Utterance]]] = {
    "wordless": partial(_wordless, wanted=True),
    "speech": partial(_wordless, wanted=False),
}


def _thinned(values: Array, step: int) -> Array:
    """The mean of every ``step`` values, the last of fewer."""
    starts = np.arange(0, len(values), step)
    return np.asarray(np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values))))


def _heard(utterances: Iterable[Utterance], times: Array) -> Array:
    """1 in the steps in which one of the utterances is heard."""
    ends = np.append(times[1:], np.inf)
    found = np.zeros(len(times))
    for one in utterances:
        found[(times < one.end_s) & (ends > one.start_s)] = 1.0
    return found


def _record(values: Array) -> Array:
    """By how much each value exceeds all before it."""
    before = np.maximum.accumulate(np.concatenate([values[:1], values[:-1]]))
    return np.asarray(np.maximum(values - before, 0.0))


def _edges(times: Array, duration_s: float) -> Array:
    """A change is seen in the first step after it: step *i* stands for the time since the step before."""
    return np.concatenate([[times[0]], times[1:] * 0.5 + times[:-1] * 0.5, [max(duration_s, times[-1])]])
