"""Task 7: epileptic or not."""

from __future__ import annotations

import pytest
from metric_cases import pair, parts, score

from s3harness.metrics.diagnosis import (
    diagnosis_balanced_accuracy,
    diagnosis_f1,
    diagnosis_mcc,
    diagnosis_sensitivity,
    diagnosis_specificity,
)


def events(tp: int, fn: int, fp: int, tn: int, lost_es: int = 0, lost_nes: int = 0, subject: str = "video"):
    cells = [("ES", "ES", tp), ("ES", "NES", fn), ("NES", "ES", fp), ("NES", "NES", tn)]
    cells += [("ES", None, lost_es), ("NES", None, lost_nes)]
    rows = [(truth, value) for truth, value, n in cells for _ in range(n)]
    return [pair(truth, value, subject=subject, video=f"v{n}") for n, (truth, value) in enumerate(rows)]


@pytest.mark.parametrize(
    ("table", "sensitivity", "specificity", "f1", "mcc"),
    [
        ((56, 0, 26, 0), 1.0, 0.0, 112 / 138, 0.0),
        ((0, 56, 0, 26), 0.0, 1.0, 0.0, 0.0),
        ((40, 16, 6, 20), 40 / 56, 20 / 26, 80 / 102, 704 / (46 * 56 * 26 * 36) ** 0.5),
        ((20, 0, 0, 10, 36, 16), 20 / 56, 10 / 26, 40 / 92, (200 - 576) / (36 * 56 * 26 * 46) ** 0.5),
    ],
)
def test_the_five_scores(table, sensitivity, specificity, f1, mcc):
    pairs = events(*table)
    assert score(diagnosis_sensitivity(), pairs) == pytest.approx(sensitivity)
    assert score(diagnosis_specificity(), pairs) == pytest.approx(specificity)
    assert score(diagnosis_balanced_accuracy(), pairs) == pytest.approx((sensitivity + specificity) / 2)
    assert score(diagnosis_f1(), pairs) == pytest.approx(f1)
    assert score(diagnosis_mcc(), pairs) == pytest.approx(mcc)


def test_the_two_questions_are_averaged_named_and_can_be_asked_for_alone():
    pairs = events(3, 1, 0, 4) + events(4, 0, 0, 4, subject="video_and_report")
    assert parts(diagnosis_balanced_accuracy(), pairs) == {"video": 0.875, "video_and_report": 1.0}
    assert score(diagnosis_balanced_accuracy(), pairs) == 0.9375
    assert score(diagnosis_balanced_accuracy(subject="video"), pairs) == 0.875
