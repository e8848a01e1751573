"""Task 1: presence of the signs."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from metric_cases import pair, parts, references_of, said, score
from sklearn import metrics as sklearn_metrics

from s3harness.metrics.features import FeatureAuroc, feature_balanced_accuracy, feature_macro_f1, feature_mcc


def one_feature(truths: str, answers: str, probabilities=None):
    """Pairs from strings of y, n, a (na), ? (untested) and - (no answer)."""
    words = {"y": "yes", "n": "no", "a": "na", "?": "untested", "-": None}
    return [
        pair(words[t], words[a], video=f"v{n}", probability=None if probabilities is None else probabilities[n])
        for n, (t, a) in enumerate(zip(truths, answers, strict=True))
    ]


@pytest.mark.parametrize(
    ("truths", "answers", "f1", "balanced", "mcc"),
    [
        ("yynn", "yynn", 1.0, 1.0, 1.0),
        ("yynn", "nnyy", 0.0, 0.0, -1.0),
        ("yynn", "yyyy", 2 / 3, 0.5, 0.0),
        ("yynn", "nnnn", 0.0, 0.5, 0.0),
        ("yynn", "----", 0.0, 0.0, -1.0),
        ("yynn", "y-n-", 0.5, 0.5, 0.0),
        ("yynn", "yann", 2 / 3, 0.75, 1 / np.sqrt(3)),
        ("yynn??", "yynnyn", 1.0, 1.0, 1.0),
        ("ynnnnnnnn", "ynnnnnnny", 2 / 3, 0.9375, 0.6614378),
    ],
)
def test_scores_of_one_feature(truths, answers, f1, balanced, mcc):
    pairs = one_feature(truths, answers)
    assert score(feature_macro_f1(), pairs) == pytest.approx(f1)
    assert score(feature_balanced_accuracy(), pairs) == pytest.approx(balanced)
    assert score(feature_mcc(), pairs) == pytest.approx(mcc)


def test_no_answer_counts_exactly_as_the_wrong_one():
    references = [r for r in references_of("feature") if r.truth != "untested"]
    wrong = {"yes": "no", "no": "yes"}
    failing = said(references, lambda r: None if hash(r.item) % 3 else r.truth)
    lying = said(references, lambda r: wrong[r.truth] if hash(r.item) % 3 else r.truth)
    for make in (feature_macro_f1, feature_balanced_accuracy, feature_mcc):
        assert score(make(), failing) == score(make(), lying)


def test_scores_agree_with_scikit_learn_feature_by_feature():
    random = Random(3)
    references = [r for r in references_of("feature") if r.truth != "untested"]
    pairs = said(references, lambda r: random.choice(("yes", "no")))
    theirs = {
        feature_macro_f1: lambda t, p: sklearn_metrics.f1_score(t, p, pos_label="yes"),
        feature_balanced_accuracy: sklearn_metrics.balanced_accuracy_score,
        feature_mcc: sklearn_metrics.matthews_corrcoef,
    }
    subjects = {r.subject for r in references}
    for make, function in theirs.items():
        expected = {}
        for name in subjects:
            own = [p for p in pairs if p.reference.subject == name]
            expected[name] = function([p.reference.truth for p in own], [p.prediction.value for p in own])
        assert parts(make(), pairs) == pytest.approx(expected)
        assert score(make(), pairs) == pytest.approx(np.mean(list(expected.values())))


def test_a_feature_nobody_shows_has_no_f1_and_cannot_be_won_by_saying_no():
    shown = one_feature("yynn", "ynnn")
    absent = [pair("no", "no", subject="rare", video=f"v{n}") for n in range(4)]
    for make in (feature_macro_f1, feature_balanced_accuracy, feature_mcc):
        assert score(make(), shown + absent) == score(make(), shown)
        assert np.isnan(score(make(), absent))


def test_every_feature_counts_the_same_however_common():
    common = [pair("yes", "yes", subject="common", video=f"v{n}") for n in range(90)]
    rare = [pair("yes", "no", subject="rare", video="v0")]
    assert score(feature_macro_f1(), common + rare) == pytest.approx(0.5)
    assert score(feature_macro_f1(subject="common"), common + rare) == 1.0


class TestAuroc:
    def test_agrees_with_scikit_learn_with_ties(self):
        random = Random(0)
        truths = random.choices("yn", k=80)
        probabilities = [random.choice((0.1, 0.3, 0.5, 0.9)) for _ in truths]
        pairs = one_feature("".join(truths), "y" * 80, probabilities)
        assert score(FeatureAuroc(), pairs) == pytest.approx(
            sklearn_metrics.roc_auc_score([t == "y" for t in truths], probabilities)
        )

    def test_needs_a_probability(self):
        assert np.isnan(score(FeatureAuroc(), one_feature("yynn", "yynn")))

    def test_an_answer_without_one_ranks_as_certain_and_no_answer_ranks_last(self):
        assert score(FeatureAuroc(), one_feature("ynyn", "ynyn", [None, None, 0.7, 0.6])) == 1.0
        assert score(FeatureAuroc(), one_feature("yynn", "y-nn", [0.9, None, 0.1, 0.1])) == 0.5
        assert score(FeatureAuroc(), one_feature("yynn", "yy-n", [0.9, 0.9, None, 0.1])) == 0.5

    def test_resamples_follow_the_exact_statistic(self):
        random = np.random.default_rng(1)
        truths = random.random(150) < 0.4
        probabilities = np.clip(random.normal(0.35 + 0.3 * truths, 0.25), 0, 1)
        pairs = one_feature("".join("y" if t else "n" for t in truths), "y" * 150, probabilities.tolist())
        metric = FeatureAuroc()
        rows = metric.statistics(pairs)
        draws = random.integers(0, 150, (120, 150))
        linear = [float(metric.value(rows[draw].sum(axis=0))) for draw in draws]
        exact = [sklearn_metrics.roc_auc_score(truths[draw], probabilities[draw]) for draw in draws]
        assert np.corrcoef(linear, exact)[0, 1] > 0.99
        assert np.std(linear) == pytest.approx(np.std(exact), rel=0.05)
