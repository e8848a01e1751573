"""Settings → a run that has been checked and planned: :func:`resolve`, :func:`plan`, :func:`run_identity`.

No engine is loaded, no video is decoded and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from s3harness.backends.base import Backend
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.dataset.run_card import FILE as RUN_CARD
from s3harness.dataset.run_card import as_trained, refuse_trained_on, trainings
from s3harness.dataset.sources import search_of
from s3harness.errors import UsageError
from s3harness.evaluation.settings import RunSettings
from s3harness.guard.outgoing_check import check_outgoing
from s3harness.options import read_options
from s3harness.plugins.manager import load, manager
from s3harness.run.context import ContextCheck, check_context, context_limit
from s3harness.run.conversation import StrategyPlan
from s3harness.run.durations import with_durations
from s3harness.run.interventions import Interventions, load_interventions
from s3harness.run.plan import Plan
from s3harness.run.request_texts import texts_of_plan
from s3harness.run.worker_spec import WorkerSpec, media_store
from s3harness.rundir.manifest import RunIdentity
from s3harness.specs.features import vocabulary
from s3harness.specs.generation import with_generation
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.own_signs import for_signs
from s3harness.specs.resolution import ResolvedModel, resolve_model
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import PROFILES, PROTOCOLS, check_choice
from s3harness.specs.tasks import resolve as resolve_task
from s3harness.specs.weights import with_weights
from s3harness.strategies.contract import Strategy
from s3harness.types import Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The objects that the names in the settings stand for.

    ``scored`` are the names of the tasks to score, in order, ``specs`` the spec of each of them and of the tasks whose
    answers they use. ``derived`` is the whole card of a model that no written card describes, with the source of each
    value, ``model_notes`` what a user should know of the model before the run.
    """

    settings: RunSettings
    backend_class: type[Backend]
    model: ModelCard
    dataset: Dataset
    scored: Sequence[str]
    specs: Mapping[str, Mapping[str, Any]]
    interventions: Interventions
    strategy: Strategy
    derived: Mapping[str, Any] = field(default_factory=dict)
    model_notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A run that has been checked and planned.

    ``identifiers`` are those that the user lets through to the model: the reason, and how many of each kind.
    ``context`` compares the requests with the model's context, ``None`` where its length is not known.
    """

    settings: RunSettings
    backend_class: type[Backend]
    dataset: Dataset
    plan: Plan
    identity: RunIdentity
    strategy: StrategyPlan | None = None
    interventions: Interventions = field(default_factory=Interventions)
    audio_donors: Mapping[str, Video] = field(default_factory=dict)
    identifiers: Mapping[str, object] = field(default_factory=dict)
    context: ContextCheck | None = None
    model_notes: tuple[str, ...] = ()

    @property
    def worker_spec(self) -> WorkerSpec:
        """The specification of the run's engine and media store, without the truth."""
        settings = self.settings
        return WorkerSpec(
            name=settings.backend,
            backend=self.backend_class,
            model=self.plan.model,
            options=settings.options,
            cache_dir=settings.cache_dir,
            cache_bytes=settings.cache_bytes,
            media=settings.media,
            allow_remote=settings.allow_remote,
            transforms=self.interventions.transforms.names,
            audio_donors=self.audio_donors,
            strategy=self.strategy,
        )


def prepare(settings: RunSettings) -> PreparedRun:
    """Check the settings, read the data set and the specs, and plan.

    Raises :class:`~s3harness.errors.UsageError` for whatever is wrong with the call or the data, and for identifiers
    in anything that would be put before the model.
    """
    resolved = resolve(settings)
    planned = plan(resolved)
    search = search_of(settings.data, resolved.dataset.videos)
    return PreparedRun(
        settings=resolved.settings,
        backend_class=resolved.backend_class,
        dataset=resolved.dataset,
        plan=planned,
        identity=run_identity(resolved, planned),
        strategy=_strategy_plan(resolved, planned),
        interventions=resolved.interventions,
        audio_donors=resolved.interventions.audio_donors(resolved.dataset.videos),
        identifiers=check_outgoing(texts_of_plan(planned), search, settings.consent),
        context=_context(resolved, planned),
        model_notes=resolved.model_notes,
    )


