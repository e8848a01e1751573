"""One training run from what a user says of it to the run card beside the weights: what ``s3harness train`` does."""

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
from s3harness.dataset.run_card import read_card, refuse_trained_on
from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json, write_json
from s3harness.guard.outgoing_check import Consent
from s3harness.media.options import MediaOptions
from s3harness.plugins.manager import load, manager
from s3harness.run.worker_spec import media_store
from s3harness.specs.models import load_model
from s3harness.specs.weights import weights_id
from s3harness.training.card import write_card
from s3harness.training.clips import ClipFrames
from s3harness.training.held_out import HeldOut
from s3harness.training.identifiers import check_training
from s3harness.training.job import Stage, TrainingJob
from s3harness.training.monitor import Limits, Monitor
from s3harness.training.rewards import Reward
from s3harness.training.training_set import VIDEO_ONLY, TrainingSet

BEGUN = "training.json"
"""What a run was begun with, so that it is not gone on with otherwise."""
SCHEMA = "s3harness/training-run/v1"


@dataclass(frozen=True)
class TrainingSettings:
    """What a user says of a training run. ``model`` is the directory of the weights to begin with.

    Every ``check_every`` steps (never if 0), ``check_videos`` videos of held-out patients are asked and scored.
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


def run_training(
    said: TrainingSettings, made: TrainingSet, rewards: Sequence[Reward], say: Callable[[str], None]
) -> Mapping[str, Any]:
    """Train, and write the run card beside the weights; returns what the card holds.

    Raises :class:`UsageError` for whatever is wrong with the call and for identifiers in what is learned, and
    :class:`S3HarnessError` where training ended before its time: a collapse, too little memory, a reward that is no
    number.
    """
    trainer = cast("Callable[[TrainingJob], Mapping[str, object]]", load("trainer", said.trainer))
    refuse_trained_on(said.model, said.data, made.division.held_out, why=HELD_OUT)
    identifiers = check_training(said.data, made, said.consent)
    before = read_card(said.model)
    _begin(said, made, rewards)
    job = _job(said, made, rewards, say)
    started = time.monotonic()
    facts = dict(_train(trainer, job))
    return write_card(
        said.out,
        said.data,
        made,
        rewards,
        stage=said.stage,
        trainer={"name": said.trainer, "package": _package(said.trainer), "options": dict(said.options)},
        base=weights_id(said.model),
        clips=facts.pop("clips", "video"),
        **({"identifiers": identifiers} if identifiers else {}),
        **({"before": dict(before.about)} if before else {}),
        seconds=round(time.monotonic() - started, 1),
        machine=platform.machine(),
        result=_plain(facts),
    )


HELD_OUT = (
    "the initial weights were trained on {patients} of the patients held out here ({videos} videos), which could then "
    "not be used for scoring; hold out the same patients as before (--split, --held-out, --seed)"
)


def _job(
    said: TrainingSettings, made: TrainingSet, rewards: Sequence[Reward], say: Callable[[str], None]
) -> TrainingJob:
    store = media_store(said.cache_dir, None, MediaOptions())
    card = load_model(made.settings.model) if made.settings.model else VIDEO_ONLY
    return TrainingJob(
        said.stage,
        said.model,
        said.out,
        made,
        ClipFrames(made.division.training, made.samples, store),
        HeldOut.of(made, card, store, videos=said.check_videos),
        Monitor(made.specs, said.out, Limits()),
        rewards,
        said.options,
        said.check_every,
        said.resume,
        say,
    )


def _begin(said: TrainingSettings, made: TrainingSet, rewards: Sequence[Reward]) -> None:
    """Write what the run is begun with, or check that a resumed one is begun with the same."""
    wanted = json.loads(
        json.dumps(
            {
                "schema": SCHEMA,
                "stage": said.stage,
                "trainer": said.trainer,
                "model": weights_id(said.model),
                "options": dict(said.options),
                "set": made.fingerprint,
                "settings": asdict(made.settings),
                "rewards": [[reward.name, reward.task, reward.weight] for reward in rewards],
            }
        )
    )
    path = said.out / BEGUN
    if not said.resume:
        if said.out.exists() and (not said.out.is_dir() or any(said.out.iterdir())):
            raise UsageError(f"{said.out} exists and is not empty; continue with --resume, or choose another --out")
        said.out.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
        return
    if not path.is_file():
        raise UsageError(f"{said.out} holds no interrupted training, so there is nothing to resume")
    if (said.out / CARD).is_file():
        raise UsageError(f"{said.out} holds a training that is finished; choose another --out")
    found = _read_begun(path)
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        raise UsageError(
            f"{said.out} was begun with another {', '.join(differing)}; use the same, or choose another --out"
        )


def _read_begun(path: Path) -> dict[str, Any]:
    """Return what a training was begun with, or raise :class:`UsageError`."""
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
    except MemoryError as error:
        raise S3HarnessError("the machine has too little memory; use a smaller batch or model") from error


def _package(trainer: str) -> str:
    entry = manager().registry.entry("trainer", trainer)
    return f"{entry.package} {entry.version}"


def _plain(value: Any) -> Any:
    """Numbers that are none as null: JSON has no others."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
