"""A prepared run → its answers, journalled, and its scores."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from s3harness.backends.base import Truth
from s3harness.dataset.sources import private_words
from s3harness.errors import UsageError
from s3harness.evaluation.engine_context import EngineContext
from s3harness.evaluation.prepare import PreparedRun
from s3harness.files import digest, write_text
from s3harness.guard.audit_log import AuditLog
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.redaction import Redactor
from s3harness.plugins.manager import load, manager
from s3harness.run.event_loop import on_sigterm, run_until_stopped
from s3harness.run.executor import Execution, started_facts
from s3harness.run.media_check import MediaCheck, plan_check
from s3harness.run.plan import Plan
from s3harness.run.worker_spec import WorkerSpec
from s3harness.rundir.eyes import note_check, passed_engines
from s3harness.rundir.identities import Identities, write_counts
from s3harness.rundir.items import write_items
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import Journal, read_journal
from s3harness.rundir.manifest import finish_manifest, note_identifiers, note_model, start_manifest
from s3harness.rundir.sent import FILE as SENT
from s3harness.rundir.sent import sent_summary, sent_text
from s3harness.types import Reference, RunInfo, Score

if TYPE_CHECKING:
    from s3harness.run.executor import Progress
    from s3harness.run.worker import Worker


@dataclass
class RequestCount:
    """Number of requests of a plan, and of those not answered yet."""

    requests: int = 0
    todo: int = 0


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """Scores of a run, the number of its requests, and how many of them failed."""

    scores: Sequence[Score]
    requests: int
    failed: int


def execute(run: PreparedRun, progress: Progress) -> RunOutcome:
    """Ask what is not answered yet, then score.

    Raises :class:`~s3harness.errors.S3HarnessError` where the run cannot go on and ``KeyboardInterrupt`` where it is
    stopped; either way everything answered is journalled, and a resumed run goes on from there.
    """
    directory, settings = run.settings.out, run.settings
    worker_spec = run.worker_spec
    worker = worker_spec.worker()
    # Batch systems stop a job with SIGTERM, which then ends a run as Ctrl-C does: with its journal whole.
    with on_sigterm(signal.default_int_handler):
        if run.backend_class.sees_truth:
            worker_spec = replace(worker_spec, truth=_truth(run))
            worker = worker_spec.worker()
        # A wrong sampler mostly fails with the first video already: better before anything is written.
        next(iter(run.plan))
        _make_directory(directory)
        with Journal(directory) as journal:
            start_manifest(
                directory,
                run.identity,
                resume=settings.resume,
                is_new=journal.is_empty,
                allow_mixed=bool(settings.allow_mixed),
            )
            if run.identifiers:
                note_identifiers(directory, run.identifiers)
            if run.model_notes:
                note_model(directory, run.model_notes)
            count = RequestCount()
            write_items(directory, _counted(run.plan, journal, count))
            # Hashed, so that later commands can search for the words without the data set, and nobody can read them.
            PrivateWords.hashed(private_words(settings.data, run.dataset.videos)).write(directory)
            with _audit(run, worker, progress) as audit:
                worker.backend.log_send = audit.sent
                scores, failed = _answer(run, worker_spec, worker, journal, progress, count)
    progress.messages += manager().run_finished(_info(run, count.requests), tuple(scores))
    return RunOutcome(scores, count.requests, failed)


def _answer(
    run: PreparedRun, worker_spec: WorkerSpec, worker: Worker, journal: Journal, progress: Progress, count: RequestCount
) -> tuple[Sequence[Score], int]:
    """Ask what is not answered yet, score, finish the manifest; return the scores and the number of failed requests."""
    # scikit-learn and scipy take half a second to import: not before the engine has been asked.
    from s3harness.scoring.score_run import score_run

    directory, settings = run.settings.out, run.settings
    started = time.perf_counter()
    progress.messages += manager().run_started(_info(run, count.requests))
    progress.total, before = count.todo, journal.n_answered
    context = EngineContext(run.plan, run.context, progress)
    # A complete run is only scored again; its engine need not be loaded.
    if progress.total:
        _ask(run, worker_spec, worker, journal, context)
    asking_s = time.perf_counter() - started
    _sort_sent(directory)
    write_counts(directory, _answers_by_identity(directory))
    engine = dict(worker.backend.facts())
    # Counted by the journal, in which a request that was answered on a second attempt has not failed.
    failed = count.todo - (journal.n_answered - before)
    facts = _journal_facts(directory)
    progress.messages += _reasoning_message(run, facts)
    scores = score_run(directory)
    # The strict scores are always written: reports and leaderboards read them.
    if settings.profile != "strict":
        scores = score_run(directory, profile=settings.profile)
    finish_manifest(
        directory,
        status="complete",
        requests=count.requests,
        failed=failed,
        seconds=round(time.perf_counter() - started, 3),
        session={"asked": progress.total, "seconds": round(asking_s, 3)},
        allow_remote=list(settings.allow_remote),
        **({"engine": engine} if engine else {}),
        decoder=_decoder(run),
        **facts,
        **context.facts(),
    )
    return scores, failed


def _ask(run: PreparedRun, worker_spec: WorkerSpec, worker: Worker, journal: Journal, context: EngineContext) -> None:
    settings = run.settings
    redact = Redactor(private_words(settings.data, run.dataset.videos))
    executor = cast("Callable[..., Coroutine[Any, Any, None]]", load("executor", settings.executor))
    identities = _identities(run, journal)
    execution = Execution(
        worker_spec=worker_spec,
        worker=worker,
        journal=journal,
        redact=redact,
        progress=context.progress,
        options=settings.executor_options,
        identities=identities,
        media_check=_media_check(run),
        check_context=context.check,
        note_media_check=lambda result: note_check(settings.out, result.as_json()),
    )
    if settings.allow_blind:
        note_check(settings.out, {"allowed": settings.allow_blind})
    run_until_stopped(executor(execution, run.plan), worker.backend.limits.timeout_s)


def _counted(plan: Plan, journal: Journal, count: RequestCount) -> Iterator[Reference]:
    """Yield all references of a plan and count its requests on the way."""
    # One walk does both: a plan of 50,000 videos is never held in memory.
    for video in plan:
        for request in (request for step in video.steps for request in step.requests):
            count.requests += 1
            count.todo += not journal.is_answered(request.id)
        yield from video.references


def _truth(run: PreparedRun) -> Truth:
    # Requests bear the name of the task that asks, references that of the task that is scored.
    kinds = {task.name: task.item for task in (*run.plan.requested, *run.plan.scored)}
    videos = {video.id: video for video in run.dataset.videos}
    references = {reference.item: reference for video in run.plan for reference in video.references}
    return Truth(videos, references, kinds, run.interventions.truth_changes)


def _identities(run: PreparedRun, journal: Journal) -> Identities:
    """Return the identities of whoever has answered so far; the backend and its package are part of each."""
    settings = run.settings
    entry = manager().registry.entry("backend", settings.backend)
    common = {"backend": settings.backend, "package": f"{entry.package} {entry.version}"}
    answered = set(journal.answered_by)
    return Identities.of_run(
        settings.out, common, settings.allow_mixed, answered, is_new=journal.n_answered == 0 or bool(answered)
    )


def _media_check(run: PreparedRun) -> MediaCheck | None:
    """Return the check of the model's eyes and ears; ``None`` where there is no model, or the user allows it blind."""
    backend, settings = run.backend_class, run.settings
    # Without a card there is no model: a trivial answerer, an oracle, an algorithm.
    if not backend.uses_media or backend.sees_truth or settings.model is None or settings.allow_blind:
        return None
    check = plan_check(iter(run.plan), run.plan.model.name, run.plan.model.modalities)
    return check and replace(check, passed=passed_engines(settings.out))


