"""The pages and the data of the reading room. Whatever a browser names is looked up; nothing is opened by its name."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

import s3harness
from s3harness_view.comparisons import Comparisons
from s3harness_view.item_page import item_page
from s3harness_view.library import Library
from s3harness_view.media_room import MediaRoom
from s3harness_view.run_reader import RunContent
from s3harness_view.verdict_file import new_verdict, read_verdicts, write_verdict

STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Value = TypeVar("Value")
Handler = Callable[[Request], Awaitable[Response]]


def json_response(value: object, status: int = 200) -> Response:
    """Return a value as JSON; NaN and infinities, which JSON lacks, as ``null``."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return Response(text.encode(errors="replace"), status, media_type="application/json")


def static_files(page: str) -> list[Route]:
    """Return the routes of a page and of the files that it loads."""
    files = {path.name: path for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}

    async def static(request: Request) -> Response:
        path = files.get(request.path_params["name"])
        return PlainTextResponse("There is no such file.\n", 404) if path is None else _file(path)

    async def index(_: Request) -> Response:
        return _file(files[page])

    return [Route("/", index), Route("/static/{name}", static)]


def guarded(handler: Handler) -> Handler:
    """Return a handler whose expected failures are answers in words."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except KeyError as error:
            return json_response({"error": f"There is no {str(error.args[0])!r:.80} here."}, 404)
        except (s3harness.MediaError, s3harness.UsageError) as error:
            return json_response({"error": str(error)}, 404)
        except ValueError as error:
            return json_response({"error": str(error)}, 400)
        except s3harness.S3HarnessError as error:
            return json_response({"error": str(error)}, 500)

    return answered


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request; ``ValueError`` if it holds none."""
    data = s3harness.parse_json(await request.body())
    if not isinstance(data, dict):
        raise ValueError("a JSON object is expected")
    return data


