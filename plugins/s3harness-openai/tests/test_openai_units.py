"""The pieces by themselves: how much a server is given, what its words become, when it is asked again."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3harness_openai.errors import MAX_CHARACTERS, Words
from s3harness_openai.media_parts import clock
from s3harness_openai.server_pool import FIRST_PAUSE_S, MOST_PAUSE_S, Sight, pause_s
from s3harness_openai.transport import _retry_after_s
from s3harness_openai.window import FIRST, Window


@given(st.integers(1, 200), st.lists(st.booleans(), max_size=300))
def test_a_window_is_always_between_one_and_the_most(most, history):
    window = Window(most)
    for now, is_well in enumerate(history):
        window.grow() if is_well else window.cut(sent_at=now, now=now)
        assert 1 <= window.size <= most


def test_a_window_opens_quickly_is_halved_by_trouble_and_opens_slowly_after():
    window = Window(64)
    assert window.size == FIRST
    for _ in range(56):
        window.grow()
    assert window.size == 64
    window.cut(sent_at=1.0, now=2.0)
    assert window.size == 32
    for _ in range(32):
        window.grow()
    assert window.size in (32, 33)


def test_the_trouble_of_requests_sent_before_the_last_cut_says_nothing_new():
    window = Window(8)
    for sent_at in (0.0, 0.1, 0.2, 0.3):
        window.cut(sent_at, now=1.0)
    assert window.size == 4
    window.cut(sent_at=1.5, now=2.0)
    assert window.size == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_wait_that_a_server_asks_for(headers, seconds):
    given_ = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert _retry_after_s(given_) == seconds


def test_the_wait_until_a_date():
    date = email.utils.formatdate(time.time() + 30, usegmt=True).encode()
    assert _retry_after_s([(b"Retry-After", date)]) == pytest.approx(29.5, abs=1.0)


@given(st.integers(1, 10_000))
def test_pauses_grow_and_are_bounded(count):
    whole = min(FIRST_PAUSE_S * 2.0 ** min(count - 1, 10), MOST_PAUSE_S)
    assert whole / 2 <= pause_s(count) <= whole


@given(st.text(max_size=3000))
def test_the_words_of_a_server_become_one_short_line(text):
    words = Words(("a-secret-key",))(text + "a-secret-key")
    assert len(words) <= MAX_CHARACTERS
    assert "a-secret-key" not in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("url: data:image/jpeg;base64,/9j/4AAQSkZJRg== is bad", "url: … is bad"),
        ("Incorrect API key provided: sk-abcd****wxyz.", "Incorrect API key provided: …"),
        ("got header Bearer abcdefgh12345", "got header …"),
        ("A" * 90, "…"),
        ("the prompt (9000 tokens) is too long", "the prompt (9000 tokens) is too long"),
    ],
)
def test_media_and_keys_are_taken_out_of_the_words_of_a_server(said, kept):
    assert Words()(said) == kept


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "00:00.0:"), (12.5, "00:12.5:"), (61.96, "01:02.0:"), (-0.1, "00:00.0:")]
)
def test_labels_tell_minutes_and_seconds(seconds, label):
    assert clock(seconds) == label


@pytest.mark.parametrize(
    ("before", "now", "is_missing"), [(6000, 5600, False), (6000, 300, True), (None, 300, False), (6000, None, False)]
)
def test_a_prompt_that_is_shorter_by_more_than_its_text_lacks_the_clip(before, now, is_missing):
    assert Sight(before, text_bytes=500).is_missing(now) == is_missing
