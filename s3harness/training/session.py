"""One training run, from its settings to the run card beside the weights: the work of ``s3harness train``."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from s3harness.dataset.run_card import FILE as CARD
from s3harness.dataset.run_card import as_trained, read_card, refuse_trained_on
from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json, write_json
from s3harness.guard.outgoing_check import Consent
from s3harness.media.options import MediaOptions
from s3harness.plugins.manager import load, manager
from s3harness.run.worker_spec import media_store
from s3harness.specs.models import ModelCard
from s3harness.specs.weights import weights_id
from s3harness.training.card import write_card
from s3harness.training.clips import ClipFrames
from s3harness.training.gate import GateReport, gate_as_json
from s3harness.training.held_out import HeldOut
from s3harness.training.identifiers import check_training
from s3harness.training.job import Stage, TrainingJob
from s3harness.training.model_card import write_model_card
from s3harness.training.monitor import CollapseLimits, Monitor
from s3harness.training.plan import PlanRequest, TrainingPlan
from s3harness.training.processes import Processes
from s3harness.training.rewards import Reward
from s3harness.training.training_set import TrainingSet

BEGUN = "training.json"
"""File with the settings of a run, with which alone it may be resumed."""
GATE = "gate.json"
"""File with the gate's report on the rewards."""
SCHEMA = "s3harness/training-run/v1"


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of a training run. ``model`` is the directory of the initial weights.

    Every ``check_every`` steps (never if 0), the model is scored on ``check_videos`` videos of held-out patients.
    ``gate`` is the report on the rewards; with ``accept_collapse`` a training goes on when the answers collapse.
    """

    stage: Stage
    trainer: str
    model: Path
    data: Path
    out: Path
    check_every: int = 0
    check_videos: int = 24
    resume: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    cache_dir: Path | None = None
    consent: Consent = field(default_factory=Consent)
    accept_collapse: bool = False
    gate: GateReport | None = None


def run_training(
    settings: TrainingSettings,
    training_set: TrainingSet,
    rewards: Sequence[Reward],
    report_status: Callable[[str], None],
) -> Mapping[str, Any]:
    """Train a model, write the run card beside its weights, and return the card's content.

    Several processes may call it together; all but the main one write nothing and return nothing. Raises
    :class:`UsageError` for wrong settings and for identifiers in the training set, and :class:`S3HarnessError` if
    training ends early: a collapse, too little memory, a reward that is not a number.
    """
    trainer = cast("Callable[[TrainingJob], Mapping[str, object]]", load("trainer", settings.trainer))
    # All refusals come before the first file is written, so that --out stays free for the next try.
    refuse_trained_on(settings.model, settings.data, training_set.division.held_out, why=HELD_OUT)
    identifiers = check_training(settings.data, training_set, settings.consent)
    before = read_card(settings.model)
    processes = Processes.of_environment()
    # The others wait for the main process in the trainer's first collective call, and end with it.
    if processes.is_main:
        _begin(settings, training_set, rewards)
        if settings.gate is not None:
            write_json(settings.out / GATE, gate_as_json(settings.gate))
    job = _job(settings, training_set, rewards, report_status, processes)
    started = time.monotonic()
    facts = dict(_train(trainer, job))
    if not processes.is_main:
        return {}
    # Only now: a directory with a card holds a finished training, and cannot be resumed.
    card = write_card(
        settings.out,
        settings.data,
        training_set,
        rewards,
        stage=settings.stage,
        trainer={"name": settings.trainer, "package": _package(settings.trainer), "options": _public(settings.options)},
        base=weights_id(settings.model),
        clips=facts.pop("clips", "video"),
        **({"audio": facts.pop("audio")} if "audio" in facts else {}),
        **({"collapse_accepted": True} if settings.accept_collapse else {}),
        **({"processes": processes.count} if processes.count > 1 else {}),
        **({"identifiers": identifiers} if identifiers else {}),
        # Patients of earlier trainings are still known to the weights, so their cards are carried along.
        **({"before": dict(before.about)} if before else {}),
        seconds=round(time.monotonic() - started, 1),
        machine=platform.machine(),
        result=_plain(facts),
    )
    write_model_card(settings.out, card)
    return card


def plan_training(trainer: str, request: PlanRequest) -> TrainingPlan:
    """Return the plan of a training; :class:`UsageError` if the trainer makes none, or for wrong settings."""
    planner = getattr(load("trainer", trainer), "plan", None)
    if planner is None:
        raise UsageError(f"the trainer {trainer!r} makes no plans")
    return cast("TrainingPlan", planner(request))


def card_of(training_set: TrainingSet, weights: Sequence[Path]) -> ModelCard:
    """Return the model's card; a model that was trained before goes on with clips in the same form."""
    return as_trained(training_set.card, weights)


