"""``numbers.md``, written from a checkout of the release: every number in it is computed, and every claim is checked.

``python docs/published_numbers.py CHECKOUT`` writes the page; the build of the documentation does so where a checkout lies beside
the repository. A claim that no longer holds stops the writing, so that no sentence outlives its numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import cast

from s3harness.metrics.base import Metric
from s3harness.metrics.rqi import parse_preset, score_report
from s3harness.paper.annotations import CLIP_S, read_annotations
from s3harness.paper.findings import ReleaseFinding, findings
from s3harness.paper.layout import Release, open_release
from s3harness.paper.layout import models as models_of
from s3harness.paper.metrics import released
from s3harness.paper.metrics.diagnosis import paper_diagnosis
from s3harness.paper.metrics.features import paper_features
from s3harness.paper.metrics.laterality import paper_laterality
from s3harness.paper.metrics.order import paper_lcs_ratio, paper_temporal_f1
from s3harness.paper.reproduce import check_paper
from s3harness.paper.strict import StrictResult, corrected_together, score_strict
from s3harness.paper.two_stage import published_two_stage
from s3harness.scoring.above_floor import is_above_floor
from s3harness.specs.loading import task_names
from s3harness.types import Prediction, Score

PAGE = Path(__file__).with_name("numbers.md")
CHECKOUT = Path(__file__).parents[2] / "shared" / "s3-release"
TITLES = ("1 signs", "2 reasons", "3 side", "4 moments", "5 order", "6 report", "7 diagnosis")
JUNK = 400
"""Nonsense words with which the temporal F1 is shown to count padding."""
RESAMPLES = 2000


class ClaimError(Exception):
    """A sentence of the page is no longer true of the numbers."""


@dataclass(frozen=True)
class Numbers:
    """The numbers computed from a checkout: the models' strict scores, and the counts of reproduced published numbers."""

    release: Release
    results: Sequence[StrictResult]
    findings: Sequence[ReleaseFinding]
    compared: int
    mismatches: int

    def scores(self, task: int) -> dict[str, Score]:
        """Return model → its primary score of a task, the best first."""
        name = task_names()[task - 1]
        scores = {r.model: s for r in self.results for s in r.scores if s.task == name and s.primary}
        sign = 1 if next(iter(scores.values())).higher_is_better else -1
        return dict(sorted(scores.items(), key=lambda entry: -sign * (entry[1].value or 0.0)))

    def best(self, task: int) -> tuple[str, Score]:
        """Return the model with the best primary score of a task, and this score."""
        return next(iter(self.scores(task).items()))

    def score(self, model: str, task: int) -> Score:
        """Return a model's primary score of a task."""
        return self.scores(task)[model]

    def published(self, pairs: Callable[[Release, str], list], metric: Callable[[], Metric]) -> dict[str, float]:
        """Return model → a published number, computed again by its own formula on the pairs of the authors."""
        values = {}
        for result in self.results:
            # Models were not run on every task; without pairs a metric would be 0/0.
            if model_pairs := pairs(self.release, result.model):
                # A metric learns the subjects of its pairs, so each model gets its own.
                formula = metric()
                values[result.model] = float(formula.value(formula.statistics(model_pairs).sum(axis=0)))
        return values


def compute_numbers(release: Release) -> Numbers:
    """Score every model of the checkout, strictly and as published."""
    annotations = read_annotations(release)
    names = models_of(release)
    results = [score_strict(release, annotations, name, task_names(), resamples=RESAMPLES) for name in names]
    checks = [check_paper(release, name) for name in names]
    # Holm over all models and tasks, as the page shows all of them together.
    corrected = corrected_together(results)
    return Numbers(
        release,
        corrected,
        findings(release, corrected),
        sum(len(check.published) for check in checks),
        sum(len(check.mismatches) for check in checks),
    )


def page(numbers: Numbers) -> str:
    """Return the page as Markdown; :class:`ClaimError` names a sentence that is not true any more."""
    parts = (_beginning, _beside_trivial, _behind, _trust, _stands, _reading)
    return "\n".join(_filled(line) for part in parts for line in part(numbers)) + "\n"


