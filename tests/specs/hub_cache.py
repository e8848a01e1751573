"""The hub's cache on this machine as its library lays it out, and a hub on loopback that serves one model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.specs.released_configs import write_files


def put_into_cache(cache: Path, repository: str, commit: str, files: Mapping[str, Any], branch: str = "main") -> Path:
    """Write files of a model at a commit, to which a branch then points; return their directory."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / branch).write_text(commit)
    return write_files(files, folder / "snapshots" / commit)


@contextmanager
def hub(repository: str, commit: str, files: Mapping[str, Any]) -> Iterator[str]:
    """Serve the files of a model at a commit, and yield the address."""
    contents = {
        name: (content if isinstance(content, str) else json.dumps(content)).encode() for name, content in files.items()
    }
    # Weights that nobody may ask for.
    listed = [*contents, "model-00001-of-00002.safetensors", "modeling_evil.py"]
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._resolve(with_body=False)

        def do_GET(self) -> None:
            if self.path.startswith(f"/api/models/{repository}/revision/"):
                self._reply({"id": repository, "sha": commit, "siblings": [{"rfilename": name} for name in listed]})
            elif self.path.startswith(f"/api/models/{repository}/tree/"):
                self._reply([{"type": "file", "path": name, "size": 1, "oid": name} for name in listed])
            else:
                self._resolve(with_body=True)

        def _resolve(self, *, with_body: bool) -> None:
            name = self.path.partition("?")[0].rpartition("/")[2]
            if f"/{repository}/resolve/" in self.path:
                asked.append(name)
            if f"/{repository}/resolve/" not in self.path or name not in contents:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound" if repository in self.path else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("ETag", f'"{name}"')
            self.send_header("X-Repo-Commit", commit)
            self.send_header("Content-Length", str(len(contents[name])))
            self.end_headers()
            if with_body:
                self.wfile.write(contents[name])

        def _reply(self, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
        assert set(asked) <= set(contents), "more than configuration files was asked for"
    finally:
        server.shutdown()
        server.server_close()
