"""What hangs costs itself only: the others are served, who waits is told, and the process can end."""

import asyncio
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from s3harness.errors import MediaError, UsageError
from s3harness.media import MediaStore
from s3harness.media.options import MediaOptions
from s3harness.media.thread_pool import Pool

STALL_S = 0.2


@pytest.fixture
def pool():
    pool = Pool(2, STALL_S, 60.0)
    yield pool
    pool.close()


@pytest.fixture
def hanging():
    """A piece of work that hangs until the test is over."""
    over = threading.Event()
    yield lambda heartbeat: over.wait(60)
    over.set()


def waited(job):
    return job.result()


def awaited(job):
    return asyncio.run(job.finished())


@pytest.mark.parametrize("wait", [waited, awaited])
def test_work_is_done_in_order_and_its_result_or_error_comes_back(pool, wait):
    jobs = [pool.submit(lambda heartbeat, n=n: 1 / n) for n in (1, 2, 0, 4)]
    assert [wait(job) for job in jobs[:2]] == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        wait(jobs[2])
    assert wait(jobs[3]) == 0.25


@pytest.mark.parametrize("wait", [waited, awaited])
def test_what_hangs_is_given_up_and_its_place_is_taken(pool, hanging, wait):
    stuck = [pool.submit(hanging) for _ in range(5)]
    good = pool.submit(lambda heartbeat: "done")
    started = time.monotonic()
    for job in stuck:
        with pytest.raises(MediaError, match=r"no data came from its file for 0.2 s.*stall_s"):
            wait(job)
    assert wait(good) == "done"
    assert time.monotonic() - started < 5


def test_several_who_wait_at_once_are_each_told(pool, hanging):
    async def all_at_once():
        jobs = [
            pool.submit(hanging),
            pool.submit(lambda heartbeat: 1),
            pool.submit(hanging),
            pool.submit(lambda heartbeat: 2),
        ]
        return await asyncio.gather(*(job.finished() for job in jobs), return_exceptions=True)

    first, one, third, two = asyncio.run(all_at_once())
    assert (one, two) == (1, 2)
    assert isinstance(first, MediaError)
    assert isinstance(third, MediaError)


def test_what_moves_may_take_its_time_until_it_takes_too_long(hanging):
    pool = Pool(1, STALL_S, 1.0)

    def slow(heartbeat, seconds):
        for _ in range(int(seconds / 0.05)):
            time.sleep(0.05)
            heartbeat()
        return "slow"

    assert pool.submit(lambda heartbeat: slow(heartbeat, 3 * STALL_S)).result() == "slow"
    with pytest.raises(MediaError, match=r"longer than 1 s.*total_s"):
        pool.submit(lambda heartbeat: slow(heartbeat, 30)).result()
    assert pool.submit(lambda heartbeat: "next").result() == "next"
    pool.close()


def test_an_error_of_the_work_that_is_a_timeout_is_its_own(pool):
    def work(heartbeat):
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        pool.submit(work).result()


def test_no_more_threads_than_workers(pool):
    together, at_work, lock = [], [0], threading.Lock()

    def work(heartbeat):
        with lock:
            at_work[0] += 1
            together.append(at_work[0])
        time.sleep(0.02)
        with lock:
            at_work[0] -= 1

    for job in [pool.submit(work) for _ in range(10)]:
        job.result()
    assert max(together) == 2


def test_closing_ends_what_moves_and_leaves_what_hangs(hanging):
    pool, ended = Pool(2, 60.0, 60.0), []

    def moving(heartbeat):
        try:
            while True:
                time.sleep(0.01)
                heartbeat()
        except MediaError:
            ended.append("moving")

    pool.submit(moving)
    pool.submit(hanging)
    waiting = pool.submit(lambda heartbeat: ended.append("waiting"))
    time.sleep(0.1)
    started = time.monotonic()
    pool.close()
    assert ended == ["moving"]
    assert waiting is not None
    assert time.monotonic() - started < 10


