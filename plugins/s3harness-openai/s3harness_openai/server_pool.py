"""The pool of servers of a run: the state of each, and the choice of the one that takes the next request."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import s3harness
from s3harness_openai.errors import Busy, Rejected, RetriesExhausted, ServerError, ServerTimeout, TransientError

FIRST_IN_FLIGHT = 8
"""An AIMD limit begins with this, if it may be so large."""

FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 30.0
PROBE_INTERVAL_S = 5.0

FAILURES_BELIEVED = 3
"""A server with so many failures since its last answer comes after the others, and only now and then: it is quickly
done with everything, and as the least loaded it would get every request."""

MIN_REST_S = 1.0
"""A server that is busy again and again, and each time says "come back at once", is left alone for up to this long."""

REPORTED_REST_S = 10.0
"""A longer rest of a server is reported to the user."""

CLIPS_REMEMBERED = 64


class AimdLimit:
    """The number of requests that may be in flight at a server: additive increase, multiplicative decrease (AIMD).

    The limit grows by one with each answer until the first overload, after that by one a round; an overload halves it.
    It lies between 1 and ``maximum``.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = float(maximum)
        self._size = min(self._maximum, float(FIRST_IN_FLIGHT))
        self._threshold = self._maximum
        self._decreased_at = float("-inf")

    @property
    def size(self) -> int:
        """The number of requests that may be in flight."""
        return int(self._size)

    def increase(self) -> None:
        """Raise the limit after an answer."""
        step = 1.0 if self._size < self._threshold else 1.0 / self._size
        self._size = min(self._maximum, self._size + step)

    def decrease(self, sent_at: float, now: float) -> None:
        """Halve the limit after an overload met by a request that was sent at ``sent_at``."""
        # All requests in flight meet the same overload; only one sent after the last decrease says something new.
        if sent_at < self._decreased_at:
            return
        self._size = self._threshold = max(1.0, self._size / 2)
        self._decreased_at = now


@dataclass(frozen=True, slots=True)
class CachedClip:
    """A clip that a server has by its id: tokens of the prompt that brought it, and bytes of that prompt's text."""

    prompt_tokens: int | None
    text_bytes: int

    def is_missing_from(self, prompt_tokens: int | None) -> bool:
        """Tell whether a later prompt has too few tokens to contain the clip."""
        if prompt_tokens is None or self.prompt_tokens is None:
            return False
        # No tokenizer makes more tokens than the text has bytes, so the clip itself has at least the difference.
        return prompt_tokens < self.prompt_tokens - self.text_bytes


@dataclass(eq=False, kw_only=True)
class Server:
    """State of one server; times are those of ``time.monotonic``.

    ``unreachable`` is the reason why it cannot be reached, empty while it can; ``silent_since`` the time since when it
    has answered nothing; ``rests_until`` the time until when it gets no request. ``failures`` counts those since its
    last answer, ``pauses`` the rests in a row, ``media_id_misses`` the clips in a row that it no longer had.
    ``clips`` are those that it was given, with what it has by id; ``unsupported`` the parameters that it does not take,
    and ``identity`` what it reports of its model and of itself. ``rank`` is the number of a data-parallel replica
    behind the address, which has a cache of its own; ``None`` where the address has no replicas.
    """

    url: str
    limit: AimdLimit
    rank: int | None = None
    in_flight: int = 0
    unreachable: str = ""
    silent_since: float | None = None
    rests_until: float = 0.0
    pauses: int = 0
    failures: int = 0
    media_id_misses: int = 0
    clips: OrderedDict[str, CachedClip | None] = field(default_factory=OrderedDict)
    unsupported: set[str] = field(default_factory=set)
    identity: Mapping[str, object] = field(default_factory=dict)

    def record_answer(self) -> None:
        """Count an answer: the server is there, and may get more requests."""
        self.limit.increase()
        self.silent_since, self.pauses, self.failures = None, 0, 0

    def remember(self, key: str, clip: CachedClip | None = None) -> None:
        """Note that the server is given a clip, and what it has of it by id."""
        self.clips[key] = clip or self.clips.get(key)
        self.clips.move_to_end(key)
        if len(self.clips) > CLIPS_REMEMBERED:
            self.clips.popitem(last=False)


@dataclass
class _Claim:
    """A request that waits for a server."""

    clip: str
    avoid: Server | None
    is_rejected: bool
    server: asyncio.Future[Server]


