"""Differences from an authors' recipe are described, the cause first that brings the others about."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from s3harness.backends.model_inputs import GRID, PIXELS, STEP_S, ModelInputs, RecipeInputs, SourceClip
from s3harness.receipts.recipes import compare_recipe

FRAMES = np.full((2, 28, 28, 3), 100, np.uint8)
TIMES_S = (0.5, 1.5)
SOURCE = SourceClip(frames=FRAMES, times_s=TIMES_S, fps=4.0)


def inputs(cells=4, step_s=2.0, value=0.0, text="<0.5 seconds> ?"):
    arrays = {GRID: np.array([[1, cells, 2]]), STEP_S: np.array([step_s]), PIXELS: np.full((cells * 2, 3), value)}
    return ModelInputs(token_ids=tuple(map(ord, text)), arrays=arrays, text=text)


def causes(theirs, times_s=TIMES_S, frames=FRAMES):
    """Compare with a processor whose pixels are the mean of the frames, in hundreds."""

    async def official(source):
        return inputs(value=float(source.frames.mean()) / 100)

    recipe = RecipeInputs(library="recipe 1", inputs=theirs, times_s=times_s, frames=frames, min_pixels=1000)
    return asyncio.run(compare_recipe(inputs(value=1.0), TIMES_S, SOURCE, recipe, official)).cause


@pytest.mark.parametrize(
    ("theirs", "times_s", "frames", "cause"),
    [
        (inputs(value=1.0), TIMES_S, FRAMES, ""),
        (
            inputs(value=1.0),
            (0.5, 1.75),
            FRAMES,
            "the recipe takes other frames: the 2. is at 1.750 s instead of 1.500 s",
        ),
        (inputs(value=1.0), (0.5,), FRAMES, "the recipe takes other frames: 1 instead of 2"),
        (inputs(8), TIMES_S, FRAMES, "the recipe enlarges frames to at least 1,000 pixels: a grid of 1 x 8 x 2"),
        (inputs(2), TIMES_S, FRAMES, "the recipe resizes frames to another size: a grid of 1 x 2 x 2"),
        (
            inputs(step_s=0.5, value=1.0),
            TIMES_S,
            FRAMES,
            "another frame rate: a step is of 0.5 s by the recipe, and of 2 s",
        ),
        (inputs(value=1.1), TIMES_S, FRAMES + np.uint8(10), "the recipe's decoder gives other colours, by 10 of 255"),
        (
            inputs(value=1.1),
            TIMES_S,
            np.full((2, 56, 56, 3), 110, np.uint8),
            "the recipe decodes at 56 x 56 and resizes",
        ),
        (inputs(value=1.2), TIMES_S, FRAMES, "the recipe resizes frames in another way"),
        (inputs(value=1.0, text="<9.5 seconds> ?"), TIMES_S, FRAMES, "other prompt tokens, '<9.5' instead of '<0.5'"),
    ],
)
def test_the_first_cause_is_the_one_that_brings_the_others_about(theirs, times_s, frames, cause):
    assert causes(theirs, times_s, frames).startswith(cause)
    assert bool(causes(theirs, times_s, frames)) is bool(cause)
