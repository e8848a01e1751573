"""Groups of pictures that nobody wants are not decoded, and nobody can tell from what is given."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_videos import beeps, number, write_video

from s3harness.errors import MediaError
from s3harness.media import decode as module
from s3harness.media.decode import decode
from s3harness.media.frames import AudioChunk, DecodedFrame, EndOfPass, StreamInfo
from s3harness.media.seek_plan import plan_seeks

ENOUGH = 10**6
UNEVEN = [0.1 * i + (0.03 if i % 3 else 0) for i in range(120)]

KINDS = {
    "groups of 25": {"options": {"g": "25", "keyint_min": "25", "sc_threshold": "0"}},
    "groups of 25, no B-frames": {"options": {"g": "25", "sc_threshold": "0", "bf": "0"}},
    "groups of 7, deep B-frames": {"options": {"g": "7", "bf": "5", "b-pyramid": "normal", "sc_threshold": "0"}},
    "matroska": {"name": "v.mkv", "options": {"g": "25", "sc_threshold": "0"}},
    "uneven times": {"times": UNEVEN, "options": {"g": "20", "sc_threshold": "0"}},
    "mpeg-4, every picture a key": {"codec": "mpeg4", "options": {"g": "1"}},
    "turned": {"turn": (True, False, True), "options": {"g": "10", "sc_threshold": "0"}},
    "with sound": {"sound": beeps(12, at=[1, 6, 11]), "options": {"g": "25", "sc_threshold": "0"}},
}
UNPLAIN = {
    "one group": {"options": {"g": "1000", "sc_threshold": "0"}},
    "open groups": {"options": {"g": "12", "sc_threshold": "0", "x264-params": "open-gop=1:bframes=3:b-adapt=0"}},
    "open groups in matroska": {
        "name": "v.mkv",
        "options": {"g": "12", "sc_threshold": "0", "x264-params": "open-gop=1:bframes=3:b-adapt=0"},
    },
    "keys that are none": {"options": {"g": "12", "sc_threshold": "0", "x264-params": "intra-refresh=1"}},
    "transport stream": {"name": "v.ts", "options": {"g": "10", "sc_threshold": "0"}},
    "avi without picture times": {"name": "v.avi", "codec": "mpeg4", "options": {"g": "10"}},
    "hidden pictures": {
        "name": "v.webm",
        "codec": "libvpx",
        "options": {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "8"},
    },
}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Makes a video of a kind, once."""
    folder, made = tmp_path_factory.mktemp("films"), {}

    def make(kind):
        if kind not in made:
            options = {"name": "v.mp4", "n": 120, **({**KINDS, **UNPLAIN}[kind])}
            place = folder / str(len(made))
            place.mkdir()
            made[kind] = write_video(place / options.pop("name"), **options)
        return made[kind]

    return make


def given_by(path, wanted, audio=False, *, everything=False):
    """What is decoded for some wanted times; with ``everything``, by one pass over all pictures."""
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        if everything:
            patch.setattr(module, "plan_seeks", lambda *given: None)
        items = list(decode(file, {ENOUGH: frozenset(wanted), 3000: frozenset(wanted)}, audio))
    begun = max(i for i, item in enumerate(items) if isinstance(item, StreamInfo))
    return items[begun:]


def assert_same(one, other):
    """The same source, pictures and sound; and the same end, where both came to it."""
    pictures = [[x for x in items if isinstance(x, DecodedFrame)] for items in (one, other)]
    assert [(p.size, p.wanted) for p in pictures[0]] == [(p.size, p.wanted) for p in pictures[1]]
    assert [p.time_s for p in pictures[0]] == pytest.approx([p.time_s for p in pictures[1]], abs=1e-9)
    for a, b in zip(*pictures, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)
    sounds = [[x.samples for x in items if isinstance(x, AudioChunk)] or [np.zeros(0)] for items in (one, other)]
    np.testing.assert_array_equal(np.concatenate(sounds[0]), np.concatenate(sounds[1]))
    assert one[0] == other[0]
    ends = {items[-1].end_s for items in (one, other)} - {None}
    assert isinstance(one[-1], EndOfPass)
    assert len(ends) <= 1 or max(ends) == pytest.approx(min(ends), abs=1e-9)


