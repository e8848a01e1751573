"""Trivial answerers: what can be scored without watching anything, and the truth itself.

Each answerer makes one prediction per reference, in the same order. Some know the references as a whole (the commonest
answer, how common each is), none uses what belongs to one item, except :func:`oracle`. They are made anew from the
references at hand, so that a floor is always one of the very items that are scored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s3harness.errors import UsageError
from s3harness.metrics.base import Metric, Pair
from s3harness.types import Prediction, Reference

Answerer = Callable[[Sequence[Reference]], list[Prediction]]

Weighted = tuple[NDArray[np.float64], list[Pair]]
"""How much each item's prediction counts, and the predictions beside the truth."""

PLACES = 21
"""At how many evenly spaced places of a window a random moment is scored."""

CONSTANT_REPORT = (
    "At onset the patient turns the head, followed by tonic stiffening of both arms and then by clonic jerking of the "
    "whole body. Afterwards the patient is confused and unresponsive."
)
"""A report that could stand under almost any seizure."""

KINDS: Mapping[str, str] = {
    "s3/task1_features": "feature",
    "s3/task2_rationales": "rationale",
    "s3/task3_laterality": "laterality",
    "s3/task4_temporal_boundaries": "boundary",
    "s3/task5_event_order": "sequence",
    "s3/task6_report": "report",
    "s3/task7_diagnosis": "diagnosis",
}
"""Task → kind of its answers."""


def floors_for(task: str, references: Sequence[Reference], *, seed: int = 0) -> dict[str, list[Prediction]]:
    """The predictions of every trivial answerer of a task (or kind of task), by the answerer's name.

    ``seed`` fixes the answerers that draw lots. Raises :class:`UsageError` for an unknown kind.
    """
    kind = KINDS.get(task, task)
    if kind not in set(KINDS.values()):
        known = ", ".join([*KINDS, *KINDS.values()])
        raise UsageError(f"no trivial answerers are known for {task!r}: expected one of {known}")
    return {name: answerer(references) for name, answerer in _answerers(kind, seed).items()} if references else {}


def expected_floors(kind: str, references: Sequence[Reference]) -> dict[str, list[Weighted]]:
    """Every trivial answerer as weighted predictions, so that one which draws lots is scored at its expectation.

    The weights (n,) of an item add up to 1 over an answerer's predictions. One draw of a blind answerer can be lucky,
    and the best of several answerers would be the luckiest; the weighted sum of their statistics cannot.
    """
    drawn = {"prevalence": _expected_prevalence, "anywhere": _expected_anywhere}
    certain = np.ones(len(references))
    return {
        name: drawn[name](references) if name in drawn else [(certain, _pairs(references, made))]
        for name, made in floors_for(kind, references).items()
    }


def expected_value(metric: Metric, made: Sequence[Weighted]) -> float:
    """The score of weighted predictions, that is of the weighted sums of their statistics; NaN where undefined.

    A metric that meets a new subject or label makes wider rows from then on, in which the old columns keep their place.
    """
    totals = [weights @ metric.statistics(pairs) for weights, pairs in made]
    width = max(map(len, totals))
    return float(metric.value(np.sum([np.pad(total, (0, width - len(total))) for total in totals], axis=0)))


def oracle(references: Sequence[Reference]) -> list[Prediction]:
    """The truth of each reference as an answer: what a perfect model would say, which scores the ceiling."""
    return [_prediction(reference, _truth_as_answer(reference.truth)) for reference in references]


def constant(answer: str, *, otherwise: Iterable[str] = ()) -> Answerer:
    """The same closed answer to every item; for the subjects ``otherwise`` their own commonest truth."""
    exceptions = frozenset(otherwise)

    def answerer(references: Sequence[Reference]) -> list[Prediction]:
        common = _commonest_labels(references)
        return _labelled(references, [common[r.subject] if r.subject in exceptions else answer for r in references])

    return answerer


def commonest(references: Sequence[Reference]) -> list[Prediction]:
    """To each item the commonest truth of its subject."""
    common = _commonest_labels(references)
    return _labelled(references, [common[reference.subject] for reference in references])


def prevalence(seed: int) -> Answerer:
    """The true answers of each subject, dealt out at random among its items: as common as they are, and blind.

    An item of which nobody could tell the truth gets "na".
    """

    def answerer(references: Sequence[Reference]) -> list[Prediction]:
        generator = np.random.default_rng(seed)
        dealt: dict[int, str] = {}
        for _, numbers in sorted(_by_subject(references).items()):
            known = sorted((n for n in numbers if _label(references[n].truth)), key=lambda n: references[n].item)
            given = [known[position] for position in generator.permutation(len(known))]
            dealt |= {n: str(_label(references[g].truth)) for n, g in zip(known, given, strict=True)}
        return _labelled(references, [dealt.get(number, "na") for number in range(len(references))])

    return answerer


