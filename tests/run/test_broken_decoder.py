"""Where no video can be decoded there is no score; once they can be, a resumed run is complete and right."""

from __future__ import annotations

import shutil

import pytest
from running import assert_same_run, journal, run_words, scores

TASKS = ("--tasks", "1,4,5,7")


@pytest.fixture(scope="module")
def whole(dataset, cache, tmp_path_factory):
    """An undisturbed run of the same tasks."""
    from running import Here

    out = tmp_path_factory.mktemp("whole") / "out"
    assert Here(out.parent)(*run_words(dataset, out, cache, *TASKS, backend="oracle")).code == 0
    return out


def assert_nothing_came_of_it(done, out, cache):
    assert done.code == 1
    lines = journal(out)
    assert lines
    assert {line["status"] for line in lines} == {"failed"}
    assert all(line["error"].startswith(f"video {line['clip']['video_id']}: ") for line in lines)
    rows = scores(out).values()
    assert all(row["skill"] < 0 for row in rows if row["primary"]), "scored as wrong, not left out"
    assert {row["coverage"] for row in rows} == {0}
    assert f"{len(lines)} of {len(lines)} requests failed" in done.err
    assert not list(cache.rglob("*.slab*")), "nothing is cached"


def test_files_that_cannot_be_decoded_and_then_can(here, copy, dataset, tmp_path, whole):
    for path in (copy / "videos").iterdir():
        data = bytearray(path.read_bytes())
        at = data.find(b"mdat")
        data[at + 4 :] = bytes(len(data) - at - 4)  # whole headers where they come first, and not one picture
        path.write_bytes(data)
    words = run_words(copy, out := tmp_path / "out", own := tmp_path / "cache", *TASKS, backend="oracle")
    assert_nothing_came_of_it(here(*words), out, own)
    assert_nothing_came_of_it(here(*words, "--resume"), out, own)
    for path in (copy / "videos").iterdir():
        shutil.copy(dataset / "videos" / path.name, path)
    mended = here(*words, "--resume")
    assert mended.code == 0, mended.err
    assert_same_answers(out, whole)


def test_a_decoder_that_is_not_there_and_then_is(here, dataset, tmp_path, whole):
    words = run_words(dataset, out := tmp_path / "out", own := tmp_path / "cache", *TASKS, backend="oracle")
    broken = here(*words, "--media", "hwaccel=abacus")
    assert_nothing_came_of_it(broken, out, own)
    assert "hardware decoder 'abacus'" in journal(out)[0]["error"]
    mended = here(*words, "--resume")
    assert mended.code == 0, mended.err
    assert_same_answers(out, whole)


def assert_same_answers(out, whole):
    """The same files as an undisturbed run's, once the failures that came before are left out of the journal."""
    path = out / "responses.jsonl"
    kept = [line for line in path.read_bytes().splitlines(keepends=True) if b'"status": "failed"' not in line]
    path.write_bytes(b"".join(kept))
    assert_same_run(out, whole)
