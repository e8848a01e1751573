"""The store decodes a video once, gives the same of a clip whatever else was prepared, and tells no names."""

import hashlib
import io
import sys
import threading
import tracemalloc
from dataclasses import replace
from itertools import permutations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_videos import beep_starts, beeps, is_upright, make_clip, number, write_video

from s3harness.errors import MediaError
from s3harness.media import MediaStore
from s3harness.types import Video

OPENED = None


def _note_opening(event, arguments):
    if event == "open" and OPENED is not None:
        OPENED.append(str(arguments[0]))


sys.addaudithook(_note_opening)


@pytest.fixture
def openings():
    """The names of all files that are opened during the test."""
    global OPENED  # noqa: PLW0603 - an audit hook cannot be taken away again
    OPENED = []
    yield OPENED
    OPENED = None


def test_a_clip_has_its_frames_at_their_times(store, loud, clip):
    wanted = clip(loud, 3, 6, times=(3.02, 4.0, 5.26))
    store.prepare(loud, [wanted])
    pixels, timestamps = store.frames(wanted)
    assert pixels.shape == (3, 68, 114, 3)
    assert pixels.dtype == np.uint8
    assert [number(frame) for frame in pixels] == [30, 40, 53]
    assert all(is_upright(frame) for frame in pixels)
    assert timestamps == pytest.approx((3.0, 4.0, 5.3))


def test_a_picture_stands_for_every_time_it_is_nearest_to(store, loud, clip):
    wanted = clip(loud, 0, 1, times=(0.48, 0.5, 0.52, 0.6))
    store.prepare(loud, [wanted])
    assert [number(frame) for frame in store.frames(wanted).pixels] == [5, 5, 5, 6]
    assert store.frames(wanted).timestamps == pytest.approx((0.5, 0.5, 0.5, 0.6))


def test_what_is_given_is_the_callers_own(store, loud, clip):
    store.prepare(loud, [clip(loud)])
    store.frames(clip(loud)).pixels[:] = 0
    assert store.frames(clip(loud)).pixels.any()


def test_sound_is_cut_from_the_same_clock(store, loud, clip):
    wanted = clip(loud, 6, 9, audio=True)
    store.prepare(loud, [wanted])
    for rate in (16_000, 24_000):
        samples = store.audio(wanted, rate)
        assert samples.shape == (3 * rate,)
        assert beep_starts(samples, rate) == pytest.approx([1], abs=0.03)


def packets(mp4):
    """Stream, time, duration and hash of each packet of an MP4 file."""
    with av.open(io.BytesIO(mp4)) as container:
        found = [(packet.stream.type, packet.pts, packet.duration, bytes(packet)) for packet in container.demux()]
    return [(*place, hashlib.sha256(data).hexdigest()[:12]) for *place, data in found]


def test_one_pass_for_all_clips_and_none_the_second_time(tmp_path, loud, clip, openings):
    clips = [clip(loud, 0, 4, audio=True), clip(loud, 3, 8, max_pixels=2000), clip(loud, 0, 12, fps=0.5, audio=True)]
    first = MediaStore(tmp_path / "cache")
    for _ in range(3):
        first.prepare(loud, clips)
    answers = [(first.frames(c).pixels.copy(), first.key(c), first.mp4(c)) for c in clips]
    assert (first.decodes, first.opens) == (1, 1)
    assert openings.count(str(loud.path)) == 1

    openings.clear()
    first.release(loud.id)
    for store in (first, MediaStore(tmp_path / "cache")):
        before = store.decodes, store.opens
        store.prepare(loud, clips)
        assert (store.decodes, store.opens) == before
        for wanted, (pixels, key, mp4) in zip(clips, answers, strict=True):
            np.testing.assert_array_equal(store.frames(wanted).pixels, pixels)
            assert store.key(wanted) == key
            assert packets(store.mp4(wanted)) == packets(mp4), "a difference is named by stream, time and bytes"
            assert store.mp4(wanted) == mp4
    assert str(loud.path) not in openings


def test_only_what_is_missing_is_decoded_later(store, loud, clip):
    store.prepare(loud, [clip(loud, 0, 4)])
    store.prepare(loud, [clip(loud, 0, 4), clip(loud, 2, 4)])
    assert store.decodes == 1
    store.prepare(loud, [clip(loud, 2, 6)])
    assert (store.decodes, store.opens) == (2, 2)
    assert [number(frame) for frame in store.frames(clip(loud, 2, 6)).pixels] == [20, 25, 30, 35, 40, 45, 50, 55]
    store.prepare(loud, [clip(loud, 2, 6, audio=True)])
    assert store.decodes == 3


def test_a_copy_of_a_file_is_hashed_but_not_decoded(tmp_path, store, loud, clip):
    store.prepare(loud, [clip(loud)])
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(loud.path.read_bytes())
    other = replace(loud, id="v0009", path=copy)
    store.prepare(other, [clip(other)])
    assert (store.decodes, store.opens) == (1, 2)
    assert store.key(clip(other)) == store.key(clip(loud))


