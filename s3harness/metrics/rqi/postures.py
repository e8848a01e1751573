"""The four lateralising signs of a report, from its sided signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from s3harness.metrics.rqi.laterality import OPPOSITE
from s3harness.metrics.rqi.order import Moment
from s3harness.metrics.rqi.signs import SignMention

_LIMB_SIGNS = frozenset(
    {
        "arm_straightening",
        "arm_flexion",
        "figure4",
        "face_pulling",
        "face_twitching",
        "clonic",
        "tonic",
        "limb_automatisms",
        "motor",
    }
)
MomentOf = Callable[[SignMention], Moment]
"""The function from a mention to its moment in the timeline."""

_POSTURES = {"arm_straightening": "extension", "arm_flexion": "flexion"}


@dataclass(frozen=True, slots=True)
class LateralisingSign:
    """One lateralising sign: its value, and the mention that gives it."""

    value: str
    mention: SignMention


def lateralising_signs(
    mentions: Sequence[SignMention], moment_of: MomentOf | None = None
) -> dict[str, LateralisingSign]:
    """Return head turning, first motor side, asymmetric posture and figure 4, each by its first mention with a side.

    With ``moment_of``, a head that turns to both sides at one moment has the side ``both``: naming both earns as little
    as naming none. Without it the first mention decides, as in the first version of the rules.
    """
    signs = {
        "head_turning": _settled(_first_sided(mentions, {"head_turning"}), mentions, moment_of),
        "first_motor_laterality": _first_sided([m for m in mentions if m.side != "both"], _LIMB_SIGNS),
        "asymmetric_posturing": _posture(mentions),
        "figure_4": _figure4(mentions),
    }
    return {key: sign for key, sign in signs.items() if sign}


def _first_sided(mentions: Sequence[SignMention], features: frozenset[str] | set[str]) -> LateralisingSign | None:
    first = next((m for m in mentions if m.feature in features and m.side), None)
    return LateralisingSign(first.side, first) if first else None


def _settled(
    sign: LateralisingSign | None, mentions: Sequence[SignMention], moment_of: MomentOf | None
) -> LateralisingSign | None:
    """The sign, its side ``both`` where another mention of its moment gives the other side."""
    if sign is None or moment_of is None:
        return sign
    # One moment only: a head that turns left and later right has a first side.
    moment, feature = moment_of(sign.mention), sign.mention.feature
    sides = {m.side for m in mentions if m.feature == feature and m.side and moment_of(m) == moment}
    return LateralisingSign("both", sign.mention) if sides - {sign.value} else sign


def _posture(mentions: Sequence[SignMention]) -> LateralisingSign | None:
    """A posture such as "right arm extension"; of two arms the extended one counts, whichever comes first."""
    sided = [m for m in mentions if m.feature in _POSTURES and m.side in OPPOSITE]
    if not sided:
        return None
    extended = next((m for m in sided if m.feature == "arm_straightening"), None)
    flexed = next((m for m in sided if m.feature == "arm_flexion"), None)
    named = extended if extended and flexed and extended.side != flexed.side else sided[0]
    return LateralisingSign(f"{named.side} arm {_POSTURES[named.feature]}", named)


def _figure4(mentions: Sequence[SignMention]) -> LateralisingSign | None:
    """The side of the extended arm of a figure 4, given for the arms or for the figure itself."""
    figure = next((m for m in mentions if m.feature == "figure4"), None)
    if figure is None:
        return None
    # 25 tokens: the arms of a figure 4 are described in the same sentence or the next.
    near = [m for m in mentions if m.feature in _POSTURES and m.side in OPPOSITE and abs(m.index - figure.index) <= 25]
    extended = next((m for m in near if m.feature == "arm_straightening"), None)
    flexed = next((m for m in near if m.feature == "arm_flexion"), None)
    if extended:
        return LateralisingSign(extended.side, extended)
    # In a figure 4 the arms differ: a flexed left arm means an extended right one.
    if flexed:
        return LateralisingSign(OPPOSITE[flexed.side], flexed)
    return LateralisingSign(figure.side, figure) if figure.side in OPPOSITE else None