def _filled(line: str) -> str:
    """Return a paragraph in lines of the width of the other pages; tables, lists, code and headings stay as they are."""
    is_prose = line[:1] not in ("", "|", "-", "`", "$", "#", " ")
    return fill(line, 120, break_long_words=False, break_on_hyphens=False) if is_prose else line


def claim(holds: bool, text: str) -> str:
    """Return a sentence that holds."""
    if not holds:
        raise ClaimError(f"no longer true; rewrite the sentence in docs/published_numbers.py: {text}")
    return text


def _beginning(numbers: Numbers) -> Iterator[str]:
    score = numbers.score(numbers.results[0].model, 7)
    references = numbers.results[0].tasks[task_names()[6]].references
    videos = {r.video_id: str(r.truth) for r in references}
    patients = {label: len({r.cluster for r in references if r.truth == label}) for label in ("ES", "NES")}
    es = sum(label == "ES" for label in videos.values())
    yield from (
        "# What the published numbers mean",
        "",
        "The authors released the answers of their models. Scored with the authors' formulas (`--profile paper`), the published "
        "tables are reproduced cell by cell. Scored with failures as wrong, and beside the score of a trivial answerer on the "
        "same items, most of them mean something else. Both can be computed from a checkout of the release:",
        "",
        '```console needs="release"',
        "$ s3harness score-release CHECKOUT --profile paper",
        "$ s3harness score-release CHECKOUT",
        "```",
        "",
        f"This page is written by `docs/published_numbers.py` from such a checkout, with {len(numbers.results)} of the models. "
        f"Every number is computed, and a sentence that is not true of the numbers stops the script. The page is about the "
        f"{len(videos)} videos of the test fold ({score.n_patients} patients; {es} epileptic events of {patients['ES']} patients "
        f"and {len(videos) - es} others of only {patients['NES']}). "
        + claim(
            numbers.mismatches == 0,
            f"All {numbers.compared:,} published numbers of these models are reproduced.",
        ),
        "",
    )


def _beside_trivial(numbers: Numbers) -> Iterator[str]:
    yield from (
        "## Beside a trivial answerer",
        "",
        "| task, strict metric | best model | its floor | above the floor | simulated reader |",
        "|---|---:|---:|---|---:|",
    )
    above_floor: list[tuple[str, int]] = []
    total = 0
    for task in range(1, 8):
        scores = numbers.scores(task)
        model, best = numbers.best(task)
        winners = [name for name, score in scores.items() if is_above_floor(score)]
        above_floor += [(name, task) for name in winners]
        total += len(scores)
        test = best.floor_test
        verdict = (
            "not better" if _gain(best) <= 0 else f"p = {test.p_adjusted:.2g}" if test and test.p_adjusted else "–"
        )
        yield (
            f"| {TITLES[task - 1]}, {best.metric} | {model}: {_with_interval(best)} | {_number(best, best.floor)} "
            f"({best.floor_name}) | {verdict} | {_number(best, best.informed)} |"
        )
    names = "; ".join(f"{name} in Task {task}" for name, task in above_floor)
    colon = ": " if above_floor else ""
    count = f"Of {total} scores, {len(above_floor)} are significantly above their floor{colon}{names}."
    yield from (
        "",
        "Floors marked (train) are fitted on the other folds, which hold other patients. A score is compared with its floor "
        "by a paired test by patient, corrected by Holm over all tasks of all models here. "
        + claim(len(above_floor) < total / 4, count)
        + " The simulated reader errs at a stated rate (`informed` in `scores.json`), and shows the score of a mediocre reader.",
        "",
    )


def _behind(numbers: Numbers) -> Iterator[str]:
    yield from ("## Reasons", "")
    for paragraph in (_signs, _moments, _failures, _padding, _constants, _reports, _with_report, _two_stage):
        yield from (paragraph(numbers), "")


