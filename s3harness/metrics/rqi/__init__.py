"""Seizure-RQI: the quality of a semiology report, scored from its text by rules that give their evidence.

>>> from s3harness.metrics.rqi import score_report
>>> score = score_report("The head turns to the left.", {"text": "The head turns to the right."})
>>> score.components["L"].value
-1.0
"""

from s3harness.metrics.rqi.components import Component
from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.extracted import extracted_structure, released_structure
from s3harness.metrics.rqi.metric import SeizureRQI
from s3harness.metrics.rqi.penalties import BUILT_IN, Penalty, PenaltyContext, penalty_named
from s3harness.metrics.rqi.score import (
    RQI,
    Preset,
    parse_preset,
    score_report,
    score_structures,
    with_penalties,
)
from s3harness.metrics.rqi.structure import Evidence, ReportStructure, ReportTruth
from s3harness.metrics.rqi.truth import report_truth
from s3harness.specs.rqi_presets import preset_name

__all__ = [
    "BUILT_IN",
    "RQI",
    "Component",
    "Evidence",
    "Penalty",
    "PenaltyContext",
    "Preset",
    "ReportStructure",
    "ReportTruth",
    "SeizureRQI",
    "extract",
    "extracted_structure",
    "parse_preset",
    "penalty_named",
    "preset_name",
    "released_structure",
    "report_truth",
    "score_report",
    "score_structures",
    "with_penalties",
]