def test_a_changed_file_is_decoded_anew(tmp_path, clip):
    path = write_video(tmp_path / "v.mp4", n=50)
    video = Video("v0001", "p01", path, 5.0)
    first = MediaStore(tmp_path / "cache")
    first.prepare(video, [clip(video)])
    before = first.key(clip(video))
    write_video(path, times=[0, 2, 4])
    second = MediaStore(tmp_path / "cache")
    second.prepare(video, [clip(video, times=(2.0,))])
    assert number(second.frames(clip(video, times=(2.0,))).pixels[0]) == 1
    second.prepare(video, [clip(video)])
    assert second.key(clip(video)) != before


spans = st.tuples(
    st.integers(0, 8), st.integers(1, 4), st.sampled_from([0.5, 2, 3.3, 25]), st.sampled_from([900, 8000])
)


@settings(max_examples=8, deadline=None)
@given(others=st.lists(spans, max_size=4), together=st.booleans(), audio=st.booleans())
def test_a_clip_does_not_depend_on_what_else_was_prepared(tmp_path_factory, videos, others, together, audio):
    mute, clip = Video("v0002", "p02", videos / "mute.mp4", 12.0), make_clip

    def store():
        return MediaStore(tmp_path_factory.mktemp("cache"))

    wanted = clip(mute, 2, 7, fps=3.3)
    alone, among = store(), store()
    alone.prepare(mute, [wanted])
    rest = [clip(mute, start, start + length, fps, pixels, audio) for start, length, fps, pixels in others]
    for clips in [[*rest, wanted]] if together else [*([c] for c in rest), [wanted]]:
        among.prepare(mute, clips)
    np.testing.assert_array_equal(alone.frames(wanted).pixels, among.frames(wanted).pixels)
    assert alone.frames(wanted).timestamps == among.frames(wanted).timestamps
    assert alone.key(wanted) == among.key(wanted)
    assert alone.mp4(wanted) == among.mp4(wanted)


def test_the_order_of_preparation_does_not_matter(tmp_path, loud, clip):
    clips = [clip(loud, 0, 4, audio=True), clip(loud, 2, 6, max_pixels=2000), clip(loud, 1, 3, fps=10)]
    seen = set()
    for i, order in enumerate(permutations(clips)):
        store = MediaStore(tmp_path / str(i))
        for wanted in order:
            store.prepare(loud, [wanted])
        seen.add(b"".join(store.frames(c).pixels.tobytes() for c in clips) + store.audio(clips[0]).tobytes())
    assert len(seen) == 1


def test_the_key_changes_with_each_determinant_and_with_nothing_else(tmp_path, store, loud, mute, clip, monkeypatch):
    base = clip(loud)
    variants = [
        replace(base, timestamps=(*base.timestamps[:-1], base.timestamps[-1] + 0.1)),
        replace(base, timestamps=base.timestamps[:-1]),
        replace(base, start_s=0.1),
        replace(base, end_s=4.1),
        replace(base, audio=True),
        replace(base, max_pixels=2000),
    ]
    store.prepare(loud, [base, *variants])
    store.prepare(mute, [clip(mute)])
    keys = [store.key(base), *map(store.key, variants), store.key(clip(mute))]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 64 for key in keys)
    assert store.key(replace(base, index=5)) == keys[0]

    from s3harness.media import store as module

    monkeypatch.setattr(module, "_decoder", lambda options: "another decoder")
    assert store.key(base) != keys[0]
    again = MediaStore(tmp_path / "cache")
    again.prepare(loud, [base])
    assert again.decodes == 1


def test_mp4_holds_the_frames_at_their_times_and_the_sound(store, loud, clip):
    wanted = clip(loud, 6, 9, audio=True)
    store.prepare(loud, [wanted])
    data = store.mp4(wanted)
    with av.open(io.BytesIO(data)) as container:
        assert not {"creation_time", "encoder", "title"} & {key.lower() for key in container.metadata}
        frames = list(container.decode(container.streams.video[0]))
    assert [number(frame.to_ndarray(format="rgb24")) for frame in frames] == [60, 65, 70, 75, 80, 85]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        video = container.streams.video[0]
        assert video.duration * video.time_base == pytest.approx(3)
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert beep_starts(samples, 24_000) == pytest.approx([1], abs=0.05)
    assert loud.path.name.encode() not in data


def test_mp4_without_audio_has_none_and_repeated_frames_stay(store, loud, clip):
    wanted = clip(loud, 0, 1, times=(0.5, 0.51, 0.52))
    store.prepare(loud, [wanted])
    with av.open(io.BytesIO(store.mp4(wanted))) as container:
        assert not container.streams.audio
        assert len(list(container.decode(video=0))) == 3


def test_a_clip_behind_the_end_of_the_video_fails_and_the_others_do_not(tmp_path, store, mute, clip):
    early, late = clip(mute, 0, 12), clip(mute, 10, 30)
    for attempt in (store, MediaStore(tmp_path / "cache")):
        attempt.prepare(mute, [early, late])
        assert len(attempt.frames(early).pixels) == 24
        with pytest.raises(MediaError, match=r"v0002: the video ends at 12\.0 s, the clip needs frames up to 29\.5 s"):
            attempt.frames(late)
    assert attempt.decodes == 0


