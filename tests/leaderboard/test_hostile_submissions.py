"""Whatever a stranger puts into a submission is refused with the place, and nothing outside of it is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from tampering import cover_up, edit

from s3harness.leaderboard.folder import MAX_FILE_BYTES
from s3harness.leaderboard.verify import verify

SCRIPT = "<script>alert(1)</script>"


def _append(name: str, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("ab") as file:
            file.write(data)

    return change


def _link(folder: Path) -> None:
    (folder / "scores.json").unlink()
    (folder / "scores.json").symlink_to("/etc/passwd")


def _big(folder: Path) -> None:
    os.truncate(folder / "responses.jsonl", MAX_FILE_BYTES + 1)


def _folder(folder: Path) -> None:
    (folder / "predictions" / "inner").mkdir()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _path_as_name(folder: Path) -> None:
    edit(folder / "submission.json", lambda about: about["files"].update({"../../etc/passwd": "0" * 64}))


def _in(name: str, *keys: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = json.loads((folder / name).read_text())
        part = data
        for key in keys[:-1]:
            part = part[int(key) if isinstance(part, list) else key]
        part[keys[-1]] = value
        (folder / name).write_text(json.dumps(data))

    return change


HOSTILE = {
    "a file of 64 MB and more": _big,
    "a symbolic link": _link,
    "a folder": _folder,
    "a pipe": _pipe,
    "a program": _append("run.sh", b"#!/bin/sh\n"),
    "a page": _append("index.html", SCRIPT.encode()),
    "a path as a name": _path_as_name,
    "deep nesting": _append("responses.jsonl", b"[" * 100_000 + b"]" * 100_000 + b"\n"),
    "nesting below the parser's limit": _append("responses.jsonl", b"[" * 200 + b"]" * 200 + b"\n"),
    "other encodings": _append("responses.jsonl", b'"\xff\xfe"\n'),
    "NaN": _append("items.jsonl", b'{"cluster": NaN}\n'),
    "infinity": _append("items.jsonl", b'{"cluster": 1e999}\n'),
    "numbers of many digits": _append("items.jsonl", b'{"cluster": ' + b"9" * 5000 + b"}\n"),
    "a key twice": _append("items.jsonl", b'{"item": "a", "item": "b"}\n'),
    "a number out of range": _in("scores.json", "scores", "0", "coverage", value=1.5),
    "a number that is text": _in("scores.json", "scores", "0", "value", value="1.0"),
    "a number beyond measure": _in("scores.json", "scores", "0", "value", value=1e300),
    "a model named by a script": _in("submission.json", "model", "name", value=SCRIPT),
    "a model named by a path": _in("submission.json", "model", "name", value="../../x"),
    "a task named by a path": _in(
        "manifest.json", "run", "tasks", value={"../../etc": {"sha256": "0" * 64, "spec": {}}}
    ),
    "weights at an address": _in("submission.json", "model", "weights", value="http://169.254.169.254/x"),
    "unknown fields": _in("submission.json", "onload", value="alert(1)"),
    "very long notes": _in("submission.json", "notes", value="x" * 5000),
    "a text of two million characters": _append("responses.jsonl", b'"' + b"x" * 2_000_000 + b'"\n'),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused(submission: Path, change: Callable[[Path], None]) -> None:
    change(submission)
    verdict = verify(submission)
    assert not verdict.accepted
    assert {finding.kind for finding in verdict.findings} <= {"file", "schema", "hash"}


def test_a_submission_that_is_a_link_is_no_submission(tmp_path: Path, packed: Path) -> None:
    (tmp_path / "link").symlink_to(packed)
    result = call("leaderboard", "verify", str(tmp_path / "link"))
    assert result.exit_code == 2


def test_control_codes_reach_no_terminal(submission: Path) -> None:
    (submission / "\x1b[2J\x1b]0;owned\x07.sh").write_text("")
    result = call("leaderboard", "verify", submission)
    assert result.exit_code == 1
    assert "\x1b" not in result.output


def test_a_script_in_an_answer_is_an_answer(submission: Path, dataset: Path) -> None:
    """Free text may hold anything; it is scored as what it is, and refused only because it is not what was packed."""

    def scripted(line: dict[str, object]) -> dict[str, object]:
        return line | {"text": SCRIPT} if line["task"] == "s3/task1_features" else line

    edit(submission / "responses.jsonl", scripted)
    cover_up(submission)
    assert {finding.kind for finding in verify(submission, dataset).findings} <= {"predictions", "scores"}
