"""Options that users give as ``name=value``: declared once as the fields of a dataclass, read and checked here.

The type of a field says which values it takes; ``Annotated`` narrows them::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class RayOptions:
        workers: Annotated[int, whole(0)] = 0
        gpus: Annotated[float, number(-1)] = -1
        address: str = ""

    options = read_options(RayOptions, "the ray executor", {"workers": 2})

A reader takes a value as YAML reads it and returns the value to keep; it raises :class:`ValueError` with the words for
what is expected.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from s3harness.errors import UsageError, suggest

Options = TypeVar("Options")
Reader = Callable[[object], object]


def read_options(kind: type[Options], owner: str, values: Mapping[str, object]) -> Options:
    """Return the options of a dataclass ``kind`` with the values given, and its defaults for the others.

    ``owner`` begins the error: "the ray executor". Raises :class:`UsageError` for an unknown name or a wrong value.
    """
    readers = _readers(kind)
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in readers:
            raise unknown_option(owner, name, readers)
        read[name] = read_value(owner, name, readers[name], value)
    return kind(**read)


def read_value(owner: str, name: str, reader: Reader, value: object) -> object:
    """Return the value of one option, read; raise :class:`UsageError` naming the option if it is wrong."""
    try:
        return reader(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{owner}'s option {name}: {error} is expected, not {value!r}") from None


def unknown_option(owner: str, name: str, known: Mapping[str, object]) -> UsageError:
    """Error for a name that is no option of the owner."""
    return UsageError(f"{owner} has no option {name!r}{suggest(name, list(known))}")


def switch(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def text(value: object) -> str:
    """Read a text; a number counts as the text that YAML read it from."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a word")
    return str(value)


def mapping(value: object) -> dict[str, object]:
    """Read fields with values."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("a mapping such as '{repetition_penalty: 1.05}'")
    return dict(value)


def one_of(*choices: str) -> Reader:
    """Return a reader of one of some words; YAML's null stands for the word ``none``."""

    def read(value: object) -> str:
        word = "none" if value is None else value
        if word not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return str(word)

    return read


def whole(low: int, high: int | None = None) -> Reader:
    """Return a reader of whole numbers from ``low`` to ``high``, both included."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not _lies_in(value, low, high):
            raise ValueError(f"a whole number {_range(low, high)}")
        return value

    return read


def number(low: float, high: float | None = None) -> Reader:
    """Return a reader of finite numbers from ``low`` to ``high``, both included."""

    def read(value: object) -> float:
        # YAML 1.1 reads 1e-4 as a word.
        candidate = _float(value) if isinstance(value, str) else value
        if isinstance(candidate, bool) or not isinstance(candidate, int | float) or not _lies_in(candidate, low, high):
            raise ValueError(f"a number {_range(low, high)}")
        return candidate

    return read


def seconds(value: object) -> float:
    """Read a number of seconds above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError("a number of seconds above 0")
    return value


def directory_with(file: str) -> Reader:
    """Return a reader of a directory that holds a file of this name."""

    def read(value: object) -> Path:
        path = Path(str(value))
        if not (path / file).is_file():
            raise ValueError(f"a directory with a file {file}")
        return path

    return read


def _readers(kind: type) -> dict[str, Reader]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _reader(hints[field.name]) for field in fields(kind) if field.init}


def _reader(hint: Any) -> Reader:
    if get_origin(hint) is Annotated:
        reader: Reader = next(part for part in hint.__metadata__ if callable(part))
        return reader
    if get_origin(hint) is Literal:
        return one_of(*get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        raise TypeError(f"{hint}: a field of several types needs Annotated with a reader")
    simple: dict[Any, Reader] = {bool: switch, str: text, int: whole(0), float: number(0)}
    return simple[hint]


def _float(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _lies_in(value: float, low: float, high: float | None) -> bool:
    return low <= value <= (float("inf") if high is None else high) and value != float("inf")


def _range(low: float, high: float | None) -> str:
    return f"from {low:g}" + ("" if high is None else f" to {high:g}")
