"""Read JSON that somebody else wrote within bounds, and write files whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from s3harness.errors import S3HarnessError

MAX_DEPTH = 100
"""Lists and mappings inside each other; what walks a value later on takes a few calls for each."""
MAX_DIGITS = 300
"""Digits of a whole number; one with more cannot become a float."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; bytes may be UTF-8, UTF-16 or UTF-32.

    Raises :class:`ValueError` for what is no JSON, for nesting deeper than :data:`MAX_DEPTH` and for whole numbers of
    more than :data:`MAX_DIGITS` digits. NaN and infinities are read as :func:`json.loads` reads them. An escaped half
    of a surrogate pair, which no file can hold as UTF-8, becomes a question mark.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(value)
    return _without_surrogates(value) if _SURROGATE.search(text) else value


def write_json(path: Path, data: object) -> None:
    """Write JSON as a whole or not at all: the same bytes for the same data, NaN refused."""
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str | Iterable[str], *, is_private: bool = False) -> None:
    """Write a text, or its pieces one after the other, as a whole or not at all.

    A private file can be read by its owner alone. Raises :class:`S3HarnessError` if the disk refuses.
    """
    with atomic_write(path, is_private=is_private) as file:
        file.writelines([text] if isinstance(text, str) else text)


@contextmanager
def atomic_write(path: Path, *, is_private: bool = False) -> Iterator[TextIO]:
    """Yield a file that replaces ``path`` on leaving without an error, and disappears otherwise.

    Raises :class:`S3HarnessError` if the disk refuses.
    """
    # The unfinished file always has the same name, so that the next writer takes away what a kill left behind.
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        mode = 0o600 if is_private else 0o666
        # The mode is set on opening: a chmod afterwards would leave a moment in which anyone could read the file.
        with open(temporary, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise S3HarnessError(f"{path} cannot be written: {error.strerror}") from error
        raise


def digest(words: Iterable[str]) -> str:
    """SHA-256 of a set of words, in hexadecimal."""
    return hashlib.sha256("\n".join(sorted(set(words))).encode()).hexdigest()


def _check_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            part
            for outer in level
            for part in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(part, dict | list)
        ]
    if level:
        raise ValueError(_TOO_DEEP)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(part) for key, part in value.items()}
    return value


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits; at most {MAX_DIGITS} are taken")
    return int(digits)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
_DECODER = json.JSONDecoder(parse_int=_whole_number)
