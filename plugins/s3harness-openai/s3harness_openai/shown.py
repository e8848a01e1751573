"""What of a clip goes into a request: made once, and the same bytes for each of the clip's prompts."""

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
Label = Literal["none", "seconds", "numbers"]

SOUND_RATE = 16_000
TICKS_PER_S = 1000
"""Frame times are told to vLLM as numbers of ticks."""

CLIPS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Manner:
    """How clips are shown: ``with_ids`` gives each part an id, ``with_times`` tells vLLM when its frames were."""

    form: Form
    label: Label
    image: Image
    jpeg_quality: int
    has_pictures: bool
    has_sound: bool
    with_ids: bool
    with_times: bool


NO_MEDIA = s3harness.Sent()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Shown:
    """The parts of a message that show a clip, as JSON without brackets, and further fields that go with them.

    ``by_id`` are the parts without what the server has already, ``None`` where parts have no ids. ``sent`` is what
    they show, in words: form, times, size, seconds of sound, without settings.
    """

    key: str
    parts: bytes
    by_id: bytes | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    sent: s3harness.Sent = NO_MEDIA


NOTHING = Shown("", b"")
"""What a request of text alone shows."""


class Showcase:
    """Makes what is shown of clips. The last few are kept, and those that somebody still holds."""

    def __init__(self, media: s3harness.MediaStore, manner: Manner) -> None:
        self.manner = manner
        self._media = media
        self._last: OrderedDict[s3harness.Clip, Shown] = OrderedDict()
        self._held: WeakValueDictionary[s3harness.Clip, Shown] = WeakValueDictionary()
        self._lock = threading.Lock()

    def at_hand(self, clip: s3harness.Clip) -> Shown | None:
        """What is shown of a clip, if it is there."""
        if clip.is_text_only:
            return NOTHING
        with self._lock:
            return self._held.get(replace(clip, index=0))

    def make(self, clip: s3harness.Clip) -> Shown:
        """What is shown of a clip. Takes a while; raises :class:`s3harness.MediaError` if it cannot be shown."""
        clip = replace(clip, index=0)
        shown = self.at_hand(clip) or _shown(clip, self._media, self.manner)
        if not clip.is_text_only:
            with self._lock:
                self._held[clip] = self._last[clip] = shown
                while len(self._last) > CLIPS_KEPT:
                    self._last.popitem(last=False)
        return shown


