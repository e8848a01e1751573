"""Training samples as the rows that TRL takes: a conversation with images, which are decoded when a row is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import s3harness

Pixels = Any


def rows(
    samples: Sequence[s3harness.Sample],
    frames: Callable[[s3harness.Sample], s3harness.Frames],
    *,
    with_answer: bool,
) -> Any:
    """A data set of one row a sample: ``prompt``, ``images`` and, with the answer, ``completion``.

    Rows without the answer have the columns that rewards are computed from: ``task`` and ``sample``.
    """
    from datasets import Dataset

    reader = _Reader(samples, frames, with_answer)
    return Dataset.from_dict({"number": list(range(len(samples)))}).with_transform(reader)


@dataclass(frozen=True)
class _Reader:
    """Makes the rows of a batch of numbers of samples."""

    samples: Sequence[s3harness.Sample]
    frames: Callable[[s3harness.Sample], s3harness.Frames]
    with_answer: bool

    def __call__(self, batch: Mapping[str, Sequence[int]]) -> dict[str, list[Any]]:
        found = [row(self.samples[number], self.frames, with_answer=self.with_answer) for number in batch["number"]]
        return {name: [one[name] for one in found] for name in found[0]}

    def __getstate__(self) -> tuple[()]:
        """Nothing: ``datasets`` pickles what reads rows, for the name of a cache that is never written."""
        return ()


def row(
    sample: s3harness.Sample, frames: Callable[[s3harness.Sample], s3harness.Frames], *, with_answer: bool
) -> dict[str, Any]:
    """One row; see :func:`rows`."""
    from PIL import Image

    shown = frames(sample)
    made: dict[str, Any] = {
        "prompt": s3harness.image_messages(sample.request, shown.timestamps),
        "images": [Image.fromarray(picture) for picture in shown.pixels],
    }
    if with_answer:
        answer = [{"type": "text", "text": sample.target}]
        return made | {"completion": [{"role": "assistant", "content": answer}]}
    return made | {"task": sample.request.task, "sample": sample.question.as_text()}


def blank(frames: Callable[[s3harness.Sample], s3harness.Frames]) -> Callable[[s3harness.Sample], s3harness.Frames]:
    """The same frames at the same times, all of them grey."""
    import numpy as np

    def grey(sample: s3harness.Sample) -> s3harness.Frames:
        shown = frames(sample)
        return s3harness.Frames(np.full_like(shown.pixels, 128), shown.timestamps)

    return grey
