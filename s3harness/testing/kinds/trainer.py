"""Promises of a trainer."""

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
"""Limits of one trial, since even a tiny model takes a while to train."""


def try_it(bench: Bench) -> None:
    """Try a trainer on the weights in ``-o weights=DIR``, on golden patients; the rest are its own options."""
    options = dict(bench.settings.options)
    # Only an option tells which stages a trainer is meant for: by default any may be refused.
    weights, stages = options.pop("weights", None), options.pop("stages", ",".join(get_args(Stage)))
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, None)
    if not bench.must("form", not wrong, wrong):
        return
    if weights is None:
        bench.untried.append("it was given no weights to begin with (-o weights=DIR, as save_pretrained writes)")
        return
    job = _job(Path(str(weights)), options)
    # Before any training, which takes long.
    _must_refuse(bench, "stages", lambda: bench.thing(replace(job, stage=_other("stir"), out=_folder("stir"))))
    odd = {**options, "no_such_option": 1}
    _must_refuse(bench, "unknown", lambda: bench.thing(replace(job, options=odd, out=_folder("odd"))))
    before = contents(job.model), contents(golden_patients())
    refused = {
        stage: error for stage in str(stages).split(",") if (error := _train(bench, replace(job, stage=_other(stage))))
    }
    reasons = "; ".join(f"{stage}: {error}" for stage, error in refused.items())
    bench.must("answers", len(refused) < len(str(stages).split(",")), reasons)
    bench.must("keeps", (contents(job.model), contents(golden_patients())) == before, "they have changed")


def _train(bench: Bench, job: TrainingJob) -> str:
    """Run one stage; return the error if it was refused."""
    from s3harness.errors import UsageError

    out, refused = _folder(job.stage), ""
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
        # The facts go into the run card, which may be published.
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
        bench.broke(promise, "it started all the same")


def _job(weights: Path, options: Mapping[str, object]) -> TrainingJob:
    # Half held out, since the golden patients are few.
    settings = SetSettings(held_out=0.5, leave_out_constant=True, mirror=False)
    training_set = build_training_set(golden_patients(), settings)
    store = MediaStore(golden().temporary_folder("cache"))
    return TrainingJob(
        "sft",
        weights,
        golden().root / "no-out",
        training_set,
        ClipFrames(training_set.division.training, training_set.samples, store),
        HeldOut.of(training_set, VIDEO_ONLY, store, videos=1),
        Monitor(training_set.specs, golden().temporary_folder("monitor"), Limits()),
        (),
        options,
    )


def _folder(name: str) -> Path:
    return golden().temporary_folder(f"trainer-{name}")


def _other(stage: str) -> Any:
    """Return any name as a stage: the trainer decides whether it is one."""
    return stage
