"""An OpenAI-compatible server that reads each request whole, waits, and says "yes".

    python stub.py PORT LATENCY_MS

It does not parse what it is sent, so that it costs next to nothing. GET /log tells of each request when it had come,
how large it was, and which clip it showed (a hash of where the first picture begins); GET /reset forgets them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time

ANSWER = '{"answer": "yes", "justification": "seen"}'
LOG: list[dict[str, object]] = []


async def serve(port: int, latency_s: float) -> None:
    """Serve for ever."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(await _reply(reader, latency_s))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port, limit=1 << 26)
    async with server:
        await server.serve_forever()


async def _reply(reader: asyncio.StreamReader, latency_s: float) -> bytes:
    line, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next((int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:")), 0)
    body = await reader.readexactly(length)
    path = line.split()[1]
    if path == "/log":
        return _http(LOG)
    if path == "/reset":
        LOG.clear()
        return _http({})
    if path.endswith("/models"):
        return _http({"object": "list", "data": [{"id": "stub", "object": "model"}]})
    begin = body.find(b";base64,")
    clip = hashlib.sha256(body[begin : begin + 4096]).hexdigest()[:8]
    LOG.append({"at": time.time(), "bytes": length, "clip": clip, "pictures": body.count(b";base64,")})
    await asyncio.sleep(latency_s)
    message = {"role": "assistant", "content": ANSWER}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return _http({"id": "x", "object": "chat.completion", "model": "stub", "choices": [choice], "usage": usage})


def _http(data: object) -> bytes:
    body = json.dumps(data).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
