"""A clip as a conversation with images, for trainers that have no column for video.

A model that was trained on such conversations must be evaluated with clips in the same form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s3harness.types import Request


def image_messages(request: Request, times_s: Sequence[float]) -> list[dict[str, Any]]:
    """Return the conversation of a request, with a placeholder for each image after its time since the clip's start.

    ``times_s`` are the times of the frames in the video, in seconds.
    """
    content: list[dict[str, str]] = []
    for time_s in times_s:
        # The frame nearest to the clip's start may lie just before it.
        since_start_s = max(0.0, time_s - request.clip.start_s)
        content += [{"type": "text", "text": f"[{since_start_s:.1f} s]"}, {"type": "image"}]
    content.append({"type": "text", "text": request.prompt})
    system = [{"role": "system", "content": [{"type": "text", "text": request.system}]}] if request.system else []
    return [*system, {"role": "user", "content": content}]
