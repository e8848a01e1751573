"""Comparison of two inputs of a model, stage by stage, and the cause of their first difference.

A cause is found by trial: each fault that is known from the field is made on purpose in the clip's source, and the one
whose official inputs are equal to the inputs at hand is named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from s3harness.backends.model_inputs import AUDIO, GRID, PIXELS, STEP_S, ModelInputs, SourceClip

TOLERANCES: Mapping[str, float] = {PIXELS: 1e-4, GRID: 0.0, STEP_S: 2e-2, AUDIO: 0.05}
"""The largest mean difference that is none, in the units of each array; of the seconds of a step, as a share of them.

Frames are decoded and scaled alike to the bit. Sound reaches the model by way of the cache's rate, and the source's
does not: features of sound at 24 kHz then differ by .000002 in the mean, and more at other rates. Seconds of a step
come from the requested times here, and from those of the frames there.
"""
WRONG_RATES_HZ = (8_000, 22_050, 24_000, 32_000, 44_100, 48_000)
WRONG_FPS = (1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 25.0, 30.0, 60.0)
BLURRED = 0.97
"""Below this share of the differences between neighbouring values, a picture of equal size was resized once more."""

Official = Callable[[SourceClip], Awaitable[ModelInputs]]
Shifted = Callable[[int], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The comparison of one stage: its name, whether it is equal, and the difference in words and as a number."""

    name: str
    equal: bool
    difference: str = ""
    largest: float | None = None
    mean: float | None = None


def compare(ours: ModelInputs, theirs: ModelInputs) -> list[Stage]:
    """Compare tokens and arrays, in the order in which a fault shows."""
    names = [n for n in (GRID, STEP_S, PIXELS, AUDIO) if n in ours.arrays or n in theirs.arrays]
    return [*(_array(name, ours.arrays.get(name), theirs.arrays.get(name)) for name in names), _tokens(ours, theirs)]


def are_equal(ours: ModelInputs, theirs: ModelInputs) -> bool:
    """Tell whether all stages are equal."""
    return all(stage.equal for stage in compare(ours, theirs))


async def cause_of(
    ours: ModelInputs, theirs: ModelInputs, source: SourceClip, official: Official, shifted: Shifted
) -> str:
    """Name the cause of a difference between our inputs and the official ones of a source."""
    missing = [name for name in theirs.arrays if name not in ours.arrays]
    if missing:
        return f"missing media: the model gets no {' and no '.join(name.replace('_', ' ') for name in missing)}"
    differing = {stage.name for stage in compare(ours, theirs) if not stage.equal}
    for name, fault in _faults(source, shifted, differing):
        inputs = await _attempt(official, fault)
        if inputs is not None and are_equal(ours, inputs):
            return name
    return _by_shape(ours, theirs)


async def _attempt(official: Official, fault: SourceClip) -> ModelInputs | None:
    """Return the official inputs of a fault; ``None`` where the processor refuses what the fault makes of a clip."""
    try:
        return await official(fault)
    except (ValueError, TypeError, RuntimeError, IndexError):
        return None


def _faults(source: SourceClip, shifted: Shifted, differing: Set[str]) -> Iterator[tuple[str, SourceClip]]:
    """Yield the known faults by name, each made in the source, that can change the stages in ``differing``."""
    if len(source.frames) and PIXELS in differing:
        for step, where in ((1, "after"), (-1, "before")):
            late = replace(source, frames=shifted(step))
            yield f"frames off by one: each is the one {where} in the file", late
            rolled = np.roll(source.frames, -step, axis=0)
            rolled[-1 if step == 1 else 0] = source.frames[-1 if step == 1 else 0]
            yield f"frames off by one: each is the one {where} in the clip", replace(source, frames=rolled)
        bgr = np.ascontiguousarray(source.frames[..., ::-1])
        yield "BGR instead of RGB", replace(source, frames=bgr)
    if len(source.frames) and differing & {GRID, STEP_S, "tokens"}:
        yield "timestamps dropped: the processor was told no times", replace(source, times_s=())
        for fps in WRONG_FPS:
            times = tuple(source.times_s[0] + number / fps for number in range(len(source.times_s)))
            if max(abs(one - other) for one, other in zip(times, source.times_s, strict=True)) > 1e-3:
                yield f"wrong fps: frames as if at {fps:g} a second", replace(source, times_s=times)
    if source.audio is not None and differing & {AUDIO, "tokens"}:
        for rate in WRONG_RATES_HZ:
            heard = resampled(source.audio, source.rate, rate)
            padded = np.resize(np.pad(heard, (0, max(0, len(source.audio) - len(heard)))), len(source.audio))
            for audio in (heard, padded.astype(np.float32)):
                yield f"audio at the wrong rate: {rate} Hz taken for {source.rate}", replace(source, audio=audio)