def _audit(run: PreparedRun, worker: Worker, progress: Progress) -> AuditLog:
    settings = run.settings
    started = started_facts(worker.backend, run.plan.model.name, settings.executor, settings.allow_remote)
    if run.identifiers:
        started["identifiers"] = run.identifiers
    return AuditLog(settings.out, started, progress.counts)


def _make_directory(directory: Path) -> None:
    # A run written into a data set would be taken for a part of it by the next import or export.
    if (directory / "dataset.json").exists():
        raise UsageError(f"{directory} is a data set; choose another --out")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be made: {error.strerror}; choose another --out") from error


def _info(run: PreparedRun, requests: int) -> RunInfo:
    settings = run.settings
    return RunInfo(
        directory=settings.out,
        backend=settings.backend,
        model=run.plan.model.name,
        tasks=tuple(task.name for task in run.plan.scored),
        protocol=settings.protocol,
        n_requests=requests,
    )


def _sort_sent(directory: Path) -> None:
    """Put the records of what was sent in a fixed order."""
    # They are written as answers come, which differs from run to run; equal runs have equal files.
    if (directory / SENT).exists():
        write_text(directory / SENT, sent_text(directory), is_private=True)


def _decoder(run: PreparedRun) -> dict[str, object]:
    """Describe what decoded the videos; empty for a backend that uses no media."""
    if not run.backend_class.uses_media:
        return {}
    from s3harness.media.container import Decoding, describe_decoder

    return describe_decoder(Decoding(run.settings.media.threads, run.settings.media.hwaccel))


def _journal_facts(directory: Path) -> dict[str, object]:
    """Return what the journal holds of the whole run: tokens, and a digest of all media that was shown."""
    media: set[str] = set()
    prompt, completion, reasoned, answered = 0, 0, 0, 0
    for entry in read_journal(directory / JOURNAL):
        # Text-only requests show no media.
        media |= {entry.media} - {""}
        prompt += entry.response.prompt_tokens or 0
        completion += entry.response.completion_tokens or 0
        reasoned += bool(entry.response.reasoning)
        answered += entry.response.status != "failed" and not entry.is_composed
    tokens = {"prompt": prompt, "completion": completion}
    facts: dict[str, object] = {"media_sha256": digest(media), "tokens": tokens, "sent": sent_summary(directory)}
    return facts | ({"reasoning": {"answers": answered, "reasoned": reasoned}} if reasoned else {})


def _reasoning_message(run: PreparedRun, facts: Mapping[str, Any]) -> list[str]:
    """Return a message where reasoning was turned on and some answers came without any."""
    if not any(task.generation.thinking for task in run.plan.requested):
        return []
    counts = facts.get("reasoning", {"answers": None, "reasoned": 0})
    if counts["reasoned"] == counts["answers"]:
        return []
    return [
        f"thinking was on, but only {counts['reasoned']} answers came with reasoning: the model has none, or a server "
        "was started without its reasoning parser and held the whole reply to the form of the answer"
    ]


def _answers_by_identity(directory: Path) -> Counter[int]:
    """Count the answers of each identity by its number; answers of a journal that has no identities are 0's."""
    answered_by: dict[str, int] = {}
    for entry in read_journal(directory / JOURNAL):
        # A failure is nobody's answer, and is asked again on resuming.
        if entry.response.status != "failed" and not entry.is_composed:
            answered_by[entry.id] = entry.by or 0
    return Counter(answered_by.values())
