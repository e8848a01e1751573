"""Asking one request: tried again where that may help, and never raising."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import replace
from typing import get_args

from s3harness.backends.base import Backend, Limits
from s3harness.errors import MediaError, RetryableError
from s3harness.run.event_loop import BlockedError, limited
from s3harness.types import Request, Response, ResponseStatus, Sent

BACKOFF_S = 0.5
MAX_BACKOFF_S = 60.0


async def ask(backend: Backend, request: Request) -> Response:
    """A backend's response to a request, tried again with growing pauses where that may help; never raises.

    A pause is as long as the server asked for, otherwise drawn between half and all of an exponentially growing one.
    """
    limits = backend.limits
    started = time.perf_counter()
    for attempt in range(1, limits.attempts + 1):
        try:
            response = checked_response(await limited(backend.generate(request), limits.timeout_s), request)
            tried = attempt - 1 + response.attempts
            return replace(response, attempts=tried, latency_s=time.perf_counter() - started)
        except (RetryableError, TimeoutError, ConnectionError) as error:
            problem = _problem(error, limits)
            if attempt < limits.attempts:
                await asyncio.sleep(pause_s(attempt, getattr(error, "retry_after_s", None)))
        except asyncio.CancelledError as error:
            if _is_stopped():
                raise
            problem = _problem(error, limits)
            break
        except (Exception, BlockedError) as error:
            problem = _problem(error, limits)
            break
    return Response(request.id, status="failed", error=problem, attempts=attempt)


def pause_s(
    attempt: int,
    retry_after_s: float | None = None,
    *,
    first_s: float = BACKOFF_S,
    longest_s: float = MAX_BACKOFF_S,
) -> float:
    """Return the seconds to wait after the given attempt, from 1: exponential backoff with jitter."""
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), longest_s)
    # The exponent is bounded because 2.0 ** 1024 overflows; the jitter keeps requests that failed together apart.
    return min(first_s * 2.0 ** min(attempt - 1, 10), longest_s) * random.uniform(0.5, 1.0)


def checked_response(response: object, request: Request) -> Response:
    """The response under the id of its request, or ``TypeError`` or ``ValueError``: a plugin may return anything."""
    if not isinstance(response, Response):
        raise TypeError(f"the backend returned {type(response).__name__}, a Response is expected")
    if not isinstance(response.text, str):
        raise TypeError(f"the response's text is {type(response.text).__name__}, a string is expected")
    if response.status not in get_args(ResponseStatus):
        raise ValueError(f"the response's status is {response.status!r}, one of {get_args(ResponseStatus)} is expected")
    if response.sent is not None and not isinstance(response.sent, Sent):
        raise TypeError(f"the response's sent is {type(response.sent).__name__}, an s3harness.Sent is expected")
    numbers = (response.prompt_tokens, response.completion_tokens, dict(response.choice_probabilities or {}))
    sent = response.sent and (response.sent.times_s, response.sent.size, response.sent.sound_s, response.sent.settings)
    _check_writable("tokens and probabilities", numbers)
    _check_writable("sent", sent)
    _check_writable("identity", response.identity)
    return replace(response, request_id=request.id)


def _check_writable(what: str, value: object) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the response's {what} cannot be written: {error}") from error


def _is_stopped() -> bool:
    """Whether it is the run that is being cancelled; an engine may cancel a request of its own."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _problem(error: BaseException, limits: Limits) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limits.timeout_s:g} s"
    return str(error) if isinstance(error, MediaError) else f"{type(error).__name__}: {error}"
