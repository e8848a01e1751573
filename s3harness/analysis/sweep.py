"""An ablation: the same questions asked at several frame rates, of several windows, through several transforms.

Every setting is a run of its own in a directory of its own, and resumes as any run does. What all settings together
show of a video is decoded in one pass, before the first of them asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.errors import UsageError
from s3harness.evaluation.prepare import PreparedRun, prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.scoring.score_run import read_run, read_scores
from s3harness.scoring.score_task import RESAMPLES, score_task
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Score, Video

if TYPE_CHECKING:
    from s3harness.scoring.score_run import ScoredTask

NO_TRANSFORM = "none"
"""The name of the setting that adds no transform."""

FEATURE_METRICS = ("feature_balanced_accuracy", "feature_macro_f1")
"""What each feature is scored by: a constant answer has 0.5 of the first; the second is its own F1."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Frames a second and seconds of a window; ``None`` leaves them as the tasks say.

    ``transform`` names what clips are shown through, several with + between, after what all settings are shown
    through; :data:`NO_TRANSFORM` adds none, and ``None`` says that transforms are not swept.
    """

    fps: float | None = None
    window_s: float | None = None
    transform: str | None = None

    @property
    def name(self) -> str:
        """A name for its run directory."""
        parts = [
            f"fps-{self.fps:g}" if self.fps else "",
            f"window-{self.window_s:g}" if self.window_s else "",
            f"transform-{self.transform}" if self.transform else "",
        ]
        return "_".join(filter(None, parts)) or "as-the-tasks-say"

    @property
    def transforms(self) -> tuple[str, ...]:
        """The names of its transforms."""
        return tuple(self.transform.split("+")) if self.transform not in (None, NO_TRANSFORM) else ()

    @property
    def sampling(self) -> dict[str, object]:
        """As :func:`~s3harness.specs.sampling.with_sampling` takes it."""
        said = {"fps": self.fps, "window_s": self.window_s}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting scored: each task's primary metric, and each feature by itself (``metric`` names both)."""

    setting: Setting
    directory: str
    tasks: tuple[Score, ...]
    features: tuple[Score, ...]


def grid(fps: Sequence[float], windows: Sequence[float], transforms: Sequence[str] = ()) -> tuple[Setting, ...]:
    """Every rate with every window and every transform; an empty list leaves that to the tasks."""
    return tuple(Setting(*said) for said in product(fps or (None,), windows or (None,), transforms or (None,)))


def prepare_sweep(base: RunSettings, settings: Sequence[Setting]) -> list[PreparedRun]:
    """The runs of all settings, checked and planned; their directories are in ``base.out``.

    Raises :class:`UsageError` for what is wrong with the call or the data, and if two settings are the same.
    """
    if len({setting.name for setting in settings}) < len(settings):
        raise UsageError("a rate, a window or a transform is named twice")
    return [prepare(_settings(base, setting)) for setting in settings]


def decode_once(runs: Sequence[PreparedRun], done: Callable[[int, int], None] = lambda *_: None) -> None:
    """Decode what the runs show, each video once, into the cache; ``done`` is called with (videos done, videos in all).

    A video that fails is left to the runs, which journal why.
    """
    from concurrent.futures import ThreadPoolExecutor

    from s3harness.run.worker_spec import media_store

    settings = runs[0].settings
    if not runs[0].backend_class.uses_media:
        return
    store = media_store(settings.cache_dir, settings.cache_bytes, settings.media)

    def decode(work: tuple[Video, list[Clip]]) -> None:
        video, clips = work
        store.prepare(video, clips)
        store.release(video.id)

    total = len(runs[0].dataset.videos)
    with ThreadPoolExecutor(settings.media.n_workers(), thread_name_prefix="decode") as pool:
        for number, _ in enumerate(pool.map(decode, _shown(runs)), start=1):
            done(number, total)


def read_point(setting: Setting, directory: Path, *, resamples: int = RESAMPLES) -> Point:
    """The scores of a run of the sweep."""
    tasks = tuple(score for score in read_scores(directory) if score.primary)
    of_features = [task for task in read_run(directory).values() if task.spec.item == "feature"]
    features = [score for task in of_features for score in _by_feature(task, resamples)]
    return Point(setting, directory.name, tasks, tuple(features))


def _settings(base: RunSettings, setting: Setting) -> RunSettings:
    return replace(
        base,
        out=base.out / setting.name,
        sampling={**base.sampling, **setting.sampling},
        transforms=(*base.transforms, *setting.transforms),
        resume=True,
    )


def _shown(runs: Sequence[PreparedRun]) -> Iterator[tuple[Video, list[Clip]]]:
    """Each video, and all the clips that any run shows of it."""
    for plans in zip(*(run.plan for run in runs), strict=True):
        yield plans[0].video, [clip for plan in plans for clip in plan.clips]


def _by_feature(task: ScoredTask, resamples: int) -> list[Score]:
    """The scores of each feature that is asked about, ``metric`` being ``feature`` or ``feature (F1)``."""
    subjects = dict.fromkeys(reference.subject for reference in task.references)
    metrics = [
        {"name": name, "subject": subject, "label": f"{subject}{' (F1)' if name.endswith('f1') else ''}"}
        for subject in subjects
        for name in FEATURE_METRICS
    ]
    spec = TaskSpec({**task.spec.data, "metrics": metrics})
    return score_task(spec, task.references, task.predictions, resamples=resamples)
