"""A running reading room, as a process of its own, and requests to it by plain sockets."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

WATCHED = """
import os, threading
def end_with_parent():
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
from s3harness.cli import main
main()
"""
"""A command that ends when its standard input closes, as it does when the tests that started it are killed."""


def s3harness(*arguments, check=True):
    return subprocess.run(
        [sys.executable, "-m", "s3harness", *map(str, arguments)], check=check, capture_output=True, text=True
    )


@dataclass
class RoomServer:
    """The process of ``s3harness view`` or ``read``, and a browser's cookie."""

    process: subprocess.Popen
    address: str
    cookie: str = ""
    output: str = ""
    errors: str = ""
    is_finished: bool = False

    @classmethod
    def start(cls, *arguments):
        command = [sys.executable, "-c", WATCHED, *map(str, arguments)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(command, **pipes, text=True)
        # A run's standard output holds its scores, so an exam prints its address beside them.
        for line in process.stderr if arguments[0] == "read" else process.stdout:
            if match := re.search(r"http://\S+", line):
                server = cls(process, match[0])
                server.enter()
                return server
        raise AssertionError(f"no address was printed: {process.communicate()}")

    @property
    def port(self):
        return urlsplit(self.address).port

    def enter(self):
        status, headers, _ = self.ask("GET", self.address.removeprefix(f"http://127.0.0.1:{self.port}"), cookie="")
        assert status == 303
        self.cookie = headers["set-cookie"].split(";")[0]

    def ask(self, method, path, body=None, host=None, cookie=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Host": host or f"127.0.0.1:{self.port}", "Cookie": self.cookie if cookie is None else cookie}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, data

    def get(self, path, **params):
        status, _, data = self.ask("GET", f"{path}?{urlencode(params, doseq=True)}")
        return status, data

    def json(self, path, **params):
        status, data = self.get(path, **params)
        assert status == 200, data
        return json.loads(data)

    def post(self, path, data, **headers):
        origin = {"Origin": f"http://127.0.0.1:{self.port}"} | headers
        status, _, text = self.ask("POST", path, json.dumps(data), **origin)
        answer = json.loads(text)
        self.is_finished |= answer.get("finished", False)
        return status, answer

    def next_question(self):
        """Return the question at hand; ``None`` after an exam's last answer, with which the server ends."""
        question = {} if self.is_finished else self.json("/api/question")
        return question if "id" in question else None

    def finish(self):
        self.output, self.errors = self._read_to_end(60)
        return self.process.returncode

    def stop(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        return self._read_to_end(30)[1]

    def _read_to_end(self, timeout):
        # communicate() would close the pipe whose end means that the parent is gone.
        stdin, self.process.stdin = self.process.stdin, None
        try:
            return self.process.communicate(timeout=timeout)
        finally:
            stdin.close()