def test_a_clip_whose_end_was_rounded_up_has_the_last_picture(store, mute, clip):
    rounded = clip(mute, 0, 12.034, times=(0.0, 12.034))
    store.prepare(mute, [rounded])
    assert store.frames(rounded).timestamps[-1] < 12.0


def test_sound_behind_the_end_of_the_video_fails(store, loud, clip):
    late = clip(loud, 10, 30, times=(), audio=True)
    store.prepare(loud, [late])
    with pytest.raises(MediaError, match=r"the video ends at 12\.\d s, the clip needs audio up to 30\.0 s"):
        store.audio(late)


def test_sound_that_ends_before_the_pictures_goes_on_in_silence(tmp_path, store, clip):
    video = Video("v0001", "p01", write_video(tmp_path / "v.mp4", n=60, sound=beeps(3, at=[2])), 6.0)
    wanted = clip(video, 2, 6, audio=True)
    store.prepare(video, [wanted])
    samples = store.audio(wanted)
    assert np.abs(samples[:1600]).max() > 0.3
    assert not samples[2 * 16_000 :].any()


def test_a_clip_of_sound_alone_has_no_frames(store, loud, clip):
    wanted = clip(loud, 1, 4, times=(), audio=True)
    store.prepare(loud, [wanted])
    assert store.frames(wanted).pixels.shape[0] == 0
    assert len(store.audio(wanted)) == 3 * 16_000
    with pytest.raises(MediaError, match="no frames"):
        store.mp4(wanted)


def test_missing_sound_is_said(store, loud, mute, clip):
    store.prepare(mute, [clip(mute, audio=True)])
    store.prepare(loud, [clip(loud)])
    assert not store.has_audio(clip(mute, audio=True))
    assert [store.has_audio(clip(loud, audio=audio)) for audio in (True, False)] == [True, False]
    with pytest.warns(DeprecationWarning, match="has_audio"):
        assert store.has_sound(clip(loud, audio=True))
    with pytest.raises(MediaError, match="v0002: the video has no audio track"):
        store.audio(clip(mute, audio=True))
    with pytest.raises(MediaError, match="v0001: the audio was not prepared"):
        store.audio(clip(loud))
    store.prepare(mute, [clip(mute, audio=True)])
    assert store.decodes == 2


def no_file(path):
    return None


def missing(path):
    return path


def garbage(path):
    path.write_bytes(b"no video" * 1000)
    return path


@pytest.mark.parametrize(
    ("make", "reason"), [(no_file, "no file"), (missing, "No such file"), (garbage, "damaged, incomplete")]
)
def test_a_failing_video_fails_once_and_names_no_path(tmp_path, store, clip, make, reason):
    video = Video("v0007", "Miller", make(tmp_path / "Miller 2019-03-04.mp4"), 12.0)
    store.prepare(video, [clip(video)])
    opens = store.opens
    store.release(video.id)
    store.prepare(video, [clip(video)])
    assert store.opens == opens
    for ask in (store.frames, store.audio, store.mp4, store.key):
        with pytest.raises(MediaError, match=rf"v0007: .*{reason}") as caught:
            ask(clip(video))
        assert "Miller" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


def test_what_was_not_prepared_is_refused(store, loud, clip):
    with pytest.raises(MediaError, match="v0001: the clip was not prepared"):
        store.frames(clip(loud))
    store.prepare(loud, [clip(loud)])
    with pytest.raises(MediaError, match="v0001: the clip was not prepared"):
        store.frames(clip(loud, 6, 9))
    store.release(loud.id)
    with pytest.raises(MediaError, match="released"):
        store.frames(clip(loud))


def test_threads_that_want_the_same_video_decode_it_once(store, loud, mute, clip):
    def work(video):
        store.prepare(video, [clip(video, audio=True)])
        assert len(store.frames(clip(video)).pixels) == 8

    threads = [threading.Thread(target=work, args=(video,)) for video in (loud, mute) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.decodes, store.opens) == (2, 2)


@pytest.mark.parametrize("cache", ["writable", "unwritable"])
def test_memory_does_not_grow_with_the_number_of_videos(tmp_path, mute, clip, cache):
    folder = tmp_path / "cache"
    if cache == "unwritable":
        folder.write_text("a file where a directory is wanted")
    store = MediaStore(folder)
    held = []
    tracemalloc.start()
    for i in range(21):
        path = tmp_path / f"{i}.mp4"
        path.write_bytes(mute.path.read_bytes() + b"\0\0\0\x0cfree" + i.to_bytes(4, "big"))
        video = Video(f"v{i:04}", f"p{i}", path, 12.0)
        wanted = clip(video, 0, 12, fps=10, max_pixels=10**6)
        store.prepare(video, [wanted])
        assert len(store.frames(wanted).pixels) == 120
        store.release(video.id)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert store.decodes == 21
    one_video = 120 * 160 * 96 * 3
    assert held[-1] - held[4] < one_video / 10
