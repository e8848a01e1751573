"""The audit log: what went where, written before it goes; and nothing private in what may be shared."""

from __future__ import annotations

import json

import pytest
from running import SLOW, journal, run_words, whole_lines

from s3harness.guard.audit_log import FILE, read_audit

ASKING = """
    import os, socket
    import s3harness


    class AskingBackend(s3harness.Backend):
        modalities = ("video",)
        limits = s3harness.Limits(in_flight=1, attempts=1)

        async def generate(self, request):
            host, port = os.environ["THERE"].rsplit(":", 1)
            if os.environ.get("TELLS"):
                self.log_send(f"{host}:{port}", 5, request.id)
            with socket.create_connection((host, int(port)), 1) as made:
                made.sendall(b"frame")
            return s3harness.Response(request.id, os.environ.get("SAYS", "ES"))


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("asking", "asking:AskingBackend")
"""
"""A plugin that opens connections of its own and declares no host."""

TASK = ("--tasks", "7")
ELSEWHERE = "192.0.2.77"


def audited(s3, out, *more, code=0):
    done = s3("audit", out, "--json", *more)
    assert done.code == code, done.out + done.err
    return done.json()


def test_a_local_engine_sends_nothing(here, undisturbed):
    found = audited(here, undisturbed["floors"])
    (session,) = found["sessions"]
    assert (session["status"], session["requests"], session["contacts"]) == ("complete", {}, {})
    assert session["answered"] == len(journal(undisturbed["floors"]))
    assert found["findings"] == []
    assert "responses.jsonl" in found["searched"]
    assert "in process" in here("audit", undisturbed["floors"]).out


def test_what_a_plugin_connects_to_is_in_the_log_whether_it_tells_or_not(s3, dataset, cache, tmp_path, listening):
    port, heard = listening
    s3.plugin("asking", ASKING)
    s3.set(THERE=f"127.0.0.1:{port}")
    assert s3(*run_words(dataset, tmp_path / "out", cache, *TASK, backend="asking")).code == 0
    (session,) = audited(s3, tmp_path / "out")["sessions"]
    assert session["contacts"] == {f"127.0.0.1:{port}": "here"}
    assert session["requests"] == {}
    assert len(heard) == session["answered"]


def test_requests_that_are_told_are_counted_by_host(s3, dataset, cache, tmp_path, listening):
    port, heard = listening
    s3.plugin("asking", ASKING)
    s3.set(THERE=f"127.0.0.1:{port}", TELLS=1)
    assert s3(*run_words(dataset, tmp_path / "out", cache, *TASK, backend="asking")).code == 0
    (session,) = audited(s3, tmp_path / "out")["sessions"]
    assert session["requests"] == {f"127.0.0.1:{port}": len(heard)}
    assert session["bytes"] == {f"127.0.0.1:{port}": sum(map(len, heard))}


def test_a_plugin_that_says_it_is_local_gets_no_byte_elsewhere(s3, dataset, cache, tmp_path):
    s3.plugin("asking", ASKING)
    s3.set(THERE=f"{ELSEWHERE}:80")
    done = s3(*run_words(dataset, tmp_path / "out", cache, *TASK, backend="asking"))
    assert done.code == 1
    assert all("not allowed; nothing was sent" in line["error"] for line in journal(tmp_path / "out"))
    found = audited(s3, tmp_path / "out", code=1)
    assert found["sessions"][0]["contacts"] == {f"{ELSEWHERE}:80": "refused"}
    assert [finding["kind"] for finding in found["findings"]] == ["host"]


@pytest.mark.parametrize(("hosts", "allowed"), [("()", ()), ("('model.test',)", ("--allow-remote", "other.test"))])
def test_a_remote_backend_without_permission_sends_not_one_byte(
    hosts, allowed, s3, dataset, cache, tmp_path, listening
):
    """Whether it says which host it asks or not, and though the port that it would ask is there and open."""
    port, heard = listening
    remote = f'remote, hosts = True, {hosts}\n        modalities = ("video",)'
    s3.plugin("asking", ASKING.replace('modalities = ("video",)', remote))
    s3.set(THERE=f"127.0.0.1:{port}")
    done = s3(*run_words(dataset, tmp_path / "out", cache, *TASK, *allowed, backend="asking"))
    assert done.code == 2
    assert "nothing leaves this machine unless you allow it: --allow-remote" in done.err
    assert heard == []
    assert not (tmp_path / "out").exists()


