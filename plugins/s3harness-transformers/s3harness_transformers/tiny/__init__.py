"""Tiny random-weight models of the families of the model cards, made from configuration, offline, in seconds.

They are for tests of engines: a checkpoint that :func:`tiny_model` saves has the architecture, the processor, the
special tokens and the files of a real one, and about a million parameters, so that transformers, vLLM and others load
it as they load the real one. It understands nothing; its answers depend on clip and question.

From a shell: ``python -m s3harness_transformers.tiny qwen3-vl DIR``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import s3harness

if TYPE_CHECKING:
    from s3harness_transformers.tiny.checkpoint import TinyCheckpoint

FAMILIES = ("qwen2.5-vl", "qwen3-vl", "internvl3.5", "qwen2.5-omni", "qwen3-omni", "audio-flamingo")
"""The families of the model cards."""

OTHER_FAMILIES = (
    "qwen3.5",
    "glm-4.6v",
    "gemma-3",
    "gemma-4",
    "smolvlm",
    "llava-onevision",
    "minicpm-v-4.6",
    "qwen3",
)
"""Families without a card, each of which shows a clip in a way of its own; ``qwen3`` is of text alone."""

ALIASES = {"internvl": "internvl3.5", "audio-flamingo-3": "audio-flamingo"}


def tiny_model(family: str, directory: Path, *, seed: int = 0) -> Path:
    """Save a tiny model of a family in a directory, which is created if need be, and return the directory.

    The same family, seed and versions of torch and transformers give the same weights. Raises
    :class:`s3harness.UsageError` for an unknown family or one that the installed transformers does not have.
    """
    name = ALIASES.get(family, family)
    if name not in (*FAMILIES, *OTHER_FAMILIES):
        known = ", ".join((*FAMILIES, *OTHER_FAMILIES))
        raise s3harness.UsageError(f"there is no tiny model of {family!r}; there is one of {known}")
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with _quiet_transformers():
            _save(name, seed, directory)
    except ImportError as error:
        raise s3harness.UsageError(
            f"a tiny {name} cannot be built here: {error}; install torch and a newer transformers"
        ) from error
    return directory


def _save(family: str, seed: int, directory: Path) -> None:
    import torch

    from s3harness_transformers.tiny import audio_models, recent_models, vision_models

    builders: dict[str, Callable[[], TinyCheckpoint]] = {
        "qwen2.5-vl": vision_models.qwen2_5_vl,
        "qwen3-vl": vision_models.qwen3_vl,
        "internvl3.5": vision_models.internvl,
        "qwen2.5-omni": audio_models.qwen2_5_omni,
        "qwen3-omni": audio_models.qwen3_omni,
        "audio-flamingo": audio_models.audio_flamingo_3,
        "qwen3.5": recent_models.qwen3_5,
        "glm-4.6v": recent_models.glm_4_6v,
        "gemma-3": recent_models.gemma_3,
        "gemma-4": recent_models.gemma_4,
        "smolvlm": recent_models.smolvlm,
        "llava-onevision": recent_models.llava_onevision,
        "minicpm-v-4.6": recent_models.minicpm_v_4_6,
        "qwen3": recent_models.qwen3_text,
    }
    # The caller's random state stays as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        builders[family]().save(directory)


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Switch off progress bars and warnings of transformers."""
    # Among them those of the talker that an omni model is built without.
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
