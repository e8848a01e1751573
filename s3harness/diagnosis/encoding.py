"""Encoding of vectors of signs as the columns of a classifier, learnt from the training cases alone."""

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
"""States of a sign other than present or absent; each is a column of its own if it occurs in training."""
MOST_LEVELS = 8
"""Largest number of different probabilities of a sign; more are binned into as many equal parts."""

Levels = tuple[tuple[float, float], ...]
"""Values of a sign, each with the share of the cases that have it."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoding of vectors as columns.

    ``columns`` are pairs of sign and "present", "untested" or "unanswered"; those that are constant in training are
    left out. An unknown presence is replaced by the ``prevalence`` of the sign. ``means`` are the columns' means,
    ``background`` the values of each sign in training, the baseline of explanations.
    """

    signs: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    prevalence: tuple[float, ...]
    means: tuple[float, ...]
    background: tuple[Levels, ...]

    def encode(self, cases: Cases) -> Array:
        """Return the columns of cases, (n, columns), each 0–1."""
        vectors = cases.of_signs(self.signs).vectors
        return np.column_stack([self._column(vectors, *column) for column in self.columns])

    def titles(self) -> list[str]:
        """Return the names of the columns: ``tonic``, ``verbal_responsiveness untested``."""
        return [sign if state == PRESENT else f"{sign} {state}" for sign, state in self.columns]

    def _column(self, vectors: Array, sign: str, state: str) -> Array:
        number = self.signs.index(sign)
        return _column(vectors[:, number], state, self.prevalence[number])


def learn_encoder(cases: Cases) -> Encoder:
    """Learn the encoding of training cases; :class:`UsageError` if all have the same vector."""
    prevalence = [_prevalence(values) for values in cases.vectors.T]
    candidates = {
        (sign, state): _column(values, state, mean)
        for sign, values, mean in zip(cases.signs, cases.vectors.T, prevalence, strict=True)
        for state in (PRESENT, *STATES)
    }
    # Nothing can be learnt of a column that is constant in training.
    columns = {name: values for name, values in candidates.items() if np.ptp(values) > 0}
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
    """Return the values of a sign and their shares; many different probabilities are binned into equal parts."""
    presences = np.sort(values[values >= 0])
    # Binned, as explanations and importances take one diagnosis of every case for each value.
    is_fine = len(np.unique(presences)) > MOST_LEVELS
    parts = np.array_split(presences, MOST_LEVELS) if is_fine else _runs(presences)
    states = [values[values == state] for state in STATES.values()]
    return tuple((float(part.mean()), len(part) / len(values)) for part in (*parts, *states) if len(part))


def encoder_from(data: Mapping[str, Any]) -> Encoder:
    """Return the encoder of JSON data; ``ValueError``, ``KeyError`` or ``TypeError`` if they are none."""
    encoder = Encoder(
        tuple(map(str, data["signs"])),
        tuple((str(sign), str(state)) for sign, state in data["columns"]),
        tuple(map(float, data["prevalence"])),
        tuple(map(float, data["means"])),
        tuple(tuple((float(v), float(share)) for v, share in sign) for sign in data["background"]),
    )
    # The file may be anybody's: an inconsistent encoder would fail later, or encode wrongly without an error.
    unexpected = {s for s, _ in encoder.columns} - set(encoder.signs) | {s for _, s in encoder.columns} - _STATES
    lengths = {len(encoder.signs), len(encoder.prevalence), len(encoder.background)}
    if unexpected or len(lengths) > 1 or len(encoder.means) != len(encoder.columns) or not encoder.columns:
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
    presences = values[values >= 0]
    return float(presences.mean()) if len(presences) else 0.0


def _runs(values: Array) -> list[Array]:
    """Split sorted values into runs of equal ones."""
    return np.split(values, np.flatnonzero(np.diff(values)) + 1)
