"""Each form of a clip is made once, whoever asks, and forgotten when the clip is done with."""

import io
import threading

import numpy as np
import pytest
from media_videos import make_clip, number
from PIL import Image

from s3harness.errors import MediaError
from s3harness.media.loaded_video import EncodedForms

ASKERS = 8


def asked_at_once(ask):
    """What each of several threads gets that ask at the same time."""
    start, got = threading.Barrier(ASKERS), []

    def work():
        start.wait()
        got.append(ask())

    threads = [threading.Thread(target=work) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_jpegs_show_the_frames_at_their_times(store, loud, clip):
    wanted = clip(loud, 3, 6, times=(3.02, 4.0, 4.01, 5.26))
    store.prepare(loud, [wanted])
    images, timestamps = store.jpegs(wanted)
    frames = store.frames(wanted)
    assert timestamps == frames.timestamps
    for data, pixels in zip(images, frames.pixels, strict=True):
        picture = Image.open(io.BytesIO(data))
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert number(np.asarray(picture)) == number(pixels)
        assert not picture.getexif()
    assert images[1] is images[2], "a picture that repeats is encoded once"
    assert len(store.jpegs(wanted, quality=40).images[0]) < len(images[0])


@pytest.mark.parametrize("form", ["jpegs", "mp4"])
def test_a_form_is_made_once_for_all_who_ask_at_once(store, loud, clip, form):
    wanted = clip(loud, 2, 8, audio=True)
    store.prepare(loud, [wanted])
    got = asked_at_once(lambda: getattr(store, form)(wanted))
    assert len(got) == ASKERS
    assert len({id(made) for made in got}) == 1, "all have the very same"


def test_sound_is_the_callers_own(store, loud, clip):
    wanted = clip(loud, 6, 9, audio=True)
    store.prepare(loud, [wanted])
    store.audio(wanted)[:] = 0
    assert store.audio(wanted).any()


@pytest.mark.parametrize("forget", ["finish", "release"])
def test_what_is_made_goes_with_its_clip(store, loud, clip, forget):
    wanted, other = clip(loud, 0, 4), clip(loud, 4, 8)
    store.prepare(loud, [wanted, other])
    before, kept = store.jpegs(wanted), store.jpegs(other)
    if forget == "finish":
        store.finish(wanted)
        assert store.jpegs(other) is kept
    else:
        store.release(loud.id)
        with pytest.raises(MediaError, match="released"):
            store.jpegs(wanted)
        store.prepare(loud, [wanted, other])
    assert store.jpegs(wanted) == before
    assert store.jpegs(wanted) is not before


def test_a_failure_is_not_kept():
    forms, attempts = EncodedForms(), []

    def make():
        attempts.append(1)
        if len(attempts) < 3:
            raise MediaError("not yet")
        return "made"

    for _ in range(2):
        with pytest.raises(MediaError):
            forms.get("clip", "form", make)
    assert [forms.get("clip", "form", make) for _ in range(3)] == ["made"] * 3
    assert len(attempts) == 3


def test_forms_of_different_clips_do_not_wait_for_each_other():
    forms, inside = EncodedForms(), threading.Barrier(2, timeout=10)
    threads = [threading.Thread(target=forms.get, args=(clip, "form", inside.wait)) for clip in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken


def test_what_shows_nothing_is_text_only(loud):
    assert make_clip(loud, times=()).is_text_only
    assert not make_clip(loud, times=(), audio=True).is_text_only
    assert not make_clip(loud).is_text_only