def resampled(samples: NDArray[np.float32], rate: int, to_rate: int) -> NDArray[np.float32]:
    """Resample by linear interpolation: enough to know a wrong rate again."""
    n = round(len(samples) * to_rate / rate)
    places = np.arange(n) * (rate / to_rate)
    values: NDArray[np.float32] = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return values


def _by_shape(ours: ModelInputs, theirs: ModelInputs) -> str:
    """Name a cause by the arrays themselves, where no known fault makes the same ones."""
    a, b = ours.arrays.get(PIXELS), theirs.arrays.get(PIXELS)
    if a is not None and b is not None and a.size != b.size:
        return "resized to another size"
    pixels = _array(PIXELS, a, b) if a is not None and b is not None else None
    if pixels is not None and not pixels.equal and _detail(a) < BLURRED * _detail(b):
        return "resized twice: the pictures are of the right size, and blurred"
    step = ours.arrays.get(STEP_S), theirs.arrays.get(STEP_S)
    if step[0] is not None and step[1] is not None and not _array(STEP_S, *step).equal:
        return f"wrong fps: {_mean(step[0]):.3g} s a step instead of {_mean(step[1]):.3g}"
    sound = ours.arrays.get(AUDIO), theirs.arrays.get(AUDIO)
    if sound[0] is not None and sound[1] is not None and not _array(AUDIO, *sound).equal:
        return "audio features differ, as with sound at the wrong rate"
    if pixels is not None and not pixels.equal:
        return "pixels differ for a reason that is not among the known ones"
    return "other prompt tokens"


def _tokens(ours: ModelInputs, theirs: ModelInputs) -> Stage:
    one, other = ours.token_ids, theirs.token_ids
    if len(one) != len(other):
        place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        return Stage(name="tokens", equal=False, difference=f"{len(one)} instead of {len(other)}, from token {place}")
    differing = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if ours.arrays and _is_placeholder(one, other, differing):
        return Stage(name="tokens", equal=True, difference="another placeholder of the media")
    return Stage(name="tokens", equal=not differing, difference=f"from token {differing[0]}" if differing else "")


def _is_placeholder(one: Sequence[int], other: Sequence[int], differing: Sequence[int]) -> bool:
    """Tell whether the tokens that differ are those by which two engines hold the places of media."""
    pairs = {(one[i], other[i]) for i in differing}
    # All of one token by one other. Digits of a time that differ alike stand elsewhere in the prompt, too.
    return len(pairs) == 1 < len(differing) and other.count(other[differing[0]]) == len(differing)


def _array(name: str, ours: NDArray[np.generic] | None, theirs: NDArray[np.generic] | None) -> Stage:
    if ours is None or theirs is None:
        return Stage(name=name, equal=False, difference="missing" if ours is None else "not in the official inputs")
    # Engines stack the same values into batches and patches of different shapes.
    a, b = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    if a.size != b.size:
        return Stage(name=name, equal=False, difference=f"shape {list(ours.shape)} instead of {list(theirs.shape)}")
    apart = np.abs(a - b)
    largest, mean = (float(apart.max()), float(apart.mean())) if apart.size else (0.0, 0.0)
    is_equal = mean <= TOLERANCES[name] * (float(np.abs(b).mean()) if name == STEP_S else 1.0)
    return Stage(name=name, equal=is_equal, difference="" if is_equal else "values", largest=largest, mean=mean)


def _detail(pixels: NDArray[np.generic] | None) -> float:
    return 0.0 if pixels is None else float(np.abs(np.diff(pixels.astype(np.float64), axis=-1)).mean())


def _mean(array: NDArray[np.generic]) -> float:
    return float(array.astype(np.float64).mean())
