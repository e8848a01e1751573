"""A judge reads the reports of a run, and the reports of the trivial answerers that scoring compares them with."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.errors import UsageError
from s3harness.guard.private_words import PrivateWords
from s3harness.metrics.base import Pair
from s3harness.metrics.floors import answerers
from s3harness.scoring.judging.folder import JudgeSettings
from s3harness.scoring.judging.judge import Judged, judge_reports, reports_of
from s3harness.scoring.score_run import ScoredTask, read_run

if TYPE_CHECKING:
    from s3harness.run.executor import Progress


def judge_run(directory: Path, profile: str, settings: JudgeSettings, progress: Progress) -> Judged:
    """Have a judge read the reports of a run, as a profile reads them from the answers.

    Raises as :func:`.read_run` and :func:`.judge_reports` do.
    """
    tasks = read_run(directory, profile, kinds=("report",))
    if not tasks:
        raise UsageError(f"{directory} has no reports for a judge to read: none of its tasks asks for a report")
    # From the run, since the data set may be on another machine.
    settings = replace(settings, words=PrivateWords.read(directory))
    # Sorted, so that the same run sends its requests in the same order.
    return judge_reports(sorted(set().union(*map(_texts, tasks.values()))), settings, progress)


def _texts(task: ScoredTask) -> set[str]:
    reports = map(Pair, task.references, task.predictions)
    offered = answerers(task.spec.item, task.references)
    # The floors' reports as well: a score by the judge has no floor otherwise.
    floors = [offered.says[part] for floor in offered.floors.values() for part, _ in floor.mixture]
    return reports_of(
        chain(reports, (Pair(reference, say(reference)) for reference in task.references for say in floors))
    )
