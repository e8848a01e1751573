"""How long it takes to score a data set of the size of the benchmark's, and what a resample costs.

    python benchmarks/scoring.py [--videos 438] [--patients 116] [--resamples 2000]

Annotations are made up (no video is rendered), all seven tasks are answered by a noisy answerer, and everything that
``s3harness score`` prints is computed: every metric of the strict profile with its floors, ceiling and interval. The
first table is by task, the second by metric: the rows of statistics once, and each resample of its interval.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from s3harness.metrics.base import Pair
from s3harness.scoring.score_task import build_metric, score_task
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.stats import interval_of_rows
from s3harness.testing.answerers import honest
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.types import Prediction, Reference

Items = tuple[TaskSpec, list[Reference], list[Prediction]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=438)
    parser.add_argument("--patients", type=int, default=116)
    parser.add_argument("--resamples", type=int, default=2000)
    chosen = parser.parse_args()
    imports = seconds(warm_up)
    tasks = items(chosen.videos, chosen.patients)
    by_task(tasks, chosen.resamples, imports)
    by_metric(tasks, chosen.resamples)


def warm_up() -> None:
    """Import what scoring imports when it is first needed: nltk, for the stems of ROUGE, takes longest."""
    for spec, references, predictions in items(4, 2):
        score_task(spec, references, predictions, resamples=2)


def items(videos: int, patients: int) -> list[Items]:
    """Spec, references and predictions of every task."""
    cohort = made_up_videos(videos, patients=patients)
    specs = [
        resolve(load_task(name).data, protocol="strict", profile="strict", model=ModelCard("made-up"))
        for name in task_names()
    ]
    references = [references_of(spec.item, cohort) for spec in specs]
    return [(spec, asked, honest(spec.item, asked)) for spec, asked in zip(specs, references, strict=True)]


def by_task(tasks: list[Items], resamples: int, imports: float) -> None:
    """Print the seconds that each task takes."""
    print(f"| task | items | CPU seconds, {resamples} resamples |\n| --- | ---: | ---: |")
    total = 0.0
    for spec, references, predictions in tasks:
        taken = seconds(lambda: score_task(spec, references, predictions, resamples=resamples))  # noqa: B023
        print(f"| {spec.name} | {len(references)} | {taken:.1f} |", flush=True)
        total += taken
    print(f"| all | {sum(len(r) for _, r, _ in tasks)} | {total:.1f} |")
    print(f"\nImports before the first score: {imports:.1f} s.\n")


def by_metric(tasks: list[Items], resamples: int) -> None:
    """Print what a metric's rows, and each resample of them, take."""
    print("| task | metric | rows, ms | microseconds per resample |\n| --- | --- | ---: | ---: |")
    for spec, references, predictions in tasks:
        pairs = [Pair(r, p) for r, p in zip(references, predictions, strict=True)]
        clusters = np.array([reference.cluster for reference in references])
        for entry in spec.metrics:
            metric = build_metric(spec.name, entry)
            started = time.process_time()
            rows = metric.statistics(pairs)
            taken = time.process_time() - started
            each = seconds(lambda: interval_of_rows(metric, rows, clusters, resamples=resamples)) / resamples  # noqa: B023
            print(f"| {spec.name} | {entry.label} | {taken * 1e3:.0f} | {each * 1e6:.0f} |", flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long something takes, in CPU seconds: one process, so that this is the time it takes alone."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
