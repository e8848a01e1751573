"""Requests answered twice are refused, impossible numbers too; what is unlikely needs a maintainer's look."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calling import call
from models import ask, submit_model
from tampering import cover_up, edit

from s3harness.leaderboard.collect import collect
from s3harness.leaderboard.flags import PERFECT_ITEMS, _perfect
from s3harness.leaderboard.verify import verify
from s3harness.types import Score


@pytest.fixture
def mine(tmp_path: Path, first_model: Path) -> Path:
    return Path(shutil.copytree(first_model, tmp_path / "submissions" / "mine"))


def _responses(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "responses.jsonl").read_text().splitlines()]


def _write(folder: Path, lines: list[dict[str, Any]]) -> None:
    (folder / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    counts = {kind: sum(line.get(f"{kind}_tokens") or 0 for line in lines) for kind in ("prompt", "completion")}
    edit(folder / "manifest.json", lambda manifest: manifest.update(tokens=counts))
    cover_up(folder)


def best_of_two(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every request again, the better answer last."""
    return [line | {"text": "no"} for line in lines] + lines


def one_again(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [lines[0], *lines]


def under_another_id(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*lines, lines[0] | {"id": "0" * 20}]


def refused_then_answered(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [lines[0] | {"status": "refused"}, *lines]


def a_failure_that_holds_an_answer(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [lines[0] | {"status": "failed", "text": "no"}, *lines]


@pytest.mark.parametrize(
    "change", [best_of_two, one_again, under_another_id, refused_then_answered, a_failure_that_holds_an_answer]
)
def test_a_request_answered_twice_is_refused(mine: Path, dataset: Path, change: Callable[..., Any]) -> None:
    _write(mine, change(_responses(mine)))
    verdict = verify(mine, dataset)
    assert "twice" in {finding.kind for finding in verdict.findings}
    assert collect(mine.parent, dataset).ranked == []


def test_a_request_that_failed_may_be_asked_again(mine: Path, dataset: Path) -> None:
    """As a resumed run does it."""
    lines = _responses(mine)
    failed = {"status": "failed", "text": "", "error": "timeout", "prompt_tokens": None, "completion_tokens": None}
    _write(mine, [lines[0] | failed, *lines])
    assert verify(mine, dataset).accepted


def test_a_point_outside_its_interval_is_refused(mine: Path) -> None:
    """Also where nobody has the annotations to score it again."""

    def better(scores: Any) -> None:
        (score,) = (s for s in scores["scores"] if s["task"] == "s3/task1_features" and s["primary"])
        score |= {"value": 0.99, "interval": {"low": 0.3, "high": 0.6, "level": 0.95}}

    edit(mine / "scores.json", better)
    cover_up(mine)
    messages = [str(finding) for finding in verify(mine).findings]
    assert any("0.99 lies outside its interval" in message for message in messages)
    collected = collect(mine.parent)
    assert (collected.ranked, collected.claimed) == ([], [])
    assert "lies outside its interval" in collected.left_out["mine"]


@pytest.fixture(scope="module")
def oracle_run(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    run = ask("oracle", dataset, tmp_path_factory.mktemp("oracle") / "run")
    edit(run / "manifest.json", lambda manifest: manifest["run"].update(sees_truth=False))
    return run


def test_the_oracle_under_a_name_of_a_model_needs_a_look(tmp_path: Path, dataset: Path, oracle_run: Path) -> None:
    folder = submit_model(oracle_run, tmp_path / "submissions" / "new", "new-model")
    verdict = verify(folder, dataset)
    assert verdict.findings == ()
    assert {"perfect", "verbatim"} <= {review.kind for review in verdict.reviews}
    assert not verdict.accepted
    collected = collect(folder.parent, dataset)
    assert collected.ranked == []
    assert "needs a review" in collected.left_out["new"]
    assert [entry.slug for entry in collect(folder.parent, dataset, reviewed=["new"]).ranked] == ["new"]


def test_the_oracle_with_some_answers_exchanged_needs_a_look(tmp_path: Path, dataset: Path, oracle_run: Path) -> None:
    """No score is perfect any more; the annotators' own words are there still."""
    folder = submit_model(oracle_run, tmp_path / "new", "new-model", differs=0.4)
    assert "verbatim" in {review.kind for review in verify(folder, dataset).reviews}


def test_the_oracle_cannot_say_that_it_is_none(tmp_path: Path, dataset: Path, oracle_run: Path) -> None:
    """Its backend is known here to see the truth."""
    out = tmp_path / "packed"
    assert call("score", oracle_run).exit_code == 0
    assert call("submit", "pack", oracle_run, "--out", out).exit_code == 0
    messages = [str(finding) for finding in verify(out, dataset).findings]
    assert messages == ["manifest.json:sees_truth: contradicts the oracle backend"]


def test_a_yardstick_that_says_so_is_accepted_and_never_ranked(packed: Path, dataset: Path) -> None:
    verdict = verify(packed, dataset)
    assert (verdict.accepted, verdict.reviews) == (True, ())


def test_answers_without_tokens_need_a_look(tmp_path: Path, dataset: Path, baseline: Path) -> None:
    def forget(line: dict[str, Any]) -> None:
        line["completion_tokens"] = None

    folder = submit_model(baseline, tmp_path / "new", "new-model", change=forget)
    (review,) = verify(folder, dataset).reviews
    assert review.kind == "tokens"
    assert "answers of a served model have no token counts" in review.message


def test_an_answerer_that_is_no_served_model_has_no_tokens(tmp_path: Path, dataset: Path, baseline: Path) -> None:
    out = tmp_path / "packed"
    assert call("submit", "pack", baseline, "--out", out).exit_code == 0
    assert verify(out, dataset).accepted


def test_a_backend_that_is_a_model_answers_for_no_other(tmp_path: Path, dataset: Path, baseline: Path) -> None:
    run = Path(shutil.copytree(baseline, tmp_path / "run"))
    edit(run / "manifest.json", lambda manifest: manifest["run"]["model"].update(name="new-model"))
    edit(run / "scores.json", lambda scores: scores.update(model="new-model"))
    assert call("submit", "pack", run, "--out", tmp_path / "packed").exit_code == 0
    messages = [str(finding) for finding in verify(tmp_path / "packed", dataset).findings]
    assert messages == [
        "manifest.json:model: the kinematics backend is itself a model and cannot answer for another one"
    ]


def _score(task: str, value: float, n_items: int) -> Score:
    return Score(
        task=task,
        metric="m",
        value=value,
        interval=None,
        floor=0.5,
        floor_name="always_yes",
        ceiling=1.0,
        n_items=n_items,
        n_patients=5,
        coverage=1.0,
        lost={},
        primary=True,
    )


def test_a_few_items_may_all_be_right_by_luck() -> None:
    few, enough, usual = _score("s3/a", 1.0, 5), _score("s3/b", 1.0, PERFECT_ITEMS), _score("s3/c", 0.7, 400)
    assert [finding.where for finding in _perfect([few, enough, usual])] == ["s3/b m"]
    assert [finding.where for finding in _perfect([few, replace(few, task="s3/d")])] == ["s3/a m", "s3/d m"]
