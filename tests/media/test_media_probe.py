"""What is said of a file, and what is said of one that is no video."""

import av
import numpy as np
import pytest
from media_videos import beeps, boxes, with_durations, write_video

from s3harness.errors import MediaError
from s3harness.media import VideoInfo, probe


def test_a_video_is_described(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=25, sound=beeps(2.5, at=[1]))
    assert probe(path) == VideoInfo(
        duration_s=pytest.approx(2.5),
        fps=pytest.approx(10),
        width=160,
        height=96,
        rotation=0,
        has_audio=True,
        codec="h264",
    )


def test_width_and_height_are_upright(tmp_path):
    info = probe(write_video(tmp_path / "v.mp4", n=5, size=(96, 160), turn=(True, True, False)))
    assert (info.width, info.height, info.rotation) == (96, 160, 90)
    assert not info.has_audio


@pytest.mark.parametrize("factor", [0.1, 10])
def test_the_length_is_that_of_the_data(tmp_path, factor):
    path = write_video(tmp_path / "v.mp4", n=25)
    path.write_bytes(with_durations(path.read_bytes(), factor))
    assert probe(path).duration_s == pytest.approx(2.5)


def test_the_length_of_a_truncated_video_is_what_is_left(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=200, muxing={"movflags": "+faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 3 < probe(path).duration_s < 15


def test_a_variable_frame_rate_is_the_mean(tmp_path):
    info = probe(write_video(tmp_path / "v.mp4", times=[0, 0.1, 0.2, 0.3, 4.0]))
    assert info.fps == pytest.approx(1)
    assert info.duration_s == pytest.approx(5)


def test_a_video_may_have_one_picture(tmp_path):
    assert 0 < probe(write_video(tmp_path / "v.mp4", n=1)).duration_s <= 1


def empty(path):
    path.write_bytes(b"")


def one_byte(path):
    path.write_bytes(b"\0")


def garbage(path):
    path.write_bytes(np.random.default_rng(0).bytes(50_000))


def text(path):
    path.write_text("this is no video\n" * 100)


def no_index(path):
    data = write_video(path, n=10).read_bytes()
    moov = next(first for kind, first, _ in boxes(data) if kind == "moov")
    path.write_bytes(data[:moov])


def empty_index(path):
    no_index(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0\x08moov")


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])


def no_pictures(path):
    data = bytearray(write_video(path, n=10).read_bytes())
    first, last = next((first, last) for kind, first, last in boxes(data) if kind == "mdat")
    data[first + 8 : last] = bytes(last - first - 8)
    path.write_bytes(data)


def unknown_kind(path):
    """Whole, but by a coder that nobody knows."""
    path.write_bytes(write_video(path, n=10).read_bytes().replace(b"avc1\0\0", b"zzzz\0\0"))


def missing(path):
    path.unlink(missing_ok=True)


BROKEN = {
    empty: "empty",
    one_byte: "damaged, incomplete",
    garbage: "damaged, incomplete",
    text: "damaged, incomplete",
    no_index: "damaged, incomplete",
    empty_index: "damaged, incomplete|no video stream",
    sound_only: "no video stream",
    no_pictures: "no frame",
    unknown_kind: "this FFmpeg has no decoder for the video",
    missing: "cannot be read: No such file",
}


@pytest.mark.parametrize("make", BROKEN)
def test_what_is_no_video_is_refused_without_naming_it(tmp_path, make, capfd):
    path = tmp_path / "Miller_2019-03-04.mp4"
    make(path)
    with pytest.raises(MediaError, match=BROKEN[make]) as caught:
        probe(path)
    told = str(caught.value) + "".join(capfd.readouterr())
    assert "Miller" not in told
    assert str(tmp_path) not in told
    assert caught.value.__cause__ is None


def test_sound_that_nobody_can_decode_is_no_sound(tmp_path):
    path = write_video(tmp_path / "v.mp4", n=25, sound=beeps(2.5, at=[1]))
    path.write_bytes(path.read_bytes().replace(b"mp4a\0\0", b"zzzz\0\0").replace(b"esds", b"zzzz"))
    assert not probe(path).has_audio
    assert probe(path).duration_s == pytest.approx(2.5)
