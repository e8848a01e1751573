"""A server on this host that speaks what a pull request on the Hub needs, and keeps what it is sent."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What the server was sent: requests by method and path, and the pull request's title and files."""

    address: str = ""
    requests: list[str] = field(default_factory=list)
    title: str = ""
    files: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def hub(refuse: int = 0) -> Iterator[Hub]:
    """A hub that takes a commit as pull request 1, or refuses every request with a status."""
    kept = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kept, refuse))
    kept.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


def _handler(kept: Hub, refuse: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._body()
            kept.requests.append(f"POST {self.path}")
            if refuse:
                self._reply({"error": "no"}, refuse)
            elif "/preupload/" in self.path:
                files = [{"path": f["path"], "uploadMode": "regular"} for f in json.loads(body)["files"]]
                self._reply({"files": [f | {"shouldIgnore": False} for f in files]})
            elif "/commit/" in self.path:
                self._commit([json.loads(line) for line in body.splitlines() if line])
            else:
                self._reply({"error": "unknown"}, 404)

        def do_GET(self) -> None:
            kept.requests.append(f"GET {self.path}")
            self._reply({"error": "unknown"}, 404)

        def _commit(self, lines: list[dict[str, Any]]) -> None:
            for line in lines:
                if line["key"] == "header":
                    kept.title = line["value"]["summary"]
                else:
                    assert line["key"] == "file", line["key"]
                    kept.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"{kept.address}/datasets/epi/board"
            commit = {"commitUrl": f"{url}/commit/{'a' * 40}", "commitOid": "a" * 40}
            self._reply(commit | {"pullRequestUrl": f"{url}/discussions/1"})

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _reply(self, answer: object, status: int = 200) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
