"""A sampler: choose the clip of a video that a model gets, and the frames of the clip."""

import s3harness


def newcomer_sampler(
    video: s3harness.Video, subject: str, *, seconds: float = 10.0, frames: int = 8, audio: bool = False
) -> list[s3harness.Clip]:
    """Return the last ``seconds`` of the video, with ``frames`` frames at the centres of equal parts.

    Raises :class:`s3harness.SpecError` for impossible parameters.
    """
    if seconds <= 0 or frames < 1:
        raise s3harness.SpecError(f"sampler: seconds ({seconds}) must be above 0 and frames ({frames}) at least 1")
    if not video.duration_s:  # a data set without its video files
        return []
    start = max(0.0, video.duration_s - seconds)
    step = (video.duration_s - start) / frames
    times = tuple(start + (n + 0.5) * step for n in range(frames))
    return [s3harness.Clip(video.id, start, video.duration_s, times, max_pixels=602_112, audio=audio)]
