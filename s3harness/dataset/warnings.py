"""Warnings about a data set that is right in form, but of which some scores would say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from s3harness.dataset.load import Dataset
from s3harness.language import ENGLISH, language_name, language_of
from s3harness.specs.features import vocabulary
from s3harness.types import Video

LOOKED_AT = 20
"""Reports whose language is looked at: a data set has one."""


def dataset_warnings(dataset: Dataset) -> list[str]:
    """Return a sentence for each task whose truth has one class alone, and for reports of no stated language."""
    return [
        *_one_class_signs(dataset.videos),
        *_one_class_diagnosis(dataset.videos),
        *_unstated_language(dataset.videos),
    ]


def _unstated_language(videos: Sequence[Video]) -> Iterator[str]:
    """Warn of reports in another language than English that the data set does not state."""
    reports = [video.report for video in videos if video.report and not video.language]
    codes = Counter(language_of(report) for report in reports[:LOOKED_AT])
    foreign = [code for code, _ in codes.most_common() if code not in (None, ENGLISH)]
    if foreign and codes[foreign[0]] > codes[ENGLISH]:
        name = language_name(str(foreign[0]))
        yield (
            f"the reports are in {name}, which the data set does not state, so that the Seizure-RQI is undefined: add "
            f'"language": "{foreign[0]}" to dataset.json; German, French and Spanish can be read'
        )


def _one_class_signs(videos: Sequence[Video]) -> Iterator[str]:
    """Warn where no sign is ever absent, as in a table of occurrences alone, or where none is ever present."""
    names = vocabulary().names
    counts = {name: Counter(v.features[name].present for v in videos if name in v.features) for name in names}
    annotated = [name for name, count in counts.items() if count["yes"] or count["no"]]
    without_no = [name for name in annotated if not counts[name]["no"]]
    without_yes = [name for name in annotated if not counts[name]["yes"]]
    if annotated and len(without_no) == len(annotated):
        yield (
            "no sign is ever absent, so that always answering yes is always right and Task 1 cannot be scored: if the "
            "table lists only signs that occurred, add the absent ones with the word for no"
        )
    elif annotated and len(without_yes) == len(annotated):
        yield "no sign is ever present, so that always answering no is always right and Task 1 cannot be scored"
    elif one_class := sorted({*without_no, *without_yes}):
        nouns = "this sign has" if len(one_class) == 1 else f"these {len(one_class)} signs have"
        yield f"{nouns} one class, all yes or all no, and cannot be scored in Task 1: {', '.join(one_class)}"


def _one_class_diagnosis(videos: Sequence[Video]) -> Iterator[str]:
    diagnoses = {video.diagnosis for video in videos if video.diagnosis}
    if len(diagnoses) == 1:
        (only,) = diagnoses
        yield (
            f"every diagnosis is {only}, so that always answering {only} is always right and Task 7 cannot be scored"
        )
