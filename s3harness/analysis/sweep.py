"""Ablation: the same tasks at several frame rates, with several windows, through several transforms.

Every setting is a run in a directory of its own, and can be resumed as any run. The frames of a video that all settings
need are decoded in one pass, before the first request of any run.
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
from s3harness.scoring.score_file import read_scores
from s3harness.scoring.score_run import read_run
from s3harness.scoring.score_task import RESAMPLES, score_task
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Score, Video

if TYPE_CHECKING:
    from s3harness.scoring.score_run import ScoredTask

NO_TRANSFORM = "none"
"""The name of the setting that adds no transform."""

FEATURE_METRICS = ("feature_balanced_accuracy", "feature_macro_f1")
"""Metrics of each single feature: balanced accuracy, in which a constant answer has 0.5, and the feature's F1."""


@dataclass(frozen=True, slots=True)
class SweepSetting:
    """Frames per second and seconds of a window; ``None`` leaves the value of the task.

    ``transform`` names the transforms of this setting, joined by +, which follow those of all settings;
    :data:`NO_TRANSFORM` adds none, and ``None`` means that transforms are not swept.
    """

    fps: float | None = None
    window_s: float | None = None
    transform: str | None = None

    @property
    def name(self) -> str:
        """Return a name for the run directory."""
        parts = [
            f"fps-{self.fps:g}" if self.fps else "",
            f"window-{self.window_s:g}" if self.window_s else "",
            f"transform-{self.transform}" if self.transform else "",
        ]
        return "_".join(filter(None, parts)) or "as-the-tasks-say"

    @property
    def transforms(self) -> tuple[str, ...]:
        """Return the names of the transforms."""
        return tuple(self.transform.split("+")) if self.transform not in (None, NO_TRANSFORM) else ()

    @property
    def sampling(self) -> dict[str, object]:
        """Return the options of :func:`~s3harness.specs.sampling.with_sampling`."""
        options = {"fps": self.fps, "window_s": self.window_s}
        # None would override the task's own value.
        return {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Point:
    """Scores of one setting: each task's primary metric, and each single feature, which ``metric`` names."""

    setting: SweepSetting
    directory: str
    tasks: tuple[Score, ...]
    features: tuple[Score, ...]


def grid(fps: Sequence[float], windows: Sequence[float], transforms: Sequence[str] = ()) -> tuple[SweepSetting, ...]:
    """Return every rate with every window and every transform; an empty list leaves the value of the tasks."""
    values = product(fps or (None,), windows or (None,), transforms or (None,))
    return tuple(SweepSetting(*combination) for combination in values)


def prepare_sweep(base: RunSettings, settings: Sequence[SweepSetting]) -> list[PreparedRun]:
    """Plan the runs of all settings, in directories in ``base.out``; nothing is sent yet.

    Raises :class:`UsageError` for errors of the call or the data, and if two settings are the same.
    """
    # By name, since equal names would share a directory: 2 and 2.0 frames per second are one setting.
    if len({setting.name for setting in settings}) < len(settings):
        raise UsageError("a rate, a window or a transform is named twice")
    return [prepare(_settings(base, setting)) for setting in settings]


def decode_once(runs: Sequence[PreparedRun], done: Callable[[int, int], None] = lambda *_: None) -> None:
    """Decode the frames of all runs into the cache, each video once; ``done`` is called with (videos done, all videos).

    A video that cannot be decoded is left to the runs, which write the reason to their journals.
    """
    # Imported here: reading the scores of a sweep needs neither threads nor a decoder.
    from concurrent.futures import ThreadPoolExecutor

    from s3harness.run.worker_spec import media_store

    settings = runs[0].settings
    # A backend that looks at no frames, such as a floor, needs no decoding.
    if not runs[0].backend_class.uses_media:
        return
    store = media_store(settings.cache_dir, settings.cache_bytes, settings.media)

    def decode(work: tuple[Video, list[Clip]]) -> None:
        video, clips = work
        store.prepare(video, clips)
        # At once: the runs read the frames from the cache again, so none need stay open.
        store.release(video.id)

    total = len(runs[0].dataset.videos)
    with ThreadPoolExecutor(settings.media.n_workers(), thread_name_prefix="decode") as pool:
        for number, _ in enumerate(pool.map(decode, _shown(runs)), start=1):
            done(number, total)


def read_point(setting: SweepSetting, directory: Path, *, resamples: int = RESAMPLES) -> Point:
    """Read the scores of a run of the sweep, and compute those of the single features."""
    tasks = tuple(score for score in read_scores(directory) if score.primary)
    of_features = [task for task in read_run(directory).values() if task.spec.item == "feature"]
    features = [score for task in of_features for score in _by_feature(task, resamples)]
    return Point(setting, directory.name, tasks, tuple(features))


def _settings(base: RunSettings, setting: SweepSetting) -> RunSettings:
    return replace(
        base,
        out=base.out / setting.name,
        # The setting's values win over those of the call.
        sampling={**base.sampling, **setting.sampling},
        transforms=(*base.transforms, *setting.transforms),
        resume=True,
    )


def _shown(runs: Sequence[PreparedRun]) -> Iterator[tuple[Video, list[Clip]]]:
    """Yield each video with its clips in all runs."""
    # All runs plan the same videos in the same order; strict=True fails if one ever has fewer.
    for plans in zip(*(run.plan for run in runs), strict=True):
        yield plans[0].video, [clip for plan in plans for clip in plan.clips]


def _by_feature(task: ScoredTask, resamples: int) -> list[Score]:
    """Score each feature of a task alone; ``metric`` is ``feature`` or ``feature (F1)``."""
    subjects = dict.fromkeys(reference.subject for reference in task.references)
    metrics = [
        {"name": name, "subject": subject, "label": f"{subject}{' (F1)' if name.endswith('f1') else ''}"}
        for subject in subjects
        for name in FEATURE_METRICS
    ]
    spec = TaskSpec({**task.spec.data, "metrics": metrics})
    return score_task(spec, task.references, task.predictions, resamples=resamples)
