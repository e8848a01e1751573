"""The cache survives kills, other processes and full disks, stays within its budget, and is private."""

import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from media_videos import make_clip, number

from s3harness.media import MediaStore, default_cache_dir, purge
from s3harness.media.cache import MediaCache
from s3harness.media.frame_file import CacheFileWriter, read_cache_file
from s3harness.types import Video

FRAMES_OF_A_CLIP = 8
BYTES_OF_A_CLIP = FRAMES_OF_A_CLIP * 114 * 68 * 3


def slabs(cache):
    return sorted((cache / "media" / "slabs").glob("*.slab"))


def copies(video, folder, n):
    """``n`` videos of different content that show the same."""
    for i in range(n):
        path = folder / f"{i}.mp4"
        path.write_bytes(video.path.read_bytes() + b"\0\0\0\x0cfree" + i.to_bytes(4, "big"))
        yield Video(f"v{i:04}", f"p{i}", path, video.duration_s)


def fingerprint(store, clips):
    return hashlib.sha256(b"".join(store.frames(clip).pixels.tobytes() for clip in clips)).hexdigest()


PRELUDE = """
import hashlib, json, os, resource, signal, sys
from pathlib import Path
from s3harness.media import MediaStore
from s3harness.types import Clip, Video

path, cache, clips = Path(sys.argv[1]), Path(sys.argv[2]), [Clip(**c) for c in json.loads(sys.argv[3])]
video = Video(clips[0].video_id, "p01", path, 12.0)
def fingerprint(store):
    return hashlib.sha256(b"".join(store.frames(clip).pixels.tobytes() for clip in clips)).hexdigest()
"""


def start(code, video, cache, clips):
    """Run ``code`` in another process, which knows ``video``, ``cache`` and ``clips``."""
    arguments = [str(video.path), str(cache), json.dumps([asdict(clip) for clip in clips])]
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_kill_in_the_middle_leaves_nothing_half(tmp_path, mute):
    clips = [make_clip(mute, 0, 12)]
    killed = start(
        """
        from s3harness.media import cache_writer
        take, seen = cache_writer.CacheWriter.write, []
        def take_three_items(self, item, *rest):
            seen.append(take(self, item, *rest))
            if len(seen) == 4:
                os.kill(os.getpid(), signal.SIGKILL)
        cache_writer.CacheWriter.write = take_three_items
        MediaStore(cache).prepare(video, clips)
        """,
        mute,
        tmp_path / "cache",
        clips,
    )
    killed.communicate()
    assert killed.returncode == -9
    assert len(list((tmp_path / "cache" / "media" / "slabs").iterdir())) == 1
    assert not slabs(tmp_path / "cache")

    store = MediaStore(tmp_path / "cache")
    store.prepare(mute, clips)
    assert store.decodes == 1
    assert [number(frame) for frame in store.frames(clips[0]).pixels] == [5 * i for i in range(24)]


def test_processes_that_share_a_cache_get_the_same_and_harm_nothing(tmp_path, mute):
    clips = [make_clip(mute, 0, 4), make_clip(mute, 2, 9, max_pixels=3000), make_clip(mute, 0, 12, fps=1)]
    alone = MediaStore(tmp_path / "alone")
    alone.prepare(mute, clips)
    racing = [
        start(
            """
            for _ in range(15):
                store = MediaStore(cache, budget_bytes=int(400e3))
                for clip in clips:
                    store.prepare(video, [clip])
                print(fingerprint(store))
            """,
            mute,
            tmp_path / "cache",
            clips,
        )
        for _ in range(2)
    ]
    for process in racing:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert set(out.split()) == {fingerprint(alone, clips)}
        assert len(out.split()) == 15


