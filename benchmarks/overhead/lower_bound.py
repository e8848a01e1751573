"""The least that has to be done: decode each video once, encode its pictures once, send them with each prompt.

    python lower_bound.py ROWS PORT IN_FLIGHT N_PICTURES sockets|openai

No retries, no journal, no scores, no checks: what a harness costs above this is the harness. ``openai`` sends by
OpenAI's own client, as one would; ``sockets`` writes HTTP by hand around bytes that are made once a clip, as one would
not.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import av

Ask = Callable[[bytes, str], Awaitable[str]]


def parts(path: str, n: int) -> bytes:
    """The pictures of a video as the parts of a message."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        length = float(stream.duration * stream.time_base)
        wanted = [(i + 0.5) * length / n for i in range(n)]
        urls = []
        for frame in container.decode(stream):
            if len(urls) < n and frame.time is not None and frame.time >= wanted[len(urls)]:
                out = io.BytesIO()
                frame.to_image().save(out, "JPEG", quality=90)
                urls.append(f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}")
    shown = ({"type": "image_url", "image_url": {"url": url}} for url in urls)
    return ",".join(map(json.dumps, shown)).encode()


def by_openai(port: int) -> Ask:
    """Ask by OpenAI's client."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")

    async def ask(shown: bytes, prompt: str) -> str:
        content = [*json.loads(b"[%s]" % shown), {"type": "text", "text": prompt}]
        message = {"role": "user", "content": content}
        reply = await client.chat.completions.create(model="stub", messages=[message], max_tokens=256)
        return str(reply.choices[0].message.content)

    return ask


def by_sockets(port: int) -> Ask:
    """Ask by as little as there is."""
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(shown: bytes, prompt: str) -> str:
        reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        before = b'{"model":"stub","messages":[{"role":"user","content":['
        after = b',{"type":"text","text":%s}]}],"max_tokens":256}' % json.dumps(prompt).encode()
        length = len(before) + len(shown) + len(after)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
        for part in (before, shown, after):
            writer.write(part)
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        free.append((reader, writer))
        return str(json.loads(body)["choices"][0]["message"]["content"])

    return ask


async def main(rows_path: str, port: int, in_flight: int, n: int, how: str) -> None:
    """Ask everything."""
    with Path(rows_path).open(encoding="utf-8") as file:
        videos = [(v, list(rows)) for v, rows in groupby(map(json.loads, file), key=lambda row: row["video"])]
    slots, pool, loop = asyncio.Semaphore(in_flight), ThreadPoolExecutor(2), asyncio.get_running_loop()
    ask = {"sockets": by_sockets, "openai": by_openai}[how](port)

    async def one(shown: bytes, prompt: str) -> None:
        try:
            assert await ask(shown, prompt)
        finally:
            slots.release()

    ready = [loop.run_in_executor(pool, parts, video, n) for video, _ in videos]
    async with asyncio.TaskGroup() as group:
        for (_, rows), made in zip(videos, ready, strict=True):
            shown = await made
            for row in rows:
                await slots.acquire()
                group.create_task(one(shown, row["prompt"]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]))
