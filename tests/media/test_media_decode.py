"""Which picture comes back for a wanted time, which way up and how large, whatever the file."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_videos import is_upright, number, with_durations, write_video

from s3harness.errors import MediaError
from s3harness.media.decode import decode
from s3harness.media.frames import DecodedFrame, EndOfPass, StreamInfo
from s3harness.media.nearest_frame import NearestFramePicker

ENOUGH = 10**6


def pictures(path, times, max_pixels=ENOUGH):
    """Wanted time → (number of the picture, its time), and all that came besides."""
    found, rest = {}, []
    with path.open("rb") as file:
        for item in decode(file, {max_pixels: frozenset(times)}, audio=False):
            if isinstance(item, DecodedFrame):
                assert is_upright(item.pixels)
                found |= {time: (number(item.pixels), pytest.approx(item.time_s, abs=1e-3)) for time in item.wanted}
            else:
                rest.append(item)
    return found, rest


KINDS = {
    "plain": {},
    "matroska": {"name": "v.mkv"},
    "avi without picture times": {"name": "v.avi", "codec": "mpeg4", "options": {}},
    "transport stream that starts at 5 s": {"name": "v.ts", "shift_s": 5},
    "vp8": {"name": "v.webm", "codec": "libvpx", "options": {}},
    "odd size, 4:4:4": {"size": (161, 91), "pix_fmt": "yuv444p"},
    "10 bit": {"pix_fmt": "yuv420p10le"},
    "full range": {"pix_fmt": "yuvj420p"},
    "no B-frames": {"options": {"bf": "0"}},
    "deep B-frames": {"options": {"bf": "8", "b-pyramid": "normal"}},
    "long groups": {"options": {"g": "1000"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_picture_is_picked(tmp_path, kind):
    options = {"name": "v.mp4", **KINDS[kind]}
    path = write_video(tmp_path / options.pop("name"), n=30, **options)
    found, _ = pictures(path, [0.0, 0.04, 0.06, 1.3, 1.72, 2.9, 2.99])
    assert found == {
        0.0: (0, 0.0),
        0.04: (0, 0.0),
        0.06: (1, 0.1),
        1.3: (13, 1.3),
        1.72: (17, 1.7),
        2.9: (29, 2.9),
        2.99: (29, 2.9),
    }


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_variable_frame_rate(tmp_path, name):
    path = write_video(tmp_path / name, times=[0, 0.1, 0.5, 0.51, 0.52, 1.5, 2.9])
    found, _ = pictures(path, [0.29, 0.31, 0.514, 0.518, 1.0, 1.02, 2.3])
    assert found == {
        0.29: (1, 0.1),
        0.31: (2, 0.5),
        0.514: (3, 0.51),
        0.518: (4, 0.52),
        1.0: (4, 0.52),
        1.02: (5, 1.5),
        2.3: (6, 2.9),
    }


@pytest.mark.parametrize("factor", [0.1, 10])
def test_a_header_that_lies_about_the_length_changes_nothing(tmp_path, factor):
    honest = write_video(tmp_path / "honest.mp4", n=30)
    lying = tmp_path / "lying.mp4"
    lying.write_bytes(with_durations(honest.read_bytes(), factor))
    assert lying.read_bytes() != honest.read_bytes()
    assert pictures(lying, [0.0, 1.5, 2.9, 9.0]) == pictures(honest, [0.0, 1.5, 2.9, 9.0])


def test_a_truncated_video_gives_what_it_has_and_says_where_it_ends(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", n=200, muxing={"movflags": "+faststart"}).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    found, (_, end) = pictures(cut, [0.0, 3.0, 19.0])
    assert found == {0.0: (0, 0.0), 3.0: (30, 3.0)}
    assert 3 < end.end_s < 15


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
def test_damage_in_the_middle_does_not_lose_what_comes_before(tmp_path, name):
    path = write_video(tmp_path / name, n=100, options={"g": "10"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    with path.open("rb") as file:
        items = list(decode(file, {ENOUGH: frozenset([0.0, 1.0, 2.0, 9.0])}, audio=True))
    assert [number(x.pixels) for x in items if isinstance(x, DecodedFrame)][:3] == [0, 10, 20]
    assert isinstance(items[-1], EndOfPass)


@pytest.mark.parametrize("turn", list(product([False, True], repeat=3)))
@pytest.mark.parametrize("size", [(160, 96), (96, 160)])
def test_pictures_are_upright_and_not_mirrored(tmp_path, turn, size):
    path = write_video(tmp_path / "v.mp4", n=6, size=size, turn=turn)
    found, (source, _) = pictures(path, [0.5])
    assert found == {0.5: (5, 0.5)}
    assert source == StreamInfo(size, has_audio=False)


@pytest.mark.parametrize(
    ("stored", "max_pixels", "expected"),
    [
        ((160, 96), ENOUGH, (160, 96)),
        ((161, 91), ENOUGH, (160, 90)),
        ((160, 96), 4000, (80, 48)),
        ((160, 96), 4, (2, 2)),
    ],
)
def test_pictures_fit_the_budget_with_even_sides_and_are_not_enlarged(tmp_path, stored, max_pixels, expected):
    path = write_video(tmp_path / "v.mp4", n=3, size=stored, pix_fmt="yuv444p")
    with path.open("rb") as file:
        (picture,) = [x for x in decode(file, {max_pixels: frozenset([0.0])}, False) if isinstance(x, DecodedFrame)]
    assert picture.size == expected
    assert picture.pixels.shape == (*expected[::-1], 3)


def test_several_sizes_come_out_of_one_pass(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=30)
    wanted = {ENOUGH: frozenset([0.0, 1.0]), 10 * ENOUGH: frozenset([2.0]), 4000: frozenset([1.0, 2.5])}
    with path.open("rb") as file:
        found = [(x.size, x.wanted) for x in decode(file, wanted, False) if isinstance(x, DecodedFrame)]
    assert sorted(found) == [
        ((80, 48), (1.0,)),
        ((80, 48), (2.5,)),
        ((160, 96), (0.0,)),
        ((160, 96), (1.0,)),
        ((160, 96), (2.0,)),
    ]


def test_the_pass_stops_behind_the_last_wanted_time(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=250, options={"g": "10", "bf": "0"}, muxing={"movflags": "+faststart"})
    with path.open("rb", buffering=0) as file:
        items = list(decode(file, {ENOUGH: frozenset([0.5])}, audio=False))
    assert items[-1] == EndOfPass(None)


def test_the_file_is_not_opened_by_name(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=30)
    with path.open("rb") as file:
        path.unlink()
        assert any(isinstance(item, DecodedFrame) for item in decode(file, {ENOUGH: frozenset([1.0])}, audio=True))


PLAYLISTS = {
    "a playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nfile://{}\n#EXT-X-ENDLIST\n",
    "a script": "ffconcat version 1.0\nfile '{}'\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_file_cannot_make_another_one_be_read(tmp_path, kind):
    other = write_video(tmp_path / "other.mp4", n=3)
    trap = tmp_path / "trap.mp4"
    trap.write_text(PLAYLISTS[kind].format(other))
    with trap.open("rb") as file, pytest.raises(MediaError):
        list(decode(file, {ENOUGH: frozenset([0.0])}, audio=False))


def test_a_picture_without_sound_or_wanted_times_still_tells_the_source(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=3)
    with path.open("rb") as file:
        assert list(decode(file, {}, audio=True)) == [StreamInfo((160, 96), has_audio=False), EndOfPass(None)]


tenths = st.lists(st.integers(0, 300), min_size=1, max_size=40)


@given(tenths.map(lambda stamps: sorted(set(stamps))), tenths)
def test_nearest_agrees_with_looking_at_all_pictures(stamps, wanted):
    picker = NearestFramePicker(n / 10 for n in wanted)
    picks = [picker.push(stamp, stamp / 10) for stamp in stamps] + [picker.finish(stamps[-1] / 10 + 1)]
    found = {round(time * 10): pick.frame for pick in picks if pick for time in pick.wanted}
    reachable = {n for n in wanted if n <= stamps[-1] + 10}
    assert found == {n: min(stamps, key=lambda stamp: (abs(stamp - n), stamp)) for n in reachable}
    assert picker.is_done == (reachable == set(wanted))


def test_pictures_out_of_order_are_passed_over():
    picker = NearestFramePicker([0.0, 2.0])
    picks = [picker.push(name, at) for name, at in [("a", 0.0), ("late", -1.0), ("again", 0.0), ("b", 2.0)]]
    assert [pick.frame for pick in [*picks, picker.finish(3.0)] if pick] == ["a", "b"]
