"""Penalties of a report: factors on the base score, each with its evidence. Plugins add more by name.

A penalty is a function of a :class:`PenaltyContext` that returns a :class:`Penalty`. It gets the structures and the
text, and nothing else, so that a penalty can be recomputed from a recorded run.
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
"""Signs of the benchmark: naming all of them leaves a factor of 0."""
PER_DISTRACTION = 0.95
WORST_DISTRACTION = 0.5
HAZARD = 0.5
SHORTEST_BUDGET = 150
"""Words that are free whatever the length of the expert's report."""
BUDGET_FACTOR = 1.5
PRICE_OF_INVENTION = 0.1
UNCONFIRMED = 0.5
"""The weight of an invention that no annotator could confirm."""
_UNCOUNTED_DISTRACTIONS = 4

_ANNOTATED_SIDES = {"head_turning": "head_turning", "first_motor_laterality": "arm_movement"}


@dataclass(frozen=True, slots=True)
class PenaltyContext:
    """The input of a penalty: the structure of the report, the truth, and the report itself."""

    prediction: ReportStructure
    truth: ReportTruth
    text: str


@dataclass(frozen=True, slots=True)
class Penalty:
    """A factor in 0–1 on the score, and its evidence; ``cap`` (0–100) bounds the score after all factors."""

    multiplier: float
    evidence: tuple[str, ...] = ()
    cap: float = 100.0


PenaltyFunction = Callable[[PenaltyContext], Penalty]


def hallucination(context: PenaltyContext) -> Penalty:
    """Return − 0.05 for each sign or side that neither the expert's report nor an annotator has.

    By the same truth as coverage, each sign once. The first invention costs as much as in the published formula, where
    the price falls with each further one; here it does not, so that a report that names the whole vocabulary of 20
    signs, and so all the right ones, keeps next to nothing. Onset during sleep counts only where the expert reports
    that the patient was awake: it has no onset time, so that no sequence can confirm it.
    """
    invented = _invented_signs(context) + _invented_sides(context)
    return Penalty(max(0.0, 1.0 - len(invented) / VOCABULARY), tuple(invented))


def invention(context: PenaltyContext) -> Penalty:
    """Return − 0.1 for each sign or side that neither the expert nor an annotator has, and for each false denial.

    The factor is at least 0. Doubt makes no invention cheaper. Signs that no annotator labels (those beyond the
    benchmark's vocabulary) count half, and so does a sign that is asserted and denied in one sentence. A responsive
    patient whom the report calls unresponsive, or the other way round, counts twice: as invented and as denied. Sleep
    counts only where the expert reports that the patient was awake, unresponsiveness where the patient was responsive:
    annotators label no absence.
    """
    charges = _charges(context)
    charged = sum(weight for _, weight in charges)
    return Penalty(max(0.0, 1.0 - PRICE_OF_INVENTION * charged), tuple(reason for reason, _ in charges))


def off_topic(context: PenaltyContext) -> Penalty:
    """Return × 0.95 for each mention of staff, devices or surroundings beyond the expert's number, down to 0.5."""
    quotes, allowance = _distractions(context.prediction), len(_distractions(context.truth.structure))
    surplus = max(0, len(quotes) - allowance)
    return Penalty(max(WORST_DISTRACTION, PER_DISTRACTION**surplus), quotes if surplus else ())


def length(context: PenaltyContext) -> Penalty:
    """Return √(budget / words) beyond a budget of 1.5 times the expert's words, at least 150: twice as long keeps 71 %.

    Up to 150 words the published formula takes nothing either; from there it falls in steps, to 0 at 350 words,
    whatever the length of the expert's report. Smooth here, so that one word never costs a fifth.
    """
    budget = max(SHORTEST_BUDGET, BUDGET_FACTOR * context.truth.structure.words)
    words = context.prediction.words
    # Brevity earns nothing: the factor is never above 1.
    if words <= budget:
        return Penalty(1.0)
    return Penalty(math.sqrt(budget / words), (f"{words} words, budget {budget:.0f}",))


def hazard(context: PenaltyContext) -> Penalty:
    """Return × 0.5 for advice that could hurt a patient, unless the expert's own report is flagged too."""
    if not context.prediction.hazardous or context.truth.structure.hazardous:
        return Penalty(1.0)
    return Penalty(HAZARD, context.prediction.quotes("hazard") or ("flagged",))


