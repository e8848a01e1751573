"""A person as a backend: the name and the settings of an exam, which go into its run's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import s3harness
from s3harness import options as opt


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """``reader`` is the reader's name or pseudonym, ``seed`` that of the questions' order.

    ``assisted`` is the name of the model whose answers were shown, empty for an unaided reading.
    """

    reader: Annotated[str, opt.text]
    seed: Annotated[int, opt.whole(0)] = 0
    assisted: Annotated[str, opt.text] = ""


class ReaderBackend(s3harness.Backend):
    """A reader, who answers in the reading room (``--executor reading_room``)."""

    modalities = ("video", "audio")
    # A person may take any time; nothing is decoded ahead of the question at hand.
    limits = s3harness.Limits(in_flight=1, timeout_s=3600.0, attempts=1)

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self.settings = opt.read_options(ReaderOptions, "the reader backend", options)

    def identity(self) -> Mapping[str, object]:
        """Return the name of the reader, and of the model whose answers were shown."""
        return {"reader": self.settings.reader, "assisted": self.settings.assisted}

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Raise: a person is asked by the executor, not by the runner."""
        raise s3harness.S3HarnessError("a reader answers in a browser: s3harness read DATA --reader NAME")
