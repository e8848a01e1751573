"""Encode clips as parts of a message: once a clip, and the same bytes for each of its prompts."""

from __future__ import annotations

import io
import json
import threading
import wave
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from weakref import WeakValueDictionary

import numpy as np

import s3harness
from s3harness_openai.options import Image

Form = Literal["frames", "jpeg_sequence", "mp4"]
Label = Literal["none", "seconds", "numbers", "times"]
AudioPart = Literal["input_audio", "audio_url"]

AUDIO_RATE = 16_000
"""Samples a second: what the audio encoders of current models take (Whisper's rate)."""

TICKS_PER_S = 1000
"""vLLM takes the times of frames as whole numbers, which are milliseconds here."""

CLIPS_KEPT = 3
"""Encoded clips that are kept though no request holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFormat:
    """The way in which clips are encoded.

    ``with_ids`` gives each part an id, by which vLLM caches it; ``with_times`` tells vLLM the times of the frames.
    ``audio`` is the type of the part that holds the sound; with ``in_video`` the sound of a video file is used instead,
    which those fields of the request ask for.
    """

    form: Form
    label: Label
    image: Image
    jpeg_quality: int
    has_frames: bool
    has_audio: bool
    audio: AudioPart = "input_audio"
    in_video: Mapping[str, object] = field(default_factory=dict)
    with_ids: bool
    with_times: bool


NO_MEDIA = s3harness.Sent()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class EncodedClip:
    """The parts of a message that show a clip, as JSON without brackets, and the request fields that go with them.

    ``id_parts`` are the parts with their ids alone, for a server that has the clip, ``None`` where parts have no ids.
    ``sent`` describes the parts: form, times, size, seconds of audio, without settings.
    """

    key: str
    parts: bytes
    id_parts: bytes | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    sent: s3harness.Sent = NO_MEDIA


TEXT_ONLY = EncodedClip("", b"")
"""The clip of a request of text alone."""


class ClipEncoder:
    """Encodes clips; the last few are kept, and those that a request still holds."""

    def __init__(self, media: s3harness.MediaStore, media_format: MediaFormat) -> None:
        self.media_format = media_format
        self._media = media
        self._latest: OrderedDict[s3harness.Clip, EncodedClip] = OrderedDict()
        # Weak: a request that is sent again finds its clip here, and nothing stays in memory for it afterwards.
        self._in_use: WeakValueDictionary[s3harness.Clip, EncodedClip] = WeakValueDictionary()
        self._lock = threading.Lock()

    def cached(self, clip: s3harness.Clip) -> EncodedClip | None:
        """Return the encoded clip if it is in memory."""
        if clip.is_text_only:
            return TEXT_ONLY
        with self._lock:
            return self._in_use.get(replace(clip, index=0))

    def encode(self, clip: s3harness.Clip) -> EncodedClip:
        """Return the encoded clip; takes long, and raises :class:`s3harness.MediaError` if it cannot be encoded."""
        clip = replace(clip, index=0)  # the position in the plan changes nothing in the pixels
        # Encoded outside of the lock: two threads that encode the same clip at once waste work, and block nobody.
        encoded = self.cached(clip) or _encode(clip, self._media, self.media_format)
        if not clip.is_text_only:
            with self._lock:
                self._in_use[clip] = self._latest[clip] = encoded
                while len(self._latest) > CLIPS_KEPT:
                    self._latest.popitem(last=False)
        return encoded


def _encode(clip: s3harness.Clip, media: s3harness.MediaStore, media_format: MediaFormat) -> EncodedClip:
    key = media.key(clip)
    parts: list[_Part] = []
    fields: dict[str, object] = {}
    sent = s3harness.Sent()
    if clip.timestamps and media_format.has_frames:
        frame_parts, sent = _frame_parts(clip, media, media_format, key)
        parts += frame_parts
        fields |= _time_fields(clip, media_format, sent.times_s or ())
    if media_format.has_audio and media.has_audio(clip):
        is_in_video = bool(media_format.in_video and parts)
        parts += [] if is_in_video else [_audio_part(clip, media, media_format, key)]
        fields |= media_format.in_video if is_in_video else {}
        sent = replace(sent, sound_s=clip.end_s - clip.start_s)
    whole = b",".join(part.json(with_id=media_format.with_ids) for part in parts)
    id_parts = b",".join(part.json_of_id() for part in parts) if media_format.with_ids else None
    return EncodedClip(key, whole, id_parts, fields, sent)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a message: its type, the JSON of its value, and an id; text has none."""

    type: str
    value: bytes
    id: str = ""

    def json(self, *, with_id: bool) -> bytes:
        return self._json(self.value, with_id)

    def json_of_id(self) -> bytes:
        # vLLM takes null with an id as "the one you have"; text has no id and is sent again.
        return self._json(b"null" if self.id else self.value, True)

    def _json(self, value: bytes, with_id: bool) -> bytes:
        # By hand, because json.dumps would hold the megabytes of base64 as text once more.
        uuid = b',"uuid":"%s"' % self.id.encode() if with_id and self.id else b""
        return b'{"type":"%s","%s":%s%s}' % (self.type.encode(), self.type.encode(), value, uuid)


