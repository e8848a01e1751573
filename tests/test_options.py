"""Options given as name=value: each field of a dataclass takes what its type says, and an error names the option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest

from s3harness.errors import UsageError
from s3harness.options import directory_with, mapping, number, one_of, read_options, seconds, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    name: str = "none"
    batch: Annotated[int, whole(1, 64)] = 4
    rate: float = 0.5
    warmth: Annotated[float, number(0, 2)] = 1.0
    timeout_s: Annotated[float, seconds] = 600.0
    logprobs: bool = True
    media: Literal["auto", "frames", "none"] = "auto"
    order: Annotated[str, one_of("up", "down")] = "up"
    adapter: Annotated[Path | None, directory_with("adapter_config.json")] = None
    extra: Annotated[dict[str, object], mapping] = field(default_factory=dict)


def test_defaults_stand_where_nothing_is_given():
    assert read_options(Engine, "the engine", {}) == Engine()


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("name", "lingshu", "lingshu"),
        ("name", 7, "7"),
        ("batch", 64, 64),
        ("rate", "1e-4", 1e-4),
        ("rate", 3, 3),
        ("warmth", 0, 0),
        ("timeout_s", 0.1, 0.1),
        ("logprobs", False, False),
        ("media", None, "none"),
        ("order", "down", "down"),
        ("extra", {"top_k": 5}, {"top_k": 5}),
    ],
)
def test_a_value_of_the_field_s_type_is_read(name, value, read):
    assert getattr(read_options(Engine, "the engine", {name: value}), name) == read


def test_a_directory_is_read_as_a_path(tmp_path):
    (tmp_path / "adapter_config.json").touch()
    assert read_options(Engine, "the engine", {"adapter": str(tmp_path)}).adapter == tmp_path


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", True, "the engine's option name: a word is expected, not True"),
        ("batch", 0, "the engine's option batch: a whole number from 1 to 64 is expected, not 0"),
        ("batch", 65, "from 1 to 64 is expected, not 65"),
        ("batch", 2.5, "a whole number from 1 to 64 is expected, not 2.5"),
        ("batch", True, "a whole number from 1 to 64 is expected, not True"),
        ("rate", -1, "a number from 0 is expected, not -1"),
        ("rate", float("nan"), "a number from 0 is expected, not nan"),
        ("rate", float("inf"), "a number from 0 is expected, not inf"),
        ("rate", "fast", "a number from 0 is expected, not 'fast'"),
        ("warmth", 2.1, "a number from 0 to 2 is expected, not 2.1"),
        ("timeout_s", 0, "a number of seconds above 0 is expected, not 0"),
        ("logprobs", "yes", "true or false is expected, not 'yes'"),
        ("media", "gif", "one of auto, frames, none is expected, not 'gif'"),
        ("order", "left", "one of up, down is expected, not 'left'"),
        ("adapter", "nowhere", "a directory with a file adapter_config.json is expected, not 'nowhere'"),
        ("extra", [1], "a mapping such as"),
        ("bach", 1, "the engine has no option 'bach'; did you mean batch?"),
    ],
)
def test_an_error_names_the_owner_the_option_and_what_is_expected(name, value, message):
    with pytest.raises(UsageError) as raised:
        read_options(Engine, "the engine", {name: value})
    assert message in str(raised.value)
