"""A replay is found whatever its author does to it, and honest models are not taken for one another's."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call
from models import ask, submit_model
from tampering import cover_up, edit

from s3harness.leaderboard.replays import (
    LEAST_CHANCES,
    SUSPECT,
    SubmittedAnswers,
    agreement,
    near_replays,
    read_answers,
    replay_findings,
)
from s3harness.leaderboard.verify import verify


def _same(line: dict[str, Any]) -> None:
    """The answer as it is."""


def _blank(line: dict[str, Any]) -> None:
    line["text"] += " "


def _shout(line: dict[str, Any]) -> None:
    """Other case, blanks and punctuation, where the answer is still read as the same."""
    if line["task"] in ("s3/task6_report", "s3/task1_features"):
        line["text"] = line["text"].replace(".", " !").replace(" is ", "  IS ")


def _some_texts(share: float) -> Callable[[dict[str, Any]], None]:
    draw = random.Random(7)

    def change(line: dict[str, Any]) -> None:
        if draw.random() < share:
            line["text"] = line["text"].replace("the ", "this very ").replace(".", ", as is seen.")

    return change


def _other_words(line: dict[str, Any]) -> None:
    """Every text in other words, the answers the same."""
    if line["task"] == "s3/task1_features":
        value = json.loads(line["text"])
        word = "".join(chr(ord("a") + int(digit, 16)) for digit in line["id"][:9])
        line["text"] = json.dumps({"justification": f"So says {word}.", "answer": value["answer"].upper()})


REPLAYS = {
    "renamed": (_same, True),
    "a blank added to each text": (_blank, True),
    "other case and punctuation": (_shout, True),
    "2.5 % of the texts changed": (_some_texts(0.025), False),
    "a tenth of the texts changed": (_some_texts(0.1), False),
    "all texts in other words": (_other_words, False),
}
"""A replay → what is done to it, and whether it is the same run, which no look of a maintainer can accept."""


@pytest.mark.parametrize(("change", "is_same"), REPLAYS.values(), ids=REPLAYS.keys())
def test_a_replay_under_another_name_is_not_accepted(
    tmp_path: Path, dataset: Path, baseline: Path, first_model: Path, change: Any, is_same: bool
) -> None:
    replay = submit_model(baseline, tmp_path / "mine", "another-model", change=change)
    verdict = verify(replay, dataset, [read_answers(first_model)])
    assert not verdict.accepted
    assert verdict.findings or not is_same
    told = [str(one) for one in (*verdict.findings, *verdict.resemblances)]
    assert any("first-model" in line for line in told)


def test_a_replay_with_a_tenth_of_the_answers_exchanged_is_held_back(
    tmp_path: Path, dataset: Path, baseline: Path, first_model: Path
) -> None:
    replay = submit_model(baseline, tmp_path / "mine", "another-model", differs=0.1, seed=5)
    verdict = verify(replay, dataset, [read_answers(first_model)])
    assert verdict.findings == ()
    assert verdict.needs_review
    assert {"s3/task1_features", "s3/task7_diagnosis"} & {one.task for one in verdict.resemblances}


def test_a_replay_of_some_of_the_tasks_and_videos_is_refused(tmp_path: Path, dataset: Path, first_model: Path) -> None:
    """A part of another's run, as a run with ``--limit 3 --tasks 1`` would have it."""
    run = ask("kinematics", dataset, tmp_path / "run", "--limit", 3, "--tasks", "1,2")
    replay = submit_model(run, tmp_path / "mine", "another-model")
    assert "duplicate" in {finding.kind for finding in verify(replay, dataset, [read_answers(first_model)]).findings}


