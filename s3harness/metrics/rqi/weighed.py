"""The four components of ``strict-2``: every statement counts with its weight, and wrong sides cost.

A sign is *expected* with the weight that the expert's report gives it (:mod:`.certainty`), and *hit* with the smaller
of the weights that the two reports give it: doubt lowers what a sign earns, never what it costs. A report *opposes* the
expert where it denies a sign that the expert saw, or calls a patient responsive whom the expert calls unresponsive.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from s3harness.metrics.rqi.components import SLEEP, Component
from s3harness.metrics.rqi.structure import LATERALITY_KEYS, NONE, ReportStructure, ReportTruth

RESPONSIVE, UNRESPONSIVE = "verbal_responsiveness", "unresponsiveness"
OPPOSITES: Mapping[str, str] = {RESPONSIVE: UNRESPONSIVE, UNRESPONSIVE: RESPONSIVE}
"""Signs that exclude each other: reporting one denies the other."""
LESS_SPECIFIC: Mapping[str, str] = {"clonic": "full_body_shaking"}
"""Sign → a vaguer name of it, which counts half. The reverse does not count: "tonic-clonic" claims more than "shaking
all over", and may be wrong."""
VAGUE = 0.5
_SIDES = ("left", "right")


def weighed_components(prediction: ReportStructure, truth: ReportTruth) -> dict[str, Component]:
    """Return S, C, L and T of ``strict-2``; ``None``, its weight moved to the others, where the expert lacks it.

    L lies in −1 to 1, the others in 0 to 1.
    """
    hits = hits_of(prediction, truth.structure)
    return {
        "S": _phases(prediction, truth.structure, hits),
        "C": _coverage(prediction, truth.structure, hits),
        "L": _laterality(prediction, truth.structure, hits),
        "T": _order(prediction, truth, hits),
    }


def expects_signs(expert: ReportStructure) -> bool:
    """Return whether the expert's report names a sign, so that a report can be compared with it."""
    return any(weight > 0 for weight in expert.weights().values())


def hits_of(prediction: ReportStructure, expert: ReportStructure) -> dict[str, float]:
    """Return expected sign → the weight in 0–1 with which the report has it, without missing signs."""
    reported = prediction.weights()
    hits = {}
    for sign, weight in expert.weights().items():
        vague = VAGUE * reported.get(LESS_SPECIFIC.get(sign, ""), 0.0)
        # The smaller weight: certainty about a sign that the expert doubts earns no more than doubt.
        hits[sign] = min(weight, max(reported.get(sign, 0.0), vague))
    return {sign: weight for sign, weight in hits.items() if weight > 0}


def vaguely_right(expert: ReportStructure) -> frozenset[str]:
    """Return the vague names of the expert's signs: they count half, and are no inventions."""
    return frozenset(vague for sign, vague in LESS_SPECIFIC.items() if sign in expert.events)


def opposed_signs(prediction: ReportStructure, signs: Mapping[str, float]) -> list[str]:
    """Return those of the expected or annotated ``signs`` that the report calls absent, alphabetically."""
    reported = prediction.weights()
    return sorted(
        sign
        for sign in signs
        if OPPOSITES.get(sign) not in signs
        and (sign in prediction.denied or (OPPOSITES.get(sign) in reported and sign not in reported))
    )


def _phases(prediction: ReportStructure, expert: ReportStructure, hits: Mapping[str, float]) -> Component:
    """Share of the expert's phases with a right sign in the report.

    Onset: a sign of the expert's first moment; propagation: a sign of a later one; postictal: the state afterwards,
    from a report that has any sign right. Naming a phase earns nothing.
    """
    # Only sleep has no place in the order: then it is the sign of the onset.
    steps = _placed(expert) or dict.fromkeys(expert.events, 0)
    first = min(steps.values(), default=0)
    expected, earned = expert.weights(), dict[str, float]()
    for sign, step in steps.items():
        phase = "onset" if step == first else "propagation"
        earned[phase] = max(earned.get(phase, 0.0), hits.get(sign, 0.0) / expected[sign])
    if "postictal" in expert.components:
        earned["postictal"] = float("postictal" in prediction.components and bool(hits))
    if not earned:
        return Component(None)
    evidence = tuple(f"{'+' if value else '−'} {phase}" for phase, value in earned.items())
    return Component(sum(earned.values()) / len(earned), evidence)


