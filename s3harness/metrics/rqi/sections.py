"""Sections of a report: the phases it covers, passages that are not semiology, and advice that could hurt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence

from s3harness.metrics.rqi.laterality import VIEWER, covered
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.text import Tokens
from s3harness.specs.features import benchmark_vocabulary, vocabulary

_NEAR = 8
"""Tokens between a cue and its target."""
_IMPERATIVE_AFTER = frozenset({".", ",", ";", ":", "!", "?", "\n", "and", "please", "then", "or", "to"})
_MOTOR = frozenset(
    {
        "head_turning",
        "face_pulling",
        "face_twitching",
        "tonic",
        "clonic",
        "arm_straightening",
        "arm_flexion",
        "figure4",
        "oral_automatisms",
        "limb_automatisms",
        "asynchronous_movement",
        "pelvic_thrusting",
        "full_body_shaking",
        "arms_move_simultaneously",
    }
)
"""The signs that are movements: several of them mean that the event spread."""


def find_phases(
    tokens: Tokens, lexicon: Lexicon, events: Sequence[str], denied: Collection[int], before: Collection[int] = ()
) -> dict[str, PhraseMatch | None]:
    """Return the components of the event that the report covers, each with the words that are evidence of it.

    Onset: the report names a first sign. Propagation: it reports that signs spread or follow, or several motor signs.
    Postictal: it describes the patient afterwards; words about the state at the tokens ``before`` all signs do not
    count.
    """
    cues: dict[str, PhraseMatch] = {}
    for hit in lexicon.phases.find(tokens):
        if hit.first not in denied and not (hit.name == "state" and hit.first in before):
            cues.setdefault("postictal" if hit.name == "state" else hit.name, hit)
    phases: dict[str, PhraseMatch | None] = {}
    # A phase needs signs, not its name alone: "at onset" without a sign covers nothing.
    if events:
        phases["onset"] = cues.get("onset")
    if len(_motor_signs().intersection(events)) > 1 or (len(events) > 1 and "propagation" in cues):
        phases["propagation"] = cues.get("propagation")
    if "postictal" in cues:
        phases["postictal"] = cues["postictal"]
    return phases


def _motor_signs() -> frozenset[str]:
    """Return the signs that are movements; of a user's own list, those that are seen and have a duration."""
    if not vocabulary().is_own:
        return _MOTOR
    seen = {f.name for f in vocabulary().features if f.modality == "video" and f.has_interval}
    still = frozenset(benchmark_vocabulary().names) - _MOTOR
    return frozenset(seen - still)


def find_off_topic(tokens: Tokens, lexicon: Lexicon) -> list[PhraseMatch]:
    """Return mentions of staff, relatives, devices and surroundings, without those that only give a side."""
    viewers = covered(hit for hit in lexicon.laterality.find(tokens) if hit.name in VIEWER)
    return [hit for hit in lexicon.off_topic.find(tokens) if hit.first not in viewers]


def find_hazards(tokens: Tokens, lexicon: Lexicon) -> list[PhraseMatch]:
    """Return advice that a semiology report must not give: drugs with doses or orders, restraint, objects in the mouth.

    That staff gave a drug or held a patient is a statement and no advice.
    """
    hits = lexicon.hazard.find(tokens)
    modals = [hit.first for hit in hits if hit.name == "modals"]
    hazards = [hit for hit in hits if hit.name == "always"]
    # A drug alone may be the patient's medication: only an order or a dose beside it is advice.
    hazards += _pairs(hits, tokens, ("orders", "modals", "doses"), "drugs")
    hazards += _pairs(hits, tokens, ("acts_mouth",), "mouth_targets")
    hazards += [hit for hit in hits if hit.name == "acts" and _is_advised(hit, modals, tokens)]
    return sorted(hazards, key=lambda hit: (hit.first, hit.last))


def _pairs(hits: Sequence[PhraseMatch], tokens: Tokens, cues: Collection[str], target: str) -> list[PhraseMatch]:
    """Targets with a cue close by in the same sentence, each with the nearest."""
    places = [(hit.first, hit) for hit in hits if hit.name in cues]
    firsts = [first for first, _ in places]
    pairs = []
    for hit in (hit for hit in hits if hit.name == target):
        near = places[bisect_left(firsts, hit.first - _NEAR) : bisect_right(firsts, hit.first + _NEAR)]
        cue = next((c for first, c in near if tokens.sentence[first] == tokens.sentence[hit.first]), None)
        if cue:
            pairs.append(PhraseMatch(target, min(cue.first, hit.first), max(cue.last, hit.last)))
    return pairs


def _is_advised(act: PhraseMatch, modals: Sequence[int], tokens: Tokens) -> bool:
    """Return whether an act is an imperative at the beginning of a sentence or clause, or has a modal before it."""
    before = act.first - 1
    # "Immediately restrain" is an imperative too.
    while tokens.word(before).endswith("ly"):
        before -= 1
    if before < 0 or tokens.word(before) in _IMPERATIVE_AFTER:
        return True
    place = bisect_left(modals, act.first) - 1
    return (
        place >= 0
        and act.first - modals[place] <= _NEAR
        and tokens.sentence[modals[place]] == tokens.sentence[act.first]
    )
