"""The source of a clip by a plain decoder: every frame in order, the nearest to each wanted time, sound resampled once.

It shares nothing with the media store, whose frames and sound are compared with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from s3harness.backends.model_inputs import SourceClip
from s3harness.errors import MediaError
from s3harness.types import Clip

AUDIO_RATE_HZ = 16_000


def read_source(path: Path, clip: Clip, size: tuple[int, int], *, has_frames: bool, has_audio: bool) -> SourceClip:
    """Decode a clip; ``size`` is (width, height) of its frames, as the clip's limit of pixels has it.

    Raises :class:`MediaError` for a file without frames.
    """
    times, rate = _times(path)
    wanted = [int(np.abs(times - time).argmin()) for time in clip.timestamps] if has_frames else []
    return SourceClip(
        frames=_frames(path, wanted, size),
        times_s=tuple(float(times[place]) - clip.start_s for place in wanted),
        fps=rate,
        audio=_audio(path, clip) if has_audio else None,
        rate=AUDIO_RATE_HZ,
    )


def neighbours(path: Path, clip: Clip, size: tuple[int, int], step: int) -> NDArray[np.uint8]:
    """Return the frames that come ``step`` source frames after those of the clip (before, if negative)."""
    times, _ = _times(path)
    wanted = [int(np.abs(times - time).argmin()) for time in clip.timestamps]
    return _frames(path, [min(max(place + step, 0), len(times) - 1) for place in wanted], size)


def _times(path: Path) -> tuple[NDArray[np.float64], float]:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = sorted(float(frame.time) for frame in container.decode(stream) if frame.time is not None)
        rate = float(stream.average_rate or 0.0)
    if not times:
        raise MediaError("the file has no frame with a time")
    # From the first frame on, as a video begins with it.
    return np.asarray(times) - times[0], rate or len(times) / max(times[-1] - times[0], 1e-9)


def _frames(path: Path, wanted: list[int], size: tuple[int, int]) -> NDArray[np.uint8]:
    import av
    from av.video.reformatter import Interpolation

    # Exact arithmetic, so that equal frames are equal bytes.
    scaling = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    pixels = np.zeros((len(wanted), size[1], size[0], 3), np.uint8)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0) if wanted else ()):
            for place in [i for i, want in enumerate(wanted) if want == number]:
                if frame.rotation:
                    raise MediaError("the video is stored turned, which this plain decoder does not undo")
                scaled = frame.reformat(size[0], size[1], "rgb24", interpolation=scaling)
                pixels[place] = scaled.to_ndarray()
            if number > max(wanted):
                break
    return pixels


def _audio(path: Path, clip: Clip) -> NDArray[np.float32]:
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=AUDIO_RATE_HZ)
    parts, first = [], None
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            first = frame.time if first is None else first
            parts += [out.to_ndarray().reshape(-1) for out in resampler.resample(frame)]
        parts += [out.to_ndarray().reshape(-1) for out in resampler.resample(None)]
    sound = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
    begin = round((clip.start_s - max(first or 0.0, 0.0)) * AUDIO_RATE_HZ)
    cut = np.zeros(round((clip.end_s - clip.start_s) * AUDIO_RATE_HZ), np.float32)
    part = sound[max(begin, 0) : max(begin + len(cut), 0)]
    offset = max(-begin, 0)
    cut[offset : offset + len(part)] = part[: len(cut) - offset]
    return cut
