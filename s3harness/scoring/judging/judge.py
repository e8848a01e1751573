"""Reports read by a judge: requested through any backend, each reply journalled once and read from the journal.

A reply is never requested again, so that the journal alone gives the same scores without a server. A reply that is
missing, failed, refused, cut or unreadable is counted by its reason: the report has no structure and no points.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from s3harness.errors import UsageError
from s3harness.guard.identifiers.search import Search
from s3harness.guard.outgoing_check import check_outgoing
from s3harness.guard.review import read_reviewed
from s3harness.metrics.base import Pair
from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.judge import Judge, JudgeError, judge_named
from s3harness.metrics.rqi.structure import ReportStructure
from s3harness.parsers.refusal import declines
from s3harness.plugins.manager import load
from s3harness.run.plan import ClipRequests, VideoPlan
from s3harness.run.request_texts import texts_of_request
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import Journal, read_journal
from s3harness.scoring.judging.folder import (
    JudgeSettings,
    folder_of,
    make_folder,
    note_identifiers,
    read_about,
    recorded_folder,
)
from s3harness.specs.catalogue import model_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.tasks import MetricSpec
from s3harness.types import NOT_HASHED, Clip, Prediction, PredictionStatus, Request, Response, Video

if TYPE_CHECKING:
    from s3harness.backends.base import Backend
    from s3harness.run.executor import Progress
    from s3harness.run.worker import Worker
    from s3harness.run.worker_spec import WorkerSpec

NO_MEDIA = Clip("", 0.0, 0.0, (), 0)
"""The clip of a request that is text alone."""


@dataclass(frozen=True)
class Judged:
    """A judge's readings of some reports.

    ``about`` identifies the judge and goes into the result; ``structures`` maps a text to its structure, and ``lost``
    maps any other text to the reason why it has none.
    """

    about: Mapping[str, object]
    structures: Mapping[str, ReportStructure]
    lost: Mapping[str, tuple[PredictionStatus, str]]

    @property
    def name(self) -> str:
        """Judge, backend and model in one word."""
        return "-".join(str(self.about[key]) for key in ("judge", "backend", "model") if self.about[key])

    def read(self, text: str) -> ReportStructure:
        """Return the structure of a text, an empty one for an empty text; raise :class:`JudgeError` otherwise."""
        if not text.strip():
            # Nothing to read: no request is spent on an empty report.
            return extract("")
        if text in self.structures:
            return self.structures[text]
        status, note = self.lost.get(text, ("missing", "it was not asked about"))
        raise JudgeError(f"judge {self.name} could not read a report: {status}: {note}")

    def counts(self) -> dict[str, int]:
        """Return the number of texts read, and of those not read by reason."""
        return {"read": len(self.structures), **sorted_counts(status for status, _ in self.lost.values())}


def judge_reports(texts: Iterable[str], settings: JudgeSettings, progress: Progress) -> Judged:
    """Have a judge read texts, each once; replies that are journalled already are not requested again.

    Raises :class:`UsageError` if the call is wrong, a report holds an identifier, or there is neither a backend nor a
    journal, :class:`~s3harness.errors.S3HarnessError` if the engine cannot be loaded, and ``KeyboardInterrupt`` if
    stopped; replies so far are journalled.
    """
    judge = judge_named(settings.judge)
    # Equal texts are read once, and get equal structures.
    requests = {text: _request(judge, settings.judge, text) for text in dict.fromkeys(texts) if text.strip()}
    ask = settings.backend is not None
    directory = _ask(list(requests.values()), settings, progress) if ask else recorded_folder(settings)
    replies = {entry.id: entry.response for entry in read_journal(directory / JOURNAL)}
    readings = {text: _reading(judge, text, replies.get(request.id)) for text, request in requests.items()}
    return Judged(
        read_about(directory),
        {text: one for text, one in readings.items() if isinstance(one, ReportStructure)},
        {text: one for text, one in readings.items() if not isinstance(one, ReportStructure)},
    )


def judged_metric(spec: MetricSpec, judged: Judged) -> MetricSpec:
    """Return the Seizure-RQI of a task read by the judge, whom its label names."""
    label = f"{spec.label}, read by {judged.name}"
    return replace(spec, label=label, params={**spec.params, "read": judged.read})


def judged_pairs(pairs: Iterable[Pair], judged: Judged) -> list[Pair]:
    """Return the pairs; one whose report or expert's report has no structure loses its answer."""
    return [replace(pair, prediction=_judged(pair, judged)) for pair in pairs]


def reports_of(pairs: Iterable[Pair]) -> set[str]:
    """Return the texts that a judge must read to score these pairs: the reports, and the experts' reports."""
    return {text for pair in pairs for text in _texts(pair)}


def _judged(pair: Pair, judged: Judged) -> Prediction:
    lost = [judged.lost[text] for text in _texts(pair) if text in judged.lost]
    # An item without an answer keeps its own reason.
    if not lost or not pair.is_answered:
        return pair.prediction
    status, note = lost[0]
    return Prediction(pair.prediction.item, None, status, f"judge {judged.name}: {note}")


