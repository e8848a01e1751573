"""Priors on the events of each diagnosis: prevalence, onset and duration of each sign.

``s3`` follows the labels of the benchmark's released data, ``physiology`` the literature, where signs are shorter and
keep a stricter order. The numbers are data, in ``priors/*.json``, each file with its sources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness import Diagnosis, UsageError

PRIORS: tuple[str, ...] = ("s3", "physiology")

_FOLDER = Path(__file__).parent / "priors"


@dataclass(frozen=True, slots=True)
class SignPrior:
    """One sign in the events of one diagnosis.

    ``leads`` is the chance that it is drawn as the one to begin the event; otherwise it follows the first sign after a
    log-normal ``lag`` (mean and standard deviation of the log of the seconds). ``length`` is log-normal too. Where it
    ``follows`` another sign, it begins when that one ends.
    """

    prevalence: float
    leads: float
    lag: tuple[float, float]
    length: tuple[float, float]
    follows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPrior:
    """The events of one diagnosis.

    ``tested`` is the chance that somebody tests the patient; of those tested, the prevalence of ``answering`` answer.
    ``lead_in_s`` is the median of the seconds before the first sign. ``tempo`` is the standard deviation of the log of
    the factor that an event's lags have in common, and ``shared`` the correlation of the logs of its lengths with it.
    ``figure4_straightens`` is the chance that the arm of a figure 4 is stretched out with it and not before.
    ``distractors`` are the chances of movements that look like signs and are none.
    """

    signs: Mapping[str, SignPrior]
    from_sleep: float
    tested: float
    answering: SignPrior
    lead_in_s: float
    tempo: float
    shared: float
    figure4_straightens: float
    distractors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Prior:
    """The priors of both diagnoses, and of the patients' sides.

    ``focus_left`` is the chance of a focus in the left hemisphere, and ``first_arm_right`` that of the right arm to
    move first where the focus is left and where it is right; ``None`` where the sign decides.
    """

    name: str
    longest_s: float
    groups: Mapping[Diagnosis, GroupPrior]
    focus_left: float
    first_arm_right: tuple[float, float] | None


@lru_cache
def load_prior(name: str) -> Prior:
    """Return the prior of a name in :data:`PRIORS`.

    Raises:
        UsageError: there is none of that name.

    """
    if name not in PRIORS:
        raise UsageError(f"there is no prior {name!r}; choose one of {', '.join(PRIORS)}")
    data = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    first_arm = data["first_arm_right"]
    return Prior(
        name=name,
        longest_s=data["longest_s"],
        groups={diagnosis: _group(group) for diagnosis, group in data["groups"].items()},
        focus_left=data["focus_left"],
        first_arm_right=None if first_arm is None else (first_arm[0], first_arm[1]),
    )


def _group(data: dict[str, Any]) -> GroupPrior:
    signs = {feature: _sign(sign) for feature, sign in data["signs"].items()}
    return GroupPrior(**data | {"signs": signs, "answering": _sign(data["answering"])})


def _sign(data: dict[str, Any]) -> SignPrior:
    return SignPrior(**data | {key: tuple(data[key]) for key in ("lag", "length")})
