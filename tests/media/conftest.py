import pytest
from media_videos import beeps, make_clip, write_video

from s3harness.media import MediaStore
from s3harness.types import Video


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """Two videos of 12 s, one with sound and one without."""
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "loud.mp4", n=120, sound=beeps(12, at=[2, 7]))
    write_video(folder / "mute.mp4", n=120)
    return folder


@pytest.fixture
def loud(videos):
    return Video("v0001", "p01", videos / "loud.mp4", 12.0)


@pytest.fixture
def mute(videos):
    return Video("v0002", "p02", videos / "mute.mp4", 12.0)


@pytest.fixture
def store(tmp_path):
    return MediaStore(tmp_path / "cache")


@pytest.fixture
def clip():
    return make_clip
