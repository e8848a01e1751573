"""How often the test against the floor calls a guesser skilled, and how often it finds a cautious reader's skill.

A guesser says yes at a rate of its own, by patient, whatever is shown: its balanced accuracy is that of the floor, a
coin. The cautious reader sees three signs in ten and calls nine in ten absent ones absent. Both are tested as scoring
does (:func:`s3harness.stats.difference_from_constant`), and by exchanging answers with the coin patient by patient.
Run by hand: ``python benchmarks/floor_test.py --runs 1000``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from intervals import ALL, PATIENTS, PERMUTATIONS, PREVALENCES, SIZES, cohort, difficulty, met, of_patients, tables
from scipy.special import ndtri

from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy
from s3harness.metrics.features import feature_balanced_accuracy
from s3harness.stats import PairedTest, difference_from_constant, paired_test_of_sums

Array = np.ndarray
CASES = {
    "balanced accuracy, NES 32 %": (met(diagnosis_balanced_accuracy(), ("video",)), (0.32,), True),
    "balanced accuracy, sign of 30 %": (met(feature_balanced_accuracy(), ("tonic",)), (0.3,), False),
    "macro balanced accuracy, 20 signs": (met(feature_balanced_accuracy(), ALL), PREVALENCES, False),
}
"""Name → metric, prevalence of each subject, and whether the truth belongs to the patient."""


def guesser(random: np.random.Generator, patients: Array, truth: Array) -> Array:
    """Return the answers of a guesser: yes at a patient's own rate, around three in ten."""
    return random.normal(size=len(patients)) + of_patients(random, patients) < -0.7


def cautious(random: np.random.Generator, patients: Array, truth: Array) -> Array:
    """Return the answers of a cautious reader: sensitivity 0.3, specificity 0.9."""
    return random.random(len(patients)) < np.where(truth, 0.3, 0.1)


def sums_of(name: str, says: Callable[..., Array], n: int, sizes: str, seed: int) -> Array:
    """Sums by patient of a reader and of a coin at its expectation, side by side."""
    _, prevalences, of_patient = CASES[name]
    random = np.random.default_rng(seed)
    patients = cohort(random, n, sizes)
    rows, coin = [], []
    for prevalence in prevalences:
        own = random.random(n)[patients] < prevalence if of_patient else None
        truth = own if own is not None else difficulty(random, patients, 0.5) < ndtri(prevalence)
        is_yes = says(random, patients, truth)
        rows.append(tables(truth, is_yes == truth))
        coin.append((tables(truth, truth == 1) + tables(truth, truth == 0)) / 2)
    sums = np.zeros((n, 2 * 6 * len(prevalences)))
    np.add.at(sums, patients, np.hstack([*rows, *coin]))
    return sums


def cell(name: str, says: Callable[..., Array], n: int, sizes: str, runs: int) -> str:
    """Percent called different by this test (and percent tested) / by exchanging answers."""
    metric, rejected, tested, exchanged = CASES[name][0], 0, 0, 0
    for seed in range(runs):
        sums = sums_of(name, says, n, sizes, seed)
        test: PairedTest = difference_from_constant(metric, sums, resamples=300)
        tested += bool(np.isfinite(test.p_value))
        rejected += test.p_value <= 0.05
        few = PERMUTATIONS if 2**n <= PERMUTATIONS else 500
        exchanged += paired_test_of_sums(metric, sums, resamples=few, interval_resamples=2).p_value <= 0.05
    share = f"{100 * rejected / tested:.1f}" if tested else "–"
    return f"{share} ({100 * tested / runs:.0f}) / {100 * exchanged / runs:.1f}"


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    for title, says in (("guesser", guesser), ("cautious reader", cautious)):
        print(f"\n{title}: percent with p ≤ 0.05 by the test against the floor (percent tested) / by exchanging\n")
        print(f"| metric | videos | {' | '.join(f'{n} patients' for n in PATIENTS)} |")
        print(f"| --- | --- |{' ---: |' * len(PATIENTS)}")
        for name in CASES:
            for sizes in SIZES:
                cells = [cell(name, says, n, sizes, runs) for n in PATIENTS]
                print(f"| {name} | {sizes} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
