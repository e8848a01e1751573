"""An oracle with an error of known size: the answerer by which strategies are tried before a model is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated

from s3harness.backends.answer_text import write_answer
from s3harness.backends.base import Truth
from s3harness.backends.floors_and_oracle import OracleBackend
from s3harness.options import number, read_options, whole
from s3harness.samplers.events import event_s
from s3harness.types import Request, Response

if TYPE_CHECKING:
    from s3harness.media import MediaStore
    from s3harness.specs.models import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyOracleOptions:
    """Options of the noisy oracle.

    ``error`` is the standard deviation of the normal error of a time, as a share of the length of the clip.
    """

    error: Annotated[float, number(0, 10)] = 0.1
    seed: Annotated[int, whole(0)] = 0


class NoisyOracleBackend(OracleBackend):
    """Answer as the oracle does, but for times, which are wrong by a normal error that grows with the clip.

    A time outside of the clip is answered by a random place in it, as by a model that has to name one. The error is
    drawn from a hash of item, clip and seed: the same question about the same clip has the same error, whatever was
    said before, and questions about different clips have independent ones, which those of a model need not be.
    """

    # Errors are of the clip's times alone, so that thousands of items can be tried without a video.
    uses_media = False

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        super().__init__(model, {}, media)
        self._own = read_options(NoisyOracleOptions, "the noisy_oracle backend", options)

    def set_truth(self, truth: Truth) -> None:
        """Keep the annotations."""
        self._truth = truth

    async def generate(self, request: Request) -> Response:
        """Return the truth of the request as text, a time with its error."""
        if self._truth.kinds[request.task] != "boundary":
            return await super().generate(request)
        video, clip = self._truth.of(request.clip), request.clip
        time_s = event_s(video, request.subject)
        length_s, share = clip.end_s - clip.start_s, self._share(request)
        if time_s is None or not clip.start_s <= time_s <= clip.end_s:
            return Response(request.id, write_answer(request, share * length_s))
        error_s = NormalDist().inv_cdf(share) * self._own.error * length_s
        return Response(request.id, write_answer(request, min(max(time_s - clip.start_s + error_s, 0.0), length_s)))

    def _share(self, request: Request) -> float:
        """Return a number between 0 and 1 that depends on item, clip and seeds alone."""
        clip = request.clip
        name = f"{self._own.seed}\0{request.item}\0{clip.start_s}\0{clip.end_s}\0{request.generation.seed}"
        # Neither 0 nor 1, whose normal quantiles are infinite.
        return (int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") + 0.5) / 2**48
