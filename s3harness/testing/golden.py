"""What plugins are tried on: two short synthetic videos, rendered when first wanted, and what is asked of them."""

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
    """A data set directory of :data:`VIDEOS` real video files, and room beside it."""

    root: Path

    @property
    def data(self) -> Path:
        """The data set."""
        return self.root / "data"

    def room(self, name: str) -> Path:
        """An empty folder that goes away with the process."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))


@lru_cache(maxsize=1)
def golden() -> Golden:
    """The golden data set of this process; what is heard and seen in it is fixed."""
    root = Path(tempfile.mkdtemp(prefix="s3harness-golden-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    _render(root / "data", VIDEOS)
    return Golden(root)


@lru_cache(maxsize=1)
def golden_patients() -> Path:
    """A data set of enough patients to train on some and hold others out; rendered when first wanted."""
    out = golden().root / "patients"
    _render(out, VIDEOS_TO_TRAIN_ON)
    return out


def _render(out: Path, videos: int) -> None:
    """Render a data set by the registered importer ``synthetic``: the core imports no package of a plugin.

    Raises :class:`UsageError`, which says what to install, if nothing registers that name.
    """
    from s3harness.plugins.manager import load

    make = cast("Callable[[Path, Path], None]", load("dataset", "synthetic"))
    source = out.with_suffix(".json")
    write_json(source, {"videos": videos, "seed": SEED, "resolution": SIZE, "fps": FPS, "duration_s": SECONDS})
    make(source, out)


def golden_videos() -> tuple[Video, ...]:
    """The videos with their annotations."""
    from s3harness.dataset.load import load_dataset

    return load_dataset(golden().data).videos


def golden_plan(model: ModelCard) -> Plan:
    """All that the seven tasks ask a model of the golden videos."""
    from s3harness.dataset.load import load_dataset
    from s3harness.run.plan import Plan
    from s3harness.specs.loading import load_task, task_names
    from s3harness.specs.tasks import resolve

    specs = [resolve(load_task(n).data, protocol="strict", profile="strict", model=model) for n in task_names()]
    return Plan(load_dataset(golden().data), model, tuple(specs), tuple(spec for spec in specs if not spec.uses))


def golden_requests(plan: Plan) -> list[Request]:
    """One request of each task and video, of real clips, in the order of the plan."""
    chosen: dict[tuple[str, str], Request] = {}
    for video in plan:
        for step in video.steps:
            for request in step.requests:
                chosen.setdefault((request.task, request.clip.video_id), request)
    return list(chosen.values())


def golden_truth(plan: Plan) -> Truth:
    """What an answerer that sees the truth is shown of them."""
    from s3harness.backends.base import Truth

    references = {reference.item: reference for video in plan for reference in video.references}
    kinds = {task.name: task.item for task in plan.scored}
    return Truth({video.id: video for video in plan.dataset.videos}, references, kinds)


def text_only(request: Request) -> Request:
    """The request about a clip that shows nothing."""
    return replace(request, id=f"{request.id}-text", clip=replace(request.clip, timestamps=(), audio=False))


class WatchedStore(MediaStore):
    """A media store that knows which of its forms were asked for; of a clip that shows nothing it gives none."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        self.asked: set[str] = set()

    def frames(self, clip: Clip) -> Frames:
        """As every store."""
        self._ask("frames", clip)
        return super().frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """As every store."""
        self._ask("audio", clip)
        return super().audio(clip, rate)

    def jpegs(self, clip: Clip, quality: int = 90) -> Jpegs:
        """As every store."""
        self._ask("jpegs", clip)
        return super().jpegs(clip, quality)

    def mp4(self, clip: Clip) -> bytes:
        """As every store."""
        self._ask("mp4", clip)
        return super().mp4(clip)

    def _ask(self, form: str, clip: Clip) -> None:
        self.asked.add(form)
        if clip.is_text_only:
            raise MediaError(f"video {clip.video_id}: the clip shows nothing, and was not prepared")


def prepared(videos: Sequence[Video], requests: Sequence[Request]) -> WatchedStore:
    """A store that has decoded what the requests show."""
    store = WatchedStore(golden().room("cache"))
    for video in videos:
        clips = list(_clips(video, requests))
        if clips:
            store.prepare(video, clips)
    store.asked.clear()
    return store


def golden_frames() -> list[Frames]:
    """Frames to try a transform on: of a golden video, one alone, a black one, and one of an odd size."""
    import numpy as np

    video = golden_videos()[0]
    clip = Clip(video.id, 0.0, SECONDS, tuple(float(n) for n in range(int(SECONDS))), SIZE[0] * SIZE[1])
    store = WatchedStore(golden().room("cache"))
    store.prepare(video, [clip])
    seen = store.frames(clip)
    return [
        seen,
        Frames(seen.pixels[:1].copy(), seen.timestamps[:1]),
        Frames(np.zeros_like(seen.pixels[:2]), seen.timestamps[:2]),
        Frames(np.ascontiguousarray(seen.pixels[:3, :31, :47]), seen.timestamps[:3]),
    ]


def _clips(video: Video, requests: Sequence[Request]) -> Iterator[Clip]:
    for request in requests:
        if request.clip.video_id == video.id and not request.clip.is_text_only:
            yield request.clip
