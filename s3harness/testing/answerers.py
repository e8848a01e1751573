"""Simulated answerers to test a metric with: one that watched and errs, and many that deserve a low score.

:func:`honest` watched the videos and is right about three times in four. :func:`degenerate` returns the trivial
answerers (:mod:`s3harness.metrics.floors`), those who answer without looking (:mod:`s3harness.testing.attacks`), and
the honest one's answers *spoiled*: duplicated, padded, cut, reversed, flipped, dealt to other items, in wrong units.
All make one prediction per reference, in the same order, and the seed alone decides every random choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from s3harness.metrics.floors import floors_for
from s3harness.specs.features import vocabulary
from s3harness.specs.wording import reason_for, report_of
from s3harness.testing.attacks import attacks
from s3harness.testing.cases import other_side
from s3harness.types import Prediction, Reference

SHARE_RIGHT = 0.75
"""How often the honest answerer is right about a closed question."""
ERROR_S = 5.0
"""Standard deviation of the honest answerer's times, seconds."""
JUNK = 400
"""Words of nonsense that spam adds: what made a published score."""
COPIES = 10

Spoiler = Callable[[Any], object]

_MIRRORED = {"left": "right", "right": "left", "yes": "no", "no": "yes", "na": "yes", "ES": "NES", "NES": "ES"}
_HEAD = {"head": "face", "face": "head", "eyes": "mouth", "mouth": "eyes", "arms": "legs", "legs": "arms"}


def honest(kind: str, references: Sequence[Reference], *, seed: int = 0) -> list[Prediction]:
    """Predictions of an answerer who watched the videos, answers everything and is often wrong."""
    # A string seeds the same stream in every process, whatever PYTHONHASHSEED is.
    random = Random(f"honest{kind}{seed}")
    wrong = _wrong_items(references, random)
    return [_prediction(r, _HONEST[kind](r, r.item not in wrong, random), random) for r in references]


def blind(kind: str, references: Sequence[Reference], *, seed: int = 0) -> dict[str, list[Prediction]]:
    """Predictions of the answerers who did not look, by name: trivial ones, the benchmark's floors, and attacks."""
    random = Random(f"degenerate{kind}{seed}")
    trivial = {name: [say(r) for r in references] for name, say in _BLIND[kind](random).items()}
    values_by_name: Mapping[str, Sequence[object]] = {**trivial, **attacks(kind, references, seed=seed)}
    predictions = {
        name: [_certain(kind, r, value) for r, value in zip(references, values, strict=True)]
        for name, values in values_by_name.items()
    }
    # The floors are fitted on the cohort itself, which makes them as strong as they can be.
    return {**floors_for(kind, references, seed=seed, training=references), **predictions}


def degenerate(kind: str, references: Sequence[Reference], *, seed: int = 0) -> dict[str, list[Prediction]]:
    """Predictions of the answerers who deserve nothing, by name: the blind ones, and honest answers spoiled."""
    random = Random(f"degenerate{kind}{seed}")
    predictions = honest(kind, references, seed=seed)
    spoiled = {
        name: [_revised(p, spoil(p.value)) for p in predictions] for name, spoil in _SPOILERS[kind](random).items()
    }
    # A time of another video says nothing of the clip of this one.
    dealt = {} if kind == "boundary" else {"dealt to other items": _dealt(references, predictions, random)}
    return {**blind(kind, references, seed=seed), **spoiled, **dealt}


def unanswered(prediction: Prediction) -> Prediction:
    """Return the prediction as that of an item whose answer failed."""
    return replace(prediction, value=None, status="failed", probability=None)


