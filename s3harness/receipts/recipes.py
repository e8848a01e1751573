"""Comparison of a model's inputs with those by the recipe of its authors, and the causes of the differences.

A recipe takes frames and sizes as its authors chose, the harness those of the task. So a difference is described and
is no failure of the receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from s3harness.backends.model_inputs import AUDIO, GRID, PIXELS, STEP_S, ModelInputs, RecipeInputs, SourceClip
from s3harness.receipts.compare import Official, Stage, compare

SAME_TIME_S = 2e-3
"""Times of frames are rounded to a thousandth of a second."""

SHOWN_CHARACTERS = 16

RESIZED_ALIKE = 2e-3
"""Mean difference of normalised pixels: the recipe rounds resized frames to bytes, some processors do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeComparison:
    """The stages, the library of the recipe with its version, and the causes of the differences, empty if none."""

    library: str
    stages: Sequence[Stage]
    cause: str = ""

    @property
    def equal(self) -> bool:
        """Tell whether all stages are equal."""
        return all(stage.equal for stage in self.stages)


async def compare_recipe(
    ours: ModelInputs, times_s: Sequence[float], source: SourceClip, recipe: RecipeInputs, official: Official
) -> RecipeComparison:
    """Compare inputs, whose frames are at ``times_s`` seconds of the clip, with those by a recipe.

    ``official`` makes inputs of a source, such as that of the frames as the recipe's decoder has them.
    """
    stages = [_frames(times_s, recipe.times_s), *compare(ours, recipe.inputs)]
    causes = [await _cause(stage, ours, source, recipe, official) for stage in stages if not stage.equal]
    return RecipeComparison(library=recipe.library, stages=stages, cause="; ".join(causes))


async def _cause(stage: Stage, ours: ModelInputs, source: SourceClip, recipe: RecipeInputs, official: Official) -> str:
    """Return the cause of the difference in a stage."""
    if stage.name == "frames":
        return f"the recipe takes other frames: {stage.difference}"
    if stage.name == GRID:
        return _other_size(ours, recipe)
    if stage.name == STEP_S:
        step = {name: inputs.arrays.get(STEP_S) for name, inputs in (("ours", ours), ("theirs", recipe.inputs))}
        seconds = {name: "none" if one is None else f"{float(one.ravel()[0]):.3g} s" for name, one in step.items()}
        return f"another frame rate: a step is of {seconds['theirs']} by the recipe, and of {seconds['ours']} here"
    if stage.name == PIXELS:
        return await _other_pixels(source, recipe, official)
    if stage.name == AUDIO:
        return "the recipe resamples the sound by librosa"
    return f"other prompt tokens, {_other_words(ours.text, recipe.inputs.text)}"


async def _other_pixels(source: SourceClip, recipe: RecipeInputs, official: Official) -> str:
    """Return why frames of one size differ: their decoder, the size at which they were decoded, or resizing."""
    try:
        decoded = await official(replace(source, frames=recipe.frames))
    except (ValueError, TypeError, RuntimeError, IndexError):
        return "the recipe resizes frames in another way"
    same = next(stage for stage in compare(decoded, recipe.inputs) if stage.name == PIXELS)
    if not same.equal and (same.mean is None or same.mean > RESIZED_ALIKE):
        return "the recipe resizes frames in another way"
    if recipe.frames.shape != source.frames.shape:
        (there, here) = (f"{one.shape[2]} x {one.shape[1]}" for one in (recipe.frames, source.frames))
        return f"the recipe decodes at {there} and resizes once; here frames are decoded at {here}"
    apart = float(np.abs(recipe.frames.astype(np.int16) - source.frames).mean())
    return f"the recipe's decoder gives other colours, by {apart:.2g} of 255 in the mean"


def _frames(ours: Sequence[float], theirs: Sequence[float]) -> Stage:
    if len(ours) != len(theirs):
        return Stage(name="frames", equal=False, difference=f"{len(theirs)} instead of {len(ours)}")
    apart = np.abs(np.asarray(ours) - np.asarray(theirs))
    places = np.flatnonzero(apart > SAME_TIME_S)
    if not len(places):
        return Stage(name="frames", equal=True, largest=float(apart.max(initial=0.0)))
    place = int(places[0])
    text = f"the {place + 1}. is at {theirs[place]:.3f} s instead of {ours[place]:.3f} s"
    return Stage(name="frames", equal=False, difference=text, largest=float(apart.max()), mean=float(apart.mean()))


def _other_size(ours: ModelInputs, recipe: RecipeInputs) -> str:
    grids = f"a grid of {_grid(recipe.inputs)} patches instead of {_grid(ours)}"
    one, other = ours.arrays.get(PIXELS), recipe.inputs.arrays.get(PIXELS)
    if one is not None and other is not None and other.size > one.size and recipe.min_pixels:
        return f"the recipe enlarges frames to at least {recipe.min_pixels:,} pixels: {grids}"
    return f"the recipe resizes frames to another size: {grids}"


def _other_words(ours: str, theirs: str) -> str:
    """Return the first words of two prompts that differ, such as the time of a frame."""
    pairs = zip(ours.split(), theirs.split(), strict=False)
    one, other = next(((a, b) for a, b in pairs if a != b), ("its end", "another end"))
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    # A word holds all placeholders of a frame, which nobody reads.
    first = max(0, place - SHOWN_CHARACTERS)
    return f"{other[first : place + SHOWN_CHARACTERS]!r} instead of {one[first : place + SHOWN_CHARACTERS]!r}"


def _grid(inputs: ModelInputs) -> str:
    grid = inputs.arrays.get(GRID)
    return "none" if grid is None else " x ".join(f"{number:g}" for number in grid.ravel().tolist())
