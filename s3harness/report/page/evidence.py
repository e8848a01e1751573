"""The evidence behind the timelines: what was asked, what was answered in which window, and how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.report.page.content import Content
from s3harness.run.journal import FILE as JOURNAL
from s3harness.run.journal import Entry, read_journal
from s3harness.run.lengths import with_lengths
from s3harness.run.manifest import read_manifest
from s3harness.run.plan import Plan
from s3harness.scoring.answers import read_answer
from s3harness.scoring.run import ScoredTask, model_of
from s3harness.specs.prompts import prompt_context, render
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Clip

WITHHELD = "[the written report of this video]"


def answers(run: Path, content: Content) -> dict[str, dict[str, Any]]:
    """Request id → its window, raw answer, and how it was read."""
    found = {}
    for entry in read_journal(run / JOURNAL):
        if entry.task in content.tasks or entry.task in {t.spec.uses for t in content.tasks.values()}:
            found[entry.id] = _answer(entry, content)
    return found


def _answer(entry: Entry, content: Content) -> dict[str, Any]:
    task = content.tasks.get(entry.task)
    read = read_answer(entry, task.spec.for_subject(entry.subject)) if task else None
    return {
        "from": entry.clip.start_s,
        "to": entry.clip.end_s,
        "text": entry.response.text,
        "status": entry.response.status,
        "error": entry.response.error,
        "read": read.status if read else "",
        "note": read.note if read else "",
        "value": read.value if read else None,
    }


def prompts(tasks: Mapping[str, ScoredTask], *, hears: bool) -> dict[str, str]:
    """Task and subject → the prompt as it was asked of a first window. A report given with a video stays out."""
    found = {}
    for task in tasks.values():
        if not task.spec.uses:
            for reference in task.references:
                key = f"{task.spec.name} {reference.subject}"
                if key not in found:
                    found[key] = _prompt(task.spec.for_subject(reference.subject), reference.subject, hears)
    return found


def _prompt(spec: TaskSpec, subject: str, hears: bool) -> str:
    _, params = spec.sampler
    window = float(params.get("window_s", 0.0))
    clip = Clip("", 0.0, window, (0.0,) * int(window * float(params.get("fps", 0.0))), 0)
    prompt = render(
        spec.prompt, prompt_context(item=spec.item, subject=subject, hears=hears, clip=clip, report=WITHHELD)
    )
    return f"{spec.system}\n\n{prompt}" if spec.system else prompt


def annotated(data: Path, run: Path) -> dict[str, dict[str, Any]]:
    """Video → its annotated intervals and sides, and the frames that were sampled, planned again from the data set.

    Raises :class:`UsageError` if the data set is not the run's.
    """
    manifest = read_manifest(run)
    asked, dataset = manifest["run"], load_dataset(data)
    if asked["dataset"]["fingerprint"] != dataset.fingerprint:
        raise UsageError(f"{data} is not the data set of {run}, or has changed since")
    card = model_of(manifest)
    specs = {name: resolve(t["spec"], protocol=asked["protocol"], profile="", model=card) for name, t in _tasks(asked)}
    dataset = replace(dataset, videos=with_lengths(dataset.videos))
    plan = Plan(dataset, card, tuple(specs.values()), tuple(spec for spec in specs.values() if not spec.uses))
    found = {}
    for planned in plan:
        video = planned.video
        labels = {
            name: {"present": label.present, "from": label.start_s, "to": label.end_s, "side": label.side}
            for name, label in video.features.items()
        }
        frames = sorted({time for clip in planned.clips for time in clip.timestamps})
        found[video.id] = {"labels": labels, "frames": frames, "end": video.duration_s}
    return found


def _tasks(asked: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(asked["tasks"].items())
