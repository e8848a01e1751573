"""Whoever is not this machine's own browser with the token gets nothing; what is sent is logged before it goes."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from s3harness.guard.audit_log import read_audit


def data_paths(room):
    return ["/", "/static/main.js", "/api/runs", "/api/items?run=floors", "/media/video?video=v0001"]


def test_without_the_token_nothing_is_shown(room):
    for path in data_paths(room):
        for cookie in ("", "s3harness-view=x", f"s3harness-view-{room.port}=", f"s3harness-view-{room.port}=é"):
            status, headers, data = room.ask("GET", path, cookie=cookie.encode("utf-8").decode("latin-1"))
            assert (status, headers["content-type"]) == (403, "text/plain; charset=utf-8")
            assert b"v0001" not in data


def test_a_wrong_token_sets_no_cookie(room):
    status, headers, _ = room.ask("GET", "/?token=guess", cookie="")
    assert status == 403
    assert "set-cookie" not in headers


def test_the_cookie_stays_in_this_site_and_out_of_scripts(room):
    _, headers, _ = room.ask("GET", room.address[room.address.index("/?") :], cookie="")
    assert "HttpOnly" in headers["set-cookie"]
    assert "samesite=strict" in headers["set-cookie"].lower()
    assert headers["location"] == "/", "the token leaves the address"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "169.254.1.1:80", "[::1]"])
def test_another_host_name_gets_nothing_although_it_has_the_cookie(room, host):
    status, _, data = room.ask("GET", "/api/runs", host=host)
    assert status == 421
    assert b"floors" not in data


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_gets_nothing(room, site):
    status, _, data = room.ask("GET", "/api/runs", Sec_Fetch_Site=site)
    assert status == 403
    assert b"floors" not in data


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", None])
def test_only_own_pages_may_write(room, made, origin):
    verdict = {"run": "floors", "item": "x", "target": "answer", "verdict": "right"}
    headers = {"Origin": origin} if origin else {}
    status, _, _ = room.ask("POST", "/api/verdict", json.dumps(verdict), **headers)
    assert status == 403
    assert not (made / "runs" / "floors" / "verdicts.jsonl").exists()


def test_every_response_has_the_strict_policy(room):
    for path in [*data_paths(room), "/nothing", "/api/item?run=floors&item=x"]:
        _, headers, _ = room.ask("GET", path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert (headers["x-content-type-options"], headers["cross-origin-resource-policy"]) == (
            "nosniff",
            "same-origin",
        )


def test_the_server_listens_on_the_loopback_interface_alone(room):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
    listening = [row.split()[1] for row in Path("/proc/net/tcp").read_text().splitlines() if row.split()[3] == "0A"]
    ports = {(entry.split(":")[0], int(entry.split(":")[1], 16)) for entry in listening}
    assert ("0100007F", room.port) in ports
    assert ("00000000", room.port) not in ports
    for address in addresses:
        with pytest.raises(OSError), socket.create_connection((address, room.port), timeout=2):
            pass


@pytest.mark.parametrize("name", ["../gate.py", "%2e%2e/gate.py", "..%2fgate.py", "/etc/passwd", "main.py"])
def test_no_file_is_opened_by_its_path(room, name):
    for path in (f"/static/{name}", f"/media/video?video={name}", f"/api/items?run={name}"):
        status, _, data = room.ask("GET", path)
        assert status in (403, 404)
        assert b"root:" not in data
        assert b"import" not in data


def test_a_body_beyond_the_limit_is_refused(room):
    status, _, _ = room.ask("POST", "/api/verdict", b"x" * (2 << 20), Origin=f"http://127.0.0.1:{room.port}")
    assert status == 413


def test_what_was_sent_is_in_the_audit_log(made, tmp_path, monkeypatch, serve):
    monkeypatch.setenv("S3HARNESS_CACHE", str(tmp_path))
    server = serve("view", made / "runs", "--data", made / "data")
    server.json("/api/runs")
    _, _, video = server.ask("GET", "/media/video?video=v0001")
    server.ask("GET", "/api/runs", cookie="")
    assert "audit.jsonl" in server.stop()
    (log,) = tmp_path.glob("view/*/audit.jsonl")
    events = list(read_audit(log))
    assert all(is_unchanged for _, is_unchanged in events)
    sent = [(event["id"], event["bytes"]) for event, _ in events if event["event"] == "request"]
    assert [path for path, _ in sent] == ["/", "/api/runs", "/media/video", "/api/runs"]
    assert ("/media/video", len(video)) in sent
    assert {event["host"] for event, _ in events if event["event"] == "request"} == {"127.0.0.1"}
    assert log.stat().st_mode & 0o077 == 0
    assert events[-1][0]["event"] == "ended"
