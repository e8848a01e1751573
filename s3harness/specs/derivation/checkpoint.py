"""The configuration files of a checkpoint, read within bounds: they are somebody else's, and none of them is code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from s3harness.errors import UsageError
from s3harness.files import parse_json

CONFIG = "config.json"
IMAGES = "preprocessor_config.json"
VIDEOS = "video_preprocessor_config.json"
PROCESSOR = "processor_config.json"
TOKENIZER = "tokenizer_config.json"
GENERATION = "generation_config.json"
TEMPLATE = "chat_template.jinja"
OLD_TEMPLATE = "chat_template.json"
INDEX = "model.safetensors.index.json"
FILES = (CONFIG, IMAGES, VIDEOS, PROCESSOR, TOKENIZER, GENERATION, TEMPLATE, OLD_TEMPLATE, INDEX)
"""All that a card is derived from; a checkpoint has some of them."""

MAX_BYTES = 32_000_000
"""Bytes of a file. The largest of these, the index of a model of 1,000 shards, has some megabytes."""
MAX_SIZE = 10**9
"""The largest size of anything in a configuration, such as tokens of context or pixels of a clip."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, and the place it comes from: file and field, or the table of families."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping in a configuration file, and the keys that lead to it."""

    file: str
    data: Mapping[str, Any]
    where: tuple[str, ...] = ()

    def part(self, *names: str) -> Section | None:
        """Return the mapping under the first of these names that there is; ``None`` without any.

        Raises :class:`UsageError` where something else than a mapping stands there.
        """
        name = next((name for name in names if self.data.get(name) is not None), None)
        if name is None:
            return None
        if not isinstance(self.data[name], Mapping):
            raise self.error(name, "a mapping")
        return Section(self.file, self.data[name], (*self.where, name))

    def has(self, *names: str) -> bool:
        """Return whether one of these names has a value."""
        return any(self.data.get(name) is not None for name in names)

    def source(self, name: str) -> str:
        """Return file and field, for a reader."""
        return f"{self.file}: {'.'.join((*self.where, name))}"

    def error(self, name: str, expected: str) -> UsageError:
        """Return an error about a field that is not what it should be."""
        shown = repr(self.data.get(name))
        return UsageError(
            f"{self.source(name)}: {shown if len(shown) < 60 else shown[:60] + '…'} is not {expected}; the checkpoint "
            "is damaged or of another format: write a model card by hand (task_specs/README.md)"
        )


@dataclass(frozen=True)
class Checkpoint:
    """The files of a checkpoint that were read: JSON by name, and the chat template, ``""`` without one."""

    directory: Path
    files: Mapping[str, Section] = field(default_factory=dict)
    template: str = ""
    template_source: str = ""

    @cached_property
    def config(self) -> Section:
        """The configuration of the part that sees, hears and writes text."""
        # Omni models of Qwen put what writes text beside what speaks.
        return self.files[CONFIG].part("thinker_config") or self.files[CONFIG]

    @cached_property
    def text(self) -> Section:
        """The configuration of the part that writes text."""
        return self.config.part("text_config", "llm_config", "language_config") or self.config

    @cached_property
    def vision(self) -> Section | None:
        """The configuration of the vision encoder."""
        return self.config.part("vision_config", "visual_config", "visual", "vision_encoder_config")

    @cached_property
    def audio(self) -> Section | None:
        """The configuration of the audio encoder."""
        return self.config.part("audio_config", "audio_encoder_config", "speech_config")

    @cached_property
    def video_processor(self) -> Section | None:
        """The configuration of a processor of videos, where there is one beside that of pictures."""
        whole = self.files.get(PROCESSOR)
        return self.files.get(VIDEOS) or (whole.part("video_processor") if whole else None)

    @cached_property
    def image_processor(self) -> Section | None:
        """The configuration of the processor of pictures."""
        whole = self.files.get(PROCESSOR)
        own = self.files.get(IMAGES)
        return own or (whole.part("image_processor") if whole else None)

    @cached_property
    def audio_processor(self) -> Section | None:
        """The configuration of what makes features of sound."""
        whole = self.files.get(PROCESSOR)
        nested = whole.part("feature_extractor", "audio_processor") if whole else None
        own = self.files.get(IMAGES)
        return nested or (own if own is not None and own.has("feature_extractor_type") else None)


def read_checkpoint(directory: Path) -> Checkpoint:
    """Read the configuration files in a directory.

    Raises :class:`UsageError` if there is no ``config.json``, and for a file that is too large or no JSON mapping.
    """
    if not (directory / CONFIG).is_file():
        raise UsageError(
            f"{directory}: there is no {CONFIG}; a directory written by save_pretrained or downloaded from the hub is "
            "expected"
        )
    names = (name for name in FILES if name != TEMPLATE and (directory / name).is_file())
    files = {name: Section(name, _mapping(directory / name)) for name in names}
    template, source = _template(directory, files)
    return Checkpoint(directory, files, template, source)


def first(
    sections: Iterable[Section | None], names: Sequence[str], take: Callable[[object], T | None], expected: str
) -> Fact | None:
    """Return the first of these fields that has a value, as ``take`` reads it; ``None`` if none has.

    Raises :class:`UsageError` where ``take`` cannot read it, which it says by ``None``.
    """
    for section in filter(None, sections):
        for name in names:
            if section.has(name):
                value = take(section.data[name])
                if value is None:
                    raise section.error(name, expected)
                return Fact(value, section.source(name))
    return None


def whole(value: object) -> int | None:
    """Return a whole number from 1 to :data:`MAX_SIZE`, ``None`` for anything else."""
    # type and not isinstance: true is an int in Python.
    return value if type(value) is int and 1 <= value <= MAX_SIZE else None


def side(value: object) -> int | None:
    """Return the longest side of a size: a number, ``[height, width]``, or a mapping with ``height`` and ``width``."""
    if isinstance(value, Mapping):
        value = [value.get("height"), value.get("width")]
    sides = [whole(part) for part in value] if isinstance(value, list) and len(value) == 2 else [whole(value)]
    return None if None in sides else max(part for part in sides if part is not None)


def number(value: object) -> float | None:
    """Return a positive number, ``None`` for anything else."""
    is_number = type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    return value if is_number and 0 < value <= MAX_SIZE else None  # type: ignore[operator,return-value]


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        value = parse_json(_bytes(path))
    # UnicodeDecodeError is a ValueError.
    except ValueError as error:
        raise UsageError(f"{path.name} of the model is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path.name} of the model: a mapping of fields is expected, not {type(value).__name__}")
    return value


def _bytes(path: Path) -> bytes:
    try:
        # Before reading: a file of 100 GB under this name would fill the memory.
        if (size := path.stat().st_size) > MAX_BYTES:
            raise UsageError(f"{path.name} of the model has {size} bytes; at most {MAX_BYTES} are read")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} of the model cannot be read: {error.strerror}") from error


def _template(directory: Path, files: Mapping[str, Section]) -> tuple[str, str]:
    """Return the chat template and its source; a file of its own takes the place of older forms, as in transformers."""
    if (directory / TEMPLATE).is_file():
        return _bytes(directory / TEMPLATE).decode("utf-8", errors="replace"), TEMPLATE
    for name in (OLD_TEMPLATE, PROCESSOR, TOKENIZER):
        template = files[name].data.get("chat_template") if name in files else None
        # Tokenizers may have several by name; transformers takes the one named default.
        if isinstance(template, list):
            named = {each.get("name"): each.get("template") for each in template if isinstance(each, Mapping)}
            template = named.get("default")
        if isinstance(template, str) and template:
            return template, f"{name}: chat_template"
    return "", ""
