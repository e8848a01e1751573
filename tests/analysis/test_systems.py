"""Which items of several systems are compared, what is said of the rest, and what the correction leaves possible."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s3harness.analysis.compare import Comparison, compare
from s3harness.analysis.systems import ScoredSystem, join
from s3harness.cli import main
from s3harness.errors import UsageError
from s3harness.report.comparison import comparison_notes
from s3harness.scoring.score_run import ScoredTask
from s3harness.specs.loading import full_name, load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.types import Prediction, Reference

BOTH = ("video", "audio")


def task(number: str, items: Sequence[tuple[str, str, int, Any]], answers: Sequence[Any]) -> dict[str, ScoredTask]:
    """One task: video, subject, patient and truth of each item, and its answer (``None`` for none)."""
    name = full_name(number)
    spec = resolve(load_task(name).data, protocol="strict", profile="strict", model=ModelCard("m"))
    references = [
        Reference(item=f"{v}/{s}", task=name, video_id=v, subject=s, cluster=patient, truth=truth)
        for v, s, patient, truth in items
    ]
    predictions = [
        Prediction(r.item, value, "missing" if value is None else "answered")
        for r, value in zip(references, answers, strict=True)
    ]
    return {name: ScoredTask(spec, references, predictions)}


def diagnoses(n_patients: int, n_videos: int = 3) -> list[tuple[str, str, int, str]]:
    """Videos of patients who are ES or NES in turn."""
    return [(f"v{p}.{k}", "video", p, ("ES", "NES")[p % 2]) for p in range(n_patients) for k in range(n_videos)]


def answered(items: Sequence[tuple[str, str, int, str]], share_right: float, seed: int) -> list[str]:
    right = np.random.default_rng(seed).random(len(items)) < share_right
    return [truth if ok else {"ES": "NES", "NES": "ES"}[truth] for (*_, truth), ok in zip(items, right, strict=True)]


def system(name: str, *tasks: Mapping[str, ScoredTask], **about: Any) -> ScoredSystem:
    return ScoredSystem(name=name, tasks={k: v for one in tasks for k, v in one.items()}, **about)


class TestJoining:
    def test_a_model_that_hears_is_compared_on_what_both_were_asked_and_that_is_said(self) -> None:
        signs = [(f"v{n}", sign, n, "yes") for n in range(9) for sign in ("tonic", "clonic", "ictal_vocalization")]
        seen = [item for item in signs if item[1] != "ictal_vocalization"]
        hears = system("hears", task("1", signs, ["yes"] * 27), modalities=BOTH)
        sees = system("sees", task("1", seen, ["no"] * 18))
        joined = join([sees, hears])
        ((_, pairs),) = joined.shared.values()
        assert [len(own) for own in pairs.values()] == [18, 18]
        assert joined.notes == ("s3/task1_features: of 18 and 27 items 18 are shared.",)

    def test_items_whose_truth_depends_on_hearing_are_left_out_and_counted(self) -> None:
        order = [["tonic", 1.0], ["clonic", 4.0]]
        with_sound = [["tonic", 1.0], ["ictal_vocalization", 2.0], ["clonic", 4.0]]
        items = [(f"v{n}", "sequence", n, order) for n in range(4)]
        heard = [(v, s, p, with_sound if v == "v0" else truth) for v, s, p, truth in items]
        sees = system("sees", task("5", items, [["tonic"]] * 4))
        hears = system("hears", task("5", heard, [["tonic"]] * 4), modalities=BOTH)
        joined = join([sees, hears])
        ((_, pairs),) = joined.shared.values()
        assert [pair.reference.video_id for pair in pairs["hears"]] == ["v1", "v2", "v3"]
        assert (
            "1 of the 4 shared items are left out, because their truth depends on what a model can see or hear"
            in (joined.notes[0])
        )
        assert "hears takes audio and video" in joined.notes[0]

    @pytest.mark.parametrize(
        ("fingerprints", "cause"),
        [
            (
                ("a" * 64, "b" * 64),
                r"different data sets or versions of one \(fingerprints aaaaaaaaaaaa and bbbbbbbbbbbb\)",
            ),
            (("a" * 64, "a" * 64), "the items of one were changed after its run"),
            (("a" * 64, ""), "the release's annotations are not of one version"),
        ],
    )
    def test_another_truth_is_refused_with_its_cause(self, fingerprints: tuple[str, str], cause: str) -> None:
        items = diagnoses(4, 1)
        other = [(v, s, p, "ES") for v, s, p, _ in items]
        one, two = (
            system(name, task("7", own, ["ES"] * 4), fingerprint=fingerprint)
            for name, own, fingerprint in zip("ab", (items, other), fingerprints, strict=True)
        )
        with pytest.raises(
            UsageError, match=rf"a and b disagree about the truth of 2 of 4 .* video of v1\.0: .*{cause}"
        ):
            join([one, two])

    def test_a_truth_from_a_file_equals_the_same_one_from_a_table(self) -> None:
        items = [(f"v{n}", "sequence", n, [("tonic", 1)]) for n in range(3)]
        read = [(v, s, p, [["tonic", 1.0]]) for v, s, p, _ in items]
        joined = join([system("a", task("5", items, [[]] * 3)), system("b", task("5", read, [[]] * 3))])
        assert not joined.notes

    def test_other_splits_share_no_item_and_are_named(self) -> None:
        items = diagnoses(4)
        first = system("a", task("7", items[:6], ["ES"] * 6), split="train")
        second = system("b", task("7", items[6:], ["ES"] * 6), split="test")
        with pytest.raises(UsageError, match="the runs share no item: a covers train; b covers test; compare runs"):
            join([first, second])

    def test_a_task_that_one_was_not_asked_is_left_out_and_named(self) -> None:
        items = diagnoses(4)
        signs = [("v0", "tonic", 0, "yes")]
        one = system("a", task("7", items, ["ES"] * 12), task("1", signs, ["yes"]))
        joined = join([one, system("b", task("7", items, ["ES"] * 12))])
        assert list(joined.shared) == ["s3/task7_diagnosis"]
        assert joined.notes == ("s3/task1_features is left out: only a has it.",)

    def test_tasks_leaves_out_what_is_not_named(self) -> None:
        items, signs = diagnoses(4), [("v0", "tonic", 0, "yes")]
        both = [system(n, task("7", items, ["ES"] * 12), task("1", signs, ["yes"])) for n in "ab"]
        assert list(join(both, ["s3/task1_features"]).shared) == ["s3/task1_features"]

    def test_no_task_in_common_says_what_each_has(self) -> None:
        one = system("a", task("7", diagnoses(2), ["ES"] * 6))
        with pytest.raises(UsageError, match="a has s3/task7_diagnosis; b has s3/task1_features"):
            join([one, system("b", task("1", [("v0", "tonic", 0, "yes")], ["yes"]))])


class TestWhatPatientsAllow:
    def test_seven_patients_cannot_show_anything_in_seven_tests_and_no_difference_is_called_detectable(self) -> None:
        """2/2**7 is .016, and .109 after the correction."""
        items = diagnoses(7, 6)
        right, wrong = answered(items, 1.0, 0), answered(items, 0.0, 0)
        systems = [system(name, task("7", items, own)) for name, own in zip("abcd", [right, *[wrong] * 3], strict=True)]
        report = compare(join(systems))
        assert len(report.tasks) == 6
        for c in report.tasks:
            assert c.least_p == pytest.approx(6 * 2 / 2**7)
            assert c.p_adjusted is not None
            assert c.p_adjusted >= c.least_p
            assert c.detectable is None
            assert c.verdict == "no significance possible"
        assert any("no difference can be significant" in note for note in comparison_notes(report))

    def test_one_test_of_the_same_patients_can(self) -> None:
        items = diagnoses(8, 6)
        noisy, worse = answered(items, 0.9, 1), answered(items, 0.2, 2)
        (c,) = compare(join([system("a", task("7", items, worse)), system("b", task("7", items, noisy))])).tasks
        assert c.p_adjusted == c.p == c.least_p == 2 / 2**8
        assert c.verdict == "b is better"
        assert c.detectable is None or c.detectable > 0

    def test_the_correction_is_over_all_pairs_and_tasks(self) -> None:
        items = diagnoses(24)
        signs = [(f"v{n}", "tonic", n % 24, ("yes", "no")[n % 2]) for n in range(48)]
        systems = [
            system(
                name,
                task("7", items, answered(items, share, seed)),
                task("1", signs, [("yes", "no")[(n + seed) % 2] for n in range(48)]),
            )
            for seed, (name, share) in enumerate((("a", 0.95), ("b", 0.5), ("c", 0.55)))
        ]
        report = compare(join(systems))
        assert len(report.tasks) == 6
        best = min(report.tasks, key=lambda c: c.p or 0.0)
        assert best.p is not None
        assert best.p_adjusted == pytest.approx(min(1.0, 6 * best.p))

    def test_a_task_without_one_readable_answer_is_all_wrong_and_not_skipped(self) -> None:
        items = diagnoses(12)
        failed = system("failed", task("7", items, [None] * 36))
        (c,) = compare(join([failed, system("honest", task("7", items, answered(items, 0.8, 3)))])).tasks
        assert c.first_value == 0.0
        assert c.verdict == "honest is better"

    def test_of_one_patient_it_is_said_that_there_is_no_interval(self) -> None:
        items = [(f"v{n}", "boundary", 0, 5.0) for n in range(8)]
        pair = [system(name, task("4", items, [at] * 8)) for name, at in (("a", 4.0), ("b", 6.5))]
        report = compare(join(pair))
        assert "4 temporal boundaries: MAE: no interval: all items come from one patient." in comparison_notes(report)


def test_a_verdict_needs_a_corrected_p_value() -> None:
    values = {"task": "t", "metric": "m", "first": "a", "second": "b", "n_items": 9, "n_patients": 9}
    scores = {"first_value": 0.2, "second_value": 0.5, "higher_is_better": True}
    for p, least, verdict in (
        (0.04, 0.01, "b is better"),
        (0.2, 0.01, "no significant difference"),
        (0.2, 0.06, "no significance possible"),
        (None, None, "no test possible"),
    ):
        difference = None if p is None else 0.3
        c = Comparison(**values, **scores, difference=difference, p_adjusted=p, least_p=least)
        assert c.verdict == verdict


@dataclass(frozen=True)
class Called:
    exit_code: int
    output: str
    errors: str


def call(*arguments: object) -> Called:
    """The command as a person calls it."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return Called(int(ended.value.code or 0), output.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, one of a model that hears, and submissions of it with and without its truth."""
    out = tmp_path_factory.mktemp("systems")
    for name, model, backend in (("sees", "qwen2.5-vl-7b", "floors"), ("hears", "qwen2.5-omni-7b", "oracle")):
        asked = ("--data", dataset, "--out", out / name, "--tasks", "1,5,7")
        run = call("run", "--backend", backend, "--model", model, *asked)
        assert run.exit_code == 0, run.errors
    assert call("submit", "pack", out / "hears", "--out", out / "open").exit_code == 0
    assert call("submit", "pack", out / "hears", "--out", out / "closed", "--without-truth").exit_code == 0
    return out


