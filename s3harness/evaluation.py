"""One run from its settings to its scores: what ``s3harness run`` does."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from s3harness.backends.base import Backend, Truth
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.dataset.run_card import FILE as RUN_CARD
from s3harness.dataset.run_card import refuse_trained_on, trainings
from s3harness.dataset.sources import private_words, search_of
from s3harness.errors import UsageError
from s3harness.files import digest, write_text
from s3harness.guard.audit_log import AuditLog
from s3harness.guard.outgoing import Consent, check_outgoing
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.redaction import Redactor
from s3harness.guard.review import folder_of_dataset
from s3harness.media.options import MediaOptions
from s3harness.plugins.manager import load, manager
from s3harness.run.durations import with_durations
from s3harness.run.event_loop import on_sigterm, run_until_stopped
from s3harness.run.executor import started_facts
from s3harness.run.interventions import Interventions, load_interventions
from s3harness.run.outgoing import texts_of_plan
from s3harness.run.plan import Plan
from s3harness.run.worker_spec import WorkerSpec, media_store
from s3harness.rundir.identities import Identities, write_counts
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import Journal, read_journal
from s3harness.rundir.manifest import RunIdentity, finish_manifest, note_identifiers, start_manifest
from s3harness.rundir.sent import FILE as SENT
from s3harness.rundir.sent import sent_summary, sent_text
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import PROFILES, PROTOCOLS, check_choice, resolve
from s3harness.specs.weights import with_weights
from s3harness.types import Reference, RunInfo, Score, Video

if TYPE_CHECKING:
    from s3harness.run.executor import Progress
    from s3harness.run.worker import Worker


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user says of a run. No ``tasks`` means all; ``cache_dir`` ``None`` means the user's own cache.

    ``allow_identifiers`` is the reason to let identifiers through to the model, ``reviewed`` the code of a list of
    likely ones that was looked at.

    ``transforms`` names what clips are shown through, in order; ``probe`` a probe, whose own come after them.
    ``allow_mixed`` is why another model or version than before may go on with the run, empty if it may not.
    """

    backend: str
    data: Path
    out: Path
    model: str | None = None
    weights: Path | None = None
    tasks: Sequence[str] = ()
    split: str | None = None
    protocol: str = "strict"
    profile: str = "strict"
    limit: int | None = None
    resume: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    allow_remote: Sequence[str] = ()
    executor: str = "local"
    executor_options: Mapping[str, object] = field(default_factory=dict)
    cache_dir: Path | None = None
    cache_bytes: int | None = None
    media: MediaOptions = field(default_factory=MediaOptions)
    sampling: Mapping[str, object] = field(default_factory=dict)
    transforms: Sequence[str] = ()
    probe: str = ""
    allow_mixed: str = ""
    allow_identifiers: str = ""
    reviewed: str = ""

    @property
    def consent(self) -> Consent:
        """What the user says of identifiers in what would be sent."""
        return Consent(self.allow_identifiers, self.reviewed, folder_of_dataset(self.data))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has been checked and planned; no engine is loaded and nothing is written yet.

    ``identifiers`` are those that the user lets through to the model: the reason, and how many of each kind.
    """

    settings: Settings
    backend_class: type[Backend]
    dataset: Dataset
    plan: Plan
    determinants: RunIdentity
    changes: Interventions = field(default_factory=Interventions)
    audio_donors: Mapping[str, Video] = field(default_factory=dict)
    identifiers: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Survey:
    """How many requests a plan has, and how many of them are not answered yet."""

    requests: int = 0
    todo: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its scores, and how many of its requests there are and failed."""

    scores: Sequence[Score]
    requests: int
    failed: int


