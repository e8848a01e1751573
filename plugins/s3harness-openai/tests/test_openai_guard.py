"""Nothing leaves this machine unless its host is named, whatever a name means when, and no key is written anywhere."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator

import pytest
from misbehaving import Misbehaving, Reaction, ReceivedRequest, refuses
from openai_runs import command

ELSEWHERE = "192.0.2.77"
"""An address for documentation: nobody's, and so not this machine's."""


@pytest.fixture
def connected(monkeypatch) -> Iterator[list[str]]:
    """The addresses that anything in this process connects to."""
    addresses: list[str] = []
    _WATCHED.append(addresses)
    yield addresses
    _WATCHED.remove(addresses)


_WATCHED: list[list[str]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        for addresses in _WATCHED:
            addresses.append(str(arguments[1][0]))


sys.addaudithook(_watch)


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """Names that mean what they are told here, the last meaning staying; all others mean what they do."""
    meanings: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in meanings:
            return real(host, port, *args, **kwargs)
        addresses = meanings[host]
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 0)))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return meanings


def test_a_name_that_leads_here_needs_no_permission(run, names):
    with Misbehaving() as server:
        names["model.test"] = ["127.0.0.1"]
        done = run(f"http://model.test:{server.port}/v1")
    assert done.code == 0, done.err
    assert done.manifest()["allow_remote"] == []


@pytest.mark.parametrize("host", ["model.test", ELSEWHERE, "[2001:db8::1]"])
def test_a_host_elsewhere_is_refused_before_anything_is_sent(host, run, names, connected):
    names["model.test"] = [ELSEWHERE]
    done = run(f"http://{host}:8000/v1")
    assert done.code == 2
    assert f"--allow-remote {host.strip('[]')}" in done.err
    assert connected == []
    assert done.lines == []


def test_another_host_s_permission_is_none(run, names, connected):
    names |= {"model.test": [ELSEWHERE], "other.test": [ELSEWHERE]}
    done = run("http://model.test:8000/v1,http://other.test:8000/v1", "--allow-remote", "other.test")
    assert done.code == 2
    assert "--allow-remote model.test" in done.err
    assert "--allow-remote other.test" not in done.err
    assert connected == []


def test_a_host_that_is_named_is_connected_to_and_noted(run, names):
    names["model.test"] = [ELSEWHERE, "127.0.0.1"]
    with Misbehaving() as server:
        done = run(f"http://model.test:{server.port}/v1", "--allow-remote", "Model.Test")
    assert done.code == 0, done.err
    assert done.manifest()["allow_remote"] == ["Model.Test"]


def test_a_name_that_changes_its_meaning_is_refused_when_it_is_connected_to(run, names, connected):
    """It led here when the run was checked, and leads elsewhere when the server is called."""
    names["model.test"] = ["127.0.0.1", ELSEWHERE]
    done = run("http://model.test:8000/v1")
    assert done.code != 0
    assert "is not this machine's" in done.err
    assert ELSEWHERE not in connected


def test_a_name_that_changes_its_meaning_during_a_run_gets_nothing(run, names, connected):
    """The connections are to this machine; when one breaks, the next would not be."""
    with Misbehaving() as server:
        names["model.test"] = ["127.0.0.1"]

        def behave(request: ReceivedRequest) -> Reaction | None:
            if request.number < 5 or not request.key:
                return None
            names["model.test"] = [ELSEWHERE]
            return Reaction(reset=True)

        server.behave = behave
        done = run(f"http://model.test:{server.port}/v1", in_flight=1)
    assert done.code == 1
    assert set(done.statuses()) == {"ok", "failed"}
    assert ELSEWHERE not in connected
    assert all("not allowed" in line["error"] for line in done.lines if line["status"] == "failed")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_not_followed(method, run):
    with Misbehaving() as other, Misbehaving() as server:
        there = Reaction(b"", 307, {"Location": f"{other.url}/chat/completions"})
        server.behave = lambda request: there if request.method == method else None
        done = run(server.url)
    assert done.code == 1
    assert other.bytes == 0
    assert "redirects to another address" in done.everything()


def test_proxies_of_the_environment_are_not_used(run, monkeypatch):
    with Misbehaving() as proxy, Misbehaving() as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert run(server.url).code == 0
    assert proxy.bytes == 0


def test_a_proxy_that_is_named_is_used_and_guarded_too(run, names, connected):
    names["proxy.test"] = [ELSEWHERE]
    done = run("http://127.0.0.1:8000/v1", proxy="http://proxy.test:3128")
    assert done.code == 2
    assert "--allow-remote proxy.test" in done.err
    assert connected == []
    with Misbehaving() as proxy:
        assert run("http://127.0.0.1:9/v1", proxy=f"http://127.0.0.1:{proxy.port}").code == 0
        assert proxy.requests[0].path.startswith("http://127.0.0.1:9/v1")


SECRET = "sk-live-3141592653589793"


def test_a_key_goes_to_the_server_and_nowhere_else(run, monkeypatch, caplog):
    """Not even where a server says it back."""
    monkeypatch.setenv("MODEL_KEY", SECRET)

    def behave(request: ReceivedRequest) -> Reaction | None:
        return refuses(400, f"Incorrect API key provided: {SECRET}.") if request.number == 4 and request.key else None

    with Misbehaving(behave) as server:
        done = run(server.url, api_key_env="MODEL_KEY")
    assert {request.headers.get("authorization") for request in server.requests} == {f"Bearer {SECRET}"}
    assert done.statuses() == {"ok": 35, "failed": 1}
    assert "Incorrect API key" in done.everything()
    assert SECRET not in done.everything() + caplog.text


def test_no_key_is_sent_unless_one_is_named(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with Misbehaving() as server:
        run(server.url)
    assert not any("authorization" in request.headers for request in server.requests + server.other_requests)


def test_a_server_that_wants_a_key_says_so_at_once(run):
    with Misbehaving(lambda request: refuses(401, "no key")) as server:
        done = run(server.url)
    assert done.code == 1
    assert "-o api_key_env=NAME" in done.err
    assert server.requests == []


def test_a_key_of_an_unset_variable_is_a_wrong_call(run, monkeypatch):
    monkeypatch.delenv("MODEL_KEY", raising=False)
    done = run("http://127.0.0.1:9/v1", api_key_env="MODEL_KEY")
    assert (done.code, "MODEL_KEY" in done.err) == (2, True)


def test_no_media_and_no_long_words_of_a_server_are_journalled(run):
    """A server that says back what it was sent does not have it written down."""

    def echo(request: ReceivedRequest) -> Reaction | None:
        return refuses(422, request.body.decode()) if request.number == 4 and request.key else None

    with Misbehaving(echo) as server:
        done = run(server.url)
    failed = next(line for line in done.lines if line["status"] == "failed")
    assert len(failed["error"]) < 330
    assert "base64,/9j" not in done.everything()


def test_what_is_sent_names_no_video_and_no_patient(run, data):
    with Misbehaving() as server:
        run(server.url)
    sent = (
        b"".join(request.body for request in server.requests)
        + str([request.headers for request in server.requests]).encode()
    )
    assert len(server.requests) == 36
    for word in (b"v0001", b"v0002", b".mp4", b"patient_id", str(data).encode()):
        assert word not in sent


def test_the_audit_log_has_every_request_and_every_byte(run):
    """Greetings, questions that were asked twice, and all."""
    busy = Reaction(b"", 503, {"Retry-After": "0"})
    with Misbehaving(lambda request: busy if request.number == 3 and request.key else None) as server:
        done = run(server.url)
    logged = [json.loads(line) for line in (done.folder / "audit.jsonl").read_text().splitlines()]
    requests = [line for line in logged if line["event"] == "request"]
    received = server.requests + server.other_requests
    assert {line["host"] for line in requests} == {f"127.0.0.1:{server.port}"}
    assert sorted(line["bytes"] for line in requests) == sorted(len(request.body) for request in received)
    assert {line["id"] for line in requests} - {""} == {line["id"] for line in done.lines}
    assert command("audit", done.folder)[0] == 0
