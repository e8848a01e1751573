"""A simulated reader of stated sensitivity and specificity, whose score lies between floor and ceiling.

The reader has the truth of each item and errs at a stated rate, so that a score can be read as "like a reader who ...".
Its errors are not random: over its :data:`DRAWS` answers to an item each error is as frequent as its rate, from a place
that a hash of the item decides, so that the score is an expectation and repeatable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any
from zlib import crc32

import numpy as np

from s3harness.metrics.base import Array
from s3harness.metrics.cohort import label_of
from s3harness.types import Prediction, Reference

SENSITIVITY = 0.75
"""Share of the present signs that the reader sees; and share of right answers to questions of other kinds."""
SPECIFICITY = 0.75
"""Share of the absent signs that the reader calls absent, in a closed question."""
OPEN_SPECIFICITY = 0.95
"""The same where signs are listed freely: an absent sign is seldom listed."""
ERROR_S = 5.0
"""Standard deviation of the reader's times, seconds."""
DRAWS = 4
"""Answers to an item, all of the same weight."""

Say = Callable[[Reference], Prediction]
Things = Callable[[str], Sequence[str]]
"""Group → all answers that occur in it."""


@dataclass(frozen=True)
class SimulatedReader:
    """A simulated reader: its name, its answers, and the weight of each for each of some items."""

    name: str
    says: dict[str, Say] = field(default_factory=dict)
    mixture: Sequence[tuple[str, Callable[[Sequence[Reference]], Array]]] = ()
    is_fitted: bool = False


def reader_of(kind: str, things: Things = lambda group: ()) -> SimulatedReader:
    """Return the reader of a kind of item; ``things`` gives the answers to choose wrong ones from."""
    if kind == "rationale":
        return _rationales()
    name, say = _READERS[kind]
    says = {f"informed {draw}": _drawn(say, draw, things) for draw in range(DRAWS)}
    mixture = [(part, lambda references: np.full(len(references), 1 / DRAWS)) for part in says]
    return SimulatedReader(name, says, mixture)


def _rationales() -> SimulatedReader:
    """Yes or no as in Task 1; half of the right answers have the true sentence, the others one typical of others."""

    def weight(by_truth: Mapping[str, float]) -> Callable[[Sequence[Reference]], Array]:
        return lambda references: np.array([by_truth.get(label_of(r.truth) or "", 0.0) for r in references])

    # Half of the right answers with the true sentence, half with the medoid, which is fitted on others.
    yes, no = SENSITIVITY / 2, SPECIFICITY / 2
    mixture = [
        ("truth", weight({"yes": yes, "no": no})),
        ("medoid_yes", weight({"yes": yes, "no": 1 - SPECIFICITY})),
        ("medoid_no", weight({"yes": 1 - SENSITIVITY, "no": no, "": 1.0})),
    ]
    name = f"reader: sensitivity {SENSITIVITY}, specificity {SPECIFICITY}, the true reason every other time"
    says = {"truth": lambda reference: Prediction(reference.item, reference.truth)}
    return SimulatedReader(name, says, mixture, is_fitted=True)


_Say = Callable[[Reference, int, Things], object]


def _drawn(say: _Say, draw: int, things: Things) -> Say:
    def answer(reference: Reference) -> Prediction:
        value = say(reference, draw, things)
        label = label_of(value)
        return Prediction(reference.item, value, probability=float(label == "yes") if label in ("yes", "no") else None)

    return answer


def _place(reference: Reference, draw: int, about: str = "") -> float:
    """A number in 0–1 that over the draws is once in each of :data:`DRAWS` equal parts."""
    # crc32, as hash() of a text differs from process to process.
    start = crc32(f"{reference.item} {about}".encode()) / 2**32
    return (start + draw / DRAWS) % 1.0


def _presence(reference: Reference, draw: int, _: Things) -> str:
    rate = SENSITIVITY if reference.truth == "yes" else SPECIFICITY
    is_right = _place(reference, draw) < rate
    return "yes" if (reference.truth == "yes") is is_right else "no"


