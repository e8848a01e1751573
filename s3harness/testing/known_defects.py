"""Documented defects of the benchmark's own metrics: the promises they break, and the reasons to keep them.

The metrics of the strict profile that are listed here inform and rank nobody; those of the paper profile are as
published, defects included. A metric that is not listed keeps every promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from s3harness.specs.tasks import MetricSpec


@dataclass(frozen=True, slots=True)
class KnownDefect:
    """Reason why a metric breaks promises, and some of the degenerate answerers who do as well as an honest one."""

    reason: str
    breaks: frozenset[str] = frozenset()
    beaten_by: frozenset[str] = frozenset()


def _defect(reason: str, breaks: str = "", beaten_by: str = "") -> KnownDefect:
    """Build a defect from its reason and from the names of promises and answerers, separated by bars."""
    names = frozenset(filter(None, (name.strip() for name in beaten_by.split("|"))))
    promises = frozenset(filter(None, (name.strip() for name in breaks.split("|"))))
    # Whoever lists beating answerers says thereby that "honest wins" is broken.
    return KnownDefect(reason, promises | ({"honest wins"} if names else set()), names)


SOUND = _defect("")
"""The entry of a metric that keeps every promise."""

NOT_RANKED: Mapping[tuple[str, str, str], KnownDefect] = {
    ("feature_macro_f1", "feature", ""): _defect(
        "grows with how often yes is said, so that a cautious reader (sensitivity .3, specificity .95) is below "
        '"always yes"; kept beside balanced accuracy because it was published',
        "readers win",
    ),
    ("rationale_score", "rationale", ""): _defect(
        "agreement of words, which sentences that stand under any video share with the true ones; kept for "
        "comparison with earlier results",
        "readers win",
    ),
    ("rouge_l", "rationale", ""): _defect(
        "compares texts alone, so that the right words under the wrong answer count, and sentences that deny a sign "
        "are much alike; reasons are ranked by content informedness",
        "readers win",
        "always_no | commonest | prevalence | medoid_no | flipped",
    ),
    ("bleu", "rationale", ""): _defect(
        "as ROUGE-L",
        "readers win",
        "always_no | commonest | prevalence | medoid_no | medoid_coin | flipped | at random",
    ),
    ("boundary_mae_answered", "boundary", ""): _defect(
        "leaves out what was not answered, and is read beside the coverage", "failing | defined"
    ),
    ("boundary_bias", "boundary", ""): _defect(
        "has a direction: too early is below 0",
        "readers win | monotone | truth is best | failing | defined",
        "window_start | minutes | negative | at zero | whole clip | from the start of the clip",
    ),
    ("out_of_vocabulary_rate", "sequence", ""): _defect(
        "says nothing of what is right",
        "readers win | monotone",
        "empty | commonest_sign | all_signs | cut | reversed | shuffled | flipped | whole vocabulary | at random",
    ),
    ("bleu", "report", ""): _defect(
        "counts runs of words wherever they stand, so that a text that could stand under any video does as well as a "
        "short report of what was seen",
        "readers win | monotone",
    ),
    ("diagnosis_sensitivity", "diagnosis", "video"): _defect("half of a pair", "readers win | monotone", "always_ES"),
    ("diagnosis_specificity", "diagnosis", "video"): _defect("half of a pair", "readers win | monotone", "always_NES"),
    ("diagnosis_f1", "diagnosis", "video"): _defect(
        "depends on how common ES is; kept beside balanced accuracy because it was published",
        "readers win",
        "always_ES",
    ),
}
"""Metrics of the strict profile that inform and do not rank."""

DROPS = "failing | defined"
"""Promises broken where an unreadable answer is left out of the mean."""

PAPER: Mapping[tuple[str, str], KnownDefect] = {
    ("paper_features", "f1"): _defect(
        "unread answers are dropped, and it grows with how often yes is said", f"{DROPS} | readers win"
    ),
    ("paper_features", "precision"): _defect("unread answers are dropped", DROPS),
    ("paper_features", "recall"): _defect(
        "saying yes to everything finds everything", f"{DROPS} | readers win", "always_yes"
    ),
    ("paper_features", "accuracy"): _defect(
        "unread answers are dropped, and the commonest answer is mostly right", f"{DROPS} | readers win"
    ),
    ("paper_laterality", "f1"): _defect("unread answers are dropped", "failing"),
    ("paper_laterality", "precision"): _defect("unread answers are dropped", "failing"),
    ("paper_laterality", "recall"): _defect("right is the positive class", "failing | readers win", "always_right"),
    ("paper_laterality", "accuracy"): _defect("unread answers are dropped", "failing"),
    ("paper_boundary_mae", ""): _defect(
        "an empty boundary has no error, so that no answer is the best there is, and a wrong unit has no limit",
        "failing | giving up | form | readers win",
        "unanswered | not a number | for ever | as text",
    ),
    ("paper_temporal_f1", ""): _defect(
        "padding counts as hits", "failing | readers win | monotone", "spam | spam after it"
    ),
    ("paper_lcs_ratio", ""): _defect(
        "divides by the answer: one sure word beats every longer answer", "failing", "cut"
    ),
    ("paper_edit_distance", ""): _defect("unread answers are dropped", "failing"),
    ("paper_bleu rationale", ""): _defect(
        "texts alone, whatever the answer",
        f"{DROPS} | readers win",
        "always_no | commonest | prevalence | medoid_no | medoid_coin | flipped | at random",
    ),
    ("paper_rouge_1 rationale", ""): _defect(
        "texts alone, and words in any order",
        f"{DROPS} | readers win",
        "always_no | commonest | prevalence | medoid_no | flipped | words reversed | words shuffled",
    ),
    ("paper_rouge_l rationale", ""): _defect(
        "texts alone, whatever the answer",
        f"{DROPS} | readers win",
        "always_no | commonest | prevalence | medoid_no | flipped",
    ),
    ("rqi", ""): _defect("a video whose truth has no sign scores 0, even for the truth", "truth is best"),
    ("paper_bleu report", ""): _defect(
        "an empty report is dropped, and runs of words count wherever they stand", f"{DROPS} | readers win | monotone"
    ),
    ("paper_rouge_1 report", ""): _defect(
        "words in any order", f"{DROPS} | readers win | monotone", "reversed | words reversed | words shuffled"
    ),
    ("paper_rouge_l report", ""): _defect("an empty report is dropped", DROPS),
    ("paper_diagnosis", "f1"): _defect("depends on how common ES is", f"{DROPS} | readers win", "always_ES"),
    ("paper_diagnosis", "precision"): _defect("unread answers are dropped", DROPS),
    ("paper_diagnosis", "recall"): _defect("half of a pair", f"{DROPS} | readers win | monotone", "always_ES"),
    ("paper_diagnosis", "accuracy"): _defect(
        "unread answers are dropped, and the commoner diagnosis is mostly right", f"{DROPS} | readers win"
    ),
}
"""Published metrics and their defects, by (metric, followed by the kind of text where both are scored; statistic)."""


PAPER_SCENARIOS: Mapping[str, str] = {
    "side_against_the_annotators": "sides that only annotators gave are never looked at",
    "untested_is_no_invention": "what nobody tested counts as invented",
    "a_true_side_the_expert_left_out": "two silences agree, so that a true side costs points",
    "sleep_in_a_rich_report": "sleep is in no sequence, so that it always counts as invented",
    "advice_in_a_poor_report": "the cap of 50 does not touch a report that has less",
    **dict.fromkeys(
        ("all_sides_wrong_is_worse_than_none", "one_wrong_side_is_worse_than_none"), "a wrong side costs nothing"
    ),
    **dict.fromkeys(
        (
            "denying_a_sign_is_worse_than_leaving_it_out",
            "denying_what_annotators_saw",
            "told_and_denied_in_one_breath",
            "told_and_denied_one_after_the_other",
            "a_sign_or_no_specified_sign",
            "everything_told_and_denied",
        ),
        "a denial costs nothing, and what is told and denied counts as told",
    ),
    **dict.fromkeys(
        ("unresponsive_for_responsive", "unresponsiveness_is_a_finding"),
        "the vocabulary has no unresponsiveness",
    ),
    "an_invented_tonic_clonic_seizure_costs_more_than_a_gap": "three invented signs cost less than one sign is worth",
    "both_sides_at_once_are_no_side": "of two sides the first counts",
    **dict.fromkeys(("stated_beats_hedged", "in_some_episodes", "possible_side", "with_or_without"), "doubt is unread"),
    **dict.fromkeys(
        ("shaking_rhythmically", "side_of_a_rhythmic_shaking", "asymmetric_posture"),
        "the first rules do not know these words",
    ),
    **dict.fromkeys(("kicks", "gaze", "yawning", "head_drop"), "the vocabulary has no such sign"),
    "a_report_in_another_language": "the language of a report is not looked at",
}
"""Pairs of reports (``task_specs/rqi_scenarios.yaml``) that the published Seizure-RQI ranks wrongly, and why."""


def known_defect_of(profile: str, kind: str, metric: MetricSpec) -> KnownDefect:
    """Return the documented defect of a metric of a profile on a kind of items; :data:`SOUND` if there is none."""
    if profile != "paper":
        return NOT_RANKED.get((metric.name, kind, str(metric.params.get("subject", ""))), SOUND)
    statistic = str(metric.params.get("statistic", ""))
    # BLEU and ROUGE score reasons and reports alike, with different defects: the key with the kind goes first.
    return PAPER.get((f"{metric.name} {kind}", statistic), PAPER.get((metric.name, statistic), SOUND))
