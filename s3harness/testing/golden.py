"""Golden data that plugins are tried on: two short synthetic videos, rendered at the first use, and requests."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from s3harness.errors import MediaError
from s3harness.files import write_json
from s3harness.media import Frames, Jpegs, MediaStore
from s3harness.media.frames import Samples
from s3harness.types import Clip, Request, Video

if TYPE_CHECKING:
    from s3harness.backends.base import Truth
    from s3harness.run.plan import Plan
    from s3harness.specs.models import ModelCard

VIDEOS = 2
VIDEOS_TO_TRAIN_ON = 8
SECONDS = 8.0
FPS = 4
SIZE = (96, 54)
SEED = 7


@dataclass(frozen=True)
class Golden:
    """Data set directory of :data:`VIDEOS` real video files, with space for temporary folders beside it."""

    root: Path

    @property
    def data(self) -> Path:
        """Path of the data set."""
        return self.root / "data"

    def temporary_folder(self, name: str) -> Path:
        """Create an empty folder that is removed at the end of the process."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))


@lru_cache(maxsize=1)
def golden() -> Golden:
    """Return the golden data set of this process; its pictures and sounds never change."""
    root = Path(tempfile.mkdtemp(prefix="s3harness-golden-"))
    # Not a TemporaryDirectory, which removes its folder as soon as nobody holds the object.
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    _render(root / "data", VIDEOS)
    return Golden(root)


@lru_cache(maxsize=1)
def golden_patients() -> Path:
    """Return a data set with enough patients for training and held-out ones; rendered at the first use."""
    out = golden().root / "patients"
    _render(out, VIDEOS_TO_TRAIN_ON)
    return out


def _render(out: Path, videos: int) -> None:
    """Render a data set by the registered importer ``synthetic``: the core imports no package of a plugin.

    Raises :class:`UsageError`, which says what to install, if nothing registers that name.
    """
    from s3harness.plugins.manager import load

    # Through the registry, which says what to install where the package is missing.
    make = cast("Callable[[Path, Path], None]", load("dataset", "synthetic"))
    # Beside the data set, since an importer may refuse an output folder that is not empty.
    source = out.with_suffix(".json")
    write_json(source, {"videos": videos, "seed": SEED, "resolution": SIZE, "fps": FPS, "duration_s": SECONDS})
    make(source, out)


def golden_videos() -> tuple[Video, ...]:
    """Return the videos with their annotations."""
    from s3harness.dataset.load import load_dataset

    return load_dataset(golden().data).videos


def golden_plan(model: ModelCard) -> Plan:
    """Plan the requests of all tasks about the golden videos for a model."""
    from s3harness.dataset.load import load_dataset
    from s3harness.run.plan import Plan
    from s3harness.specs.loading import load_task, task_names
    from s3harness.specs.tasks import resolve

    specs = [resolve(load_task(n).data, protocol="strict", profile="strict", model=model) for n in task_names()]
    return Plan(load_dataset(golden().data), model, tuple(specs), tuple(spec for spec in specs if not spec.uses))


def golden_requests(plan: Plan) -> list[Request]:
    """Return one request of each task and video, in the order of the plan."""
    chosen: dict[tuple[str, str], Request] = {}
    for video in plan:
        for step in video.steps:
            for request in step.requests:
                # One of each suffices to see a fault, and keeps a trial of a slow engine short.
                chosen.setdefault((request.task, request.clip.video_id), request)
    return list(chosen.values())


def golden_truth(plan: Plan) -> Truth:
    """Return the truth of a plan's videos, for backends that may see it."""
    from s3harness.backends.base import Truth

    references = {reference.item: reference for video in plan for reference in video.references}
    kinds = {task.name: task.item for task in plan.scored}
    return Truth({video.id: video for video in plan.dataset.videos}, references, kinds)


def text_only(request: Request) -> Request:
    """Return the request with a clip that has neither frames nor sound."""
    return replace(request, id=f"{request.id}-text", clip=replace(request.clip, timestamps=(), audio=False))


class WatchedStore(MediaStore):
    """Media store that records the forms requested of it, and refuses every form of a text-only clip."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        self.requested: set[str] = set()

    def frames(self, clip: Clip) -> Frames:
        """Return the frames, and record the request."""
        self._record("frames", clip)
        return super().frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """Return the sound, and record the request."""
        self._record("audio", clip)
        return super().audio(clip, rate)

    def jpegs(self, clip: Clip, quality: int = 90) -> Jpegs:
        """Return the JPEG images, and record the request."""
        self._record("jpegs", clip)
        return super().jpegs(clip, quality)

    def mp4(self, clip: Clip) -> bytes:
        """Return the MP4 file, and record the request."""
        self._record("mp4", clip)
        return super().mp4(clip)

    def _record(self, form: str, clip: Clip) -> None:
        self.requested.add(form)
        if clip.is_text_only:
            # As in a run, which prepares no media of a text-only clip.
            raise MediaError(f"video {clip.video_id}: the clip shows nothing, and was not prepared")


def prepared(videos: Sequence[Video], requests: Sequence[Request]) -> WatchedStore:
    """Return a store that has decoded the clips of the requests."""
    store = WatchedStore(golden().temporary_folder("cache"))
    for video in videos:
        clips = list(_clips(video, requests))
        if clips:
            store.prepare(video, clips)
    # Decoding counts as no request of the backend.
    store.requested.clear()
    return store


def golden_frames() -> list[Frames]:
    """Return frames to try a transform on: of a golden video, a single one, black ones, and ones of an odd size."""
    import numpy as np

    video = golden_videos()[0]
    clip = Clip(video.id, 0.0, SECONDS, tuple(float(n) for n in range(int(SECONDS))), SIZE[0] * SIZE[1])
    store = WatchedStore(golden().temporary_folder("cache"))
    store.prepare(video, [clip])
    frames = store.frames(clip)
    return [
        frames,
        Frames(frames.pixels[:1].copy(), frames.timestamps[:1]),
        Frames(np.zeros_like(frames.pixels[:2]), frames.timestamps[:2]),
        # Odd in both directions, which no video with 4:2:0 chroma is, but a cropping transform may get.
        Frames(np.ascontiguousarray(frames.pixels[:3, :31, :47]), frames.timestamps[:3]),
    ]


def _clips(video: Video, requests: Sequence[Request]) -> Iterator[Clip]:
    for request in requests:
        if request.clip.video_id == video.id and not request.clip.is_text_only:
            yield request.clip
