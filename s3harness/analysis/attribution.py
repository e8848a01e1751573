"""Why an answer was wrong: each item named by what went wrong with it, and each loss split into its causes.

The splits patch one stage after the other with the truth ("oracle patching") and ask how much of the loss goes away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from s3harness.metrics.base import Pair
from s3harness.metrics.order import longest_common_share
from s3harness.metrics.rqi import SeizureRQI
from s3harness.scoring.score_run import ScoredTask
from s3harness.types import Prediction, Reference

NEAR_S = 2.0
"""A boundary within this of the truth is a hit; annotators' times have a grain of about a second."""

HIT, MISSED, HALLUCINATED = "hit", "missed", "hallucinated"
REJECTED = "correctly absent"
FLIPPED, CONFUSED, MISLOCATED = "side flipped", "confused", "mislocated"
UNTESTED = "untested in truth"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: ``kind`` in a word, ``detail`` with what it was confused, or by how much it is off."""

    item: str
    task: str
    video_id: str
    subject: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss split into its causes, which add up to it; a negative one is made good by a later stage."""

    task: str
    unit: str
    total: float
    causes: Mapping[str, float]
    n_items: int


def outcomes(tasks: Mapping[str, ScoredTask]) -> list[Outcome]:
    """The outcome of every item, in the order of the run. Lists and reports have one for each sign in or missing."""
    found: list[Outcome] = []
    for scored in tasks.values():
        explain = _EXPLAINED.get(scored.spec.item, _of_value)
        for reference, prediction in zip(scored.references, scored.predictions, strict=True):
            kinds = [(f"unread: {prediction.status}", "")] if prediction.value is None else []
            for kind, detail in kinds or explain(reference, prediction):
                found.append(
                    Outcome(reference.item, reference.task, reference.video_id, reference.subject, kind, detail)
                )
    return found


def counts(found: Sequence[Outcome]) -> dict[str, Counter[str]]:
    """Task → how many items ended in each way, commonest first."""
    by_task: dict[str, Counter[str]] = {}
    for outcome in found:
        by_task.setdefault(outcome.task, Counter())[outcome.kind] += 1
    return {task: Counter(dict(counter.most_common())) for task, counter in by_task.items()}


def losses(tasks: Mapping[str, ScoredTask]) -> list[Loss]:
    """How much of the loss of the order of events and of the reports each cause explains."""
    by_kind = {scored.spec.item: scored for scored in tasks.values()}
    found = []
    if {"sequence", "feature", "boundary"} <= by_kind.keys():
        found.append(_order_loss(by_kind["sequence"], by_kind["feature"], by_kind["boundary"]))
    if "report" in by_kind:
        found.append(_report_loss(by_kind["report"]))
    return found


