"""What a user can say of the servers and of how they are asked (``-o key=value``), and what a model card says of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast, get_args

import s3harness

Media = Literal["auto", "frames", "jpeg_sequence", "mp4"]
Labels = Literal["auto", "none", "seconds", "numbers"]
Image = Literal["jpeg", "png"]

OF_ENGINES = frozenset({"min_version", "dtype", "tensor_parallel_size", "max_model_len", "limit_mm_per_prompt"})
"""What a card may say of the engine behind the server; it is said where that is started."""


@dataclass(frozen=True, slots=True)
class Options:
    """``base_url`` are the addresses of servers of one model; ``model`` is the name by which they know it.

    ``answers_as`` is the name that their replies give the model, where that is another: a proxy's, say.

    ``media``: video as single images (``frames``), as JPEG pictures of one video (``jpeg_sequence``, vLLM), as a file
    (``mp4``); ``auto`` is what suits the server. ``labels`` stand as text before each of the single images.
    ``image`` is what a picture is encoded as, ``jpeg_quality`` from 1 to 95. ``media_ids`` sends a clip once and then
    by its id (vLLM). ``structured`` holds the server to the schema of the answer, ``logprobs`` asks for probabilities.

    ``in_flight`` requests are asked of a server at once at most, ``requests_per_minute`` of all together. A request is
    tried ``attempts`` times and may take ``timeout_s`` each time; a server that is away or busy is waited for,
    ``patience_s`` in all, which costs no attempt; ``wait_s`` is how long one may take to start. ``proxy`` is the
    address of a proxy; the environment's is not used. ``extra`` are further fields of each request.
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
    def of(said: Mapping[str, object], card: Mapping[str, object]) -> Options:
        """What the user said, over what the card says; :class:`s3harness.UsageError` for what is wrong."""
        of_card = {name: value for name, value in card.items() if name not in OF_ENGINES}
        return Options(**cast("Any", {name: _read(name, value) for name, value in {**of_card, **said}.items()}))

    def api_key(self) -> str:
        """The key of the named variable, empty if none is named; :class:`s3harness.UsageError` if it is not set."""
        if not self.api_key_env:
            return ""
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise s3harness.UsageError(f"the variable {self.api_key_env} of the environment holds no key")
        return key


def _read(name: str, value: object) -> object:
    if name not in _READERS:
        known = ", ".join(spec.name for spec in fields(Options))
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
