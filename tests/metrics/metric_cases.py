"""Pairs to score: single ones, and whole made-up data sets with an honest noisy answerer and a few silly ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from s3harness.metrics.base import Metric, Pair
from s3harness.metrics.boundaries import boundary_mae, boundary_within, interval_iou
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy, diagnosis_mcc
from s3harness.metrics.features import FeatureAuroc, feature_balanced_accuracy, feature_macro_f1, feature_mcc
from s3harness.metrics.laterality import laterality_balanced_accuracy, laterality_macro_f1
from s3harness.metrics.order import edit_similarity, lcs_f, order_agreement
from s3harness.metrics.rationale import RationaleInformedness
from s3harness.metrics.text import bleu, rationale_score, rouge_l
from s3harness.specs.features import vocabulary
from s3harness.types import Prediction, Reference

METRICS: Mapping[str, Sequence[Callable[[], Metric]]] = {
    "feature": (feature_macro_f1, feature_balanced_accuracy, feature_mcc, FeatureAuroc),
    "rationale": (RationaleInformedness, rationale_score, rouge_l, bleu),
    "laterality": (laterality_balanced_accuracy, laterality_macro_f1),
    "boundary": (boundary_mae, boundary_within, interval_iou),
    "sequence": (lcs_f, edit_similarity, order_agreement),
    "report": (rouge_l, bleu),
    "diagnosis": (diagnosis_balanced_accuracy, diagnosis_mcc),
}
RANKED = [(kind, make) for kind, metrics in METRICS.items() for make in metrics]
SIGNS = vocabulary().names[:8]
WORDS = (
    "arm",
    "leg",
    "head",
    "turns",
    "stiff",
    "jerks",
    "left",
    "right",
    "eyes",
    "open",
    "slowly",
    "then",
    "stops",
    "both",
)


def pair(
    truth: object,
    value: object,
    *,
    subject: str = "s",
    video: str = "v0",
    cluster: int = 0,
    window: tuple[float, float] | None = None,
    probability: float | None = None,
) -> Pair:
    item = f"{video}/{subject}"
    status = "missing" if value is None else "answered"
    return Pair(
        Reference(item=item, task="task", video_id=video, subject=subject, cluster=cluster, truth=truth, window=window),
        Prediction(item, value, status, probability=probability),
    )


def score(metric: Metric, pairs: Sequence[Pair]) -> float:
    return float(metric.value(metric.statistics(pairs).sum(axis=0)))


def parts(metric: Metric, pairs: Sequence[Pair]) -> Mapping[str, float]:
    return metric.parts(metric.statistics(pairs).sum(axis=0))


def answered(references: Sequence[Reference], predictions: Sequence[Prediction]) -> list[Pair]:
    return [Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)]


def said(references: Sequence[Reference], say: Callable[[Reference], object]) -> list[Pair]:
    values = [say(reference) for reference in references]
    return [
        Pair(r, Prediction(r.item, v, "missing" if v is None else "answered"))
        for r, v in zip(references, values, strict=True)
    ]


def references_of(kind: str, n_videos: int = 60, seed: int = 0) -> list[Reference]:
    random = Random(f"{kind}{seed}")
    return [
        Reference(
            item=f"v{n}/{subject}",
            task=kind,
            video_id=f"v{n}",
            subject=subject,
            cluster=n // 3,
            truth=truth,
            window=window,
        )
        for n in range(n_videos)
        for subject, truth, window in _TRUTHS[kind](random)
    ]


def honest(kind: str, references: Sequence[Reference], seed: int = 0) -> list[Pair]:
    """Who watched the video and is often wrong."""
    random = Random(f"honest{kind}{seed}")
    pairs = said(references, lambda reference: _HONEST[kind](random, reference))
    return [_with_probability(one, random) for one in pairs] if kind == "feature" else pairs


def silly(kind: str) -> Mapping[str, Callable[[Reference], object]]:
    """Answerers that no metric may like, besides the floors."""
    return _SILLY[kind]


def scrambled(pairs: Sequence[Pair], seed: int = 0) -> list[Pair]:
    out = list(pairs)
    Random(seed).shuffle(out)
    return out


def unanswered(one: Pair) -> Pair:
    return replace(one, prediction=Prediction(one.reference.item, None, "failed"))


def _with_probability(one: Pair, random: Random) -> Pair:
    probability = random.uniform(0.5, 1.0) if one.prediction.value == "yes" else random.uniform(0.0, 0.6)
    return replace(one, prediction=replace(one.prediction, probability=probability))


def _sentence(random: Random, n: int = 14) -> str:
    return " ".join(random.choices(WORDS, k=n)) + "."


def _yes_no(random: Random, share: float) -> str:
    return "yes" if random.random() < share else "no"


def _feature_truths(random: Random):
    for number, sign in enumerate(SIGNS):
        untested = random.random() < 0.05
        yield sign, "untested" if untested else _yes_no(random, 0.15 + 0.09 * number), None


def _rationale_truths(random: Random):
    for sign, present, window in _feature_truths(random):
        yield sign, {"present": present, "text": _sentence(random)}, window


def _laterality_truths(random: Random):
    yield "head_turning", random.choices(("left", "right"), (7, 3))[0], None
    yield "arm_movement", random.choices(("left", "right"), (2, 8))[0], None
    yield "onset_body_part", random.choices(("head", "left arm", "right arm", "face"), (6, 2, 3, 1))[0], None


def _boundary_truths(random: Random):
    onset = random.uniform(10, 60)
    for subject, truth in (
        ("seizure_onset", onset),
        ("seizure_offset", onset + random.uniform(20, 90)),
        ("tonic", onset + 5),
    ):
        start = truth - random.uniform(5, 55)
        yield subject, round(truth), (start, start + 60)


def _sequence_truths(random: Random):
    signs = random.sample(SIGNS, random.choice((0, 2, 3, 4, 5, 6)))
    yield "sequence", [[sign, 4.0 * n + random.random()] for n, sign in enumerate(signs)], None


def _report_truths(random: Random):
    yield "report", {"text": _sentence(random, 30), "events": [], "sides": {}, "untested": []}, None


def _diagnosis_truths(random: Random):
    truth = random.choices(("ES", "NES"), (7, 3))[0]
    yield "video", truth, None
    yield "video_and_report", truth, None


_TRUTHS = {
    "feature": _feature_truths,
    "rationale": _rationale_truths,
    "laterality": _laterality_truths,
    "boundary": _boundary_truths,
    "sequence": _sequence_truths,
    "report": _report_truths,
    "diagnosis": _diagnosis_truths,
}


def _often_right(random: Random, truth: str, others: Sequence[str], share: float = 0.75) -> str:
    return truth if random.random() < share else random.choice([other for other in others if other != truth])


def _honest_feature(random: Random, reference: Reference) -> object:
    return "na" if reference.truth == "untested" else _often_right(random, reference.truth, ("yes", "no"), 0.8)


def _honest_words(random: Random, text: str) -> str:
    return " ".join(word if random.random() < 0.7 else random.choice(WORDS) for word in text.split())


def _honest_rationale(random: Random, reference: Reference) -> object:
    present = reference.truth["present"]
    return {
        "present": "na" if present == "untested" else _often_right(random, present, ("yes", "no"), 0.8),
        "text": _honest_words(random, reference.truth["text"]),
    }


def _honest_side(random: Random, reference: Reference) -> object:
    others = vocabulary().body_parts if reference.subject == "onset_body_part" else ("left", "right")
    return _often_right(random, reference.truth, others)


def _honest_sequence(random: Random, reference: Reference) -> object:
    signs = [sign for sign, _ in reference.truth if random.random() < 0.8]
    if len(signs) > 2:
        signs[0], signs[1] = signs[1], signs[0]
    return signs + [random.choice(SIGNS)] * (random.random() < 0.4)


_HONEST = {
    "feature": _honest_feature,
    "rationale": _honest_rationale,
    "laterality": _honest_side,
    "boundary": lambda random, reference: reference.truth + random.gauss(0, 5),
    "sequence": _honest_sequence,
    "report": lambda random, reference: _honest_words(random, reference.truth["text"]),
    "diagnosis": lambda random, reference: _often_right(random, reference.truth, ("ES", "NES")),
}

_EVERYTHING = list(vocabulary().names)
_SILLY = {
    "feature": {"unanswered": lambda r: None, "na": lambda r: "na", "nonsense": lambda r: "yes and no"},
    "rationale": {
        "unanswered": lambda r: None,
        "no text": lambda r: {"present": r.truth["present"], "text": ""},
        "every word": lambda r: {"present": "yes", "text": " ".join(WORDS) * 5},
        "right text, wrong answer": lambda r: {
            "present": {"yes": "no"}.get(r.truth["present"], "yes"),
            "text": _sentence(Random(r.item)),
        },
    },
    "laterality": {"unanswered": lambda r: None, "both": lambda r: "left right", "full body": lambda r: "full body"},
    "boundary": {
        "unanswered": lambda r: None,
        "milliseconds": lambda r: 1000.0 * r.truth,
        "minutes": lambda r: r.truth / 60,
        "zero": lambda r: 0.0,
        "not a number": lambda r: float("nan"),
        "for ever": lambda r: float("inf"),
        "negative": lambda r: -r.truth,
    },
    "sequence": {
        "unanswered": lambda r: None,
        "whole vocabulary": lambda r: _EVERYTHING,
        "vocabulary ten times": lambda r: _EVERYTHING * 10,
        "junk": lambda r: ["junk"] * 400,
        "truth backwards": lambda r: [sign for sign, _ in r.truth][::-1] * (len(r.truth) > 1),
        "truth and junk": lambda r: [sign for sign, _ in r.truth] + ["junk"] * 100,
        "truth twenty times": lambda r: [sign for sign, _ in r.truth] * 20 or ["junk"],
        "one sign": lambda r: [SIGNS[-1]],
    },
    "report": {
        "unanswered": lambda r: None,
        "every word": lambda r: " ".join(WORDS) * 5,
        "one word": lambda r: "seizure",
        "first words": lambda r: " ".join(r.truth["text"].split()[:2]),
    },
    "diagnosis": {
        "unanswered": lambda r: None,
        "both": lambda r: "ES or NES",
        "flipped": lambda r: {"ES": "NES"}.get(r.truth, "ES"),
    },
}
