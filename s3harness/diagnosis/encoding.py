"""From a vector of signs to the columns that a classifier is fitted on, as learnt from the training cases alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.diagnosis.cases import UNANSWERED, UNTESTED, Cases
from s3harness.errors import UsageError
from s3harness.metrics.base import Array

PRESENT = "present"
STATES: Mapping[str, float] = {"untested": UNTESTED, "unanswered": UNANSWERED}
"""What a sign can be other than present or absent, each a column of its own where it occurs in training."""
MOST_LEVELS = 8
"""More different probabilities of a sign than these are gathered in as many equal parts."""

Levels = tuple[tuple[float, float], ...]
"""Values of a sign, and the share of the cases that has each."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """How vectors become columns.

    ``columns`` are pairs of sign and "present", "untested" or "unanswered"; those that are constant in training are
    left out. ``prevalence`` of each sign stands in where its presence is not known. ``means`` are the columns' means,
    ``background`` the values of each sign in training, against which explanations are made.
    """

    signs: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    prevalence: tuple[float, ...]
    means: tuple[float, ...]
    background: tuple[Levels, ...]

    def encode(self, cases: Cases) -> Array:
        """(n, columns), each 0–1."""
        vectors = cases.of_signs(self.signs).vectors
        return np.column_stack([self._column(vectors, *column) for column in self.columns])

    def titles(self) -> list[str]:
        """The columns in words: ``tonic``, ``verbal_responsiveness untested``."""
        return [sign if state == PRESENT else f"{sign} {state}" for sign, state in self.columns]

    def _column(self, vectors: Array, sign: str, state: str) -> Array:
        number = self.signs.index(sign)
        return _column(vectors[:, number], state, self.prevalence[number])


def learn_encoder(cases: Cases) -> Encoder:
    """Learn from training cases; :class:`UsageError` if all have the same vector, so that nothing can be learnt."""
    prevalence = [_prevalence(values) for values in cases.vectors.T]
    found = {
        (sign, state): _column(values, state, mean)
        for sign, values, mean in zip(cases.signs, cases.vectors.T, prevalence, strict=True)
        for state in (PRESENT, *STATES)
    }
    columns = {name: values for name, values in found.items() if np.ptp(values) > 0}
    if not columns:
        raise UsageError(
            f"all answers to the {len(cases)} training videos are the same, so no classifier can be fitted on them; "
            "look at the Task-1 answers first (s3harness score RUN --all)"
        )
    return Encoder(
        cases.signs,
        tuple(columns),
        tuple(prevalence),
        tuple(float(values.mean()) for values in columns.values()),
        tuple(levels(values) for values in cases.vectors.T),
    )


def levels(values: Array) -> Levels:
    """The values of a sign and their shares; many different probabilities are gathered in equal parts."""
    known = np.sort(values[values >= 0])
    parts = np.array_split(known, MOST_LEVELS) if len(np.unique(known)) > MOST_LEVELS else _runs(known)
    states = [values[values == state] for state in STATES.values()]
    return tuple((float(part.mean()), len(part) / len(values)) for part in (*parts, *states) if len(part))


def encoder_from(data: Mapping[str, Any]) -> Encoder:
    """An encoder as JSON has it; raises ``ValueError``, ``KeyError`` or ``TypeError`` where it is none."""
    encoder = Encoder(
        tuple(map(str, data["signs"])),
        tuple((str(sign), str(state)) for sign, state in data["columns"]),
        tuple(map(float, data["prevalence"])),
        tuple(map(float, data["means"])),
        tuple(tuple((float(v), float(share)) for v, share in sign) for sign in data["background"]),
    )
    strangers = {s for s, _ in encoder.columns} - set(encoder.signs) | {s for _, s in encoder.columns} - _STATES
    lengths = {len(encoder.signs), len(encoder.prevalence), len(encoder.background)}
    if strangers or len(lengths) > 1 or len(encoder.means) != len(encoder.columns) or not encoder.columns:
        raise ValueError("its signs and columns do not fit together")
    if not np.isfinite([*encoder.prevalence, *encoder.means, *sum(sum(encoder.background, ()), ())]).all():
        raise ValueError("a number of its columns is not finite")
    return encoder


_STATES = {PRESENT, *STATES}


def _column(values: Array, state: str, prevalence: float) -> Array:
    if state == PRESENT:
        return np.where(values >= 0, values, prevalence)
    return np.asarray(values == STATES[state], dtype=np.float64)


def _prevalence(values: Array) -> float:
    known = values[values >= 0]
    return float(known.mean()) if len(known) else 0.0


def _runs(values: Array) -> list[Array]:
    """Sorted values cut where they change."""
    return np.split(values, np.flatnonzero(np.diff(values)) + 1)
