"""What the script says can be measured in the pixels."""

import numpy as np
import pytest
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event
from s3harness_synth.head import place_head
from s3harness_synth.motion import act_out, frame_times
from s3harness_synth.primitives import pulses
from synth_stage import alone, brightness, plain_setting, stage

FPS = 25


def dominant_frequency(signal):
    spectrum = np.abs(np.fft.rfft(signal - signal.mean(), n=16 * len(signal)))
    return np.fft.rfftfreq(16 * len(signal), 1 / FPS)[spectrum.argmax()]


def main_movement(frames):
    """The first principal component of the pixels over time."""
    pixels = frames.reshape(len(frames), -1)
    pixels = pixels - pixels.mean(axis=0)
    _, vectors = np.linalg.eigh(pixels @ pixels.T)
    return vectors[:, -1]


@pytest.mark.parametrize(
    ("feature", "frequency"),
    [
        ("full_body_shaking", 4.2),
        ("arms_move_simultaneously", 1.1),
        ("pelvic_thrusting", 1.3),
        ("clonic", 2.5),
        ("face_twitching", 2.2),
        ("steady_shaking", 3.9),
        ("limb_automatisms", 1.2),
        ("head_shaking", 0.9),
    ],
)
def test_the_scripted_frequency_is_found_in_the_pixels(feature, frequency):
    event = Event(feature=feature, envelope=Envelope(0.5, 7.5), side="both", frequency=frequency)
    anchor = Event(feature="close_eyes", envelope=Envelope(0.5, 7.5))
    frames = brightness(stage(alone(event, anchor), (96, 54)))[2 * FPS : 7 * FPS]
    assert dominant_frequency(main_movement(frames)) == pytest.approx(frequency, rel=0.1)


@pytest.mark.parametrize(
    ("feature", "frequency", "rows"), [("oral_automatisms", 1.4, (0.1, 1)), ("eye_blinking", 2.8, (-0.6, 0.1))]
)
def test_the_scripted_frequency_is_found_in_the_pixels_of_the_face(feature, frequency, rows):
    """``rows`` of the face, from its middle, in half heights."""
    still = Event(feature="blank_stare", envelope=Envelope(0.1, 7.9), style="forced")
    scene = stage(alone(Event(feature=feature, envelope=Envelope(0.5, 7.5), frequency=frequency), still), (320, 180))
    x, y, scale = scene.joints["head"][2 * FPS]
    top, bottom = (int(y + share * 0.12 * scale) for share in rows)
    face = brightness(scene)[2 * FPS : 7 * FPS, top:bottom, int(x - 0.09 * scale) : int(x + 0.09 * scale)]
    assert dominant_frequency(main_movement(face)) == pytest.approx(frequency, rel=0.1)


def face_offset(frames, scene, index):
    """How far the pale face lies to the right of the middle of the head, in head widths."""
    x, y, scale = scene.joints["head"][index]
    radius = 0.17 * scale
    top, left = int(y - 0.6 * radius), int(x - 1.2 * radius)
    part = frames[index, top : int(y + 0.5 * radius), left : int(x + 1.2 * radius) + 1]
    hair = part < 70
    return (x - left - np.nonzero(hair)[1].mean()) / radius


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_a_head_turned_to_the_patients_left_faces_image_right(side, sign):
    scene = stage(
        alone(Event(feature="head_turning", envelope=Envelope(2, 5.5, 1, 1), side=side), duration_s=6.0), (320, 180)
    )
    frames = brightness(scene)
    assert abs(face_offset(frames, scene, FPS)) < 0.15
    assert sign * face_offset(frames, scene, 4 * FPS) > 0.15
    pose = {name: float(track[4 * FPS]) for name, track in scene.tracks.items()}
    head = place_head(pose, (100.0, 50.0), 200.0, 0.0)
    assert sign * (head.at(0, -15, 1.27)[0] - 100.0) > 20


@pytest.mark.parametrize(("side", "half"), [("left", "right half"), ("right", "left half")])
@pytest.mark.parametrize("feature", ["arm_straightening", "arm_flexion"])
def test_the_patients_left_arm_moves_on_the_right_of_the_image(feature, side, half):
    scene = stage(alone(Event(feature=feature, envelope=Envelope(2, 7), side=side, frequency=1.0)))
    frames = brightness(scene)
    moved = np.abs(frames[5 * FPS] - frames[FPS])[40:]
    middle = round(scene.joints["chest"][0][0])
    left, right = moved[:, :middle].sum(), moved[:, middle:].sum()
    assert (right > 2 * left) if half == "right half" else (left > 2 * right)


CHANNEL_OF = [
    ("head_turning", "left", "head_yaw", 20),
    ("close_eyes", None, "left_lid", 0.5),
    ("face_pulling", "right", "right_mouth", 0.5),
    ("arm_straightening", "left", "left_abduction", 15),
    ("arm_flexion", "right", "right_elbow", 40),
    ("figure4", "left", "left_abduction", 30),
    ("tonic", "both", "left_foot", 15),
    ("pelvic_thrusting", None, "pelvis_lift", 0.05),
    ("oral_automatisms", None, "purse", 0.2),
    ("ictal_vocalization", None, "jaw", 0.2),
]


@pytest.mark.parametrize(("feature", "side", "channel", "least"), CHANNEL_OF)
def test_a_sign_moves_its_channel_in_its_interval_and_not_outside(feature, side, channel, least):
    event = Event(feature=feature, envelope=Envelope(3, 9, 0.4, 0.4), side=side, frequency=1.2, style="moan")
    anchor = Event(feature="face_twitching", envelope=Envelope(0.5, 11.5), side="left", frequency=0.1, intensity=0)
    acted, still = (
        act_out(alone(*events, duration_s=12.0), plain_setting(), 4, FPS)[channel]
        for events in ((event, anchor), (anchor,))
    )
    change, times = np.abs(acted - still), frame_times(12.0, FPS)
    onset, offset = event.interval
    assert change[(times > onset + 1) & (times < offset - 1)].max() > least
    assert change[(times < 3) | (times > 9)].max() == 0


def test_nothing_moves_while_the_patient_stares():
    frames = brightness(
        stage(alone(Event(feature="blank_stare", envelope=Envelope(4, 10), style="forced"), duration_s=11.0), (96, 54))
    )
    change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))
    assert change[5 * FPS : 9 * FPS].mean() < 0.25 * change[: 3 * FPS].mean()


def test_lids_are_down_in_ictal_blinks_and_up_between():
    event = Event(feature="eye_blinking", envelope=Envelope(1, 7), frequency=2.5)
    lid = act_out(alone(event), plain_setting(), 4, 100)["left_lid"]
    times = frame_times(8.0, 100)
    blinking = pulses(times, event.moments, 0.2) > 0.9
    assert lid[blinking & (times > 2) & (times < 6)].min() > 0.8
    assert np.median(lid[(times > 2) & (times < 6)]) < 0.3


def test_functional_shaking_keeps_its_rate_and_clonic_jerks_slow_down():
    clonic = Event(feature="clonic", envelope=Envelope(1, 29), side="both", frequency=3.5, final_frequency=1.0)
    gaps = np.diff(clonic.moments)
    assert gaps[-1] > 2.5 * gaps[0]
    shaking = Event(feature="full_body_shaking", envelope=Envelope(0.5, 9.9), frequency=4.0)
    frames = brightness(stage(alone(shaking, duration_s=10.0, diagnosis="NES"), (96, 54)))
    early, late = (dominant_frequency(main_movement(frames[a * FPS : (a + 4) * FPS])) for a in (1, 6))
    assert early == pytest.approx(late, rel=0.05)
