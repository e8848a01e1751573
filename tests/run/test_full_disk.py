"""A full disk ends a run with what it has; a cache that is full does not end it."""

from __future__ import annotations

import json
import resource
from functools import partial

from running import answers, assert_same_run, run_words


def limit_files(size: int) -> None:
    """No file of this process may grow beyond this many bytes; a write that would is cut, or refused."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_journal_that_can_take_no_more(s3, dataset, cache, tmp_path, undisturbed):
    words = run_words(dataset, out := tmp_path / "out", cache)
    whole = (undisturbed["floors"] / "responses.jsonl").stat().st_size
    items = (undisturbed["floors"] / "items.jsonl").stat().st_size
    size = (items + whole) // 2
    assert items < size < whole
    full = s3(*words, first=partial(limit_files, size))
    assert full.code == 1
    assert f"the journal {out / 'responses.jsonl'} cannot be written: " in full.err
    assert "free some space and continue with --resume" in full.err
    assert "Traceback" not in full.err
    data = (out / "responses.jsonl").read_bytes()
    assert data.endswith(b"}\n"), "the line that did not fit is taken back"
    assert size - 1000 < len(data) <= size, "all that did fit is there"
    known = answers(out)
    resumed = s3(*words, "--resume")
    assert resumed.code == 0, resumed.err
    assert (out / "responses.jsonl").read_bytes().startswith(data)
    assert known.items() <= answers(out).items()
    assert_same_run(out, undisturbed["floors"])


def test_no_room_for_the_first_file(s3, dataset, cache, tmp_path):
    full = s3(*run_words(dataset, tmp_path / "out", cache, "--tasks", "7"), first=partial(limit_files, 2000))
    assert full.code == 1
    assert "manifest.json cannot be written" in full.err
    assert "Traceback" not in full.err


def test_no_room_for_the_scores(s3, dataset, cache, tmp_path):
    few = ("--tasks", "7", "--limit", "2")
    assert s3(*run_words(dataset, tmp_path / "whole", cache, *few)).code == 0
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "whole").iterdir()}
    manifest = json.loads((tmp_path / "whole" / "manifest.json").read_text())
    begun = {"run": manifest["run"], "identities": manifest["identities"]}
    started = len(json.dumps(begun, indent=1, ensure_ascii=False).encode()) + 100
    size = max(started, *(sizes[name] for name in ("items.jsonl", "responses.jsonl", "sent.jsonl")))
    words = run_words(dataset, out := tmp_path / "out", cache, *few)
    full = s3(*words, first=partial(limit_files, size))
    assert full.code == 1
    assert " cannot be written: " in full.err
    assert len(answers(out)) == manifest["requests"], "all answers are there"
    assert s3(*words, "--resume").code == 0
    assert_same_run(out, tmp_path / "whole")


def test_a_cache_that_can_take_nothing(s3, dataset, tmp_path, undisturbed):
    words = run_words(dataset, out := tmp_path / "out", tmp_path / "cache", "--tasks", "7")
    assert s3(*words, first=partial(limit_files, 50_000)).code == 0
    assert not list((tmp_path / "cache").rglob("*.slab")), "nothing of this fits"
    full = {k: v for k, v in answers(undisturbed["floors"]).items() if v["task"] == "s3/task7_diagnosis"}
    assert answers(out) == full


def test_a_cache_that_cannot_be_made(s3, dataset, tmp_path, undisturbed):
    (tmp_path / "file").touch()
    words = run_words(dataset, out := tmp_path / "out", tmp_path / "file" / "cache", "--tasks", "7")
    done = s3(*words)
    assert done.code == 0, done.err
    full = {k: v for k, v in answers(undisturbed["floors"]).items() if v["task"] == "s3/task7_diagnosis"}
    assert answers(out) == full