def _context(resolved: Resolved, planned: Plan) -> ContextCheck | None:
    """Compare the requests with the model's context; raise :class:`UsageError` where none of a task can fit."""
    settings = resolved.settings
    limit = context_limit(planned.model, settings.backend, settings.options)
    if limit is None or not resolved.backend_class.uses_media:
        return None
    # Without the videos' sizes, which are in their files: planning opens none.
    check = check_context(planned, limit)
    check.refuse_hopeless()
    return check


def check_backend(run: PreparedRun) -> None:
    """Make the backend without loading its engine; raise :class:`UsageError` for an option that it does not take."""
    run.worker_spec.worker()


def resolve(settings: RunSettings) -> Resolved:
    """Find and check what the settings name; raise :class:`UsageError` for a name that stands for nothing."""
    check_choice("protocol", settings.protocol, PROTOCOLS)
    check_choice("profile", settings.profile, PROFILES)
    # Looked up only: importing an executor such as ray takes seconds, and a wrong name must fail at once.
    manager().registry.entry("executor", settings.executor)
    interventions = load_interventions(settings.transforms, settings.probe)
    backend_class = cast("type[Backend]", load("backend", settings.backend))
    strategy = _strategy(settings, backend_class)
    # Before the data set, which may take long to read: wrong names fail first.
    model = _model(settings, backend_class)
    # A directory that is named as the model holds its weights: a run card in it counts as one of --weights does.
    if model.card.weights_id:
        settings = replace(settings, weights=Path(str(model.card.weights)))
    model = replace(model, card=as_trained(model.card, _trained_directories(settings)))
    dataset = _dataset(settings)
    scored, specs = _specs(settings.tasks)
    return Resolved(
        settings=settings,
        backend_class=backend_class,
        model=model.card,
        dataset=dataset,
        scored=scored,
        specs=specs,
        interventions=interventions,
        strategy=strategy,
        derived=model.description(),
        model_notes=model.notes,
    )


def plan(resolved: Resolved) -> Plan:
    """Return the plan: the tasks as protocol, model, sampling and probe have them, for the videos of the data set."""
    settings, specs = resolved.settings, resolved.specs
    by_name = {
        name: resolve_task(spec, protocol=settings.protocol, profile="", model=resolved.model)
        for name, spec in specs.items()
    }
    sampled = with_generation(with_sampling(by_name, settings.sampling), settings.generation, resolved.model)
    tasks = resolved.interventions.reword(sampled)
    # A task asks itself or uses the answers of another, which is asked once.
    asking = dict.fromkeys(str(specs[name].get("uses", name)) for name in resolved.scored)
    scored = tuple(tasks[name] for name in resolved.scored if name in tasks)
    whole = Plan(resolved.dataset, resolved.model, scored, tuple(tasks[name] for name in asking if name in tasks))
    return settings.sample.of(whole) if settings.sample else whole


def run_identity(resolved: Resolved, planned: Plan) -> RunIdentity:
    """Return all that determines the answers, which a resumed run must agree with."""
    settings, dataset = resolved.settings, resolved.dataset
    transport = resolved.backend_class.transport_options
    tasks = {task.name: task for task in (*planned.scored, *planned.requested)}
    return RunIdentity(
        backend=settings.backend,
        # A run may be resumed on another server, or with more requests at once.
        options={name: value for name, value in settings.options.items() if name not in transport},
        model=resolved.model,
        protocol=settings.protocol,
        specs=resolved.specs,
        tasks=tuple(tasks[name] for name in resolved.specs if name in tasks),
        dataset={key: getattr(dataset, key) for key in ("name", "version", "licence", "fingerprint")},
        split=settings.split,
        limit=settings.limit,
        sample=settings.sample.as_json() if settings.sample else {},
        sees_truth=resolved.backend_class.sees_truth,
        vocabulary=vocabulary().data,
        sampling=settings.sampling,
        generation=settings.generation,
        transforms=resolved.interventions.transforms.describe(),
        probe=settings.probe,
        trainings=_trainings(settings, dataset),
        derived=resolved.derived,
        # Left out for planned requests, as in all runs from before there were others.
        strategy={}
        if resolved.strategy.asks_as_planned
        else {"name": settings.strategy, "settings": resolved.strategy.settings()},
    )


