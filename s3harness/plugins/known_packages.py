"""Names that the project's own packages bring, so that an error about one can name the package to install."""

from __future__ import annotations

OWN_PACKAGES = {
    ("backend", "vllm"): "s3harness-vllm",
    ("backend", "openai"): "s3harness-openai",
    ("backend", "transformers"): "s3harness-transformers",
    ("executor", "ray"): "s3harness-ray",
    ("trainer", "trl"): "s3harness-trl",
    ("transform", "face_blur"): "s3harness-privacy",
    ("transform", "silhouette"): "s3harness-privacy",
    ("transform", "mute"): "s3harness-privacy",
    ("rqi_penalty", "redundancy"): "s3harness-redundancy",
}
"""(Kind, name) → the package that registers it."""
