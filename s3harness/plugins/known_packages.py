"""Names that the project's own packages bring, so that an error about one can name the package to install."""

from __future__ import annotations

OWN_PACKAGES = {
    ("backend", "kinematics"): "s3harness-kinematics",
    ("backend", "vllm"): "s3harness-vllm",
    ("backend", "openai"): "s3harness-openai",
    ("backend", "transformers"): "s3harness-transformers",
    ("command", "demo"): "s3harness[demo]",
    ("command", "data synth"): "s3harness-synth",
    ("command", "privacy"): "s3harness-privacy",
    ("dataset", "synthetic"): "s3harness-synth",
    ("executor", "ray"): "s3harness-ray",
    ("trainer", "trl"): "s3harness-trl",
    ("transform", "face_blur"): "s3harness-privacy",
    ("transform", "silhouette"): "s3harness-privacy",
    ("transform", "mute"): "s3harness-privacy",
    ("rqi_penalty", "redundancy"): "s3harness-redundancy",
}
"""(Kind, name) → what pip installs to have it: the package that registers it, or an extra where it needs others."""
