"""Promises of a transform."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from s3harness.media import Frames
from s3harness.testing.golden import golden_frames
from s3harness.testing.trial import Bench, same, takes
from s3harness.transforms.contract import Transform

PROMISES: Mapping[str, str] = {
    "form": "it is a function of Frames, or an s3harness.Transform; its frames are uint8, T × H × W × 3",
    "answers": "it accepts a clip of any size and length, of one frame, or all black",
    "times": "it keeps the number of frames and their times",
    "sound": "it keeps the length of the audio, and returns finite numbers",
}

RATE = 16_000


def try_it(bench: Bench) -> None:
    """Try a transform on golden frames."""
    options = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, None, **options)
    if not bench.must("form", not wrong, wrong):
        return
    for frames in golden_frames():
        _try(bench, frames, options)
    # A plain function changes pictures alone.
    if isinstance(bench.thing, Transform) and not bench.thing.mutes:
        _try_sound(bench)


def _try(bench: Bench, frames: Frames, options: Mapping[str, object]) -> None:
    case = "×".join(map(str, frames.pixels.shape))
    result: object = None
    with bench.trying("answers", case, frames):
        result = bench.thing(frames, **options)
        again = bench.thing(frames, **options)
        bench.must("same again", same(_pixels(result), _pixels(again)), f"{case} came out differently")
    if result is None:
        return
    if not bench.must("form", isinstance(result, Frames), f"{case}: it returned {type(result).__name__}"):
        return
    assert isinstance(result, Frames)
    shape: tuple[int, ...] = tuple(getattr(result.pixels, "shape", ()))
    kind = str(getattr(result.pixels, "dtype", ""))
    bench.must("form", len(shape) == 4 and shape[3] == 3 and kind == "uint8", f"{case} became {shape} of {kind}")
    is_kept = len(shape) > 0 and shape[0] == len(result.timestamps) and tuple(result.timestamps) == frames.timestamps
    bench.must("times", is_kept, f"{case}: its timestamps became {result.timestamps}")


def _try_sound(bench: Bench) -> None:
    # No sample and one are the lengths at which resampling and windows fail.
    for n in (0, 1, RATE):
        samples = np.linspace(-1, 1, n, dtype=np.float32)
        with bench.trying("sound", f"{n} samples", samples):
            result = bench.thing.audio(samples, RATE)
            is_right = np.shape(result) == (n,) and bool(np.isfinite(result).all())
            bench.must("sound", is_right, f"{n} samples became {np.shape(result)}, or are not finite")
            bench.must("same again", same(bench.thing.audio(samples, RATE), result), f"{n} samples sound different")


def _pixels(result: object) -> object:
    return result.pixels if isinstance(result, Frames) else result
