"""Asking a question until it is answered: which server, how often, and what to do about trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import s3harness
from s3harness_openai.errors import (
    Busy,
    ContextOverflow,
    Declined,
    Faulty,
    Forgotten,
    Mistaken,
    Rejected,
    Repeated,
    Trouble,
    Unanswered,
    Unreachable,
    Withheld,
    Words,
    check_status,
)
from s3harness_openai.options import Options
from s3harness_openai.payload import Question
from s3harness_openai.response import answered_as, cached_tokens, read_reply
from s3harness_openai.served import is_answer_of
from s3harness_openai.server_pool import Fleet, Server, Sight, pause_s
from s3harness_openai.transport import Wire

MISSES_BELIEVED = 3
"""A server that has forgotten a clip so many times that it was just shown is not asked by id any more."""

MISTAKEN_BELIEVED = 3
"""After so many replies in a row that another model gave, servers are asked nothing more: a router sits behind them."""

IDS = "media ids"
LEFT_OUT = {
    "logprobs": "it gives no probabilities, so there are none of the answers",
    "structured": "it does not take the schema of the answer, so answers were free text",
    "max_tokens": "it wants max_completion_tokens instead of max_tokens, and got it",
    "temperature": "it takes no temperature, so its own was used",
    "seed": "it takes no seed, so none was given",
    IDS: "it forgets clips that it was just shown, so each request brought its clip",
}


@dataclass
class _Course:
    """How the asking of one question has gone so far."""

    attempts: int = 1
    put_off_since: float | None = None
    avoid: Server | None = None
    is_rejected: bool = False
    without: set[str] = field(default_factory=set)


class Client:
    """Asks questions of the servers of a fleet. ``names`` are those that a reply may give the model."""

    def __init__(
        self,
        fleet: Fleet,
        wire: Wire,
        options: Options,
        words: Words,
        note: Callable[[str], None],
        names: Collection[str] = (),
    ) -> None:
        self._fleet, self._wire, self._options, self._words, self._note = fleet, wire, options, words, note
        self._names = tuple(names)
        self._mistaken = 0
        self.prompt_tokens = self.cached_tokens = 0

    async def ask(self, question: Question) -> s3harness.Response:
        """The response to a question.

        What a server rejects is put to another, once: that one may be the wrong one. Raises :class:`Unanswered` when
        attempts or patience are used up, and other :class:`s3harness.S3HarnessError` where asking again would not help.
        """
        course = _Course()
        if self._mistaken >= MISTAKEN_BELIEVED:
            raise Mistaken(
                f"the servers answered {self._mistaken} times in a row as another model than {self._named()}; "
                "nothing more is asked of them"
            )
        while True:
            try:
                async with self._lent(question, course) as server:
                    return await self._ask(server, question, course)
            except Withheld as refusal:
                sent = question.sent(course.without)
                return s3harness.Response(
                    question.request.id, str(refusal), "refused", attempts=course.attempts, sent=sent
                )
            except (Busy, Unreachable) as trouble:
                self._mind_patience(course, trouble)
            except Forgotten:
                continue
            except Declined as trouble:
                course.without.add(question.named(trouble.part))
            except Rejected:
                if course.is_rejected or len(self._fleet.servers) == 1:
                    raise
                course.is_rejected = True
            except Faulty as trouble:
                await self._mind_attempts(course, trouble)

    @asynccontextmanager
    async def _lent(self, question: Question, course: _Course) -> AsyncIterator[Server]:
        """A server for a while; its trouble is told to the fleet."""
        server = await self._fleet.lend(question.shown.key, course.avoid, is_rejected=course.is_rejected)
        sent_at = time.monotonic()
        try:
            yield server
        except Busy as trouble:
            self._fleet.put_off(server, trouble, sent_at)
            raise
        except Unreachable as trouble:
            self._fleet.is_away(server, trouble)
            raise
        except (Faulty, Rejected) as trouble:
            course.avoid = server
            self._fleet.failed(server, trouble, sent_at)
            raise
        finally:
            self._fleet.give_back(server)

    async def _ask(self, server: Server, question: Question, course: _Course) -> s3harness.Response:
        without = server.without | course.without
        key = question.shown.key
        by_id = question.shown.by_id is not None and key in server.clips and IDS not in without
        url = f"{server.url}/chat/completions"
        body = question.body(without, by_id=by_id)
        reply = await self._wire.post(url, body, self._options.timeout_s, question.request.id, server.answers.place)
        try:
            check_status(reply.status, reply.retry_after_s, reply.body, self._words, question.parts(without))
            if reply.place == "repeated":
                raise Repeated("the server gave an answer that it had given before, perhaps to another question")
            response = read_reply(reply.body, question.request, self._words)
            if by_id and server.clips[key].is_missing(response.prompt_tokens):
                raise Faulty("the server answered by an id without having the clip")
            self._check_model(answered_as(response))
        except (Busy, Withheld, ContextOverflow, Repeated, Mistaken):
            raise
        except Exception as trouble:
            if by_id:
                self._missed(server, key)
                raise Forgotten(str(trouble)) from trouble
            raise
        self._answered(server, question, response, by_id)
        self._count(cached_tokens(reply.body))
        self._leave_out(server, course.without)
        identity = {**server.identity, **(response.identity or {})}
        return replace(response, attempts=course.attempts, sent=question.sent(without), identity=identity)

    def _check_model(self, told: str) -> None:
        """Refuse the reply of another model than the one that was asked: it is no answer to the question."""
        if self._names and not is_answer_of(told, self._names):
            self._mistaken += 1
            raise Mistaken(
                f"the server answered as {s3harness.public_name(told)}, and {self._named()} was asked; if it is the "
                "same model, say so with -o answers_as=NAME"
            )
        self._mistaken = 0

    def _named(self) -> str:
        return s3harness.public_name(self._names[0])

    def _answered(self, server: Server, question: Question, response: s3harness.Response, by_id: bool) -> None:
        server.answered()
        if by_id:
            server.misses = 0
        elif question.shown.by_id is not None:
            server.remember(question.shown.key, Sight(response.prompt_tokens, question.text_bytes()))

    def _count(self, told: tuple[int, int] | None) -> None:
        if told is not None:
            self.prompt_tokens += told[0]
            self.cached_tokens += told[1]

    def _missed(self, server: Server, key: str) -> None:
        server.clips.pop(key, None)
        server.misses += 1
        if server.misses >= MISSES_BELIEVED:
            self._leave_out(server, {IDS})

    def _leave_out(self, server: Server, parts: Set[str]) -> None:
        """Remember what a server was better asked without, and say so, once."""
        for part in sorted(parts - server.without):
            server.without.add(part)
            kind, _, task = part.partition(":")
            self._note(f"{server.url}: {LEFT_OUT[kind]}{f' ({task})' if task else ''}")

    def _mind_patience(self, course: _Course, trouble: Trouble) -> None:
        now = time.monotonic()
        course.put_off_since = course.put_off_since or now
        if now - course.put_off_since > self._options.patience_s:
            raise Unanswered(f"put off for {self._options.patience_s:g} s: {trouble}") from trouble

    async def _mind_attempts(self, course: _Course, trouble: Faulty) -> None:
        if course.attempts >= self._options.attempts:
            raise Unanswered(f"{trouble} ({course.attempts} attempts)") from trouble
        await asyncio.sleep(pause_s(course.attempts))
        course.attempts += 1