def test_a_process_ends_though_a_thread_hangs():
    code = """
        import os
        from s3harness.errors import MediaError
        from s3harness.media.thread_pool import Pool
        reader, writer = os.pipe()
        pool = Pool(1, 0.2, 60)
        try:
            pool.submit(lambda beat: os.read(reader, 1)).result()
        except MediaError as error:
            print(error)
        print(pool.submit(lambda beat: "next").result())
        pool.submit(lambda beat: os.read(reader, 1))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, timeout=30)
    assert done.stdout.splitlines()[-1] == b"next"


def test_a_video_that_was_given_up_fails_for_good_and_bars_nobodys_way(store, loud, mute, clip):
    entered, go_on = threading.Event(), threading.Event()

    def stuck():
        entered.set()
        go_on.wait(60)

    thread = threading.Thread(target=store.prepare, args=(loud, [clip(loud)], stuck))
    thread.start()
    assert entered.wait(10)
    store.give_up(loud.id, "it hangs")
    store.release(loud.id)
    store.prepare(loud, [clip(loud)])
    store.prepare(mute, [clip(mute)])
    assert len(store.frames(clip(mute)).pixels) == 8
    go_on.set()
    thread.join()
    with pytest.raises(MediaError, match="v0001: it hangs"):
        store.frames(clip(loud))
    store.release(loud.id)


def test_a_beat_can_end_a_decode_at_any_point_and_leaves_nothing_behind(tmp_path, loud, clip):
    beats = []
    MediaStore(tmp_path / "all").prepare(loud, [clip(loud, 0, 12, audio=True)], lambda: beats.append(1))
    assert len(beats) > 100, "it is called for every packet"
    for last in (1, 2, 5, 20, len(beats) // 2, len(beats) - 1):
        store, left = MediaStore(tmp_path / str(last)), iter(range(last))

        def heartbeat(left=left):
            if next(left, None) is None:
                raise MediaError("enough")

        store.prepare(loud, [clip(loud, 0, 12, audio=True)], heartbeat)
        with pytest.raises(MediaError, match="v0001: enough"):
            store.key(clip(loud, 0, 12, audio=True))
        assert not list((tmp_path / str(last) / "media" / "slabs").iterdir())


def test_a_video_that_neither_disk_nor_memory_can_hold_fails_by_name(tmp_path, mute, loud, clip):
    (tmp_path / "cache").write_text("a file where a directory is wanted")
    store = MediaStore(tmp_path / "cache", options=MediaOptions(memory_mb=1))
    large, small = clip(mute, 0, 12, fps=10, max_pixels=10**6), clip(loud)
    store.prepare(mute, [large])
    store.prepare(loud, [small])
    with pytest.raises(MediaError, match=r"v0002: its frames fit neither the cache nor 1 MB of memory.*memory_mb"):
        store.frames(large)
    assert len(store.frames(small).pixels) == 8


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"wokers": 2}, "--media has no option 'wokers'; did you mean workers?"),
        ({"workers": -1}, "workers: a whole number from 0 is expected, not -1"),
        ({"workers": True}, "workers: a whole number from 0 is expected, not True"),
        ({"stall_s": 0}, "stall_s: a number of seconds above 0 is expected, not 0"),
        ({"total_s": float("nan")}, "total_s: a number of seconds above 0 is expected, not nan"),
        ({"ahead_mb": "much"}, "ahead_mb: a whole number from 1 is expected, not 'much'"),
        ({"hwaccel": True}, "hwaccel: a word is expected, not True"),
    ],
)
def test_options_that_make_no_sense_are_refused(said, complaint):
    with pytest.raises(UsageError, match=complaint):
        MediaOptions.of(said)


def test_an_unknown_hardware_decoder_fails_by_name(tmp_path, mute, clip):
    store = MediaStore(tmp_path / "cache", options=MediaOptions(hwaccel="abacus"))
    store.prepare(mute, [clip(mute)])
    with pytest.raises(MediaError, match="no hardware decoder 'abacus'"):
        store.frames(clip(mute))


@pytest.mark.parametrize("threads", [0, 2, 4])
def test_threads_change_no_picture(tmp_path, mute, clip, threads):
    one, several = MediaStore(tmp_path / "1"), MediaStore(tmp_path / "n", options=MediaOptions(threads=threads))
    wanted = clip(mute, 0, 12, fps=3.3)
    for store in (one, several):
        store.prepare(mute, [wanted])
    assert (one.frames(wanted).pixels == several.frames(wanted).pixels).all()
    assert one.key(wanted) == several.key(wanted)