def window_share(share: float) -> Answerer:
    """The same place of every window, 0 its start and 1 its end; without a window the subject's median truth."""

    def answerer(references: Sequence[Reference]) -> list[Prediction]:
        middle = _median_truths(references)
        return [_prediction(r, _within(r, share, middle[r.subject])) for r in references]

    return answerer


def commonest_place(references: Sequence[Reference]) -> list[Prediction]:
    """To each item the median place of its subject's truths in their windows."""
    middle = _median_truths(references)
    places = {
        subject: median(_place(references[number]) for number in numbers)
        for subject, numbers in _by_subject(references).items()
    }
    return [_prediction(r, _within(r, places[r.subject], middle[r.subject])) for r in references]


def anywhere(seed: int) -> Answerer:
    """A random moment of the window, each equally likely."""

    def answerer(references: Sequence[Reference]) -> list[Prediction]:
        middle = _median_truths(references)
        shares = np.random.default_rng(seed).random(len(references))
        share_of = dict(zip(sorted(r.item for r in references), shares.tolist(), strict=True))
        return [_prediction(r, _within(r, share_of[r.item], middle[r.subject])) for r in references]

    return answerer


def same(value: object) -> Answerer:
    """One open answer to every item."""
    return lambda references: [_prediction(reference, value) for reference in references]


def commonest_sign(references: Sequence[Reference]) -> list[Prediction]:
    """The one sign that most videos have."""
    return same([_signs_by_count(references)[0]] if _signs_by_count(references) else [])(references)


def typical_sequence(references: Sequence[Reference]) -> list[Prediction]:
    """The signs that at least half of the videos have, in their usual order."""
    counts = Counter(sign for reference in references for sign in _signs(reference))
    return same([sign for sign in _usual_order(references) if 2 * counts[sign] >= len(references)])(references)


def common_sequence(references: Sequence[Reference]) -> list[Prediction]:
    """The signs that at least a quarter of the videos have, in their usual order."""
    counts = Counter(sign for reference in references for sign in _signs(reference))
    return same([sign for sign in _usual_order(references) if 4 * counts[sign] >= len(references)])(references)


def all_signs(references: Sequence[Reference]) -> list[Prediction]:
    """Every sign that any video has, in the usual order."""
    return same(_usual_order(references))(references)


def commonest_text(references: Sequence[Reference]) -> list[Prediction]:
    """The commonest of the true texts."""
    texts = Counter(str(reference.truth["text"]) for reference in references)  # type: ignore[index]
    return same(_most(texts))(references)


def typical_text(references: Sequence[Reference]) -> list[Prediction]:
    """What most of the true texts say, in one (:mod:`s3harness.metrics.typical_report`)."""
    from s3harness.metrics.typical_report import typical_report

    return same(typical_report([str(r.truth["text"]) for r in references]))(references)  # type: ignore[index]


def _expected_prevalence(references: Sequence[Reference]) -> list[Weighted]:
    """Each answer to every item, weighted by how common it is among the truths of the item's subject."""
    shares: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for subject, numbers in _by_subject(references).items():
        counts = Counter(label for n in numbers if (label := _label(references[n].truth)))
        shares[subject] = {label: count / counts.total() for label, count in counts.items()}
    labels = sorted({label for of_subject in shares.values() for label in of_subject})
    return [
        (
            np.array([shares[r.subject].get(label, 0.0) for r in references]),
            _pairs(references, _labelled(references, [label] * len(references))),
        )
        for label in labels
    ]


def _expected_anywhere(references: Sequence[Reference]) -> list[Weighted]:
    """Every place of the windows alike."""
    weights = np.full(len(references), 1.0 / PLACES)
    shares = [(place + 0.5) / PLACES for place in range(PLACES)]
    return [(weights, _pairs(references, window_share(share)(references))) for share in shares]


