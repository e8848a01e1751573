"""Options of the servers and of the requests, from ``-o key=value`` and from the model card."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast, get_args

import s3harness

Media = Literal["auto", "frames", "jpeg_sequence", "mp4"]
Labels = Literal["auto", "none", "seconds", "numbers"]
Image = Literal["jpeg", "png"]

ENGINE_OPTIONS = frozenset({"min_version", "dtype", "tensor_parallel_size", "max_model_len", "limit_mm_per_prompt"})
"""Entries of a card for the engine behind the server, which take effect where that is started and are ignored here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """Options of the backend.

    ``base_url`` are the addresses of servers of one model; ``model`` is its name there, where none of its names is the
    card's. ``answers_as`` is the name that their replies give the model, where that is another: a proxy's, say.

    ``media`` sends video as single images (``frames``), as JPEG images of one video (``jpeg_sequence``, vLLM) or as a
    file (``mp4``); ``auto`` is what suits the server. ``labels`` stand as text before each of the single images.
    ``image`` is the encoding of an image, ``jpeg_quality`` from 1 to 95. ``media_ids`` sends a clip once and then
    by its id (vLLM). ``structured`` holds the server to the schema of the answer, ``logprobs`` requests probabilities.

    ``in_flight`` is the largest number of requests at a server at once, ``requests_per_minute`` that of all together.
    A request is sent ``attempts`` times and may take ``timeout_s`` seconds each time; a server that is away or busy is
    waited for, ``patience_s`` seconds in all, which costs no attempt; ``wait_s`` is how long one may take to start.
    ``proxy`` is the address of a proxy; the environment's is not used. ``extra`` are further fields of each request.
    """

    base_url: tuple[str, ...] = ("http://localhost:8000/v1",)
    model: str = ""
    answers_as: str = ""
    api_key_env: str = ""
    media: Media = "auto"
    labels: Labels = "auto"
    image: Image = "jpeg"
    jpeg_quality: int = 90
    media_ids: bool = True
    structured: bool = True
    logprobs: bool = True
    in_flight: int = 16
    requests_per_minute: float = 0.0
    attempts: int = 5
    timeout_s: float = 600.0
    patience_s: float = 900.0
    wait_s: float = 0.0
    proxy: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def of(options: Mapping[str, object], card: Mapping[str, object]) -> OpenAIOptions:
        """Return the user's options over those of the card; :class:`s3harness.UsageError` for a wrong one."""
        of_card = {name: value for name, value in card.items() if name not in ENGINE_OPTIONS}
        return OpenAIOptions(
            **cast("Any", {name: _read(name, value) for name, value in {**of_card, **options}.items()})
        )

    def api_key(self) -> str:
        """Return the key in the named variable, empty if none is named.

        Raises :class:`s3harness.UsageError` if the variable is not set.
        """
        # Options hold the name of the variable and never the key, because the manifest records options.
        if not self.api_key_env:
            return ""
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise s3harness.UsageError(f"the environment variable {self.api_key_env} holds no key")
        return key


def _read(name: str, value: object) -> object:
    if name not in _READERS:
        known = ", ".join(spec.name for spec in fields(OpenAIOptions))
        hint = "; a key is given by the name of its variable, api_key_env" if "key" in name else ""
        raise s3harness.UsageError(f"the openai backend has no option {name!r}; it has {known}{hint}")
    try:
        return _READERS[name](value)
    except (TypeError, ValueError) as error:
        raise s3harness.UsageError(f"the openai backend's option {name}: {error}") from None


def _urls(value: object) -> tuple[str, ...]:
    given = [str(part) for part in value] if isinstance(value, list) else str(value).split(",")
    urls = tuple(dict.fromkeys(part.strip().rstrip("/") for part in given if part.strip()))
    if not urls:
        raise ValueError("at least one address is expected")
    return urls


def _text(value: object) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("a word is expected")
    return str(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _one_of(kind: object) -> Callable[[object], object]:
    def read(value: object) -> object:
        words = get_args(kind)
        word = "none" if value is None else value
        if word not in words:
            raise ValueError(f"one of {', '.join(words)} is expected")
        return word

    return read


def _number(low: float, high: float = float("inf")) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g}{f' to {high:g}' if high < float('inf') else ''} is expected")
        return value

    return read


def _whole(low: int, high: float = float("inf")) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int):
            raise ValueError("a whole number is expected")
        return int(_number(low, high)(value))

    return read


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("fields with values are expected, such as '{repetition_penalty: 1.05}'")
    return dict(value)


_READERS: Mapping[str, Callable[[object], object]] = {
    "base_url": _urls,
    "model": _text,
    "answers_as": _text,
    "api_key_env": _text,
    "media": _one_of(Media),
    "labels": _one_of(Labels),
    "image": _one_of(Image),
    "jpeg_quality": _whole(1, 95),
    "media_ids": _switch,
    "structured": _switch,
    "logprobs": _switch,
    "in_flight": _whole(1),
    "requests_per_minute": _number(0),
    "attempts": _whole(1),
    "timeout_s": _number(0.01),
    "patience_s": _number(0),
    "wait_s": _number(0),
    "proxy": _text,
    "extra": _mapping,
}
