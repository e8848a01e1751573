"""Promises of a sampler."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from s3harness.errors import S3HarnessError
from s3harness.specs.subjects import subjects
from s3harness.testing.cases import made_up_videos
from s3harness.testing.trial import Bench, same, takes
from s3harness.types import Clip, Video

PROMISES: Mapping[str, str] = {
    "form": "it is a function (video, subject, **params) that takes audio, and returns a list of Clip",
    "answers": "it samples any annotated video, and raises only errors of s3harness",
    "clips": "a clip lies in its video, its times ascend in it, and its numbers are finite",
    "order": "clips come in order of time, numbered from 0",
    "audio": "a clip has audio exactly if audio is true",
    "bare": "a video without annotations, or very short, raises no error",
    "unknown": "an unknown parameter is an error",
}
ITEMS = ("feature", "laterality", "boundary", "sequence", "report", "diagnosis")
# Times are sums of floats: a last timestamp may exceed the end by rounding.
ROUNDING_S = 1e-6


def try_it(bench: Bench) -> None:
    """Try a sampler on made-up videos; on the subjects of ``bench.settings.item``, or of every kind."""
    params = {"audio": False} | dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, None, "", **params)
    if not bench.must("form", not wrong, wrong):
        return
    videos, names = made_up_videos(4), _subjects(bench.settings.item)
    clips = [clip for video in videos for subject in names for clip in _sampled(bench, video, subject, params)]
    bench.must("answers", bool(clips), f"of {len(names)} subjects of {len(videos)} annotated videos it returns no clip")
    # One video suffices: a sampler takes audio from its parameter, not from the video.
    for video in videos[:1]:
        _try_audio(bench, video, names, params)
    for video in _bare(videos[0]):
        for subject in names:
            list(_sampled(bench, video, subject, params, "bare"))
    _try_unknown(bench, videos[0], names[0], params)


def _sampled(
    bench: Bench, video: Video, subject: str, params: Mapping[str, object], promise: str = "answers"
) -> Iterator[Clip]:
    """Yield the clips of one subject after checking each."""
    clips: object = []
    with bench.trying(promise, f"{subject} of a video of {video.duration_s:g} s", (video, dict(params))):
        try:
            clips = bench.thing(video, subject, **params)
            bench.must("same again", same(bench.thing(video, subject, **params), clips), f"{subject} differs")
        except S3HarnessError:
            return
    if not bench.must("form", _is_list_of_clips(clips), f"{subject}: it returned {type(clips).__name__}"):
        return
    assert isinstance(clips, list)
    in_order = all(a.start_s <= b.start_s for a, b in pairwise(clips)) and [c.index for c in clips] == [
        *range(len(clips))
    ]
    bench.must("order", in_order, f"{subject}: starts {[c.start_s for c in clips]}, numbers {[c.index for c in clips]}")
    for clip in clips:
        if problem := _problem(clip, video):
            bench.broke("clips", f"{subject}: {problem}")
    yield from clips


def _try_audio(bench: Bench, video: Video, names: Sequence[str], params: Mapping[str, object]) -> None:
    for audio in (True, False):
        for clip in [c for subject in names for c in _sampled(bench, video, subject, {**params, "audio": audio})]:
            bench.must("audio", clip.audio is audio, f"with audio={audio} a clip has audio={clip.audio}")


def _try_unknown(bench: Bench, video: Video, subject: str, params: Mapping[str, object]) -> None:
    try:
        bench.thing(video, subject, **params, no_such_parameter=1)
    except (TypeError, S3HarnessError):
        return
    except Exception as error:
        bench.broke("unknown", f"{type(error).__name__}: {error}")
        return
    bench.broke("unknown", "no_such_parameter=1 was accepted")


def _subjects(item: str) -> list[str]:
    # Kinds share subjects, each of which is tried once.
    return list(dict.fromkeys(subject for kind in ([item] if item else ITEMS) for subject in subjects(kind)))


def _bare(video: Video) -> list[Video]:
    """Return the video without annotations, the same with a single frame, and one too short for its annotations."""
    nothing = replace(video, features={}, onset_s=None, offset_s=None, onset_body_part="", report="", diagnosis=None)
    return [nothing, replace(nothing, duration_s=0.04), replace(video, duration_s=0.5)]


def _is_list_of_clips(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(clip, Clip) for clip in value)


def _problem(clip: Clip, video: Video) -> str:
    """Describe the fault of a clip; "" if there is none."""
    numbers = (clip.start_s, clip.end_s, *clip.timestamps)
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        return "a time is not a finite number"
    if clip.video_id != video.id:
        return f"a clip of {video.id} names the video {clip.video_id}"
    # A video of unknown duration bounds no clip.
    if not 0 <= clip.start_s < clip.end_s <= (video.duration_s or math.inf) + ROUNDING_S:
        return f"a clip from {clip.start_s:g} to {clip.end_s:g} s in a video of {video.duration_s:g} s"
    if not isinstance(clip.timestamps, tuple) or list(clip.timestamps) != sorted(clip.timestamps):
        return "its timestamps are not a tuple of ascending times"
    if (
        clip.timestamps
        and not clip.start_s - ROUNDING_S <= clip.timestamps[0] <= clip.timestamps[-1] <= clip.end_s + ROUNDING_S
    ):
        return (
            f"timestamps from {clip.timestamps[0]:g} to {clip.timestamps[-1]:g} s in {clip.start_s:g}–{clip.end_s:g} s"
        )
    return "" if clip.max_pixels >= 1 else f"max_pixels is {clip.max_pixels}"
