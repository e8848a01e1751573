"""Whether intervals hold the truth, and tests raise false alarms, as often as they say: simulated cohorts.

    python benchmarks/intervals.py [--runs 1000] [--old-runs 200] [--only "LCS-F;Seizure-RQI"]

A cohort has 5 to 60 patients. "1–19 videos": each has one to nineteen, about 3.6, as in the benchmark. "one has half":
the same, but one patient holds half of all videos. How good a system is differs between patients: some are filmed well,
some in the dark, so that the items of one patient fail together; truths resemble each other within a patient, too. The
true score is that of a cohort of 60,000 patients. Measured are
:func:`s3harness.confidence_intervals.patient_interval` and :func:`s3harness.stats.paired_test_of_sums`, as scoring and
comparing call them, beside the bootstrap-t alone.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr, ndtri

from s3harness.confidence_intervals import bootstrap, patient_interval
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.boundaries import boundary_mae, boundary_within
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy
from s3harness.metrics.features import FeatureAuroc, feature_balanced_accuracy, feature_macro_f1, feature_mcc
from s3harness.metrics.order import lcs_f
from s3harness.metrics.rqi.metric import SeizureRQI
from s3harness.stats import PairedTest, paired_test_of_sums
from s3harness.types import Prediction, Reference

PATIENTS = (5, 7, 12, 24, 60)
SIZES = ("1–19 videos", "one has half")
MANY = 60_000
FEW_RESAMPLES = 300
PERMUTATIONS = 4096
"""Enough to enumerate all exchanges of twelve patients."""
PREVALENCES = tuple(
    percent / 100 for percent in (5, 5, 8, 10, 10, 12, 15, 20, 20, 25, 30, 30, 35, 40, 40, 50, 50, 50, 60, 60)
)
"""Of the twenty signs."""

Rows = Callable[[Generator, Generator, Array, float], Array]
"""Chance of the truths, chance of the system, patients (n,), how much worse the system is → rows (n, k)."""


@dataclass(frozen=True)
class Simulation:
    """A metric, as scoring makes it, and the rows of a system that watches the videos of ``patients`` (n,)."""

    metric: Metric
    rows: Rows

    def sums(self, truths: Generator, own: Generator, patients: Array, worse: float = 0.0) -> Array:
        """Sums by patient, (patients, k)."""
        rows = self.rows(truths, own, patients, worse)
        sums = np.zeros((int(patients[-1]) + 1, rows.shape[1]))
        np.add.at(sums, patients, rows)
        return sums


@dataclass(frozen=True)
class Outcome:
    """How many intervals were asked for and given, how many of these hold the truth, and their mean width."""

    asked: int
    given: int
    held: int
    width: float

    def __str__(self) -> str:
        share = f"{100 * self.held / self.given:.0f}" if self.given >= FEW_GIVEN else "–"
        return f"{share} ({100 * self.given / max(self.asked, 1):.0f})"


FEW_GIVEN = 25
"""Intervals from which their coverage is shown."""


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--old-runs", type=int, default=200, help="Cohorts for the bootstrap-t alone.")
    parser.add_argument("--only", default=";".join(SIMULATIONS))
    chosen = parser.parse_args()
    names, start = chosen.only.split(";"), time.process_time()
    print_coverage("bootstrap-t of patients alone", names, chosen.old_runs, old_interval)
    print_coverage("this package", names, chosen.runs, new_interval)
    print_tests(names, chosen.runs)
    print(f"\n{time.process_time() - start:.0f} CPU seconds")


Interval = Callable[[Metric, Array, int], tuple[float, float] | None]


def new_interval(metric: Metric, sums: Array, seed: int) -> tuple[float, float] | None:
    """Limits that scoring gives."""
    interval = patient_interval(metric, sums, resamples=FEW_RESAMPLES, seed=seed).interval
    return (interval.low, interval.high) if interval else None


def old_interval(metric: Metric, sums: Array, seed: int) -> tuple[float, float] | None:
    """Limits of resampled patients, however few they are."""
    interval = bootstrap(metric, sums, resamples=FEW_RESAMPLES, seed=seed)
    return (interval.low, interval.high) if interval else None


def print_coverage(title: str, names: Sequence[str], runs: int, interval: Interval) -> None:
    """Print how often 95 % intervals hold the true score, where the score is defined."""
    print(f"\n{title}: {runs} cohorts; coverage in percent, in brackets how many in a hundred have an interval\n")
    print(f"| metric | videos | {' | '.join(f'{n} patients' for n in PATIENTS)} |")
    print(f"| --- | --- |{' ---: |' * len(PATIENTS)}")
    for name in names:
        simulation = SIMULATIONS[name]
        truth = true_score(simulation)
        for sizes in SIZES:
            cells = [str(coverage(simulation, truth, n, sizes, runs, interval)) for n in PATIENTS]
            print(f"| {name} | {sizes} | {' | '.join(cells)} |", flush=True)


def coverage(simulation: Simulation, truth: float, n: int, sizes: str, runs: int, interval: Interval) -> Outcome:
    """Coverage in cohorts whose score is defined."""
    asked = given = held = 0
    width = 0.0
    for seed in range(runs):
        random = np.random.default_rng(seed)
        sums = simulation.sums(random, random, cohort(random, n, sizes))
        if not np.isfinite(simulation.metric.value(sums.sum(axis=0))):
            continue
        asked += 1
        if limits := interval(simulation.metric, sums, seed):
            given, held, width = given + 1, held + (limits[0] <= truth <= limits[1]), width + limits[1] - limits[0]
            if limits[0] == limits[1] and interval is new_interval:
                raise SystemExit(f"an interval of zero width: {simulation.metric}, {n} patients, seed {seed}")
    return Outcome(asked, given, held, width / max(given, 1))


def print_tests(names: Sequence[str], runs: int) -> None:
    """Print how often equal systems are called different, and how often the interval of a difference holds it."""
    print(f"\nPaired tests of {runs} pairs of systems on the same videos: percent with p ≤ 0.05 of two that do not")
    print("differ; coverage of the difference of two equal systems / of two that differ (intervals given)\n")
    print(f"| metric | videos | {' | '.join(f'{n} patients' for n in PATIENTS)} |")
    print(f"| --- | --- |{' ---: |' * len(PATIENTS)}")
    for name in names:
        simulation = SIMULATIONS[name]
        difference = true_score(simulation) - true_score(simulation, WORSE)
        for sizes in SIZES:
            cells = [paired_cell(simulation, difference, n, sizes, runs) for n in PATIENTS]
            print(f"| {name} | {sizes} | {' | '.join(cells)} |", flush=True)


def paired_cell(simulation: Simulation, difference: float, n: int, sizes: str, runs: int) -> str:
    """Type I error, and coverage of no difference and of a real one."""
    alarms, tested, outcomes = 0, 0, []
    for worse, truth in ((0.0, 0.0), (WORSE, difference)):
        asked = given = held = 0
        for seed in range(runs):
            test = paired(simulation, n, sizes, seed, worse)
            if not math.isfinite(test.p_value):
                continue
            asked += 1
            alarms += worse == 0.0 and test.p_value <= 0.05
            tested += worse == 0.0
            if test.interval:
                given, held = given + 1, held + (test.interval.low <= truth <= test.interval.high)
        outcomes.append(Outcome(asked, given, held, 0.0))
    return f"{100 * alarms / max(tested, 1):.1f}; {outcomes[0]} / {outcomes[1]}"


def paired(simulation: Simulation, n: int, sizes: str, seed: int, worse: float) -> PairedTest:
    """The test of two systems on one cohort, the second one worse."""
    random = np.random.default_rng(10_000 + seed)
    patients, truths = cohort(random, n, sizes), int(random.integers(2**31))
    both = [simulation.sums(np.random.default_rng(truths), random, patients, by) for by in (0.0, worse)]
    resamples = PERMUTATIONS if 2**n <= PERMUTATIONS else 500
    return paired_test_of_sums(
        simulation.metric, np.hstack(both), resamples=resamples, seed=seed, interval_resamples=FEW_RESAMPLES
    )


WORSE = 0.5
"""How much worse the second system is, in standard deviations of what makes an item hard."""


def cohort(random: Generator, n: int, sizes: str = SIZES[0]) -> Array:
    """The patient of each video, (videos,)."""
    videos = np.minimum(random.geometric(0.28, n), 19)
    if sizes == SIZES[1]:
        videos[random.integers(n)] = max(1, videos.sum() - videos.max())
    return np.repeat(np.arange(n), videos)


def true_score(simulation: Simulation, worse: float = 0.0) -> float:
    """The score of a cohort beyond counting."""
    random = np.random.default_rng(99)
    rows = simulation.rows(random, random, cohort(random, MANY), worse)
    return float(simulation.metric.value(rows.sum(axis=0)))


def times(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
    """Absolute errors of a boundary in seconds: skewed, and larger by a patient's own factor; rows (error, 1)."""
    factor = np.exp(0.6 * of_patients(own, patients) + worse)
    return counted(np.minimum(np.abs(own.normal(0.0, 5.0, len(patients))) * factor, 60.0))


