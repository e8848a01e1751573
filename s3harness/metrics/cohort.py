"""Counts and medians over many patients, from which any one patient can be left out.

A trivial answerer is fitted on other patients than that of the item. Refitting it for each patient would take time in
patients × items; here the counts of a patient are subtracted from those of all, in the time of the patient's own items.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_CACHED_COUNTS = 4096
"""Counts of a group without a patient that are cached: those of the videos being scored."""


class PatientCounts:
    """Counts of each thing in each group (the labels of a subject, the signs of a video), by patient.

    Each addition takes 24 bytes. Nothing can be added to a group once its counts were read.
    """

    def __init__(self) -> None:
        self._things: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._added: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._counted: dict[str, _Counted] = {}
        # A cache per object, not a decorator on the method, which would keep every object alive for ever.
        self.of = lru_cache(_CACHED_COUNTS)(self._of)

    def add(self, patient: int, group: str, thing: str, count: int = 1) -> None:
        """Count a thing of a patient."""
        things = self._things[group]
        self._added[group].extend((patient, things.setdefault(thing, len(things)), count))

    def groups(self) -> list[str]:
        """Return all groups, in order of first appearance."""
        return list(self._things)

    def things(self, group: str) -> list[str]:
        """Return all things of a group, in alphabetical order."""
        return sorted(self._things[group]) if group in self._things else []

    def _of(self, group: str, without: int | None) -> Counter[str]:
        """Return the counts of a group, without those of the patient ``without`` if it is not ``None``."""
        # Looked up without creating it: reading a defaultdict would add the group.
        if group not in self._things:
            return Counter()
        # The additions are freed as soon as they are counted.
        if group not in self._counted:
            self._counted[group] = _counted(np.array(self._added.pop(group)).reshape(-1, 3), len(self._things[group]))
        totals, rows = self._counted[group]
        left = totals.copy()
        if without is not None:
            first, last = np.searchsorted(rows[:, 0], [without, without + 1])
            np.subtract.at(left, rows[first:last, 1], rows[first:last, 2])
        return Counter({thing: n for thing, n in zip(self._things[group], left.tolist(), strict=True) if n > 0})


class _Counted(NamedTuple):
    """The count of each thing (things,), and rows of (patient, thing, count), ascending by patient."""

    totals: Numbers
    rows: Numbers


def _counted(rows: Numbers, things: int) -> _Counted:
    totals = np.zeros(things, np.int64)
    np.add.at(totals, rows[:, 1], rows[:, 2])
    return _Counted(totals, rows[np.argsort(rows[:, 0], kind="stable")])


class PatientMedians:
    """Medians of the values of each group, with or without those of one patient."""

    def __init__(self) -> None:
        self._values: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self._patients: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._sorted: dict[str, _Sorted] = {}

    def add(self, patient: int, group: str, value: float) -> None:
        """Add a value of a patient."""
        self._values[group].append(value)
        self._patients[group].append(patient)

    def of(self, group: str, without: int | None) -> float | None:
        """Return the median of a group without the values of a patient; ``None`` where none is left."""
        if group not in self._values:
            return None
        if group not in self._sorted:
            self._sorted[group] = _by_value(np.array(self._values[group]), np.array(self._patients[group]))
        values, patients, places = self._sorted[group]
        # Sorted once for all patients: leaving one out shifts ranks by that patient's own values.
        first, last = (0, 0) if without is None else np.searchsorted(patients, [without, without + 1]).tolist()
        own, left = places[first:last].tolist(), len(values) - (last - first)
        if not left:
            return None
        return float(values[_place_of_rank(own, (left - 1) // 2)] + values[_place_of_rank(own, left // 2)]) / 2


class _Sorted(NamedTuple):
    """Values in ascending order; and patients in ascending order, with the place of each of their values."""

    values: NDArray[np.float64]
    patients: Numbers
    places: Numbers


def _by_value(values: NDArray[np.float64], patients: Numbers) -> _Sorted:
    order = np.argsort(values, kind="stable")
    by_patient = np.argsort(patients[order], kind="stable")
    return _Sorted(values[order], patients[order][by_patient], by_patient)


def _place_of_rank(left_out: list[int], rank: int) -> int:
    """Place of the value of this rank among the places that are not left out; ``left_out`` ascends."""
    for place in left_out:
        if place > rank:
            break
        rank += 1
    return rank


def label_of(truth: object) -> str | None:
    """Return the closed answer in a truth or value, ``None`` for "untested" or where there is none."""
    label = truth if isinstance(truth, str) or not isinstance(truth, Mapping) else truth.get("present")
    return label if isinstance(label, str) and label != "untested" else None


def commonest_of(counts: Mapping[str, int]) -> str:
    """Return the commonest word, the first of the alphabet if there are several; "" of no counts."""
    return min(counts, key=lambda word: (-counts[word], word), default="")
