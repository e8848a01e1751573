"""Whatever library connects: to this machine, or to what was named, and to nothing else while a run asks."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from s3harness.guard.sockets import confined, watched

ELSEWHERE = "192.0.2.77"
"""An address for documentation: nobody's."""
QUICK_S = 0.05
NOBODY = r"timed out|unreachable|refused$"


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """What names mean; each look-up takes the next meaning, and the last one stays."""
    meanings: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in meanings:
            return real(host, port, *args, **kwargs)
        address = meanings[host].pop(0) if len(meanings[host]) > 1 else meanings[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 0)))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return meanings


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A server of this machine that sends everybody on to the address in the query; and what it was asked."""
    asked: list[str] = []

    class Redirects(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(307 if "?" in self.path else 200)
            if "?" in self.path:
                self.send_header("Location", self.path.partition("?")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirects) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join(5)


def by_connecting(address: str) -> None:
    socket.create_connection((address, 80), QUICK_S).close()


def by_a_connected_datagram(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect((address, 53))
        made.send(b"frame")


def by_a_datagram(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"frame", (address, 53))


def by_a_message(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendmsg([b"frame"], [], 0, (address, 53))


WAYS = [by_connecting, by_a_connected_datagram, by_a_datagram, by_a_message]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_goes_where_nobody_was_named(way):
    heard: list[tuple[str, str]] = []
    with watched(lambda where, port, how: heard.append((where, how))), confined(), pytest.raises(PermissionError):
        way(ELSEWHERE)
    assert {how for _, how in heard} == {"refused"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_thread_is_no_way_out(way):
    caught: list[BaseException] = []

    def go() -> None:
        try:
            way(ELSEWHERE)
        except BaseException as error:
            caught.append(error)

    with confined():
        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
    assert [type(error) for error in caught] == [PermissionError]


def test_this_machine_is_open(redirecting):
    url, asked = redirecting
    with confined():
        assert urllib.request.urlopen(f"{url}/hello", timeout=60).status == 200
    assert asked == ["/hello"]


@pytest.mark.parametrize("there", [f"http://{ELSEWHERE}/", "http://model.test/", "http://0xC000024D/"])
def test_a_library_that_follows_a_redirect_gets_nowhere(there, redirecting, names):
    """Also not by a name, nor by an address written as a number."""
    names["model.test"] = [ELSEWHERE]
    url, asked = redirecting
    with confined(), pytest.raises(OSError, match="not allowed; nothing was sent"):
        urllib.request.urlopen(f"{url}/?{there}", timeout=60)
    assert len(asked) == 1


def test_a_library_that_takes_the_environment_s_proxy_gets_nowhere(monkeypatch, redirecting):
    url, asked = redirecting
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://{ELSEWHERE}:3128")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler())
    with confined(), pytest.raises(OSError, match="not allowed; nothing was sent"):
        opener.open(f"{url}/hello", timeout=60)
    assert asked == []


@pytest.mark.parametrize("named", [ELSEWHERE, "model.test", "MODEL.test."])
def test_a_named_host_may_be_tried(named, names):
    """Nobody is there, so what comes is a failure to connect, and no refusal."""
    names["model.test"] = [ELSEWHERE]
    heard: list[str] = []
    with (
        watched(lambda where, port, how: heard.append(how), [named]),
        confined([named]),
        pytest.raises(OSError, match=NOBODY) as failed,
    ):
        by_connecting(ELSEWHERE)
    assert not isinstance(failed.value, PermissionError)
    assert heard == ["named"]


def test_a_named_host_that_has_another_address_each_time_stays_named(names):
    names["model.test"] = [ELSEWHERE, "192.0.2.78"]
    with confined(["model.test"]):
        (*_, (address, _)), *_ = socket.getaddrinfo("model.test", 80)
        with pytest.raises(OSError, match=NOBODY):
            by_connecting(address)


def test_another_host_s_name_is_no_permission(names):
    names |= {"model.test": [ELSEWHERE], "other.test": ["192.0.2.78"]}
    with confined(["other.test"]), pytest.raises(PermissionError):
        by_connecting("model.test")


def test_it_ends():
    with confined():
        pass
    heard: list[str] = []
    with (
        watched(lambda where, port, how: heard.append(how)),
        pytest.raises(OSError, match=NOBODY),
    ):
        by_connecting(ELSEWHERE)
    assert heard == ["unnamed"]
    assert socket.getaddrinfo.__name__ == "getaddrinfo"


def test_sockets_of_this_machine_s_own_kind_are_no_concern(tmp_path):
    with confined(), socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
