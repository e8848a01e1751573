"""A clip as a conversation with images: how trainers that have no column for video show one.

Whoever evaluates a model that was trained so has to show clips the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s3harness.types import Request

IMAGES = "images"
"""What a run card says of how clips were shown."""


def image_messages(request: Request, times_s: Sequence[float]) -> list[dict[str, Any]]:
    """The conversation of a request, with a mark for each image; before it stands its time from the start of the clip.

    ``times_s`` are the times of the frames in the video, in seconds.
    """
    content: list[dict[str, str]] = []
    for time_s in times_s:
        shown_s = max(0.0, time_s - request.clip.start_s)
        content += [{"type": "text", "text": f"[{shown_s:.1f} s]"}, {"type": "image"}]
    content.append({"type": "text", "text": request.prompt})
    system = [{"role": "system", "content": [{"type": "text", "text": request.system}]}] if request.system else []
    return [*system, {"role": "user", "content": content}]