def prepare(settings: Settings) -> Prepared:
    """Check the settings, read the data set and the specs, and plan.

    Raises :class:`~s3harness.errors.UsageError` for whatever is wrong with the call or the data, and for identifiers
    in anything that would be put before the model.
    """
    check_choice("protocol", settings.protocol, PROTOCOLS)
    check_choice("profile", settings.profile, PROFILES)
    manager().registry.entry("executor", settings.executor)
    changes = load_interventions(settings.transforms, settings.probe)
    backend_class = cast("type[Backend]", load("backend", settings.backend))
    model = _model(settings, backend_class)
    dataset = _dataset(settings)
    scored, specs = _specs(settings.tasks)
    asked = _with_used(scored, specs)
    resolved = {n: resolve(s, protocol=settings.protocol, profile="", model=model) for n, s in specs.items()}
    tasks = changes.reword(with_sampling(resolved, settings.sampling))
    scored, asked = ([name for name in names if name in tasks] for names in (scored, asked))
    plan = Plan(dataset, model, tuple(tasks[n] for n in scored), tuple(tasks[n] for n in asked))
    search = search_of(settings.data, dataset.videos)
    identifiers = check_outgoing(texts_of_plan(plan), search, settings.consent)
    about = {key: getattr(dataset, key) for key in ("name", "version", "licence", "fingerprint")}
    determinants = RunIdentity(
        backend=settings.backend,
        options={name: value for name, value in settings.options.items() if name not in backend_class.incidental},
        model=model,
        protocol=settings.protocol,
        specs=specs,
        tasks=tuple(tasks.values()),
        dataset=about,
        split=settings.split,
        limit=settings.limit,
        sees_truth=backend_class.sees_truth,
        sampling=settings.sampling,
        transforms=changes.transforms.describe(),
        probe=settings.probe,
        trainings=_trainings(settings, dataset),
    )
    audio_donors = changes.audio_donors(dataset.videos)
    return Prepared(settings, backend_class, dataset, plan, determinants, changes, audio_donors, identifiers)


def check_backend(run: Prepared) -> None:
    """Make the backend without loading its engine; raises :class:`UsageError` for an option that it does not take."""
    _recipe(run).worker()


def execute(run: Prepared, progress: Progress) -> Outcome:
    """Ask what is not answered yet, then score.

    Raises :class:`~s3harness.errors.S3HarnessError` where the run cannot go on and ``KeyboardInterrupt`` where it is
    stopped; either way everything answered is journalled, and a resumed run goes on from there.
    """
    from s3harness.rundir.items import write_items

    directory = run.settings.out
    recipe = _recipe(run)
    worker = recipe.worker()
    with on_sigterm(signal.default_int_handler):
        if run.backend_class.sees_truth:
            recipe = replace(recipe, truth=_truth(run))
            worker = recipe.worker()
        next(iter(run.plan))  # what is wrong with how clips are sampled is mostly wrong with the first video
        _make_directory(directory)
        with Journal(directory) as journal:
            settings, is_new = run.settings, journal.is_empty
            allow_mixed = bool(settings.allow_mixed)
            start_manifest(directory, run.determinants, resume=settings.resume, is_new=is_new, allow_mixed=allow_mixed)
            if run.identifiers:
                note_identifiers(directory, run.identifiers)
            survey = Survey()
            write_items(directory, _surveyed(run.plan, journal, survey))
            PrivateWords.hashed(private_words(run.settings.data, run.dataset.videos)).write(directory)
            with _audit(run, worker, progress) as audit:
                worker.backend.sent = audit.sent
                scores, failed = _answer(run, recipe, worker, journal, progress, survey)
    progress.messages += manager().run_finished(_info(run, survey.requests), tuple(scores))
    return Outcome(scores, survey.requests, failed)