def error(reference: Reference, prediction: Prediction) -> float:
    """Distance of an answer from the truth, 0 for the truth; it ranks the answers that were better left out."""
    truth, value = reference.truth, prediction.value
    if isinstance(truth, list):
        return 1.0 - _shared([name for name, _ in truth], [str(word) for word in value])  # type: ignore[attr-defined]
    if isinstance(truth, Mapping):
        text = value["text"] if isinstance(value, Mapping) else value
        is_other = isinstance(value, Mapping) and value["present"] != truth["present"]
        return is_other + 1.0 - _shared(str(truth["text"]).split(), str(text).split())
    # An answer that is no number where a time is asked for counts as wrong, like a closed answer.
    return abs(value - truth) if isinstance(truth, float) and isinstance(value, float) else float(value != truth)


def _prediction(reference: Reference, value: object, random: Random) -> Prediction:
    """Prediction with a probability of "yes" that is more often on the right side than the answer."""
    if value not in ("yes", "no", "na"):
        return Prediction(reference.item, value)
    # From just below 0.5, so that some probabilities contradict their answer, as those of models do.
    leaning = random.uniform(0.45, 1.0)
    return Prediction(reference.item, value, probability=leaning if value == "yes" else 1.0 - leaning)


def _certain(kind: str, reference: Reference, value: object) -> Prediction:
    """Prediction without doubt: 0 or 1 for a yes or no, 0.5 for any other text, where probabilities are scored."""
    probability = {"yes": 1.0, "no": 0.0, "na": 0.0}.get(value, 0.5) if isinstance(value, str) else 0.5
    return Prediction(reference.item, value, probability=probability if kind == "feature" else None)


def _revised(prediction: Prediction, value: object) -> Prediction:
    """Prediction with another value; a probability becomes 0 or 1 for a yes or no, and 0.5 for any other text."""
    certain = {"yes": 1.0, "no": 0.0, "na": 0.0}.get(value, 0.5) if isinstance(value, str) else 0.5
    return replace(prediction, value=value, probability=None if prediction.probability is None else certain)


def _dealt(references: Sequence[Reference], predictions: Sequence[Prediction], random: Random) -> list[Prediction]:
    """Predictions in which each item has the answer to another item of the same subject, drawn at random."""
    # Within a subject: only there the answer to another item is a valid one.
    numbers: dict[str, list[int]] = {}
    for number, reference in enumerate(references):
        numbers.setdefault(reference.subject, []).append(number)
    giver: dict[int, int] = {}
    for group in numbers.values():
        giver |= dict(zip(group, random.sample(group, len(group)), strict=True))
    return [replace(predictions[giver[n]], item=reference.item) for n, reference in enumerate(references)]


# --- the honest answerer ----------------------------------------------------------------------------------------------


def _wrong_items(references: Sequence[Reference], random: Random) -> set[str]:
    """Closed questions that the honest answerer gets wrong: the same share of each truth, without luck."""
    items: dict[tuple[str, str], list[str]] = {}
    for reference in references:
        truth = (
            reference.truth["present"]
            if isinstance(reference.truth, Mapping) and "present" in reference.truth
            else reference.truth
        )
        # By truth too, so that sensitivity and specificity of the honest answerer are alike.
        items.setdefault((reference.subject, str(truth)), []).append(reference.item)
    return {item for same in items.values() for item in random.sample(same, round((1 - SHARE_RIGHT) * len(same)))}


def _honest_presence(reference: Reference, is_right: bool, _: Random) -> str:
    truth = str(reference.truth)
    # A sign that nobody tested has no wrong answer to be mirrored into.
    return "na" if truth == "untested" else truth if is_right else _MIRRORED[truth]


def _honest_reason(reference: Reference, is_right: bool, random: Random) -> dict[str, str]:
    truth: Any = reference.truth
    present = _honest_presence(replace(reference, truth=truth["present"]), is_right, random)
    # A wrong answer brings the reason for it: the true reason under it would be a contradiction.
    if present != truth["present"] and present != "na":
        return {"present": present, "text": reason_for(reference.subject, present, "left", random)}
    words = [word if random.random() < 0.7 else "something" for word in truth["text"].split()]
    return {"present": present, "text": " ".join(words)}