def shares(middle: float, scale: float = 1.0, spread: float = 1.0) -> Rows:
    """A score per item between 0 and ``scale``, all values of it likely if ``spread`` is 1; rows (score, 1)."""

    def rows(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
        return counted(scale * ndtr(spread * (difficulty(own, patients, 0.4) - worse) + middle))

    return rows


def hits(p: float, correlation: float = 0.5) -> Rows:
    """Right or wrong, right with probability p; rows (right, 1)."""

    def rows(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
        return counted((difficulty(own, patients, correlation) < ndtri(p) - worse).astype(float))

    return rows


def diagnoses(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
    """ES or NES, a patient's own and one in three NES; a table of two classes."""
    is_nes = truths.random(int(patients[-1]) + 1)[patients] < 0.32
    return tables(is_nes, difficulty(own, patients, 0.55) < 0.65 - worse)


def signs(*prevalences: float) -> Rows:
    """Signs of several prevalences, each clustered by patient as are the errors; tables side by side."""

    def rows(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
        skill = 0.8 * of_patients(own, patients)
        is_absent = [difficulty(truths, patients, 0.5) > ndtri(p) for p in prevalences]
        return np.hstack([tables(t, own.normal(size=len(patients)) + skill < 1.0 - worse) for t in is_absent])

    return rows


def rankings(prevalence: float) -> Rows:
    """Probabilities of a sign, higher where it is shown, by a patient's own measure; the rows of AUROC."""

    def rows(truths: Generator, own: Generator, patients: Array, worse: float) -> Array:
        is_shown = difficulty(truths, patients, 0.5) < ndtri(prevalence)
        logits = own.normal(size=len(patients)) + 0.7 * of_patients(own, patients) + (1.0 - worse) * is_shown
        probabilities = ndtr(logits / 2)
        cases = zip(is_shown.tolist(), probabilities.tolist(), strict=True)
        return FeatureAuroc().statistics([answered(n, *case) for n, case in enumerate(cases)])

    return rows


def answered(number: int, is_shown: bool, probability: float) -> Pair:
    """An item of one sign and its answer with a probability."""
    reference = Reference(
        item=f"i{number}",
        task="t",
        video_id=f"v{number}",
        subject="tonic",
        cluster=0,
        truth="yes" if is_shown else "no",
    )
    return Pair(reference, Prediction(f"i{number}", "yes" if probability > 0.5 else "no", probability=probability))


def difficulty(random: Generator, patients: Array, correlation: float) -> Array:
    """A standard normal number per item, correlated within patients; (n,)."""
    own = random.normal(size=len(patients))
    return math.sqrt(correlation) * of_patients(random, patients) + math.sqrt(1 - correlation) * own


def of_patients(random: Generator, patients: Array) -> Array:
    """One standard normal number of each patient, given to all of the videos, (videos,)."""
    return np.asarray(random.normal(size=int(patients[-1]) + 1)[patients])


def counted(values: Array) -> Array:
    """Rows (value, 1)."""
    return np.column_stack([values, np.ones(len(values))])


def tables(is_second: Array, is_right: Array) -> Array:
    """Rows of (hits, true, said) of two classes, shape (n, 6), as the metrics of closed answers have them."""
    rows, items, truth = np.zeros((len(is_second), 2, 3)), np.arange(len(is_second)), is_second.astype(int)
    rows[items, truth, 0], rows[items, truth, 1] = is_right, 1.0
    rows[items, np.where(is_right, truth, 1 - truth), 2] = 1.0
    return rows.reshape(len(is_second), 6)


def met(metric: Metric, subjects: Sequence[str]) -> Metric:
    """A metric that has met these subjects, so that it can name their classes."""
    for subject in subjects:
        reference = Reference(item="i", task="t", video_id="v", subject=subject, cluster=0, truth="yes")
        metric.statistics([Pair(reference, Prediction("i", "yes"))])
    return metric


ONE, ALL = ("tonic",), tuple(f"sign {n}" for n in range(len(PREVALENCES)))
SIMULATIONS: Mapping[str, Simulation] = {
    "balanced accuracy, NES 32 %": Simulation(met(diagnosis_balanced_accuracy(), ("video",)), diagnoses),
    "balanced accuracy, sign of 5 %": Simulation(met(feature_balanced_accuracy(), ONE), signs(0.05)),
    "F1, sign of 5 %": Simulation(met(feature_macro_f1(), ONE), signs(0.05)),
    "F1, sign of 30 %": Simulation(met(feature_macro_f1(), ONE), signs(0.3)),
    "MCC, sign of 30 %": Simulation(met(feature_mcc(), ONE), signs(0.3)),
    "AUROC, sign of 5 %": Simulation(met(FeatureAuroc(), ONE), rankings(0.05)),
    "AUROC, sign of 30 %": Simulation(met(FeatureAuroc(), ONE), rankings(0.3)),
    "macro balanced accuracy, 20 signs": Simulation(met(feature_balanced_accuracy(), ALL), signs(*PREVALENCES)),
    "macro F1, 20 signs": Simulation(met(feature_macro_f1(), ALL), signs(*PREVALENCES)),
    "MAE of times": Simulation(boundary_mae(), times),
    "LCS-F": Simulation(lcs_f(), shares(-0.5)),
    "ROUGE-L": Simulation(lcs_f(), shares(-1.0, spread=0.25)),
    "Seizure-RQI": Simulation(SeizureRQI(), shares(-0.3, 100.0)),
    "within 5 s, 80 % right": Simulation(boundary_within(seconds=5), hits(0.8)),
    "within 5 s, 97 % right": Simulation(boundary_within(seconds=5), hits(0.97)),
}

if __name__ == "__main__":
    main()