def _answer(
    run: Prepared, recipe: WorkerSpec, worker: Worker, journal: Journal, progress: Progress, survey: Survey
) -> tuple[Sequence[Score], int]:
    """Ask what is not answered yet, score, and finish the manifest; returns the scores and how many requests failed."""
    from s3harness.scoring.score_run import score_run

    directory = run.settings.out
    started = time.perf_counter()
    progress.messages += manager().run_started(_info(run, survey.requests))
    progress.total, before = survey.todo, journal.n_answered
    if progress.total:
        _ask(run, recipe, worker, journal, progress)
    took_s = time.perf_counter() - started
    _tidy_sent(directory)
    write_counts(directory, _answers_by_identity(directory))
    engine = {"engine": found} if (found := dict(worker.backend.facts())) else {}
    failed = survey.todo - (journal.n_answered - before)
    scores = score_run(directory)
    if run.settings.profile != "strict":
        scores = score_run(directory, profile=run.settings.profile)
    finish_manifest(
        directory,
        status="complete",
        requests=survey.requests,
        failed=failed,
        seconds=round(time.perf_counter() - started, 3),
        session={"asked": progress.total, "seconds": round(took_s, 3)},
        allow_remote=list(run.settings.allow_remote),
        **engine,
        decoder=_decoder(run),
        **_facts(directory),
    )
    return scores, failed


def _recipe(run: Prepared) -> WorkerSpec:
    settings = run.settings
    return WorkerSpec(
        name=settings.backend,
        backend=run.backend_class,
        model=run.plan.model,
        options=settings.options,
        cache_dir=settings.cache_dir,
        cache_bytes=settings.cache_bytes,
        media=settings.media,
        allow_remote=settings.allow_remote,
        transforms=run.changes.transforms.names,
        audio_donors=run.audio_donors,
    )


def _surveyed(plan: Plan, journal: Journal, survey: Survey) -> Iterator[Reference]:
    """All references of a plan, while its requests are counted."""
    for video in plan:
        for request in (request for step in video.steps for request in step.requests):
            survey.requests += 1
            survey.todo += not journal.is_answered(request.id)
        yield from video.references


def _truth(run: Prepared) -> Truth:
    kinds = {task.name: task.item for task in (*run.plan.requested, *run.plan.scored)}
    videos = {video.id: video for video in run.dataset.videos}
    references = {reference.item: reference for video in run.plan for reference in video.references}
    return Truth(videos, references, kinds, run.changes.truth_changes)


def _ask(run: Prepared, recipe: WorkerSpec, worker: Worker, journal: Journal, progress: Progress) -> None:
    from s3harness.run.executor import Execution

    redact = Redactor(private_words(run.settings.data, run.dataset.videos))
    executor = cast("Callable[..., Coroutine[Any, Any, None]]", load("executor", run.settings.executor))
    identities = _identities(run, journal)
    execution = Execution(
        worker_spec=recipe,
        worker=worker,
        journal=journal,
        redact=redact,
        progress=progress,
        options=run.settings.executor_options,
        identities=identities,
    )
    run_until_stopped(executor(execution, run.plan), worker.backend.limits.timeout_s)


def _identities(run: Prepared, journal: Journal) -> Identities:
    """The identities of whoever has answered so far; the backend and its package are part of each."""
    settings = run.settings
    entry = manager().registry.entry("backend", settings.backend)
    common = {"backend": settings.backend, "package": f"{entry.package} {entry.version}"}
    answered = set(journal.answered_by)
    return Identities.of_run(
        settings.out, common, settings.allow_mixed, answered, is_new=journal.n_answered == 0 or bool(answered)
    )


def _audit(run: Prepared, worker: Worker, progress: Progress) -> AuditLog:
    settings = run.settings
    started = started_facts(worker.backend, run.plan.model.name, settings.executor, settings.allow_remote)
    if run.identifiers:
        started["identifiers"] = run.identifiers
    return AuditLog(settings.out, started, progress.counts)


