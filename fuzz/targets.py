"""Parsers of outside data, each as a function of a folder with the files of one input.

A target returns, or raises one of the errors that its parser documents.
"""

from __future__ import annotations

import asyncio
import json
import platform
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.server import Server
from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.specs.tasks import TaskSpec

MODEL = "some-model"
MAX_TEXT = 100_000
"""Characters of a text: as many as a cell of a table or a prompt may have."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser, the errors that it may raise, and whether it talks to the :class:`Server` of this process.

    Inputs with different results count as different for the corpus.
    """

    run: Callable[[Path], object]
    raises: tuple[type[Exception], ...] = (S3HarnessError,)
    is_served: bool = False


def _spec(folder: Path) -> None:
    """Read a task spec: list its problems, then render its prompts and parse its answers, as a run would."""
    from s3harness.scoring.answers import parse
    from s3harness.specs.loading import problems_of, read_task
    from s3harness.specs.models import ModelCard
    from s3harness.specs.prompts import prompt_about, prompt_parts
    from s3harness.specs.tasks import resolve
    from s3harness.types import Clip

    path = folder / "task.yaml"
    # First all problems, which even a wrong spec must give within the bounds; then as a run reads it, until the first.
    problems_of(path)
    document = read_task(path)
    spec = resolve(document.data, protocol="paper", profile="strict", model=ModelCard(MODEL))
    if "prompt" not in spec.data:
        return
    prompt_parts(spec.prompt, spec.item, "tonic")
    about: dict[str, Any] = {"item": spec.item, "subject": "tonic", "hears": True, "report": "A report."}
    prompt_about(spec.prompt, clip=Clip("v0001", 0.0, 30.0, (0.0, 1.0), 100), **about)
    for text in ('{"answer": "yes", "justification": "x"}', "a" * 5_000, "left"):
        parse(text, spec, "tonic")


def _card(folder: Path) -> None:
    from s3harness.specs.models import read_card

    read_card(folder / "card.yaml")


def _schema(folder: Path) -> None:
    """Check an answer schema, and validate an answer by it: refused, or cheap whatever the model answers."""
    from s3harness.guard.answer_schema import answer_validator, check_answer_schema

    try:
        schema, answer = (parse_json((folder / name).read_bytes()) for name in ("schema.json", "answer.json"))
    except (OSError, ValueError):
        return
    check_answer_schema(schema)
    list(answer_validator(schema).iter_errors(answer))


def _template(folder: Path) -> None:
    from s3harness.specs.prompts import prompt_context, prompt_parts, render
    from s3harness.types import Clip

    template = _text(folder / "prompt.txt")
    clip = Clip("v0001", 0.0, 30.0, (0.0, 1.0), 100)
    prompt_parts(template, "diagnosis", "video_and_report")
    render(
        template,
        prompt_context(item="diagnosis", subject="video_and_report", hears=True, clip=clip, report="word " * 200),
    )


def _dataset(folder: Path) -> object:
    from s3harness.dataset.validate import validate_dataset, written_identifiers

    dataset, problems = validate_dataset(folder, media=False)
    [str(problem) for problem in problems]
    list(written_identifiers(folder, dataset))
    return sorted({(problem.column, problem.message[-20:]) for problem in problems})


def _table(folder: Path) -> None:
    """Import an annotators' table with its mapping, and load the data set; draft a mapping and import by that."""
    from s3harness.dataset.drafting.mapping_file import draft_file
    from s3harness.dataset.import_table import import_table
    from s3harness.dataset.load import load_dataset

    with suppress(S3HarnessError):
        drafted = folder / "drafted.yaml"
        _, code = draft_file(folder / "table.csv", drafted)
        import_table(folder / "table.csv", folder / "by-draft", mapping=drafted, confirmed=code)
    import_table(folder / "table.csv", folder / "out", mapping=folder / "mapping.yaml")
    load_dataset(folder / "out")


def _run(folder: Path) -> None:
    """Read a run directory line by line, then score it."""
    from s3harness.rundir.items import Items
    from s3harness.rundir.journal import mend, read_journal
    from s3harness.rundir.manifest import read_manifest
    from s3harness.scoring.score_file import read_scores
    from s3harness.scoring.score_run import score_run

    with suppress(S3HarnessError):
        list(read_journal(folder / "responses.jsonl"))
    with suppress(S3HarnessError):
        list(Items(folder))
    with suppress(S3HarnessError):
        read_scores(folder)
    read_manifest(folder)
    score_run(folder, resamples=20)
    if (folder / "responses.jsonl").exists():
        mend(folder / "responses.jsonl")


