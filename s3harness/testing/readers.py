"""Simulated readers of stated skill: sensitivity, specificity, precision in time, certainty of sides and order.

A *ladder* holds readers that differ in one skill alone, from the lowest to the highest; any metric must score them in
that order. :func:`honest_readers` are those of little skill, each of another temper, who must still score above whoever
did not look. A reader's random numbers are drawn per item by its seed and not by its skill, so that a more skilled
reader is right wherever a less skilled one is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from s3harness.specs.features import vocabulary
from s3harness.specs.wording import reason_for, report_of
from s3harness.testing.cases import other_side
from s3harness.types import Prediction, Reference

Reader = Callable[[Reference, Random], object]
"""The value that a reader answers; it draws as many random numbers per item whatever its skill."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Readers of rising skill: the name of that skill, and the reader of each level, the least skilled first."""

    rising: str
    levels: Sequence[tuple[str, Reader]]


def ladders(kind: str) -> Sequence[Ladder]:
    """Return the ladders of one kind of items."""
    return _LADDERS[kind]()


def honest_readers(kind: str) -> Mapping[str, Reader]:
    """Return the readers of little skill of one kind of items, by name."""
    return _READERS[kind]()


def read_all(kind: str, reader: Reader, references: Sequence[Reference], seed: int) -> list[Prediction]:
    """Return one prediction for each reference, in their order."""
    # A stream per item, so that the answer to one item does not depend on those before it.
    return [_prediction(r, reader(r, Random(f"{kind}{seed}{r.item}")), seed) for r in references]


def _prediction(reference: Reference, value: object, seed: int) -> Prediction:
    """Prediction with a probability on the side of a yes or no."""
    if value not in ("yes", "no"):
        return Prediction(reference.item, value)
    # A stream of its own, so that readers of any skill have the same certainty on an item.
    leaning = Random(f"probability{seed}{reference.item}").uniform(0.5, 1.0)
    return Prediction(reference.item, value, probability=leaning if value == "yes" else 1.0 - leaning)


# --- closed answers ---------------------------------------------------------------------------------------------------


def _two_classes(positive: str, negative: str, sensitivity: float, specificity: float) -> Reader:
    def read(reference: Reference, random: Random) -> object:
        draw = random.random()
        if reference.truth == positive:
            return positive if draw < sensitivity else negative
        return negative if draw < specificity else positive

    return read


def _of_classes(positive: str, negative: str) -> Sequence[Ladder]:
    make = _two_classes
    return (
        _ladder("sensitivity at specificity .8", (0.1, 0.4, 0.7, 1.0), lambda s: make(positive, negative, s, 0.8)),
        _ladder("sensitivity at specificity .95", (0.1, 0.3, 0.6, 1.0), lambda s: make(positive, negative, s, 0.95)),
        _ladder("specificity at sensitivity .6", (0.1, 0.4, 0.7, 1.0), lambda s: make(positive, negative, 0.6, s)),
    )


def _tempers(positive: str, negative: str) -> Mapping[str, Reader]:
    return {
        f"reader of sensitivity {sensitivity:g} and specificity {specificity:g}": _two_classes(
            positive, negative, sensitivity, specificity
        )
        for sensitivity, specificity in ((0.3, 0.95), (0.95, 0.3), (0.65, 0.65))
    }


def _place(share: float) -> Reader:
    """Reader of a side or part of the body, right in this share of the items."""

    def read(reference: Reference, random: Random) -> object:
        draw, truth = random.random(), str(reference.truth)
        choices = vocabulary().body_parts if reference.subject == "onset_body_part" else ("left", "right")
        # Drawn even where the answer is right: the draws stay the same for every skill.
        wrong = random.choice([choice for choice in choices if choice != truth])
        return truth if draw < share else wrong

    return read


# --- reasons ----------------------------------------------------------------------------------------------------------


def _reason(sensitivity: float, specificity: float, words_kept: float) -> Reader:
    """Reader of yes or no with the reason, which keeps a share of the words of the true sentence."""
    present = _two_classes("yes", "no", sensitivity, specificity)

    def read(reference: Reference, random: Random) -> object:
        truth: Any = reference.truth
        answer = str(
            present(Reference(item="", task="", video_id="", subject="", cluster=0, truth=truth["present"]), random)
        )
        draws = [random.random() for _ in truth["text"].split()]
        text = " ".join(
            word if draw < words_kept else "something" for word, draw in zip(truth["text"].split(), draws, strict=True)
        )
        return {"present": answer, "text": text if answer == truth["present"] else _invented(reference, answer)}

    return read


def _invented(reference: Reference, present: str) -> str:
    # Seeded by the item, lest the wording depends on how many reasons were invented before.
    return reason_for(reference.subject, present, "left", Random(f"invented{reference.item}"))


def _of_reasons() -> Sequence[Ladder]:
    return (
        _ladder("sensitivity at specificity .8", (0.1, 0.4, 0.7, 1.0), lambda s: _reason(s, 0.8, 0.7)),
        _ladder("specificity at sensitivity .6", (0.1, 0.4, 0.7, 1.0), lambda s: _reason(0.6, s, 0.7)),
        _ladder("share of what the true sentence says", (0.0, 0.3, 0.6, 1.0), lambda s: _reason(0.8, 0.8, s)),
    )


