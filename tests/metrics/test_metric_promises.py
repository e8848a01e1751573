"""What every strict metric promises, whatever it measures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import METRICS, RANKED, answered, honest, references_of, said, score, scrambled, silly, unanswered

from s3harness.metrics.diagnosis import diagnosis_mcc
from s3harness.metrics.features import FeatureAuroc, feature_mcc
from s3harness.metrics.floors import floors_for, oracle
from s3harness.metrics.rationale import RationaleInformedness
from s3harness.types import Prediction

ids = [f"{kind}-{make.__name__}" for kind, make in RANKED]
every_metric = pytest.mark.parametrize(("kind", "make"), RANKED, ids=ids)

SIGNED = (feature_mcc, diagnosis_mcc, RationaleInformedness)
"""Metrics that are 0 for chance and −1 at worst."""
LINEARISED = (FeatureAuroc, RationaleInformedness)
"""Metrics additive to first order: placements and means are those of the full set."""

JUNK = st.one_of(
    st.none(),
    st.sampled_from(["yes", "no", "na", "left", "right", "head", "ES", "NES", "", "fail"]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-10, 10**9),
    st.booleans(),
    st.lists(st.sampled_from(["tonic", "clonic", "junk", "TONIC"]), max_size=30),
    st.fixed_dictionaries({"present": st.sampled_from(["yes", "no", "na", "?"]), "text": st.text(max_size=40)}),
    st.text(max_size=40),
)


def better(metric, one, other):
    return one >= other - 1e-9 if metric.higher_is_better else one <= other + 1e-9


@every_metric
def test_the_truth_scores_the_ceiling(kind, make):
    references = references_of(kind)
    best = {"s": 0.0, "points": 100.0}.get(make().unit, 1.0)
    assert score(make(), answered(references, oracle(references))) == pytest.approx(best)


@every_metric
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_answers_whatever_stay_within_bounds_and_below_the_truth(kind, make, data):
    references = references_of(kind, 4, seed=data.draw(st.integers(0, 3)))
    values = data.draw(st.lists(JUNK, min_size=len(references), max_size=len(references)))
    given_to = dict(zip((r.item for r in references), values, strict=True))
    pairs = said(references, lambda reference: given_to[reference.item])
    metric = make()
    value, ceiling = score(metric, pairs), score(make(), answered(references, oracle(references)))
    assert np.isnan(value) or better(metric, ceiling, value)
    low, high = -1.0 if make in SIGNED else 0.0, {"s": 60.0, "points": 100.0}.get(metric.unit, 1.0)
    assert np.isnan(value) or low - 1e-9 <= value <= high + 1e-9


@every_metric
def test_the_order_of_the_items_does_not_matter(kind, make):
    pairs = honest(kind, references_of(kind))
    assert score(make(), scrambled(pairs)) == pytest.approx(score(make(), pairs), abs=1e-12)


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, make in RANKED if make not in LINEARISED])
def test_sums_of_rows_score_what_the_items_together_score(kind, make):
    pairs = honest(kind, references_of(kind))
    metric = make()
    rows = metric.statistics(pairs)
    twice = [*range(len(pairs)), *(i for i in range(len(pairs)) if pairs[i].reference.cluster < 8)]
    assert float(metric.value(rows[twice].sum(axis=0))) == pytest.approx(score(make(), [pairs[i] for i in twice]))
    stacked = metric.value(np.stack([rows.sum(axis=0), rows[twice].sum(axis=0)]))
    assert stacked.shape == (2,)
    assert stacked[1] == pytest.approx(float(metric.value(rows[twice].sum(axis=0))))


@every_metric
def test_who_watched_beats_who_did_not(kind, make):
    references = references_of(kind)
    metric = make()
    watched = score(metric, honest(kind, references))
    lazy = {name: answered(references, made) for name, made in floors_for(kind, references).items()}
    lazy |= {name: said(references, say) for name, say in silly(kind).items()}
    scores = {name: score(metric, pairs) for name, pairs in lazy.items()}
    beaten = {name: value for name, value in scores.items() if np.isnan(value) or better(metric, watched, value)}
    assert beaten == scores, f"the honest answerer has {watched}"


@every_metric
def test_failing_never_pays(kind, make):
    """Taking answers away from an honest answerer, a tenth at a time, never helps."""
    pairs, metric = honest(kind, references_of(kind)), make()
    fewer = [[unanswered(p) if n % 10 < lost else p for n, p in enumerate(pairs)] for lost in range(0, 11, 2)]
    scores = [value for value in (score(metric, left) for left in fewer) if not np.isnan(value)]
    assert len(scores) > 4
    assert all(better(metric, one, other) for one, other in pairwise(scores)), scores


@every_metric
def test_nothing_to_score_is_undefined_and_not_zero(kind, make):
    metric = make()
    rows = metric.statistics([])
    assert np.isnan(metric.value(rows.sum(axis=0)))
    assert metric.value(np.zeros((3, rows.shape[1]))).shape == (3,)


@pytest.mark.parametrize("kind", METRICS)
def test_an_unread_answer_and_a_failed_one_score_the_same(kind):
    references = references_of(kind, 12)
    for make in METRICS[kind]:
        values = [
            score(make(), answered(references, [Prediction(r.item, None, status) for r in references]))
            for status in ("missing", "unparsable", "failed", "refused", "cut")
        ]
        assert len({str(value) for value in values}) == 1
