"""The fuzzer finds what breaks a parser's contract, and its corpus breaks none."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.child import BROKEN
from fuzz.inputs import CORPUS, Input, read_input
from fuzz.mutate import mutated
from fuzz.targets import Target, targets

REPOSITORY = Path(__file__).parents[2]


def _loops(folder):
    while True:
        pass


def _fills_memory(folder):
    return bytearray(500 * 1024**2)


def _recurses(folder):
    return _recurses(folder)


def _reads_elsewhere(folder):
    return Path("/etc/hostname").read_bytes()


def _writes_elsewhere(folder):
    return (folder.parents[1] / "x").write_bytes(b"")


def _connects_and_hides_it(folder):
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
    except Exception:
        return


def _starts_a_program(folder):
    return subprocess.run(["true"], check=True)


def _wrong_type(folder):
    return json.loads((folder / "a.json").read_bytes())["x"]


BROKEN_PARSERS = {
    "takes for ever": (_loops, -signal.SIGPROF, ""),
    "takes much memory": (_fills_memory, BROKEN, "MemoryError"),
    "recurses": (_recurses, BROKEN, "RecursionError"),
    "reads a file elsewhere": (_reads_elsewhere, BROKEN, "/etc/hostname"),
    "writes a file elsewhere": (_writes_elsewhere, BROKEN, "OutOfBoundsError"),
    "opens a socket": (_connects_and_hides_it, BROKEN, "socket"),
    "starts a program": (_starts_a_program, BROKEN, "subprocess"),
    "raises what it does not document": (_wrong_type, BROKEN, "TypeError"),
}


@pytest.mark.parametrize(("parser", "status", "reason"), BROKEN_PARSERS.values(), ids=BROKEN_PARSERS)
def test_a_parser_that_breaks_its_contract_is_found(attempt, parser, status, reason):
    tried, why = attempt(Target(parser), {"a.json": b"[]"})
    assert tried == status
    assert reason in why


def test_a_parser_that_keeps_its_contract_is_not_complained_of(attempt):
    assert attempt(Target(lambda folder: (folder / "a.json").read_bytes()), {"a.json": b"[]"}) == (0, "")
    assert attempt(Target(_wrong_type, (TypeError,)), {"a.json": b"[]"}) == (0, "")


def test_what_was_kept_breaks_no_parser():
    environment = os.environ | {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "fuzz", "--seconds", "0"]
    done = subprocess.run(words, check=False, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = len(list(CORPUS.glob("*/*.json")))
    assert f"{kept} inputs, 0 crashes" in done.stdout


def test_numbers_of_any_size_are_mutated():
    huge = {"a.json": b"[%d]" % 10**330, "b.yaml": b"a: %d" % 10**330, "c.jsonl": b'{"a": %d}\n' % 10**330}
    for seed in range(300):
        mutated(random.Random(seed), Input("x", huge), [])


def test_every_parser_has_a_right_input_and_an_input_survives_being_kept(tmp_path):
    assert {path.name for path in CORPUS.iterdir()} == set(targets())
    for path in CORPUS.glob("*/*.json"):
        one = read_input(path)
        assert read_input(one.save(tmp_path)) == one
    assert sum(path.stat().st_size for path in CORPUS.rglob("*.json")) < 500_000
