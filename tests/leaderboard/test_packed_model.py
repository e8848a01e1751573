"""What a submission says of its model: open weights are known of a card's own weights alone, unless somebody says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call

CARD = {"name": "qwen3-vl-8b", "revision": None, "family": "qwen3-vl", "modalities": ["video"]}


@pytest.mark.parametrize(
    ("model", "options", "is_open", "title"),
    [
        ({**CARD, "weights": "Qwen/Qwen3-VL-8B-Instruct"}, (), True, "Qwen3-VL-8B"),
        ({**CARD, "weights": "local:0123456789abcdef"}, (), None, "Qwen3-VL-8B, other weights"),
        ({**CARD, "weights": "local:0123456789abcdef"}, ("--open-weights",), True, "Qwen3-VL-8B, other weights"),
        ({**CARD, "name": "mine", "weights": None}, (), None, "mine"),
        ({**CARD, "name": "mine", "weights": None}, ("--closed-weights",), False, "mine"),
        ({**CARD, "name": "seizure-omni-sft-7b", "weights": None}, (), False, "seizure-omni-sft-7B"),
    ],
)
def test_open_weights(
    model: dict[str, object], options: tuple[str, ...], is_open: bool | None, title: str, copied: Path
) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["run"]["model"] |= model
    (copied / "manifest.json").write_text(json.dumps(manifest))
    result = call("submit", "pack", copied, "--out", copied.parent / "out", *options)
    assert result.exit_code == 0, result.output
    told = json.loads((copied.parent / "out" / "submission.json").read_text())["model"]
    assert (told["open_weights"], told["title"], told["weights"]) == (is_open, title, model["weights"])
