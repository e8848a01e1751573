"""What a probe promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from s3harness.errors import S3HarnessError
from s3harness.probes.probe import Direction, Expected, Probe, ProbeSubject
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.subjects import subjects
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.testing.cases import made_up_videos
from s3harness.testing.trial import Bench, same
from s3harness.transforms.contract import load_transforms
from s3harness.types import Clip, Video

PROMISES: Mapping[str, str] = {
    "form": "it is an s3harness.Probe, with a title, a version, and transforms by name",
    "transforms": "the transforms that it names are there",
    "rewords": "a task that it rewords is one that can be asked, and has the same items",
    "expects": "of any answer it expects something, in one of the known directions",
    "truth": "the truth that it gives is annotations of the same video, or none",
}
BEFORE: Mapping[str, tuple[object, ...]] = {
    "feature": ("yes", "no", "na"),
    "laterality": ("left", "right", "head", "right arm"),
    "boundary": (0.0, 12.5),
    "sequence": ((), ("tonic",), ("blank_stare", "tonic", "clonic")),
    "report": (((), ()), (("head_turning",), (("head_turning", "left"),))),
    "diagnosis": ("ES", "NES"),
}
"""Kind of item → answers as they are compared (:func:`s3harness.analysis.evidence.comparable`)."""


def try_it(bench: Bench) -> None:
    """Try a probe on the tasks, on answers of every kind, and on made-up videos."""
    made: Any = None
    with bench.trying("form"):
        made = bench.thing() if isinstance(bench.thing, type) else bench.thing
    if made is None or not bench.must("form", isinstance(made, Probe), f"it is {type(made).__name__}"):
        return
    told = all(isinstance(word, str) and word for word in (made.title, made.version))
    bench.must("form", told, f"title {made.title!r}, version {made.version!r}")
    with bench.trying("transforms"):
        load_transforms(made.transforms)
    for name in task_names():
        _try_rewording(bench, made, name)
    for item, answers in BEFORE.items():
        for subject in subjects(item):
            for before in answers:
                _try_expecting(bench, made, ProbeSubject(item, subject), before)
    for video in made_up_videos(3):
        _try_truth(bench, made, video)


def _try_rewording(bench: Bench, probe: Probe, name: str) -> None:
    card = ModelCard("golden", modalities=("video", "audio"))
    spec = resolve(load_task(name).data, protocol="strict", profile="strict", model=card)
    with bench.trying("rewords", name, dict(spec.data)):
        made = probe.reword(spec)
        bench.must("same again", same(probe.reword(spec), made), f"{name} is worded differently")
        if made is None:
            return
        if bench.must("rewords", isinstance(made, TaskSpec), f"{name}: it returned {type(made).__name__}"):
            kept = (made.name, made.item) == (spec.name, spec.item)
            bench.must("rewords", kept, f"{name} became {made.name} of {made.item}")
            bench.must("rewords", spec.uses is not None or bool(made.prompt.strip()), f"{name} has no prompt")


def _try_expecting(bench: Bench, probe: Probe, asked: ProbeSubject, before: object) -> None:
    what = f"{asked.item} {asked.subject} {before!r}"
    with bench.trying("expects", what):
        expected = probe.expect(asked, before)
        if bench.must("expects", isinstance(expected, Expected), f"{what}: it returned {type(expected).__name__}"):
            known = expected.direction in get_args(Direction)
            bench.must("expects", known, f"{what}: direction {expected.direction!r}")
            answer = expected.holds(before)
            bench.must("expects", isinstance(answer, bool), f"{what}: holds tells {answer!r}")


def _try_truth(bench: Bench, probe: Probe, video: Video) -> None:
    clip = Clip(video.id, 0.0, min(30.0, video.duration_s or 30.0), (0.0, 1.0), 1)
    with bench.trying("truth", "", video):
        try:
            found = probe.truth(video, clip)
        except S3HarnessError:
            return
        is_right = found is None or (isinstance(found, Video) and found.id == video.id)
        bench.must("truth", is_right, f"it returned {found!r}")
