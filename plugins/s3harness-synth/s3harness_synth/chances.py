"""Chances of each sign in each kind of event, so that all events together show it as often as the prior says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from s3harness import Diagnosis
from s3harness_synth.archetypes import ANSWER_AFFINITY, SLEEP_AFFINITY, SLOTS, WEIGHTS
from s3harness_synth.envelope import Array
from s3harness_synth.prior import load_prior

FIGURE4_PARTS = ("arm_straightening", "arm_flexion")
"""A figure 4 is these two, so that it brings them along."""

_ONLY_HEARD = "ictal_vocalization"
# The log odds of 0 and 1 are infinite: no shift would move them.
_LEAST, _MOST = 1e-9, 0.98
# 40 halvings narrow the bracket of 30 to less than 1e-10 of log odds.
_ROUNDS, _HALVINGS = 12, 40


@lru_cache
def sign_chances(prior_name: str, diagnosis: Diagnosis) -> Mapping[str, Mapping[str, float]]:
    """Return the chance of each sign in each kind of event of a diagnosis.

    The odds of a sign's affinities are multiplied by one factor, chosen so that its prevalence is the prior's, given
    that events in which nothing can be seen are drawn again and that a figure 4 brings its parts along.
    """
    group = load_prior(prior_name).groups[diagnosis]
    kinds, features = tuple(WEIGHTS[diagnosis]), tuple(group.signs)
    affinity = np.array([[_affinity(kind, feature) for feature in features] for kind in kinds])
    target = np.array([group.signs[feature].prevalence for feature in features])
    # A sign of prevalence 0 leaves every kind: the bisection alone would only make it rare.
    chances = _calibrated(affinity * (target > 0), target, np.array([*WEIGHTS[diagnosis].values()]), features)
    return {kind: dict(zip(features, row, strict=True)) for kind, row in zip(kinds, chances.tolist(), strict=True)}


@lru_cache
def sleep_chances(prior_name: str, diagnosis: Diagnosis) -> Mapping[str, float]:
    """Return the chance that an event of each kind begins in sleep."""
    return _of_kinds(SLEEP_AFFINITY, load_prior(prior_name).groups[diagnosis].from_sleep, diagnosis)


@lru_cache
def answer_chances(prior_name: str, diagnosis: Diagnosis) -> Mapping[str, float]:
    """Return the chance that the patient answers when tested in an event of each kind."""
    return _of_kinds(ANSWER_AFFINITY, load_prior(prior_name).groups[diagnosis].answering.prevalence, diagnosis)


def _of_kinds(affinities: Mapping[str, float], target: float, diagnosis: Diagnosis) -> Mapping[str, float]:
    weights = np.array([*WEIGHTS[diagnosis].values()])
    affinity = np.array([[affinities[kind]] for kind in WEIGHTS[diagnosis]])
    shift = _bisect(lambda s: weights / weights.sum() @ _shifted(affinity, s), np.array([target]))
    return dict(zip(WEIGHTS[diagnosis], _shifted(affinity, shift)[:, 0].tolist(), strict=True))


def _calibrated(affinity: Array, target: Array, weights: Array, features: tuple[str, ...]) -> Array:
    """Chances of shape (kinds, features) that give the prevalences of ``target``."""
    is_visible = np.array([feature != _ONLY_HEARD for feature in features])
    weights = weights / weights.sum()
    chances = affinity
    # In rounds: events without any visible sign are drawn again, and their share depends on all chances.
    for _ in range(_ROUNDS):
        # A visible sign is commoner among the events that show something; the voice is drawn independently of them.
        visible = np.where(is_visible, 1 - np.prod(1 - chances[:, is_visible], axis=1, keepdims=True), 1.0)
        shares = weights[:, None] / visible
        shift = _bisect(lambda s, w=shares: (w * _with_parts(_shifted(affinity, s), features)).sum(axis=0), target)  # type: ignore[misc]
        chances = _shifted(affinity, shift)
    return chances


def _bisect(prevalence: Callable[[Array], Array], target: Array) -> Array:
    """Shift of the log odds of each sign at which ``prevalence(shift)``, which rises with it, is ``target``."""
    low, high = np.full(target.shape, -15.0), np.full(target.shape, 15.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = prevalence(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))


def _shifted(chances: Array, shift: Array) -> Array:
    # Odds, not chances: a shift of log odds keeps every chance within 0 and 1.
    odds = np.clip(chances, _LEAST, _MOST)
    moved = 1 / (1 + (1 - odds) / odds * np.exp(-shift))
    return np.asarray(np.where(chances > 0, moved, 0.0))


def _with_parts(chances: Array, features: tuple[str, ...]) -> Array:
    """Chances once each figure 4 has brought its parts."""
    figure = chances[:, features.index("figure4")]
    brought = chances.copy()
    for part in FIGURE4_PARTS:
        column = features.index(part)
        # The chance of either: with the figure, or without it by itself.
        brought[:, column] = figure + (1 - figure) * chances[:, column]
    return brought


def _affinity(kind: str, feature: str) -> float:
    return next((slot.affinity for slot in SLOTS[kind] if slot.feature == feature), 0.0)