def _choice(reference: Reference, draw: int, things: Things) -> str:
    """The right label, or one of the others; "na" for an untested truth or without another label."""
    place, truth = _place(reference, draw), label_of(reference.truth)
    if truth is not None and place < SENSITIVITY:
        return truth
    # The rest of the place, stretched to 0–1, chooses among the wrong labels.
    others = [thing for thing in things(reference.subject) if thing != truth]
    return others[int((place - SENSITIVITY) / (1 - SENSITIVITY) * len(others)) % len(others)] if others else "na"


def _diagnosis(reference: Reference, draw: int, _: Things) -> str:
    return _choice(reference, draw, lambda subject: ("ES", "NES"))


def _time(reference: Reference, draw: int, _: Things) -> float:
    """A time with a normal error, within the window."""
    # At 0 and 1 the normal quantile is infinite.
    share = min(max(_place(reference, draw), 1e-3), 1 - 1e-3)
    answer = float(reference.truth) + NormalDist(0.0, ERROR_S).inv_cdf(share)  # type: ignore[arg-type]
    return answer if reference.window is None else min(max(answer, reference.window[0]), reference.window[1])


def _signs(reference: Reference, signs: Sequence[str], draw: int, all_signs: Sequence[str]) -> list[str]:
    """The true signs that the reader sees, in order, and the false ones, each at a place that the hash decides."""
    reported = [sign for sign in signs if _place(reference, draw, sign) < SENSITIVITY]
    for sign in all_signs:
        place = _place(reference, draw, sign)
        if sign not in signs and place >= OPEN_SPECIFICITY:
            reported.insert(int((place - OPEN_SPECIFICITY) / (1 - OPEN_SPECIFICITY) * (len(reported) + 1)), sign)
    return reported


def _sequence(reference: Reference, draw: int, things: Things) -> list[str]:
    truth: Any = reference.truth
    return _signs(reference, [str(name) for name, _ in truth], draw, things("signs"))


def _report(reference: Reference, draw: int, _: Things) -> str:
    """A report of the signs in the expert's report, with the sides that the reader sees right."""
    # Imported here: the rules of the Seizure-RQI are needed for Task 6 alone.
    from s3harness.metrics.rqi.extract import extract_in
    from s3harness.metrics.rqi.glossary import known_language
    from s3harness.metrics.rqi.structure import NONE
    from s3harness.metrics.typical_report import AFTERWARDS, report_naming, words_of
    from s3harness.specs.features import vocabulary

    truth: Any = reference.truth
    report = extract_in(known_language(truth))(str(truth["text"]))
    signs = [sign for sign in report.events if words_of(sign)]
    sides = {
        key: side
        for key in ("head_turning", "asymmetric_posturing")
        if (side := report.side(key)) not in (NONE, "both") and _place(reference, draw, key) < SENSITIVITY
    }
    return report_naming(_signs(reference, signs, draw, vocabulary().names), sides, AFTERWARDS)


_PRESENCE_NAME = f"reader: sensitivity {SENSITIVITY}, specificity {SPECIFICITY}"
_CHOICE_NAME = f"reader: right in {SENSITIVITY:.0%} of the answers"
_LISTS_NAME = f"reader: sensitivity {SENSITIVITY}, specificity {OPEN_SPECIFICITY} for each sign"
_READERS: Mapping[str, tuple[str, _Say]] = {
    "feature": (_PRESENCE_NAME, _presence),
    "laterality": (_CHOICE_NAME, _choice),
    "diagnosis": (_PRESENCE_NAME, _diagnosis),
    "boundary": (f"reader: normal error, standard deviation {ERROR_S:g} s", _time),
    "sequence": (_LISTS_NAME, _sequence),
    "report": (_LISTS_NAME, _report),
}
"""Kind → the reader's name, and its answer to an item in a draw."""
