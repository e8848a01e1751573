"""What it takes to load, plan, journal, resume and score data sets of many videos, without a video or an engine.

    python benchmarks/planner.py [--videos 500 1000] [--tasks 1,3,5,7] [--steps load plan run resume score]

Annotations are made up and written as tables; a backend that answers at once and looks at nothing is asked all that is
planned. Every step runs in a process of its own: its seconds, its CPU seconds, and its peak resident memory. The step
``write`` may stand for ``run`` and ``resume``: it writes items and journal, and asks nobody.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.backends.base import Backend
from s3harness.testing.cases import made_up_videos
from s3harness.types import Reference, Request, Response, Video

if TYPE_CHECKING:
    from s3harness.evaluation.prepare import PreparedRun
    from s3harness.run.plan import Plan
    from s3harness.rundir.journal import Journal

STEPS = ("load", "plan", "run", "resume", "score")
RESAMPLES = 200
ANSWER = '{"answer": "yes", "justification": "It can be seen."}'


class Absent(Backend):
    """Says yes to everything, in the form that Task 1 asks for."""

    modalities = ("video", "audio")
    uses_media = False

    async def generate(self, request: Request) -> Response:
        """Answer at once."""
        return Response(request.id, ANSWER)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--tasks", default="1,2,3,4,5,6,7")
    parser.add_argument("--steps", nargs="+", choices=(*STEPS, "write"), default=STEPS)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        carry_out(chosen.step[0], Path(chosen.step[1]), chosen.tasks.split(","))
        return
    print("| videos | step | wall s | CPU s | peak MB | ms of CPU per video |\n|---:|---|---:|---:|---:|---:|")
    for n in chosen.videos:
        with tempfile.TemporaryDirectory(prefix="planner-") as folder:
            write_tables(Path(folder) / "data", made_up_videos(n, patients=max(2, n // 4)))
            for step in chosen.steps:
                print(measured(step, Path(folder), chosen.tasks, n), flush=True)


def measured(step: str, work: Path, tasks: str, n: int) -> str:
    """One step in a process of its own, as a row of the table."""
    began = time.perf_counter()
    words = [sys.executable, __file__, "--tasks", tasks, "--step", step, str(work)]
    with subprocess.Popen(words) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{step} ended with {process.returncode}")
    cpu, wall = usage.ru_utime + usage.ru_stime, time.perf_counter() - began
    return f"| {n} | {step} | {wall:.1f} | {cpu:.1f} | {usage.ru_maxrss / 1024:.0f} | {cpu / n * 1e3:.1f} |"


def carry_out(step: str, work: Path, tasks: Sequence[str]) -> None:
    """One step, in this process."""
    from s3harness.dataset.load import load_dataset
    from s3harness.evaluation.execute import execute
    from s3harness.evaluation.prepare import prepare
    from s3harness.evaluation.settings import RunSettings
    from s3harness.plugins.manager import manager
    from s3harness.plugins.registry import RegistryEntry
    from s3harness.run.estimate import estimate
    from s3harness.run.executor import Progress
    from s3harness.scoring.score_run import score_run

    registry = manager().registry
    registry.add(
        RegistryEntry(
            kind="backend", name="absent", target=f"{Path(__file__).stem}:Absent", package="benchmarks", version="0"
        )
    )
    out = work / "run"
    if step == "load":
        load_dataset(work / "data")
    elif step == "score":
        score_run(out, resamples=RESAMPLES)
    else:
        settings = RunSettings(
            backend="absent",
            data=work / "data",
            out=out,
            tasks=tasks,
            resume=step == "resume",
            cache_dir=work / "cache",
        )
        prepared = prepare(settings)
        if step == "plan":
            estimate(prepared.plan)
        elif step == "write":
            write_run(prepared)
        else:
            execute(prepared, Progress())


def write_run(run: PreparedRun) -> None:
    """The run directory that a run would leave for scoring, every request answered alike."""
    from s3harness.rundir.items import write_items
    from s3harness.rundir.journal import Journal
    from s3harness.rundir.manifest import start_manifest

    out = run.settings.out
    out.mkdir()
    start_manifest(out, run.identity, resume=False, is_new=True)
    with Journal(out) as journal:
        write_items(out, _answered(run.plan, journal))


def _answered(plan: Plan, journal: Journal) -> Iterator[Reference]:
    """All references of a plan, while its requests are answered."""
    for video in plan:
        for request in (request for step in video.steps for request in step.requests):
            journal.write(request, Response(request.id, ANSWER), "")
        yield from video.references


def write_tables(folder: Path, videos: Sequence[Video]) -> None:
    """A data set directory without videos."""
    folder.mkdir()
    card = {"schema": "s3harness/dataset/v1", "name": "made up", "version": "1", "licence": "CC0-1.0"}
    (folder / "dataset.json").write_text(json.dumps(card))
    columns = ("video_id", "patient_id", "file", "diagnosis", "split", "duration_s", "onset_s", "offset_s")
    _write(
        folder / "videos.csv",
        (*columns, "onset_body_part"),
        [
            (v.id, v.patient, "", v.diagnosis, "", v.duration_s, v.onset_s, v.offset_s, v.onset_body_part)
            for v in videos
        ],
    )
    _write(
        folder / "features.csv",
        ("video_id", "feature", "present", "start_s", "end_s", "side", "justification"),
        [
            (v.id, name, label.present, label.start_s, label.end_s, label.side, label.justification)
            for v in videos
            for name, label in v.features.items()
        ],
    )
    _write(folder / "reports.csv", ("video_id", "report"), [(v.id, v.report) for v in videos])


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if value is None else value for value in row] for row in rows])


if __name__ == "__main__":
    main()
