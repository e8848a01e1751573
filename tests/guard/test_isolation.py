"""``--isolate``: compiled code and other processes reach nothing, and where that is not possible it is said."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading

import pytest

TRIES = """
import ctypes, socket, subprocess, sys
from s3harness.guard.isolation import isolate
isolate()
port = int(sys.argv[1])
connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
print("other process", subprocess.run([sys.executable, "-c", connect], stderr=subprocess.DEVNULL).returncode)
print("curl", subprocess.run(["curl", "-s", "-m", "2", f"http://127.0.0.1:{port}"]).returncode if sys.argv[2] else 7)
libc = ctypes.CDLL(None, use_errno=True)
address = bytes([2, 0]) + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
print("compiled code", libc.connect(libc.socket(2, 1, 0), address, 16))
server = socket.create_server(("127.0.0.1", 0))
print("its own loopback", socket.create_connection(server.getsockname(), 2).fileno() > 0)
"""


def can_make_networks():
    if not shutil.which("unshare"):
        return False
    return any(
        subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0
        for flags in ("-n", "-rn")
    )


@pytest.fixture
def listening():
    """A server on loopback of this machine, and how many connections it was made."""
    server, accepted = socket.create_server(("127.0.0.1", 0)), []

    def accept():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            accepted.append(connection.getpeername())
            connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield server.getsockname()[1], accepted
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_nothing_that_is_started_reaches_a_server_outside(listening):
    port, accepted = listening
    socket.create_connection(("127.0.0.1", port)).close()
    done = subprocess.run(
        [sys.executable, "-c", TRIES, str(port), shutil.which("curl") or ""],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if not can_make_networks():
        assert "--isolate is not possible here" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["other process 1", "curl 7", "compiled code -1", "its own loopback True"]
    assert len(accepted) == 1


def run(*before):
    words = [sys.executable, "-m", "s3harness", "run", "--isolate", "--backend", "floors", "--data", "/nowhere"]
    return subprocess.run([*before, *words], check=False, capture_output=True, text=True, timeout=600)


def test_the_command_goes_on_in_its_own_network():
    done = run()
    assert done.returncode == 2
    assert ("not a data set directory" in done.stderr) is can_make_networks()


def test_where_no_network_can_be_made_it_says_so_and_does_not_run():
    """In a user namespace whose limit of networks is 0, as a hardened machine has it for all."""
    limit = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    if subprocess.run(["unshare", "-r", "sh", "-c", limit, "sh", "true"], check=False, capture_output=True).returncode:
        # Without user namespaces no limit can be set: then the machine itself says whether a network can be made.
        assert ("--isolate is not possible here" in run().stderr) is not can_make_networks()
        return
    done = run("unshare", "-r", "sh", "-c", limit, "sh")
    assert done.returncode == 2
    assert "--isolate is not possible here: no network namespace can be made" in done.stderr
    assert "not a data set directory" not in done.stderr
