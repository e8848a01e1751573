"""Receipts of a model: clips of a data set, their inputs by a loaded backend and by the model's own processor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from s3harness.backends.base import Backend
from s3harness.backends.model_inputs import ModelInputs, SourceClip
from s3harness.errors import MediaError, UsageError
from s3harness.evaluation.prepare import PreparedRun
from s3harness.plugins.manager import load, manager
from s3harness.receipts.compare import Stage, are_equal, cause_of, compare
from s3harness.receipts.recipes import RecipeComparison, compare_recipe
from s3harness.receipts.source import neighbours, read_source
from s3harness.rundir.manifest import environment
from s3harness.types import Clip, Request, Video

if TYPE_CHECKING:
    from s3harness.media import MediaStore

SCHEMA = "s3harness/receipt/v1"
MAX_APART = 2e-3
"""The largest difference between two engines' probabilities of an answer that is none, in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReceipt:
    """The comparison of one clip's inputs: the stages, the cause of a difference, hashes, and times of its frames.

    ``recipe`` compares them with the recipe of the model's authors, where one is installed; ``note`` tells of its
    failure.
    """

    video: str
    task: str
    frames: int
    audio: bool
    stages: Sequence[Stage]
    cause: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    official_hashes: dict[str, str] = field(default_factory=dict)
    frame_times_s: tuple[float, ...] = ()
    note: str = ""
    recipe: RecipeComparison | None = None

    @property
    def equal(self) -> bool:
        """Tell whether all stages are equal."""
        return all(stage.equal for stage in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The receipt of a model; ``probabilities`` compares the answers of two engines, by clip, where it was wanted."""

    model: str
    backend: str
    official: str
    clips: Sequence[ClipReceipt]
    identity: dict[str, object] = field(default_factory=dict)
    probabilities: Sequence[dict[str, Any]] = ()

    @property
    def equal(self) -> bool:
        """Tell whether all inputs, and all compared probabilities, are equal."""
        return all(clip.equal for clip in self.clips) and all(bool(one["equal"]) for one in self.probabilities)

    def as_json(self) -> dict[str, object]:
        """Return the receipt with the versions of the libraries."""
        clips = [asdict(clip) | {"equal": clip.equal} for clip in self.clips]
        own = {"model": self.model, "backend": self.backend, "official": self.official, "equal": self.equal}
        rest = {"identity": self.identity, "clips": clips, "probabilities": list(self.probabilities)}
        return {"schema": SCHEMA, **own, **rest, "environment": environment()}


def verify(run: PreparedRun, n_clips: int = 2, against: str = "") -> Receipt:
    """Compare the inputs of clips by a run's backend with the official ones, and its answers with another backend's.

    ``against`` names the backend that provides the official inputs (the run's own if empty and it does); another one is
    loaded too, and the probabilities of its answers are compared. Raises :class:`UsageError` for a backend that shows
    no inputs.
    """
    if not run.backend_class.can("model_inputs"):
        raise UsageError(f"the {run.settings.backend} backend does not show the inputs of its model")
    official = against or _official_backend(run)
    return asyncio.run(_verify(run, _sample(run, n_clips), official))


async def inputs_and_source(
    backend: Backend, video: Video, request: Request
) -> tuple[ModelInputs, SourceClip, tuple[float, ...]]:
    """Return a loaded backend's inputs, the clip's source by a plain decoder, and the times of the store's frames."""
    clip, store = request.clip, backend.media
    ours = await backend.model_inputs(request)
    has_frames = bool(clip.timestamps) and "video" in backend.model.modalities
    has_audio = backend.model.hears() and not clip.is_text_only and store.has_audio(clip)
    times = _since_start(store, clip) if has_frames else ()
    if not has_frames and not has_audio:
        return ours, _no_source(), ()
    assert video.path is not None
    source = read_source(video.path, clip, _size(store, clip), has_frames=has_frames, has_audio=has_audio)
    return ours, source, times


async def receipt_of(backend: Backend, official: Backend, video: Video, request: Request) -> ClipReceipt:
    """Compare the inputs of one request by a loaded backend with the official ones."""
    ours, source, times = await inputs_and_source(backend, video, request)
    theirs = await official.official_inputs(request, source)
    stages = compare(ours, theirs)
    cause = ""
    if not are_equal(ours, theirs):
        size = _size(backend.media, request.clip) if len(source.frames) else (0, 0)
        cause = await cause_of(
            ours,
            theirs,
            source,
            lambda fault: official.official_inputs(request, fault),
            lambda step: neighbours(cast("Any", video.path), request.clip, size, step),
        )
    recipe, note = await _recipe(official, video, request, ours, source, times)
    return ClipReceipt(
        video=video.id,
        task=request.task,
        frames=len(source.frames),
        audio=source.audio is not None,
        stages=stages,
        cause=cause,
        hashes=ours.hashes(),
        official_hashes=theirs.hashes(),
        frame_times_s=times,
        note=note,
        recipe=recipe,
    )


async def _recipe(
    official: Backend,
    video: Video,
    request: Request,
    ours: ModelInputs,
    source: SourceClip,
    times_s: tuple[float, ...],
) -> tuple[RecipeComparison | None, str]:
    """Return the comparison with the authors' recipe, ``None`` without one, and why there is none."""
    if not official.can("recipe_inputs") or not times_s or video.path is None:
        return None, ""
    try:
        recipe = await official.recipe_inputs(request, video.path)
    # A recipe is a library of others, which reads the file with decoders of others: its failure is a result too.
    except Exception as error:
        return None, f"the authors' recipe failed: {type(error).__name__}: {error}".replace(str(video.path), "the file")
    if recipe is None:
        return None, ""
    by_processor = partial(official.official_inputs, request)
    return await compare_recipe(ours, times_s, source, recipe, by_processor), ""


async def _verify(run: PreparedRun, samples: Sequence[tuple[Video, Request]], official_name: str) -> Receipt:
    worker = run.worker_spec.worker()
    other = _other(run, official_name, worker.backend)
    async with worker:
        clips, answers = [], []
        for video, request in samples:
            if not request.clip.is_text_only and run.plan.model.modalities:
                await asyncio.to_thread(worker.backend.media.prepare, video, [request.clip])
            clips.append(await _receipt(worker.backend, other, video, request))
            if other is not worker.backend:
                answers.append(await worker.backend.generate(request))
        identity = dict(worker.identity)
    probabilities = await _compared_answers(other, samples, answers) if answers else []
    return Receipt(
        model=run.plan.model.name,
        backend=run.settings.backend,
        official=official_name,
        clips=clips,
        identity=identity,
        probabilities=probabilities,
    )


async def _receipt(backend: Backend, official: Backend, video: Video, request: Request) -> ClipReceipt:
    try:
        return await receipt_of(backend, official, video, request)
    except MediaError as error:
        failed = Stage(name="media", equal=False, difference=str(error))
        return ClipReceipt(
            video=video.id, task=request.task, frames=0, audio=False, stages=[failed], cause="the clip cannot be shown"
        )


async def _compared_answers(
    other: Backend, samples: Sequence[tuple[Video, Request]], answers: Sequence[Any]
) -> list[dict[str, Any]]:
    """Return the probabilities of both engines for each request, and the largest difference."""
    rows = []
    async with other:
        for (video, request), ours in zip(samples, answers, strict=True):
            theirs = await other.generate(request)
            one, two = ours.choice_probabilities or {}, theirs.choice_probabilities or {}
            apart = max((abs(one[c] - two[c]) for c in one if c in two), default=None)
            equal = apart <= MAX_APART if apart is not None else ours.text == theirs.text
            rows.append({"video": video.id, "ours": one, "theirs": two, "largest": apart, "equal": equal})
    return rows


def _other(run: PreparedRun, name: str, own: Backend) -> Backend:
    if name == run.settings.backend:
        return own
    backend = cast("type[Backend]", load("backend", name))
    # The options of one engine are not those of another, which has the card's and its own defaults.
    return backend(run.plan.model, {}, own.media)


def _official_backend(run: PreparedRun) -> str:
    """Return the name of a backend that has the model's own processor: the run's, else the first that is installed."""
    if run.backend_class.can("official_inputs"):
        return run.settings.backend
    for kind, name in sorted(manager().registry.entries):
        if kind != "backend":
            continue
        backend = cast("type[Backend]", load("backend", name))
        if backend.can("official_inputs") and not backend.missing_requirements():
            return name
    raise UsageError("no backend here has the model's own processor: pip install s3harness-transformers")


def _sample(run: PreparedRun, n_clips: int) -> list[tuple[Video, Request]]:
    """Return a request about one clip each, of as many videos as there are."""
    samples: list[tuple[Video, Request]] = []
    for plan in run.plan:
        requests = [request for step in plan.steps for request in step.requests]
        # The longest clip of the first requests: it shows most.
        if requests:
            samples.append((plan.video, requests[0]))
        if len(samples) >= n_clips:
            break
    if not samples:
        raise UsageError("the data set has no clip for these tasks")
    return [
        (video, replace(request, generation=replace(request.generation, max_tokens=32))) for video, request in samples
    ]


def _size(store: MediaStore, clip: Clip) -> tuple[int, int]:
    shape = store.frames(clip).pixels.shape if clip.timestamps else (0, 2, 2)
    return int(shape[2]), int(shape[1])


def _since_start(store: MediaStore, clip: Clip) -> tuple[float, ...]:
    return tuple(round(time - clip.start_s, 3) for time in store.frames(clip).timestamps)


def _no_source() -> SourceClip:
    import numpy as np

    return SourceClip(frames=np.zeros((0, 2, 2, 3), np.uint8), times_s=(), fps=1.0)