def _honest_place(reference: Reference, is_right: bool, _: Random) -> str:
    """Side or body part; the mirror image or a neighbouring part when wrong."""
    return str(reference.truth) if is_right else mirrored(str(reference.truth))


def _honest_time(reference: Reference, _: bool, random: Random) -> float:
    return float(str(reference.truth)) + random.gauss(0.0, ERROR_S)


def _honest_order(reference: Reference, _: bool, random: Random) -> list[str]:
    """Most of the signs, with a neighbouring pair exchanged, and now and then one that is not there."""
    truth: Any = reference.truth
    signs = [name for name, _ in truth if random.random() < 0.85]
    # Lists of two are left alone: their one exchange would be a full reversal.
    if len(signs) > 2 and random.random() < 0.5:
        at = random.randrange(len(signs) - 1)
        signs[at : at + 2] = signs[at + 1], signs[at]
    wrong = [name for name in vocabulary().names if name not in signs]
    return [*signs, random.choice(wrong)] if random.random() < 0.4 else signs


def _honest_report(reference: Reference, _: bool, random: Random) -> str:
    truth: Any = reference.truth
    signs = _honest_order(replace(reference, truth=[(name, 0.0) for name in truth["events"]]), True, random)
    sides = {n: side if random.random() < SHARE_RIGHT else other_side(side) for n, side in truth["sides"].items()}
    return report_of(signs, {name: sides.get(name, "left") for name in signs}, random)


_HONEST: Mapping[str, Callable[[Reference, bool, Random], object]] = {
    "feature": _honest_presence,
    "rationale": _honest_reason,
    "laterality": _honest_place,
    "boundary": _honest_time,
    "sequence": _honest_order,
    "report": _honest_report,
    "diagnosis": _honest_place,
}

# --- answers spoiled --------------------------------------------------------------------------------------------------


def mirrored(label: str) -> str:
    """Opposite of a closed answer: the other side, the other diagnosis, a neighbouring part of the body."""
    side, _, part = label.partition(" ")
    # Labels such as "right arm" swap the side and keep the part.
    return _HEAD.get(label) or " ".join(filter(None, (_MIRRORED.get(side, side), part)))


def _closed(classes: Sequence[str], random: Random) -> Mapping[str, Spoiler]:
    return {
        "flipped": mirrored,
        "at random": lambda _: random.choice(classes),
        "repeated": lambda answer: " ".join([answer] * COPIES),
        "cut": lambda answer: answer[:1],
        "every class": lambda _: ", ".join(classes),
        "none of the classes": lambda _: "maybe",
    }


def _of_reasons(random: Random) -> Mapping[str, Spoiler]:
    def text(spoil: Callable[[str], str]) -> Spoiler:
        return lambda answer: {**answer, "text": spoil(answer["text"])}

    return {
        "flipped": lambda answer: {**answer, "present": _MIRRORED[answer["present"]]},
        "without a reason": text(lambda _: ""),
        **{name: text(spoil) for name, spoil in _of_texts(random).items()},
    }


def _of_texts(random: Random) -> Mapping[str, Callable[[str], str]]:
    return {
        "repeated": lambda text: " ".join([text] * COPIES),
        "spam after it": lambda text: f"{text} {_junk(JUNK)}",
        "cut": lambda text: " ".join(text.split()[:2]),
        "words reversed": lambda text: " ".join(reversed(text.split())),
        "words shuffled": lambda text: " ".join(random.sample(text.split(), len(text.split()))),
    }


def _of_reports(random: Random) -> Mapping[str, Spoiler]:
    def reversed_sentences(text: str) -> str:
        return " ".join(f"{sentence}." for sentence in reversed(text.rstrip(".").split(". ")))

    def flipped(text: str) -> str:
        return " ".join(_MIRRORED.get(word.rstrip("."), word) for word in text.split())

    return {"flipped": flipped, "reversed": reversed_sentences, **_of_texts(random)}