def test_a_run_stands_beside_a_submission_and_a_hearing_one(folder: Path) -> None:
    told = call("compare", folder / "sees", folder / "hears", folder / "open", "--json")
    assert told.exit_code == 0, told.errors
    report = json.loads(told.output)
    assert any(note.startswith("s3/task1_features: of 108, ") for note in report["notes"])
    same = [c for c in report["tasks"] if (c["first"], c["second"]) == ("hears", "open")]
    assert {c["difference"] for c in same} == {0.0}, "a submission is scored as the run that it was packed from"


def test_a_submission_that_withholds_its_truth_needs_the_data_set(folder: Path, dataset: Path) -> None:
    refused = call("compare", folder / "sees", folder / "closed")
    assert refused.exit_code == 2
    assert "withholds the truth of its items: add --data DIR" in refused.errors
    assert call("compare", folder / "sees", folder / "closed", "--data", dataset).exit_code == 0


def test_a_submission_whose_answers_were_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(folder / "open", tmp_path / "changed")
    lines = (changed / "responses.jsonl").read_text().replace('"text": "', '"text": " ')
    (changed / "responses.jsonl").write_text(lines)
    refused = call("compare", folder / "sees", changed)
    assert refused.exit_code != 0
    assert "cannot be compared" in refused.errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "at least two runs, submissions or released models"),
        (("{sees}",), "at least two"),
        (("{sees}", "{sees}"), "cannot be compared with itself"),
        (("{sees}", "{hears}", "--models", "a"), "also need --released CHECKOUT"),
        (("{sees}", "{hears}", "--released", "x", "--profile", "paper"), "by the strict profile"),
        (("{sees}", "{hears}", "--tasks", "9"), "no task named '9'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    named = [argument.format(sees=folder / "sees", hears=folder / "hears") for argument in arguments]
    told = call("compare", *named)
    assert told.exit_code == 2
    assert words in " ".join(told.errors.split())


def test_tasks_is_given_by_number(folder: Path) -> None:
    report = json.loads(call("compare", folder / "sees", folder / "hears", "--tasks", "7", "--json").output)
    assert {c["task"] for c in report["tasks"]} == {"s3/task7_diagnosis"}
