"""Nothing that a stranger's file names is connected to: no spec, card, run, submission or table opens an address."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from calling_quietly import call
from hostile_files import CASES, Address, Materials


@pytest.fixture(scope="module")
def right(tmp_path_factory, dataset) -> Materials:
    folder = tmp_path_factory.mktemp("right")
    run, submission = folder / "run", folder / "submission"
    words = ["run", "--backend", "oracle", "--tasks", "1,3", "--limit", "2", "--data", dataset, "--out", run]
    for command in (words, ["submit", "pack", run, "--out", submission]):
        code, output = call(command)
        assert code == 0, output
    return Materials(dataset, run, submission)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, makes in CASES.items() for name in makes])
def test_no_file_of_a_stranger_has_anything_connected_to(tmp_path, right, listening, kind, name):
    port, heard = listening
    with socket.create_connection(("127.0.0.1", port)) as own:
        own.send(b"own")
        assert own.recv(1) == b"", "the listener has read it and hung up"
    for words in CASES[kind][name](tmp_path, Address("127.0.0.1", port), right):
        code, output = call(words)
        assert code in (0, 1, 2), output
        assert "Traceback" not in output
    assert heard == [b"own"]


def unshare() -> list[str]:
    """Return the words that start a program in a network of its own; none where the kernel permits none."""
    ways = (["unshare", "-n"], ["unshare", "-rn"])
    if missing := [name for name in ("unshare", "ip") if not shutil.which(name)]:
        pytest.fail(f"{' and '.join(missing)} missing: apt-get install util-linux iproute2")
    trial = ["ip", "link", "add", "outside", "type", "veth", "peer", "name", "inside"]
    tried = ((way, subprocess.run([*way, *trial], check=False, capture_output=True)) for way in ways)
    return next((way for way, done in tried if done.returncode == 0), [])


def test_a_host_in_another_network_hears_nothing_of_all_of_them(tmp_path, right):
    """Not a packet: neither a connection, nor a datagram, nor a question for the address of a name."""
    started = unshare()
    if not started:
        pytest.skip("this kernel permits no network namespaces; the loopback tests above are all that can be shown")
    script = Path(__file__).with_name("called_offline.py")
    words = [*started, sys.executable, str(script), str(tmp_path), right.data, right.run, right.submission]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted == {"own": 1, "hostile": 0, "packets": 0, "crashed": []}
