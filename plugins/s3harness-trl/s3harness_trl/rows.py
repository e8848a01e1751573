"""Training samples as the rows that TRL takes: a conversation with images, which are decoded when a row is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import s3harness

LoadFrames = Callable[[s3harness.Sample], s3harness.Frames]


def build_rows(samples: Sequence[s3harness.Sample], load_frames: LoadFrames, *, with_answer: bool) -> Any:
    """A Hugging Face data set of one row a sample: ``prompt``, ``images`` and, with the answer, ``completion``.

    Rows without the answer have the columns that rewards are computed from: ``task`` and ``sample``.
    """
    from datasets import Dataset

    # Frames are not in the data set itself: those of all samples would not fit into memory.
    transform = _RowTransform(samples, load_frames, with_answer)
    return Dataset.from_dict({"number": list(range(len(samples)))}).with_transform(transform)


@dataclass(frozen=True)
class _RowTransform:
    """Builds the rows of a batch of sample numbers."""

    samples: Sequence[s3harness.Sample]
    load_frames: LoadFrames
    with_answer: bool

    def __call__(self, batch: Mapping[str, Sequence[int]]) -> dict[str, list[Any]]:
        rows = [
            build_row(self.samples[number], self.load_frames, with_answer=self.with_answer)
            for number in batch["number"]
        ]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def __getstate__(self) -> tuple[()]:
        # datasets pickles a transform for the name of a cache file that is never written; samples and decoded frames
        # would take long, and some cannot be pickled.
        return ()


def build_row(sample: s3harness.Sample, load_frames: LoadFrames, *, with_answer: bool) -> dict[str, Any]:
    """One row; see :func:`build_rows`."""
    from PIL import Image

    frames = load_frames(sample)
    row: dict[str, Any] = {
        "prompt": s3harness.image_messages(sample.request, frames.timestamps),
        "images": [Image.fromarray(pixels) for pixels in frames.pixels],
    }
    if with_answer:
        answer = [{"type": "text", "text": sample.target}]
        return row | {"completion": [{"role": "assistant", "content": answer}]}
    return row | {"task": sample.request.task, "sample": sample.question.as_text()}


def grey_frames(load_frames: LoadFrames) -> LoadFrames:
    """A loader of the same frames at the same times, all of them grey."""
    import numpy as np

    def load(sample: s3harness.Sample) -> s3harness.Frames:
        frames = load_frames(sample)
        # 128: the middle of the range, which a processor normalises to about 0.
        return s3harness.Frames(np.full_like(frames.pixels, 128), frames.timestamps)

    return load
