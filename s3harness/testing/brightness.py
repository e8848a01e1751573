"""A backend to try executors with: its answers depend on the frames that it is shown, and on nothing else."""

from __future__ import annotations

from s3harness.backends.base import Backend, Limits
from s3harness.types import Request, Response


class BrightnessBackend(Backend):
    """Answers every request with the mean brightness of its clip (0–255); declines clips that show nothing.

    Two executors that show the same clips get the same answers, in whichever process the backend runs.
    """

    modalities = ("video",)
    is_model = True
    limits = Limits(in_flight=2, timeout_s=120.0, attempts=1)

    async def generate(self, request: Request) -> Response:
        """Return the mean over all pixels, with three decimals."""
        if request.clip.is_text_only:
            return Response(request.id, status="refused")
        return Response(request.id, f"{self.media.frames(request.clip).pixels.mean():.3f}")
