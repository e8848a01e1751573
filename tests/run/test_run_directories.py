"""A run directory belongs to one run: no second writer, no other settings, nothing mixed."""

from __future__ import annotations

import json
import os
import signal

import pytest
from running import SLOW, answers, changed_table, run_words

from s3harness.specs.tasks import PROTOCOL_VERSIONS

TASK = ("--tasks", "7")


def test_two_runs_on_one_directory(s3, dataset, cache, tmp_path):
    s3.plugin("slow", SLOW)
    out = tmp_path / "out"
    words = run_words(dataset, out, cache, *TASK, "-o", "pause_s=0.05", backend="slow")
    first = s3.start(*words)
    first.wait_until((out / "manifest.json").exists)
    os.kill(first.process.pid, signal.SIGSTOP)
    for more in ((), ("--resume",)):
        second = s3(*words, *more)
        assert second.code == 2
        assert f"another run is writing to {out}" in second.err
    os.kill(first.process.pid, signal.SIGCONT)
    assert first.wait().code == 0
    assert len(answers(out)) == 12


def test_a_directory_that_holds_a_run_needs_resume(s3, dataset, cache, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", cache, *TASK)
    assert s3(*words).code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = s3(*words)
    assert again.code == 2
    assert f"{out} already holds a run" in again.err
    assert "--resume" in again.err
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    resumed = s3(*words, "--resume")
    assert resumed.code == 0
    assert resumed.err == "nothing to send: all 12 requests are already answered\n"


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (("--tasks", "6"), "tasks (s3/task6_report, s3/task7_diagnosis) differs"),
        (("--protocol", "paper"), "protocol was 'strict' and is now 'paper'"),
        (("--model", "qwen3-omni-30b-a3b"), "model ("),
        (("--backend", "oracle"), "backend was 'floors' and is now 'oracle'"),
        (("--split", "test"), "split was None and is now 'test'"),
        (("--limit", "2"), "limit was None and is now 2"),
        (("-o", "answer=prevalence"), "options (answer) differs"),
    ],
    ids=lambda value: value[0].strip("-") if isinstance(value, tuple) else "",
)
def test_resuming_with_other_settings_says_what_differs(other, named, here, dataset, cache, finished):
    before = (finished / "responses.jsonl").read_bytes()
    resumed = here(*run_words(dataset, finished, cache, *TASK, *other, "--resume"))
    assert resumed.code == 2
    assert f"{finished} holds another run: " in resumed.err
    assert named in resumed.err
    assert "choose another --out" in resumed.err
    assert (finished / "responses.jsonl").read_bytes() == before


def test_resuming_with_changed_data_says_so(here, copy, cache, tmp_path):
    words = run_words(copy, tmp_path / "out", cache, *TASK)
    assert here(*words).code == 0
    with changed_table(copy, "videos.csv") as rows:
        rows[0]["diagnosis"] = "NES"
    resumed = here(*words, "--resume")
    assert resumed.code == 2
    assert "dataset (fingerprint) differs" in resumed.err


def test_answers_without_a_manifest_are_not_taken_for_this_runs(here, dataset, cache, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", cache, *TASK)
    assert here(*words).code == 0
    (out / "manifest.json").unlink()
    for more in ((), ("--resume",)):
        found = here(*words, *more)
        assert found.code == 2
        assert "manifest.json" in found.err


def test_a_call_that_is_wrong_leaves_no_directory_behind(here, dataset, cache, tmp_path):
    out = tmp_path / "out"
    for wrong in (("-o", "answer=nobody"), ("-o", "colour=red"), ("--tasks", "9"), ("--split", "none")):
        assert here(*run_words(dataset, out, cache, *TASK, *wrong)).code == 2
        assert not out.exists()


def test_a_directory_that_cannot_be_made_is_named(here, dataset, cache, tmp_path):
    (tmp_path / "file").touch()
    found = here(*run_words(dataset, tmp_path / "file" / "out", cache, *TASK))
    assert found.code == 2
    assert f"{tmp_path / 'file' / 'out'} cannot be made" in found.err
    assert "choose another --out" in found.err


def test_the_manifest_says_what_is_needed_to_do_it_again(finished):
    manifest = json.loads((finished / "manifest.json").read_text())
    run = manifest["run"]
    assert run["backend"] == "floors"
    assert (run["protocol"], run["protocol_version"]) == ("strict", PROTOCOL_VERSIONS["strict"])
    assert run["tasks"]["s3/task7_diagnosis"]["spec"]["sampler"]["frames"]
    assert len(run["tasks"]["s3/task7_diagnosis"]["sha256"]) == 64
    assert len(run["dataset"]["fingerprint"]) == 64
    assert len(manifest["media_sha256"]) == 64
    assert (manifest["status"], manifest["requests"], manifest["failed"]) == ("complete", 12, 0)
    assert {"python", "system", "cpus", "versions"} <= set(manifest["environment"])


def test_what_holds_reports_and_answers_is_for_its_owner(finished):
    """Truth and answers of a patient may be in them, names in reports among it; settings and scores are shared."""
    open_to = {str(path.relative_to(finished)): path.stat().st_mode & 0o077 for path in finished.rglob("*.json*")}
    telling = {"responses.jsonl", "audit.jsonl", "items.jsonl", "private.json", "sent.jsonl"} | {
        name for name in open_to if "predictions/" in name
    }
    assert telling <= set(open_to)
    assert {name for name, bits in open_to.items() if not bits} == telling


@pytest.fixture(scope="module")
def finished(dataset, cache, tmp_path_factory):
    """The directory of a finished run of the floors on one task."""
    from running import Here

    words = run_words(dataset, out := tmp_path_factory.mktemp("finished") / "out", cache, *TASK)
    assert Here(out.parent)(*words).code == 0
    return out
