"""timestamp reads one moment in seconds; frame_number one frame as the second it stands for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.frame_number import frame_number
from s3harness.parsers.timestamp import timestamp

CLEAN = [
    ('{"timestamp": "00:37"}', 37),
    ('{"timestamp": "1:02:03"}', 3723),
    ('{"timestamp": 37}', 37),
    ('{"timestamp": 37.5}', 37.5),
    ('{"timestamp": "37 s"}', 37),
    ("00:37", 37),
    ("0:07", 7),
    ("75:10", 4510),
    ("01:02.5", 62.5),
    ("1:00:00", 3600),
    ("37", 37),
    ("37 s", 37),
    ("37s.", 37),
    ("37.5 seconds", 37.5),
    ("1 minute 5 seconds", 65),
    ("2 min and 5 s", 125),
    ('"00:37"', 37),
    ("**00:37**", 37),
    ("[00:37]", 37),
    ("99:59", 5999),
]
REPAIRED = [
    ('```json\n{"timestamp": "00:37"}\n```', 37),
    ('Here: {"timestamp": "00:37"} as asked, in a 60 second clip', 37),
    ("{'timestamp': '00:37'}", 37),
    ('{"timestamp": 00:37}', 37),
    ("timestamp: 00:37", 37),
    ('{"timestamp": "about 00:37"}', 37),
    ("<think>00:10 or 00:20</think>00:37", 37),
    ("The first sign is at 00:37.", 37),
    ("It starts after 37 seconds.", 37),
    ("It starts at 37.5s", 37.5),
    ("at 00:37 (37 seconds) of the 60-second clip", 37),
    ("00:37 and again 00:37", 37),
    ('{"time": "00:37"}', 37),
    ("- 00:37 first sign", 37),
]
UNPARSABLE = [
    ("", "empty"),
    ("null", "no time"),
    ("N/A", "no time"),
    ("The seizure cannot be seen", "no time"),
    ('{"timestamp": null}', "not a time"),
    ('{"timestamp": "N/A"}', "not a time"),
    ('{"timestamp": true}', "not a time"),
    ('{"timestamp": ["00:37"]}', "not a time"),
    ('{"start": "00:37", "end": "00:40"}', "no timestamp"),
    ("between 00:10 and 00:20", "several"),
    ("00:10-00:20", "several"),
    ('{"timestamp": "00:10 to 00:20"}', "several"),
    ('{"timestamp": "00:10"} {"timestamp": "00:20"}', "several"),
    ("-5", "negative"),
    ("-00:05", "negative"),
    ('{"timestamp": -5}', "negative"),
    ("it is at -00:05", "negative"),
    ("25:00:00", "24 h"),
    ('{"timestamp": 1e300}', "24 h"),
    ("100000 s", "24 h"),
    ("00:75", "not a time"),
    ("1:75:00", "not a time"),
    ("frame 37", "no time"),
    ("version 1.2.3", "no time"),
    ("00:12:13:14", "no time"),
    ("in the 60-second clip", "no time"),
]


@pytest.mark.parametrize(("text", "seconds"), CLEAN)
def test_a_bare_time_is_clean(text, seconds):
    reading = timestamp(text)
    assert (reading.value, reading.status) == (pytest.approx(seconds), "clean")
    assert isinstance(reading.value, float)


@pytest.mark.parametrize(("text", "seconds"), REPAIRED)
def test_one_time_in_a_longer_text_is_found(text, seconds):
    reading = timestamp(text)
    assert (reading.value, reading.status) == (pytest.approx(seconds), "repaired")
    assert reading.note


@pytest.mark.parametrize(("text", "why"), UNPARSABLE)
def test_nothing_is_guessed(text, why):
    reading = timestamp(text)
    assert (reading.value, reading.status) == (None, "unparsable")
    assert why in reading.note


def test_a_time_past_any_clip_is_read_as_it_is():
    assert timestamp("10:00").value == 600


def test_the_key_has_the_name_it_was_asked_for():
    assert timestamp('{"onset": "00:09"}', key="onset").value == 9
    assert timestamp('{"onset": "00:09", "timestamp": "00:10"}', key="onset").value == 9


@given(st.integers(0, 86_399), st.booleans(), st.booleans())
def test_every_time_of_a_day_is_read_back(seconds, as_json, with_hours):
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if with_hours else f"{minutes:02d}:{rest:02d}"
    reading = timestamp(json.dumps({"timestamp": text}) if as_json else text)
    assert (reading.value, reading.status) == (seconds, "clean")


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ('{"frame": "12"}', 12.0, "clean"),
        ('{"frame": 12}', 12.0, "clean"),
        ('{"frame": "Frame12"}', 12.0, "clean"),
        ("12", 12.0, "clean"),
        ("Frame 12.", 12.0, "clean"),
        ('```json\n{"frame": "12"}\n```', 12.0, "repaired"),
        ('I choose {"frame": "12"}', 12.0, "repaired"),
        ("It is first seen in frame 12 of the 60", 12.0, "repaired"),
        ("frame 12 or frame 13", None, "unparsable"),
        ('{"frame": "12"} {"frame": "13"}', None, "unparsable"),
        ('{"frame": "-3"}', None, "unparsable"),
        ('{"frame": -3}', None, "unparsable"),
        ('{"frame": 1.5}', None, "unparsable"),
        ('{"frame": true}', None, "unparsable"),
        ('{"frame": "none"}', None, "unparsable"),
        ('{"number": 3}', None, "unparsable"),
        ("none", None, "unparsable"),
        ("", None, "unparsable"),
    ],
)
def test_frame_n_stands_for_second_n(text, value, status):
    reading = frame_number(text)
    assert (reading.value, reading.status) == (value, status)
