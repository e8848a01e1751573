"""JSON of others: read as it stands, or refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import MAX_DEPTH, MAX_DIGITS, parse_json
from s3harness.rundir.items import Items
from s3harness.rundir.journal import read_journal
from s3harness.rundir.manifest import read_manifest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_what_was_written_is_read(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested"),
        ('{"a":' * 100_000, "nested"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested"),
        ("9" * (MAX_DIGITS + 1), "digits"),
        (f"[-{'9' * 5_000}]", "digits"),
        ("\ufeff1", "byte order mark"),
        (b"\xff\xff", "utf-8"),
        ("{", "Expecting"),
        ("", "Expecting"),
    ],
)
def test_what_no_file_needs_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_the_deepest_and_the_longest_are_read():
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse_json("9" * MAX_DIGITS) == int("9" * MAX_DIGITS)
    assert float(parse_json("9" * MAX_DIGITS)) > 1e299


def test_half_a_surrogate_pair_can_be_written_again():
    value = parse_json(r'{"a\ud800": ["\udc00b", "\ud83e\udde0"]}')
    assert value == {"a?": ["?b", "🧠"]}
    assert json.dumps(value, ensure_ascii=False).encode()


LINE = {
    "id": "a", "task": "s3/t", "item": "i", "subject": "s", "media": "", "status": "ok", "text": "yes",
    "clip": {"video_id": "v", "index": 0, "start_s": 0, "end_s": 1.5},
}  # fmt: skip
ITEM = {
    "item": "i", "task": "t", "video_id": "v", "subject": "s", "cluster": 0, "truth": "no",
    "window": [0, 1.5], "requests": ["a"],
}  # fmt: skip


@pytest.mark.parametrize("wrong", [None, 1, {}, [], ["x"], {"x": 1}, True])
@pytest.mark.parametrize("field", LINE)
def test_a_field_of_another_form_is_named_where_a_journal_is_read(tmp_path, field, wrong):
    path = tmp_path / "responses.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + json.dumps(LINE | {field: wrong}) + "\n")
    with pytest.raises(S3HarnessError, match=f"jsonl:2: .*{field}"):
        list(read_journal(path))


@pytest.mark.parametrize("wrong", [1.5, {}, "x", True, {"x": 1}])
@pytest.mark.parametrize("field", ["cluster", "window", "requests", "unknown"])
def test_a_field_of_another_form_is_named_where_items_are_read(tmp_path, field, wrong):
    (tmp_path / "items.jsonl").write_text(json.dumps(ITEM | {field: wrong}) + "\n")
    with pytest.raises(UsageError, match=f"items.jsonl:1: .*{field}"):
        list(Items(tmp_path))


@pytest.mark.parametrize(
    ("kind", "truth", "is_right"),
    [
        ("feature", "no", True),
        ("feature", "maybe", False),
        ("feature", None, False),
        ("boundary", 3, True),
        ("boundary", "3", False),
        ("boundary", float("nan"), False),
        ("sequence", [["tonic", 1.0]], True),
        ("sequence", [["tonic"]], False),
        ("rationale", {"present": "yes", "text": "x"}, True),
        ("rationale", {"present": "yes"}, False),
        ("report", {"text": "x", "events": [], "sides": {}, "untested": []}, True),
        ("report", {"text": "x", "events": [1], "sides": {}, "untested": []}, False),
        ("diagnosis", "ES", True),
        ("diagnosis", ["ES"], False),
    ],
)
def test_a_truth_has_the_form_of_its_kind(tmp_path, kind, truth, is_right):
    (tmp_path / "items.jsonl").write_text(json.dumps(ITEM | {"truth": truth}) + "\n")
    items = Items(tmp_path, kinds={"t": kind})
    if is_right:
        assert len(list(items)) == 1
    else:
        with pytest.raises(UsageError, match=f"items.jsonl:1: the truth is not that of a {kind} item"):
            list(items)


RUN = {
    "backend": "floors", "protocol": "paper", "model": {"name": "m", "modalities": ["video"]},
    "tasks": {"s3/t": {"spec": {}}}, "dataset": {"name": "d"}, "plugins": {"s3harness": "1"}, "sees_truth": False,
}  # fmt: skip


def _manifest(folder, run):
    (folder / "manifest.json").write_text(json.dumps({"schema": "s3harness/run/v1", "run": run}))
    return read_manifest(folder)


WRONG_FORMS = (None, 1, [1], {"x": 1}, "n" * 10_000_000)
# A data set may be described by other words, so that a mapping is no wrong form of it.
WRONG_FIELDS = [(f, wrong) for f in RUN for wrong in WRONG_FORMS if (f, wrong) != ("dataset", {"x": 1})]


@pytest.mark.parametrize(("field", "wrong"), WRONG_FIELDS)
def test_a_field_of_another_form_is_named_where_a_manifest_is_read(tmp_path, field, wrong):
    assert _manifest(tmp_path, RUN)["run"] == RUN
    with pytest.raises(UsageError, match=f"manifest.json: {field} "):
        _manifest(tmp_path, RUN | {field: wrong})