def paper_hallucination(context: PenaltyContext) -> Penalty:
    """Return × 0.95 for each predicted event, with repeats, outside the human Task-5 sequence; × 1 without a sequence.

    Defects of the published formula: coverage is measured by another source (the expert's text), and onset during
    sleep, which is in no sequence, is penalised even where it is true.
    """
    # Without an annotated sequence the published program has nothing to compare with.
    if context.truth.labelled is None:
        return Penalty(1.0)
    invented = [event for event in context.prediction.events if event not in context.truth.labelled]
    return Penalty(0.95 ** len(invented), tuple(invented))


def paper_off_topic(context: PenaltyContext) -> Penalty:
    """Return × 0.8 where the report has passages that are not about the seizure."""
    flagged = context.prediction.off_topic
    return Penalty(0.8 if flagged else 1.0, context.prediction.quotes("off_topic") if flagged else ())


def paper_length(context: PenaltyContext) -> Penalty:
    """Return − 0.2 for each full 50 words beyond 100, whatever the expert's length; 0 from 350 words."""
    words = context.prediction.words
    over = (words - 100) // 50 if words > 100 else 0
    return Penalty(max(0.0, 1.0 - 0.2 * over), (f"{words} words",) if over else ())


def paper_hazard(context: PenaltyContext) -> Penalty:
    """Return a cap of 50 points where the report is unsafe."""
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
"""The penalties of the package, by their registered names."""


def penalty_named(name: str) -> PenaltyFunction:
    """Return a penalty by its registered name, the package's own or a plugin's; :class:`UsageError` if unknown."""
    # The built-in ones first: no plugin can change the meaning of a preset.
    return BUILT_IN[name] if name in BUILT_IN else cast("PenaltyFunction", load("rqi_penalty", name))


def _invented_signs(context: PenaltyContext) -> list[str]:
    no_inventions = supported(context.truth)
    is_awake = SLEEP in context.truth.structure.denied
    return [
        event
        for event in dict.fromkeys(context.prediction.events)
        if event not in no_inventions and (event != SLEEP or is_awake)
    ]


def _invented_sides(context: PenaltyContext) -> list[str]:
    """Sides on which the expert's report is silent and which the annotators contradict."""
    prediction, expert = context.prediction, context.truth.structure
    reasons = []
    for key, sign in _ANNOTATED_SIDES.items():
        side, annotated = prediction.side(key), context.truth.sides.get(sign, "")
        # Where the expert gives a side, the component L scores it: a penalty would charge it twice.
        if (
            expert.side(key) == NONE
            and side in {"left", "right"}
            and annotated in {"left", "right"}
            and side != annotated
        ):
            reasons.append(f"{key}: {side}, annotated {annotated}")
    return reasons


def _charges(context: PenaltyContext) -> list[tuple[str, float]]:
    """Each invention and false denial of a report, and the weight that it counts with."""
    prediction, expert = context.prediction, context.truth.structure
    present = {*expert.events, *expert.other, *(context.truth.labelled or ())}
    no_inventions = present | (context.truth.untested - expert.denied) | vaguely_right(expert)
    if RESPONSIVE not in present:
        no_inventions |= {UNRESPONSIVE}
    if SLEEP not in expert.denied:
        no_inventions |= {SLEEP}
    charges = [
        (sign, UNCONFIRMED if sign in prediction.other else 1.0)
        for sign in prediction.weights()
        if sign not in no_inventions
    ]
    false_denials = opposed_signs(prediction, dict.fromkeys(present, 1.0))
    charges += [(f"{sign}: the report says it was absent", 1.0) for sign in false_denials if sign not in expert.denied]
    # The expert's own contradictions are the wording of the report, not the model's invention.
    contradictions = sorted(prediction.contradicted - expert.contradicted)
    charges += [(f"{sign}: told and denied", UNCONFIRMED) for sign in contradictions]
    return charges + [(reason, 1.0) for reason in _invented_sides(context)]


def _distractions(structure: ReportStructure) -> tuple[str, ...]:
    quotes = tuple(e.quote for e in structure.evidence if e.finding == "off_topic")
    # The authors' extraction has a flag and no quotations: it counts as a fixed number of them.
    return quotes or (("flagged",) * _UNCOUNTED_DISTRACTIONS if structure.off_topic else ())
