"""Recorded answers give the scores of the run they come from, without its videos."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from running import journal, primary, run_words


def _scores(out):
    return json.dumps(json.loads((out / "scores.json").read_text())["scores"]).encode()


def replay(here, dataset, cache, out, path, *more):
    return here(*run_words(dataset, out, cache, *more, "-o", f"path={path}", backend="recorded"))


def test_the_journal_of_a_run_gives_its_scores_again_without_a_video(here, copy, cache, tmp_path, undisturbed):
    shutil.rmtree(copy / "videos")
    for backend, run in undisturbed.items():
        done = replay(here, copy, cache, out := tmp_path / backend, run / "responses.jsonl")
        assert done.code == 0, done.err
        assert _scores(out) == _scores(run)
        for path in (run / "predictions").iterdir():
            assert (out / "predictions" / path.name).read_bytes() == path.read_bytes()


def test_a_table_of_answers(here, dataset, cache, tmp_path, undisturbed):
    table = tmp_path / "answers.csv"
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["window", "item", "text"])
        lines = journal(undisturbed["oracle"])
        writer.writerows([line["clip"]["index"], line["item"], line["text"]] for line in lines)
    done = replay(here, dataset, cache, out := tmp_path / "out", table)
    assert done.code == 0, done.err
    assert _scores(out) == _scores(undisturbed["oracle"])


def test_an_answer_that_is_missing_is_a_failure_and_counted(here, dataset, cache, tmp_path, undisturbed):
    lines = (undisturbed["oracle"] / "responses.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if 'task7_diagnosis/v0001/video"' not in line]
    assert len(kept) == len(lines) - 1
    (tmp_path / "some.jsonl").write_text("".join(kept))
    done = replay(here, dataset, cache, out := tmp_path / "out", tmp_path / "some.jsonl", "--tasks", "7")
    assert done.code == 1
    row = primary(out)["task7"]
    assert row["lost"] == {"failed": 1}
    assert row["coverage"] == pytest.approx(5 / 6)
    assert row["value"] == pytest.approx((2 / 3 + 1) / 2)
    assert [line["error"] for line in journal(out) if line["status"] == "failed"] == [
        "S3HarnessError: no answer to this request is recorded"
    ]


def test_what_failed_was_refused_or_cut_stays_so(here, dataset, cache, tmp_path, undisturbed):
    lines = [line for line in journal(undisturbed["oracle"]) if line["task"] == "s3/task7_diagnosis"]
    for line, status in zip(lines, ("failed", "refused", "cut"), strict=False):
        line.update(status=status)
    lines[0]["error"] = "out of memory"
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = replay(here, dataset, cache, out := tmp_path / "out", tmp_path / "some.jsonl", "--tasks", "7")
    assert done.code == 1
    found = {line["item"]: line for line in journal(out)}
    assert [found[line["item"]]["status"] for line in lines] == [line["status"] for line in lines]
    assert found[lines[0]["item"]]["error"] == "S3HarnessError: recorded failure: out of memory"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.jsonl", None, "no such file"),
        ("missing.csv", None, "no such file"),
        ("broken.jsonl", b"garbage\n{}\n", "broken.jsonl:1: not a line of a journal"),
        ("latin.csv", b"item,text\nx,\xe4\n", "utf-8"),
        ("headless.csv", b"item;text\nx;y\n", "no column item, text"),
        ("window.csv", b"item,text,window\nx,y,first\n", "first"),
    ],
)
def test_a_file_that_holds_no_answers_is_a_wrong_call(name, content, said, here, dataset, cache, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = replay(here, dataset, cache, tmp_path / "out", tmp_path / name, "--tasks", "7")
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [(), ("-o", "file=x")])
def test_the_option_it_takes_is_named(options, here, dataset, cache, tmp_path):
    done = here(*run_words(dataset, tmp_path / "out", cache, "--tasks", "7", *options, backend="recorded"))
    assert done.code == 2
    assert "-o path=FILE" in done.err