def _signs(numbers: Numbers) -> str:
    f1 = numbers.published(released.feature_pairs, paper_features)
    leader, (best, score) = max(f1, key=lambda name: f1[name]), numbers.best(1)
    macro = [s for r in numbers.results for s in r.scores if s.task == task_names()[0] and s.metric == "macro F1"]
    below, floor = sum(s.value <= s.floor for s in macro), macro[0].floor
    return (
        "**A score that rises with every yes.** "
        + claim(
            below >= len(numbers.results) - 1 and leader != best,
            f"By the published mean F1 of the signs, {below} of {len(numbers.results)} models are at or below an answerer that "
            f"always says yes ({floor:.2f}), and {leader} leads ({f1[leader]:.2f}). F1 ignores signs correctly called absent. "
            f"By balanced accuracy, in which every constant has 0.5, {best} leads ({score.value:.2f}).",
        )
        + " Therefore balanced accuracy ranks Task 1 here; Matthews' correlation and macro F1 are also shown."
    )


def _moments(numbers: Numbers) -> str:
    times = [p.reference.truth for r in numbers.results[:1] for p in released.boundary_pairs(numbers.release, r.model)]
    middle = sum(time == CLIP_S / 2 for time in times) / len(times)
    best, score = numbers.best(4)
    return "**Onset and offset are always in the middle of the clip.** " + claim(
        middle > 0.9 and score.value > 5 * score.floor,
        f"The clips of Task 4 were cut around the annotated time, which is second {CLIP_S / 2:.0f} of {CLIP_S:.0f} in "
        f"{middle:.0%} of the clips. Always giving this second has a mean error of {score.floor:.1f} s; {best}, the best model, "
        f"has {score.value:.1f} s. The default protocol of s3harness places the time anywhere in the clip.",
    )


def _failures(numbers: Numbers) -> str:
    selections = [f.text for f in numbers.findings if f.kind == "selection"]
    # The F1 of signs and diagnoses alone: for the other metrics a selection may be easier or harder.
    texts = [text for text in selections if "F1" in text]
    return (
        "**Dropped failures raise a score.** "
        + claim(len(texts) >= 2, "These published scores are of a selection of the items: ")
        + "; ".join(texts)
        + "."
    )


def _padding(numbers: Numbers) -> str:
    temporal = numbers.published(released.sequence_pairs, paper_temporal_f1)
    ratio = numbers.published(released.sequence_pairs, paper_lcs_ratio)
    pairs = released.sequence_pairs(numbers.release, numbers.results[0].model)
    junk = [f"nonsense{n}" for n in range(JUNK)]
    counts: dict[str, int] = {}
    for pair in pairs:
        for sign, _ in pair.reference.truth:
            counts[sign] = counts.get(sign, 0) + 1
    # Sorted, so that of two equally common signs the page always names the same one's score.
    common = max(sorted(counts), key=lambda sign: counts[sign])

    def score_constant(metric: Metric, value: list[str]) -> float:
        constant = [replace(pair, prediction=Prediction(pair.reference.item, value)) for pair in pairs]
        return float(metric.value(metric.statistics(constant).sum(axis=0)))

    padded, single = score_constant(paper_temporal_f1(), junk), score_constant(paper_lcs_ratio(), [common])
    return "**Very long and very short answers score high.** " + claim(
        padded > max(temporal.values()) and single > max(ratio.values()),
        f"The temporal F1 of Task 5 aligns two sequences and counts a gap matched with a gap as a hit: {JUNK} nonsense words "
        f"score {padded:.2f}, the best model {max(temporal.values()):.2f}. The LCS ratio divides by the length of the answer: "
        f"the single commonest sign scores {single:.2f}, the best model {max(ratio.values()):.2f}. The strict metrics divide by "
        "the lengths of both sequences.",
    )


def _constants(numbers: Numbers) -> str:
    accuracy = partial(paper_laterality, statistic="accuracy")
    best = {
        side: max(numbers.published(released.laterality_pairs, partial(accuracy, subject=side)).values())
        for side in ("head_turning", "arm_movement")
    }
    constants = [f.text for f in numbers.findings if f.kind == "constant" and f.task == task_names()[2]]
    wins = [f for f in numbers.findings if f.kind == "trivial wins" and f.task == task_names()[2]]
    return "**Constant answers reach the best published accuracy.** " + claim(
        sum(f.changes for f in wins) >= 2 and len(constants) >= 3,
        f"The best published accuracies for the side of the head turning ({best['head_turning']:.2f}) and of the arm "
        f"({best['arm_movement']:.2f}) are no better than those of always left and always right. In {len(constants)} cases, a "
        f"model gives one and the same side to nearly every clip: {'; '.join(constants)}.",
    )


