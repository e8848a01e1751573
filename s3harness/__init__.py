"""An evaluation harness for multimodal language models on clinical video.

The names below are what a plugin may import. What needs a heavy library is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from s3harness.errors import (
    DatasetError,
    MediaError,
    PluginError,
    RetryableError,
    S3HarnessError,
    SpecError,
    UsageError,
)
from s3harness.hookspecs import hookimpl
from s3harness.types import (
    Answer,
    Clip,
    FeatureLabel,
    Generation,
    Interval,
    Prediction,
    Reference,
    Request,
    Response,
    Score,
    Video,
)

if TYPE_CHECKING:
    from s3harness.aggregators.aggregate import Aggregate
    from s3harness.backends.base import Backend, Limits
    from s3harness.media import Frames, MediaStore
    from s3harness.metrics.base import ItemMean, Metric, Pair
    from s3harness.parsers.reading import Reading
    from s3harness.specs.models import ModelCard

__version__ = "0.1.0"

_LAZY = {
    "Aggregate": "s3harness.aggregators.aggregate",
    "Backend": "s3harness.backends.base",
    "Frames": "s3harness.media",
    "ItemMean": "s3harness.metrics.base",
    "Limits": "s3harness.backends.base",
    "MediaStore": "s3harness.media",
    "Metric": "s3harness.metrics.base",
    "ModelCard": "s3harness.specs.models",
    "Pair": "s3harness.metrics.base",
    "Reading": "s3harness.parsers.reading",
}

__all__ = [
    "Aggregate",
    "Answer",
    "Backend",
    "Clip",
    "DatasetError",
    "FeatureLabel",
    "Frames",
    "Generation",
    "Interval",
    "ItemMean",
    "Limits",
    "MediaError",
    "MediaStore",
    "Metric",
    "ModelCard",
    "Pair",
    "PluginError",
    "Prediction",
    "Reading",
    "Reference",
    "Request",
    "Response",
    "RetryableError",
    "S3HarnessError",
    "Score",
    "SpecError",
    "UsageError",
    "Video",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 's3harness' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
