"""Each video file is opened once in a run, however many tasks ask about it, and not at all in a second run."""

from __future__ import annotations

import ctypes
import os
import struct
from collections import Counter
from contextlib import contextmanager

from running import run_words

IN_OPEN = 0x20


@contextmanager
def openings(folder):
    """Counts by name how often the files of a folder are opened, by whatever means: the kernel tells (inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(fd, os.fsencode(folder), IN_OPEN) >= 0
    counts: Counter[str] = Counter()
    try:
        yield counts
        counts.update(_names(fd))
    finally:
        os.close(fd)


def _names(fd):
    try:
        while data := os.read(fd, 1 << 16):
            while data:
                _, _, _, length = struct.unpack_from("iIII", data)
                name, data = data[16 : 16 + length].rstrip(b"\0").decode(), data[16 + length :]
                if name:
                    yield name
    except BlockingIOError:
        return


def test_one_opening_a_file_for_seven_tasks_and_none_the_second_time(here, dataset, tmp_path):
    videos = dataset / "videos"
    names = {path.name for path in videos.iterdir()}
    assert len(names) == 6
    with openings(videos) as first:
        assert here(*run_words(dataset, tmp_path / "first", tmp_path / "cache")).code == 0
    assert first == dict.fromkeys(names, 1)
    with openings(videos) as second:
        assert here(*run_words(dataset, tmp_path / "second", tmp_path / "cache")).code == 0
    assert second == {}
    with openings(videos) as planned:
        assert here(*run_words(dataset, tmp_path / "third", tmp_path / "cache", "--dry-run")).code == 0
    assert planned == {}
