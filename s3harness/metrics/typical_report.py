"""The typical report: the commonest content of the true reports, which needs no video.

The commonest signs, as many as a report names on average, in their usual order, each with the side that is commonest,
and a state afterwards. It is the floor of report metrics that reward likely statements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from s3harness.metrics.cohort import PatientCounts, commonest_of
from s3harness.metrics.rqi.extract import extract_in
from s3harness.metrics.rqi.structure import NONE
from s3harness.specs.features import vocabulary

AFTERWARDS = "Afterwards the patient is confused."

WORDS: Mapping[str, str] = {
    "occur_during_sleep": "arousal from sleep",
    "head_turning": "head turning",
    "blank_stare": "a blank stare",
    "close_eyes": "closed eyes",
    "eye_blinking": "eye blinking",
    "face_pulling": "facial pulling",
    "face_twitching": "facial twitching",
    "tonic": "tonic stiffening",
    "clonic": "clonic jerking",
    "arm_straightening": "extension of an arm",
    "arm_flexion": "flexion of an arm",
    "figure4": "figure 4",
    "oral_automatisms": "oral automatisms",
    "limb_automatisms": "limb automatisms",
    "asynchronous_movement": "asynchronous movements",
    "pelvic_thrusting": "pelvic thrusting",
    "full_body_shaking": "shaking of the whole body",
    "arms_move_simultaneously": "simultaneous movement of both arms",
    "verbal_responsiveness": "verbal responses",
    "ictal_vocalization": "vocalization",
}
"""Sign of the benchmark → words that name it."""


def words_of(sign: str) -> str:
    """Return the words that name a sign, of a user's own list its title; "" for a sign of no list."""
    if sign in WORDS or sign not in vocabulary().names:
        return WORDS.get(sign, "")
    title = vocabulary()[sign].title
    return title[:1].lower() + title[1:]


_SIDES = ("head_turning", "asymmetric_posturing")
"""The lateralising signs whose side a typical report gives."""
_WHOLE = 465_585_120
"""A place in a report of up to 20 signs is a whole number of these: twice the least common multiple of 1 to 20."""


class TypicalReport:
    """Counts of the signs in patients' reports, and the typical report of all patients or of all but one."""

    def __init__(self) -> None:
        self._counts = PatientCounts()
        # A cache per object, not a decorator on the method, which would keep every object alive for ever.
        self.of = lru_cache(64)(self._of)

    def add(self, patient: int, text: str, language: str = "") -> None:
        """Count the signs and sides of a report of a patient, in English or in the data set's language."""
        report = extract_in(language)(text)
        self._counts.add(patient, "reports", "")
        signs = [sign for sign in report.events if words_of(sign)]
        for number, sign in enumerate(signs):
            self._counts.add(patient, "signs", sign)
            # Whole numbers: sums of fractions would depend on the order of the patients, and so the ties.
            self._counts.add(patient, "places", sign, (2 * number + 1) * _WHOLE // (2 * len(signs)))
        for key in _SIDES:
            if (side := report.side(key)) not in (NONE, "both"):
                self._counts.add(patient, key, side)

    def _of(self, without: int | None, times: float = 1.0) -> str:
        """Return the typical report without a patient's reports; "" where none of the others names a sign.

        It names ``times`` as many signs as a report does on average.
        """
        reports = self._counts.of("reports", without).total()
        signs, places = self._counts.of("signs", without), self._counts.of("places", without)
        number = math.ceil(times * signs.total() / reports) if reports else 0
        commonest = sorted(signs, key=lambda sign: (-signs[sign], sign))[:number]
        ordered = sorted(commonest, key=lambda sign: (places[sign] / signs[sign], sign))
        sides = {key: commonest_of(self._counts.of(key, without)) for key in _SIDES}
        return report_naming(ordered, sides, AFTERWARDS) if ordered else ""


def typical_report(texts: Iterable[str]) -> str:
    """Return the typical report of these texts; empty where none of them names a sign."""
    reports = TypicalReport()
    for text in texts:
        reports.add(0, text)
    return reports.of(None)


def report_naming(signs: Sequence[str], sides: Mapping[str, str], afterwards: str = "") -> str:
    """Return a report that names signs in this order; ``sides`` are values of the lateralising signs, "" for none."""
    words = ", then ".join(_with_side(sign, sides) for sign in signs)
    return f"{words[0].upper()}{words[1:]}. {afterwards}".rstrip() if words else afterwards


def _with_side(sign: str, sides: Mapping[str, str]) -> str:
    """The words of a sign, with its side where there is one."""
    words = words_of(sign)
    if sign == "head_turning" and (side := sides.get("head_turning")):
        return f"{words} to the {side}"
    if sign in ("arm_straightening", "arm_flexion") and (posture := sides.get("asymmetric_posturing")):
        side, _, motion = posture.split()
        # "right arm extension" is a flexed left arm too: the other arm does the other motion.
        is_same = (motion == "extension") == (sign == "arm_straightening")
        return words.replace("an arm", f"the {side if is_same else _OTHER[side]} arm")
    return words


_OTHER: Mapping[str, str] = {"left": "right", "right": "left"}
