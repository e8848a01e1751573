"""Ranks say what is sure; a failed task is a failed task; bold is significant over the whole board."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.leaderboard.ranks import (
    WORST_SKILL,
    above_floor,
    is_bold,
    is_failed,
    mean_skill,
    rank_intervals,
    surest,
    task_skill,
)
from s3harness.types import FloorTest, Interval, Score


def _score(value: float | None, low: float, high: float, *, floor: float = 0.2, more: bool = True) -> Score:
    interval = Interval(low, high)
    return Score(
        task="s3/t",
        metric="m",
        value=value,
        interval=interval,
        floor=floor,
        floor_name="always_yes",
        ceiling=1.0,
        n_items=10,
        n_patients=5,
        coverage=1.0,
        lost={},
        higher_is_better=more,
        primary=True,
    )


def _failed(value: float | None) -> Score:
    return replace(_score(value, 0, 0), interval=None, coverage=0.0, lost={"unparsable": 10})


def _entry(slug: str, *scores: Score, **more: object) -> LeaderboardEntry:
    model = {"name": slug, "title": slug, "parameters_b": None, "modalities": ["video"], "open_weights": True}
    sets = {score.task: "items" for score in scores}
    entry = LeaderboardEntry(
        slug=slug, model=model, tier="re-scored", protocol="strict", backend="b", scores=scores, item_sets=sets
    )
    return replace(entry, **more)


def test_ranks_are_intervals() -> None:
    scores = {"a": _score(0.9, 0.8, 0.95), "b": _score(0.7, 0.6, 0.85), "c": _score(0.3, 0.2, 0.4)}
    assert {name: str(rank) for name, rank in rank_intervals(scores).items()} == {"a": "1–2", "b": "1–2", "c": "3"}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from("vnf")), max_size=12))
def test_rank_intervals_count_who_is_surely_better_and_worse(ends: list[tuple[int, int, str]]) -> None:
    """``v`` has an interval, ``n`` has none, ``f`` has failed."""
    scores = {}
    bounds = {}
    for number, (a, b, kind) in enumerate(ends):
        score = _score(a, min(a, b), max(a, b))
        scores[str(number)] = {"v": score, "n": replace(score, interval=None), "f": _failed(None)}[kind]
        bounds[str(number)] = {"v": (min(a, b), max(a, b)), "n": (-1.0, 99.0), "f": (-9.0, -9.0)}[kind]
    for name, rank in rank_intervals(scores).items():
        low, high = bounds[name]
        assert rank.first == 1 + sum(other_low > high for other_low, _ in bounds.values())
        assert rank.last == len(bounds) - sum(other_high < low for _, other_high in bounds.values())


def test_an_error_ranks_the_other_way_round() -> None:
    scores = {"a": _score(9, 8, 10, more=False), "b": _score(2, 1, 3, more=False)}
    assert {name: str(rank) for name, rank in rank_intervals(scores).items()} == {"a": "2", "b": "1"}


def test_without_an_interval_nothing_is_known_of_the_rank() -> None:
    """Three patients carry no interval: a lucky point is not a first place."""
    lucky = replace(_score(1.0, 1, 1), interval=None, interval_note="too few patients (3)")
    scores = {"lucky": lucky, "b": _score(0.7, 0.6, 0.85), "c": _score(0.3, 0.2, 0.4), "failed": _failed(0.0)}
    ranks = {name: str(rank) for name, rank in rank_intervals(scores).items()}
    assert ranks == {"lucky": "1–3", "b": "1–2", "c": "2–3", "failed": "4"}


@pytest.mark.parametrize("failed", [_failed(None), _failed(0.0), _failed(0.45)], ids=["no value", "0", "above floor"])
def test_a_task_that_fails_wholly_never_raises_the_mean(failed: Score) -> None:
    honest = [replace(_score(0.3, 0.2, 0.4), task=f"s3/t{n}") for n in range(6)]
    bad = replace(_score(0.05, 0.0, 0.1), task="s3/t6")
    garbage = replace(failed, task="s3/t6")
    with_bad, with_garbage = mean_skill(_entry("a", *honest, bad)), mean_skill(_entry("b", *honest, garbage))
    assert with_bad is not None
    assert with_garbage is not None
    assert with_garbage < with_bad
    assert task_skill(garbage) == WORST_SKILL
    assert is_failed(garbage)


def test_a_task_without_any_score_counts_as_failed() -> None:
    """A manifest of seven tasks, scores of one."""
    one = replace(_score(0.9, 0.8, 0.95), task="s3/t0")
    entry = _entry("a", one, item_sets={f"s3/t{n}": "items" for n in range(7)})
    assert mean_skill(entry) == pytest.approx(((0.9 - 0.2) / 0.8 - 6) / 7)


def test_a_task_that_the_items_leave_undefined_counts_for_nobody() -> None:
    undefined = replace(_score(1.0, 1, 1), task="s3/one-class", floor=1.0)
    entry = _entry("a", _score(0.6, 0.5, 0.7), undefined)
    assert task_skill(undefined) is None
    assert mean_skill(entry) == pytest.approx(0.5)


def test_one_task_does_not_decide_about_all() -> None:
    hopeless = replace(_score(60, 50, 70, floor=1.0, more=False), ceiling=0.0)
    assert mean_skill(_entry("a", hopeless)) == WORST_SKILL


def test_a_partial_entry_has_no_mean_skill() -> None:
    assert mean_skill(_entry("a", _score(0.9, 0.8, 0.95), partial="the first 5 videos")) is None


def _tested(p_value: float | None, difference: float = 0.1) -> Score:
    return replace(_score(0.6, 0.5, 0.7), floor_test=FloorTest(difference, None, p_value))


@pytest.mark.parametrize(
    ("score", "others", "is_above", "bold"),
    [
        (_score(0.9, 0.8, 0.95), [_score(0.85, 0.7, 0.9)], True, True),
        (_score(0.9, 0.8, 0.95), [], False, False),
        (_score(0.5, 0.4, 0.6), [_score(0.9, 0.8, 0.95)], True, False),
        (_score(3, 2, 4, floor=5.0, more=False), [], True, True),
        (_failed(0.9), [], True, False),
    ],
)
def test_bold_is_significantly_above_the_floor_with_nobody_surely_better(
    score: Score, others: list[Score], is_above: bool, bold: bool
) -> None:
    assert is_bold(score, surest(others), is_above) is bold


def test_the_best_of_many_by_luck_is_not_above_its_floor() -> None:
    """p = .01 is significant alone, and not among the twenty that are shown beside it (Holm)."""
    alone = _entry("best", _tested(0.01))
    others = [_entry(f"other-{n}", _tested(0.5)) for n in range(19)]
    assert above_floor([alone]) == {("best", "s3/t")}
    assert above_floor([alone, *others]) == set()


def test_the_correction_is_over_all_tasks_of_all_entries() -> None:
    scores = [replace(_tested(0.011), task=f"s3/t{n}") for n in range(5)]
    assert len(above_floor([_entry("a", *scores[:4])])) == 4
    assert above_floor([_entry("a", *scores)]) == set()


@pytest.mark.parametrize(
    ("score", "more"),
    [
        (_tested(None), {}),
        (_tested(0.001, difference=-0.1), {}),
        (replace(_tested(0.001), floor_test=None), {}),
        (replace(_tested(0.001), coverage=0.0), {}),
        (_tested(0.001), {"sees_truth": True}),
    ],
    ids=["no p-value", "below the floor", "no test", "nothing answered", "a yardstick"],
)
def test_what_is_not_above_its_floor(score: Score, more: dict[str, object]) -> None:
    assert above_floor([_entry("a", score, **more)]) == set()
