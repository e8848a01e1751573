"""Attribution of errors: the kind of error of each item, and losses split into their causes.

A loss is split by "oracle patching": one stage after the other is replaced by the truth, and the decrease of the loss
is attributed to that stage.
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
"""A boundary within this of the truth is a hit, in seconds; annotators note times to about a second."""

HIT, MISSED, HALLUCINATED = "hit", "missed", "hallucinated"
REJECTED = "correctly absent"
FLIPPED, CONFUSED, MISLOCATED = "side flipped", "confused", "mislocated"
UNTESTED = "untested in truth"


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemOutcome:
    """Outcome of one item: ``kind`` is a word for it, ``detail`` the answer that was given, or the error in time."""

    item: str
    task: str
    video_id: str
    subject: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss split into causes whose sum it is; a cause is negative where its stage lowers the score."""

    task: str
    unit: str
    total: float
    causes: Mapping[str, float]
    n_items: int


def outcomes(tasks: Mapping[str, ScoredTask]) -> list[ItemOutcome]:
    """Return the outcomes of all items, in the order of the run; lists and reports have one per sign."""
    rows: list[ItemOutcome] = []
    for scored in tasks.values():
        explain = _EXPLAINERS.get(scored.spec.item, _of_value)
        for reference, prediction in zip(scored.references, scored.predictions, strict=True):
            # Without a value there is nothing to explain: the status tells why.
            kinds = [(f"unread: {prediction.status}", "")] if prediction.value is None else []
            for kind, detail in kinds or explain(reference, prediction):
                rows.append(
                    ItemOutcome(
                        item=reference.item,
                        task=reference.task,
                        video_id=reference.video_id,
                        subject=reference.subject,
                        kind=kind,
                        detail=detail,
                    )
                )
    return rows


def counts(rows: Sequence[ItemOutcome]) -> dict[str, Counter[str]]:
    """Return task → number of outcomes of each kind, the commonest first."""
    by_task: dict[str, Counter[str]] = {}
    for outcome in rows:
        by_task.setdefault(outcome.task, Counter())[outcome.kind] += 1
    return {task: Counter(dict(counter.most_common())) for task, counter in by_task.items()}


def losses(tasks: Mapping[str, ScoredTask]) -> list[Loss]:
    """Split the losses of the order of events and of the reports into their causes."""
    by_kind = {scored.spec.item: scored for scored in tasks.values()}
    rows = []
    # The order is patched with the model's own signs and times, so all three tasks are needed.
    if {"sequence", "feature", "boundary"} <= by_kind.keys():
        rows.append(_order_loss(by_kind["sequence"], by_kind["feature"], by_kind["boundary"]))
    if "report" in by_kind:
        rows.append(_report_loss(by_kind["report"]))
    return rows


