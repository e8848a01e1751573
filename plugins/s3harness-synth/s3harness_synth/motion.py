"""From the script to movement: one track per channel, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from s3harness_synth.anatomy import clip_to_range, rest_tracks
from s3harness_synth.envelope import Array, Envelope
from s3harness_synth.event import Event, Examination, Script
from s3harness_synth.primitives import Drift, Hold, Jerk, Oscillation, Primitive, Sway, Tracks
from s3harness_synth.setting import VideoSetting
from s3harness_synth.signs import compose
from s3harness_synth.vocabulary import SIDES, direction

# About 16 breaths a minute, as an adult at rest.
BREATHS_HZ = 0.26
BLINKS_PER_MINUTE = 11.0
POSTICTAL_LID = 0.62

_FLACCID = {"elbow": 30.0, "raise": 2.0, "abduction": 20.0, "rotation": 40.0, "grip": 0.3, "foot": 30.0}
_LAYERS = {
    # A posture of the same arm covers the bent arm of the jerks, which are then added to the posture.
    "clonic": -1,
    "figure4": 1,
    # Lids and jaw of these signs cover what tonic, staring and pulling faces do to them.
    "close_eyes": 1,
    "eye_blinking": 1,
    "oral_automatisms": 1,
    "ictal_vocalization": 1,
}
"""Layer of a sign, 0 for all others: a hold covers the holds of lower layers, and of its own that began before it."""


def frame_times(duration_s: float, fps: int) -> Array:
    """Return the times of the frames in seconds from the start of the video, shape (frames,)."""
    return np.arange(max(1, round(duration_s * fps))) / fps


def act_out(script: Script, setting: VideoSetting, seed: int, fps: int) -> Tracks:
    """Return the track of every channel, shape (frames,): life at rest, the signs, and what follows them."""
    times = frame_times(script.duration_s, fps)
    tracks = rest_tracks(setting, len(times))
    for primitive in _primitives(script, seed):
        primitive.apply(tracks, times)
    # Once, at the end: a movement may pass the range and another bring it back.
    clip_to_range(tracks)
    return tracks


def _primitives(script: Script, seed: int) -> Iterator[Primitive]:
    """All movements in the order in which they are laid over each other: life, postictal state, holds, the rest."""
    yield from _idle(script, seed)
    yield from _sleep(script)
    yield from _postictal(script, seed)
    ordered = sorted(script.events, key=lambda e: (_LAYERS.get(e.feature, 0), e.envelope.start_s))
    movements = [primitive for event in ordered for primitive in compose(event, script)]
    # Holds first: they pull a track to a target, which would swallow jerks and oscillations added before.
    yield from (m for m in movements if isinstance(m, Hold))
    # After the holds of the signs: who answers opens the mouth, whatever held it.
    yield from _answering(script)
    yield from (m for m in movements if not isinstance(m, Hold))


def _idle(script: Script, seed: int) -> Iterator[Primitive]:
    """Breathing, blinking and small movements, which stop where the patient stares."""
    rng = np.random.default_rng([seed, 1])
    alive = _outside(script, script.find("blank_stare"))
    yield Oscillation(
        # The tonic contraction of the chest stops the breath.
        channel="breath",
        amplitude=1.0,
        frequency=BREATHS_HZ,
        envelope=_outside(script, script.find("tonic"))[0],
    )
    for span in alive:
        for channel, spread in (("head_yaw", 3.0), ("head_roll", 1.5), ("head_pitch", 1.5), ("gaze_x", 0.25)):
            calm = 0.1 if script.from_sleep and span.start_s <= 0 else 1.0
            yield Sway(channel, calm * spread, 2.5, span, int(rng.integers(2**31)))
    for side in SIDES:
        for joint, spread in (("elbow", 2.0), ("rotation", 2.0), ("abduction", 1.0), ("knee", 1.0)):
            yield Sway(f"{side}_{joint}", spread, 3.0, alive[0], int(rng.integers(2**31)))
    blinks = tuple(_blinks(script, rng))
    for side in SIDES:
        yield Jerk(f"{side}_lid", 0.95, blinks, Envelope(-1, script.duration_s + 1), 0.24)


def _outside(script: Script, event: Event | None) -> tuple[Envelope, ...]:
    """Envelopes of all the time that ``event`` does not take."""
    if event is None:
        # Beyond both ends of the video, so that the ramps are not seen.
        return (Envelope(-2.0, script.duration_s + 2.0),)
    onset, offset = event.interval
    return Envelope(-2.0, onset), Envelope(offset, script.duration_s + 2.0)


def _blinks(script: Script, rng: np.random.Generator) -> Iterator[float]:
    moment = rng.exponential(60 / BLINKS_PER_MINUTE)
    while moment < script.duration_s:
        if not any(_covers(script.find(f), moment) for f in ("blank_stare", "eye_blinking", "close_eyes")):
            yield moment
        # A pause between blinks: two that touch would be one long closure.
        moment += 0.8 + rng.exponential(60 / BLINKS_PER_MINUTE)


def _covers(event: Event | None, moment: float) -> bool:
    # Also just before: such a blink could last into the sign.
    return event is not None and event.interval[0] - 0.4 <= moment <= event.interval[1]


def _sleep(script: Script) -> Iterator[Primitive]:
    if not script.from_sleep:
        return
    onset = script.interval[0]
    # From before the video, so that no frame shows the eyes fall shut.
    asleep = Envelope(-5.0, onset + 0.5, 0.1, 0.7)
    for side in SIDES:
        yield Hold(f"{side}_lid", 1.0, asleep)
    yield Hold("head_roll", 14.0, asleep)
    yield Hold("head_pitch", -6.0, asleep)


def _postictal(script: Script, seed: int) -> Iterator[Primitive]:
    """After an epileptic seizure limp with eyes half closed; after a functional one soon looking around."""
    over = script.interval[1]
    if script.diagnosis == "NES":
        yield Sway("head_yaw", 16.0, 1.2, Envelope(over, script.duration_s + 5, 1.0), seed + 5)
        return
    for side in SIDES:
        yield Drift(f"{side}_lid", POSTICTAL_LID, over - 0.5, over + 1.5)
        for joint, angle in _FLACCID.items():
            yield Drift(f"{side}_{joint}", angle, over - 0.5, over + 1.5)
    turning = script.find("head_turning")
    roll = 12.0 if turning is None else -12.0 * direction(turning.side)
    yield Drift("head_roll", roll, over, over + 2.0)
    yield Drift("jaw", 0.16, over, over + 1.5)


def _answering(script: Script) -> Iterator[Primitive]:
    examination = script.examination
    for start in examination.replied_s if examination else ():
        talking = Envelope(start, start + Examination.REPLY_S, 0.15, 0.15)
        yield Hold("jaw", 0.28, talking)
        yield Oscillation(channel="jaw", amplitude=0.22, frequency=3.6, envelope=talking)