class ServerPool:
    """Gives servers to requests: the least loaded of those that are reachable, have room and were given the clip.

    With ``keeps_clips``, the requests of a clip stay with one server, whose cache then has the clip, and wait for it
    while it is full.
    An unreachable server is probed until it is back; its requests go to the others. When all have answered nothing
    for ``patience_s`` seconds, all waiting requests fail. ``requests_per_minute`` limits the requests to all servers
    together; 0 is no limit.
    """

    def __init__(
        self,
        servers: Iterable[Server],
        *,
        probe: Callable[[Server], Awaitable[bool]],
        report_status: Callable[[str], None],
        patience_s: float,
        requests_per_minute: float,
    ) -> None:
        self.servers = tuple(servers)
        self._probe, self._report_status = probe, report_status
        self.keeps_clips = False
        self._patience_s = patience_s
        self._spacing_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_at = 0.0
        self._claims: list[_Claim] = []
        self._probes: dict[Server, asyncio.Task[None]] = {}

    def split(self, server: Server, replicas: int, in_flight: int) -> None:
        """Take each of the data-parallel replicas behind a server for a server, before the first request."""
        # They share what the address does not take; requests in flight and clips are each replica's own.
        ranks = [
            replace(server, rank=rank, limit=AimdLimit(in_flight), clips=OrderedDict()) for rank in range(replicas)
        ]
        at = self.servers.index(server)
        self.servers = (*self.servers[:at], *ranks, *self.servers[at + 1 :])

    async def acquire(self, clip: str, avoid: Server | None = None, *, is_rejected: bool = False) -> Server:
        """Wait for a server for a request about a clip, if possible another than ``avoid``; to be released.

        A request that ``avoid`` rejected waits for another server, as long as there is one.
        Raises :class:`RetriesExhausted` when all servers were silent for too long.
        """
        claim = _Claim(clip, avoid, is_rejected, asyncio.get_running_loop().create_future())
        self._claims.append(claim)
        self._assign()
        try:
            return await claim.server
        except asyncio.CancelledError:
            # Cancelled after a server was assigned and before this task ran again: its place would be lost.
            if claim.server.done() and not claim.server.cancelled() and claim.server.exception() is None:
                self.release(claim.server.result())
            raise

    def release(self, server: Server) -> None:
        """Give a server back after its request ended, however it ended."""
        server.in_flight -= 1
        self._assign()

    def mark_busy(self, server: Server, error: Busy, sent_at: float) -> None:
        """Let a server rest that takes no more requests: for as long as it asks, or for growing pauses."""
        now = time.monotonic()
        server.limit.decrease(sent_at, now)
        server.silent_since = server.silent_since or now
        # The other requests in flight come back with the same 429; they are no second refusal.
        if now >= server.rests_until:
            server.pauses += 1
        rest = self._rest_s(server, error.retry_after_s)
        if rest > REPORTED_REST_S:
            self._report_status(f"{server.url} is busy and is left alone for {rest:.0f} s")
        server.rests_until = max(server.rests_until, now + rest)
        asyncio.get_running_loop().call_later(rest, self._assign)

    def mark_unreachable(self, server: Server, error: TransientError) -> None:
        """Probe a server that cannot be reached until it is back."""
        # All requests in flight at a server that dies come here; one probe is enough.
        if server in self._probes:
            return
        server.unreachable = str(error)
        server.silent_since = server.silent_since or time.monotonic()
        server.clips.clear()  # a restarted server has none of them
        self._report_status(f"{server.url} cannot be reached ({error}); waiting for it")
        self._probes[server] = asyncio.get_running_loop().create_task(self._probe_until_back(server))

    def record_failure(self, server: Server, error: ServerError | Rejected, sent_at: float) -> None:
        """Count a request that failed; a timeout means that the server has too much to do."""
        now = time.monotonic()
        if isinstance(error, ServerTimeout):
            server.limit.decrease(sent_at, now)
        server.failures += 1
        # A single server gets no rest: there is none that could take its requests.
        if server.failures >= FAILURES_BELIEVED and len(self.servers) > 1:
            rest = min(pause_s(server.failures - FAILURES_BELIEVED + 1), PROBE_INTERVAL_S)
            server.rests_until = max(server.rests_until, now + rest)
            asyncio.get_running_loop().call_later(rest, self._assign)

    async def close(self) -> None:
        """Stop the probes."""
        probes = list(self._probes.values())
        for probe in probes:
            probe.cancel()
        # Awaited, so that no probe still uses the client when that is closed.
        await asyncio.gather(*probes, return_exceptions=True)

    def _rest_s(self, server: Server, retry_after_s: float | None) -> float:
        if retry_after_s is None:
            return pause_s(server.pauses)
        # "Retry-After: 0" again and again would have the server asked hundreds of times a second.
        shortest = min(pause_s(server.pauses - 1), MIN_REST_S) if server.pauses > 1 else 0.0
        # Never longer than requests wait: a Retry-After of days may be a mistake, and the server answer all the same.
        return min(max(retry_after_s, shortest), self._patience_s)

    async def _probe_until_back(self, server: Server) -> None:
        pause = FIRST_PAUSE_S
        await asyncio.sleep(pause)
        while not await self._probe(server):
            self._assign()  # those who wait may have waited long enough by now
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, PROBE_INTERVAL_S)
        del self._probes[server]
        server.unreachable, server.silent_since = "", None
        self._report_status(f"{server.url} is there again")
        self._assign()

    def _assign(self) -> None:
        """Assign servers to the requests that wait, in the order in which they came."""
        now = time.monotonic()
        if self._claims and self._are_all_silent(now):
            self._fail_all()
        waiting = []
        for claim in self._claims:
            if claim.server.done():  # cancelled
                continue
            server = self._choose(claim, now)
            if server is None:
                waiting.append(claim)
                continue
            server.in_flight += 1
            if claim.clip and self.keeps_clips:
                server.remember(claim.clip)
            self._pace(now)
            claim.server.set_result(server)
        self._claims = waiting

    def _choose(self, claim: _Claim, now: float) -> Server | None:
        if now < self._next_at:
            return None
        ready = [server for server in self.servers if not server.unreachable and server.rests_until <= now]
        free = [server for server in ready if server.in_flight < server.limit.size]
        candidates = [server for server in free if server is not claim.avoid]
        if not candidates and not (claim.is_rejected and self._has_another(claim.avoid)):
            candidates = free
        # A full server that has the clip is waited for: another one would have to process the clip anew.
        if self.keeps_clips and any(self._is_home(server, claim) for server in ready):
            candidates = [server for server in candidates if self._is_home(server, claim)]
        return min(candidates, key=lambda server: self._rank(server, claim.clip), default=None)

    def _is_home(self, server: Server, claim: _Claim) -> bool:
        return claim.clip in server.clips and server is not claim.avoid and server.failures < FAILURES_BELIEVED

    def _has_another(self, avoid: Server | None) -> bool:
        """Tell whether there is a reachable server besides ``avoid``, even a busy one."""
        return any(server is not avoid and not server.unreachable for server in self.servers)

    def _rank(self, server: Server, clip: str) -> tuple[bool, bool, float, int]:
        """Return the sort key of a server for a clip; the smallest is the best."""
        # A server that has the clip comes before a less loaded one: it saves sending and encoding the clip again.
        load = server.in_flight / server.limit.size
        # Of two that have nothing to do, the one with fewer clips: the next requests of each clip will be its own.
        return server.failures >= FAILURES_BELIEVED, clip not in server.clips, load, len(server.clips)

    def _pace(self, now: float) -> None:
        if self._spacing_s:
            self._next_at = now + self._spacing_s
            asyncio.get_running_loop().call_later(self._spacing_s, self._assign)

    def _are_all_silent(self, now: float) -> bool:
        return all(s.silent_since is not None and self._is_hopeless(s, s.silent_since, now) for s in self.servers)

    def _is_hopeless(self, server: Server, silent_since: float, now: float) -> bool:
        """Tell whether a server was silent for longer than requests wait."""
        # A busy server with a request in flight may answer that one yet.
        return now - silent_since > self._patience_s and (server.unreachable != "" or server.in_flight == 0)

    def _fail_all(self) -> None:
        reasons = "; ".join(f"{s.url}: {s.unreachable or 'busy'}" for s in self.servers)
        for claim in self._claims:
            if not claim.server.done():
                message = f"no server took a request for {self._patience_s:g} s ({reasons})"
                claim.server.set_exception(RetriesExhausted(message))
        self._claims = []


def pause_s(count: int) -> float:
    """Return the seconds to wait after so many failures in a row, from 1: exponential backoff with jitter."""
    return s3harness.pause_s(count, first_s=FIRST_PAUSE_S, longest_s=MAX_PAUSE_S)
