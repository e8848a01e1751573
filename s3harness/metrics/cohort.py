"""What the references of a task tell as a whole: how common each truth is, and where and in what order things come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from statistics import mean, median

from s3harness.types import Reference


class Cohort:
    """References as a whole, of one kind of item; they are walked once for each thing that is wanted of them."""

    def __init__(self, references: Iterable[Reference]) -> None:
        self.references = references

    @cached_property
    def size(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.references)

    @cached_property
    def labels(self) -> Mapping[str, Counter[str]]:
        """Subject → how common each closed answer is among its truths."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for reference in self.references:
            counts[reference.subject].update([label] if (label := label_of(reference.truth)) else [])
        return counts

    @cached_property
    def commonest_labels(self) -> Mapping[str, str]:
        """Subject → its commonest truth, "na" if nobody could tell any."""
        return {subject: commonest_of(counts) or "na" for subject, counts in self.labels.items()}

    @cached_property
    def commonest_texts(self) -> Mapping[tuple[str, str | None], str]:
        """Subject and closed answer → the commonest text of such a truth."""
        texts: defaultdict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
        for reference in self.references:
            if isinstance(reference.truth, Mapping):
                texts[reference.subject, label_of(reference.truth)][str(reference.truth["text"])] += 1
        return {key: commonest_of(counts) for key, counts in texts.items()}

    @cached_property
    def texts(self) -> Sequence[str]:
        """The true texts."""
        return [str(reference.truth["text"]) for reference in self.references]  # type: ignore[index]

    @cached_property
    def median_truths(self) -> Mapping[str, float]:
        """Subject → median of its true times, seconds."""
        times: defaultdict[str, list[float]] = defaultdict(list)
        for reference in self.references:
            times[reference.subject].append(reference.truth)  # type: ignore[arg-type]
        return {subject: float(median(of_subject)) for subject, of_subject in times.items()}

    @cached_property
    def median_places(self) -> Mapping[str, float]:
        """Subject → median of where in their windows its true times lie, 0–1."""
        places: defaultdict[str, list[float]] = defaultdict(list)
        for reference in self.references:
            places[reference.subject].append(_place(reference))
        return {subject: median(of_subject) for subject, of_subject in places.items()}

    @cached_property
    def sign_counts(self) -> Counter[str]:
        """How many videos have each sign."""
        return Counter(sign for reference in self.references for sign in _signs(reference))

    @cached_property
    def usual_order(self) -> Sequence[str]:
        """All signs by their mean place in the sequences, 0 first and 1 last."""
        places: defaultdict[str, list[float]] = defaultdict(list)
        for reference in self.references:
            signs = _signs(reference)
            for number, sign in enumerate(signs):
                places[sign].append((number + 0.5) / len(signs))
        return sorted(places, key=lambda sign: (mean(places[sign]), sign))


def label_of(truth: object) -> str | None:
    """The closed answer in a truth or value, ``None`` where nobody could tell or there is none."""
    label = truth if isinstance(truth, str) or not isinstance(truth, Mapping) else truth.get("present")
    return label if isinstance(label, str) and label != "untested" else None


def commonest_of(counts: Counter[str]) -> str:
    """The commonest word, the first of the alphabet if there are several; "" of nothing."""
    return min(counts, key=lambda word: (-counts[word], word), default="")


def _place(reference: Reference) -> float:
    """Where in its window the truth lies, 0–1; the middle where there is no window."""
    if reference.window is None or reference.window[1] <= reference.window[0]:
        return 0.5
    start, end = reference.window
    return (float(reference.truth) - start) / (end - start)  # type: ignore[arg-type]


def _signs(reference: Reference) -> list[str]:
    return [str(name) for name, _ in reference.truth]  # type: ignore[attr-defined]
