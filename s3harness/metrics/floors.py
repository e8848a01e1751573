"""Trivial answerers: what can be scored without watching anything, and the truth itself.

Each answerer is told of the references as a whole (:class:`.Cohort`: the commonest answer, how common each is) and then
answers one at a time; none uses what belongs to one item, except :func:`truth_of`. They are made anew from the
references at hand, so that a floor is always one of the very items that are scored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from s3harness.errors import UsageError
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.cohort import Cohort, commonest_of, label_of
from s3harness.stats import added
from s3harness.types import Prediction, Reference

Say = Callable[[Reference], Prediction]
"""One answerer's answer to an item."""
Answerer = Callable[[Cohort], Say]
Weighted = tuple[Callable[[Sequence[Reference]], Array], Say]
"""How much an answer to each of some items counts, and the answer."""

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
    """The predictions of every trivial answerer of a task (or kind of task), in the order given, by its name.

    ``seed`` fixes the answerers that draw lots. Raises :class:`UsageError` for an unknown kind.
    """
    kind = KINDS.get(task, task)
    if kind not in set(KINDS.values()):
        known = ", ".join([*KINDS, *KINDS.values()])
        raise UsageError(f"no trivial answerers are known for {task!r}: expected one of {known}")
    if not references:
        return {}
    cohort = Cohort(references)
    made = {name: list(map(answerer(cohort), references)) for name, answerer in _ANSWERERS[kind].items()}
    return made | {name: _DRAW[name](cohort, seed) for name in _LOTS.get(kind, ())}


def expected_floors(kind: str, references: Iterable[Reference]) -> dict[str, list[Weighted]]:
    """Every trivial answerer as weighted answers, so that one which draws lots is scored at its expectation.

    The weights of an item add up to 1 over an answerer's answers. One draw of a blind answerer can be lucky, and the
    best of several answerers would be the luckiest; the weighted sum of their statistics cannot. The references are
    walked more than once.
    """
    cohort = Cohort(references)
    made: dict[str, list[Weighted]] = {n: [(certain, answerer(cohort))] for n, answerer in _ANSWERERS[kind].items()}
    return made | {name: _EXPECT[name](cohort) for name in _LOTS.get(kind, ())}


def expected_value(metric: Metric, made: Sequence[Weighted], references: Sequence[Reference]) -> float:
    """The score of weighted answers, that is of the weighted sums of their statistics; NaN where undefined."""
    expected = Expectation(metric)
    for number, (weight, say) in enumerate(made):
        pairs = [Pair(reference, say(reference)) for reference in references]
        expected.add(number, pairs, weight(references))
    return expected.value()


class Expectation:
    """The score by a metric of weighted answers, of which some items come at a time.

    A metric that meets a new subject or label makes wider rows from then on, in which the old columns keep their place.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric, self._totals = metric, dict[int, Array]()

    def add(self, number: int, pairs: Sequence[Pair], weights: Array) -> None:
        """Add the answers of this number to some more items, and how much each counts (n,)."""
        rows = self._metric.statistics(pairs)
        self._totals[number] = added(self._totals.get(number, np.zeros(0)), rows, weights)

    def value(self) -> float:
        """The score of what was added, NaN where undefined."""
        width = max(map(len, self._totals.values()))
        totals = [np.pad(total, (0, width - len(total))) for total in self._totals.values()]
        return float(self._metric.value(np.sum(totals, axis=0)))


def certain(references: Sequence[Reference]) -> Array:
    """The weight of the only answer to each item."""
    return np.ones(len(references))


def oracle(references: Sequence[Reference]) -> list[Prediction]:
    """The truth of each reference as an answer: what a perfect model would say, which scores the ceiling."""
    return list(map(truth_of, references))


def truth_of(reference: Reference) -> Prediction:
    """The truth of a reference as an answer."""
    return _prediction(reference, _truth_as_answer(reference.truth))


def constant(answer: str, *, otherwise: Iterable[str] = ()) -> Answerer:
    """The same closed answer to every item; for the subjects ``otherwise`` their own commonest truth."""
    exceptions = frozenset(otherwise)

    def answerer(cohort: Cohort) -> Say:
        common = cohort.commonest_labels
        return lambda r: _labelled(cohort, r, common[r.subject] if r.subject in exceptions else answer)

    return answerer


def commonest(cohort: Cohort) -> Say:
    """To each item the commonest truth of its subject."""
    return lambda r: _labelled(cohort, r, cohort.commonest_labels[r.subject])


def prevalence(cohort: Cohort, seed: int) -> list[Prediction]:
    """The true answers of each subject, dealt out at random among its items: as common as they are, and blind.

    An item of which nobody could tell the truth gets "na".
    """
    references, generator = list(cohort.references), np.random.default_rng(seed)
    by_subject: defaultdict[str, list[int]] = defaultdict(list)
    for number, reference in enumerate(references):
        by_subject[reference.subject].append(number)
    dealt: dict[int, str] = {}
    for _, numbers in sorted(by_subject.items()):
        known = sorted((n for n in numbers if label_of(references[n].truth)), key=lambda n: references[n].item)
        given = [known[position] for position in generator.permutation(len(known))]
        dealt |= {n: str(label_of(references[g].truth)) for n, g in zip(known, given, strict=True)}
    return [_labelled(cohort, r, dealt.get(number, "na")) for number, r in enumerate(references)]


def window_share(share: float) -> Answerer:
    """The same place of every window, 0 its start and 1 its end; without a window the subject's median truth."""

    def answerer(cohort: Cohort) -> Say:
        return lambda r: Prediction(r.item, _within(r, share, cohort))

    return answerer