def _frame_parts(
    clip: s3harness.Clip, media: s3harness.MediaStore, media_format: MediaFormat, key: str
) -> tuple[list[_Part], s3harness.Sent]:
    if media_format.form == "mp4":
        parts = [_Part("video_url", _data_url("video/mp4", b64encode(media.mp4(clip))), f"{key}-mp4")]
        # The times are unknown: the server samples a file as it sees fit.
        return parts, s3harness.Sent(media="mp4", times_s=None)
    images, times = _images(clip, media, media_format)
    sent = s3harness.Sent(media=media_format.form, times_s=tuple(map(float, times)), size=_size(images[0]))
    # The quality belongs to the id, or a server would show the cached frames of another run's quality.
    image_id = f"{key}-{media_format.image}{media_format.jpeg_quality if media_format.image == 'jpeg' else ''}"
    encoded = [b64encode(image) for image in images]
    if media_format.form == "jpeg_sequence":
        # vLLM calls a sequence of images video/jpeg whatever their format is.
        return [_Part("video_url", _data_url("video/jpeg", b",".join(encoded)), image_id)], sent
    parts = []
    for number, (data, time) in enumerate(zip(encoded, times, strict=True), start=1):
        parts += _label_parts(media_format.label, number, time - clip.start_s)
        parts.append(_Part("image_url", _data_url(f"image/{media_format.image}", data), f"{image_id}-{number}"))
    return parts, sent


def _size(image: bytes) -> tuple[int, int]:
    """Return width and height of an encoded image, of which only the header is read."""
    from PIL import Image as PillowImage

    with PillowImage.open(io.BytesIO(image)) as opened:
        return opened.size


def _images(
    clip: s3harness.Clip, media: s3harness.MediaStore, media_format: MediaFormat
) -> tuple[Sequence[bytes], Sequence[float]]:
    if media_format.image == "jpeg":
        return media.jpegs(clip, media_format.jpeg_quality)
    frames = media.frames(clip)
    return list(_pngs(frames)), frames.timestamps


def _pngs(frames: s3harness.Frames) -> Iterator[bytes]:
    from PIL import Image as PillowImage

    for pixels in frames.pixels:
        out = io.BytesIO()
        # PNG is lossless at every level; the lowest costs the least time.
        PillowImage.fromarray(pixels).save(out, "PNG", compress_level=1)
        yield out.getvalue()


def _label_parts(label: Label, number: int, seconds: float) -> list[_Part]:
    if label == "none":
        return []
    # The frame nearest to the start of a clip may lie before it.
    seconds = max(0.0, seconds)
    labels = {"numbers": f"Frame{number}:", "times": f"[{seconds:.1f} s]", "seconds": clock_label(seconds)}
    return [_Part("text", json.dumps(labels[label]).encode())]


def clock_label(seconds: float) -> str:
    """Return the label of a time in a clip: minutes, and seconds to a tenth, as in ``00:12.5:``."""
    tenths = max(0, round(seconds * 10))
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}:"


def _audio_part(clip: s3harness.Clip, media: s3harness.MediaStore, media_format: MediaFormat, key: str) -> _Part:
    # Resampling overshoots; samples beyond 1 would wrap around to the other sign as 16-bit integers.
    samples = np.clip(media.audio(clip, AUDIO_RATE), -1.0, 1.0)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(AUDIO_RATE)
        file.writeframes((samples * 32767).round().astype("<i2").tobytes())
    data = b64encode(out.getvalue())
    value = (
        _data_url("audio/wav", data) if media_format.audio == "audio_url" else b'{"data":"%s","format":"wav"}' % data
    )
    return _Part(media_format.audio, value, f"{key}-wav")


def _data_url(mime: str, data: bytes) -> bytes:
    return b'{"url":"data:%s;base64,%s"}' % (mime.encode(), data)


def _time_fields(clip: s3harness.Clip, media_format: MediaFormat, times: Sequence[float]) -> Mapping[str, object]:
    """Return the times of the frames, and their rate for model families whose processor takes it from there."""
    if not media_format.with_times or not times:
        return {}
    return {
        "media_io_kwargs": {"video": frame_times(times, clip)},
        "mm_processor_kwargs": {"fps": _frame_rate(clip), "do_sample_frames": False},
    }


def frame_times(times: Sequence[float], clip: s3harness.Clip) -> Mapping[str, object]:
    """Return vLLM's ``media_io_kwargs`` for a sequence of images: use all of them, each at its time in the clip."""
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in times]
    return {
        "num_frames": -1,
        "fps": TICKS_PER_S,
        "frames_indices": ticks,
        # Such that the share of frames used, times the rate of ticks, is the rate of the frames that are sent.
        "total_num_frames": max(round(len(ticks) / _frame_rate(clip) * TICKS_PER_S), len(ticks)),
        "duration": clip.end_s - clip.start_s,
        "do_sample_frames": False,
    }


def _frame_rate(clip: s3harness.Clip) -> float:
    """Return the frames a second between the first and the last that were requested, or in the clip if it has one."""
    times = clip.timestamps
    span_s = times[-1] - times[0]
    return (len(times) - 1) / span_s if span_s > 0 else len(times) / (clip.end_s - clip.start_s)
