"""The table of replies: each is read as a careful person reads it, or not at all; none is ever misread."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_table import Reply, replies, spec

from s3harness.parsers.text import answer_text
from s3harness.scoring.answers import parse

REPLIES = replies()
LEAST = 500
"""Rows that the table has at the least."""


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: f"{reply.question}: {reply.text[:60]!r}")
def test_a_reply_is_read_as_a_person_reads_it(reply: Reply) -> None:
    expected = "not read" if reply.is_unread else "right"
    assert reply.outcome() == expected, reply.answer()


def test_the_table_is_large_and_few_of_its_replies_need_a_person() -> None:
    outcomes = Counter(reply.outcome() for reply in REPLIES)
    assert len({(reply.question, reply.text) for reply in REPLIES}) == len(REPLIES) >= LEAST
    assert outcomes["misread"] == 0
    assert outcomes["not read"] <= len(REPLIES) / 50


SINGLE = [reply for reply in REPLIES if "```" not in reply.text and "~~~" not in reply.text]


@settings(max_examples=300)
@given(
    st.sampled_from(SINGLE),
    st.sampled_from(["", " ", "\n\n", "\t\r\n "]),
    st.sampled_from(["{}", "```\n{}\n```", "```json\n{}\n```", "```text\n{}\n```"]),
)
def test_white_space_and_a_fence_around_a_reply_change_nothing(reply: Reply, blank: str, fence: str) -> None:
    own = spec(reply.task).for_subject(reply.subject)
    plain = parse(reply.text, own, reply.subject)
    wrapped = parse(blank + fence.format(f"{blank}{reply.text}{blank}") + blank, own, reply.subject)
    assert wrapped.value == plain.value


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: f"{reply.question}: {reply.text[:60]!r}")
def test_what_was_read_is_read_again_from_its_own_form(reply: Reply) -> None:
    value = reply.answer().value
    if value is None:
        return
    own = spec(reply.task).for_subject(reply.subject)
    reading = parse(canonical(value), own, reply.subject)
    assert (reading.value, reading.status) == (value, "clean")


def canonical(value: object) -> str:
    """The form of a value that its prompt asks for."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return json.dumps({"timestamp": f"{int(value // 60):02d}:{value % 60:04.1f}"})
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)


@given(st.text(max_size=300), st.sampled_from(sorted({(r.task, r.subject) for r in REPLIES})))
def test_no_text_makes_a_reader_raise(text: str, asked: tuple[str, str]) -> None:
    task, subject = asked
    reading = parse(text, spec(task).for_subject(subject), subject)
    assert (reading.value is None) == (reading.status == "unparsable")
    assert len(answer_text(text).text) <= len(text)
