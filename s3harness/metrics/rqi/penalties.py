"""What a report loses: factors on the base score, each with its reasons. Plugins add more by name.

A penalty is a function of a :class:`PenaltyContext` that returns a :class:`Penalty`. It sees the structures and the
text, and nothing else, so that a penalty can be computed again from what is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from s3harness.metrics.rqi.components import SLEEP, supported
from s3harness.metrics.rqi.structure import NONE, ReportStructure, ReportTruth
from s3harness.metrics.rqi.weighed import RESPONSIVE, UNRESPONSIVE, opposed_signs, vaguely_right
from s3harness.plugins.manager import load

VOCABULARY = 20
PER_DISTRACTION = 0.95
WORST_DISTRACTION = 0.5
HAZARD = 0.5
SHORTEST_BUDGET = 150
BUDGET_FACTOR = 1.5
PRICE_OF_INVENTION = 0.1
UNCONFIRMED = 0.5
"""The weight of an invention that no annotator could confirm."""
_UNCOUNTED_DISTRACTIONS = 4

_ANNOTATED_SIDES = {"head_turning": "head_turning", "first_motor_laterality": "arm_movement"}


@dataclass(frozen=True, slots=True)
class PenaltyContext:
    """All that a penalty may look at: what the report says, what it is held against, and the report itself."""

    prediction: ReportStructure
    truth: ReportTruth
    text: str


@dataclass(frozen=True, slots=True)
class Penalty:
    """A factor in 0–1 on the score and why; ``cap`` (0–100) bounds the score after all factors."""

    multiplier: float
    evidence: tuple[str, ...] = ()
    cap: float = 100.0


PenaltyFunction = Callable[[PenaltyContext], Penalty]


def hallucination(context: PenaltyContext) -> Penalty:
    """− 0.05 for each sign or side that neither the expert's report nor an annotator has.

    The same truth that coverage is measured by, and each sign once. The first costs what it costs in the published
    formula, where the price falls with each further one; here it does not, so that a report that names the whole
    vocabulary of 20 signs, and with it surely all the right ones, keeps next to nothing. Onset during sleep counts
    only where the expert says that the patient was awake: it has no onset time, so that no sequence can confirm it.
    """
    invented = _invented_signs(context) + _invented_sides(context)
    return Penalty(max(0.0, 1.0 - len(invented) / VOCABULARY), tuple(invented))


def invention(context: PenaltyContext) -> Penalty:
    """− 0.1 for each sign or side that neither the expert nor an annotator has, and for each false denial; at least 0.

    Doubt makes no invention cheaper. Signs that no annotator labels (those beyond the benchmark's vocabulary) count
    half, and so does a sign that is told and denied in one breath. A responsive patient whom the report calls
    unresponsive, or the other way round, counts twice: as invented and as denied. Sleep counts only where the expert
    says that the patient was awake, unresponsiveness where the patient was responsive: annotators label no absence.
    """
    charges = _charges(context)
    charged = sum(weight for _, weight in charges)
    return Penalty(max(0.0, 1.0 - PRICE_OF_INVENTION * charged), tuple(reason for reason, _ in charges))


def off_topic(context: PenaltyContext) -> Penalty:
    """× 0.95 for each mention of staff, devices or surroundings beyond those of the expert's report, down to 0.5."""
    said, allowance = _distractions(context.prediction), len(_distractions(context.truth.structure))
    surplus = max(0, len(said) - allowance)
    return Penalty(max(WORST_DISTRACTION, PER_DISTRACTION**surplus), said if surplus else ())


def length(context: PenaltyContext) -> Penalty:
    """√(budget / words) beyond a budget of 1.5 times the expert's words, at least 150: twice as long keeps 71 %.

    Up to 150 words the published formula takes nothing either; from there it falls in steps, to 0 at 350 words,
    whatever the expert needed. Smooth here, so that one word never costs a fifth.
    """
    budget = max(SHORTEST_BUDGET, BUDGET_FACTOR * context.truth.structure.words)
    words = context.prediction.words
    if words <= budget:
        return Penalty(1.0)
    return Penalty(math.sqrt(budget / words), (f"{words} words, budget {budget:.0f}",))


def hazard(context: PenaltyContext) -> Penalty:
    """× 0.5 for advice that could hurt a patient, unless the expert's own report reads so."""
    if not context.prediction.hazardous or context.truth.structure.hazardous:
        return Penalty(1.0)
    return Penalty(HAZARD, context.prediction.quotes("hazard") or ("flagged",))


def paper_hallucination(context: PenaltyContext) -> Penalty:
    """× 0.95 for each predicted event, repeats included, outside the human Task-5 sequence; × 1 without a sequence.

    Defects, kept: coverage is held against another source (the expert's text), and onset during sleep, which is in no
    sequence, is punished even where it is true.
    """
    if context.truth.labelled is None:
        return Penalty(1.0)
    invented = [event for event in context.prediction.events if event not in context.truth.labelled]
    return Penalty(0.95 ** len(invented), tuple(invented))


def paper_off_topic(context: PenaltyContext) -> Penalty:
    """× 0.8 where the report has talk that is not of the seizure."""
    flagged = context.prediction.off_topic
    return Penalty(0.8 if flagged else 1.0, context.prediction.quotes("off_topic") if flagged else ())


def paper_length(context: PenaltyContext) -> Penalty:
    """− 0.2 for each full 50 words beyond 100, whatever the expert's length; 0 from 350 words."""
    words = context.prediction.words
    over = (words - 100) // 50 if words > 100 else 0
    return Penalty(max(0.0, 1.0 - 0.2 * over), (f"{words} words",) if over else ())


def paper_hazard(context: PenaltyContext) -> Penalty:
    """At most 50 points where the report is unsafe."""
    return Penalty(1.0, context.prediction.quotes("hazard"), cap=50.0) if context.prediction.hazardous else Penalty(1.0)


BUILT_IN: Mapping[str, PenaltyFunction] = {
    "hallucination": hallucination,
    "invention": invention,
    "off_topic": off_topic,
    "length": length,
    "hazard": hazard,
    "paper_hallucination": paper_hallucination,
    "paper_off_topic": paper_off_topic,
    "paper_length": paper_length,
    "paper_hazard": paper_hazard,
}
"""The penalties of the package, by the names they are registered under."""


def penalty_named(name: str) -> PenaltyFunction:
    """A penalty by its registered name, the package's own or a plugin's; :class:`UsageError` if there is none."""
    return BUILT_IN[name] if name in BUILT_IN else cast("PenaltyFunction", load("rqi_penalty", name))


def _invented_signs(context: PenaltyContext) -> list[str]:
    known = supported(context.truth)
    awake = SLEEP in context.truth.structure.denied
    return [
        event for event in dict.fromkeys(context.prediction.events) if event not in known and (event != SLEEP or awake)
    ]


def _invented_sides(context: PenaltyContext) -> list[str]:
    """Sides of which the expert's report says nothing and which the annotators contradict."""
    prediction, expert = context.prediction, context.truth.structure
    found = []
    for key, sign in _ANNOTATED_SIDES.items():
        said, annotated = prediction.side(key), context.truth.sides.get(sign, "")
        if (
            expert.side(key) == NONE
            and said in {"left", "right"}
            and annotated in {"left", "right"}
            and said != annotated
        ):
            found.append(f"{key}: {said}, annotated {annotated}")
    return found


def _charges(context: PenaltyContext) -> list[tuple[str, float]]:
    """Each invention and false denial of a report, and the weight that it counts with."""
    prediction, expert = context.prediction, context.truth.structure
    seen = {*expert.events, *expert.other, *(context.truth.labelled or ())}
    known = seen | (context.truth.untested - expert.denied) | vaguely_right(expert)
    if RESPONSIVE not in seen:
        known |= {UNRESPONSIVE}
    if SLEEP not in expert.denied:
        known |= {SLEEP}
    charges = [
        (sign, UNCONFIRMED if sign in prediction.other else 1.0) for sign in prediction.weights() if sign not in known
    ]
    false_denials = opposed_signs(prediction, dict.fromkeys(seen, 1.0))
    charges += [(f"{sign}: the report says it was absent", 1.0) for sign in false_denials if sign not in expert.denied]
    told_and_denied = sorted(prediction.contradicted - expert.contradicted)
    charges += [(f"{sign}: told and denied", UNCONFIRMED) for sign in told_and_denied]
    return charges + [(reason, 1.0) for reason in _invented_sides(context)]


def _distractions(structure: ReportStructure) -> tuple[str, ...]:
    quotes = tuple(e.quote for e in structure.evidence if e.finding == "off_topic")
    return quotes or (("flagged",) * _UNCOUNTED_DISTRACTIONS if structure.off_topic else ())