def commonest_place(cohort: Cohort) -> Say:
    """To each item the median place of its subject's truths in their windows."""
    return lambda r: Prediction(r.item, _within(r, cohort.median_places[r.subject], cohort))


def anywhere(cohort: Cohort, seed: int) -> list[Prediction]:
    """A random moment of the window, each equally likely."""
    shares = np.random.default_rng(seed).random(cohort.size)
    share_of = dict(zip(sorted(r.item for r in cohort.references), shares.tolist(), strict=True))
    return [_prediction(r, _within(r, share_of[r.item], cohort)) for r in cohort.references]


def same(value: object) -> Answerer:
    """One open answer to every item."""
    return lambda cohort: lambda reference: _prediction(reference, value)


def commonest_sign(cohort: Cohort) -> Say:
    """The one sign that most videos have."""
    counts = cohort.sign_counts
    return same([commonest_of(counts)] if counts else [])(cohort)


def common_signs(share: float) -> Answerer:
    """The signs that at least this share of the videos have, in their usual order."""

    def answerer(cohort: Cohort) -> Say:
        fewest = share * cohort.size
        return same([sign for sign in cohort.usual_order if cohort.sign_counts[sign] >= fewest])(cohort)

    return answerer


def commonest_text(cohort: Cohort) -> Say:
    """The commonest of the true texts."""
    return same(commonest_of(Counter(cohort.texts)))(cohort)


def typical_text(cohort: Cohort) -> Say:
    """What most of the true texts say, in one (:mod:`s3harness.metrics.typical_report`)."""
    from s3harness.metrics.typical_report import typical_report

    return same(typical_report(cohort.texts))(cohort)


def _expected_prevalence(cohort: Cohort) -> list[Weighted]:
    """Each answer to every item, weighted by how common it is among the truths of the item's subject."""
    labels = sorted({label for counts in cohort.labels.values() for label in counts})
    return [(_share_of(cohort, label), constant(label)(cohort)) for label in labels]


def _share_of(cohort: Cohort, label: str) -> Callable[[Sequence[Reference]], Array]:
    shares = {subject: counts[label] / counts.total() for subject, counts in cohort.labels.items() if counts}
    return lambda references: np.array([shares.get(reference.subject, 0.0) for reference in references])


def _expected_anywhere(cohort: Cohort) -> list[Weighted]:
    """Every place of the windows alike."""
    shares = [(place + 0.5) / PLACES for place in range(PLACES)]
    return [(lambda references: certain(references) / PLACES, window_share(share)(cohort)) for share in shares]


_PRESENCE: Mapping[str, Answerer] = {
    "always_yes": constant("yes"),
    "always_no": constant("no"),
    "commonest": commonest,
}
_ANSWERERS: Mapping[str, Mapping[str, Answerer]] = {
    "feature": _PRESENCE,
    "rationale": _PRESENCE,
    "laterality": {
        "always_left": constant("left", otherwise=("onset_body_part",)),
        "always_right": constant("right", otherwise=("onset_body_part",)),
        "commonest": commonest,
    },
    "boundary": {
        "window_centre": window_share(0.5),
        "window_start": window_share(0.0),
        "window_end": window_share(1.0),
        "commonest_place": commonest_place,
    },
    "sequence": {
        "empty": same([]),
        "commonest_sign": commonest_sign,
        "typical_sequence": common_signs(1 / 2),
        "common_sequence": common_signs(1 / 4),
        "all_signs": common_signs(0),
    },
    "report": {
        "empty": same(""),
        "constant_report": same(CONSTANT_REPORT),
        "commonest_report": commonest_text,
        "typical_report": typical_text,
    },
    "diagnosis": {"always_ES": constant("ES"), "always_NES": constant("NES")},
}
"""Kind → name → answerer, of those that draw no lots."""
_LOTS: Mapping[str, Sequence[str]] = {
    "feature": ("prevalence",),
    "rationale": ("prevalence",),
    "laterality": ("prevalence",),
    "boundary": ("anywhere",),
    "diagnosis": ("prevalence",),
}
"""Kind → the answerers that draw lots."""
_DRAW: Mapping[str, Callable[[Cohort, int], list[Prediction]]] = {"prevalence": prevalence, "anywhere": anywhere}
_EXPECT: Mapping[str, Callable[[Cohort], list[Weighted]]] = {
    "prevalence": _expected_prevalence,
    "anywhere": _expected_anywhere,
}


def _prediction(reference: Reference, value: object) -> Prediction:
    label = label_of(value)
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


def _labelled(cohort: Cohort, reference: Reference, label: str) -> Prediction:
    """A closed answer; where a text belongs to it, the commonest text of that feature and label."""
    if not isinstance(reference.truth, Mapping):
        return _prediction(reference, label)
    text = cohort.commonest_texts.get((reference.subject, label), "")
    return _prediction(reference, {"present": label, "text": text})


def _within(reference: Reference, share: float, cohort: Cohort) -> float:
    if reference.window is None:
        return cohort.median_truths[reference.subject]
    start, end = reference.window
    return start + share * (end - start)