class ReadingRoom:
    """The handlers; ``reader`` is the name under which verdicts are written."""

    def __init__(self, library: Library, media: MediaRoom, reader: str) -> None:
        self.library, self.media, self.reader = library, media, reader
        self.comparisons = Comparisons(library)

    def application(self) -> Starlette:
        """Return the ASGI application."""
        routes = {
            "/api/runs": self.runs,
            "/api/readers": self.human_lines,
            "/api/compare": self.compare,
            "/api/items": self.items,
            "/api/search": self.search,
            "/api/item": self.item,
            "/api/text": self.text,
            "/api/sound": self.sound,
            "/api/verdicts": self.verdicts,
            "/media/video": self.video,
            "/media/clip": self.clip,
            "/media/frame": self.frame,
        }
        data = [Route(path, guarded(handler)) for path, handler in routes.items()]
        data.append(Route("/api/verdict", guarded(self.judge), methods=["POST"]))
        return Starlette(routes=[*static_files("index.html"), *data])

    async def runs(self, _: Request) -> Response:
        """Return the table of runs."""
        runs = await run_in_threadpool(self.library.summaries)
        return json_response(
            {"runs": runs, "reader": self.reader, "blind": self.library.blind, "data": self.media.dataset is not None}
        )

    async def human_lines(self, _: Request) -> Response:
        """Return the scores of the human readers in the room, by run and task."""
        return await self._in_thread(self.comparisons.human_lines)

    async def compare(self, request: Request) -> Response:
        """Return the paired comparison of some runs."""
        return await self._in_thread(partial(self.comparisons.compare, _names(request)))

    async def items(self, request: Request) -> Response:
        """Return the table of the items of some runs."""
        return await self._in_thread(partial(self.library.items, _names(request)))

    async def search(self, request: Request) -> Response:
        """Return the items whose raw answers hold a text."""
        text = request.query_params.get("q", "")
        return await self._in_thread(partial(self.library.search, _names(request), text))

    async def item(self, request: Request) -> Response:
        """Return one item of some runs with all evidence."""

        def read() -> dict[str, Any]:
            contents = {name: self.library.run(name).content() for name in _names(request)}
            return item_page(request.query_params["item"], contents, self.media, blind=self.library.blind)

        return await self._in_thread(read)

    async def text(self, request: Request) -> Response:
        """Return a part of a raw answer: ``from`` and up to ``chars`` characters."""
        start, chars = (int(request.query_params[name]) for name in ("from", "chars"))

        def read() -> str:
            content = self.library.run(request.query_params["run"]).content()
            return content.entries[request.query_params["request"]].response.text[
                max(0, start) : max(0, start) + min(chars, 1_000_000)
            ]

        return await self._in_thread(read)

    async def sound(self, request: Request) -> Response:
        """Return the peaks of a video's sound."""
        return await self._in_thread(partial(self.media.sound, request.query_params["video"]))

    async def video(self, request: Request) -> Response:
        """Return a video file, or the bytes of it that the browser wants."""
        path = await run_in_threadpool(self.media.playable, request.query_params["video"])
        return FileResponse(path, media_type="video/webm" if path.suffix == ".webm" else "video/mp4")

    async def clip(self, request: Request) -> Response:
        """Return a clip as the model got it."""
        content = await run_in_threadpool(self._content, request)
        record = content.sent[request.query_params["record"]]
        data = await run_in_threadpool(self.media.clip_mp4, content.manifest["run"], record)
        return bytes_with_ranges(request, data, "video/mp4")

    async def frame(self, request: Request) -> Response:
        """Return one frame as the model got it."""
        content = await run_in_threadpool(self._content, request)
        record, number = content.sent[request.query_params["record"]], int(request.query_params["n"])
        images = (await run_in_threadpool(self.media.frames, content.manifest["run"], record)).images
        if not 0 <= number < len(images):
            raise KeyError(f"frame {number}")
        return Response(images[number], media_type="image/jpeg")

    async def verdicts(self, request: Request) -> Response:
        """Return this reader's verdicts on some runs."""

        def read() -> dict[str, list[dict[str, Any]]]:
            own: dict[str, list[dict[str, Any]]] = {}
            for name in _names(request):
                verdicts = read_verdicts(self.library.run(name).directory)
                own[name] = [
                    {"item": v.item, "target": v.target, "verdict": v.verdict, "comment": v.comment}
                    for v in verdicts
                    if v.reader == self.reader
                ]
            return own

        return await self._in_thread(read)

    async def judge(self, request: Request) -> Response:
        """Write a verdict."""
        data = await read_object(request)
        run = self.library.run(str(data.get("run")))

        def write() -> dict[str, bool]:
            verdict = new_verdict(self.reader, data, run.content().places, blind=self.library.blind)
            write_verdict(run.directory, verdict)
            return {"written": True}

        return await self._in_thread(write)

    def _content(self, request: Request) -> RunContent:
        content = self.library.run(request.query_params["run"]).content()
        if refusal := self.media.refusal(content.manifest):
            raise s3harness.MediaError(refusal)
        return content

    async def _in_thread(self, work: Callable[[], object]) -> Response:
        return json_response(await run_in_threadpool(work))


def bytes_with_ranges(request: Request, data: bytes, media_type: str) -> Response:
    """Return bytes, or the range of them that a browser wants: without ranges it could not seek in a video."""
    headers = {"Accept-Ranges": "bytes"}
    unit, _, span = request.headers.get("range", "").partition("=")
    first, _, last = span.partition("-")
    if unit != "bytes" or not (first.isdecimal() or last.isdecimal()) or (last and not last.isdecimal()):
        return Response(data, media_type=media_type, headers=headers)
    # "-500" are the last 500 bytes.
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) if first and last else len(data) - 1, len(data) - 1)
    if start > end:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(data)}"})
    headers |= {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
    return Response(data[start : end + 1], 206, media_type=media_type, headers=headers)


def _names(request: Request) -> list[str]:
    return list(dict.fromkeys(request.query_params.getlist("run")))


def _file(path: Path) -> Response:
    return Response(path.read_bytes(), media_type=TYPES[path.suffix])


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
