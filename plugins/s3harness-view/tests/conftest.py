"""A small data set with runs on it, and a reading room of them."""

from __future__ import annotations

import os

import pytest
from room_server import RoomServer, s3harness
from s3harness_synth.dataset import synthesize


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with ``data`` of three short videos, and the runs ``floors`` and ``oracle`` in ``runs``."""
    out = tmp_path_factory.mktemp("room")
    os.environ["S3HARNESS_CACHE"] = str(out / "cache")
    synthesize(out / "data", videos=3, seed=4, resolution=(96, 54), fps=4, duration_s=36.0)
    for backend in ("floors", "oracle"):
        s3harness("run", "--backend", backend, "--data", out / "data", "--out", out / "runs" / backend)
    return out


@pytest.fixture(scope="session")
def room(made):
    server = RoomServer.start("view", made / "runs", "--data", made / "data")
    yield server
    server.stop()


@pytest.fixture
def serve():
    """Start servers that are stopped when the test ends, however it ends."""
    servers = []

    def start(*arguments):
        servers.append(RoomServer.start(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
