"""The adversarial suite: what it says of the benchmark's own metrics, and that it catches what it is there for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest

from s3harness.errors import UsageError
from s3harness.metrics.base import ItemMean
from s3harness.metrics.features import feature_balanced_accuracy
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import load_task, resolve, task_names
from s3harness.testing import check_metric
from s3harness.testing.metrics import CENTRED, KINDS


@dataclass(frozen=True)
class Known:
    """Why a metric breaks which promises, and which degenerate answerers do as well in it as an honest one."""

    reason: str
    breaks: frozenset[str] = frozenset()
    beaten_by: frozenset[str] = frozenset()


def known(reason: str, breaks: str = "", beaten_by: str = "") -> Known:
    names = frozenset(filter(None, (name.strip() for name in beaten_by.split("|"))))
    promises = frozenset(filter(None, (name.strip() for name in breaks.split("|"))))
    return Known(reason, promises | ({"honest wins"} if names else set()), names)


SOUND = known("")

NOT_RANKED = {
    ("rouge_l", "rationale", ""): known(
        "compares texts alone, so that the right words under the wrong answer count, and sentences that deny a sign "
        "are much alike; reasons are ranked by rationale_score",
        beaten_by="always_no | commonest | prevalence | flipped",
    ),
    ("bleu", "rationale", ""): known(
        "as ROUGE-L", beaten_by="always_no | commonest | prevalence | flipped | at random"
    ),
    ("boundary_mae_answered", "boundary", ""): known(
        "leaves out what was not answered, and is read beside the coverage", "failing | defined"
    ),
    ("boundary_bias", "boundary", ""): known(
        "has a direction: too early is below 0",
        "truth is best | failing | defined",
        "window_start | minutes | negative | at zero | whole clip | from the start of the clip",
    ),
    ("duplicate_rate", "sequence", ""): known(
        "says nothing of what is right",
        beaten_by="empty | commonest_sign | typical_sequence | all_signs | cut | reversed | shuffled | flipped | "
        "whole vocabulary | at random | dealt to other items",
    ),
    ("out_of_vocabulary_rate", "sequence", ""): known(
        "says nothing of what is right",
        beaten_by="empty | commonest_sign | typical_sequence | all_signs | cut | reversed | shuffled | flipped | "
        "repeated | each sign twice | whole vocabulary | whole vocabulary, many times | at random | "
        "dealt to other items",
    ),
    ("diagnosis_sensitivity", "diagnosis", "video"): known("half of a pair", beaten_by="always_ES"),
    ("diagnosis_specificity", "diagnosis", "video"): known("half of a pair", beaten_by="always_NES"),
    ("diagnosis_f1", "diagnosis", "video"): known(
        "depends on how common ES is; kept beside balanced accuracy because it was published", beaten_by="always_ES"
    ),
}
"""Metrics of the strict profile that inform and do not rank."""

DROPS = "failing | defined"
"""What is broken where an answer that cannot be read is left out of the mean."""

PAPER = {
    ("paper_features", "f1"): known("unread answers are dropped", DROPS),
    ("paper_features", "precision"): known("unread answers are dropped", DROPS),
    ("paper_features", "recall"): known("saying yes to everything finds everything", DROPS, "always_yes"),
    ("paper_features", "accuracy"): known("unread answers are dropped", DROPS),
    ("paper_laterality", "f1"): known("unread answers are dropped", "failing"),
    ("paper_laterality", "precision"): known("unread answers are dropped", "failing"),
    ("paper_laterality", "recall"): known("right is the positive class", "failing", "always_right"),
    ("paper_laterality", "accuracy"): known("unread answers are dropped", "failing"),
    ("paper_boundary_mae", ""): known(
        "an empty boundary has no error, so that no answer is the best there is, and a wrong unit has no limit",
        "failing | giving up | form",
        "unanswered | not a number | for ever | as text",
    ),
    ("paper_temporal_f1", ""): known("padding counts as hits", "failing", "spam | spam after it"),
    ("paper_lcs_ratio", ""): known("divides by the answer: one sure word beats every longer answer", "failing", "cut"),
    ("paper_edit_distance", ""): known("unread answers are dropped", "failing"),
    ("paper_bleu rationale", ""): known(
        "texts alone, whatever the answer", DROPS, "always_no | commonest | prevalence | flipped | at random"
    ),
    ("paper_rouge_1 rationale", ""): known(
        "texts alone, and words in any order",
        DROPS,
        "always_no | commonest | prevalence | flipped | words reversed | words shuffled",
    ),
    ("paper_rouge_l rationale", ""): known(
        "texts alone, whatever the answer", DROPS, "always_no | commonest | prevalence | flipped"
    ),
    ("rqi", ""): known("a video whose truth has no sign scores 0, even for the truth", "truth is best"),
    ("paper_bleu report", ""): known("an empty report is dropped", DROPS),
    ("paper_rouge_1 report", ""): known("words in any order", DROPS, "reversed | words reversed | words shuffled"),
    ("paper_rouge_l report", ""): known("an empty report is dropped", DROPS),
    ("paper_diagnosis", "f1"): known("depends on how common ES is", DROPS, "always_ES"),
    ("paper_diagnosis", "precision"): known("unread answers are dropped", DROPS),
    ("paper_diagnosis", "recall"): known("half of a pair", DROPS, "always_ES"),
    ("paper_diagnosis", "accuracy"): known("unread answers are dropped", DROPS),
}
"""Published metrics and what is wrong with them: metric, and the kind of text where both are scored, and statistic."""


def metrics_of(profile):
    """(kind, metric) of every metric that the task specs name."""
    specs = [resolve(load_task(n).data, protocol="strict", profile=profile, model=ModelCard("m")) for n in task_names()]
    return [(spec.item, metric) for spec in specs for metric in spec.metrics]


def every_metric(profile):
    cases = metrics_of(profile)
    return pytest.mark.parametrize(("kind", "metric"), cases, ids=[f"{kind}-{m.label}" for kind, m in cases])


def found(metric, kind, **params):
    """The promises broken, and who scores as well as the honest answerer."""
    by_promise = defaultdict(set)
    for violation in check_metric(metric, kind, **params):
        by_promise[violation.promise].add(violation.answerer)
    return set(by_promise), by_promise["honest wins"]


@every_metric("strict")
def test_every_strict_metric_keeps_its_promises_or_is_declared_to_rank_nobody(kind, metric):
    expected = NOT_RANKED.get((metric.name, kind, metric.params.get("subject", "")), SOUND)
    assert found(metric.name, kind, **metric.params) == (expected.breaks, expected.beaten_by), expected.reason


def test_no_primary_metric_is_among_those_declared():
    primary = {(m.name, kind, m.params.get("subject", "")) for kind, m in metrics_of("strict") if m.primary}
    every = {(m.name, kind, m.params.get("subject", "")) for kind, m in metrics_of("strict")}
    assert not primary & set(NOT_RANKED)
    assert set(NOT_RANKED) < every


@every_metric("paper")
def test_the_published_metrics_have_the_defects_that_are_known_of_them(kind, metric):
    name = f"{metric.name} {kind}" if (f"{metric.name} {kind}", "") in PAPER else metric.name
    expected = PAPER[name, metric.params.get("statistic", "")]
    assert found(metric.name, kind, **metric.params) == (expected.breaks, expected.beaten_by), expected.reason


@pytest.mark.parametrize(
    ("name", "params"), [("paper_boundary_mae", {}), ("boundary_mae", {}), ("boundary_within", {"seconds": 5})]
)
def test_in_clips_cut_around_the_moment_no_metric_can_tell_who_watched(name, params):
    """The defect is the clips', which is why the strict protocol places them at random."""
    _, jittered = found(name, "boundary", **params)
    _, centred = found(name, CENTRED, **params)
    assert centred - jittered == {"window_centre", "commonest_place"}


