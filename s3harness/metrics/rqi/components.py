"""The four components of the Seizure-RQI, each 0–1: structure S, coverage C, laterality L, temporal order T.

Two sets of definitions. :func:`paper_components` produced the published numbers, defects included: a side that neither
report mentions counts as a hit, so that silence earns up to 25 points; T pays for padding (see
:func:`s3harness.metrics.order.temporal_f1`); a video whose truth has no event scores 0 for C and T.
:func:`strict_components` repairs them; the reasons are with each function.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from s3harness.metrics.order import temporal_f1
from s3harness.metrics.rqi.structure import LATERALITY_KEYS, NONE, ReportStructure, ReportTruth

SLEEP = "occur_during_sleep"
"""A state at the beginning of the event: it counts for coverage, but has no place in an order."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component: ``value`` in 0–1, or ``None`` where the truth has nothing to score; its hits and misses."""

    value: float | None
    evidence: tuple[str, ...] = ()


def paper_components(prediction: ReportStructure, truth: ReportTruth) -> dict[str, Component]:
    """Return S, C, L and T as published; the formula was recovered from the released scores of each video."""
    expert = truth.structure
    return {
        "S": Component(_share(expert.components & prediction.components, expert.components)),
        "C": Component(_share(set(expert.events) & set(prediction.events), set(expert.events))),
        "L": Component(_paper_laterality(prediction, expert)),
        "T": Component(temporal_f1(prediction.events, expert.events)),
    }


def strict_components(prediction: ReportStructure, truth: ReportTruth) -> dict[str, Component]:
    """Return S, C, L and T repaired; ``None``, its weight moved to the others, where the expert's report lacks it."""
    return {
        "S": _structure(prediction, truth.structure),
        "C": _coverage(prediction, truth.structure),
        "L": _laterality(prediction, truth.structure),
        "T": _order(prediction, truth),
    }


def supported(truth: ReportTruth) -> frozenset[str]:
    """Return the signs that are no inventions: the expert's, the annotators', and the untested ones."""
    return frozenset(truth.structure.events) | frozenset(truth.labelled or ()) | truth.untested


def _structure(prediction: ReportStructure, expert: ReportStructure) -> Component:
    return _recall(prediction.components, expert.components)


def _coverage(prediction: ReportStructure, expert: ReportStructure) -> Component:
    """Recall of the expert's signs, each counted once. Guessing costs by the hallucination penalty."""
    return _recall(set(prediction.events), set(expert.events))


def _laterality(prediction: ReportStructure, expert: ReportStructure) -> Component:
    """Share of the expert's lateralising signs with the right side.

    Where the expert gives no side, there is nothing to score: agreement on silence earns nothing.
    """
    keys = [key for key in LATERALITY_KEYS if expert.side(key) != NONE]
    right = [key for key in keys if prediction.side(key) == expert.side(key)]
    evidence = tuple(f"{key}: {prediction.side(key)}, expert {expert.side(key)}" for key in keys)
    return Component(len(right) / len(keys) if keys else None, evidence)


def _order(prediction: ReportStructure, truth: ReportTruth) -> Component:
    """2 × longest chain in the expert's order / (length of one report + length of the other).

    This is the F-measure of the longest common subsequence, symmetric and without padding. Events that the expert
    reports as simultaneous may come in either order. Signs of the annotators alone, and untested ones, are left out.
    """
    expert = _placed(truth.structure)
    if not expert:
        return Component(None)
    neutral = supported(truth) - set(expert)
    reported = {event: step for event, step in _placed(prediction).items() if event not in neutral}
    # Sorted by the expert's step within one step of the report: simultaneous events take the best order.
    shared = sorted((step, expert[event], event) for event, step in reported.items() if event in expert)
    chain = _longest_ascending([step for _, step, _ in shared])
    evidence = (f"{chain} of {len(expert)} in the expert's order: " + ", ".join(event for *_, event in shared),)
    return Component(2 * chain / (len(reported) + len(expert)), evidence)


def _placed(structure: ReportStructure) -> dict[str, int]:
    """Event → step, without sleep, first mention only."""
    numbers = structure.steps or tuple(range(len(structure.events)))
    # Reversed, so that the first of several mentions is the one that stays in the mapping.
    return {e: n for e, n in reversed(list(zip(structure.events, numbers, strict=True))) if e != SLEEP}


def _longest_ascending(values: list[int]) -> int:
    """Length of the longest subsequence that never falls."""
    tails: list[int] = []
    # Patience sorting; bisect_right, as equal steps may follow each other.
    for value in values:
        place = bisect_right(tails, value)
        tails[place : place + 1] = [value]
    return len(tails)


def _recall(reported: set[str] | frozenset[str], expected: set[str] | frozenset[str]) -> Component:
    if not expected:
        return Component(None)
    evidence = tuple(f"{'+' if name in reported else '−'} {name}" for name in sorted(expected))
    return Component(len(expected & reported) / len(expected), evidence)


def _paper_laterality(prediction: ReportStructure, expert: ReportStructure) -> float:
    # An extraction without the field has no sides to compare: the published scores have 0 there.
    if not prediction.laterality or not expert.laterality:
        return 0.0
    # The published defect: "none" against "none" is a hit.
    return sum(prediction.side(key) == expert.side(key) for key in LATERALITY_KEYS) / len(LATERALITY_KEYS)


def _share(hit: set[str] | frozenset[str], wanted: set[str] | frozenset[str]) -> float:
    return len(hit) / len(wanted) if wanted else 0.0
