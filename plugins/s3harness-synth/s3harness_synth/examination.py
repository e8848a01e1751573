"""The examination of an event: whether somebody tests the patient's response, at which times, and the answers."""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.random import Generator

from s3harness_synth.event import Examination
from s3harness_synth.prior import GroupPrior
from s3harness_synth.timing import Draw, lag

_EVERY_S = 7.0
_UNANSWERED_MOST = 3


def sample_examination(
    group: GroupPrior, answer_chance: float, seizure: tuple[float, float], duration_s: float, rng: Generator
) -> Examination | None:
    """Draw the questions of one event: about the ``seizure``, or soon after it.

    A question may have been asked before the video begins, when the answer is the first thing to be heard.
    """
    tested, answers = rng.random() < group.tested, rng.random() < answer_chance
    place, wait, phrase = rng.uniform(0.25, 0.6), float(rng.uniform(0.8, 1.6)), int(rng.integers(100))
    # Only the lag is taken from this; the time that answers go on is drawn in the next line.
    drawn = Draw(rng.random(), 0.0, rng.standard_normal(), 0.0)
    lasts, unanswered = exp(rng.normal(*group.answering.length)), int(rng.integers(1, _UNANSWERED_MOST + 1))
    before_answer = Examination.QUESTION_S + wait
    exchange = before_answer + Examination.REPLY_S
    # The whole exchange fits: an answer that the video cuts off would have no true offset.
    latest = duration_s - exchange - 0.1
    # Only now, after all draws: an event without a test must not shift the draws that follow.
    if not tested or latest < 0:
        return None
    if answers:
        first = max(
            seizure[0] + min(lag(group.answering, drawn, 0.0), 0.8 * (latest - seizure[0])) - before_answer, 0.0
        )
        last = first + lasts - Examination.REPLY_S
    else:
        first = seizure[0] + place * (seizure[1] - seizure[0])
        last = first + _EVERY_S * (unanswered - 1)
    asked_s = _spread(min(first, latest), min(last, latest), exchange)
    return Examination(asked_s, wait if answers else None, phrase)


def _spread(first: float, last: float, exchange_s: float) -> tuple[float, ...]:
    """Moments from ``first`` to ``last``, about :data:`_EVERY_S` apart and never less than one exchange takes."""
    gaps = int(max(last - first, 0) / max(_EVERY_S, exchange_s + 0.5))
    if last - first > exchange_s + 0.5:
        gaps = max(gaps, 1)
    return tuple(np.linspace(first, last if gaps else first, gaps + 1).tolist())
