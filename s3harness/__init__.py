"""An evaluation harness for multimodal language models on clinical video.

The names below are what a plugin may import. All but errors and hooks are loaded when they are first asked for, so
that a command that lists plugins does not wait for them.
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

if TYPE_CHECKING:
    from s3harness.aggregators.aggregate import Aggregate
    from s3harness.analysis.evidence import share_interval
    from s3harness.backends.base import Backend, Limits, Truth
    from s3harness.backends.closed import ClosedAnswer, Token, choice_probabilities, closed_answer
    from s3harness.dataset.load import load_dataset
    from s3harness.dataset.run_card import read_card
    from s3harness.diagnosis.classifier import Classifier
    from s3harness.files import parse_json
    from s3harness.media import Frames, Jpegs, MediaStore
    from s3harness.media.transform import Transform
    from s3harness.metrics.base import ItemMean, Metric, Pair, safe_ratio
    from s3harness.metrics.rqi.judge import Judge
    from s3harness.metrics.rqi.penalties import Penalty, PenaltyContext
    from s3harness.metrics.rqi.structure import Evidence, ReportStructure
    from s3harness.network import Guard, remote_hosts
    from s3harness.parsers.reading import Reading
    from s3harness.plugins import Registrar
    from s3harness.probes.probe import Asked, Expected, Probe
    from s3harness.run.execute import Execution
    from s3harness.run.manifest import RunInfo
    from s3harness.run.plan import Step, VideoPlan
    from s3harness.run.recipe import Recipe, media_store
    from s3harness.run.worker import Worker
    from s3harness.rundir.identities import config_hash, public_name
    from s3harness.specs.models import ModelCard
    from s3harness.training.job import TrainingJob
    from s3harness.training.monitor import Said
    from s3harness.training.rewards import reward_function
    from s3harness.training.samples import Sample
    from s3harness.training.shown import image_messages
    from s3harness.types import (
        Answer,
        Clip,
        FeatureLabel,
        Generation,
        Interval,
        Modality,
        Prediction,
        Reference,
        Request,
        Response,
        Score,
        Sent,
        Video,
    )

__version__ = "0.1.0"

_LAZY = {
    "Aggregate": "s3harness.aggregators.aggregate",
    "Answer": "s3harness.types",
    "Asked": "s3harness.probes.probe",
    "Backend": "s3harness.backends.base",
    "Classifier": "s3harness.diagnosis.classifier",
    "Clip": "s3harness.types",
    "ClosedAnswer": "s3harness.backends.closed",
    "Evidence": "s3harness.metrics.rqi.structure",
    "Execution": "s3harness.run.execute",
    "Expected": "s3harness.probes.probe",
    "FeatureLabel": "s3harness.types",
    "Frames": "s3harness.media",
    "Generation": "s3harness.types",
    "Guard": "s3harness.network",
    "Interval": "s3harness.types",
    "ItemMean": "s3harness.metrics.base",
    "Jpegs": "s3harness.media",
    "Judge": "s3harness.metrics.rqi.judge",
    "Limits": "s3harness.backends.base",
    "MediaStore": "s3harness.media",
    "Metric": "s3harness.metrics.base",
    "Modality": "s3harness.types",
    "ModelCard": "s3harness.specs.models",
    "Pair": "s3harness.metrics.base",
    "Penalty": "s3harness.metrics.rqi.penalties",
    "PenaltyContext": "s3harness.metrics.rqi.penalties",
    "Prediction": "s3harness.types",
    "Probe": "s3harness.probes.probe",
    "Reading": "s3harness.parsers.reading",
    "Recipe": "s3harness.run.recipe",
    "Reference": "s3harness.types",
    "Registrar": "s3harness.plugins",
    "ReportStructure": "s3harness.metrics.rqi.structure",
    "Request": "s3harness.types",
    "Response": "s3harness.types",
    "RunInfo": "s3harness.run.manifest",
    "Said": "s3harness.training.monitor",
    "Sample": "s3harness.training.samples",
    "Score": "s3harness.types",
    "Sent": "s3harness.types",
    "Step": "s3harness.run.plan",
    "Token": "s3harness.backends.closed",
    "TrainingJob": "s3harness.training.job",
    "Transform": "s3harness.media.transform",
    "Truth": "s3harness.backends.base",
    "Video": "s3harness.types",
    "VideoPlan": "s3harness.run.plan",
    "Worker": "s3harness.run.worker",
    "choice_probabilities": "s3harness.backends.closed",
    "closed_answer": "s3harness.backends.closed",
    "config_hash": "s3harness.rundir.identities",
    "image_messages": "s3harness.training.shown",
    "load_dataset": "s3harness.dataset.load",
    "media_store": "s3harness.run.recipe",
    "parse_json": "s3harness.files",
    "public_name": "s3harness.rundir.identities",
    "read_card": "s3harness.dataset.run_card",
    "remote_hosts": "s3harness.network",
    "reward_function": "s3harness.training.rewards",
    "safe_ratio": "s3harness.metrics.base",
    "share_interval": "s3harness.analysis.evidence",
}

__all__ = [
    "Aggregate",
    "Answer",
    "Asked",
    "Backend",
    "Classifier",
    "Clip",
    "ClosedAnswer",
    "DatasetError",
    "Evidence",
    "Execution",
    "Expected",
    "FeatureLabel",
    "Frames",
    "Generation",
    "Guard",
    "Interval",
    "ItemMean",
    "Jpegs",
    "Judge",
    "Limits",
    "MediaError",
    "MediaStore",
    "Metric",
    "Modality",
    "ModelCard",
    "Pair",
    "Penalty",
    "PenaltyContext",
    "PluginError",
    "Prediction",
    "Probe",
    "Reading",
    "Recipe",
    "Reference",
    "Registrar",
    "ReportStructure",
    "Request",
    "Response",
    "RetryableError",
    "RunInfo",
    "S3HarnessError",
    "Said",
    "Sample",
    "Score",
    "Sent",
    "SpecError",
    "Step",
    "Token",
    "TrainingJob",
    "Transform",
    "Truth",
    "UsageError",
    "Video",
    "VideoPlan",
    "Worker",
    "choice_probabilities",
    "closed_answer",
    "config_hash",
    "hookimpl",
    "image_messages",
    "load_dataset",
    "media_store",
    "parse_json",
    "public_name",
    "read_card",
    "remote_hosts",
    "reward_function",
    "safe_ratio",
    "share_interval",
]


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 's3harness' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