def _of_feature(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth, said = reference.truth, prediction.value
    if isinstance(truth, Mapping):
        truth, said = truth["present"], cast("Mapping[str, Any]", said).get("present")
    if truth == "untested":
        return [(UNTESTED, f"answered {said}")]
    if said == truth:
        return [(HIT if truth == "yes" else REJECTED, "")]
    return [(MISSED if truth == "yes" else HALLUCINATED, f"answered {said}")]


def _of_value(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth, said = str(reference.truth), str(prediction.value)
    if said == truth:
        return [(HIT, "")]
    if _other_side(said) == truth:
        return [(FLIPPED, f"{truth} taken for {said}")]
    return [(CONFUSED, f"{truth} taken for {said}")]


def _other_side(text: str) -> str:
    swapped = {"left": "right", "right": "left"}
    return " ".join(swapped.get(word, word) for word in text.split())


def _of_boundary(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    error = float(cast("float", prediction.value)) - float(cast("float", reference.truth))
    return [(HIT if abs(error) <= NEAR_S else MISLOCATED, f"{error:+.1f} s")]


def _of_sequence(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth = [str(name) for name, _ in cast("Sequence[tuple[str, float]]", reference.truth)]
    said = [str(word) for word in cast("Sequence[object]", prediction.value)]
    first = list(dict.fromkeys(said))
    kept = set(_in_order(first, truth))
    rows = [(HIT if name in kept else "out of order" if name in first else MISSED, name) for name in truth]
    rows += [(HALLUCINATED, name) for name in first if name not in truth]
    return rows + [("said again", name) for name, n in Counter(said).items() for _ in range(n - 1)]


def _in_order(said: Sequence[str], truth: Sequence[str]) -> list[str]:
    """A longest common subsequence."""
    from rapidfuzz.distance import LCSseq

    blocks = LCSseq.opcodes(said, truth)
    return [said[i] for block in blocks if block.tag == "equal" for i in range(block.src_start, block.src_end)]


def _of_report(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    score = SeizureRQI().score(Pair(reference, prediction))
    if score is None:
        return [("unread: no structure", "")]
    said, truth = score.prediction, cast("Mapping[str, Any]", reference.truth)
    rows = []
    for name in truth["events"]:
        side, told = truth["sides"].get(name, ""), said.side(name)
        flipped = name in said.events and bool(side) and bool(told) and _other_side(told) == side
        rows.append((FLIPPED if flipped else HIT if name in said.events else MISSED, name))
    unknown = set(truth["events"]) | set(truth["untested"])
    return rows + [(HALLUCINATED, name) for name in dict.fromkeys(said.events) if name not in unknown]


_EXPLAINED = {
    "feature": _of_feature,
    "rationale": _of_feature,
    "boundary": _of_boundary,
    "sequence": _of_sequence,
    "report": _of_report,
}


def _order_loss(order: ScoredTask, signs: ScoredTask, times: ScoredTask) -> Loss:
    """1 − LCS-F of the lists, by what a list of the model's own signs and times, and of its signs in true order, gets.

    Composition is what putting its own answers together would have gained, timing what true times would add to that,
    recognition what is left: signs missed or invented. A sign that has no answered time comes last.
    """
    said = _by_video(signs)
    placed = _by_video(times)
    steps = [0.0, 0.0, 0.0]
    for reference, prediction in zip(order.references, order.predictions, strict=True):
        truth = [str(name) for name, _ in cast("Sequence[tuple[str, float]]", reference.truth)]
        listed = [str(w) for w in cast("Sequence[object]", prediction.value)] if prediction.value is not None else None
        own = [name for name, value in said.get(reference.video_id, {}).items() if value == "yes"]
        at = placed.get(reference.video_id, {})
        composed = sorted(own, key=lambda name: at.get(name, float("inf")))
        patched = sorted(own, key=lambda name: truth.index(name) if name in truth else len(truth))
        for n, answer in enumerate((listed, composed, patched)):
            steps[n] += longest_common_share(answer, truth) if answer is not None else 0.0
    n_items = len(order.references)
    own_score, composed_score, patched_score = (step / n_items for step in steps)
    causes = {
        "composition": composed_score - own_score,
        "timing": patched_score - composed_score,
        "recognition": 1.0 - patched_score,
    }
    return Loss(order.spec.name, "LCS-F", 1.0 - own_score, causes, n_items)


def _by_video(scored: ScoredTask) -> dict[str, dict[str, Any]]:
    """Video → subject → answered value."""
    found: dict[str, dict[str, Any]] = {}
    for reference, prediction in zip(scored.references, scored.predictions, strict=True):
        if prediction.value is not None:
            found.setdefault(reference.video_id, {})[reference.subject] = prediction.value
    return found


def _report_loss(reports: ScoredTask) -> Loss:
    """100 − Seizure-RQI, split: the points each component did not earn, what the penalties took, and unread reports."""
    metric = SeizureRQI()
    causes: dict[str, float] = {}
    pairs = zip(reports.references, reports.predictions, strict=True)
    scored = [(reference, prediction) for reference, prediction in pairs if not metric.left_out(reference)]
    n_items = len(scored)
    for reference, prediction in scored:
        score = metric.score(Pair(reference, prediction))
        if score is None or score.unread:
            lost = {"unread": 100.0}
        else:
            lost = score.unearned() | {"penalties": score.base - score.points}
        for cause, points in lost.items():
            causes[cause] = causes.get(cause, 0.0) + points / n_items
    return Loss(reports.spec.name, "points", sum(causes.values()), causes, n_items)