def _texts(pair: Pair) -> tuple[str, ...]:
    truth = pair.reference.truth
    expert = str(truth.get("text") or "") if isinstance(truth, Mapping) else ""
    return (expert, str(pair.prediction.value)) if pair.is_answered else (expert,)


def sorted_counts(words: Iterable[str]) -> dict[str, int]:
    """Return word → number of occurrences, in alphabetical order."""
    return dict(sorted(Counter(words).items()))


def _reading(judge: Judge, text: str, response: Response | None) -> ReportStructure | tuple[PredictionStatus, str]:
    """Return the structure in a reply, or the reason why there is none."""
    if response is None:
        return "missing", "no reply is journalled"
    if response.status != "ok":
        return response.status, response.error
    reading = judge.read(response.text, text)
    if isinstance(reading.value, ReportStructure):
        return reading.value
    return ("refused" if declines(response.text) else "unparsable"), reading.note


def _ask(requests: Sequence[Request], settings: JudgeSettings, progress: Progress) -> Path:
    """Request the replies that are missing; return the folder with all of them."""
    backend = cast("type[Backend]", load("backend", str(settings.backend)))
    model = _model(settings, backend)
    directory = folder_of(settings, model)
    # Failures are asked again; refusals and cut replies are replies.
    answered = {entry.id for entry in read_journal(directory / JOURNAL) if entry.response.status != "failed"}
    todo = tuple(request for request in requests if request.id not in answered)
    identifiers = _identifiers(todo, settings)
    progress.total = len(todo)
    worker_spec = _worker_spec(settings, backend, model)
    # With every reply journalled no engine is needed, and none is made.
    worker = worker_spec.worker() if todo else None
    make_folder(directory, settings, model)
    if identifiers:
        note_identifiers(directory, identifiers)
    if worker:
        _carry_out(worker_spec, worker, todo, directory, progress)
    return directory


def _identifiers(todo: Iterable[Request], settings: JudgeSettings) -> Mapping[str, object]:
    """Return the identifiers that the user lets through; raise :class:`IdentifiersError` without the reason."""
    seen: set[str] = set()
    texts = (text for request in todo for text in texts_of_request(request, Video("", ""), seen))
    search = Search(settings.words, reviewed=read_reviewed(settings.folder))
    return check_outgoing(texts, search, settings.consent, "the judge")


def _carry_out(
    worker_spec: WorkerSpec, worker: Worker, todo: tuple[Request, ...], directory: Path, progress: Progress
) -> None:
    from s3harness.guard.audit_log import AuditLog
    from s3harness.guard.redaction import Redactor
    from s3harness.run.event_loop import run_until_stopped
    from s3harness.run.executor import Execution, local, started_facts

    plan = VideoPlan(Video("", ""), (ClipRequests(NO_MEDIA, todo),), ())
    started = started_facts(worker.backend, worker_spec.model.name, "local", worker_spec.allow_remote)
    with Journal(directory) as journal, AuditLog(directory, started, progress.counts) as audit:
        worker.backend.log_send = audit.sent
        execution = Execution(
            worker_spec=worker_spec, worker=worker, journal=journal, redact=Redactor(()), progress=progress
        )
        run_until_stopped(local(execution, [plan]))


def _worker_spec(settings: JudgeSettings, backend: type[Backend], model: ModelCard) -> WorkerSpec:
    from s3harness.media.options import MediaOptions
    from s3harness.run.worker_spec import WorkerSpec

    name, options = str(settings.backend), settings.options
    return WorkerSpec(
        name=name,
        backend=backend,
        model=model,
        options=options,
        cache_dir=None,
        cache_bytes=None,
        media=MediaOptions(),
        allow_remote=settings.allow_remote,
        sends="reports",
    )


def _request(judge: Judge, name: str, text: str) -> Request:
    """Return the request about one report; its item is a hash of the report."""
    request = Request(
        id="",
        task=f"judge/{name}",
        # errors="replace", for a model may return lone surrogates, which UTF-8 cannot encode.
        item=hashlib.sha256(text.encode(errors="replace")).hexdigest()[:20],
        subject="report",
        clip=NO_MEDIA,
        prompt=judge.prompt(text),
        system=judge.system,
        answer_schema=judge.answer_schema,
        generation=judge.generation,
    )
    content = {key: value for key, value in asdict(request).items() if key not in NOT_HASHED | {"clip"}}
    return replace(request, id=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20])


def _model(settings: JudgeSettings, backend: type[Backend]) -> ModelCard:
    """Return the card of the judge's model; a model without a card has the name that the backend knows it by."""
    name = settings.model
    if name is None or backend.is_model:
        if name is not None or (backend.modalities is None and not backend.is_model):
            what = "is a model itself and takes no" if name else "needs a model:"
            raise UsageError(f"the {settings.backend} backend {what} --judge-model")
        return ModelCard("", modalities=backend.modalities or ())
    if name in model_names() or name.endswith((".yaml", ".yml")):
        return load_model(name)
    return ModelCard(name, weights=name, modalities=())
