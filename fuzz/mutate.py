"""Changes to inputs: of bytes, of the values in JSON and YAML, of the cells in tables."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

from fuzz.inputs import Input

MAX_CHANGES = 4
MAX_BYTES = 2_000_000
DEEP = 100_000

TEXTS = (
    *(
        "",
        " ",
        "\n",
        "\x00",
        "\ufeff",
        "\u202e",
        "\u200b",
        "\ud800",
        "İ",
        "ß",
        "٣",
        "🧠",
        "..",
        "../x",
        "/etc/passwd",
        "a/b",
    ),
    *("NaN", "Infinity", "-Infinity", "1e300", "1e999", "-1", "0", "1e-400", "9" * 400, "9" * 5000, "00:37", "37,5"),
    *("null", "true", "yes", "no", "left", "ES", "NES", "tonic", "s3/task1_features", "strict", "v0001", "untested"),
    *("$ref", "#/$defs/x", "#", "http://127.0.0.1:9/x", "file:///etc/passwd", "^(a+)+$", "(?=a)", "{{ x }}", "{% for"),
    *("{{ features }}", "{{ clip.duration_s }}", "%s%s", "%.1f", "<think>", "</think>", "```json\n", "&a", "*a", "!!x"),
    *("a" * 10_000, "tonic " * 2_000, "1." * 3_000, "-" * 5_000, '"', "'", "\\", ",", ";", "\t", "=cmd", "<script>"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**290, 0.5, 1e300, -1e300, float("nan"), float("inf"), 1e-320),
    *([], {}, [[]], [{}], {"": ""}, [0] * 5, [None, "x"], ["left", 1.0], {"text": None}, {"$ref": "#"}, {"answer": []}),
)
SMALL = b"{}[]\":,'\\\n\r\t 0123456789.-+eE%<>/\x00\xff\xc3\xed\xa0"

Draw = random.Random


def mutated(draw: Draw, one: Input, pool: list[Input]) -> Input:
    """Return an input with up to :data:`MAX_CHANGES` changes, and now and then with a file of another one."""
    files = dict(one.files)
    if len(pool) > 1 and draw.random() < 0.05:
        other = draw.choice(pool).files
        name = draw.choice(sorted(other))
        files[name] = other[name]
    if len(files) > 1 and draw.random() < 0.03:
        del files[draw.choice(sorted(files))]
    for _ in range(draw.randint(1, MAX_CHANGES)):
        name = draw.choice(sorted(files))
        files[name] = _changed(draw, name, files[name])[:MAX_BYTES]
    return Input(one.target, files)


def _changed(draw: Draw, name: str, data: bytes) -> bytes:
    # Mostly by form: changes of bytes seldom get past the parser of JSON, YAML or CSV.
    by_form = _FORMS.get(name.rpartition(".")[2])
    if by_form and draw.random() < 0.75:
        try:
            return by_form(draw, data)
        # Not in this form, or a whole number that grew by earlier mutations beyond what a float or a text can hold.
        except (ValueError, OverflowError, RecursionError, csv.Error):
            pass
    return _bytes(draw, data)


def _bytes(draw: Draw, data: bytes) -> bytes:
    at = draw.randint(0, len(data))
    end = min(len(data), at + draw.choice((1, 1, 2, 4, 16, 64)))
    kind = draw.randrange(7)
    if kind == 0:
        return data[:at] + bytes([draw.choice(SMALL)]) + data[end:]
    if kind == 1:
        return data[:at] + data[end:]
    if kind == 2:
        return data[:at] + draw.choice(TEXTS).encode("utf-8", "surrogatepass") + data[at:]
    if kind == 3:
        return data[:end] + data[at:end] * draw.choice((1, 2, 100, 3_000)) + data[end:]
    if kind == 4:
        # Deep nesting, which recursive parsers overflow their stack by.
        return (
            data[:at] + draw.choice((b"[", b"{", b"(", b'{"a":', b"- ", b"<a>")) * draw.choice((50, DEEP)) + data[at:]
        )
    if kind == 5:
        return data[:at]
    return data[:at] + draw.randbytes(draw.choice((1, 4, 40))) + data[end:]


def _json(draw: Draw, data: bytes) -> bytes:
    return json.dumps(_value(draw, json.loads(data)), ensure_ascii=draw.random() < 0.7).encode(errors="surrogatepass")


def _lines(draw: Draw, data: bytes) -> bytes:
    # One line of many is changed, so that what is read line by line gets beyond the first.
    lines = data.splitlines(keepends=True)
    number = draw.randrange(len(lines) or 1)
    if not lines or draw.random() < 0.1:
        return b"".join(lines[:number] + lines[number : number + 1] * draw.randint(0, 3) + lines[number + 1 :])
    return b"".join([*lines[:number], _json(draw, lines[number]) + b"\n", *lines[number + 1 :]])


def _yaml(draw: Draw, data: bytes) -> bytes:
    import yaml

    try:
        value = yaml.load(data, yaml.CSafeLoader)
        return yaml.dump(_value(draw, value), allow_unicode=True, sort_keys=False).encode(errors="surrogatepass")
    except yaml.YAMLError as error:
        raise ValueError("no YAML") from error


def _table(draw: Draw, data: bytes) -> bytes:
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    if not rows or not rows[0]:
        raise ValueError("an empty table")
    row = draw.randrange(len(rows))
    column = draw.randrange(len(rows[row]) or 1)
    kind = draw.randrange(5)
    if kind <= 1:
        rows[row][column : column + 1] = [draw.choice(TEXTS)]
    elif kind == 2:
        rows[row][column:column] = [draw.choice(TEXTS)] * draw.choice((1, 1, 2_000))
    elif kind == 3:
        rows[row:row] = [list(draw.choice(rows))] * draw.choice((1, 2, 500))
    else:
        column = draw.randrange(len(rows[0]))
        rows = [[*cells[:column], *cells[column + 1 :]] for cells in rows]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=draw.choice(("\n", "\r\n"))).writerows(rows)
    return out.getvalue().encode(errors="surrogatepass")


_FORMS: dict[str, Callable[[Draw, bytes], bytes]] = {
    "json": _json,
    "jsonl": _lines,
    "yaml": _yaml,
    "csv": _table,
}


def _value(draw: Draw, value: Any) -> Any:
    """Return a copy of a value with one change somewhere in it."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    # A small chance at each level, so that most changes are made deep in a document.
    if not inner or draw.random() < 0.12:
        return _other(draw, value)
    key, part = draw.choice(inner)
    kind = draw.randrange(12)
    if kind > 3:
        part = _value(draw, part)
    if isinstance(value, list):
        changed = [*value[:key], *([] if kind == 0 else [part, part] if kind == 1 else [part]), *value[key + 1 :]]
        return changed if kind != 2 else changed * draw.choice((2, 30))
    if kind == 0:
        return {k: v for k, v in value.items() if k != key}
    if kind == 1:
        return value | {draw.choice(TEXTS): part}
    if kind == 2:
        return {(draw.choice(TEXTS) if k == key else k): v for k, v in value.items()}
    if kind == 3:
        return value | {key: draw.choice(inner)[1]}
    return value | {key: part}


def _other(draw: Draw, value: Any) -> Any:
    kind = draw.randrange(6)
    if kind == 0:
        return draw.choice(VALUES)
    if kind == 1 and isinstance(value, str):
        at = draw.randint(0, len(value))
        return value[:at] + draw.choice(TEXTS) + value[at + draw.randint(0, 3) :]
    if kind == 2 and isinstance(value, int | float) and not isinstance(value, bool):
        return draw.choice((-value, value + 1, value * 1_000_000, value / 3, str(value), [value]))
    if kind == 3:
        return draw.choice(([value], {"x": value}, [value] * 200, str(value)))
    if kind == 4:
        deep: Any = value
        # Below, at and above the bounds of the readers: 40 for specs, 100 for JSON.
        for _ in range(draw.choice((5, 60, 400))):
            deep = [deep] if draw.random() < 0.5 else {"a": deep}
        return deep
    return draw.choice(TEXTS)
