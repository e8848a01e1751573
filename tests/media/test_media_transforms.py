"""What a clip is shown through: each transform does what it says, and where one fails nothing is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_videos import beeps, make_clip, write_video

from s3harness.errors import MediaError, PluginError, UsageError
from s3harness.media import Frames, MediaStore
from s3harness.transforms import builtin
from s3harness.transforms import contract as of_transforms
from s3harness.transforms.contract import Transform, Transforms, load_transforms
from s3harness.transforms.transformed_store import TransformingStore
from s3harness.types import Clip, FeatureLabel, Video

SIZES = st.tuples(st.integers(2, 12), st.integers(2, 9), st.integers(2, 9), st.integers(0, 999))


def frames_of(n, height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (n, height, width, 3), np.uint8)
    return Frames(pixels, tuple(float(i) for i in range(n)))


@given(SIZES)
def test_mirror_and_reverse_undo_themselves_and_change_what_they_say(size):
    frames = frames_of(*size)
    for step, axis in ((builtin.mirror, 2), (builtin.reverse, 0)):
        shown = step(frames)
        np.testing.assert_array_equal(shown.pixels, np.flip(frames.pixels, axis))
        np.testing.assert_array_equal(step(shown).pixels, frames.pixels)
        assert shown.timestamps == frames.timestamps


@given(SIZES)
def test_shuffle_shows_every_picture_once_in_another_order_the_same_each_time(size):
    frames = frames_of(*size)
    shown = builtin.shuffle(frames)
    assert sorted(p.tobytes() for p in shown.pixels) == sorted(p.tobytes() for p in frames.pixels)
    assert shown.pixels.tobytes() != frames.pixels.tobytes()
    np.testing.assert_array_equal(builtin.shuffle(frames).pixels, shown.pixels)


@given(SIZES)
def test_freeze_shows_one_picture_of_the_clip_and_blank_none(size):
    frames = frames_of(*size)
    frozen = builtin.freeze(frames).pixels
    assert {p.tobytes() for p in frozen} == {frames.pixels[len(frozen) // 2].tobytes()}
    assert set(builtin.blank(frames).pixels.ravel()) == {builtin.GREY}


def test_the_truth_of_a_clip_run_backwards_is_that_of_the_mirrored_time_line():
    clip = Clip("v", 10.0, 40.0, (), 100)
    video = Video("v", "p", onset_s=15.0, offset_s=30.0, features={"tonic": FeatureLabel("yes", 12.0, 18.0, "left")})
    shown = builtin.reverse.truth(video, clip)
    assert shown.features["tonic"] == FeatureLabel("yes", 32.0, 38.0, "left")
    assert (shown.onset_s, shown.offset_s) == (20.0, 35.0)
    assert builtin.reverse.truth(replace(shown, report=video.report), clip) == video


def test_a_silent_clip_has_no_sign_that_is_heard_and_all_that_are_seen():
    heard = {
        "ictal_vocalization": FeatureLabel("yes", 1.0, 2.0),
        "verbal_responsiveness": FeatureLabel("yes", 1.0, 2.0),
    }
    video = Video("v", "p", features={"tonic": FeatureLabel("yes", 1.0, 2.0), **heard}, report="A cry.")
    shown = builtin.silence.truth(video, Clip("v", 0.0, 9.0, (), 100))
    assert {name: label.present for name, label in shown.features.items()} == {
        "tonic": "yes",
        "ictal_vocalization": "no",
        "verbal_responsiveness": "untested",
    }


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A video of another patient, with another sound."""
    path = tmp_path_factory.mktemp("other") / "other.mp4"
    write_video(path, n=120, sound=beeps(12, at=[1, 3]))
    return Video("v0009", "p09", path, 12.0)


def shown_through(tmp_path, *steps):
    return TransformingStore(tmp_path / "cache", transforms=Transforms(tuple((type(s).__name__, s) for s in steps)))


def test_every_form_of_a_clip_is_the_changed_one(tmp_path, loud):
    plain, shown = MediaStore(tmp_path / "cache"), shown_through(tmp_path, builtin.mirror, builtin.silence)
    clip = make_clip(loud, audio=True)
    for store in (plain, shown):
        store.prepare(loud, [clip])
    np.testing.assert_array_equal(shown.frames(clip).pixels, plain.frames(clip).pixels[:, :, ::-1])
    assert shown.frames(clip).timestamps == plain.frames(clip).timestamps
    assert plain.audio(clip).any()
    assert not shown.audio(clip).any()
    assert len(shown.audio(clip)) == len(plain.audio(clip))
    assert shown.jpegs(clip).images[0] != plain.jpegs(clip).images[0]
    assert shown.mp4(clip) != plain.mp4(clip)


