"""The adversarial suite: what it says of the benchmark's own metrics, and that it catches what it is there for."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.errors import UsageError
from s3harness.metrics.base import ItemMean
from s3harness.metrics.features import feature_balanced_accuracy, feature_macro_f1
from s3harness.specs.loading import task_names
from s3harness.testing import check_metric
from s3harness.testing.answerers import error
from s3harness.testing.attacks import attacks
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.testing.known_defects import NOT_RANKED
from s3harness.testing.metrics import CENTRED, KINDS
from s3harness.testing.monotone import trials
from s3harness.testing.suite import metrics_of, new_defects, outcome_of


def metrics(profile):
    return list(metrics_of(profile, task_names()))


def every_metric(profile):
    cases = metrics(profile)
    return pytest.mark.parametrize(("task", "kind", "metric"), cases, ids=[f"{kind}-{m.label}" for _, kind, m in cases])


FITTED_ON_ALL = {
    "yes to the rather common signs",
    "always no with the central sentence",
    "always yes with the central sentence",
    "coin with the central sentence",
    "all words of the feature",
    *(f"the {most} commonest signs" for most in (2, 4, 6, 8)),
    "the commonest signs backwards",
}
"""Attacks that know the statistics of the whole cohort, which makes them stronger than they deserve."""


def beaten_by(metric, kind, **params):
    """Who scores as well as the honest answerer."""
    return {one.answerer for one in check_metric(metric, kind, **params) if one.promise == "honest wins"}


@every_metric("strict")
def test_every_strict_metric_keeps_its_promises_or_is_declared_to_rank_nobody(task, kind, metric):
    outcome = outcome_of("strict", task, kind, metric)
    assert outcome.is_known, (outcome.broken, outcome.known_defect)
    assert not (metric.primary and outcome.broken)


def test_no_primary_metric_is_among_those_declared():
    names = {(m.name, kind, m.params.get("subject", "")): m.primary for _, kind, m in metrics("strict")}
    assert not any(names[declared] for declared in NOT_RANKED)


@every_metric("paper")
def test_the_published_metrics_have_the_defects_that_are_known_of_them(task, kind, metric):
    outcome = outcome_of("paper", task, kind, metric)
    assert outcome.known_defect.reason
    assert outcome.is_known, (outcome.broken, outcome.known_defect)


def test_the_command_lists_what_the_published_metrics_break():
    result = CliRunner().invoke(cli, ["tasks", "check", "5", "6", "--profile", "paper"])
    assert result.exit_code == 0, result.output
    assert "5 event order: temporal F1 (primary): breaks" in result.output
    assert (
        "as good as a reader who watched the video: spam, spam after it\n    above a reader who watched: spam\n"
        in result.output
    )
    assert "no gain from seeing more: number of invented signs, falling: 0, " in result.output
    assert "\n    padding counts as hits\n" in result.output
    assert "wrong: advice in a poor report: the cap of 50 does not touch a report that has less" in result.output
    assert "new defects: 0" in result.output


def test_the_command_finds_nothing_of_the_strict_primary_metrics():
    result = CliRunner().invoke(cli, ["tasks", "check", "5", "--json"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["not_known"] == 0
    assert [one["breaks"] for one in data["metrics"] if one["primary"]] == [{}]
    assert data["reports_ranked_wrong"] is None


def test_what_is_not_known_is_told_and_a_failure(monkeypatch):
    monkeypatch.setattr("s3harness.testing.known_defects.NOT_RANKED", {})
    result = CliRunner().invoke(cli, ["tasks", "check", "5"])
    assert result.exit_code == 1
    assert "out of vocabulary: breaks honest wins, readers win, monotone (NEW DEFECT)" in result.output


def test_a_metric_that_breaks_a_promise_may_not_be_primary(monkeypatch):
    """Macro F1 is known to put a cautious reader below "always yes", which does not make it fit to rank."""
    (task, kind, macro_f1) = next(case for case in metrics("strict") if case[2].name == "feature_macro_f1")
    outcome = outcome_of("strict", task, kind, macro_f1)
    assert new_defects("strict", [outcome], []) == []
    ranking = replace(outcome, metric=replace(macro_f1, primary=True))
    assert ranking.is_known
    assert new_defects("strict", [ranking], []) == ["s3/task1_features: macro F1"]
    monkeypatch.setattr("s3harness.testing.suite.suite", lambda *_: [ranking])
    result = CliRunner().invoke(cli, ["tasks", "check", "1"])
    assert result.exit_code == 1
    assert "macro F1 (primary): breaks readers win (MAY NOT BE PRIMARY)" in result.output


@pytest.mark.parametrize(
    ("metric", "kind", "reader", "blind"),
    [
        ("feature_macro_f1", "feature", "reader of sensitivity 0.3 and specificity 0.95", "always_yes"),
        ("rationale_score", "rationale", "cautious reader who tells half", None),
    ],
)
def test_what_once_was_primary_puts_an_honest_reader_below_a_blind_answerer(metric, kind, reader, blind):
    below = {one.note: one.answerer for one in check_metric(metric, kind) if one.promise == "readers win"}
    assert f"the {reader} has less" in below
    assert blind in (None, below[f"the {reader} has less"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != CENTRED])
def test_the_ladders_of_a_kind_differ_in_one_skill_and_whoever_has_less_is_never_right_where_more_is_wrong(kind):
    for ladder in trials(kind).ladders:
        right = [
            [{p.reference.item for p in pairs if error(p.reference, p.prediction) < 1e-9} for pairs in cohorts]
            for _, cohorts in ladder.levels
        ]
        if ladder.rising.startswith(("sensitivity", "specificity", "share of right answers")) and kind != "rationale":
            for fewer, more in pairwise(right):
                assert all(one < other for one, other in zip(fewer, more, strict=True)), ladder.rising
        assert len({level for level, _ in ladder.levels}) == len(ladder.levels) >= 3


def test_every_attack_answers_every_item_and_looks_at_no_truth_of_its_own():
    """With the truths of one patient changed, no attack says anything else of that patient's items."""
    for kind in (kind for kind in KINDS if kind != CENTRED):
        references = references_of(kind, made_up_videos(12, patients=4, seed=3), seed=3)
        patient = references[0].cluster
        others = {r.subject: r.truth for r in references if r.cluster != patient}
        changed = [replace(r, truth=others.get(r.subject, r.truth)) if r.cluster == patient else r for r in references]
        own = [number for number, reference in enumerate(references) if reference.cluster == patient]
        before, after = attacks(kind, references), attacks(kind, changed)
        for name in before:
            assert len(before[name]) == len(references)
            if name not in FITTED_ON_ALL:
                assert [before[name][n] for n in own] == [after[name][n] for n in own], (kind, name)


@pytest.mark.parametrize(
    ("name", "params"), [("paper_boundary_mae", {}), ("boundary_mae", {}), ("boundary_within", {"seconds": 5})]
)
def test_in_clips_cut_around_the_moment_no_metric_can_tell_who_watched(name, params):
    """The defect is the clips', which is why the strict protocol places them at random."""
    jittered, centred = (beaten_by(name, kind, **params) for kind in ("boundary", CENTRED))
    assert centred - jittered == {"window_centre", "commonest_place", "shaken centre"}


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


def is_no(pair):
    return float(pair.prediction.value == "no")


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
        (feature_macro_f1, "readers win", "always_yes"),
        (lambda: ItemMean(is_no), "monotone", "sensitivity at specificity .8: 0.4"),
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
