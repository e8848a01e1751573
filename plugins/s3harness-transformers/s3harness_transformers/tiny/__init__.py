"""Tiny random-weight models of the families of the model cards, made from configuration, offline, in seconds.

For whoever writes or tests an engine: what :func:`tiny_model` saves has the architecture, the processor, the special
tokens and the files of a real checkpoint, and about a million parameters, so that transformers, vLLM and others load it
as they load the real one. It understands nothing; its answers depend on what it is shown and asked.

From a shell: ``python -m s3harness_transformers.tiny qwen3-vl DIR``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import s3harness

if TYPE_CHECKING:
    from s3harness_transformers.tiny.parts import Tiny

FAMILIES = ("qwen2.5-vl", "qwen3-vl", "internvl3.5", "qwen2.5-omni", "qwen3-omni", "audio-flamingo")
"""The families of the model cards."""

ALIASES = {"internvl": "internvl3.5", "audio-flamingo-3": "audio-flamingo"}


def tiny_model(family: str, directory: Path, *, seed: int = 0) -> Path:
    """Save a tiny model of a family in a directory, which is made if need be, and return the directory.

    The same family, seed and versions of torch and transformers give the same weights. Raises
    :class:`s3harness.UsageError` for an unknown family or one that the installed transformers does not have.
    """
    name = ALIASES.get(family, family)
    if name not in FAMILIES:
        raise s3harness.UsageError(f"there is no tiny model of {family!r}; there is one of {', '.join(FAMILIES)}")
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with _silence():
            _make(name, seed, directory)
    except ImportError as error:
        raise s3harness.UsageError(
            f"a tiny {name} cannot be made here: {error}; install torch and a newer transformers"
        ) from error
    return directory


def _make(family: str, seed: int, directory: Path) -> None:
    import torch

    from s3harness_transformers.tiny import hearing, seeing

    make: dict[str, Callable[[], Tiny]] = {
        "qwen2.5-vl": seeing.qwen2_5_vl,
        "qwen3-vl": seeing.qwen3_vl,
        "internvl3.5": seeing.internvl,
        "qwen2.5-omni": hearing.qwen2_5_omni,
        "qwen3-omni": hearing.qwen3_omni,
        "audio-flamingo": hearing.audio_flamingo_3,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        make[family]().save(directory)


@contextmanager
def _silence() -> Iterator[None]:
    """Without progress bars and without warnings of parts that speak, which a tiny model does not have."""
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
