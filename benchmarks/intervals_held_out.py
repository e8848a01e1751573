"""Coverage of 95 % intervals on cohorts of another make than those that the intervals were tuned on.

The constants of :mod:`s3harness.confidence_intervals` were chosen by the cohorts of ``benchmarks/intervals.py``. Here a
patient has 1 + Poisson(3) videos or a log-normal number of them, is right with a probability of its own from a beta
distribution, and errs in time by a gamma distribution.
Run by hand: ``python benchmarks/intervals_held_out.py --runs 500``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from intervals import ALL, PATIENTS, met, tables

from s3harness.confidence_intervals import patient_interval
from s3harness.metrics.base import ItemMean
from s3harness.metrics.boundaries import boundary_mae
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy
from s3harness.metrics.features import feature_balanced_accuracy

Array = np.ndarray
Random = np.random.Generator
FEW_GIVEN = 25
"""Intervals from which their coverage is shown."""
MANY = 40_000


def poisson(random: Random, n: int) -> Array:
    """Videos of each patient."""
    return 1 + random.poisson(3, n)


def lognormal(random: Random, n: int) -> Array:
    """Videos of each patient, a few of whom have dozens."""
    return np.minimum(np.ceil(random.lognormal(0.8, 1.0, n)).astype(int), 60)


def beta(random: Random, patients: Array, mean: float, size: float) -> Array:
    """A probability of each patient's own, given to all videos."""
    own = random.beta(mean * size, (1 - mean) * size, int(patients[-1]) + 1)
    return own[patients]


def diagnoses(random: Random, patients: Array) -> Array:
    """One patient in four has NES, and the system is right in 7 of 10 videos, more or less by patient."""
    truth = (random.random(int(patients[-1]) + 1) < 0.25)[patients]
    return tables(truth, random.random(len(patients)) < beta(random, patients, 0.7, 2.0))


def signs(random: Random, patients: Array) -> Array:
    """Twenty signs of 10 to 60 percent, each as common as it is in its patient."""
    rows = []
    for prevalence in np.linspace(0.1, 0.6, len(ALL)):
        truth = random.random(len(patients)) < beta(random, patients, prevalence, 1.5)
        rows.append(tables(truth, random.random(len(patients)) < beta(random, patients, 0.6, 3.0)))
    return np.hstack(rows)


def shares(random: Random, patients: Array) -> Array:
    """A score from 0 to 1 of each video, as order and reports have."""
    mean = beta(random, patients, 0.4, 3.0)
    return np.column_stack([random.beta(2 * mean + 0.05, 2 * (1 - mean) + 0.05), np.ones(len(patients))])


def errors(random: Random, patients: Array) -> Array:
    """Seconds off, skewed between and within patients."""
    own = random.gamma(2.0, 3.0, int(patients[-1]) + 1)[patients]
    return np.column_stack([np.minimum(random.gamma(1.0, own), 60.0), np.ones(len(patients))])


CASES: dict[str, tuple[object, Callable[[Random, Array], Array]]] = {
    "balanced accuracy, NES 25 %": (met(diagnosis_balanced_accuracy(), ("video",)), diagnoses),
    "macro balanced accuracy, 20 signs": (met(feature_balanced_accuracy(), ALL), signs),
    "mean of a share": (ItemMean(lambda pair: None), shares),
    "MAE": (boundary_mae(), errors),
}


def cell(name: str, sizes: Callable[[Random, int], Array], n: int, truth: float, runs: int) -> str:
    """Percent of the intervals that hold the truth, and percent given."""
    metric, rows_of = CASES[name]
    given = held = 0
    for seed in range(runs):
        random = np.random.default_rng(777_000 + seed)
        patients = np.repeat(np.arange(n), sizes(random, n))
        rows = rows_of(random, patients)
        sums = np.zeros((n, rows.shape[1]))
        np.add.at(sums, patients, rows)
        interval = patient_interval(metric, sums, resamples=500).interval
        if interval is not None:
            given, held = given + 1, held + (interval.low <= truth <= interval.high)
    return (
        f"{100 * held / given:.0f} ({100 * given / runs:.0f})"
        if given >= FEW_GIVEN
        else f"– ({100 * given / runs:.0f})"
    )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    print(f"| metric | videos | {' | '.join(f'{n} patients' for n in PATIENTS)} |")
    print(f"| --- | --- |{' ---: |' * len(PATIENTS)}")
    for name, (metric, rows_of) in CASES.items():
        for sizes in (poisson, lognormal):
            random = np.random.default_rng(3)
            patients = np.repeat(np.arange(MANY), sizes(random, MANY))
            truth = float(metric.value(rows_of(random, patients).sum(axis=0)))
            cells = [cell(name, sizes, n, truth, runs) for n in PATIENTS]
            print(f"| {name} | {sizes.__name__} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
