"""Absurd sizes in files of others are refused, or end, within 2 s of processor and 200 MB."""

from __future__ import annotations

import json

import pytest

HUGE = "n" * 10_000_000


def _replaced(files, name, old, new):
    text = files[name].decode()
    assert old in text
    return {**files, name: text.replace(old, new, 1).encode()}


def _named(files, name, path, value=HUGE):
    document = json.loads(files[name])
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return {**files, name: json.dumps(document).encode()}


def _first_line(files, name, key, value):
    first, _, rest = files[name].partition(b"\n")
    return {**files, name: json.dumps(json.loads(first) | {key: value}).encode() + b"\n" + rest}


def _columns(files, name, number):
    header, _, rest = files[name].partition(b"\n")
    return {**files, name: header + b",x" * number + b"\n" + rest}


def _reply(head, body=b"{}"):
    return {"reply.http": b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body}


METRIC = "  - {name: feature_macro_f1, label: F1}\n"


def _families(files):
    families = "".join(f"      f{n}: {{}}\n" for n in range(5_000))
    return _replaced(
        files, "task.yaml", "\nprotocols:\n  paper:\n", f"\nprotocols:\n  paper:\n    families:\n{families}"
    )


SIZES = {
    "a duration of 1e300 s": ("dataset", lambda f: _replaced(f, "videos.csv", ",12.00,", ",1e300,")),
    "a duration of 1e300 s in a table": ("table", lambda f: _replaced(f, "table.csv", "0:01,3,", "1e300,3,")),
    "a window of 1e300 s": ("run", lambda f: _first_line(f, "items.jsonl", "window", [0, 1e300])),
    "100,000 columns": ("dataset", lambda f: _columns(f, "videos.csv", 100_000)),
    "100,000 columns of features": ("dataset", lambda f: _columns(f, "features.csv", 100_000)),
    "100,000 columns to import": ("table", lambda f: _columns(f, "table.csv", 100_000)),
    "a model card's name": ("card", lambda f: _replaced(f, "card.yaml", "name: some-model", f"name: {HUGE}")),
    "a model card's title": ("card", lambda f: _replaced(f, "card.yaml", "Some model", HUGE)),
    "4,000 metrics": ("spec", lambda f: _replaced(f, "task.yaml", "\nmetrics:\n", "\nmetrics:\n" + METRIC * 4_000)),
    "20,000 metrics that are none": (
        "spec",
        lambda f: _replaced(f, "task.yaml", "\nmetrics:\n", "\nmetrics:\n" + "  - 1\n" * 20_000),
    ),
    "5,000 families": ("spec", _families),
    "a task's name": ("spec", lambda f: _replaced(f, "task.yaml", "name: s3/", f"name: s3/{HUGE}")),
    "a data set's name": ("dataset", lambda f: _named(f, "dataset.json", ["name"])),
    "a patient's id": ("dataset", lambda f: _replaced(f, "videos.csv", "\nv0001,", f"\nv0001,{HUGE}")),
    "a video's id": ("dataset", lambda f: _replaced(f, "videos.csv", "\nv0001", f"\n{HUGE}")),
    "a mapping's name": ("table", lambda f: _replaced(f, "mapping.yaml", "ward 7", HUGE)),
    "a cell to import": ("table", lambda f: _replaced(f, "table.csv", ",one,", f",{HUGE},")),
    "a run's model": ("run", lambda f: _named(f, "manifest.json", ["run", "model", "name"])),
    "a run's data set": ("run", lambda f: _named(f, "manifest.json", ["run", "dataset", "name"])),
    "a run's backend": ("run", lambda f: _named(f, "manifest.json", ["run", "backend"])),
    "a run's protocol": ("run", lambda f: _named(f, "manifest.json", ["run", "protocol"])),
    "a line's task": ("run", lambda f: _first_line(f, "responses.jsonl", "task", HUGE)),
    "an item's subject": ("run", lambda f: _first_line(f, "items.jsonl", "subject", HUGE)),
    "a submission's model": ("submission", lambda f: _named(f, "submission.json", ["model", "name"])),
    "a submitter": ("submission", lambda f: _named(f, "submission.json", ["submitter"])),
    "a submission's data set": ("submission", lambda f: _named(f, "manifest.json", ["run", "dataset", "name"])),
    "100,000 headers": ("http", lambda f: _reply(b"X-A: b\r\n" * 100_000)),
    "a header of 10 MB": ("http", lambda f: _reply(b"X-A: " + HUGE.encode() + b"\r\n")),
    "a header's name of 10 MB": ("http", lambda f: _reply(HUGE.encode() + b": a\r\n")),
    "headers without an end": ("http", lambda f: {"reply.http": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 2_000_000}),
    "a status line of 10 MB": ("http", lambda f: {"reply.http": b"HTTP/1.1 200 " + HUGE.encode()}),
    "a wait of 1e300 s": ("http", lambda f: _reply(b"Retry-After: 1e300\r\nContent-Length: 2\r\n")),
    "a reply nested 100,000 deep": ("http", lambda f: _reply(b"Content-Length: 100000\r\n", b"[" * 100_000)),
    "JSON nested 100,000 deep": ("json", lambda f: {"value.json": b"[" * 100_000}),
    "records nested 100,000 deep": ("records", lambda f: {"record.json": b"[" * 100_000}),
    "records with numbers of 5,000 digits": ("records", lambda f: {"record.jsonl": b'{"a": ' + b"9" * 5_000 + b"}\n"}),
    "a number of 100,000 digits": ("json", lambda f: {"value.json": b"9" * 100_000}),
}


