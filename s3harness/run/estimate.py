"""Estimates the cost of a plan, without loading an engine or decoding anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3harness.errors import UsageError
from s3harness.metrics.one_class import ClassCoverage
from s3harness.rundir.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from s3harness.run.plan import Plan

PIXELS_PER_TOKEN = 28 * 28 * 2
"""Qwen2-VL's vision tower makes one token of 28×28 pixels of two frames; other families are of the same order."""
CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CostEstimate:
    """Sizes of a plan, and a warning for each task whose truths make it unfit for a score.

    Token counts are rough: the real ones are the engine's, and in the manifest of a run.
    """

    videos: int
    video_seconds: float
    items: Mapping[str, int]
    clips: int
    frames: int
    requests: int
    prompt_tokens: int
    media_tokens: int
    media_tokens_cached: int
    warnings: Mapping[str, str]


def estimate(plan: Plan) -> CostEstimate:
    """Walk a plan and add up its sizes."""
    items: Counter[str] = Counter()
    videos = clips = frames = requests = characters = media = cached = 0
    seconds, classes = 0.0, ClassCoverage()
    for video in plan:
        videos += 1
        seconds += video.video.duration_s or 0.0
        items.update(reference.task for reference in video.references)
        classes.add(video.references)
        for step in video.steps:
            clips += 1
            frames += len(step.clip.timestamps)
            requests += len(step.requests)
            characters += sum(len(request.prompt) + len(request.system) for request in step.requests)
            tokens = len(step.clip.timestamps) * step.clip.max_pixels // PIXELS_PER_TOKEN
            media += tokens * len(step.requests)
            # Requests about one clip follow each other: an engine with a prefix cache encodes its media once.
            cached += tokens * (len(step.requests) - 1)
    return CostEstimate(
        videos=videos,
        video_seconds=seconds,
        items=dict(items),
        clips=clips,
        frames=frames,
        requests=requests,
        prompt_tokens=characters // CHARACTERS_PER_TOKEN,
        media_tokens=media,
        media_tokens_cached=cached,
        warnings=classes.warnings(),
    )


def hours(requests: int, per_minute: float) -> float:
    """Hours that ``requests`` take at a rate of ``per_minute``."""
    return requests / per_minute / 60


def measured_rate(run: Path) -> float:
    """Return the requests a minute of the last session of a run.

    Raises :class:`UsageError` if the directory is no run, or its last session sent no request.
    """
    session = read_manifest(run).get("session", {})
    if not session.get("asked") or not session.get("seconds"):
        raise UsageError(
            f"{run} has no rate: its last session sent no request; name one per minute, such as --rate 120"
        )
    return 60 * float(session["asked"]) / float(session["seconds"])