def _of_feature(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth, answer = reference.truth, prediction.value
    # A rationale has its presence beside the reason.
    if isinstance(truth, Mapping):
        truth, answer = truth["present"], cast("Mapping[str, Any]", answer).get("present")
    # Neither right nor wrong: the annotators could not tell.
    if truth == "untested":
        return [(UNTESTED, f"answered {answer}")]
    if answer == truth:
        return [(HIT if truth == "yes" else REJECTED, "")]
    return [(MISSED if truth == "yes" else HALLUCINATED, f"answered {answer}")]


def _of_value(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth, answer = str(reference.truth), str(prediction.value)
    if answer == truth:
        return [(HIT, "")]
    if _other_side(answer) == truth:
        return [(FLIPPED, f"{truth} taken for {answer}")]
    return [(CONFUSED, f"{truth} taken for {answer}")]


def _other_side(text: str) -> str:
    # Word by word, as body parts contain sides ("left arm").
    swapped = {"left": "right", "right": "left"}
    return " ".join(swapped.get(word, word) for word in text.split())


def _of_boundary(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    error = float(cast("float", prediction.value)) - float(cast("float", reference.truth))
    return [(HIT if abs(error) <= NEAR_S else MISLOCATED, f"{error:+.1f} s")]


def _of_sequence(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    truth = [str(name) for name, _ in cast("Sequence[tuple[str, float]]", reference.truth)]
    answer = [str(word) for word in cast("Sequence[object]", prediction.value)]
    # Repetitions are an error of their own, and must not push other signs out of order.
    distinct = list(dict.fromkeys(answer))
    in_order = set(_common_subsequence(distinct, truth))
    rows = [(HIT if name in in_order else "out of order" if name in distinct else MISSED, name) for name in truth]
    rows += [(HALLUCINATED, name) for name in distinct if name not in truth]
    return rows + [("said again", name) for name, n in Counter(answer).items() for _ in range(n - 1)]


def _common_subsequence(answer: Sequence[str], truth: Sequence[str]) -> list[str]:
    """Return a longest common subsequence."""
    # Imported here: rapidfuzz is a compiled library that only sequences need.
    from rapidfuzz.distance import LCSseq

    blocks = LCSseq.opcodes(answer, truth)
    return [answer[i] for block in blocks if block.tag == "equal" for i in range(block.src_start, block.src_end)]


def _of_report(reference: Reference, prediction: Prediction) -> list[tuple[str, str]]:
    score = SeizureRQI().score(Pair(reference, prediction))
    if score is None:
        return [("unread: no structure", "")]
    structure, truth = score.prediction, cast("Mapping[str, Any]", reference.truth)
    rows = []
    for name in truth["events"]:
        side, reported_side = truth["sides"].get(name, ""), structure.side(name)
        # A report without a side is not flipped: it is incomplete.
        is_reported = name in structure.events
        is_flipped = is_reported and bool(side) and bool(reported_side) and _other_side(reported_side) == side
        rows.append((FLIPPED if is_flipped else HIT if is_reported else MISSED, name))
    # A sign that nobody could test may well have been there.
    not_hallucinated = set(truth["events"]) | set(truth["untested"])
    return rows + [(HALLUCINATED, name) for name in dict.fromkeys(structure.events) if name not in not_hallucinated]


_EXPLAINERS = {
    "feature": _of_feature,
    "rationale": _of_feature,
    "boundary": _of_boundary,
    "sequence": _of_sequence,
    "report": _of_report,
}


def _order_loss(order: ScoredTask, signs: ScoredTask, times: ScoredTask) -> Loss:
    """Split 1 − LCS-F of the model's lists into composition, timing and recognition.

    Composition is the gain of a list composed of the model's own signs and times, timing the further gain of its own
    signs in their true order, recognition the rest: signs missed or invented. A sign without an answered time is last.
    """
    presence = _by_video(signs)
    onsets = _by_video(times)
    sums = [0.0, 0.0, 0.0]
    for reference, prediction in zip(order.references, order.predictions, strict=True):
        truth = [str(name) for name, _ in cast("Sequence[tuple[str, float]]", reference.truth)]
        listed = [str(w) for w in cast("Sequence[object]", prediction.value)] if prediction.value is not None else None
        own = [name for name, value in presence.get(reference.video_id, {}).items() if value == "yes"]
        time_of = onsets.get(reference.video_id, {})
        composed = sorted(own, key=lambda name: time_of.get(name, float("inf")))
        # Invented signs last: they cost the same wherever they stand.
        patched = sorted(own, key=lambda name: truth.index(name) if name in truth else len(truth))
        for n, answer in enumerate((listed, composed, patched)):
            sums[n] += longest_common_share(answer, truth) if answer is not None else 0.0
    n_items = len(order.references)
    own_score, composed_score, patched_score = (total / n_items for total in sums)
    # The differences telescope, so that the causes add up to the loss.
    causes = {
        "composition": composed_score - own_score,
        "timing": patched_score - composed_score,
        "recognition": 1.0 - patched_score,
    }
    return Loss(order.spec.name, "LCS-F", 1.0 - own_score, causes, n_items)


def _by_video(scored: ScoredTask) -> dict[str, dict[str, Any]]:
    """Return video → subject → answered value."""
    values: dict[str, dict[str, Any]] = {}
    for reference, prediction in zip(scored.references, scored.predictions, strict=True):
        if prediction.value is not None:
            values.setdefault(reference.video_id, {})[reference.subject] = prediction.value
    return values


def _report_loss(reports: ScoredTask) -> Loss:
    """Split 100 − Seizure-RQI into the points that each component did not earn, the penalties, and unread reports."""
    metric = SeizureRQI()
    causes: dict[str, float] = {}
    pairs = zip(reports.references, reports.predictions, strict=True)
    # As the metric: videos whose expert's report names no sign have no score, and so no loss.
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
