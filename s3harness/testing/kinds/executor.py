"""Promises of an executor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.guard.redaction import Redactor
from s3harness.run.executor import Execution, Progress, local
from s3harness.run.plan import Plan, VideoPlan
from s3harness.run.worker_spec import WorkerSpec
from s3harness.rundir.journal import FILE, Journal, read_journal
from s3harness.testing.brightness import BrightnessBackend
from s3harness.testing.golden import golden, golden_plan
from s3harness.testing.trial import Bench, takes

PROMISES: Mapping[str, str] = {
    "form": "it is a function of an Execution and an iterable of VideoPlan, and returns a coroutine",
    "answers": "every request is answered once, with the same answer as by the local executor",
    "resumes": "answered requests are not sent again",
    "failures": "an undecodable video fails only its own requests",
    "unknown": "an unknown option is a UsageError",
}
LIMITS = 4.0
"""Limits of one trial, since workers in other processes take a while to start."""


def try_it(bench: Bench) -> None:
    """Try an executor on golden videos with a backend that reads frames; ``bench.settings.options`` are -x options."""
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, None, ())
    if not bench.must("form", not wrong, wrong):
        return
    folder, options = golden().temporary_folder("executor"), dict(bench.settings.options)
    plans = list(_plan())
    # Outside of a trial: the local executor is the reference, not the component.
    _carry_out(bench, local, folder / "local", plans, {})
    expected = _answers(folder / "local")
    with bench.trying("answers", limits=LIMITS):
        _carry_out(bench, bench.thing, folder / "own", plans, options)
        answers = _answers(folder / "own")
        differ = [item for item in expected if expected[item] != answers.get(item)]
        bench.must("answers", not differ, f"{len(differ)} of {len(expected)} answers are missing or different")
        # Answers are read by id, which hides a request that was sent twice; lines of the journal do not.
        twice = _lines(folder / "own") - len(expected)
        bench.must("answers", twice == 0, f"{twice} lines too many in the journal (too few if negative)")
    with bench.trying("resumes", limits=LIMITS):
        before = _lines(folder / "local")
        _carry_out(bench, bench.thing, folder / "local", plans, options)
        # In the folder of the local executor, for the journal must be resumable across executors.
        bench.must("resumes", _lines(folder / "local") == before, "a run that was done has more answers than before")
    with bench.trying("failures", limits=LIMITS):
        _try_broken(bench, folder / "broken", plans, options)
    _try_unknown(bench, folder / "unknown", plans, options)


def _plan() -> Plan:
    return golden_plan(_worker_spec(Path()).model)


def _worker_spec(cache: Path) -> WorkerSpec:
    from s3harness.media.options import MediaOptions
    from s3harness.specs.models import ModelCard

    card = ModelCard("golden", modalities=("video",))
    return WorkerSpec(
        name="brightness",
        backend=BrightnessBackend,
        model=card,
        options={},
        cache_dir=cache,
        cache_bytes=None,
        media=MediaOptions(),
    )


def _carry_out(bench: Bench, executor: Any, folder: Path, plans: list[VideoPlan], options: Mapping[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    spec = _worker_spec(folder / "cache")
    with Journal(folder) as journal:
        execution = Execution(
            worker_spec=spec,
            worker=spec.worker(),
            journal=journal,
            redact=Redactor(()),
            progress=Progress(),
            options=options,
        )
        asyncio.run(_limited(executor(execution, plans), LIMITS * bench.settings.limit_s))


async def _limited(work: Any, limit_s: float) -> None:
    # From inside the loop, so that the executor is cancelled and can stop its workers.
    async with asyncio.timeout(limit_s):
        await work


def _try_broken(bench: Bench, folder: Path, plans: list[VideoPlan], options: Mapping[str, Any]) -> None:
    from dataclasses import replace

    first, *others = plans
    missing = replace(first, video=replace(first.video, path=golden().root / "no-such-file.mp4"))
    _carry_out(bench, bench.thing, folder, [missing, *others], options)
    entries = list(read_journal(folder / FILE))
    with_media = {r.id for step in first.steps for r in step.requests if not step.clip.is_text_only}
    statuses = {entry.response.status for entry in entries if entry.id in with_media}
    other_statuses = {entry.response.status for entry in entries if entry.clip.video_id != first.video.id}
    bench.must("failures", statuses == {"failed"}, f"the requests of a missing file ended as {statuses or 'nothing'}")
    bench.must(
        "failures", other_statuses == {"ok"}, f"the requests of another video came to {other_statuses or 'nothing'}"
    )


def _try_unknown(bench: Bench, folder: Path, plans: list[VideoPlan], options: Mapping[str, Any]) -> None:
    try:
        _carry_out(bench, bench.thing, folder, plans, {**options, "no_such_option": 1})
    except UsageError:
        return
    # Whatever it is: a SystemExit of a worker is no Exception.
    except BaseException as error:
        bench.broke("unknown", f"{type(error).__name__}: {error}")
        return
    bench.broke("unknown", "no_such_option=1 was accepted")


def _answers(folder: Path) -> dict[str, tuple[str, str]]:
    return {entry.id: (entry.response.status, entry.response.text) for entry in read_journal(folder / FILE)}


def _lines(folder: Path) -> int:
    return sum(1 for _ in read_journal(folder / FILE))