def _reports(numbers: Numbers) -> str:
    best, score = numbers.best(6)
    references = numbers.results[0].tasks[task_names()[5]].references
    # Truths are typed as objects, since their type depends on the kind of item.
    hello = [score_report("Hello.", r.truth, parse_preset("strict-1")).value for r in references]  # type: ignore[arg-type]
    full = sum(value is not None and value > 99 for value in hello)
    below = sum(_gain(s) <= 0 for s in numbers.scores(6).values())
    left_out = sum(n for reason, n in score.lost.items() if reason.startswith("left out"))
    return (
        "**Reports.** The published Seizure-RQI is reproduced exactly; the scorer in the authors' repository differs from it. "
        + claim(
            full > 0 and left_out > 0,
            f'The first strict version gave "Hello." full marks on {full} of {len(references)} videos, whose expert\'s report names no '
            f"sign; the present version, `strict-2`, leaves {left_out} videos out, and counts them.",
        )
        + " It also has penalties for wrong sides, hedging and invented signs ([the formula](reference/rqi.md)). "
        + claim(
            below == len(numbers.scores(6)),
            f"No model reaches one fixed report made of the commonest signs of other patients ({score.floor:.1f}; the best model, "
            f"{best}, has {score.value:.1f}): with {score.n_patients} patients, most of whom turn left, likely signs score high.",
        )
    )


def _with_report(numbers: Numbers) -> str:
    f1 = {
        subject: numbers.published(released.diagnosis_pairs, partial(paper_diagnosis, statistic="f1", subject=subject))
        for subject in ("video", "video_and_report")
    }
    with_report = [f for f in numbers.findings if f.kind == "trivial wins" and "video and report" in f.text]
    es, n = sum(r.truth == "ES" for r in _videos(numbers)), len(_videos(numbers))
    # F1 of always ES: recall 1 and precision es / n.
    always = 2 * es / (n + es)
    return "**Always epileptic, and the report alone.** " + claim(
        max(f1["video"].values()) - always < 0.05 and any(f.changes for f in with_report),
        f"As {es} of {n} events are epileptic, always answering epileptic has an F1 of {always:.2f}. The best published F1 is "
        f"{max(f1['video'].values()):.2f} from the video alone, and {max(f1['video_and_report'].values()):.2f} with the expert's "
        f"report. A classifier of the words of this report, without any video, scores higher: {with_report[0].text}.",
    )


def _two_stage(numbers: Numbers) -> str:
    es, n = sum(r.truth == "ES" for r in _videos(numbers)), len(_videos(numbers))
    figures = {r.model: published_two_stage(r.model, es, n - es) for r in numbers.results}
    # A model without a figure in the paper is no claim; one with tables is possible.
    impossible = {name: figure for name, figure in figures.items() if figure and not figure.tables}
    best = max(impossible, key=lambda name: impossible[name].f1, default="")
    return "**Two stages.** " + claim(
        bool(impossible),
        f"The two-stage F1 of {impossible[best].f1:.2f} ({best}) cannot be of these {n} videos: no confusion table of them has the "
        "printed precision, recall, F1 and accuracy, and the code was not released.",
    )


def _trust(_: Numbers) -> Iterator[str]:
    yield from (
        "**File names contain the diagnosis** in the release: a field of the name holds it for every non-epileptic event. In "
        "s3harness, videos have opaque ids.",
        "",
        "## Defects of metrics",
        "",
        "The command `tasks check` tests every metric of a profile on worthless answerers (spam, repetition, templates, hedges, flipped sides, "
        "giving up, the whole vocabulary), and on simulated readers of rising skill, whose scores must rise. A metric that breaks "
        "a promise is not used for ranking. The command prints the defects of each published metric.",
        "",
        "```console",
        "$ s3harness tasks check --profile paper",
        "$ s3harness tasks check",
        "```",
        "",
        "The agreement of the Seizure-RQI with people is computed from the authors' expert study, or from a table of your own:",
        "",
        '```console needs="release"',
        "$ s3harness rqi validate CHECKOUT",
        "```",
        "",
    )