def _submission(folder: Path) -> object:
    """Verify a submission whose hashes are right, so that the checks after them are reached."""
    from s3harness.leaderboard.folder import SUBMISSION
    from s3harness.leaderboard.verify import verify

    _sign(folder, folder / SUBMISSION)
    return sorted({(finding.file, finding.kind, finding.message[-12:]) for finding in verify(folder).findings})


def _sign(folder: Path, path: Path) -> None:
    """Put the true hashes into a submission, as somebody who packs one by hand would."""
    # A file that cannot be read keeps its wrong hash: to refuse it is the verifier's part.
    from s3harness.leaderboard.folder import MAX_FILE_BYTES, SUBMISSION, answers_sha256
    from s3harness.leaderboard.item_sets import item_sets
    from s3harness.leaderboard.safe_json import loads

    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        import hashlib

        about = loads(path.read_bytes())
        files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.stat().st_size < MAX_FILE_BYTES]
        named = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
        about["files"] = {name: digest for name, digest in named.items() if name != SUBMISSION}
        # Written twice: hashes of answers that cannot be read must not keep back those of the files.
        path.write_text(json.dumps(about))
        about["answers_sha256"] = answers_sha256(_rows(folder / "responses.jsonl"))
        about["items_sha256"] = item_sets(_rows(folder / "items.jsonl"))
        path.write_text(json.dumps(about))


def _rows(path: Path) -> list[Any]:
    from s3harness.leaderboard.safe_json import loads

    return [loads(line) for line in path.read_bytes().splitlines()]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[:MAX_TEXT] if path.exists() else ""


@cache
def _strict_specs() -> Mapping[str, TaskSpec]:
    from s3harness.specs.loading import load_task, task_names
    from s3harness.specs.models import ModelCard
    from s3harness.specs.tasks import resolve

    card = ModelCard(MODEL)
    return {
        name: resolve(load_task(name).data, protocol="paper", profile="strict", model=card) for name in task_names()
    }


def _reply(folder: Path) -> object:
    """Parse a model's reply for every task: any text gives a reading."""
    from s3harness.parsers.refusal import looks_like_refusal
    from s3harness.scoring.answers import parse

    text = (folder / "reply.txt").read_bytes().decode(errors="surrogateescape")[:MAX_TEXT]
    notes = set()
    for spec in _strict_specs().values():
        if "answer" in spec.data:
            for subject in ("tonic", "onset", "video_and_report", ""):
                reading = parse(text, spec, subject)
                # A reading without a value must say so: it would otherwise be scored as an answer.
                assert (reading.value is None) == (reading.status == "unparsable"), reading
                json.dumps(reading.value, allow_nan=False)
                notes.add((reading.status, reading.note[:12]))
    return sorted(notes), looks_like_refusal(text)


def _report(folder: Path) -> object:
    """Score a report against an expert's, both written by others."""
    from s3harness.language import language_of
    from s3harness.metrics.rqi.score import score_report

    text = _text(folder / "report.txt")
    truth = {**_TRUTH, "text": _text(folder / "expert.txt")}
    scores = [score_report(text, truth, preset) for preset in ("paper", "strict", "strict-2")]
    return [(score.value is None, score.undefined[:12], score.unread[:12]) for score in scores], language_of(text)


_TRUTH: Mapping[str, object] = {
    "events": ["tonic", "head_turning"],
    "sides": {"head_turning": "left"},
    "untested": ["clonic"],
}


def _identifiers(folder: Path) -> object:
    from s3harness.guard.identifiers.own_words import OwnWords
    from s3harness.guard.identifiers.search import Search, fingerprint, masked

    text = _text(folder / "text.txt")
    words = _text(folder / "words.txt").splitlines()[:50]
    identifiers = Search(OwnWords.of(words))(text)
    for one in identifiers:
        fingerprint(text, one)
        masked(text, one, identifiers)
    return sorted({one.kind for one in identifiers})


def _json(folder: Path) -> None:
    """Read JSON leniently and strictly: a value or :class:`ValueError`."""
    from s3harness.leaderboard.safe_json import loads

    data = (folder / "value.json").read_bytes()
    for read in (parse_json, loads):
        with suppress(ValueError):
            # What was read must be writable, too: half a surrogate pair once was not.
            json.dumps(read(data))


