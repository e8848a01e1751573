"""Checks that videos can be decoded and encoded, with the FFmpeg libraries in PyAV's wheel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from s3harness.doctor.check import Check, State

CODECS: tuple[tuple[str, Literal["r", "w"], State, str], ...] = (
    ("h264", "r", "broken", "decodes the usual videos"),
    ("hevc", "r", "note", "decodes videos of newer cameras and phones"),
    ("mpeg4", "r", "note", "decodes older videos"),
    ("aac", "r", "broken", "decodes the usual audio"),
    ("libx264", "w", "note", "encodes video for engines that want files, and synthetic videos"),
    ("aac", "w", "note", "encodes audio for engines that want files, and synthetic videos"),
)
# Wheels alone: a build from source links the system's FFmpeg, which may lack codecs.
REINSTALL = "pip install --force-reinstall --only-binary av av"


def libraries() -> Iterator[Check]:
    """Yield checks of the libraries' versions and of the needed codecs."""
    try:
        import av
        import av.codec
    except Exception as error:  # a wrong FFmpeg beside the wheel fails with errors of the linker, of many types
        yield Check("media", "PyAV", f"cannot be imported: {type(error).__name__}: {error}", "broken", REINSTALL)
        return
    versions = ", ".join(f"{name} {'.'.join(map(str, v))}" for name, v in sorted(av.library_versions.items()))
    yield Check("media", "FFmpeg by PyAV", f"{av.__version__}: {versions}")
    for name, mode, state, what in CODECS:
        try:
            av.codec.Codec(name, mode)
        except Exception:
            yield Check("media", f"{name} ({mode})", f"missing; it {what}", state, REINSTALL)
        else:
            yield Check("media", f"{name} ({mode})", what)
