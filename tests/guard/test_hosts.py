"""What is this machine, and what may be connected to."""

from __future__ import annotations

import socket
import sys

import pytest

from s3harness import UsageError
from s3harness.guard.hosts import Guard, host_of, is_this_host, port_of, remote_hosts, resolve, unnamed_hosts

ELSEWHERE = "192.0.2.77"
"""An address for documentation: nobody's."""


def own_address() -> str:
    """The address of an interface of this machine, by which it would reach others; the loopback if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ELSEWHERE, 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", own_address()]
)
def test_addresses_of_this_machine(address):
    assert is_this_host(address)


@pytest.mark.parametrize(
    "address",
    f"{ELSEWHERE} 8.8.8.8 10.99.99.99 169.254.169.254 2001:db8::1 ::ffff:8.8.8.8 224.0.0.1 ff02::1 255.255.255.255 "
    "localhost 127.0.0.1.example.org 2130706433".split(),
)
def test_other_addresses_and_what_is_none(address):
    assert not is_this_host(address)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://localhost:8000/v1", "localhost", 8000),
        ("https://API.Example.ORG./v1", "api.example.org", 443),
        ("http://[::1]:8000/v1", "::1", 8000),
        ("http://127.0.0.1", "127.0.0.1", 80),
    ],
)
def test_the_host_of_an_address(url, host, port):
    assert (host_of(url), port_of(url)) == (host, port)


@pytest.mark.parametrize("url", ["localhost:8000", "file:///etc/passwd", "http://", "http://h:99999/", "unix:///x", ""])
def test_what_is_no_address_of_a_server_is_a_wrong_call(url):
    with pytest.raises(UsageError, match="address"):
        host_of(url)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as refused:
        host_of("https://me:open-sesame@example.org/v1")
    assert "open-sesame" not in str(refused.value)


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """What names mean; each look-up takes the next meaning, and the last one stays."""
    meanings: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in meanings:
            return real(host, port, *args, **kwargs)
        addresses = meanings[host].pop(0) if len(meanings[host]) > 1 else meanings[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return meanings


def test_remote_hosts_are_those_that_do_not_lead_here(names):
    names |= {
        "here.test": [["127.0.0.1", "127.0.0.2"]],
        "there.test": [[ELSEWHERE]],
        "both.test": [["127.0.0.1", ELSEWHERE]],
    }
    urls = [f"http://{name}.test:8000/v1" for name in ("here", "there", "both", "THERE")]
    assert remote_hosts([*urls, "http://localhost/v1"]) == ("there.test", "both.test")


def test_a_name_without_an_address_is_a_wrong_call():
    with pytest.raises(UsageError, match=r"there is no host named 'nowhere\.invalid'"):
        remote_hosts(["http://nowhere.invalid/v1"])


def test_naming_a_host_permits_that_host_alone():
    assert unnamed_hosts(["a.org", "b.org"], ["A.ORG"]) == ("b.org",)
    assert unnamed_hosts(["2001:db8::1"], ["[2001:db8::1]"]) == ()
    assert unnamed_hosts(["a.org"], ["org", "x.a.org", "*"]) == ("a.org",)


CONNECTS: list[tuple[str, int]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        CONNECTS.append(arguments[1][:2])  # type: ignore[arg-type]


sys.addaudithook(_watch)


def test_the_guard_connects_to_this_machine(listening, names):
    port, heard = listening
    names["model.test"] = [["127.0.0.1"]]
    with Guard().connect("model.test", port, 5) as made:
        made.sendall(b"hello")
        assert made.recv(1) == b"", "the other side has hung up"
    assert heard == [b"hello"]


@pytest.mark.parametrize("meanings", [[[ELSEWHERE]], [["127.0.0.1", ELSEWHERE]]])
def test_the_guard_connects_to_nothing_else(meanings, listening, names):
    """Not even to the address that is this machine's, where a name has another as well."""
    port, heard = listening
    names["model.test"] = meanings
    CONNECTS.clear()
    with pytest.raises(UsageError, match=r"--allow-remote model\.test"):
        Guard().connect("model.test", port, 5)
    assert CONNECTS == []
    assert heard == []


def test_a_name_is_looked_up_again_when_it_is_connected_to(listening, names):
    port, heard = listening
    names["model.test"] = [["127.0.0.1"], [ELSEWHERE]]
    assert remote_hosts([f"http://model.test:{port}/v1"]) == ()
    CONNECTS.clear()
    with pytest.raises(UsageError, match="nothing was sent"):
        Guard().connect("model.test", port, 5)
    assert CONNECTS == []
    assert heard == []


def test_a_named_host_may_be_anywhere(names):
    names["model.test"] = [[ELSEWHERE]]
    guard = Guard(frozenset({"model.test"}))
    assert guard.addresses("model.test", 80) == (ELSEWHERE,)
    with pytest.raises(UsageError):
        guard.addresses(ELSEWHERE, 80)


def test_what_cannot_be_reached_says_why(listening):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        Guard().connect("127.0.0.1", closed, 5)


def test_resolving_gives_each_address_once():
    assert resolve("127.0.0.1", 80) == ("127.0.0.1",)
