"""Names that the project's own packages bring, so that an error about one can name the package to install."""

from __future__ import annotations

FORMATS = ("elan", "boris", "edf", "bids", "label-studio")
OWN_PACKAGES = {
    ("backend", "kinematics"): "s3harness-kinematics",
    ("backend", "vllm"): "s3harness-vllm",
    ("backend", "openai"): "s3harness-openai",
    ("backend", "human_reader"): "s3harness-view",
    ("backend", "transformers"): "s3harness-transformers",
    ("command", "demo"): "s3harness[demo]",
    ("command", "data synth"): "s3harness-synth",
    ("command", "judgements"): "s3harness-view",
    ("command", "privacy"): "s3harness-privacy",
    ("command", "read"): "s3harness-view",
    ("command", "readers"): "s3harness-view",
    ("command", "view"): "s3harness-view",
    ("dataset", "synthetic"): "s3harness-synth",
    ("executor", "ray"): "s3harness-ray",
    ("executor", "reading_room"): "s3harness-view",
    **{("exporter", name): "s3harness-formats" for name in FORMATS},
    **{("dataset", name): "s3harness-formats" for name in FORMATS},
    ("trainer", "trl"): "s3harness-trl",
    ("trainer", "swift"): "s3harness-swift",
    ("transform", "face_blur"): "s3harness-privacy",
    ("transform", "silhouette"): "s3harness-privacy",
    ("transform", "mute"): "s3harness-privacy",
    ("rqi_penalty", "redundancy"): "s3harness-redundancy",
}
"""(Kind, name) → what pip installs to have it: the package that registers it, or an extra where it needs others."""
