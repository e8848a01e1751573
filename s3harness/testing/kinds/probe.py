"""Promises of a probe."""

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
    "transforms": "the transforms that it names are registered",
    "rewords": "a reworded task is valid, and has the same items",
    "expects": "it has an expectation, in a known direction, for any answer",
    "truth": "its truth is annotations of the same video, or None",
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
    probe: Any = None
    with bench.trying("form"):
        probe = bench.thing() if isinstance(bench.thing, type) else bench.thing
    if probe is None or not bench.must("form", isinstance(probe, Probe), f"it is {type(probe).__name__}"):
        return
    is_named = all(isinstance(word, str) and word for word in (probe.title, probe.version))
    bench.must("form", is_named, f"title {probe.title!r}, version {probe.version!r}")
    with bench.trying("transforms"):
        load_transforms(probe.transforms)
    for name in task_names():
        _try_rewording(bench, probe, name)
    for item, answers in BEFORE.items():
        for subject in subjects(item):
            for before in answers:
                _try_expecting(bench, probe, ProbeSubject(item, subject), before)
    for video in made_up_videos(3):
        _try_truth(bench, probe, video)


def _try_rewording(bench: Bench, probe: Probe, name: str) -> None:
    card = ModelCard("golden", modalities=("video", "audio"))
    spec = resolve(load_task(name).data, protocol="strict", profile="strict", model=card)
    with bench.trying("rewords", name, dict(spec.data)):
        reworded = probe.reword(spec)
        bench.must("same again", same(probe.reword(spec), reworded), f"{name} is worded differently the second time")
        if reworded is None:
            return
        if bench.must("rewords", isinstance(reworded, TaskSpec), f"{name}: it returned {type(reworded).__name__}"):
            is_same = (reworded.name, reworded.item) == (spec.name, spec.item)
            bench.must("rewords", is_same, f"{name} became {reworded.name} of {reworded.item}")
            # A task that uses another's answers sends no prompt.
            bench.must("rewords", spec.uses is not None or bool(reworded.prompt.strip()), f"{name} has no prompt")


def _try_expecting(bench: Bench, probe: Probe, probe_subject: ProbeSubject, before: object) -> None:
    case = f"{probe_subject.item} {probe_subject.subject} {before!r}"
    with bench.trying("expects", case):
        expected = probe.expect(probe_subject, before)
        if bench.must("expects", isinstance(expected, Expected), f"{case}: it returned {type(expected).__name__}"):
            is_valid = expected.direction in get_args(Direction)
            bench.must("expects", is_valid, f"{case}: direction {expected.direction!r}")
            answer = expected.holds(before)
            bench.must("expects", isinstance(answer, bool), f"{case}: holds returned {answer!r}")


def _try_truth(bench: Bench, probe: Probe, video: Video) -> None:
    clip = Clip(video.id, 0.0, min(30.0, video.duration_s or 30.0), (0.0, 1.0), 1)
    with bench.trying("truth", "", video):
        try:
            annotated = probe.truth(video, clip)
        # A refusal is an answer: the probe has no truth for this video.
        except S3HarnessError:
            return
        is_right = annotated is None or (isinstance(annotated, Video) and annotated.id == video.id)
        bench.must("truth", is_right, f"it returned {annotated!r}")