EVERYWHERE = [0.1 * i for i in range(140)]


def seen_at(wanted, items):
    """The time and the pixels of what was given for each wanted time, in the larger size; -1 where nothing was."""
    pictures = {time: x for x in items if isinstance(x, DecodedFrame) and x.size == (160, 96) for time in x.wanted}
    nothing = (-1.0, np.zeros(0))
    return [(pictures[t].time_s, pictures[t].pixels) if t in pictures else nothing for t in wanted]


times = st.lists(st.integers(0, 1300).map(lambda n: n / 100), min_size=1, max_size=6)


@pytest.mark.parametrize("kind", [*KINDS, *UNPLAIN])
def test_what_is_given_is_what_a_pass_over_everything_gives(kind, film):
    path = film(kind)

    @settings(max_examples=12, deadline=None)
    @given(times, st.booleans())
    def check(wanted, audio):
        assert_same(given_by(path, wanted, audio), given_by(path, wanted, audio, everything=True))

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_few_groups_are_decoded_for_few_times(kind, film):
    with film(kind).open("rb") as file:
        plan = plan_seeks(file, [0.3, 10.0])
        assert file.tell() == 0
    assert sum(map(len, plan.groups)) == 120
    assert sum(len(plan.groups[i]) for i in plan.needed) <= 50
    assert plan.groups[min(plan.needed)][0] <= 0.3


@pytest.mark.parametrize("kind", [*UNPLAIN])
def test_a_file_whose_packets_do_not_say_enough_has_no_route_or_leaves_it(kind, film):
    path = film(kind)
    with path.open("rb") as file:
        plan = plan_seeks(file, [6.0])
    assert plan is None or plan.is_whole or kind == "hidden pictures"
    assert_same(given_by(path, [6.0]), given_by(path, [6.0], everything=True))


@pytest.mark.parametrize("kind", ["groups of 25", "groups of 7, deep B-frames", "matroska"])
def test_in_a_damaged_file_too_it_does_not_matter_what_else_is_wanted(tmp_path_factory, film, kind):
    whole = film(kind).read_bytes()
    path = tmp_path_factory.mktemp("damaged") / film(kind).name

    @settings(max_examples=20, deadline=None)
    @given(st.integers(48, len(whole) - 2500), st.integers(1, 3000), times)
    def check(start, length, wanted):
        path.write_bytes((whole[:start] + bytes(length) + whole[start + length :])[: len(whole)])
        try:
            expected = seen_at(wanted, given_by(path, {*wanted, *EVERYWHERE}))
        except MediaError as error:
            with pytest.raises(MediaError, match=re.escape(str(error))):
                given_by(path, wanted)
            return
        found = seen_at(wanted, given_by(path, wanted))
        assert [time_s for time_s, _ in found] == [time_s for time_s, _ in expected]
        for (_, one), (_, other) in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    check()


def test_a_clip_late_in_a_long_video_does_not_wait_for_the_rest(tmp_path):
    path = write_video(
        tmp_path / "v.mp4", n=3000, fps=25, options={"g": "25", "sc_threshold": "0", "preset": "ultrafast"}
    )
    with path.open("rb") as file:
        plan = plan_seeks(file, [100.0, 101.0, 102.0])
    assert sum(len(plan.groups[i]) for i in plan.needed) == 75
    found = [x for x in given_by(path, [100.0, 101.0, 102.0]) if isinstance(x, DecodedFrame) and x.size == (160, 96)]
    assert [number(p.pixels) for p in found] == [2500 % 256, 2525 % 256, 2550 % 256]