@pytest.mark.parametrize(("name", "change"), SIZES.values(), ids=SIZES)
def test_an_absurd_size_ends_within_the_bounds(attempt, right, name, change):
    target, files = right(name)
    assert attempt(target, change(files)) == (0, "")


DEEP = b"[" * 100_000


@pytest.mark.parametrize("column", [",videos/v0001", "\nv0001,p", ",NES,"])
def test_a_nul_character_in_a_table_is_named_with_its_row(tmp_path, right, column):
    from s3harness.dataset.load import read_dataset

    _, files = right("dataset")
    for file, data in _replaced(files, "videos.csv", column, column[:3] + "\0" + column[3:]).items():
        (tmp_path / file).write_bytes(data)
    assert "videos.csv:2: holds a NUL character; remove it" in map(str, read_dataset(tmp_path)[1])


@pytest.mark.parametrize("line", [DEEP.decode(), "{", "[]", '{"step": "x"}'])
def test_a_damaged_log_of_training_steps_is_named(tmp_path, line):
    from s3harness.errors import S3HarnessError
    from s3harness.training.monitor import FILE, Limits, Monitor

    (tmp_path / FILE).write_text(f'{{"step": 1}}\n{line}\n')
    with pytest.raises(S3HarnessError, match=f"{FILE}: not a log of training steps"):
        Monitor({}, tmp_path, Limits()).forget_after(1)


REFUSED = {
    "journal": ("run", {"responses.jsonl": DEEP + b"\n"}, "responses.jsonl:1: not a line of a journal"),
    "items": ("run", {"items.jsonl": DEEP + b"\n"}, "items.jsonl:1: not an item"),
    "manifest": ("run", {"manifest.json": DEEP}, "it has no readable manifest.json"),
    "data set": ("dataset", {"dataset.json": DEEP}, "dataset.json: not valid JSON: nested more than 100 deep"),
    "spec": ("spec", {"task.yaml": b"a: " + DEEP}, "task.yaml"),
}


@pytest.mark.parametrize(("name", "changed", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_nested_too_deep_is_refused_by_name(tmp_path, right, name, changed, message):
    target, files = right(name)
    for file, data in {**files, **changed}.items():
        (tmp_path / file).write_bytes(data)
    if name == "dataset":
        from s3harness.dataset.load import read_dataset

        assert message in "\n".join(map(str, read_dataset(tmp_path)[1]))
        return
    with pytest.raises(target.raises) as error:
        target.run(tmp_path)
    assert message in str(error.value)