# --- times ------------------------------------------------------------------------------------------------------------


def _time(error_s: float) -> Reader:
    def read(reference: Reference, random: Random) -> object:
        return float(str(reference.truth)) + random.gauss(0.0, 1.0) * error_s

    return read


# --- signs in order ---------------------------------------------------------------------------------------------------


def _order(seen: float, invented: int, ordered: float) -> Reader:
    """Reader of the share ``seen`` of the signs, with ``invented`` false ones, in order in a share of the lists."""

    def read(reference: Reference, random: Random) -> object:
        truth: Any = reference.truth
        names = [name for name, _ in truth]
        # All numbers are drawn before any is compared with a skill: later draws must not depend on it.
        draws, is_ordered = [random.random() for _ in names], random.random() < ordered
        false = random.sample(vocabulary().names, len(vocabulary().names))
        shuffled = random.sample(names, len(names))
        reported = {name for name, draw in zip(names, draws, strict=True) if draw < seen}
        signs = [name for name in (names if is_ordered else shuffled) if name in reported]
        # Taken from one shuffled list: fewer inventions are a subset of more.
        return signs + [name for name in false if name not in names][:invented]

    return read


def _report(seen: float, invented: int, ordered: float, sided: float) -> Reader:
    """Reader of reports as of lists, right in the share ``sided`` of the sides."""
    order = _order(seen, invented, ordered)

    def read(reference: Reference, random: Random) -> object:
        truth: Any = reference.truth
        events = [(name, 0.0) for name in truth["events"]]
        signs: Any = order(Reference(item="", task="", video_id="", subject="", cluster=0, truth=events), random)
        draws = {name: random.random() for name in vocabulary().names}
        # Without a draw (a sign outside of the vocabulary) the side is wrong, whatever the skill.
        sides = {n: side if draws.get(n, 1.0) < sided else other_side(side) for n, side in truth["sides"].items()}
        return report_of(signs, {name: sides.get(name, "left") for name in signs}, random)

    return read


def _of_orders() -> Sequence[Ladder]:
    return (
        _ladder("share of the signs that are told", (0.2, 0.5, 0.8, 1.0), lambda s: _order(s, 1, 1.0)),
        _ladder("number of invented signs, falling", (6, 3, 1, 0), lambda n: _order(0.8, int(n), 1.0)),
        _ladder("share of lists in the right order", (0.0, 0.4, 0.7, 1.0), lambda s: _order(0.9, 1, s)),
    )


def _of_reports() -> Sequence[Ladder]:
    return (
        _ladder("share of the signs that are told", (0.2, 0.5, 0.8, 1.0), lambda s: _report(s, 1, 1.0, 0.8)),
        _ladder("number of invented signs, falling", (6, 3, 1, 0), lambda n: _report(0.8, int(n), 1.0, 0.8)),
        _ladder("share of reports in the right order", (0.0, 0.5, 1.0), lambda s: _report(0.9, 1, s, 0.8)),
        _ladder("share of the right sides", (0.0, 0.4, 0.7, 1.0), lambda s: _report(0.9, 1, 1.0, s)),
    )


def _ladder(rising: str, levels: Sequence[float], reader: Callable[[float], Reader]) -> Ladder:
    return Ladder(rising, [(f"{level:g}", reader(level)) for level in levels])


_LADDERS: Mapping[str, Callable[[], Sequence[Ladder]]] = {
    "feature": lambda: _of_classes("yes", "no"),
    "rationale": _of_reasons,
    "laterality": lambda: (_ladder("share of right answers", (0.2, 0.4, 0.6, 0.8, 1.0), _place),),
    "boundary": lambda: (_ladder("error in seconds, falling", (16, 8, 4, 2, 0.5), _time),),
    "sequence": _of_orders,
    "report": _of_reports,
    "diagnosis": lambda: _of_classes("ES", "NES"),
}
_READERS: Mapping[str, Callable[[], Mapping[str, Reader]]] = {
    "feature": lambda: _tempers("yes", "no"),
    "rationale": lambda: {
        "cautious reader who tells half": _reason(0.3, 0.95, 0.5),
        "bold reader who tells half": _reason(0.95, 0.3, 0.5),
        "sure reader who tells a fifth": _reason(1.0, 1.0, 0.2),
    },
    "laterality": lambda: {"reader right in 65 %": _place(0.65)},
    "boundary": lambda: {"reader off by 6 s": _time(6.0)},
    "sequence": lambda: {
        "cautious reader of half of the signs": _order(0.5, 0, 1.0),
        "bold reader with two inventions": _order(0.8, 2, 1.0),
    },
    "report": lambda: {
        "cautious reader of half of the signs": _report(0.5, 0, 1.0, 0.75),
        "bold reader with two inventions": _report(0.8, 2, 1.0, 0.75),
    },
    "diagnosis": lambda: _tempers("ES", "NES"),
}
