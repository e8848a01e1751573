"""Backend to test executors with: its answers depend on the frames of a clip alone."""

from __future__ import annotations

from s3harness.backends.base import Backend, Limits
from s3harness.types import Request, Response


class BrightnessBackend(Backend):
    """Backend that answers every request with the mean brightness of its clip (0–255), and refuses text-only clips.

    Two executors that deliver the same frames get the same answers, in whichever process the backend runs.
    """

    modalities = ("video",)
    is_model = True
    # Two in flight, so that mixed-up concurrent requests show; one attempt, since no failure of it is by chance.
    limits = Limits(in_flight=2, timeout_s=120.0, attempts=1)

    async def generate(self, request: Request) -> Response:
        """Return the mean over all pixels, with three decimals."""
        if request.clip.is_text_only:
            return Response(request.id, status="refused")
        return Response(request.id, f"{self.media.frames(request.clip).pixels.mean():.3f}")