def test_shuffled_lines_and_other_ids_hide_nothing(tmp_path: Path, dataset: Path, first_model: Path) -> None:
    replay = Path(shutil.copytree(first_model, tmp_path / "mine"))
    lines = (replay / "responses.jsonl").read_text().splitlines()
    random.Random(3).shuffle(lines)
    (replay / "responses.jsonl").write_text("\n".join(lines) + "\n")
    cover_up(replay)
    others = [read_answers(first_model)]
    assert "duplicate" in {finding.kind for finding in verify(replay, dataset, others).findings}
    edit(replay / "responses.jsonl", lambda line: line | {"id": line["id"][::-1]})
    cover_up(replay)
    assert {"duplicate", "answers"} <= {finding.kind for finding in verify(replay, dataset, others).findings}


def test_two_honest_models_are_accepted_side_by_side(dataset: Path, first_model: Path, second_model: Path) -> None:
    assert verify(first_model, dataset, [read_answers(second_model)]).accepted
    assert verify(second_model, dataset, [read_answers(first_model)]).accepted


@pytest.fixture(scope="module")
def answerers(tmp_path_factory: pytest.TempPathFactory, dataset: Path, baseline: Path) -> list[SubmittedAnswers]:
    """The baseline, and trivial answerers of all sorts, which know what is common in this data set."""
    folder = tmp_path_factory.mktemp("answerers")
    found = [read_answers(submit_model(baseline, folder / "baseline", "baseline"))]
    for answer in ("prevalence", "always_yes", "always_no", "common_sequence"):
        run = ask("floors", dataset, folder / answer, "-o", f"answer={answer}")
        assert call("submit", "pack", run, "--out", folder / f"{answer}-packed").exit_code == 0
        found.append(read_answers(folder / f"{answer}-packed"))
    return found


def test_closed_answers_that_coincide_are_no_replay(answerers: list[SubmittedAnswers]) -> None:
    """Two that always say "no" agree in everything and by chance alone."""
    baseline, *trivial = answerers
    for other in trivial:
        assert list(replay_findings(baseline, [other])) == []
        assert near_replays(baseline, [other]) == []
    assert near_replays(trivial[1], [trivial[2]]) == []


def test_agreement_beyond_chance_is_that_of_cohen() -> None:
    """Twenty items of one subject, half of them "yes" by each, 18 alike: (18/20 − 1/2) / (1 − 1/2) = .8."""

    def answers(*values: str) -> dict[tuple[str, str, str], tuple[str, str]]:
        return {("s3/t", str(n), ""): ("sign", value) for n, value in enumerate(values)}

    first = answers(*["yes"] * 10, *["no"] * 10)
    second = answers(*["yes"] * 9, "no", *["no"] * 9, "yes")
    told = agreement(first, second)
    assert (told.n, told.same, told.chances) == (20, 18, LEAST_CHANCES)
    assert told.kappa == pytest.approx(0.8)
    assert told.kappa > SUSPECT
    constant = agreement(answers(*["no"] * 20), answers(*["no"] * 20))
    assert constant.kappa is None


def test_a_near_replay_is_shown_side_by_side(tmp_path: Path, dataset: Path, baseline: Path, board: Path) -> None:
    submit_model(baseline, board / "mine", "another-model", differs=0.1, seed=5)
    result = call("leaderboard", "verify", board / "mine", "--data", dataset)
    assert result.exit_code == 1
    assert "are those of first-model (agreement beyond chance" in result.output
    assert "this one:  {" in result.output
    assert "the other: {" in result.output
    assert "Needs review" in result.output
    told = json.loads(call("leaderboard", "verify", board / "mine", "--data", dataset, "--json").output)
    assert told["needs_review"]
    assert not told["accepted"]
    assert all(len(one["pairs"]) > 0 for one in told["resemblances"])
    reviewed = ("--reviewed", "The same lab's next version.")
    assert call("leaderboard", "verify", board / "mine", "--data", dataset, *reviewed).exit_code == 0


def test_a_look_accepts_nothing_that_is_wrong(tmp_path: Path, dataset: Path, board: Path) -> None:
    replay = Path(shutil.copytree(board / "first-model", board / "again"))
    result = call("leaderboard", "verify", replay, "--data", dataset, "--reviewed", "I looked.")
    assert result.exit_code == 1
    assert "this run was submitted before" in result.output
