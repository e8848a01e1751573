"""Estimates the cost of a plan, without loading an engine or decoding anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3harness.errors import UsageError
from s3harness.metrics.one_class import ClassCoverage
from s3harness.run.context import CHARACTERS_PER_TOKEN, SourceSize
from s3harness.run.media_tokens import media_tokens
from s3harness.rundir.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from s3harness.run.plan import Plan

HEADERS_READ = 500
"""Videos whose size is read from their files; the frames of the others are taken to be as large as they may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CostEstimate:
    """Sizes of a plan, and a warning for each task whose truths make it unfit for a score.

    Media tokens follow the sizes in the model's card and are an upper bound where a video's size is not read;
    ``prompt_tokens`` is a rule of thumb. ``pixels`` are the least and the most pixels that a frame may have.
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
    pixels: tuple[int, int]
    warnings: Mapping[str, str]


def estimate(plan: Plan, source: SourceSize = lambda video: None) -> CostEstimate:
    """Walk a plan and add up its sizes; ``source`` returns (width, height) of a video, ``None`` if unknown."""
    items: Counter[str] = Counter()
    videos = clips = frames = requests = characters = media = cached = 0
    seconds, classes, pixels = 0.0, ClassCoverage(), set[int]()
    for video in plan:
        videos += 1
        seconds += video.video.duration_s or 0.0
        items.update(reference.task for reference in video.references)
        classes.add(video.references)
        size = source(video.video) if videos <= HEADERS_READ else None
        for step in video.steps:
            clips += 1
            pixels.add(step.clip.max_pixels)
            frames += len(step.clip.timestamps)
            requests += len(step.requests)
            characters += sum(len(request.prompt) + len(request.system) for request in step.requests)
            tokens = media_tokens(plan.model, step.clip, size).total
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
        pixels=(min(pixels, default=0), max(pixels, default=0)),
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
