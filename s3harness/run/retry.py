"""Sends one request to a backend, with retries and exponential backoff, and turns every error into a response."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import replace
from typing import get_args

from s3harness.backends.base import Backend, Limits
from s3harness.errors import MediaError, RetryableError
from s3harness.run.event_loop import BlockedError, with_timeout
from s3harness.types import Request, Response, ResponseStatus, Sent

BACKOFF_S = 0.5
"""The longest pause after the first attempt; it doubles with each further one."""
MAX_BACKOFF_S = 60.0
"""The longest pause of all, also where a server asks for a longer one."""


async def generate_with_retry(backend: Backend, request: Request) -> Response:
    """Return a backend's response; an error that may pass is retried, and any other becomes a failed response.

    A pause is as long as the server asked for, otherwise drawn between half and all of an exponentially growing one.
    Raises ``asyncio.CancelledError`` alone, if the run is stopped.
    """
    limits = backend.limits
    started = time.perf_counter()
    for attempt in range(1, limits.attempts + 1):
        try:
            response = checked_response(await with_timeout(backend.generate(request), limits.timeout_s), request)
            # A backend may have retried by itself, and counts that in its response.
            attempts = attempt - 1 + response.attempts
            return replace(response, attempts=attempts, latency_s=time.perf_counter() - started)
        except (RetryableError, TimeoutError, ConnectionError) as error:
            reason = _reason(error, limits)
            if attempt < limits.attempts:
                await asyncio.sleep(pause_s(attempt, getattr(error, "retry_after_s", None)))
        except asyncio.CancelledError as error:
            # An engine may cancel a request of its own, which is a failure of that request alone.
            if _is_run_stopped():
                raise
            reason = _reason(error, limits)
            break
        except (Exception, BlockedError) as error:
            reason = _reason(error, limits)
            break
    return Response(request.id, status="failed", error=reason, attempts=attempt)


def pause_s(
    attempt: int,
    retry_after_s: float | None = None,
    *,
    first_s: float = BACKOFF_S,
    longest_s: float = MAX_BACKOFF_S,
) -> float:
    """Return the seconds to wait after an attempt, counted from 1: exponential backoff with jitter.

    ``retry_after_s`` is the wait that the server asked for.
    """
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), longest_s)
    # The exponent is bounded because 2.0 ** 1024 overflows; the jitter keeps requests that failed together apart.
    return min(first_s * 2.0 ** min(attempt - 1, 10), longest_s) * random.uniform(0.5, 1.0)


def checked_response(response: object, request: Request) -> Response:
    """Check a response, as a plugin may return anything, and return it under the id of its request.

    Raises ``TypeError`` or ``ValueError``.
    """
    if not isinstance(response, Response):
        raise TypeError(f"the backend returned {type(response).__name__}, a Response is expected")
    if not isinstance(response.text, str):
        raise TypeError(f"the response's text is {type(response.text).__name__}, a string is expected")
    if not isinstance(response.reasoning, str):
        raise TypeError(f"the response's reasoning is {type(response.reasoning).__name__}, a string is expected")
    if response.status not in get_args(ResponseStatus):
        raise ValueError(f"the response's status is {response.status!r}, one of {get_args(ResponseStatus)} is expected")
    if response.sent is not None and not isinstance(response.sent, Sent):
        raise TypeError(f"the response's sent is {type(response.sent).__name__}, an s3harness.Sent is expected")
    # Checked here, where it fails one request: the journal could not write the line, and the run would end.
    numbers = (response.prompt_tokens, response.completion_tokens, dict(response.choice_probabilities or {}))
    sent = response.sent and (response.sent.times_s, response.sent.size, response.sent.sound_s, response.sent.settings)
    _check_writable("tokens and probabilities", numbers)
    _check_writable("sent", sent)
    _check_writable("identity", response.identity)
    return replace(response, request_id=request.id)


def _check_writable(name: str, value: object) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the response's {name} cannot be written: {error}") from error


def _is_run_stopped() -> bool:
    """Tell whether this task is being cancelled, rather than the engine's work for it."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _reason(error: BaseException, limits: Limits) -> str:
    # with_timeout() raises a TimeoutError without text; one with text is the engine's own.
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limits.timeout_s:g} s"
    # A MediaError names its video, and needs no name of a class.
    return str(error) if isinstance(error, MediaError) else f"{type(error).__name__}: {error}"
