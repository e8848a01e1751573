"""A real vLLM server with a tiny model: what it takes, that it keeps clips by their ids, and that it may be killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from s3harness_synth.dataset import synthesize

PATIENCE_S = 600.0
CARD = """
schema: s3harness/model/v1
name: tiny
title: A tiny Qwen3-VL of random weights
weights: null
family: qwen3-vl
modalities: [video]
protocols:
  paper:
    samplers:
      sliding_windows: {window_s: 30, stride_s: 25, frames: 4, max_pixels: 8192}
    generation: {temperature: 0, max_tokens: 1200}
"""
ENGINE = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
}
FLAGS = ["--dtype=float32", "--max-model-len=8192", "--enforce-eager", "--block-size=32", "--max-num-seqs=32"]
FORM = ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}']


class Server:
    """vLLM's own server; it may be killed and started again at the same address."""

    def __init__(self, weights: Path, folder: Path, *more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        where = ["--host=127.0.0.1", f"--port={self.port}", "--served-model-name=tiny", "--generation-config=vllm"]
        options = ["--trust-request-mm-kwargs", "--enable-prompt-tokens-details", "--enable-log-requests"]
        module = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(weights)]
        self._command = [*module, *FLAGS, *FORM, *where, *options, *more]
        self.weights, self._log = weights, folder / "log"
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VLLM_")} | ENGINE
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            assert self._process.poll() is None, self._log.read_text()[-3000:]
            assert time.monotonic() < until
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5):
                return
            time.sleep(0.5)

    def kill(self) -> None:
        """With all that it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def counted(self, name: str, label: str = "") -> float:
        """One of its own counters, of all its series or of those with a label."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as reply:
            lines = [
                line for line in reply.read().decode().splitlines() if line.startswith(f"{name}{{") and label in line
            ]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vllm")
    subprocess.run([sys.executable, "-m", "s3harness_transformers.tiny", "qwen3-vl", str(folder / "tiny")], check=True)
    with running(Server(folder / "tiny", folder)) as server:
        yield server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("data") / "two"
    synthesize(out, videos=2, seed=4, resolution=(96, 64), fps=4, duration_s=36.0)
    return out


@pytest.fixture
def words(data, tmp_path):
    """The words of ``s3harness run`` on Task 1: 18 questions of each of four windows."""
    (tmp_path / "card.yaml").write_text(CARD)

    def words_(server: Server, out: str, *more: str) -> list[str]:
        given = ["run", "--backend", "openai", "--model", tmp_path / "card.yaml", "--data", data, "--tasks", "1"]
        given += ["--protocol", "paper", "--cache", data / "cache", "--out", tmp_path / out]
        given += ["-o", f"base_url={server.url}", *more]
        return [sys.executable, "-m", "s3harness", *map(str, given)]

    return words_


def journal(folder: Path) -> list[dict]:
    path = folder / "responses.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def finished(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_clip_is_sent_once_kept_by_its_id_and_read_once(server, words, tmp_path):
    before = {name: server.counted(name) for name in ("vllm:mm_cache_queries_total", "vllm:mm_cache_hits_total")}
    output = finished(words(server, "run"))
    lines = journal(tmp_path / "run")
    assert Counter(line["status"] for line in lines) == {"ok": 72}
    for line in lines:
        assert set(json.loads(line["text"])) == {"answer", "justification"}
        assert line["choice_probabilities"][json.loads(line["text"])["answer"]] > 0
    queries = server.counted("vllm:mm_cache_queries_total") - before["vllm:mm_cache_queries_total"]
    hits = server.counted("vllm:mm_cache_hits_total") - before["vllm:mm_cache_hits_total"]
    assert queries - hits <= 6, "four clips, one of them in grey too, and two grey frames are all that it had not"
    assert "forgets" not in output
    assert "prompt tokens came from the servers' prefix cache" in output
    engine = json.loads((tmp_path / "run" / "manifest.json").read_text())["engine"]
    assert (engine["server"], engine["media"], engine["without"]) == ("vllm", "jpeg_sequence, jpeg 90", [])
    assert engine["version"]


@pytest.mark.parametrize("media", ["frames", "mp4"])
def test_it_takes_single_images_and_files_too(media, server, words, tmp_path):
    finished(words(server, "run", "-o", f"media={media}", "--limit", "1"))
    assert Counter(line["status"] for line in journal(tmp_path / "run")) == {"ok": 36}


def test_a_request_that_is_too_long_is_named_and_the_others_are_answered(server, words, tmp_path):
    """600 single images do not fit; nothing else is said of them."""
    card = (tmp_path / "card.yaml").read_text()
    (tmp_path / "card.yaml").write_text(card.replace("frames: 4", "frames: 300"))
    done = subprocess.run(words(server, "run", "-o", "media=frames", "--limit", "1"), capture_output=True, check=False)
    assert done.returncode == 1
    lines = journal(tmp_path / "run")
    assert {line["status"] for line in lines} == {"failed"}
    assert all(line["error"].startswith("ContextOverflow: HTTP 400") for line in lines), lines[0]["error"]


def test_a_server_that_is_killed_and_started_again_loses_nothing(server, words, tmp_path):
    out = tmp_path / "run"
    with subprocess.Popen(words(server, "run", "-o", "in_flight=4"), stderr=subprocess.PIPE, text=True) as run:
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.extend(run.stderr))
        reader.start()
        until = time.monotonic() + PATIENCE_S
        while len(journal(out)) < 10:
            assert run.poll() is None, output
            assert time.monotonic() < until
            time.sleep(0.02)
        server.kill()
        answered = len(journal(out))
        server.start()
        server.wait()
        assert run.wait(PATIENCE_S) == 0, output
        reader.join()
    lines = journal(out)
    assert answered < 72
    assert Counter(line["status"] for line in lines) == {"ok": 72}
    assert len({line["id"] for line in lines}) == 72
    assert sum(line.get("attempts", 1) > 1 for line in lines) <= 4
    assert any("cannot be reached" in line for line in output)


def test_a_clip_keeps_to_one_of_two_replicas(server, words, tmp_path):
    """As much of the prompts comes from the caches as with a single one, though each replica has a cache of its own."""
    more = ["--tasks", "3,4,5,6,7", "-o", "jpeg_quality=70"]
    possible = cached_share(finished(words(server, "one", *more)))
    with running(Server(server.weights, tmp_path, "--data-parallel-size=2", "--max-num-seqs=8")) as two:
        share = cached_share(finished(words(two, "two", *more)))
        assert all(two.counted("vllm:request_success_total", f'engine="{rank}"') > 1 for rank in (0, 1))
    assert possible > 20
    assert share >= 0.9 * possible


def cached_share(output: str) -> int:
    """Percentage of the prompt tokens that a run says came from the cache."""
    match = re.search(r"(\d+)% of \d+ prompt tokens came from the servers' prefix cache", output)
    assert match is not None, output
    return int(match[1])
