"""An evaluation harness for multimodal language models on clinical video.

A plugin may import the names of ``__init__.pyi`` from here, and nothing else of the package. Each is loaded when it is
first used, so that a command that lists plugins does not wait for them.
"""

from __future__ import annotations

import warnings

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_RENAMED: dict[str, str] = {"Asked": "ProbeSubject", "Recipe": "WorkerSpec", "Step": "ClipRequests"}
"""Old public name → the name that replaces it; an old one is kept for one release."""


def __getattr__(name: str) -> object:
    if name in _RENAMED:
        message = f"s3harness.{name} is now s3harness.{_RENAMED[name]}; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return _load(_RENAMED[name])
    return _load(name)