def _of_times(_: Random) -> Mapping[str, Spoiler]:
    return {
        "milliseconds": lambda answer: 1000.0 * answer,
        "minutes": lambda answer: answer / 60.0,
        "frame numbers": lambda answer: 25.0 * answer,
        "negative": lambda answer: -answer,
        "at zero": lambda _: 0.0,
        "not a number": lambda _: float("nan"),
        "for ever": lambda _: float("inf"),
        "as text": lambda answer: f"{answer:.0f} s",
    }


def _of_orders(random: Random) -> Mapping[str, Spoiler]:
    return {
        "repeated": lambda answer: answer * COPIES,
        "each sign twice": lambda answer: [sign for sign in answer for _ in range(2)],
        "spam after it": lambda answer: answer + ["junk"] * JUNK,
        "cut": lambda answer: answer[:1],
        "reversed": lambda answer: answer[::-1],
        "shuffled": lambda answer: random.sample(answer, len(answer)),
        "flipped": lambda answer: [name for name in vocabulary().names if name not in answer],
    }


_SPOILERS: Mapping[str, Callable[[Random], Mapping[str, Spoiler]]] = {
    "feature": partial(_closed, ("yes", "no")),
    "rationale": _of_reasons,
    "laterality": partial(_closed, ("left", "right")),
    "boundary": _of_times,
    "sequence": _of_orders,
    "report": _of_reports,
    "diagnosis": partial(_closed, ("ES", "NES")),
}

# --- answers without a look -------------------------------------------------------------------------------------------

Blind = Mapping[str, Callable[[Reference], object]]


def _blind_order(random: Random) -> Blind:
    names = list(vocabulary().names)
    return {
        "whole vocabulary": lambda _: names,
        "whole vocabulary, many times": lambda _: names * COPIES,
        "spam": lambda _: ["junk"] * JUNK,
        "at random": lambda _: random.sample(names, 5),
    }


def _blind_report(random: Random) -> Blind:
    everything = report_of(vocabulary().names, {}, random)
    return {
        "whole vocabulary": lambda _: everything,
        "whole vocabulary, many times": lambda _: " ".join([everything] * COPIES),
        "spam": lambda _: _junk(JUNK),
        "at random": lambda _: report_of(random.sample(vocabulary().names, 5), {}, random),
    }


def _blind_reason(random: Random) -> Blind:
    everything = " ".join(reason_for(name, "yes", "left", random) for name in vocabulary().names)
    return {
        "whole vocabulary": lambda _: {"present": "yes", "text": everything},
        "spam": lambda _: {"present": "yes", "text": _junk(JUNK)},
        "at random": lambda r: _random_reason(r, random),
    }


def _random_reason(reference: Reference, random: Random) -> dict[str, str]:
    present = random.choice(("yes", "no"))
    return {"present": present, "text": reason_for(reference.subject, present, "left", random)}


def _blind_time(_: Random) -> Blind:
    """Answers of the whole clip as the seizure, and of times on the clip's own clock."""
    return {
        "whole clip": lambda r: _window(r)[r.subject == "seizure_offset"],
        "from the start of the clip": lambda r: float(str(r.truth)) - _window(r)[0],
    }


def _window(reference: Reference) -> tuple[float, float]:
    return reference.window or (0.0, 0.0)


_BLIND: Mapping[str, Callable[[Random], Blind]] = {
    "feature": lambda _: {},
    "rationale": _blind_reason,
    "laterality": lambda _: {},
    "boundary": _blind_time,
    "sequence": _blind_order,
    "report": _blind_report,
    "diagnosis": lambda _: {},
}


def _junk(n: int) -> str:
    return " ".join(["junk"] * n)


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of the two lists that their longest common subsequence covers, 0–1."""
    from s3harness.metrics.order import longest_common_share

    return longest_common_share(one, other)
