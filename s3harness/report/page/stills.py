"""Stills of the frames that a model was shown, blurred or changed by a transform so that nobody is recognised."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import MediaError, UsageError
from s3harness.media.frames import Pixels
from s3harness.report.page import evidence
from s3harness.run.worker_spec import media_store
from s3harness.rundir.manifest import read_manifest
from s3harness.types import Clip, Video

BLURRED = "blurred"
MOST_STILLS = 10
"""Stills of a video, evenly over the frames that were sent."""
BLURRED_WIDTH, CHANGED_WIDTH = 24, 160
"""Pixels across a still. Of a blurred one no more than these are in the page: nothing sharpens them again."""

Stills = Mapping[str, Sequence[Mapping[str, Any]]]
"""Video → its stills: ``at`` in seconds, and ``image``, a data URI."""


def stills(run: Path, data: Path | None, how: str) -> Stills:
    """Return stills of each video of a run, ``blurred`` or through the transform named ``how``.

    The run's own transforms come first: a page shows no more than the model saw. Videos that cannot be decoded have
    none. Raises :class:`UsageError` without the run's data set, or for a transform that is not installed.
    """
    if data is None:
        raise UsageError("--frames shows frames of the videos: name the run's data set with --data DIR")
    manifest = read_manifest(run)["run"]
    transforms = [transform["name"] for transform in manifest.get("transforms", ())]
    store = media_store(transforms=transforms if how == BLURRED else [*transforms, how])
    times = evidence.frames(run)
    width = BLURRED_WIDTH if how == BLURRED else CHANGED_WIDTH
    shown = {}
    for video in _videos(load_dataset(data), times):
        chosen = _evenly(times[video.id], MOST_STILLS)
        clip = Clip(video.id, chosen[0], chosen[-1] + 1.0, chosen, width * width)
        try:
            store.prepare(video, [clip])
            frames = store.frames(clip)
        # A page of the other videos is better than none; whoever wants all of them sees which are missing.
        except MediaError:
            continue
        finally:
            store.release(video.id)
        shown[video.id] = [
            {"at": at, "image": _data_uri(picture, width)} for at, picture in zip(chosen, frames.pixels, strict=True)
        ]
    return shown


def _videos(dataset: Dataset, times: Mapping[str, Sequence[float]]) -> list[Video]:
    return [video for video in dataset.videos if times.get(video.id) and video.path is not None]


def _evenly(times: Sequence[float], n: int) -> tuple[float, ...]:
    if len(times) <= n:
        return tuple(times)
    return tuple(times[round(place * (len(times) - 1) / (n - 1))] for place in range(n))


def _data_uri(picture: Pixels, width: int) -> str:
    # Imported here: Pillow is only needed where frames are wanted.
    from PIL import Image

    image = Image.fromarray(picture)
    height = max(1, round(width * image.height / image.width))
    target = io.BytesIO()
    # BOX averages whole areas, so that no pixel of the recording is kept as it was.
    image.resize((width, height), Image.Resampling.BOX).save(target, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(target.getvalue()).decode('ascii')}"
