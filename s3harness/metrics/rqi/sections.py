"""What else a report holds: the phases it covers, talk that is not semiology, and advice that could hurt."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from s3harness.metrics.rqi.lexicon import Hit, Lexicon
from s3harness.metrics.rqi.text import Tokens

_NEAR = 8
_MOTOR = frozenset(
    {"head_turning", "face_pulling", "face_twitching", "tonic", "clonic", "arm_straightening", "arm_flexion", "figure4",
     "oral_automatisms", "limb_automatisms", "asynchronous_movement", "pelvic_thrusting", "full_body_shaking", "arms_move_simultaneously"}
)  # fmt: skip


def find_phases(
    tokens: Tokens, lexicon: Lexicon, events: Sequence[str], denied: Collection[int]
) -> dict[str, Hit | None]:
    """The components of the event that the report covers, each with the words that say so.

    Onset: the report tells a first sign. Propagation: it says that signs spread or follow, or tells several motor
    signs. Postictal: it says how the patient is afterwards.
    """
    cues: dict[str, Hit] = {}
    for hit in lexicon.phases.find(tokens):
        if hit.name == "postictal" or hit.first not in denied:
            cues.setdefault(hit.name, hit)
    found: dict[str, Hit | None] = {}
    if events:
        found["onset"] = cues.get("onset")
    if len(_MOTOR.intersection(events)) > 1 or (len(events) > 1 and "propagation" in cues):
        found["propagation"] = cues.get("propagation")
    if "postictal" in cues:
        found["postictal"] = cues["postictal"]
    return found


def find_off_topic(tokens: Tokens, lexicon: Lexicon) -> list[Hit]:
    """Staff, relatives, devices and surroundings that the report talks about."""
    return lexicon.off_topic.find(tokens)


def find_hazards(tokens: Tokens, lexicon: Lexicon) -> list[Hit]:
    """Advice that a semiology report must not give: drugs with doses or orders, restraint, things put into the mouth.

    That staff gave a drug or held a patient is a statement and no advice.
    """
    hits = lexicon.hazard.find(tokens)
    found = [hit for hit in hits if hit.name == "always"]
    found += _pairs(hits, tokens, ("orders", "modals", "doses"), "drugs")
    found += _pairs(hits, tokens, ("acts_mouth",), "mouth_targets")
    found += [hit for hit in hits if hit.name == "acts" and _is_advised(hit, hits, tokens)]
    return sorted(found, key=lambda hit: (hit.first, hit.last))


def _pairs(hits: Sequence[Hit], tokens: Tokens, cues: Collection[str], target: str) -> list[Hit]:
    return [
        Hit(target, min(cue.first, hit.first), max(cue.last, hit.last))
        for hit in hits
        if hit.name == target
        for cue in hits
        if cue.name in cues
        and abs(cue.first - hit.first) <= _NEAR
        and tokens.sentence[cue.first] == tokens.sentence[hit.first]
    ]


def _is_advised(act: Hit, hits: Sequence[Hit], tokens: Tokens) -> bool:
    """An imperative at the beginning of a sentence or clause, or a modal before it."""
    before = tokens.word(act.first - 1)
    if act.first == 0 or before in {".", ",", ";", ":", "!", "?", "\n", "and", "please", "then", "or", "to"}:
        return True
    return any(
        hit.name == "modals"
        and 0 < act.first - hit.first <= _NEAR
        and tokens.sentence[hit.first] == tokens.sentence[act.first]
        for hit in hits
    )
