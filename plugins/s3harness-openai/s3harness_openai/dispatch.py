"""Send a request until it is answered: the choice of the server, the attempts, and the reaction to each error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import s3harness
from s3harness_openai.client import ServerClient
from s3harness_openai.errors import (
    Busy,
    ContentFiltered,
    MediaIdMissing,
    Rejected,
    RetriesExhausted,
    ServerError,
    TransientError,
    Unreachable,
    UnsupportedParameter,
    WrongModel,
    check_status,
)
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.payload import ChatPayload
from s3harness_openai.response import count_cached_tokens, model_name, parse_response
from s3harness_openai.served import is_answer_of
from s3harness_openai.server_pool import CachedClip, Server, ServerPool, pause_s

MISSES_BELIEVED = 3
"""After so many clips in a row that a server was just sent and no longer has, it is not asked by id any more."""

WRONG_MODELS_BELIEVED = 3
"""After so many replies in a row from another model, no request is sent any more: a router sits behind the servers."""

MEDIA_IDS = "media ids"
UNSUPPORTED_NOTES = {
    "logprobs": "returns no log probabilities, so answers have none",
    "structured": "does not take the schema of the answer, so answers were free text",
    "thinking_token_budget": "limits no reasoning alone, so reasoning and answer shared one limit of tokens",
    "max_tokens": "wants max_completion_tokens instead of max_tokens, and got it",
    "temperature": "takes no temperature, so its own was used",
    "seed": "takes no seed, so none was sent",
    MEDIA_IDS: "forgets clips that it was just sent, so each request brought its clip",
}
"""Note to the user for each parameter that a server does not take."""


@dataclass
class _AskState:
    """Progress of one request."""

    attempts: int = 1
    waiting_since: float | None = None
    avoid: Server | None = None
    is_rejected: bool = False
    without: set[str] = field(default_factory=set)


class Dispatcher:
    """Sends requests to the servers of a pool; ``model_names`` are those that a reply may give the model."""

    def __init__(
        self,
        *,
        pool: ServerPool,
        client: ServerClient,
        options: OpenAIOptions,
        redact: s3harness.Redactor,
        add_note: Callable[[str], None],
        model_names: Collection[str] = (),
    ) -> None:
        self._pool, self._client, self._options = pool, client, options
        self._redact, self._add_note = redact, add_note
        self._model_names = tuple(model_names)
        self._wrong_models = 0
        self.prompt_tokens = self.cached_tokens = 0

    async def ask(self, payload: ChatPayload) -> s3harness.Response:
        """Return the response to a request.

        Raises :class:`RetriesExhausted` when the attempts or the time to wait are used up, and other
        :class:`s3harness.S3HarnessError` where sending the request again would not help.
        """
        state = _AskState()
        if self._wrong_models >= WRONG_MODELS_BELIEVED:
            raise WrongModel(
                f"the servers answered {self._wrong_models} times in a row as another model than "
                f"{self._requested_name()}; no request is sent to them any more"
            )
        while True:
            try:
                async with self._acquired(payload, state) as server:
                    return await self._send(server, payload, state)
            except ContentFiltered as refusal:
                sent = payload.sent(state.without)
                return s3harness.Response(
                    payload.request.id, str(refusal), status="refused", attempts=state.attempts, sent=sent
                )
            except (Busy, Unreachable) as error:
                self._check_patience(state, error)
            except MediaIdMissing:
                continue  # costs no attempt: the next body brings the clip
            except UnsupportedParameter as error:
                state.without.add(payload.unsupported_key(error.parameter))
            except Rejected:
                # Another server gets the request once, because the first may be the one that is set up wrongly.
                if state.is_rejected or len(self._pool.servers) == 1:
                    raise
                state.is_rejected = True
            except ServerError as error:
                await self._back_off(state, error)

    @asynccontextmanager
    async def _acquired(self, payload: ChatPayload, state: _AskState) -> AsyncIterator[Server]:
        """Hold a server for one attempt, and report its errors to the pool."""
        server = await self._pool.acquire(payload.clip.key, state.avoid, is_rejected=state.is_rejected)
        sent_at = time.monotonic()
        try:
            yield server
        except Busy as error:
            self._pool.mark_busy(server, error, sent_at)
            raise
        except Unreachable as error:
            self._pool.mark_unreachable(server, error)
            raise
        except (ServerError, Rejected) as error:
            state.avoid = server
            self._pool.record_failure(server, error, sent_at)
            raise
        finally:
            # After the marks above, or the server would be given to the next request before it rests.
            self._pool.release(server)

    async def _send(self, server: Server, payload: ChatPayload, state: _AskState) -> s3harness.Response:
        """Make one attempt at a server."""
        without = server.unsupported | state.without
        key = payload.clip.key
        takes_ids = payload.takes_ids and MEDIA_IDS not in without
        # Looked up before sending: another request may evict the clip from the server's list meanwhile.
        cached = server.clips.get(key) if takes_ids else None
        reply = await self._client.post(
            server.url,
            "/chat/completions",
            payload.body(without, by_id=cached is not None, rank=server.rank),
            self._options.timeout_s,
            request_id=payload.request.id,
            headers=payload.headers(server.rank),
        )
        try:
            parameters = payload.optional_parameters(without)
            check_status(reply.status, reply.retry_after_s, reply.body, self._redact, parameters)
            response = parse_response(reply.body, payload.request, self._redact, payload.marks)
            # A server that ignores an unknown id answers from the text alone; only the length of its prompt shows it.
            if cached is not None and cached.is_missing_from(response.prompt_tokens):
                raise ServerError("the server answered by an id without having the clip")
            self._check_model(model_name(response))
        except (Busy, ContentFiltered, s3harness.ContextOverflow, WrongModel):
            raise
        except Exception as error:
            # Servers report a missing clip in many ways, so any other error of a request by id is taken for it.
            if cached is not None:
                self._record_miss(server, key)
                raise MediaIdMissing(str(error)) from error
            raise
        self._record_answer(server, payload, response, by_id=cached is not None)
        self._add_cached_tokens(count_cached_tokens(reply.body))
        # Only now, when the request without them was answered, is it sure that the parameters were the reason.
        self._mark_unsupported(server, state.without)
        identity = {**server.identity, **(response.identity or {})}
        return replace(response, attempts=state.attempts, sent=payload.sent(without), identity=identity)

    def _check_model(self, name: str) -> None:
        """Raise :class:`WrongModel` for the reply of another model than the one that was requested."""
        if self._model_names and not is_answer_of(name, self._model_names):
            self._wrong_models += 1
            raise WrongModel(
                f"the server answered as {s3harness.public_name(name)}, but {self._requested_name()} was requested; "
                "if it is the same model, say so with -o answers_as=NAME"
            )
        self._wrong_models = 0

    def _requested_name(self) -> str:
        # A model served from a directory is named by its path, which must not be journalled.
        return s3harness.public_name(self._model_names[0])

    def _record_answer(
        self, server: Server, payload: ChatPayload, response: s3harness.Response, *, by_id: bool
    ) -> None:
        server.record_answer()
        if by_id:
            server.media_id_misses = 0
        elif payload.takes_ids:
            server.remember(payload.clip.key, CachedClip(response.prompt_tokens, payload.text_bytes()))

    def _add_cached_tokens(self, counts: tuple[int, int] | None) -> None:
        if counts is not None:
            self.prompt_tokens += counts[0]
            self.cached_tokens += counts[1]

    def _record_miss(self, server: Server, key: str) -> None:
        server.clips[key] = None
        server.media_id_misses += 1
        if server.media_id_misses >= MISSES_BELIEVED:
            self._mark_unsupported(server, {MEDIA_IDS})

    def _mark_unsupported(self, server: Server, parameters: Set[str]) -> None:
        """Remember the parameters that a server does not take, and note each for the user, once."""
        for parameter in sorted(parameters - server.unsupported):
            server.unsupported.add(parameter)
            kind, _, task = parameter.partition(":")
            self._add_note(f"{server.url} {UNSUPPORTED_NOTES[kind]}{f' ({task})' if task else ''}")

    def _check_patience(self, state: _AskState, error: TransientError) -> None:
        now = time.monotonic()
        state.waiting_since = state.waiting_since or now
        if now - state.waiting_since > self._options.patience_s:
            raise RetriesExhausted(f"no server took it for {self._options.patience_s:g} s: {error}") from error

    async def _back_off(self, state: _AskState, error: ServerError) -> None:
        if state.attempts >= self._options.attempts:
            plural = "" if state.attempts == 1 else "s"
            raise RetriesExhausted(f"{error} ({state.attempts} attempt{plural})") from error
        await asyncio.sleep(pause_s(state.attempts))
        state.attempts += 1
