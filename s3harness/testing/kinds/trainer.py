"""What a trainer promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from s3harness.media import MediaStore
from s3harness.testing.golden import golden, golden_patients
from s3harness.testing.kinds.dataset import contents
from s3harness.testing.trial import Bench, takes, writable
from s3harness.training.clips import ClipFrames
from s3harness.training.held_out import HeldOut
from s3harness.training.job import Stage, TrainingJob
from s3harness.training.monitor import Limits, Monitor
from s3harness.training.training_set import VIDEO_ONLY, SetSettings, build_training_set

PROMISES: Mapping[str, str] = {
    "form": "it is a function of a TrainingJob that returns a mapping",
    "answers": "it trains at one stage at least, and writes a model to out",
    "stages": "an unknown stage is an error of s3harness",
    "facts": "it returns JSON data without a path",
    "keeps": "it leaves the initial weights and the data unchanged",
    "unknown": "an unknown option is a UsageError",
}
LIMITS = 20.0


def try_it(bench: Bench) -> None:
    """Try a trainer on the weights in ``-o weights=DIR``, on golden patients; the rest are its own options."""
    options = dict(bench.settings.options)
    weights, stages = options.pop("weights", None), options.pop("stages", ",".join(get_args(Stage)))
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, None)
    if not bench.must("form", not wrong, wrong):
        return
    if weights is None:
        bench.untried.append("it was given no weights to begin with (-o weights=DIR, as save_pretrained writes)")
        return
    job = _job(Path(str(weights)), options)
    _must_refuse(bench, "stages", lambda: bench.thing(replace(job, stage=_other("stir"), out=_room("stir"))))
    odd = {**options, "no_such_option": 1}
    _must_refuse(bench, "unknown", lambda: bench.thing(replace(job, options=odd, out=_room("odd"))))
    before = contents(job.model), contents(golden_patients())
    refused = {
        stage: why for stage in str(stages).split(",") if (why := _train(bench, replace(job, stage=_other(stage))))
    }
    told = "; ".join(f"{stage}: {why}" for stage, why in refused.items())
    bench.must("answers", len(refused) < len(str(stages).split(",")), told)
    bench.must("keeps", (contents(job.model), contents(golden_patients())) == before, "they are others now")


def _train(bench: Bench, job: TrainingJob) -> str:
    """Carry out one stage; returns why it was refused, if it was."""
    from s3harness.errors import UsageError

    out, refused = _room(job.stage), ""
    facts: object = None
    with bench.trying("answers", job.stage, limits=LIMITS):
        try:
            facts = bench.thing(replace(job, out=out, say=lambda _: None))
        except UsageError as error:
            return str(error)
        bench.must("answers", bool(contents(out)), f"{job.stage}: out holds no file")
    if facts is None:
        return refused
    if bench.must("form", isinstance(facts, Mapping), f"{job.stage}: it returned {type(facts).__name__}"):
        text = str(facts)
        bench.must("facts", not writable(facts), f"{job.stage}: {writable(facts)}")
        is_private = str(job.model) in text or str(out) in text or str(golden().root) in text
        bench.must("facts", not is_private, f"{job.stage}: {text[:120]}")
    return refused


def _must_refuse(bench: Bench, promise: str, attempt: Callable[[], object]) -> None:
    from s3harness.errors import S3HarnessError

    with bench.trying(promise, limits=LIMITS):
        try:
            attempt()
        except S3HarnessError:
            return
        bench.broke(promise, "it went to work all the same")


def _job(weights: Path, options: Mapping[str, object]) -> TrainingJob:
    settings = SetSettings(held_out=0.5, leave_out_constant=True, mirror=False)
    made = build_training_set(golden_patients(), settings)
    store = MediaStore(golden().room("cache"))
    return TrainingJob(
        "sft",
        weights,
        golden().root / "no-out",
        made,
        ClipFrames(made.division.training, made.samples, store),
        HeldOut.of(made, VIDEO_ONLY, store, videos=1),
        Monitor(made.specs, golden().room("monitor"), Limits()),
        (),
        options,
    )


def _room(name: str) -> Path:
    return golden().room(f"trainer-{name}")


def _other(stage: str) -> Any:
    """A stage by any name: whether it is one is the trainer's to say."""
    return stage
