"""The adversarial suite: what it says of the benchmark's own metrics, and that it catches what it is there for."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.errors import UsageError
from s3harness.metrics.base import ItemMean
from s3harness.metrics.features import feature_balanced_accuracy
from s3harness.specs.tasks import task_names
from s3harness.testing import check_metric
from s3harness.testing.known import NOT_RANKED
from s3harness.testing.metrics import CENTRED, KINDS
from s3harness.testing.suite import metrics_of, outcome_of


def metrics(profile):
    return list(metrics_of(profile, task_names()))


def every_metric(profile):
    cases = metrics(profile)
    return pytest.mark.parametrize(("task", "kind", "metric"), cases, ids=[f"{kind}-{m.label}" for _, kind, m in cases])


def beaten_by(metric, kind, **params):
    """Who scores as well as the honest answerer."""
    return {one.answerer for one in check_metric(metric, kind, **params) if one.promise == "honest wins"}


@every_metric("strict")
def test_every_strict_metric_keeps_its_promises_or_is_declared_to_rank_nobody(task, kind, metric):
    outcome = outcome_of("strict", task, kind, metric)
    assert outcome.is_known, (outcome.broken, outcome.known)
    assert not (metric.primary and outcome.broken)


def test_no_primary_metric_is_among_those_declared():
    names = {(m.name, kind, m.params.get("subject", "")): m.primary for _, kind, m in metrics("strict")}
    assert not any(names[declared] for declared in NOT_RANKED)


@every_metric("paper")
def test_the_published_metrics_have_the_defects_that_are_known_of_them(task, kind, metric):
    outcome = outcome_of("paper", task, kind, metric)
    assert outcome.known.reason
    assert outcome.is_known, (outcome.broken, outcome.known)


def test_the_command_lists_what_the_published_metrics_break():
    result = CliRunner().invoke(cli, ["tasks", "check", "5", "6", "--profile", "paper"])
    assert result.exit_code == 0, result.output
    assert "5 event order: temporal F1 (primary): breaks" in result.output
    assert "as good as one who watched: spam, spam after it\n    padding counts as hits" in result.output
    assert "not advice in a poor report: the cap of 50 does not touch a report that has less" in result.output
    assert "not known of before: 0" in result.output


def test_the_command_finds_nothing_of_the_strict_primary_metrics():
    result = CliRunner().invoke(cli, ["tasks", "check", "5", "--json"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["not_known"] == 0
    assert [one["breaks"] for one in data["metrics"] if one["primary"]] == [{}]
    assert data["reports_ranked_wrong"] is None


def test_what_is_not_known_is_told_and_a_failure(monkeypatch):
    monkeypatch.setattr("s3harness.testing.known.NOT_RANKED", {})
    result = CliRunner().invoke(cli, ["tasks", "check", "5"])
    assert result.exit_code == 1
    assert "duplicates: breaks honest wins (NOT KNOWN)" in result.output


@pytest.mark.parametrize(
    ("name", "params"), [("paper_boundary_mae", {}), ("boundary_mae", {}), ("boundary_within", {"seconds": 5})]
)
def test_in_clips_cut_around_the_moment_no_metric_can_tell_who_watched(name, params):
    """The defect is the clips', which is why the strict protocol places them at random."""
    jittered, centred = (beaten_by(name, kind, **params) for kind in ("boundary", CENTRED))
    assert centred - jittered == {"window_centre", "commonest_place"}


@pytest.mark.parametrize("name", ["lcs_f", "order_agreement", "laterality_macro_f1", "boundary_mae", "feature_auroc"])
@pytest.mark.parametrize("seed", [1, 2])
def test_another_cohort_says_the_same(name, seed):
    kind = next(kind for _, kind, metric in metrics("strict") if metric.name == name)
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


class Ranking(ItemMean):
    """Accuracy against that of all pairs, which it does not say."""

    def statistics(self, pairs):
        rows = super().statistics(pairs)
        return rows - (0.1 * rows[:, :1].mean(), 0.0) if len(rows) else rows


class Supportless(ItemMean):
    """Tells the items of a class of all patients together."""

    def support(self, sums):
        return {"yes": sums[:, 1].sum()}


class Bounded(ItemMean):
    """Promises less than it gives."""

    bounds = (0.0, 0.1)


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
        (lambda: Ranking(accuracy), "form", "honest"),
        (lambda: Supportless(accuracy), "form", "honest"),
        (lambda: Bounded(accuracy), "form", "honest"),
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
    assert set(KINDS) - {CENTRED} == {kind for _, kind, _ in metrics("strict")}