def _records(folder: Path) -> None:
    """Read the smaller files that somebody else may have written, all with the same content."""
    # One input for all readers: a record that is right for one is a wrong one for the others.
    from s3harness.dataset.run_card import read_card
    from s3harness.diagnosis.model_file import read_model
    from s3harness.diagnosis.result_file import read_diagnosis
    from s3harness.guard.audit_log import read_audit
    from s3harness.guard.private_words import PrivateWords
    from s3harness.guard.review import read_reviewed
    from s3harness.leaderboard.entries import published, released
    from s3harness.rundir.sent import read_sent
    from s3harness.scoring.judging.folder import read_about
    from s3harness.training.sample import SampleTruth

    data = next(iter(folder.iterdir())).read_bytes()
    for name in ("run_card.json", "diagnosis.json", "reviewed.json", "private.json", "judge.json", "sent.jsonl"):
        (folder / name).write_bytes(data)
    (folder / "responses.jsonl").write_bytes(b"")
    path = folder / "private.json"
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_card(folder),
        lambda: read_diagnosis(folder),
        lambda: read_model(path),
        lambda: read_reviewed(folder),
        lambda: list(released(path)),
        lambda: published(folder),
        lambda: list(read_audit(folder / "sent.jsonl")),
        lambda: PrivateWords.read(folder),
        lambda: read_sent(folder),
        lambda: read_about(folder),
        lambda: SampleTruth.from_text(data.decode(errors="replace")),
    )
    for read in readers:
        with suppress(S3HarnessError):
            read()


def _http(folder: Path) -> None:
    """Talk to a server that answers each request with the same bytes, which may be no HTTP."""
    asyncio.run(_ask(_server().serve((folder / "reply.http").read_bytes())))


async def _ask(url: str) -> None:
    from s3harness_openai.client import ServerClient
    from s3harness_openai.discovery import _parse_models
    from s3harness_openai.errors import ContentFiltered, TransientError, check_status, redactor
    from s3harness_openai.options import OpenAIOptions
    from s3harness_openai.response import count_cached_tokens, model_name, parse_response
    from s3harness_openai.transport import GuardedTransport

    import s3harness

    clip = s3harness.Clip("v0001", 0.0, 1.0, (0.0,), 100)
    request = s3harness.Request(
        id="r1", task="s3/task1_features", item="i1", subject="tonic", clip=clip, prompt="?", choices=("yes", "no")
    )
    transport = GuardedTransport(s3harness.Guard(), proxy="", log_send=lambda *_: None)
    client = ServerClient(OpenAIOptions(), transport)
    redact = redactor("k")
    try:
        with suppress(TransientError, ContentFiltered, s3harness.S3HarnessError):
            _parse_models(url, await client.get(url, "/models", 1.0), redact)
        reply = await client.post(url, "/chat/completions", [b"{}"], 1.0, request_id="r1")
        check_status(reply.status, reply.retry_after_s, reply.body, redact, ("logprobs", "seed"))
        model_name(parse_response(reply.body, request, redact))
        count_cached_tokens(reply.body)
    finally:
        await client.close()


# One for each process: a fork has the socket of its parent, and no thread that answers at it.
@cache
def _server() -> Server:
    return Server()


def warm_up(target: Target, files: Callable[[Path], None]) -> None:
    """Run a target on a right input, so that its processes begin with all that it imports."""
    if target.is_served:
        import openai  # noqa: F401 (a server's thread would not live on in them)
        import s3harness_openai.backend  # noqa: F401

        # OpenAI's client names the platform in its headers; Python finds it out once, by a process and a file.
        platform.platform()
        with suppress(OSError):
            platform.freedesktop_os_release()
        return
    with tempfile.TemporaryDirectory() as folder:
        files(Path(folder))
        target.run(Path(folder))


def port() -> int:
    """Return the port of this process's server."""
    return _server().port


def _troubles() -> tuple[type[Exception], ...]:
    from s3harness_openai.errors import ContentFiltered, TransientError

    return (S3HarnessError, TransientError, ContentFiltered)


def targets() -> dict[str, Target]:
    """Return the targets by name."""
    from s3harness.guard.answer_schema import SchemaRefusedError

    return {
        "spec": Target(_spec),
        "card": Target(_card),
        "schema": Target(_schema, (SchemaRefusedError,)),
        "template": Target(_template),
        "dataset": Target(_dataset),
        "table": Target(_table),
        "run": Target(_run),
        "submission": Target(_submission),
        "reply": Target(_reply, ()),
        "report": Target(_report, ()),
        "identifiers": Target(_identifiers, ()),
        "json": Target(_json, ()),
        "records": Target(_records, ()),
        "http": Target(_http, _troubles(), is_served=True),
    }
