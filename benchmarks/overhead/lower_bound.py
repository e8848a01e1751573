"""The least that has to be done: decode each video once, encode its pictures once, send them with each prompt.

    python lower_bound.py ROWS PORT IN_FLIGHT N_PICTURES

No retries, no journal, no scores, no checks: what a harness costs above this is the harness.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import av


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
    return ",".join(json.dumps({"type": "image_url", "image_url": {"url": url}}) for url in urls).encode()


async def main(rows_path: str, port: int, in_flight: int, n: int) -> None:
    """Ask everything."""
    with Path(rows_path).open(encoding="utf-8") as file:
        videos = [(v, list(rows)) for v, rows in groupby(map(json.loads, file), key=lambda row: row["video"])]
    slots, free = asyncio.Semaphore(in_flight), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def ask(before: bytes, shown: bytes, prompt: str) -> None:
        try:
            reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
            after = b',{"type":"text","text":%s}]}],"max_tokens":256}' % json.dumps(prompt).encode()
            length = len(before) + len(shown) + len(after)
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
            for part in (before, shown, after):
                writer.write(part)
                await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            assert json.loads(body)["choices"][0]["message"]["content"]
            free.append((reader, writer))
        finally:
            slots.release()

    pool, loop = ThreadPoolExecutor(2), asyncio.get_running_loop()
    ready = [loop.run_in_executor(pool, parts, video, n) for video, _ in videos]
    async with asyncio.TaskGroup() as group:
        for (_, rows), made in zip(videos, ready, strict=True):
            shown = await made
            for row in rows:
                await slots.acquire()
                group.create_task(ask(b'{"model":"stub","messages":[{"role":"user","content":[', shown, row["prompt"]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