def test_media_shown_in_different_ways_have_different_keys_and_one_decoding(tmp_path, loud):
    clip = make_clip(loud, audio=True)
    ways = [(), (builtin.mirror,), (builtin.blank,), (builtin.mirror, builtin.blank), (Mirror(),)]
    keys, decodes = set(), 0
    for steps in ways:
        store = shown_through(tmp_path, *steps) if steps else MediaStore(tmp_path / "cache")
        store.prepare(loud, [clip])
        keys.add(store.key(clip))
        decodes += store.decodes
    assert len(keys) == len(ways)
    assert decodes == 1


class Mirror(builtin.Mirror):
    version = "2"


def test_who_changes_the_pictures_changes_only_their_own(tmp_path, loud):
    store, clip = shown_through(tmp_path, builtin.mirror), make_clip(loud)
    store.prepare(loud, [clip])
    first = store.frames(clip).pixels
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(store.frames(clip).pixels, kept)


class Broken(Transform):
    def __call__(self, frames):
        raise ValueError("no face model")


class Cropped(Transform):
    def __call__(self, frames):
        return Frames(frames.pixels[1:], frames.timestamps[1:])


class Floats(Transform):
    def __call__(self, frames):
        return Frames(frames.pixels / 255, frames.timestamps)


class Shorter(Transform):
    def audio(self, samples, rate):
        return samples[:-1]


@pytest.mark.parametrize(
    ("step", "said"), [(Broken(), "no face model"), (Cropped(), "number or the times"), (Floats(), "uint8")]
)
def test_a_transform_that_fails_lets_nothing_through(tmp_path, loud, step, said):
    store, clip = shown_through(tmp_path, step), make_clip(loud, audio=True)
    store.prepare(loud, [clip])
    for form in (store.frames, store.jpegs, store.mp4):
        with pytest.raises(MediaError, match=f"{type(step).__name__}.*{said}"):
            form(clip)


def test_sound_of_another_length_is_not_let_through(tmp_path, loud):
    store, clip = shown_through(tmp_path, Shorter()), make_clip(loud, audio=True)
    store.prepare(loud, [clip])
    with pytest.raises(MediaError, match="length of the audio"):
        store.audio(clip)


def test_a_clip_can_have_the_sound_of_another_video_and_its_own_pictures(tmp_path, loud, other):
    audio_donors = {loud.id: other}
    swap = Transforms((("swap", builtin.swap_sound),))
    plain = MediaStore(tmp_path / "cache")
    shown = TransformingStore(tmp_path / "cache", transforms=swap, audio_donors=audio_donors)
    clip, lent = make_clip(loud, audio=True), make_clip(other, audio=True)
    for store, videos in ((plain, (loud, other)), (shown, (loud,))):
        for video in videos:
            store.prepare(video, [make_clip(video, audio=True)])
    np.testing.assert_array_equal(shown.frames(clip).pixels, plain.frames(clip).pixels)
    np.testing.assert_allclose(shown.audio(clip), plain.audio(lent), atol=1e-6)
    assert np.abs(shown.audio(clip) - plain.audio(clip)).max() > 0.01
    shown.release(loud.id)
    with pytest.raises(MediaError):
        shown.audio(clip)


def test_names_are_looked_up_and_none_is_taken_twice():
    assert load_transforms(["mirror", "blank"]).names == ("mirror", "blank")
    with pytest.raises(UsageError, match="did you mean mirror"):
        load_transforms(["miror"])
    with pytest.raises(UsageError, match="twice"):
        load_transforms(["mirror", "mirror"])


def test_a_function_of_frames_is_a_transform_and_a_class_is_none():
    made = of_transforms._transform("mirror", lambda frames: frames._replace(pixels=frames.pixels[:, ::-1]))
    frames = frames_of(3, 4, 5, 0)
    np.testing.assert_array_equal(made(frames).pixels, frames.pixels[:, ::-1])
    with pytest.raises(PluginError, match=r"s3harness\.Transform"):
        of_transforms._transform("mirror", builtin.Mirror)


def test_a_transform_that_mutes_under_an_old_name_still_mutes(tmp_path, loud):
    with pytest.warns(DeprecationWarning, match="is now called audio"):

        class Quiet(Transform):
            def sound(self, samples, rate):
                return np.zeros_like(samples)

    with pytest.warns(DeprecationWarning, match="is now called borrows_audio"):

        class Borrowing(Transform):
            borrows_sound = True

    store, clip = shown_through(tmp_path, Quiet()), make_clip(loud, audio=True)
    store.prepare(loud, [clip])
    assert not store.audio(clip).any()
    assert Transforms((("borrowing", Borrowing()),)).borrows_audio