def _coverage(prediction: ReportStructure, expert: ReportStructure, hits: Mapping[str, float]) -> Component:
    """(Weight of the hits − weight of the opposed signs) / weight of the expected signs, at least 0."""
    expected = expert.weights()
    if not expected:
        return Component(None)
    opposed = opposed_signs(prediction, expected)
    evidence = tuple(_line(sign, hits.get(sign, 0.0), is_opposed=sign in opposed) for sign in sorted(expected))
    earned = sum(hits.values()) - sum(expected[sign] for sign in opposed)
    return Component(max(0.0, earned / sum(expected.values())), evidence)


def _line(sign: str, hit: float, *, is_opposed: bool) -> str:
    if is_opposed:
        return f"− {sign}: the report says it was absent"
    return f"+ {sign}" if hit >= 1 else f"+ {sign}, × {hit:.2f}" if hit else f"− {sign}"


def _laterality(prediction: ReportStructure, expert: ReportStructure, hits: Mapping[str, float]) -> Component:
    """(Right sides − wrong sides) / lateralising signs of the expert, −1 to 1; no side, and both sides, count 0.

    A wrong side costs as much as a right one earns, so that tossing a coin earns what silence earns. Without any sign
    right a side earns nothing.
    """
    keys = [key for key in LATERALITY_KEYS if expert.side(key) not in (NONE, "both")]
    if not keys:
        return Component(None)
    marks = {key: _side_mark(prediction.side(key), expert.side(key)) for key in keys}
    expected = {key: expert.side_certainty.get(key, 1.0) for key in keys}
    right = {key: min(expected[key], prediction.side_certainty.get(key, 1.0)) for key in keys if hits}
    # A wrong side costs the expert's full certainty: doubt lowers what a side earns, never its cost.
    earned = sum(right.get(key, 0.0) if marks[key] > 0 else marks[key] * expected[key] for key in keys)
    evidence = tuple(f"{key}: {prediction.side(key)}, expert {expert.side(key)}" for key in keys)
    return Component(earned / sum(expected.values()), evidence)


def _side_mark(reported: str, expected: str) -> int:
    """1 for the same side or posture, −1 for the other side of it, 0 for anything else."""
    if reported == expected:
        return 1
    side, _, posture = reported.partition(" ")
    other, _, wanted = expected.partition(" ")
    return -1 if posture == wanted and side in _SIDES and other in _SIDES else 0


def _order(prediction: ReportStructure, truth: ReportTruth, hits: Mapping[str, float]) -> Component:
    """2 × weight of the heaviest chain of hits in the expert's order / (weight of one report + weight of the other).

    As in ``strict-1`` signs of one moment may come in either order, and signs of the annotators alone, and untested
    ones, are left out.
    """
    expert, expected = _placed(truth.structure), truth.structure.weights()
    if not expert:
        return Component(None)
    neutral = (frozenset(truth.labelled or ()) | truth.untested | vaguely_right(truth.structure)) - set(expert)
    reported = {sign: step for sign, step in _placed(prediction).items() if sign not in neutral}
    shared = sorted((step, expert[sign], sign) for sign, step in reported.items() if sign in expert)
    chain = _heaviest_ascending([(step, hits.get(sign, 0.0)) for _, step, sign in shared])
    # An unexpected sign weighs 1 whatever its doubt, so that hedged padding is not free.
    total = sum(expected.get(sign, 1.0) for sign in reported) + sum(expected[sign] for sign in expert)
    evidence = (f"{chain:g} of {len(expert)} in the expert's order: " + ", ".join(sign for *_, sign in shared),)
    return Component(2 * chain / total, evidence)


def _placed(structure: ReportStructure) -> dict[str, int]:
    """Event → step, without sleep, first mention only."""
    numbers = structure.steps or tuple(range(len(structure.events)))
    return {e: n for e, n in reversed(list(zip(structure.events, numbers, strict=True))) if e != SLEEP}


def _heaviest_ascending(values: list[tuple[int, float]]) -> float:
    """Weight of the heaviest subsequence of (step, weight) whose steps never fall, in n log n."""
    steps: list[int] = []
    totals: list[float] = []
    for step, weight in values:
        place = bisect_right(steps, step)
        total = (totals[place - 1] if place else 0.0) + weight
        end = place
        # Totals ascend with the steps: later entries that are not heavier can never be extended with profit.
        while end < len(steps) and totals[end] <= total:
            end += 1
        start = place - 1 if place and steps[place - 1] == step else place
        steps[start:end], totals[start:end] = [step], [total]
    return totals[-1] if totals else 0.0
