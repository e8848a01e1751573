"""The executor ``reading_room``: a person answers a run's requests in a browser on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import s3harness
from s3harness import options as opt

if TYPE_CHECKING:
    from s3harness_view.exam_questions import Question
    from s3harness_view.second_answers import SecondAnswer


@dataclass(frozen=True, kw_only=True)
class RoomOptions:
    """``port`` is that of the web server; 0 takes a free one.

    ``own`` and ``advice`` are the run directories of the reader's own answers and of a model's; with them each question
    is asked a second time, with both answers shown. The second answers stand in a file in ``own``.
    """

    port: Annotated[int, opt.whole(0, 65535)] = 0
    own: Annotated[str, opt.text] = ""
    advice: Annotated[str, opt.text] = ""


async def reading_room(execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan]) -> None:
    """Serve the questions until all are answered; a run that is stopped goes on with ``--resume``.

    The run of an aided reading takes over the second answers that were given in the reader's own sitting, and asks for
    those that were not.
    """
    from s3harness_view.exam_questions import Question, in_exam_order
    from s3harness_view.reader_backend import ReaderBackend
    from s3harness_view.second_answers import FILE, read_seconds, write_second
    from s3harness_view.server import bind, serving
    from s3harness_view.sitting import Sitting, Step

    backend = execution.worker.backend
    if not isinstance(backend, ReaderBackend):
        raise s3harness.UsageError("the reading_room executor takes --backend human_reader: s3harness read does both")
    options = opt.read_options(RoomOptions, "the reading_room executor", execution.options)
    execution.identities.check(backend.identity())
    seconds_file, is_aided = Path(options.own) / FILE, bool(backend.settings.assisted)
    seconds = read_seconds(seconds_file) if options.advice else {}
    questions, left = [], set[str]()
    for plan in plans:
        left |= {request.id for step in execution.left(plan).steps for request in step.requests}
        questions += [Question(plan.video, request) for step in plan.steps for request in step.requests]
    steps: list[Step] = []
    for question in in_exam_order(questions, backend.settings.seed):
        request = question.request
        if is_aided and request.id in left and request.id in seconds:
            execution.write(request, given_before(question, seconds[request.id], backend), seconds[request.id].media)
        elif request.id in left:
            steps.append(Step(question, is_second=is_aided))
        if options.advice and not is_aided and request.id not in seconds:
            steps.append(Step(question, is_second=True))

    def write(step: Step, response: s3harness.Response, media: str) -> None:
        if is_aided or not step.is_second:
            execution.write(step.request, response, media)
        # A clip that cannot be shown now is shown again, and fails, in the run of the aided reading.
        elif response.status != "failed":
            write_second(seconds_file, response, media)

    sitting = Sitting(
        steps=steps,
        total=len(questions),
        media=backend.media,
        identity=backend.identity(),
        write=write,
        own=_answers(options.own),
        advice=_answers(options.advice),
    )
    if not steps:
        return
    async with serving(sitting.application(), bind(options.port), backend.log_send, announce):
        await sitting.finished.wait()


def given_before(question: Question, answer: SecondAnswer, backend: s3harness.Backend) -> s3harness.Response:
    """Return the response of a second answer that was given in the reader's own sitting."""
    from s3harness_view.sitting import sent_of

    return s3harness.Response(
        answer.id,
        answer.text,
        status="refused" if answer.is_declined else "ok",
        latency_s=answer.latency_s,
        sent=None if answer.is_declined else sent_of(question),
        identity=backend.identity(),
    )


def _answers(run: str) -> dict[tuple[str, int], str]:
    """Return item and window → the raw answer of a run; empty without a run."""
    journal = Path(run) / "responses.jsonl"
    entries = s3harness.read_journal(journal) if run and journal.exists() else ()
    return {(entry.item, entry.clip.index): entry.response.text for entry in entries}


def announce(address: str) -> None:
    """Print the address to open, on standard error, as a run's standard output holds its scores."""
    sys.stderr.write(f"open {address}\nCtrl-C pauses; the same command goes on with the next question.\n")
    sys.stderr.flush()
