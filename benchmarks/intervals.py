"""Whether intervals hold the truth, and tests raise false alarms, as often as they say: simulated cohorts.

    python benchmarks/intervals.py [--runs 1000] [--resamples 500] [--permutations 500]

A cohort has patients with one to nineteen videos each (about 3.6, as in the benchmark). How good a system is differs
between patients: some are filmed well, some in the dark. So the items of one patient fail together. The true score is
that of a cohort of 200,000 patients. Three intervals are held against it: the package's own (patients resampled,
bootstrap-t), patients resampled with percentile limits, and items resampled with percentile limits, which is what is
done where clusters are ignored.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from s3harness.metrics.base import Array
from s3harness.metrics.boundaries import boundary_mae
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy
from s3harness.metrics.features import feature_macro_f1
from s3harness.stats import Formula, paired_permutation, patient_bootstrap

PATIENTS = (24, 80)
MANY = 200_000
PREVALENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class Simulation:
    """A metric, and rows of statistics (n, k) of systems that watch the same videos of ``patients`` (n,)."""

    metric: Formula
    rows: Callable[[Generator, Array], Array]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--permutations", type=int, default=500)
    chosen = parser.parse_args()
    coverage(chosen.runs, chosen.resamples)
    false_alarms(chosen.runs, chosen.permutations)


def coverage(runs: int, resamples: int) -> None:
    """Print how often 95 % intervals hold the true score."""
    print(f"Share of {runs} cohorts whose 95 % interval holds the true score; {resamples} resamples; ± is 1.96 s.e.\n")
    print("| metric | patients | this package | patients, percentile | items, percentile |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, simulation in SIMULATIONS.items():
        truth = true_score(simulation)
        for n in PATIENTS:
            held = np.array([holds(simulation, truth, n, seed, resamples) for seed in range(runs)])
            print(f"| {name} | {n} | {' | '.join(share(column) for column in held.T)} |", flush=True)


def holds(simulation: Simulation, truth: float, n: int, seed: int, resamples: int) -> tuple[bool, bool, bool]:
    """Whether each of the three intervals of one cohort holds the truth; one that is undefined does not."""
    random = np.random.default_rng(seed)
    patients = cohort(random, n)
    rows = simulation.rows(random, patients)
    items = np.arange(len(patients))
    found = [
        patient_bootstrap(simulation.metric, rows, clusters, resamples=resamples, seed=seed, method=method)
        for clusters, method in ((patients, "studentised"), (patients, "percentile"), (items, "percentile"))
    ]
    ours, patient, item = (i is not None and i.low <= truth <= i.high for i in found)
    return ours, patient, item


def false_alarms(runs: int, permutations: int) -> None:
    """Print how often two systems of the same quality are found to differ."""
    print(f"\nShare of {runs} pairs of systems that do not differ and have p ≤ 0.05; {permutations} permutations.\n")
    print("| metric | patients | exchanging patients | exchanging items |\n| --- | ---: | ---: | ---: |")
    for name, simulation in SIMULATIONS.items():
        for n in PATIENTS:
            alarms = np.array([alarmed(simulation, n, seed, permutations) for seed in range(runs)])
            print(f"| {name} | {n} | {' | '.join(share(column) for column in alarms.T)} |", flush=True)


def alarmed(simulation: Simulation, n: int, seed: int, permutations: int) -> tuple[bool, bool]:
    """Whether the test calls two equal systems different: exchanged by patient, and by item."""
    random = np.random.default_rng(10_000 + seed)
    patients = cohort(random, n)
    truths = int(random.integers(2**31))
    one, other = (simulation.rows(Systems(truths, random), patients) for _ in range(2))  # type: ignore[arg-type]
    tests = [
        paired_permutation(simulation.metric, one, other, clusters, resamples=permutations, seed=seed)
        for clusters in (patients, np.arange(len(patients)))
    ]
    by_patient, by_item = (test.p_value <= 0.05 for test in tests)
    return by_patient, by_item


class Systems:
    """Two sources of chance: ``truths`` is the same for all systems, the rest is each system's own."""

    def __init__(self, truths: int, own: Generator) -> None:
        self.truths = np.random.default_rng(truths)
        self.own = own


