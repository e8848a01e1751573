"""The journal: one whole line an answer, whatever happens to its end; trouble elsewhere is named."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import S3HarnessError, UsageError
from s3harness.rundir.journal import FILE, Journal, JournalIndex, read_journal
from s3harness.types import Clip, Request, Response

texts = st.text(st.characters(exclude_categories=[]), max_size=40)


def request(number: int) -> Request:
    clip = Clip("v0001", 0.0, 30.0, (0.0, 0.5), 1000, index=number)
    return Request(
        id=f"id{number}", task="s3/task", item=f"s3/task/v0001/{number}", subject=str(number), clip=clip, prompt="What?"
    )


def written(folder, *said: Response) -> bytes:
    with Journal(folder) as journal:
        for number, response in enumerate(said):
            journal.write(request(number), response, "key")
    return (folder / FILE).read_bytes()


def read(folder) -> dict[str, Response]:
    return {entry.id: entry.response for entry in read_journal(folder / FILE)}


SAID = [Response("", 'one "quoted"\nanswer'), Response("", "zwei: äöü 😀"), Response("", status="failed", error="no")]


@pytest.mark.parametrize("last", SAID, ids=["quoted", "not ascii", "failed"])
def test_a_last_line_torn_at_any_byte_is_mended_and_the_rest_kept(last, tmp_path):
    whole = written(tmp_path, Response("", "first"), Response("", "second"), last)
    start = whole.rfind(b"\n", 0, -1) + 1
    for end in range(start, len(whole)):
        (tmp_path / FILE).write_bytes(whole[:end])
        is_whole = end == len(whole) - 1
        assert len(read(tmp_path)) == (3 if is_whole else 2), "a torn line is passed over when it is read"
        with Journal(tmp_path) as journal:
            assert journal.is_answered("id0")
            assert journal.is_answered("id1")
            assert journal.write(request(2), last, "key") != is_whole, "a whole line is known, a torn one is forgotten"
        assert (tmp_path / FILE).read_bytes() == whole


@given(data=st.data(), text=st.text(max_size=200), padding=st.sampled_from([0, 65_400, 65_536, 140_000]))
def test_a_long_last_line_is_found_and_cut_wherever_it_is_torn(tmp_path_factory, data, text, padding):
    folder = tmp_path_factory.mktemp("journal")
    whole = written(folder, Response("", "first"), Response("", text + "x" * padding))
    end = data.draw(st.integers(whole.find(b"\n") + 1, len(whole) - 2))
    (folder / FILE).write_bytes(whole[:end])
    with Journal(folder):
        pass
    assert (folder / FILE).read_bytes() == whole[: whole.find(b"\n") + 1]


@given(said=st.lists(texts, min_size=1, max_size=4))
def test_every_text_takes_one_line_and_comes_back(tmp_path_factory, said):
    folder = tmp_path_factory.mktemp("journal")
    data = written(folder, *(Response("", text) for text in said))
    assert data.count(b"\n") == len(said)
    assert data.decode("utf-8")
    back = [response.text for response in read(folder).values()]
    assert back == [text.encode(errors="replace").decode() for text in said]


@pytest.mark.parametrize(
    "garbage",
    [b"garbage", b"{}", b"[]", b"null", b'"text"', b'{"id": 3}', b"\xff\xfe", b"", b'{"clip": null}', b"\x00" * 9],
)
@pytest.mark.parametrize("number", [1, 2])
def test_garbage_before_the_end_is_named_by_its_line_and_not_touched(garbage, number, tmp_path):
    lines = written(tmp_path, SAID[0], SAID[1]).splitlines(keepends=True)
    lines.insert(number - 1, garbage + b"\n")
    (tmp_path / FILE).write_bytes(b"".join(lines))
    with pytest.raises(S3HarnessError, match=rf"responses\.jsonl:{number}: not a line of a journal"):
        Journal(tmp_path)
    with pytest.raises(S3HarnessError, match=rf"responses\.jsonl:{number}: "):
        read(tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"".join(lines)
    (tmp_path / FILE).write_bytes(b"".join(line for line in lines if line != garbage + b"\n"))
    assert len(read(tmp_path)) == 2, "the remedy that the message names works"


def test_a_failure_may_be_followed_by_an_answer_and_the_last_line_counts(tmp_path):
    failed, answered = Response("", status="failed", error="no"), Response("", "yes")
    with Journal(tmp_path) as journal:
        assert journal.write(request(0), failed, "")
        assert not journal.is_answered("id0")
    with Journal(tmp_path) as journal:
        assert not journal.is_answered("id0")
        assert not journal.write(request(0), failed, ""), "the same failure is not written again"
        assert journal.write(request(0), Response("", status="failed", error="another"), "")
        assert journal.write(request(0), answered, "key")
        assert journal.is_answered("id0")
    assert read(tmp_path)["id0"].text == "yes"
    assert [json.loads(line)["status"] for line in (tmp_path / FILE).read_text().splitlines()] == [
        "failed",
        "failed",
        "ok",
    ]


@pytest.mark.parametrize("status", ["refused", "cut"])
def test_what_was_refused_or_cut_is_answered(status, tmp_path):
    written(tmp_path, Response("", "I", status=status))
    with Journal(tmp_path) as journal:
        assert journal.is_answered("id0")
    assert read(tmp_path)["id0"].status == status


def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path):
    with Journal(tmp_path) as first:
        with pytest.raises(UsageError, match="another run is writing to"):
            Journal(tmp_path)
        first.write(request(0), SAID[0], "")
    with Journal(tmp_path) as second:
        assert second.is_answered("id0")


@pytest.mark.parametrize("then", [Response("", "no"), Response("", status="failed", error="late"), Response("", "yes")])
def test_what_is_answered_is_never_answered_again(then, tmp_path):
    before = written(tmp_path, Response("", "yes"))
    with Journal(tmp_path) as journal:
        assert not journal.write(request(0), then, "key")
        assert journal.is_answered("id0")
        assert journal.n_answered == 1
    assert (tmp_path / FILE).read_bytes() == before


def test_a_failure_is_answered_by_what_comes_after_it(tmp_path):
    written(tmp_path, Response("", status="failed", error="no"), Response("", "yes"))
    with Journal(tmp_path) as journal:
        assert (journal.is_answered("id0"), journal.n_answered) == (False, 1)
        assert journal.write(request(0), Response("", "yes"), "key")
        assert (journal.is_answered("id0"), journal.n_answered) == (True, 2)


@given(
    asked=st.lists(
        st.tuples(st.sampled_from(["s3/task", "s3/task2", 'odd "task"']), st.sampled_from(["v1", "v2"])), max_size=8
    ),
    torn=st.booleans(),
)
def test_the_lines_of_a_task_about_a_video_are_those_among_all(asked, torn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journal")
    with Journal(folder) as journal:
        for number, (task, video_id) in enumerate(asked):
            one = request(number)
            one = replace(one, task=task, clip=replace(one.clip, video_id=video_id))
            journal.write(one, Response("", "yes"), "key")
    lines = (folder / FILE).read_text().splitlines()
    turned = [json.dumps(dict(reversed(json.loads(line).items()))) for line in lines[::2]]
    (folder / FILE).write_text("".join(f"{line}\n" for line in [*lines, *turned]) + (lines or [""])[0][:30] * torn)
    entries = list(read_journal(folder / FILE))
    with JournalIndex(folder / FILE, {"s3/task", 'odd "task"'}) as journal:
        for task, video_id in product(("s3/task", 'odd "task"'), ("v1", "v2")):
            found = list(journal.entries(task, video_id))
            assert found == [e for e in entries if (e.task, e.clip.video_id) == (task, video_id)]
        assert not list(journal.entries("s3/task2", "v1"))


@pytest.mark.parametrize("spoil", [lambda line: line.replace('"media"', '"medium"'), lambda line: line[:-1], len])
def test_an_index_names_a_line_that_cannot_be_read(spoil, tmp_path):
    written(tmp_path, Response("", "yes"), Response("", "no"))
    first, second = (tmp_path / FILE).read_text().splitlines()
    (tmp_path / FILE).write_text(f"{first}\n{spoil(second)}\n{first}\n")
    with pytest.raises(S3HarnessError, match=f"{FILE}:2: not a line"):
        read_about_the_video(tmp_path / FILE)


def read_about_the_video(path):
    with JournalIndex(path, {"s3/task"}) as journal:
        return list(journal.entries("s3/task", "v0001"))