def test_a_log_outlives_a_kill_and_is_gone_on_with(s3, dataset, cache, tmp_path):
    out = tmp_path / "out"
    s3.plugin("slow", SLOW)
    words = run_words(dataset, out, cache, *TASK, "-o", "pause_s=0.05", backend="slow")
    s3.start(*words).kill_when(lambda: len(whole_lines(out)) >= 3)
    with (out / FILE).open("ab") as file:
        file.write(b'{"event": "requ')
    assert s3(*words, "--resume").code == 0
    found = audited(s3, out)
    assert [session["status"] for session in found["sessions"]] == ["killed", "complete"]
    assert sum(session["answered"] for session in found["sessions"]) < len(journal(out))


def test_a_log_that_was_changed_shows_it(s3, dataset, cache, tmp_path, listening):
    port, _ = listening
    out = tmp_path / "out"
    s3.plugin("asking", ASKING)
    s3.set(THERE=f"127.0.0.1:{port}", TELLS=1)
    s3(*run_words(dataset, out, cache, *TASK, backend="asking"))
    whole = (out / FILE).read_bytes()
    assert all(follows for _, follows in read_audit(out / FILE))
    (out / FILE).write_bytes(whole.replace(b"127.0.0.1", b"127.0.0.2", 1))
    assert {f["kind"] for f in audited(s3, out, code=1)["findings"]} == {"audit"}
    lines = whole.splitlines(keepends=True)
    (out / FILE).write_bytes(b"".join(lines[:-2]))
    (cut,) = audited(s3, out, code=1)["findings"]
    assert "1 answer has no request in the log" in cut["message"]
    (out / FILE).unlink()
    assert "hosts that received data are unknown" in s3("audit", out).out


def leaky(dataset):
    return ("/mnt/ward7/Roe_Jane.mp4", "born 3 May 1987", "data:image/jpeg;base64,/9j/4AAQ", str(dataset))


@pytest.mark.parametrize("number", range(4))
def test_what_may_not_be_shared_is_found_and_not_repeated(number, s3, dataset, cache, tmp_path, listening):
    port, _ = listening
    said = leaky(dataset)[number]
    s3.plugin("asking", ASKING)
    s3.set(THERE=f"127.0.0.1:{port}", SAYS=f"ES {said}")
    out = tmp_path / "out"
    s3(*run_words(dataset, out, cache, *TASK, backend="asking"))
    done = s3("audit", out)
    assert (done.code, "found: responses.jsonl:1" in done.out) == (1, True)
    assert said not in done.out
    assert s3("audit", out, "--allow", said).code == 0


def test_a_run_that_is_not_complete_is_searched_as_it_is(s3, dataset, cache, tmp_path):
    out = tmp_path / "out"
    s3.plugin("slow", SLOW)
    words = run_words(dataset, out, cache, *TASK, "-o", "pause_s=0.05", backend="slow")
    s3.start(*words).kill_when(lambda: len(whole_lines(out)) >= 3)
    assert "the run, which is incomplete" in s3("audit", out).out
    with (out / "responses.jsonl").open("a", encoding="utf-8") as file:
        line = journal(out)[0] | {"text": str(dataset)}
        file.write(json.dumps(line) + "\n")
    assert s3("audit", out).code == 1


def test_a_report_with_a_private_word_is_found_and_one_for_this_machine_is_not_shared(here, undisturbed, dataset):
    out = undisturbed["oracle"]
    assert audited(here, out)["findings"] == []
    page = out / "report.html"
    page.write_text(f"<p>{dataset}/videos</p><img src='data:image/png;base64,AAAA'>", encoding="utf-8")
    assert [f["file"] for f in audited(here, out, code=1)["findings"]] == ["report.html"] * 2
    assert len(audited(here, out, "--data", dataset, code=1)["findings"]) == 2
    page.rename(out / "report.local.html")
    assert audited(here, out)["findings"] == []
    (out / "report.local.html").unlink()


def test_what_is_no_run_is_a_wrong_call(here, tmp_path):
    assert here("audit", tmp_path).code == 2
