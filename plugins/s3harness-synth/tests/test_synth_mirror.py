"""A mirrored video is the mirror image, picture by picture, and all that its truth says is of the other side."""

from dataclasses import replace

import numpy as np
import pytest
from s3harness_synth.anatomy import rest_tracks
from s3harness_synth.dataset import plan_takes, synthesize
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event
from s3harness_synth.mirror import flip_frame, mirror_script, mirror_setting
from s3harness_synth.motion import act_out, frame_times
from s3harness_synth.prior import load_prior
from s3harness_synth.production import Format, Wishes, pictures
from s3harness_synth.signs import compose
from s3harness_synth.skeleton import body_points, make_camera
from s3harness_synth.truth import feature_labels, onset_body_part
from s3harness_synth.vocabulary import SIDED
from synth_stage import TINY, alone, plain_patient, plain_setting, read_table

SMALL = Format((160, 90), 5, False)
OTHER = {"left": "right", "right": "left", "both": "both", None: None}


def pairs(videos, seed, seconds=None):
    """Takes and what they are when all is mirrored."""
    wishes = Wishes(load_prior("s3"), seconds)
    return zip(plan_takes(videos, seed, wishes), plan_takes(videos, seed, replace(wishes, mirrored=True)), strict=True)


def swapped(text):
    return text.replace("left", "\0").replace("right", "left").replace("\0", "right")


def test_frames_of_the_mirrored_take_are_the_flipped_frames():
    for take, mirrored in pairs(3, 6, 4.0):
        for own, other in zip(pictures(take, SMALL), pictures(mirrored, SMALL), strict=True):
            np.testing.assert_array_equal(flip_frame(own), other)


def test_a_flipped_frame_has_every_pixel_on_the_other_side():
    frame = next(pictures(plan_takes(1, 3)[0], SMALL))
    width, height = SMALL.resolution
    flipped = flip_frame(frame)
    np.testing.assert_array_equal(flipped[:height], np.fliplr(frame[:height]))
    colours, flipped_colours = (f[height:].reshape(2, height // 2, width // 2) for f in (frame, flipped))
    np.testing.assert_array_equal(flipped_colours, colours[:, :, ::-1])
    assert (flipped != frame).any()


def test_every_side_in_the_truth_is_swapped_and_nothing_else_changes():
    with_sides = 0
    for take, mirrored in pairs(120, 7):
        own, other = feature_labels(take.script), feature_labels(mirrored.script)
        assert list(own) == list(other)
        for feature, label in own.items():
            assert other[feature] == replace(label, side=OTHER[label.side], justification=swapped(label.justification))
            with_sides += label.side in ("left", "right")
        assert onset_body_part(mirrored.script) == swapped(onset_body_part(take.script))
        assert mirrored.report == swapped(take.report)
        assert (mirrored.script.diagnosis, mirrored.split) == (take.script.diagnosis, take.split)
    assert with_sides > 100


def test_tables_of_a_mirrored_data_set_differ_in_sides_alone(tmp_path):
    small = TINY | {"videos": 2, "duration_s": 2.0}
    synthesize(tmp_path / "plain", **small)
    synthesize(tmp_path / "mirrored", **small, mirrored=True)
    for name in ("videos.csv", "features.csv", "reports.csv"):
        plain, mirrored = ((tmp_path / folder / name).read_text() for folder in ("plain", "mirrored"))
        assert mirrored == swapped(plain)
    rows = read_table(tmp_path / "mirrored" / "videos.csv")
    assert all((tmp_path / "mirrored" / row["file"]).exists() for row in rows)


def mirrored_tracks(tracks):
    """The movement of the mirrored body: limbs exchanged, what points to a side turned round."""
    names = {"left": "right", "right": "left"}
    turned = ("head_yaw", "head_roll", "gaze_x", "trunk_lean", "trunk_shift")
    found = {}
    for name, track in tracks.items():
        side, _, part = name.partition("_")
        found[f"{names[side]}_{part}" if side in names else name] = -track if name in turned else track
    return found


def acted(event):
    """The movement of a body that does nothing else."""
    times = frame_times(6.0, 25)
    tracks = rest_tracks(plain_setting(), len(times))
    for primitive in compose(event, alone(event, duration_s=6.0)):
        primitive.apply(tracks, times)
    return tracks


@pytest.mark.parametrize("feature", sorted(SIDED))
def test_a_sign_on_the_left_is_acted_as_the_mirror_image_of_one_on_the_right(feature):
    """Independent of how mirrored videos are drawn: the movement itself knows left from right."""
    left, right = (
        acted(Event(feature=feature, envelope=Envelope(1.5, 4.5), side=side, frequency=2.0, seed=3))
        for side in ("left", "right")
    )
    for name, track in mirrored_tracks(left).items():
        tremor = 2.0 if name in ("head_roll", "head_yaw") else 1e-9
        np.testing.assert_allclose(right[name], track, atol=tremor, err_msg=name)
    assert max(np.abs(left[name] - right[name]).max() for name in left) > 0.5


def test_the_camera_shows_the_mirrored_body_on_the_other_side_of_the_picture():
    script = alone(
        Event(feature="figure4", envelope=Envelope(1, 5), side="left"),
        Event(feature="head_turning", envelope=Envelope(1, 5), side="right"),
    )
    setting = replace(plain_setting(), camera_yaw_deg=7.0, shift_x=0.05)
    tracks = act_out(script, setting, 4, 5)
    look = plain_patient().appearance
    own = body_points(tracks, look, setting)
    other = body_points(mirrored_tracks(tracks), look, mirror_setting(setting))
    names = {"left": "right", "right": "left"}
    for name, points in own.items():
        side, _, part = name.partition("_")
        there = other[f"{names[side]}_{part}" if side in names else name]
        here, there = (
            make_camera(setting, (640, 360)).project(points),
            make_camera(mirror_setting(setting), (640, 360)).project(there),
        )
        np.testing.assert_allclose(640 - here[:, 0], there[:, 0], atol=1e-9)
        np.testing.assert_allclose(here[:, 1:], there[:, 1:], atol=1e-9)


def test_mirroring_twice_changes_nothing():
    for take in plan_takes(40, 2):
        assert mirror_script(mirror_script(take.script)) == take.script
        assert mirror_setting(mirror_setting(take.setting)) == take.setting