def cohort(random: Generator, n: int) -> Array:
    """The patient of each video, (videos,)."""
    return np.repeat(np.arange(n), np.minimum(random.geometric(0.28, n), 19)).astype(np.float64)


def true_score(simulation: Simulation) -> float:
    """The score of a cohort beyond counting."""
    random = np.random.default_rng(99)
    return float(simulation.metric.value(simulation.rows(random, cohort(random, MANY)).sum(axis=0)))


def errors_in_seconds(random: Generator | Systems, patients: Array) -> Array:
    """Absolute errors of a boundary: skewed, and larger by a patient's own factor; rows (error, 1)."""
    _, own = sources(random)
    factor = np.exp(0.6 * of_patients(own, patients))
    errors = np.minimum(np.abs(own.normal(0.0, 5.0, len(patients))) * factor, 60.0)
    return np.column_stack([errors, np.ones(len(patients))])


def diagnoses(random: Generator | Systems, patients: Array) -> Array:
    """ES or NES, a patient's own and one in three NES; right more often in some patients; a table of two classes."""
    shared, own = sources(random)
    is_nes = of_patients(shared, patients, uniform=True) < 0.32
    is_right = own.normal(size=len(patients)) + 1.2 * of_patients(own, patients) < 1.0
    return tables(is_nes.astype(int), is_right)


def features(random: Generator | Systems, patients: Array) -> Array:
    """Six signs of several prevalences, each clustered by patient as are the errors; tables side by side."""
    shared, own = sources(random)
    skill = of_patients(own, patients)
    blocks = []
    for prevalence in PREVALENCES:
        liability = 0.7 * of_patients(shared, patients) + math.sqrt(1 - 0.49) * shared.normal(size=len(patients))
        is_absent = liability > np.quantile(LIABILITY, prevalence)
        blocks.append(tables(is_absent.astype(int), own.normal(size=len(patients)) + skill < 1.1))
    return np.hstack(blocks)


def sources(random: Generator | Systems) -> tuple[Generator, Generator]:
    """The chance that all systems share, and that of this one."""
    return (random.truths, random.own) if isinstance(random, Systems) else (random, random)


def of_patients(random: Generator, patients: Array, *, uniform: bool = False) -> Array:
    """One number of each patient, given to all of the videos, (videos,)."""
    n = int(patients.max()) + 1
    drawn = random.random(n) if uniform else random.normal(size=n)
    return np.asarray(drawn[patients.astype(int)], dtype=np.float64)


def tables(truth: Array, is_right: Array) -> Array:
    """Rows of (hits, true, said) of two classes, shape (n, 6), as the metrics of closed answers have them."""
    rows = np.zeros((len(truth), 2, 3))
    items = np.arange(len(truth))
    rows[items, truth, 0], rows[items, truth, 1] = is_right, 1.0
    rows[items, np.where(is_right, truth, 1 - truth), 2] = 1.0
    return rows.reshape(len(truth), 6)


def share(held: Array) -> str:
    """A share in percent, and how far it may be off."""
    p = float(held.mean())
    return f"{100 * p:.1f} ± {100 * 1.96 * math.sqrt(p * (1 - p) / len(held)):.1f} %"


LIABILITY = np.random.default_rng(0).normal(size=100_000)
SIMULATIONS: Mapping[str, Simulation] = {
    "MAE": Simulation(boundary_mae(), errors_in_seconds),
    "balanced accuracy": Simulation(diagnosis_balanced_accuracy(), diagnoses),
    "macro F1": Simulation(feature_macro_f1(), features),
}

if __name__ == "__main__":
    main()
