"""Run directories as a run leaves them for scoring, of made-up videos and without asking anybody."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from s3harness.backends.floors_and_oracle import perfect_answer
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, write_table
from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.rundir.items import write_items
from s3harness.rundir.journal import Journal
from s3harness.rundir.manifest import start_manifest
from s3harness.testing.cases import made_up_videos
from s3harness.types import Response

PATIENTS = 8


def write_data(folder: Path, videos: int) -> Path:
    """A data set directory without a video file."""
    folder.mkdir()
    card = {"schema": "s3harness/dataset/v1", "name": "made up", "version": "1", "licence": "CC0-1.0"}
    (folder / "dataset.json").write_text(json.dumps(card))
    made = made_up_videos(videos, patients=PATIENTS)
    names = ("diagnosis", "duration_s", "onset_s", "offset_s", "onset_body_part")
    write_table(
        folder / "videos.csv",
        VIDEOS,
        [{"video_id": v.id, "patient_id": v.patient} | {name: getattr(v, name) for name in names} for v in made],
    )
    names = ("present", "start_s", "end_s", "side", "justification")
    write_table(
        folder / "features.csv",
        FEATURES,
        [
            {"video_id": v.id, "feature": feature} | {name: getattr(label, name) for name in names}
            for v in made
            for feature, label in v.features.items()
        ],
    )
    write_table(folder / "reports.csv", REPORTS, [{"video_id": v.id, "report": v.report} for v in made])
    return folder


def write_run(folder: Path, videos: int, tasks: tuple[str, ...] = ()) -> Path:
    """A run directory, most of its requests answered rightly, some wrongly and some not at all."""
    folder.mkdir()
    run = prepare(
        RunSettings(backend="floors", data=write_data(folder / "data", videos), out=folder / "run", tasks=tasks)
    )
    run.settings.out.mkdir()
    start_manifest(run.settings.out, run.identity, resume=False, is_new=True)
    kinds = {task.name: task.item for task in run.plan.requested}
    references = []
    with Journal(run.settings.out) as journal:
        for video in run.plan:
            references += video.references
            for request in (request for step in video.steps for request in step.requests):
                random = Random(request.id)
                text = perfect_answer(kinds[request.task], request, video.video)
                said = random.choice([text, text, text, text.replace('"yes"', '"no"'), "I cannot help with that."])
                journal.write(request, _response(request.id, said, random), "")
    write_items(run.settings.out, references)
    return run.settings.out


def _response(request_id: str, text: str, random: Random) -> Response:
    if random.random() < 0.1:
        return Response(request_id, "", status="failed", error="bad luck")
    yes = random.random()
    return Response(request_id, text, choice_probabilities={"yes": yes, "no": 1 - yes} if yes < 0.5 else None)