def _answerers(kind: str, seed: int) -> Mapping[str, Answerer]:
    """Name → answerer of one kind of task."""
    presence = {"always_yes": constant("yes"), "always_no": constant("no")}
    guesses = {"commonest": commonest, "prevalence": prevalence(seed)}
    onset = ("onset_body_part",)
    answerers: dict[str, Mapping[str, Answerer]] = {
        "feature": presence | guesses,
        "rationale": presence | guesses,
        "laterality": {f"always_{side}": constant(side, otherwise=onset) for side in ("left", "right")} | guesses,
        "boundary": {
            "window_centre": window_share(0.5),
            "window_start": window_share(0.0),
            "window_end": window_share(1.0),
            "commonest_place": commonest_place,
            "anywhere": anywhere(seed),
        },
        "sequence": {
            "empty": same([]),
            "commonest_sign": commonest_sign,
            "typical_sequence": typical_sequence,
            "common_sequence": common_sequence,
            "all_signs": all_signs,
        },
        "report": {
            "empty": same(""),
            "constant_report": same(CONSTANT_REPORT),
            "commonest_report": commonest_text,
            "typical_report": typical_text,
        },
        "diagnosis": {"always_ES": constant("ES"), "always_NES": constant("NES"), "prevalence": prevalence(seed)},
    }
    return answerers[kind]


def _pairs(references: Sequence[Reference], predictions: Sequence[Prediction]) -> list[Pair]:
    return [Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)]


def _prediction(reference: Reference, value: object) -> Prediction:
    label = _label(value)
    return Prediction(reference.item, value, probability=float(label == "yes") if label in ("yes", "no") else None)


def _truth_as_answer(truth: Any) -> object:
    if truth == "untested":
        return "na"
    if isinstance(truth, Mapping):
        present = "na" if truth.get("present") == "untested" else truth.get("present")
        return {"present": present, "text": truth["text"]} if "present" in truth else truth["text"]
    if isinstance(truth, list | tuple):
        return [name for name, _ in truth]
    return truth


def _label(truth: object) -> str | None:
    """The closed answer in a truth or value, ``None`` where nobody could tell or there is none."""
    label = truth.get("present") if isinstance(truth, Mapping) else truth
    return label if isinstance(label, str) and label != "untested" else None


def _labelled(references: Sequence[Reference], labels: Sequence[str]) -> list[Prediction]:
    """Predictions of closed answers; where a text belongs to them, the commonest text of that feature and label."""
    texts: defaultdict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for reference in references:
        if isinstance(reference.truth, Mapping):
            texts[reference.subject, _label(reference.truth)][str(reference.truth["text"])] += 1
    common = {key: _most(counts) for key, counts in texts.items()}
    return [
        _prediction(
            r, {"present": label, "text": common.get((r.subject, label), "")} if isinstance(r.truth, Mapping) else label
        )
        for r, label in zip(references, labels, strict=True)
    ]


def _by_subject(references: Sequence[Reference]) -> Mapping[str, list[int]]:
    """Subject → the numbers of its references."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, reference in enumerate(references):
        numbers[reference.subject].append(number)
    return numbers


def _commonest_labels(references: Sequence[Reference]) -> Mapping[str, str]:
    """Subject → its commonest truth."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for reference in references:
        counts[reference.subject].update([label] if (label := _label(reference.truth)) else [])
    return {reference.subject: _most(counts[reference.subject]) or "na" for reference in references}


def _most(counts: Counter[str]) -> str:
    """The commonest, the first of the alphabet if there are several; "" of nothing."""
    return min(counts, key=lambda word: (-counts[word], word), default="")


def _median_truths(references: Sequence[Reference]) -> Mapping[str, float]:
    truths = {name: [references[n].truth for n in numbers] for name, numbers in _by_subject(references).items()}
    return {name: float(median(times)) for name, times in truths.items()}  # type: ignore[type-var,arg-type]


def _within(reference: Reference, share: float, otherwise: float) -> float:
    if reference.window is None:
        return otherwise
    start, end = reference.window
    return start + share * (end - start)


def _place(reference: Reference) -> float:
    """Where in its window the truth lies, 0–1; the middle where there is no window."""
    if reference.window is None or reference.window[1] <= reference.window[0]:
        return 0.5
    start, end = reference.window
    return (float(reference.truth) - start) / (end - start)  # type: ignore[arg-type]


def _signs(reference: Reference) -> list[str]:
    return [str(name) for name, _ in reference.truth]  # type: ignore[attr-defined]


def _signs_by_count(references: Sequence[Reference]) -> list[str]:
    counts = Counter(sign for reference in references for sign in _signs(reference))
    return sorted(counts, key=lambda sign: (-counts[sign], sign))


def _usual_order(references: Sequence[Reference]) -> list[str]:
    """All signs by their mean place in the sequences, 0 first and 1 last."""
    places: defaultdict[str, list[float]] = defaultdict(list)
    for reference in references:
        signs = _signs(reference)
        for number, sign in enumerate(signs):
            places[sign].append((number + 0.5) / len(signs))
    return sorted(places, key=lambda sign: (mean(places[sign]), sign))