@pytest.mark.parametrize("name", ["lcs_f", "order_agreement", "laterality_macro_f1", "boundary_mae", "feature_auroc"])
@pytest.mark.parametrize("seed", [1, 2])
def test_another_cohort_says_the_same(name, seed):
    kind = next(kind for kind, metric in metrics_of("strict") if metric.name == name)
    assert check_metric(name, kind, seed=seed) == []


def accuracy(pair):
    return float(pair.prediction.value == pair.reference.truth)


@dataclass(frozen=True)
class Odd(ItemMean):
    """Accuracy with something wrong with it."""

    score: object = accuracy

    def statistics(self, pairs):
        rows = super().statistics(pairs)
        return rows * np.arange(1, len(rows) + 1)[:, None]


class Scalar(ItemMean):
    def value(self, totals):
        return np.float64(totals.reshape(-1, totals.shape[-1])[0, 0])


def forgiving(pair):
    return accuracy(pair) if pair.is_answered else None


def rude(pair):
    if pair.prediction.value == "maybe":
        raise KeyError("maybe")
    return accuracy(pair)


@pytest.mark.parametrize(
    ("make", "promise", "answerer"),
    [
        (lambda: ItemMean(accuracy), "truth is best", "truth"),
        (lambda: ItemMean(lambda p: float(p.prediction.value == "yes")), "honest wins", "always_yes"),
        (lambda: ItemMean(lambda p: accuracy(p) * 100), "bounds", "honest"),
        (lambda: ItemMean(forgiving), "failing", "honest, the worst 20% left out"),
        (lambda: ItemMean(lambda p: accuracy(p) if p.is_answered else 0.9), "giving up", "honest"),
        (lambda: ItemMean(lambda p: None if p.prediction.value == "maybe" else 1.0), "defined", "none of the classes"),
        (lambda: ItemMean(rude), "raises", "none of the classes"),
        (Odd, "order", "honest"),
        (lambda: Scalar(accuracy), "form", "honest"),
    ],
)  # fmt: skip
def test_a_metric_with_a_defect_is_told_which(make, promise, answerer):
    violations = check_metric(make, "feature")
    assert (promise, answerer) in {(v.promise, v.answerer) for v in violations}
    assert all(str(violation) for violation in violations)


def test_the_suite_takes_what_makes_a_metric_and_its_parameters():
    assert check_metric(feature_balanced_accuracy, "feature", subject="tonic") == []
    (beaten, *_) = check_metric("paper_temporal_f1", "sequence")
    assert str(beaten).startswith("paper_temporal_f1 of sequence: no degenerate answerer scores as well")


def test_it_says_what_it_does_not_know():
    with pytest.raises(UsageError, match="kind 'bounday'; did you mean boundary"):
        check_metric("lcs_f", "bounday")
    with pytest.raises(UsageError, match="lcs_q"):
        check_metric("lcs_q", "sequence")
    assert set(KINDS) - {CENTRED} == {kind for kind, _ in metrics_of("strict")}
