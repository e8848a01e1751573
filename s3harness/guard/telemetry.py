"""Telemetry of libraries, switched off before any of them is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping

SILENCE: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "LITELLM_TELEMETRY": "False",
    "WANDB_DISABLED": "true",
    "COMET_MODE": "DISABLED",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
"""Environment variables with the values that silence Hugging Face, vLLM, Ray, and what engines and trainers bring."""


def switch_off() -> None:
    """Set all variables of :data:`SILENCE`, whatever they were; child processes inherit them."""
    # Before the imports: most of these libraries read their variable once, when they are imported.
    os.environ.update(SILENCE)
