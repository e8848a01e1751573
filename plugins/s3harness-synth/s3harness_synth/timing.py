"""Onsets and durations of signs after the prior, in the event's own time, before they are fitted into a video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, sqrt

from s3harness_synth.chances import FIGURE4_PARTS
from s3harness_synth.habits import Habits
from s3harness_synth.prior import GroupPrior, SignPrior

Times = dict[str, tuple[float, float]]
"""Onset and offset of each sign in seconds; the first sign begins at 0."""

# The priors end videos at 600 s, of which the lead-in takes up to 30.
SHORTEST_SIGN_S, LONGEST_SIGN_S = 2.0, 560.0

_LONGEST_LAG_S = 400.0
# The labels are in whole seconds, in which signs less than half a second apart mostly begin together.
_LEADERS_WITHIN_S = 0.45
# The quartiles, by which the prior is compared with the labels, lie at ±0.67 and so are not touched.
_MOST_DEVIATIONS = 1.0
_PARTS_BEFORE_S = 0.15


@dataclass(frozen=True, slots=True)
class Draw:
    """The random numbers of one sign: two uniform in 0–1, and two standard normal ones."""

    leading: float
    together: float
    lag: float
    length: float


def draw(habits: Habits, feature: str) -> Draw:
    """Return the random numbers of one sign."""
    # Every trait takes numbers from the random stream, so that this order is part of a data set.
    leading, together = (habits.chance(f"{feature} {trait}") for trait in ("leading", "together"))
    return Draw(leading, together, habits.normal(f"{feature} lag"), habits.normal(f"{feature} length"))


def sign_times(draws: Mapping[str, Draw], group: GroupPrior, tempo: float) -> Times:
    """Return onsets and offsets of the signs of an event whose ``tempo`` is a standard normal number."""
    onsets = {feature: lag(group.signs[feature], drawn, tempo * group.tempo) for feature, drawn in draws.items()}
    if "figure4" in onsets:
        _begin_figure4(onsets, draws["arm_straightening"].together < group.figure4_straightens)
    # After the figure 4, which may have moved its parts to the front.
    first = min(onsets.values())
    lengths = _lengths(draws, group, tempo)
    times = {feature: (onset - first, onset - first + lengths[feature]) for feature, onset in onsets.items()}
    for part in FIGURE4_PARTS if "figure4" in times else ():
        times[part] = times[part][0], max(times[part][1], times["figure4"][1] + _PARTS_BEFORE_S)
    return _in_succession(times, group.signs)


def lag(sign: SignPrior, drawn: Draw, tempo: float) -> float:
    """Return the seconds after the first sign; ``tempo`` is the log of the factor that is the event's own."""
    if drawn.leading < sign.leads:
        # A number below `leads`, divided by it, is uniform in 0–1 again: no further draw is needed.
        return _LEADERS_WITHIN_S * drawn.leading / sign.leads
    return min(exp(sign.lag[0] + sign.lag[1] * drawn.lag + tempo), _LONGEST_LAG_S)


def place(times: Times, start_s: float, room_s: float, *, shortest_s: float, fill: bool = False) -> Times:
    """Return the event in a video: from ``start_s`` on, and quicker where it would take more than ``room_s``.

    No sign gets shorter than ``shortest_s``; with ``fill`` the event takes all the room, however short it is by itself.
    """
    span = max(offset for _, offset in times.values())
    pace = room_s / span if fill else min(1.0, room_s / span)
    last = start_s + room_s
    placed: Times = {}
    for feature, (onset, offset) in times.items():
        # A late sign begins earlier rather than lasting too short a time.
        begin = min(start_s + pace * onset, last - shortest_s)
        placed[feature] = begin, min(max(start_s + pace * offset, begin + shortest_s), last)
    return placed


def _lengths(draws: Mapping[str, Draw], group: GroupPrior, tempo: float) -> dict[str, float]:
    """Arms that make a figure 4 are held long where it lasts long: so they outlast it, and keep their distribution."""
    alike = dict.fromkeys(FIGURE4_PARTS, draws["figure4"]) if "figure4" in draws else {}
    return {feature: _length(group, feature, alike.get(feature, drawn), tempo) for feature, drawn in draws.items()}


def _length(group: GroupPrior, feature: str, drawn: Draw, tempo: float) -> float:
    mean, spread = group.signs[feature].length
    # The root keeps the variance at 1, so that the shared part changes no length's distribution.
    own = group.shared * tempo + sqrt(1 - group.shared**2) * drawn.length
    own = min(max(own, -_MOST_DEVIATIONS), _MOST_DEVIATIONS)
    return min(max(exp(mean + spread * own), SHORTEST_SIGN_S), LONGEST_SIGN_S)


def _begin_figure4(onsets: dict[str, float], straightens: bool) -> None:
    """Both arms are in place when the figure is; often the one is stretched out just then."""
    before = onsets["figure4"] - _PARTS_BEFORE_S
    onsets["arm_straightening"] = before if straightens else min(onsets["arm_straightening"], before)
    onsets["arm_flexion"] = min(onsets["arm_flexion"], before)


def _in_succession(times: Times, signs: Mapping[str, SignPrior]) -> Times:
    """Signs that follow another begin when it ends."""
    for feature, (onset, offset) in tuple(times.items()):
        before = signs[feature].follows
        if before in times:
            begin = times[before][1]
            times[feature] = begin, begin + offset - onset
    return times
