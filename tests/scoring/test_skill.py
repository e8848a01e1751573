"""The skill of a score, between its floor and its ceiling."""

import pytest

from s3harness.types import Score


@pytest.mark.parametrize(
    ("value", "floor", "ceiling", "skill"),
    [
        (0.5, 0.5, 1.0, 0.0),
        (1.0, 0.5, 1.0, 1.0),
        (0.25, 0.5, 1.0, -0.5),
        (3.0, 9.0, 0.0, 2 / 3),
        (-2.0, 0.5, 0.0, -3.0),
        (2.0, 0.5, 0.0, -3.0),
        (0.9, 0.5, 0.75, 1.0),
        (0.9, 0.75, 0.5, None),
        (0.7, 1.0, 1.0, None),
        (None, 0.5, 1.0, None),
        (0.7, None, 1.0, None),
    ],
)
def test_skill_is_how_much_of_the_way_from_the_floor_to_the_ceiling_is_gone(value, floor, ceiling, skill):
    is_error = ceiling == 0.0
    score = Score(
        task="task",
        metric="metric",
        value=value,
        interval=None,
        floor=floor,
        floor_name="floor",
        ceiling=ceiling,
        n_items=10,
        n_patients=5,
        coverage=1.0,
        lost={},
        higher_is_better=not is_error,
    )
    assert score.skill == (None if skill is None else pytest.approx(skill))