def _model(settings: Settings, backend: type[Backend]) -> ModelCard:
    if settings.model is not None and backend.is_model:
        raise UsageError(f"the {settings.backend} backend is a model itself and takes no --model")
    if settings.model is not None:
        model = load_model(settings.model)
        return model if settings.weights is None else with_weights(model, settings.weights)
    if settings.weights is not None:
        raise UsageError("--weights are those of a model, and none is named: --model NAME (s3harness models list)")
    if backend.modalities is None:
        raise UsageError(f"the {settings.backend} backend needs a model: --model NAME (s3harness models list)")
    return ModelCard(settings.backend, modalities=backend.modalities)


def _dataset(settings: Settings) -> Dataset:
    dataset = load_dataset(settings.data).split(settings.split)
    videos = dataset.videos[: settings.limit]
    if not videos:
        raise UsageError("there are no videos to ask about")
    store = partial(media_store, settings.cache_dir, settings.cache_bytes, settings.media)
    return replace(dataset, videos=with_durations(videos, store))


def _trainings(settings: Settings, dataset: Dataset) -> list[dict[str, Any]]:
    """What the run cards say of the weights, and of an adapter or whatever else an option names the directory of.

    Raises :class:`UsageError` if a patient to be scored on was trained on.
    """
    named = [Path(value) for value in settings.options.values() if isinstance(value, str) and value]
    directories = [path for path in (settings.weights, *named) if path is not None and (path / RUN_CARD).is_file()]
    for directory in directories:
        refuse_trained_on(directory, settings.data, dataset.videos)
    return trainings(directories)


def _specs(names: Sequence[str]) -> tuple[list[str], dict[str, Mapping[str, Any]]]:
    """The names of the tasks to score, and the spec of each of them and of those they use."""
    documents = [load_task(name) for name in (names or task_names())]
    scored = list(dict.fromkeys(str(document.data["name"]) for document in documents))
    specs = {str(document.data["name"]): document.data for document in documents}
    for used in [spec["uses"] for spec in specs.values() if "uses" in spec]:
        specs.setdefault(used, load_task(used).data)
    return scored, specs


def _with_used(scored: Sequence[str], specs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The tasks to ask: those scored that ask themselves, and those whose answers they use."""
    return list(dict.fromkeys(str(specs[name].get("uses", name)) for name in scored))


def _make_directory(directory: Path) -> None:
    if (directory / "dataset.json").exists():
        raise UsageError(f"{directory} is a data set; choose another --out")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be made: {error.strerror}; choose another --out") from error


def _info(run: Prepared, requests: int) -> RunInfo:
    tasks = tuple(task.name for task in run.plan.scored)
    settings = run.settings
    return RunInfo(settings.out, settings.backend, run.plan.model.name, tasks, settings.protocol, requests)


def _tidy_sent(directory: Path) -> None:
    """Put the records of what was sent in order; they were written as they came."""
    if (directory / SENT).exists():
        write_text(directory / SENT, sent_text(directory), is_private=True)


def _decoder(run: Prepared) -> dict[str, object]:
    """What decoded the videos; nothing where none was wanted."""
    if not run.backend_class.uses_media:
        return {}
    from s3harness.media.container import Decoding, describe_decoder

    return describe_decoder(Decoding(run.settings.media.threads, run.settings.media.hwaccel))


def _facts(directory: Path) -> dict[str, object]:
    """What the journal tells of the whole run: tokens, and a digest of all that was shown."""
    media, prompt, completion = set(), 0, 0
    for entry in read_journal(directory / JOURNAL):
        media |= {entry.media} - {""}
        prompt += entry.response.prompt_tokens or 0
        completion += entry.response.completion_tokens or 0
    tokens = {"prompt": prompt, "completion": completion}
    return {"media_sha256": digest(media), "tokens": tokens, "sent": sent_summary(directory)}


def _answers_by_identity(directory: Path) -> Counter[int]:
    """Number of an identity → how many requests have its answer; those of before identities were kept are 0's."""
    answered_by: dict[str, int] = {}
    for entry in read_journal(directory / JOURNAL):
        if entry.response.status != "failed":
            answered_by[entry.id] = entry.by or 0
    return Counter(answered_by.values())
