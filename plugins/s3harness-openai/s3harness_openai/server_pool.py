"""The servers of a run: which of them takes the next request, and what is known of each."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from s3harness_openai.errors import Busy, Faulty, Rejected, Slow, Trouble, Unanswered
from s3harness_openai.response import answer_id
from s3harness_openai.transport import Place
from s3harness_openai.window import Window

FIRST_PAUSE_S = 0.5
MOST_PAUSE_S = 30.0
PROBE_S = 5.0
FAULTS_BELIEVED = 3
"""A server with so many faults since its last answer is asked after the others, and now and then: it is quickly done
with everything, and as the least loaded it would be given everything."""
MOST_SOONER_S = 1.0
"""A server that is busy again and again, and each time says "come back at once", is left alone for up to this long."""
TOLD_S = 10.0
"""A longer rest is told."""
CLIPS_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Sight:
    """A clip that a server was shown, with a text of so many bytes; together they came to so many tokens."""

    prompt_tokens: int | None
    text_bytes: int

    def is_missing(self, prompt_tokens: int | None) -> bool:
        """Whether a prompt about the same clip has so few tokens that the clip cannot be among them."""
        if prompt_tokens is None or self.prompt_tokens is None:
            return False
        return prompt_tokens < self.prompt_tokens - self.text_bytes


class Answers:
    """Whether the answers of a server can be told apart, so that a connection may be kept for the next question.

    An answer that is sent twice is, byte by byte, the one before it over the same connection, and would be taken for
    that to the next question. Where each answer has an id of its own, no other is the same. No connection is kept until
    two answers, over two connections, had two ids; nor after one came twice.
    """

    def __init__(self) -> None:
        self._last_id = ""
        self._have_ids = self._came_twice = False

    def place(self, body: bytes, last: bytes) -> Place:
        """Whether an answer is new, or came before.

        ``last`` is what came before it over the same connection, nothing if it is the first.
        """
        if body == last:
            self._came_twice = True
            return "repeated"
        if not self._have_ids:
            before, self._last_id = self._last_id, answer_id(body)
            self._have_ids = "" not in (before, self._last_id) and before != self._last_id
        return "new" if self._have_ids and not self._came_twice else "unknown"


@dataclass(eq=False)
class Server:
    """One server. ``clips`` are those that it was shown lately, ``without`` is what it takes not.

    ``faults`` counts those since its last answer. ``away`` says why it cannot be reached, ``out_since`` since when it
    has answered nothing, ``rests_until`` when it may be asked again. Times are those of ``time.monotonic``.
    ``identity`` is what it tells of its model and of itself.
    """

    url: str
    window: Window
    under_way: int = 0
    away: str = ""
    out_since: float | None = None
    rests_until: float = 0.0
    pauses: int = 0
    clips: OrderedDict[str, Sight] = field(default_factory=OrderedDict)
    misses: int = 0
    faults: int = 0
    without: set[str] = field(default_factory=set)
    answers: Answers = field(default_factory=Answers)
    identity: Mapping[str, object] = field(default_factory=dict)

    def answered(self) -> None:
        """It answered, so it is there."""
        self.window.grow()
        self.out_since, self.pauses, self.faults = None, 0, 0

    def remember(self, clip: str, sight: Sight) -> None:
        """It was shown a clip."""
        self.clips[clip] = sight
        self.clips.move_to_end(clip)
        if len(self.clips) > CLIPS_REMEMBERED:
            self.clips.popitem(last=False)


@dataclass
class _Claim:
    clip: str
    avoid: Server | None
    is_rejected: bool
    lent: asyncio.Future[Server]


class Fleet:
    """Lends servers to requests: one that is there, has room and knows the clip, and of those the least loaded.

    A server that is away is called on until it is back, its requests go to the others. When all have answered nothing
    for ``patience_s`` seconds, whoever waits is told so. ``per_minute`` bounds the requests of all together.
    """

    def __init__(
        self,
        servers: Iterable[Server],
        *,
        is_there: Callable[[Server], Awaitable[bool]],
        say: Callable[[str], None],
        patience_s: float,
        per_minute: float,
    ) -> None:
        self.servers = tuple(servers)
        self._is_there, self._say = is_there, say
        self._patience_s = patience_s
        self._spacing_s = 60.0 / per_minute if per_minute else 0.0
        self._next_at = 0.0
        self._claims: list[_Claim] = []
        self._calls: dict[Server, asyncio.Task[None]] = {}

    async def lend(self, clip: str, avoid: Server | None = None, *, is_rejected: bool = False) -> Server:
        """A server for a request about a clip, if possible another than ``avoid``; to be given back.

        One that ``avoid`` rejected waits for another, as long as there is one.
        Raises :class:`Unanswered` when patience is at an end.
        """
        claim = _Claim(clip, avoid, is_rejected, asyncio.get_running_loop().create_future())
        self._claims.append(claim)
        self._serve()
        try:
            return await claim.lent
        except asyncio.CancelledError:
            if claim.lent.done() and not claim.lent.cancelled() and claim.lent.exception() is None:
                self.give_back(claim.lent.result())
            raise

    def give_back(self, server: Server) -> None:
        """The request is over, however it went."""
        server.under_way -= 1
        self._serve()

    def put_off(self, server: Server, trouble: Busy, sent_at: float) -> None:
        """The server takes no more just now: it rests for as long as it asked, or for growing pauses.

        It is never left alone for longer than anybody waits: what asks for days may be a slip, or answer all the same.
        """
        now = time.monotonic()
        server.window.cut(sent_at, now)
        server.out_since = server.out_since or now
        if now >= server.rests_until:
            server.pauses += 1
        rest = self._rest_s(server, trouble.retry_after_s)
        if rest > TOLD_S:
            self._say(f"{server.url} is busy and is left alone for {rest:.0f} s")
        server.rests_until = max(server.rests_until, now + rest)
        asyncio.get_running_loop().call_later(rest, self._serve)

    def _rest_s(self, server: Server, asked_s: float | None) -> float:
        if asked_s is None:
            return pause_s(server.pauses)
        least = min(pause_s(server.pauses - 1), MOST_SOONER_S) if server.pauses > 1 else 0.0
        return min(max(asked_s, least), self._patience_s)

    def is_away(self, server: Server, trouble: Trouble) -> None:
        """The server cannot be reached: it is called on until it is there again."""
        if server in self._calls:
            return
        server.away = str(trouble)
        server.out_since = server.out_since or time.monotonic()
        server.clips.clear()
        self._say(f"{server.url} cannot be reached ({trouble}); it is waited for")
        self._calls[server] = asyncio.get_running_loop().create_task(self._call(server))

    def failed(self, server: Server, trouble: Faulty | Rejected, sent_at: float) -> None:
        """An answer failed to come; what comes too late says that the server has too much to do."""
        now = time.monotonic()
        if isinstance(trouble, Slow):
            server.window.cut(sent_at, now)
        server.faults += 1
        if server.faults >= FAULTS_BELIEVED and len(self.servers) > 1:
            rest = min(pause_s(server.faults - FAULTS_BELIEVED + 1), PROBE_S)
            server.rests_until = max(server.rests_until, now + rest)
            asyncio.get_running_loop().call_later(rest, self._serve)

    async def close(self) -> None:
        """Stop calling on servers."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _call(self, server: Server) -> None:
        pause = FIRST_PAUSE_S
        await asyncio.sleep(pause)
        while not await self._is_there(server):
            self._serve()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, PROBE_S)
        del self._calls[server]
        server.away, server.out_since = "", None
        self._say(f"{server.url} is there again")
        self._serve()

    def _serve(self) -> None:
        """Lend servers to those who wait, in the order in which they came."""
        now = time.monotonic()
        if self._claims and self._is_hopeless(now):
            self._turn_away()
        waiting = []
        for claim in self._claims:
            if claim.lent.done():
                continue
            server = self._choice(claim, now)
            if server is None:
                waiting.append(claim)
                continue
            server.under_way += 1
            self._pace(now)
            claim.lent.set_result(server)
        self._claims = waiting

    def _choice(self, claim: _Claim, now: float) -> Server | None:
        if now < self._next_at:
            return None
        open_ones = [s for s in self.servers if not s.away and s.rests_until <= now and s.under_way < s.window.size]
        others = [server for server in open_ones if server is not claim.avoid]
        if not others and not (claim.is_rejected and self._has_another(claim.avoid)):
            others = open_ones
        return min(others, key=lambda s: self._rank(s, claim.clip), default=None)

    def _has_another(self, avoid: Server | None) -> bool:
        """Whether there is a server besides one, be it busy."""
        return any(server is not avoid and not server.away for server in self.servers)

    def _rank(self, server: Server, clip: str) -> tuple[bool, bool, float]:
        """What is least comes first."""
        return server.faults >= FAULTS_BELIEVED, clip not in server.clips, server.under_way / server.window.size

    def _pace(self, now: float) -> None:
        if self._spacing_s:
            self._next_at = now + self._spacing_s
            asyncio.get_running_loop().call_later(self._spacing_s, self._serve)

    def _is_hopeless(self, now: float) -> bool:
        return all(s.out_since is not None and self._outlasts(s, s.out_since, now) for s in self.servers)

    def _outlasts(self, server: Server, out_since: float, now: float) -> bool:
        """Whether a server has been out for longer than anybody waits."""
        return now - out_since > self._patience_s and (server.away != "" or server.under_way == 0)

    def _turn_away(self) -> None:
        why = "; ".join(f"{s.url}: {s.away or 'busy'}" for s in self.servers)
        for claim in self._claims:
            if not claim.lent.done():
                claim.lent.set_exception(Unanswered(f"no server took a request for {self._patience_s:g} s ({why})"))
        self._claims = []


def pause_s(count: int) -> float:
    """Seconds to wait after so many troubles in a row, from 1: growing, and drawn so that not all wait the same."""
    return min(FIRST_PAUSE_S * 2.0 ** min(count - 1, 10), MOST_PAUSE_S) * random.uniform(0.5, 1.0)
