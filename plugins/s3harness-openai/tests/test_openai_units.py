"""The pieces by themselves: the limit of requests in flight, quotations of servers, pauses, labels."""

from __future__ import annotations

import asyncio
import email.utils
import time

import httpcore2
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3harness_openai.client import retry_after_s
from s3harness_openai.errors import MAX_CHARACTERS, quote, redactor
from s3harness_openai.media_parts import clock_label
from s3harness_openai.server_pool import FIRST_IN_FLIGHT, FIRST_PAUSE_S, MAX_PAUSE_S, AimdLimit, CachedClip, pause_s
from s3harness_openai.transport import CheckedStream


@given(st.integers(1, 200), st.lists(st.booleans(), max_size=300))
def test_a_limit_is_always_between_one_and_its_maximum(maximum, history):
    limit = AimdLimit(maximum)
    for now, is_well in enumerate(history):
        limit.increase() if is_well else limit.decrease(sent_at=now, now=now)
        assert 1 <= limit.size <= maximum


def test_a_limit_grows_quickly_is_halved_by_an_overload_and_grows_slowly_after():
    limit = AimdLimit(64)
    assert limit.size == FIRST_IN_FLIGHT
    for _ in range(56):
        limit.increase()
    assert limit.size == 64
    limit.decrease(sent_at=1.0, now=2.0)
    assert limit.size == 32
    for _ in range(32):
        limit.increase()
    assert limit.size in (32, 33)


def test_the_overload_of_requests_sent_before_the_last_decrease_says_nothing_new():
    limit = AimdLimit(8)
    for sent_at in (0.0, 0.1, 0.2, 0.3):
        limit.decrease(sent_at, now=1.0)
    assert limit.size == 4
    limit.decrease(sent_at=1.5, now=2.0)
    assert limit.size == 2


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
    assert retry_after_s(httpx2.Headers(headers)) == seconds


def test_the_wait_until_a_date():
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert retry_after_s(httpx2.Headers({"Retry-After": date})) == pytest.approx(29.5, abs=1.0)


@given(st.integers(1, 10_000))
def test_pauses_grow_and_are_bounded(count):
    whole = min(FIRST_PAUSE_S * 2.0 ** min(count - 1, 10), MAX_PAUSE_S)
    assert whole / 2 <= pause_s(count) <= whole


@given(st.text(max_size=3000))
def test_the_words_of_a_server_become_one_short_line(text):
    words = quote(text + "a-secret-key", redactor("a-secret-key"))
    assert len(words) <= MAX_CHARACTERS
    assert "a-secret-key" not in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("text", "quotation"),
    [
        ("url: data:image/jpeg;base64,/9j/4AAQSkZJRg== is bad", "url: … is bad"),
        ("Incorrect API key provided: sk-abcd****wxyz.", "Incorrect API key provided: …"),
        ("got header Bearer abcdefgh12345", "got header …"),
        ("A" * 90, "…"),
        ("the prompt (9000 tokens) is too long", "the prompt (9000 tokens) is too long"),
    ],
)
def test_media_and_keys_are_taken_out_of_the_words_of_a_server(text, quotation):
    assert quote(text, redactor("")) == quotation


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "00:00.0:"), (12.5, "00:12.5:"), (61.96, "01:02.0:"), (-0.1, "00:00.0:")]
)
def test_labels_tell_minutes_and_seconds(seconds, label):
    assert clock_label(seconds) == label


@pytest.mark.parametrize(
    ("before", "now", "is_missing"), [(6000, 5600, False), (6000, 300, True), (None, 300, False), (6000, None, False)]
)
def test_a_prompt_that_is_shorter_by_more_than_its_text_lacks_the_clip(before, now, is_missing):
    assert CachedClip(before, text_bytes=500).is_missing_from(now) == is_missing


class Scripted(httpcore2.AsyncNetworkStream):
    """A connection that brings the given bytes, a piece a read, and has nothing more to read."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.pieces.pop(0)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    def get_extra_info(self, info: str) -> bool:
        return False


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "is_closed"),
    [
        ([OK], False),
        ([OK[:20], OK[20:]], False),
        ([OK + OK], True),
        ([OK, b"!"], True),
        ([CHUNKED], False),
        ([CHUNKED[:-3], CHUNKED[-3:]], False),
        ([CHUNKED + OK], True),
        ([CONTINUE + OK], False),
        ([CONTINUE * 5_000 + OK], False),
        ([CONTINUE + OK + b"!"], True),
        ([b"x" * 3_000_000, OK], True),
        ([b"HTTP/1.1 200 OK\r\n\r\nyes", b"and more"], False),
    ],
)
def test_a_connection_is_closed_after_more_bytes_than_a_reply_announces(pieces, is_closed):
    async def exchange() -> bool:
        stream = CheckedStream(Scripted(*pieces))
        await stream.write(b"GET / HTTP/1.1\r\n\r\n")
        for _ in pieces:
            await stream.read(1 << 16)
        return bool(stream.get_extra_info("is_readable"))

    assert asyncio.run(exchange()) == is_closed


def test_each_request_of_a_connection_counts_its_own_reply():
    async def exchange() -> bool:
        stream = CheckedStream(Scripted(OK, OK, CHUNKED))
        for _ in range(3):
            await stream.write(b"POST / HTTP/1.1\r\n\r\n")
            await stream.write(b"{}")
            await stream.read(1 << 16)
        return bool(stream.get_extra_info("is_readable"))

    assert not asyncio.run(exchange())