def test_a_disk_that_takes_no_more_is_not_the_end(tmp_path, mute):
    clips = [make_clip(mute, 0, 12), make_clip(mute, 0, 6, max_pixels=3000)]
    alone = MediaStore(tmp_path / "alone")
    alone.prepare(mute, clips)
    full = start(
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        store = MediaStore(cache)
        store.prepare(video, clips)
        print(fingerprint(store), store.decodes)
        store.release(video.id)
        store.prepare(video, clips)
        print(fingerprint(store), store.decodes)
        """,
        mute,
        tmp_path / "cache",
        clips,
    )
    out, err = full.communicate()
    assert out.split() == [fingerprint(alone, clips), "1", fingerprint(alone, clips), "2"]
    assert err.count("media cache: File too large") == 1
    assert str(tmp_path) not in err
    assert all(read_cache_file(path) for path in slabs(tmp_path / "cache"))


@pytest.mark.parametrize("in_the_way", ["cache", "cache/media", "cache/media/slabs"])
def test_an_unwritable_cache_is_told_once_and_done_without(tmp_path, mute, loud, in_the_way, caplog):
    blocked = tmp_path / in_the_way
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file where a directory is wanted")
    store = MediaStore(tmp_path / "cache")
    for video in (mute, loud):
        clip = make_clip(video, audio=True)
        store.prepare(video, [clip])
        assert [number(frame) for frame in store.frames(clip).pixels] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert len(store.audio(clip)) == 4 * 16_000
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(tmp_path) not in caplog.text


def test_the_least_recently_used_goes_first(tmp_path, mute):
    videos = list(copies(mute, tmp_path, 4))

    def decodes(*wanted):
        store = MediaStore(tmp_path / "cache", budget_bytes=3 * BYTES_OF_A_CLIP + 10_000)
        for video in wanted:
            store.prepare(video, [make_clip(video)])
            store.release(video.id)
        return store.decodes

    assert decodes(videos[0], videos[1], videos[2]) == 3
    assert decodes(videos[0]) == 0
    assert decodes(videos[3]) == 1
    assert decodes(videos[0], videos[2], videos[3]) == 0
    assert decodes(videos[1]) == 1
    assert len(slabs(tmp_path / "cache")) == 3


def test_what_is_in_use_is_never_evicted(tmp_path, mute):
    store = MediaStore(tmp_path / "cache", budget_bytes=BYTES_OF_A_CLIP // 2)
    videos = list(copies(mute, tmp_path, 3))
    for video in videos:
        store.prepare(video, [make_clip(video)])
    assert len(slabs(tmp_path / "cache")) == 3
    for video in videos:
        assert len(store.frames(make_clip(video)).pixels) == FRAMES_OF_A_CLIP
        store.release(video.id)
    other = next(copies(mute, tmp_path, 1))
    store.prepare(other, [make_clip(other, 4, 8)])
    assert len(slabs(tmp_path / "cache")) == 2


def test_frames_outlive_their_file_until_release(tmp_path, store, mute):
    store.prepare(mute, [make_clip(mute)])
    for path in slabs(tmp_path / "cache"):
        path.unlink()
    assert [number(frame) for frame in store.frames(make_clip(mute)).pixels][:3] == [0, 5, 10]


def test_frames_that_were_given_leave_memory_and_can_be_had_again(tmp_path, store, mute):
    clip = make_clip(mute)
    store.prepare(mute, [clip])
    first = store.frames(clip).pixels
    mapped = [kb for name, kb in in_memory().items() if name.startswith(str(tmp_path / "cache"))]
    assert mapped
    assert not any(mapped)
    np.testing.assert_array_equal(store.frames(clip).pixels, first)


def in_memory() -> dict[str, int]:
    """The kB of each mapped file that are in this process's memory (Linux)."""
    found, name = {}, ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            name = words[-1]
        elif words[0] == "Rss:":
            found[name] = found.get(name, 0) + int(words[1])
    return found


def test_a_full_disk_makes_the_budget_smaller(tmp_path, mute):
    store = MediaStore(tmp_path / "cache")
    videos = list(copies(mute, tmp_path, 5))
    for video in videos[:4]:
        store.prepare(video, [make_clip(video)])
        store.release(video.id)
    store._cache.report_disk_error(OSError(errno.ENOSPC, "No space left on device"))
    store.prepare(videos[4], [make_clip(videos[4])])
    assert len(slabs(tmp_path / "cache")) == 2


def test_the_last_room_on_a_disk_is_left_to_others(tmp_path, mute, monkeypatch):
    store = MediaStore(tmp_path / "cache")
    first, second, third = copies(mute, tmp_path, 3)
    for video in (first, second):
        store.prepare(video, [make_clip(video)])
        store.release(video.id)
    assert len(slabs(tmp_path / "cache")) == 2, "there is room"
    monkeypatch.setattr("s3harness.media.cache.RESERVE_BYTES", 10**18)
    store.prepare(third, [make_clip(third)])
    assert len(slabs(tmp_path / "cache")) == 1, "what is in use stays"
    assert len(store.frames(make_clip(third)).pixels) == FRAMES_OF_A_CLIP


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[100:], lambda data: b"", lambda data: data * 2]
)
def test_a_damaged_slab_is_decoded_again(tmp_path, mute, damage):
    first = MediaStore(tmp_path / "cache")
    first.prepare(mute, [make_clip(mute)])
    (slab,) = slabs(tmp_path / "cache")
    damaged = damage(slab.read_bytes())
    slab.unlink()
    slab.write_bytes(damaged)
    second = MediaStore(tmp_path / "cache")
    second.prepare(mute, [make_clip(mute)])
    np.testing.assert_array_equal(first.frames(make_clip(mute)).pixels, second.frames(make_clip(mute)).pixels)


