"""Tokens of two engines: places of media held by different tokens are equal, times that differ alike are not."""

from __future__ import annotations

import numpy as np
import pytest

import s3harness
from s3harness.receipts.compare import compare

ZERO, FIVE, POINT, VIDEO, IMAGE = 15, 20, 13, 900, 901


@pytest.mark.parametrize(
    ("ours", "theirs", "equal"),
    [
        ([1, VIDEO, VIDEO, 2], [1, IMAGE, IMAGE, 2], True),
        ([1, VIDEO, VIDEO, IMAGE], [1, IMAGE, IMAGE, IMAGE], False),
        # 0.0 and 5.0 for 0.5 and 5.5 seconds.
        ([ZERO, POINT, ZERO, 7, FIVE, POINT, ZERO], [ZERO, POINT, FIVE, 7, FIVE, POINT, FIVE], False),
    ],
)
def test_another_token_of_the_media_is_no_difference_and_another_time_is_one(ours, theirs, equal):
    pixels = {"pixels": np.zeros((1, 3, 2, 2))}
    inputs = [s3harness.ModelInputs(token_ids=tuple(ids), arrays=pixels) for ids in (ours, theirs)]
    assert compare(*inputs)[-1].equal is equal
