"""What the samplers promise: which parts of a video are shown, and which frames of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import DatasetError, SpecError
from s3harness.samplers import event_clip, onset_window, sliding_windows, uniform_frames, whole_video
from s3harness.types import FeatureLabel, Video

durations = st.floats(0.5, 900, allow_nan=False)
rates = st.one_of(
    st.fixed_dictionaries({"fps": st.floats(0.1, 60, allow_nan=False)}),
    st.fixed_dictionaries({"frames": st.integers(1, 200)}),
)


def video(duration_s=120.0, id="v0001", **labels):
    features = {name: label for name, label in labels.items() if isinstance(label, FeatureLabel)}
    rest = {name: value for name, value in labels.items() if name not in features}
    return Video(id, "p01", duration_s=duration_s, features=features, **rest)


def spans(clips):
    return [(clip.start_s, clip.end_s) for clip in clips]


@pytest.mark.parametrize(
    ("duration_s", "window_s", "stride_s", "expected"),
    [
        (12, 30, 25, [(0, 12)]),
        (30, 30, 25, [(0, 30)]),
        (31, 30, 25, [(0, 30), (25, 31)]),
        (55, 30, 25, [(0, 30), (25, 55)]),
        (56, 30, 25, [(0, 30), (25, 55), (50, 56)]),
        (60, 60, 55, [(0, 60)]),
        (115, 60, 55, [(0, 60), (55, 115)]),
        (115.5, 60, 55, [(0, 60), (55, 115), (110, 115.5)]),
        (40, 20, 20, [(0, 20), (20, 40)]),
    ],
)
def test_windows_overlap_and_the_last_is_shorter(duration_s, window_s, stride_s, expected):
    clips = sliding_windows(video(duration_s), "tonic", window_s=window_s, stride_s=stride_s)
    assert spans(clips) == expected
    assert [clip.index for clip in clips] == list(range(len(expected)))


@given(durations, st.floats(1, 90), st.floats(0.2, 1))
def test_windows_cover_the_video_and_none_lies_within_the_one_before(duration_s, window_s, share):
    clips = sliding_windows(video(duration_s), "tonic", window_s=window_s, stride_s=window_s * share)
    assert clips[0].start_s == 0
    assert clips[-1].end_s == pytest.approx(duration_s, abs=2e-3)
    for before, after in pairwise(clips):
        assert before.start_s < after.start_s <= before.end_s + 1e-6
        assert after.end_s > before.end_s


def test_overlapping_windows_share_frames():
    first, second = sliding_windows(video(50), "tonic", fps=3)
    shared = set(first.timestamps) & set(second.timestamps)
    assert len(shared) == 5 * 3


@given(durations, rates)
def test_frames_lie_in_the_clip_and_ascend(duration_s, rate):
    (clip,) = whole_video(video(duration_s), "tonic", **rate)
    assert clip.timestamps
    assert 0 <= clip.timestamps[0] <= clip.timestamps[-1] <= clip.end_s <= duration_s
    assert list(clip.timestamps) == sorted(clip.timestamps)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"fps": 1}, (0, 1, 2, 3)),
        ({"fps": 0.5}, (0, 2)),
        ({"frames": 4}, (0.5, 1.5, 2.5, 3.5)),
        ({"frames": 1}, (2,)),
        ({"fps": 10, "max_frames": 2}, (0, 2)),
        ({"frames": 60, "max_frames": 2}, (1, 3)),
        ({"fps": 1, "max_frames": 60}, (0, 1, 2, 3)),
    ],
)
def test_frame_times(options, expected):
    (clip,) = whole_video(video(4), "tonic", **options)
    assert clip.timestamps == expected


def test_defaults_are_those_of_the_benchmark():
    long = video(100, onset_s=50, head_turning=FeatureLabel("yes", 10, 20))
    assert len(sliding_windows(long, "tonic")[0].timestamps) == 60
    assert len(onset_window(long, "seizure_onset")[0].timestamps) == 60
    assert len(uniform_frames(long, "video")[0].timestamps) == 60
    assert sliding_windows(long, "tonic")[0].max_pixels == 602_112
    assert not sliding_windows(long, "tonic")[0].audio


def test_audio_and_pixels_are_passed_on():
    (clip,) = uniform_frames(video(10), "video", audio=True, max_pixels=1000)
    assert clip.audio
    assert clip.max_pixels == 1000


@pytest.mark.parametrize(
    ("subject", "labels", "options", "expected"),
    [
        ("head_turning", {"head_turning": FeatureLabel("yes", 10, 20)}, {}, [(9, 21)]),
        ("arm_movement", {"arm_movement": FeatureLabel("yes", 0.5, 119.5)}, {"margin_s": 3}, [(0, 120)]),
        ("head_turning", {"head_turning": FeatureLabel("yes", 10, 10)}, {"margin_s": 0}, []),
        ("head_turning", {"head_turning": FeatureLabel("yes", 10, None)}, {}, []),
        ("head_turning", {"head_turning": FeatureLabel("yes", 20, 10)}, {}, []),
        ("head_turning", {"head_turning": FeatureLabel("yes", 130, 140)}, {}, []),
        ("head_turning", {"head_turning": FeatureLabel("no")}, {}, []),
        ("head_turning", {}, {}, []),
        ("onset_body_part", {"onset_s": 40}, {}, [(38, 70)]),
        ("onset_body_part", {"onset_s": 1}, {"window_s": 10, "lead_s": 5}, [(0, 11)]),
        ("onset_body_part", {"onset_s": 110}, {}, [(108, 120)]),
        ("onset_body_part", {}, {}, []),
    ],
)
def test_event_clip_shows_the_annotated_interval(subject, labels, options, expected):
    assert spans(event_clip(video(120, **labels), subject, **options)) == expected


@pytest.mark.parametrize(
    ("onset_s", "duration_s", "expected"),
    [(60, 120, (30, 90)), (10, 120, (0, 60)), (115, 120, (60, 120)), (20, 45, (0, 45)), (120, 120, (60, 120))],
)
def test_centred_window_has_the_event_in_the_middle_as_far_as_the_video_permits(onset_s, duration_s, expected):
    clips = onset_window(video(duration_s, onset_s=onset_s), "seizure_onset", placement="centred")
    assert spans(clips) == [expected]


@pytest.mark.parametrize("subject", ["seizure_onset", "seizure_offset", "tonic"])
def test_each_boundary_has_its_window_and_a_missing_one_has_none(subject):
    annotated = video(300, onset_s=100, offset_s=200, tonic=FeatureLabel("yes", 150, 160))
    when = {"seizure_onset": 100, "seizure_offset": 200, "tonic": 150}[subject]
    (clip,) = onset_window(annotated, subject)
    assert clip.start_s + 5 <= when <= clip.end_s - 5
    assert onset_window(video(300), subject) == []


@given(st.floats(0, 600), durations, st.integers(0, 5), st.sampled_from(["jittered", "centred"]))
def test_event_window_holds_the_event_and_lies_in_the_video(onset_s, duration_s, seed, placement):
    clips = onset_window(video(duration_s, onset_s=onset_s), "seizure_onset", placement=placement, seed=seed)
    assert len(clips) == (onset_s <= duration_s)
    for clip in clips:
        assert 0 <= clip.start_s <= clip.end_s <= duration_s
        assert clip.start_s - 1e-6 <= onset_s <= clip.end_s + 1e-6
        assert clip.end_s - clip.start_s == pytest.approx(min(60, duration_s), abs=1e-5)


def test_jitter_spreads_the_event_over_the_window():
    places = [
        200.5 - onset_window(video(400, id=f"v{i:04}", onset_s=200.5), "seizure_onset")[0].start_s for i in range(400)
    ]
    assert min(places) < 8
    assert max(places) > 52
    assert 27 < sum(places) / len(places) < 33
    assert all(5 <= place <= 55 for place in places)


def test_jitter_depends_on_seed_video_and_subject_alone_and_is_the_same_everywhere():
    both = video(400, onset_s=200, offset_s=200)
    starts = {
        (seed, id, subject): onset_window(video(400, id, onset_s=200, offset_s=200), subject, seed=seed)[0].start_s
        for seed in (0, 1)
        for id in ("v0001", "v0002")
        for subject in ("seizure_onset", "seizure_offset")
    }
    assert len(set(starts.values())) > 5
    assert onset_window(both, "seizure_onset")[0].start_s == starts[0, "v0001", "seizure_onset"] == 148.0


@pytest.mark.parametrize(
    ("sampler", "params", "named"),
    [
        (sliding_windows, {"window_s": 0}, "window_s"),
        (sliding_windows, {"window_s": "30"}, "window_s"),
        (sliding_windows, {"stride_s": -1}, "stride_s"),
        (sliding_windows, {"window_s": 10, "stride_s": 20}, "stride_s"),
        (sliding_windows, {"fps": 2, "frames": 60}, "fps"),
        (sliding_windows, {"fps": 0}, "fps"),
        (sliding_windows, {"fps": float("nan")}, "fps"),
        (sliding_windows, {"fps": True}, "fps"),
        (sliding_windows, {"speed": 2}, "speed"),
        (uniform_frames, {"frames": 0}, "frames"),
        (uniform_frames, {"frames": 1.5}, "frames"),
        (uniform_frames, {"max_frames": 0}, "max_frames"),
        (whole_video, {"max_pixels": 3}, "max_pixels"),
        (whole_video, {"audio": "yes"}, "audio"),
        (event_clip, {"margin_s": -1}, "margin_s"),
        (event_clip, {"lead_s": None}, "lead_s"),
        (onset_window, {"placement": "left"}, "placement"),
        (onset_window, {"window_s": 8, "margin_s": 5}, "margin_s"),
        (onset_window, {"window_s": float("inf")}, "window_s"),
    ],
)
def test_a_wrong_parameter_is_named(sampler, params, named):
    with pytest.raises(SpecError, match=named):
        sampler(video(onset_s=10), "seizure_onset", **params)


@pytest.mark.parametrize("duration_s", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_video_without_a_length_is_an_error_of_the_data_set(duration_s):
    with pytest.raises(DatasetError, match=r"v0001.*duration_s"):
        sliding_windows(video(duration_s), "tonic")
