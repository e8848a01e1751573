"""Cutting and joining of video files: frames keep their pictures and their times, and nothing is encoded anew."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from s3harness.errors import MediaError
from s3harness.media import probe
from s3harness.media.splice import cut, join

FPS = 10


def _video(path: Path, seconds: int, first: int = 0, size: int = 64, codec: str = "libx264") -> Path:
    """A video whose frame n is as bright as its number, with a key frame each second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = FPS
        stream.codec_context.max_b_frames = 2 if codec == "libx264" else 0
        for n in range(seconds * FPS):
            picture = np.full((size, size, 3), 20 + first + 2 * n, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    return path


def _brightness(path: Path) -> list[tuple[float, int]]:
    """Time from the first frame and brightness of each frame."""
    with av.open(str(path)) as container:
        frames = [(float(f.time), int(f.to_ndarray(format="gray").mean())) for f in container.decode(video=0)]
    return [(round(time - frames[0][0], 2), grey) for time, grey in frames]


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi", ".mts"])
def test_a_cut_begins_at_the_key_frame_before_and_its_frames_keep_their_times(tmp_path, ending):
    source = _video(tmp_path / f"whole{ending}", 8, codec="mpeg4" if ending == ".avi" else "libx264")
    begin = cut(source, tmp_path / f"part{ending}", 3.25, 5.5)
    assert 2 <= begin <= 3.25
    whole = dict(_brightness(source))
    part = _brightness(tmp_path / f"part{ending}")
    assert 5.4 <= part[-1][0] + begin <= 6.2
    assert [grey for _, grey in part] == pytest.approx([whole[round(time + begin, 2)] for time, _ in part], abs=1)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi", ".mts"])
def test_joined_files_follow_each_other(tmp_path, ending):
    codec = "mpeg4" if ending == ".avi" else "libx264"
    parts = [_video(tmp_path / f"{n}{ending}", 3, 60 * n, codec=codec) for n in range(3)]
    begins = join(parts, tmp_path / f"joined{ending}")
    assert begins == pytest.approx([0, 3, 6], abs=0.05)
    joined = _brightness(tmp_path / f"joined{ending}")
    assert len(joined) == 90
    expected = [
        (begin + time, grey) for begin, part in zip(begins, parts, strict=True) for time, grey in _brightness(part)
    ]
    assert [time for time, _ in joined] == pytest.approx([time for time, _ in expected], abs=0.06)
    assert [grey for _, grey in joined] == pytest.approx([grey for _, grey in expected], abs=1)
    assert probe(tmp_path / f"joined{ending}").duration_s == pytest.approx(9, abs=0.2)


def test_files_of_other_sizes_are_not_joined_and_leave_nothing(tmp_path):
    parts = [_video(tmp_path / "a.mp4", 1), _video(tmp_path / "b.mp4", 1, size=32)]
    with pytest.raises(MediaError, match="other codecs or sizes"):
        join(parts, tmp_path / "joined.mp4")
    assert not (tmp_path / "joined.mp4").exists()