def test_leftovers_of_killed_runs_are_cleared_when_they_are_old(tmp_path):
    cache = MediaCache(tmp_path / "cache", budget_bytes=10**9)
    old, new = (tmp_path / "cache" / "media" / "slabs" / f"{name}.slab.part" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    cache.evict(keep=())
    assert (old.exists(), new.exists()) == (False, True)


def test_the_cache_is_private_and_names_nothing(tmp_path, loud):
    os.umask(os.umask(0o022))
    (tmp_path / "open").mkdir(mode=0o755)
    for cache in (tmp_path / "new", tmp_path / "open"):
        store = MediaStore(cache)
        store.prepare(loud, [make_clip(loud, audio=True)])
        folders = [path for path in (cache / "media").rglob("*") if path.is_dir()]
        assert {path.stat().st_mode & 0o777 for path in [cache / "media", *folders]} == {0o700}
        for path in (cache / "media").rglob("*"):
            told = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
            assert not any(name.encode() in told for name in (loud.path.name, str(loud.path.parent), loud.id, "p01"))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_purge_takes_away_the_media_and_nothing_else(tmp_path, mute):
    cache = tmp_path / "cache"
    MediaStore(cache).prepare(mute, [make_clip(mute)])
    (cache / "notes.txt").write_text("mine")
    assert purge(cache) >= BYTES_OF_A_CLIP
    assert [path.name for path in cache.iterdir()] == ["notes.txt"]
    assert purge(cache) == purge(tmp_path / "nowhere") == 0
    store = MediaStore(cache)
    store.prepare(mute, [make_clip(mute)])
    assert store.decodes == 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"S3HARNESS_CACHE": "/fast/disk"}, "/fast/disk"),
        ({"S3HARNESS_CACHE": "~/mine"}, "/home/someone/mine"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/s3harness"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/someone/.cache/s3harness"),
        ({}, "/home/someone/.cache/s3harness"),
    ],
)
def test_where_the_cache_is(monkeypatch, environment, expected):
    for name in ("S3HARNESS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/someone", **environment}.items():
        monkeypatch.setenv(name, value)
    assert default_cache_dir() == Path(expected)


def test_a_slab_holds_what_was_appended(tmp_path):
    writer = CacheFileWriter(tmp_path / "a.slab", on_disk_error=pytest.fail)
    blocks = [np.arange(12, dtype=np.uint8).reshape(3, 4), np.array([1.5], np.float32)]
    for block in blocks:
        writer.append(block)
    slab = writer.finish({"kind": "test"})
    again = read_cache_file(tmp_path / "a.slab")
    for found in (slab, again):
        assert found.payload.tobytes() == b"".join(block.tobytes() for block in blocks)
        assert found.footer["kind"] == "test"
        assert found.path == tmp_path / "a.slab"


def test_importing_the_media_package_does_not_import_the_decoder():
    code = "import sys, s3harness.media, s3harness.samplers; print([m for m in ('av', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