HELD_OUT = (
    "the initial weights were trained on {patients} of the patients held out here ({videos} videos), which could then "
    "not be used for scoring; hold out the same patients as before (--split, --held-out, --seed)"
)


def _job(
    settings: TrainingSettings,
    training_set: TrainingSet,
    rewards: Sequence[Reward],
    report_status: Callable[[str], None],
    processes: Processes,
) -> TrainingJob:
    store = media_store(settings.cache_dir, None, MediaOptions())
    card = card_of(training_set, [settings.model])
    return TrainingJob(
        stage=settings.stage,
        model=settings.model,
        out=settings.out,
        training_set=training_set,
        clips=ClipFrames(training_set.division.training, training_set.samples, store),
        held_out=HeldOut.of(training_set, card, store, videos=settings.check_videos),
        monitor=Monitor(
            training_set.specs,
            settings.out,
            CollapseLimits(),
            writes=processes.is_main,
            stops=not settings.accept_collapse,
            warn=report_status if processes.is_main else _silent,
        ),
        rewards=rewards,
        options=settings.options,
        check_every=settings.check_every,
        resume=settings.resume,
        report_status=report_status if processes.is_main else _silent,
        card=card,
        processes=processes,
    )


def _silent(line: str) -> None:
    """Report nothing: the main process speaks for all."""


def _begin(settings: TrainingSettings, training_set: TrainingSet, rewards: Sequence[Reward]) -> None:
    """Write the settings of a new run, or check that a resumed one has the same."""
    # Through JSON and back, as the settings of the file are: a tuple would differ from its list.
    wanted = json.loads(
        json.dumps(
            {
                "schema": SCHEMA,
                "stage": settings.stage,
                "trainer": settings.trainer,
                "model": weights_id(settings.model),
                "options": _public(settings.options),
                "set": training_set.fingerprint,
                "settings": asdict(training_set.settings),
                "rewards": [[reward.name, reward.task, reward.weight] for reward in rewards],
            }
        )
    )
    path = settings.out / BEGUN
    if not settings.resume:
        if settings.out.exists() and (not settings.out.is_dir() or any(settings.out.iterdir())):
            raise UsageError(f"{settings.out} exists and is not empty; continue with --resume, or choose another --out")
        settings.out.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
        return
    if not path.is_file():
        raise UsageError(f"{settings.out} holds no interrupted training, so there is nothing to resume")
    # The card is written last: where it is, nothing is left to resume.
    if (settings.out / CARD).is_file():
        raise UsageError(f"{settings.out} holds a training that is finished; choose another --out")
    begun_with = _read_begun(path)
    differing = [key for key in wanted if begun_with.get(key) != wanted[key]]
    if differing:
        raise UsageError(
            f"{settings.out} was begun with another {', '.join(differing)}; use the same, or choose another --out"
        )


def _read_begun(path: Path) -> dict[str, Any]:
    """Return the settings that an interrupted training was begun with; :class:`UsageError` if they are unreadable."""
    try:
        begun = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}; choose another --out") from error
    if not isinstance(begun, dict):
        raise UsageError(f"{path} does not hold the settings of a training; choose another --out")
    return begun


def _train(trainer: Callable[[TrainingJob], Mapping[str, object]], job: TrainingJob) -> Mapping[str, object]:
    try:
        return trainer(job)
    except S3HarnessError:
        raise
    except MemoryError as error:  # of the machine; a full GPU is explained by the trainer, which knows its library
        raise S3HarnessError("the machine has too little memory; use a smaller batch or model") from error


def _public(options: Mapping[str, object]) -> dict[str, object]:
    """The options with the last part alone of each path: the card and what was begun with go along with the weights."""
    return {
        name: Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
        for name, value in options.items()
    }


def _package(trainer: str) -> str:
    entry = manager().registry.entry("trainer", trainer)
    return f"{entry.package} {entry.version}"


def _plain(value: Any) -> Any:
    """Return JSON-able data with ``None`` in the place of NaN and infinities."""
    # JSON has neither, and a trainer may report the loss of a stage without samples.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