def _strategy(settings: RunSettings, backend: type[Backend]) -> Strategy:
    """Return the strategy with its options; raise :class:`UsageError` where the backend cannot do what it needs."""
    name = settings.strategy
    kind = load("strategy", name)
    if not (isinstance(kind, type) and issubclass(kind, Strategy)):
        raise UsageError(f"strategy {name!r} is no s3harness.Strategy class; s3harness plugins check strategy:{name}")
    strategy = read_options(kind, f"the strategy {name}", settings.strategy_options)
    abilities = {"history": backend.takes_history, "tools": backend.takes_tools}
    lacking = sorted(need for need in strategy.required() if not abilities[need])
    if lacking:
        words = {"history": "continues no conversation", "tools": "lets the model call no tools"}
        raise UsageError(
            f"the strategy {name} with these options needs more than the {settings.backend} backend does, which "
            f"{' and '.join(words[need] for need in lacking)}; choose another --strategy or --backend"
        )
    # The paper's protocol is what its authors did: one question about each clip.
    if not strategy.asks_as_planned and settings.protocol != "strict":
        raise UsageError(f"the strategy {name} goes with --protocol strict; {settings.protocol} asks each item once")
    return strategy


def _strategy_plan(resolved: Resolved, planned: Plan) -> StrategyPlan | None:
    """Return the strategy with the tasks that it asks; ``None`` where planned requests are sent as they are."""
    if resolved.strategy.asks_as_planned:
        return None
    tasks = {task.name: task for task in planned.requested}
    return StrategyPlan(strategy=resolved.strategy, tasks=tasks, hears=planned.model.hears())


def _model(settings: RunSettings, backend: type[Backend]) -> ResolvedModel:
    if settings.model is not None and backend.is_model:
        raise UsageError(f"the {settings.backend} backend is a model itself and takes no --model")
    if settings.model is not None:
        source = backend.model_source
        if settings.weights is not None:
            return ResolvedModel(card=with_weights(load_model(settings.model), settings.weights))
        return resolve_model(settings.model, is_served=source == "server", loads_weights=source == "weights")
    if settings.weights is not None:
        raise UsageError("--weights needs a model: add --model NAME (s3harness models list)")
    if backend.modalities is None:
        raise UsageError(f"the {settings.backend} backend needs a model: add --model NAME (s3harness models list)")
    return ResolvedModel(card=ModelCard(settings.backend, modalities=backend.modalities))


def _dataset(settings: RunSettings) -> Dataset:
    dataset = load_dataset(settings.data).split(settings.split)
    # Cut before the durations are read, which may open every file.
    videos = dataset.videos[: settings.limit]
    if not videos:
        raise UsageError(f"{settings.data} holds no video, or none in this split")
    store = partial(media_store, settings.cache_dir, settings.cache_bytes, settings.media)
    return replace(dataset, videos=with_durations(videos, store))


def _specs(names: Sequence[str]) -> tuple[list[str], dict[str, Mapping[str, Any]]]:
    """Return the names of the tasks to score, and the spec of each of them and of those they use."""
    documents = [load_task(name) for name in (names or task_names())]
    scored = list(dict.fromkeys(str(document.data["name"]) for document in documents))
    specs = {str(document.data["name"]): document.data for document in documents}
    # A list, for the dictionary grows inside of the loop.
    for used in [spec["uses"] for spec in specs.values() if "uses" in spec]:
        specs.setdefault(used, load_task(used).data)
    return scored, {name: for_signs(spec, vocabulary()) for name, spec in specs.items()}


def _trainings(settings: RunSettings, dataset: Dataset) -> list[dict[str, Any]]:
    """Return the run cards of the weights, and of an adapter or whatever else an option names the directory of.

    Raises :class:`UsageError` if a patient to be scored on was trained on.
    """
    directories = _trained_directories(settings)
    for directory in directories:
        refuse_trained_on(directory, settings.data, dataset.videos)
    return trainings(directories)


def _trained_directories(settings: RunSettings) -> list[Path]:
    """Return the directories with a run card: that of the weights, then those that options name, as an adapter's."""
    # Any option may name an adapter: a backend of a plugin calls it as it likes.
    named = [Path(value) for value in settings.options.values() if isinstance(value, str) and value]
    return [path for path in (settings.weights, *named) if path is not None and (path / RUN_CARD).is_file()]
