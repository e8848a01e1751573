"""Evidence of a change at each moment of a clip: the difference of its series before and after."""

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
"""Finest grid of moments, whatever the frame rate is."""

SPANS_S = (2.0, 6.0, 15.0)
"""Seconds before and after a moment that are compared with each other."""

WHOLE_WINDOW_S = 59.0
"""A shorter clip is a whole video, in which seizures begin early; in a longer one they may begin anywhere."""

VISUAL = (
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
    """Return T + 1 edges of T steps in seconds, T × k features of a change at each step, and their k names."""
    times, series = _series(measured)
    columns: dict[str, Array] = {}
    for name, values in series.items():
        # Divided by the spread of the series in the clip, a change does not depend on the frame rate.
        spread = float(values.std()) + _SMALLEST.get(name.split("_")[0], 1e-3)
        for span in SPANS_S:
            columns[f"{name} {span:g} s"] = change_scores(times, values, span) / spread
        columns[f"{name} record"] = _record(values) / spread
    # The place in the clip is evidence, too; a short clip is a whole video, with onsets elsewhere than in a window.
    share = (times - times[0]) / max(measured.duration_s, 1e-6)
    short = float(measured.duration_s < WHOLE_WINDOW_S)
    columns |= {"place": share, "place²": share**2, "place, short": short * share, "place², short": short * share**2}
    columns |= {"beginning": np.exp(-times / 3.0), "beginning, short": short * np.exp(-times / 3.0)}
    return _edges(times, measured.duration_s), np.stack(list(columns.values()), axis=1), list(columns)


_SMALLEST = {"posture": 0.5}
"""Spread below which a series counts as constant, by the first word of its name."""


def _series(measured: Measurements) -> tuple[Array, dict[str, Array]]:
    """Return times and series, thinned to one value every :data:`STEP_S` at most."""
    visual = {name: both_sides(measured.tracks, name) for name in VISUAL}
    for name in DIRECTED:
        values = measured.tracks[name]
        visual[name] = np.abs(values - np.median(values))
    step = max(1, round(STEP_S * measured.rate))
    times = measured.times[::step]
    thinned = {name: _thinned(values, step) for name, values in visual.items()}
    audible = {name: _audible_steps(of(measured.voice.utterances), times) for name, of in AUDIBLE.items()}
    response = reply(measured.voice)
    return times, thinned | audible | {"reply": _audible_steps([response] if response else [], times)}


def _wordless(utterances: Iterable[Utterance], *, wanted: bool) -> list[Utterance]:
    return [one for one in utterances if (one.variety < SPEECH_VARIETY) is wanted]


AUDIBLE: dict[str, Callable[[Iterable[Utterance]], list[Utterance]]] = {
    "wordless": partial(_wordless, wanted=True),
    "speech": partial(_wordless, wanted=False),
}


def _thinned(values: Array, step: int) -> Array:
    """Mean of every ``step`` values, the last mean of fewer."""
    starts = np.arange(0, len(values), step)
    return np.asarray(np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values))))


def _audible_steps(utterances: Iterable[Utterance], times: Array) -> Array:
    """1 in the steps in which one of the utterances is audible, 0 in the others."""
    ends = np.append(times[1:], np.inf)
    is_audible = np.zeros(len(times))
    for utterance in utterances:
        is_audible[(times < utterance.end_s) & (ends > utterance.start_s)] = 1.0
    return is_audible


def _record(values: Array) -> Array:
    """Excess of each value over the highest one before it; 0 where there is none."""
    before = np.maximum.accumulate(np.concatenate([values[:1], values[:-1]]))
    return np.asarray(np.maximum(values - before, 0.0))


def _edges(times: Array, duration_s: float) -> Array:
    """Edges of the steps in seconds."""
    # A change shows in the first step after it, so step i stands for the time since step i − 1.
    return np.concatenate([[times[0]], times[1:] * 0.5 + times[:-1] * 0.5, [max(duration_s, times[-1])]])