def _shown(clip: s3harness.Clip, media: s3harness.MediaStore, manner: Manner) -> Shown:
    key = media.key(clip)
    parts: list[_Part] = []
    sent = s3harness.Sent()
    if clip.timestamps and manner.has_pictures:
        pictures, sent = _pictures(clip, media, manner, key)
        parts += pictures
    if manner.has_sound and media.has_audio(clip):
        parts.append(_sound(clip, media, key))
        sent = replace(sent, sound_s=clip.end_s - clip.start_s)
    whole = b",".join(part.json(with_id=manner.with_ids) for part in parts)
    by_id = b",".join(part.id_alone() for part in parts) if manner.with_ids else None
    return Shown(key, whole, by_id, _fields(clip, manner, sent.times_s or ()), sent)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a message: its type, the JSON of its value, and an id; text has none."""

    type: str
    value: bytes
    id: str = ""

    def json(self, *, with_id: bool) -> bytes:
        return self._json(self.value, with_id)

    def id_alone(self) -> bytes:
        return self._json(b"null" if self.id else self.value, True)

    def _json(self, value: bytes, with_id: bool) -> bytes:
        given = b',"uuid":"%s"' % self.id.encode() if with_id and self.id else b""
        return b'{"type":"%s","%s":%s%s}' % (self.type.encode(), self.type.encode(), value, given)


def _pictures(
    clip: s3harness.Clip, media: s3harness.MediaStore, manner: Manner, key: str
) -> tuple[list[_Part], s3harness.Sent]:
    if manner.form == "mp4":
        parts = [_Part("video_url", _url("video/mp4", b64encode(media.mp4(clip))), f"{key}-mp4")]
        return parts, s3harness.Sent(media="mp4", times_s=None)
    images, times = _images(clip, media, manner)
    sent = s3harness.Sent(media=manner.form, times_s=tuple(map(float, times)), size=_size(images[0]))
    kind = f"{key}-{manner.image}{manner.jpeg_quality if manner.image == 'jpeg' else ''}"
    encoded = [b64encode(image) for image in images]
    if manner.form == "jpeg_sequence":
        # vLLM calls a sequence of pictures video/jpeg whatever the pictures are.
        return [_Part("video_url", _url("video/jpeg", b",".join(encoded)), kind)], sent
    parts = []
    for number, (data, time) in enumerate(zip(encoded, times, strict=True), start=1):
        parts += _label(manner.label, number, time - clip.start_s)
        parts.append(_Part("image_url", _url(f"image/{manner.image}", data), f"{kind}-{number}"))
    return parts, sent


def _size(image: bytes) -> tuple[int, int]:
    """Width and height of an encoded picture; its head alone is read."""
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(image)) as picture:
        return picture.size


def _images(
    clip: s3harness.Clip, media: s3harness.MediaStore, manner: Manner
) -> tuple[Sequence[bytes], Sequence[float]]:
    if manner.image == "jpeg":
        return media.jpegs(clip, manner.jpeg_quality)
    frames = media.frames(clip)
    return list(_pngs(frames)), frames.timestamps


def _pngs(frames: s3harness.Frames) -> Iterator[bytes]:
    from PIL import Image as Pictures

    for pixels in frames.pixels:
        out = io.BytesIO()
        Pictures.fromarray(pixels).save(out, "PNG", compress_level=1)
        yield out.getvalue()


def _label(label: Label, number: int, seconds: float) -> list[_Part]:
    if label == "none":
        return []
    return [_Part("text", json.dumps(f"Frame{number}:" if label == "numbers" else clock(seconds)).encode())]


def clock(seconds: float) -> str:
    """A time in a clip as its label has it: minutes, and seconds to a tenth, as in ``00:12.5:``."""
    tenths = max(0, round(seconds * 10))
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}:"


def _sound(clip: s3harness.Clip, media: s3harness.MediaStore, key: str) -> _Part:
    samples = np.clip(media.audio(clip, SOUND_RATE), -1.0, 1.0)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes((samples * 32767).round().astype("<i2").tobytes())
    return _Part("input_audio", b'{"data":"%s","format":"wav"}' % b64encode(out.getvalue()), f"{key}-wav")


def _url(mime: str, data: bytes) -> bytes:
    return b'{"url":"data:%s;base64,%s"}' % (mime.encode(), data)


def _fields(clip: s3harness.Clip, manner: Manner, times: Sequence[float]) -> Mapping[str, object]:
    """When the frames were, and their rate for families whose processor takes it from there."""
    if not manner.with_times or not times:
        return {}
    return {
        "media_io_kwargs": {"video": frame_times(times, clip)},
        "mm_processor_kwargs": {"fps": _rate(clip), "do_sample_frames": False},
    }


def frame_times(times: Sequence[float], clip: s3harness.Clip) -> Mapping[str, object]:
    """What vLLM is told of a sequence of pictures: all of them, and when in the clip each was.

    The number of all frames is such that the frames shown are as many a second as they are.
    """
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in times]
    return {
        "num_frames": -1,
        "fps": TICKS_PER_S,
        "frames_indices": ticks,
        "total_num_frames": max(round(len(ticks) / _rate(clip) * TICKS_PER_S), len(ticks)),
        "duration": clip.end_s - clip.start_s,
        "do_sample_frames": False,
    }


def _rate(clip: s3harness.Clip) -> float:
    """Frames a second: what lies between those that were wanted, or one in the whole clip."""
    times = clip.timestamps
    between = times[-1] - times[0]
    return (len(times) - 1) / between if between > 0 else len(times) / (clip.end_s - clip.start_s)
