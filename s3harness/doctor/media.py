"""Whether videos can be decoded and encoded: FFmpeg's libraries, as PyAV brings them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from s3harness.doctor.check import Check, State

CODECS: tuple[tuple[str, Literal["r", "w"], State, str], ...] = (
    ("h264", "r", "broken", "decodes the usual videos"),
    ("hevc", "r", "note", "decodes videos of newer cameras and phones"),
    ("mpeg4", "r", "note", "decodes older videos"),
    ("aac", "r", "broken", "decodes their sound"),
    ("libx264", "w", "note", "encodes video for engines that want files, and synthetic videos"),
    ("aac", "w", "note", "encodes sound for them"),
)
REINSTALL = "pip install --force-reinstall --only-binary av av"


def libraries() -> Iterator[Check]:
    """The versions of the libraries, and the codecs that are needed."""
    try:
        import av
        import av.codec
    except Exception as error:
        yield Check("media", "PyAV", f"cannot be imported: {type(error).__name__}: {error}", "broken", REINSTALL)
        return
    versions = ", ".join(f"{name} {'.'.join(map(str, v))}" for name, v in sorted(av.library_versions.items()))
    yield Check("media", "FFmpeg by PyAV", f"{av.__version__}: {versions}")
    for name, mode, state, what in CODECS:
        try:
            av.codec.Codec(name, mode)
        except Exception:
            yield Check("media", f"{name} ({mode})", f"is missing; it {what}", state, REINSTALL)
        else:
            yield Check("media", f"{name} ({mode})", what)
