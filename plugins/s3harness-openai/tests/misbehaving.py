"""A server that speaks the OpenAI protocol over real sockets, and does with each request what it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ANSWER = '{"answer": "yes", "justification": "It was seen."}'


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came; ``nth`` counts those that are the same, from 1."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    key: str = ""
    number: int = 0
    nth: int = 0

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def content(self) -> list[dict[str, Any]]:
        return self.json["messages"][-1]["content"]

    @property
    def prompt(self) -> str:
        return self.content[-1]["text"]


@dataclass
class Reaction:
    """What is done with a request: a reply of ``status`` and ``body``, bytes and a close, or something worse."""

    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    reset: bool = False
    only_bytes: int | None = None
    byte_every_s: float = 0.0
    answers: str = ""
    repeats_after_s: float | None = None
    raw: bytes = b""


def says(text: str | None = ANSWER, finish: str | None = "stop", **more: object) -> Reaction:
    """A proper reply."""
    message = {"role": "assistant", "content": text, **more.pop("message", {})}
    choice = {"index": 0, "finish_reason": finish, "message": message, **more.pop("choice", {})}
    usage = {"prompt_tokens": 100, "completion_tokens": 5}
    return Reaction({"object": "chat.completion", "choices": [choice], "usage": usage} | more)


def refuses(status: int, message: str, **headers: str) -> Reaction:
    """An error as servers tell it."""
    return Reaction({"error": {"message": message, "type": "x", "code": None}}, status, headers)


Behaviour = Callable[[ReceivedRequest], Reaction | None]


class Misbehaving:
    """The server. ``behave`` decides; ``None`` from it is the proper answer."""

    def __init__(
        self, behave: Behaviour = lambda request: None, owned_by: str = "test", latency_s: float = 0.0
    ) -> None:
        self.behave, self.owned_by, self.latency_s = behave, owned_by, latency_s
        self.models: list[str] = ["some-model"]
        self.requests: list[ReceivedRequest] = []
        self.other_requests: list[ReceivedRequest] = []
        self.answered: Counter[str] = Counter()
        self.bytes = self.connections = 0
        self.under_way = self.most_under_way = 0
        self._counts: Counter[str] = Counter()
        self._connections: set[asyncio.StreamWriter] = set()
        self._busy: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Misbehaving:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def die(self, seconds: float) -> None:
        """Break off what is under way and refuse connections for a while; may be called from ``behave``."""
        self._loop.create_task(self._die(seconds))

    async def _die(self, seconds: float) -> None:
        self._server.close()
        for writer in list(self._connections):
            _reset(writer) if writer in self._busy else writer.close()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await self._listen()
        self._ready.set()
        await self._over.wait()
        self._server.close()
        for writer in list(self._connections):
            writer.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", self.port, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        self.bytes += 1
        line, *lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (h.partition(": ") for h in lines if h)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.bytes += len(body)
        method, path, _ = line.split()
        request = ReceivedRequest(time.monotonic(), method, path, headers, body)
        self._busy.add(writer)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._reply(writer, self._what(request))
        finally:
            self._busy.discard(writer)
            self.under_way -= 1

    def _what(self, request: ReceivedRequest) -> Reaction:
        if request.method != "POST":
            self.other_requests.append(request)
            models = [{"id": name, "object": "model", "owned_by": self.owned_by} for name in self.models]
            return self.behave(request) or Reaction({"object": "list", "data": models})
        key = hashlib.sha256(json.dumps(request.json["messages"]).encode()).hexdigest()
        self._counts[key] += 1
        fields = {"key": key, "number": len(self.requests), "nth": self._counts[key]}
        request = ReceivedRequest(**{**request.__dict__, **fields})
        self.requests.append(request)
        done = self.behave(request)
        if done is None:
            done = says(id=f"chatcmpl-{len(self.requests)}")
            done.wait_s, done.answers = self.latency_s, key
        return done

    async def _reply(self, writer: asyncio.StreamWriter, does: Reaction) -> bool:
        await asyncio.sleep(does.wait_s)
        if does.reset:
            _reset(writer)
            return False
        if does.raw:
            writer.write(does.raw)
            await writer.drain()
            return False
        body = does.body if isinstance(does.body, bytes) else json.dumps(does.body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | does.headers
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {does.status} Whatever\r\n{head}\r\n".encode())
        if does.only_bytes is not None:
            writer.write(body[: does.only_bytes])
            await writer.drain()
            return False
        if does.byte_every_s:
            for i in range(len(body)):
                writer.write(body[i : i + 1])
                await writer.drain()
                await asyncio.sleep(does.byte_every_s)
            return True
        again = (
            b"" if does.repeats_after_s is None else f"HTTP/1.1 {does.status} Whatever\r\n{head}\r\n".encode() + body
        )
        # In one write where the second reply follows at once, so that the client reads both together.
        writer.write(body + (b"" if does.repeats_after_s else again))
        if does.repeats_after_s:
            await asyncio.sleep(does.repeats_after_s)
            writer.write(again)
        await writer.drain()
        if does.answers:
            self.answered[does.answers] += 1
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection so that the other side sees it reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