def _stands(numbers: Numbers) -> Iterator[str]:
    f1 = numbers.published(released.feature_pairs, paper_features)
    signs = numbers.scores(1)
    standing = [
        f"{n} in Task {task}" for task in range(1, 8) for n, s in numbers.scores(task).items() if is_above_floor(s)
    ]
    never_above = [str(task) for task in range(1, 8) if all(_gain(s) <= 0 for s in numbers.scores(task).values())]
    better = sum(_gain(score) > 0 for score in signs.values())
    # The floor of Task 1 is a constant, so that an interval above it is a test of its own.
    uncorrected = sum(s.interval is not None and s.interval.low > cast("float", s.floor) for s in signs.values())
    yield from (
        "## Conclusions that hold",
        "",
        claim(
            better >= len(signs) - 1 and uncorrected >= len(signs) // 2,
            f"In Task 1, {better} of {len(signs)} models score above every constant answerer, and {uncorrected} of their intervals lie "
            "above it, without correction. Corrected for all scores shown, "
            f"{'these are significant: ' + '; '.join(standing) if standing else 'none is significant'}. ",
        )
        + claim(bool(never_above), f"In Tasks {', '.join(never_above)}, no model reaches its floor. ")
        + claim(
            max(f1.values()) < 0.5,
            f"The order of the models by the published mean F1 is reproduced, with {max(f1, key=lambda n: f1[n])} first "
            f"({max(f1.values()):.2f}).",
        )
        + " For further conclusions this test fold is too small: [limits](limits.md).",
        "",
    )


def _reading(_: Numbers) -> Iterator[str]:
    yield from (
        "## How to read a score here",
        "",
        "- **Floor**: the best of several trivial answerers on the same items. Its name says how it was fitted: (train) on other",
        "  patients, (leave-patient-out) on all patients but the one that is scored; without either, it is a constant.",
        "- **Above the floor**: a paired test of score − floor by patient, corrected over all scores shown.",
        "- **Ceiling**: the score of the truth, or the best score to be expected where wordings differ. **Skill** is 0 at the floor",
        "  and 1 at the ceiling; below 0 is worse than answering without looking.",
        "- **Coverage**: `answered` of all items. The others count as wrong, by reason; a task without any answer is scored too.",
        "- **Interval**: over patients, because videos of one patient resemble each other. With too few patients, the reason is",
        "  shown instead.",
        "- **`compare`** for two models: paired, corrected, with the smallest p-value that these patients allow.",
        "- [Probes](how-to/probes.md) show whether the answers depend on the video at all.",
    )


def _videos(numbers: Numbers) -> list:
    return [r for r in numbers.results[0].tasks[task_names()[6]].references if r.subject == "video"]


def _gain(score: Score) -> float:
    # Seconds of error get better as they fall.
    difference = (score.value or 0.0) - (score.floor or 0.0)
    return difference if score.higher_is_better else -difference


def _number(score: Score, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if score.unit == "s" else f"{value:.1f}" if score.unit else f"{value:.3f}"


def _with_interval(score: Score) -> str:
    interval = score.interval
    if interval is None:
        return f"{_number(score, score.value)} ({score.interval_note})"
    return f"{_number(score, score.value)} ({_number(score, interval.low)} to {_number(score, interval.high)})"


def write(checkout: Path, target: Path = PAGE) -> None:
    """Write the page from a checkout of the release."""
    target.write_text(page(compute_numbers(open_release(checkout))), encoding="utf-8")


def on_pre_build(config: object) -> None:
    """Write the page before the documentation is built, where a checkout is at hand; called by MkDocs."""
    # Elsewhere the committed page stays: the release is not passed on with the repository.
    if CHECKOUT.is_dir():
        write(CHECKOUT)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT)
