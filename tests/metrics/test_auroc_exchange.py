"""The exchange test of AUROC, whose rows hang together: each negative's depends on the few positives."""

from __future__ import annotations

import numpy as np

from s3harness.metrics.base import Pair
from s3harness.metrics.features import FeatureAuroc
from s3harness.stats import paired_permutation
from s3harness.types import Prediction, Reference


def _pairs(truths: np.ndarray, patients: np.ndarray, probabilities: np.ndarray) -> list[Pair]:
    return [
        Pair(
            Reference(
                item=f"i{n}",
                task="t",
                video_id=f"v{n}",
                subject="tonic",
                cluster=int(patient),
                truth="yes" if truth else "no",
            ),
            Prediction(f"i{n}", "yes", probability=float(probability)),
        )
        for n, (truth, patient, probability) in enumerate(zip(truths, patients, probabilities, strict=True))
    ]


def test_two_equal_systems_seldom_differ_on_a_rare_sign() -> None:
    """With half of the area taken off each placement it was one in five."""
    random = np.random.default_rng(0)
    patients = np.arange(48) // 4
    truths = np.isin(np.arange(48), [3, 17, 40])
    p_values = []
    for _ in range(200):
        metric = FeatureAuroc()
        first, second = (metric.statistics(_pairs(truths, patients, random.random(48))) for _ in range(2))
        p_values.append(paired_permutation(metric, first, second, patients, resamples=300).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_the_parts_taken_off_do_not_change_the_area() -> None:
    random = np.random.default_rng(1)
    truths, patients, probabilities = np.arange(40) < 6, np.arange(40), random.random(40)
    metric = FeatureAuroc()
    area = float(metric.value(metric.statistics(_pairs(truths, patients, probabilities)).sum(axis=0)))
    wins = probabilities[truths][:, None] > probabilities[~truths]
    assert np.isclose(area, wins.mean())
