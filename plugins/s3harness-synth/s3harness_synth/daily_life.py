"""A recording of hours as a list of scenes: the ordinary, by the time of day, and seizures in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.random import Generator

from s3harness import Diagnosis
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Script
from s3harness_synth.patient import Patient
from s3harness_synth.prior import Prior
from s3harness_synth.script import sample_script
from s3harness_synth.setting import VideoSetting, sample_setting
from s3harness_synth.vocabulary import SIDES

SCENE_S = 60.0
"""Length of an ordinary scene in seconds."""
VARIANTS = 2
"""Ordinary scenes of each kind that a recording has; each comes again and again, as ordinary life does."""
DAY_S = 86_400
NIGHT = (22.0, 6.5)
"""Hours of the clock from which and until which patients sleep."""
LEAST_GAP_S = 1800.0
"""Seconds between two seizures; SzCORE joins events that are closer than 90 s."""

_BY_DAY: Mapping[str, float] = {
    "resting": 5.0,
    "eating": 1.0,
    "talking": 1.5,
    "scratching": 0.7,
    "sitting_up": 1.0,
    "visitor": 1.2,
    "child": 0.8,
}
_BY_NIGHT: Mapping[str, float] = {"sleeping": 9.0, "turning_over": 1.0}
_MEALS = ((7.0, 8.0), (12.0, 13.0), (18.0, 19.0))
"""Hours in which nearly all scenes are of eating."""
_RATES = {"scratching": (2.6, 4.2)}
_SPANS = {"turning_over": (8.0, 16.0), "scratching": (4.0, 10.0), "sitting_up": (20.0, 45.0)}
"""Seconds that a movement takes; others take most of their scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One scene as it is filmed: what happens, where, and the ``seed`` of small movements and noise."""

    script: Script
    setting: VideoSetting
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPlan:
    """The scenes of a recording in their order, as indices into ``episodes``, each with its start in seconds.

    ``seizures`` are onset and offset in seconds, ascending; ``start_clock_s`` is the time of day at which it begins.
    """

    video_id: str
    patient: Patient
    split: str
    duration_s: float
    start_clock_s: int
    episodes: tuple[Episode, ...]
    scenes: tuple[tuple[float, int], ...]
    seizures: tuple[tuple[float, float], ...]


def plan_recording(
    number: int, patient: Patient, split: str, *, seed: int, hours: float, seizures_per_day: float, prior: Prior
) -> RecordingPlan:
    """Draw the scenes of recording ``number`` (from 1 on): seizures at random times, and the ordinary between them."""
    rng = np.random.default_rng([seed, 4, number])
    duration_s, start_clock_s = hours * 3600.0, int(rng.integers(DAY_S // 60)) * 60
    episodes, by_kind = _ordinary(patient, prior, rng)
    light = {asleep: episodes[by_kind["sleeping" if asleep else "resting"][0]].setting for asleep in (True, False)}
    planned = [_seizure(patient, prior, light, rng) for _ in range(rng.poisson(seizures_per_day * hours / 24))]
    waiting = _placed(planned, duration_s, start_clock_s, rng)
    scenes: list[tuple[float, int]] = []
    seizures: list[tuple[float, float]] = []
    now = 0.0
    while now < duration_s:
        if waiting and waiting[0][0] <= now:
            episode = waiting.pop(0)[1]
            scenes.append((now, len(episodes)))
            episodes.append(episode)
            onset, offset = (now + moment for moment in episode.script.interval)
            if onset < duration_s:
                seizures.append((round(onset, 2), round(min(offset, duration_s), 2)))
            now += episode.script.duration_s
        else:
            choices = by_kind[_kind_at((start_clock_s + now) / 3600 % 24, rng)]
            scenes.append((now, int(rng.choice(choices))))
            now += SCENE_S
    return RecordingPlan(
        video_id=f"v{number:04d}",
        patient=patient,
        split=split,
        duration_s=duration_s,
        start_clock_s=start_clock_s,
        episodes=tuple(episodes),
        scenes=tuple(scenes),
        seizures=tuple(seizures),
    )


def is_night(hour: float) -> bool:
    """``True`` for an hour of the clock (0–24) at which patients sleep."""
    return hour >= NIGHT[0] or hour < NIGHT[1]


def _kind_at(hour: float, rng: Generator) -> str:
    weights = dict(_BY_NIGHT if is_night(hour) else _BY_DAY)
    if any(first <= hour < last for first, last in _MEALS):
        weights["eating"] = 20.0
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def _ordinary(patient: Patient, prior: Prior, rng: Generator) -> tuple[list[Episode], dict[str, list[int]]]:
    """The ordinary scenes of a patient, in one bed before one camera, and kind → their indices."""
    episodes: list[Episode] = []
    by_kind: dict[str, list[int]] = {}
    # The bed of a seizure from sleep: nobody sleeps in a chair.
    script = sample_script(patient, np.random.default_rng(patient.habit_seed), None, prior)
    room = sample_setting(patient, replace(script, from_sleep=True, examination=None), rng)
    for kind in (*_BY_DAY, *_BY_NIGHT):
        for _ in range(VARIANTS):
            by_kind.setdefault(kind, []).append(len(episodes))
            episodes.append(_scene(kind, patient.diagnosis, room, rng))
    return episodes, by_kind


def _scene(kind: str, diagnosis: Diagnosis, room: VideoSetting, rng: Generator) -> Episode:
    is_asleep = kind in _BY_NIGHT
    script = Script(
        diagnosis=diagnosis,
        archetype="",
        duration_s=SCENE_S,
        from_sleep=is_asleep,
        events=tuple(_movements(kind, rng)),
    )
    setting = replace(_lit(room, is_asleep), bystander_side=None)
    if kind in ("visitor", "child", "talking"):
        side, arrival = SIDES[int(rng.integers(2))], float(rng.uniform(2, 12))
        # A visitor who talks has been there; one who comes is seen to come.
        arrival = -5.0 if kind == "talking" else arrival
        setting = replace(setting, bystander_side=side, bystander_from_s=arrival, is_child=kind == "child")
    return Episode(script=script, setting=setting, seed=int(rng.integers(2**31)))


def _movements(kind: str, rng: Generator) -> Iterator[Event]:
    if kind in ("resting", "sleeping", "visitor", "child"):
        return
    low, high = _SPANS.get(kind, (0.7 * SCENE_S, 0.9 * SCENE_S))
    length = float(rng.uniform(low, high))
    start = float(rng.uniform(2.0, SCENE_S - length - 2.0))
    frequency = float(rng.uniform(*_RATES.get(kind, (1.0, 1.0))))
    yield Event(
        feature=kind,
        envelope=Envelope(start, start + length, 1.8, 1.8),
        side=SIDES[int(rng.integers(2))],
        frequency=frequency,
        seed=int(rng.integers(2**31)),
    )


def _lit(room: VideoSetting, is_night: bool) -> VideoSetting:
    """The room by night, which a camera sees in infrared and with more noise, or by day."""
    return replace(room, infrared=is_night, noise=2.7 if is_night else 1.2)


def _seizure(patient: Patient, prior: Prior, light: Mapping[bool, VideoSetting], rng: Generator) -> Episode:
    script = sample_script(patient, rng, None, prior)
    # Whole seconds, which are whole frames at every rate.
    script = replace(script, duration_s=float(ceil(script.duration_s)))
    setting = light[script.from_sleep]
    if script.examination is not None:
        side = SIDES[int(rng.integers(2))]
        setting = replace(setting, bystander_side=side, bystander_from_s=max(script.examination.asked_s[0] - 2.5, -2.0))
    return Episode(script=script, setting=setting, seed=int(rng.integers(2**31)))


def _placed(
    planned: list[Episode], duration_s: float, start_clock_s: int, rng: Generator
) -> list[tuple[float, Episode]]:
    """Seizures with the times at which their scenes are due, ascending: from sleep at night, where there is one."""
    starts = np.arange(0, max(duration_s - LEAST_GAP_S / 6, 1.0), 60.0)
    hours = (start_clock_s + starts) / 3600 % 24
    night = np.array([is_night(hour) for hour in hours])
    placed: list[tuple[float, Episode]] = []
    for episode in planned:
        suitable = starts[night == episode.script.from_sleep]
        # A nap, where the recording holds no night; and who sleeps by day may have a seizure awake at night.
        free = [
            at
            for at in (suitable if len(suitable) else starts)
            if all(abs(at - other) >= LEAST_GAP_S for other, _ in placed)
        ]
        # No room left is one seizure less.
        if free:
            placed.append((float(rng.choice(free)), episode))
    return sorted(placed, key=lambda one: one[0])
