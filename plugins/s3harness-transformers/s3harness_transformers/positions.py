"""Positions of the text after a video, where the installed transformers has it begin before the video's end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

VIDEO = 2
"""The kind of a video's tokens in ``mm_token_type_ids``."""


def continue_after_videos(model: Any) -> None:
    """Have the positions of what follows a video begin after all positions of the video, as Qwen-VL was trained.

    ``get_rope_index`` of Qwen2-VL and Qwen2.5-VL continues after the height or the width of a video (transformers 5.3
    to 5.19, https://github.com/huggingface/transformers/issues/45381), so that the question to a long clip lies within
    the clip's time. Other versions and families are left as they are.
    """
    if model.config.model_type in ("qwen2_vl", "qwen2_5_vl"):
        model.model.get_rope_index = _continued(model.model.get_rope_index)


def _continued(get_rope_index: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    def corrected(
        input_ids: Any, mm_token_type_ids: Any, *args: Any, attention_mask: Any = None, **kwargs: Any
    ) -> tuple[Any, Any]:
        positions, deltas = get_rope_index(input_ids, mm_token_type_ids, *args, attention_mask=attention_mask, **kwargs)
        for row, kinds in enumerate(mm_token_type_ids):
            used = slice(None) if attention_mask is None else attention_mask[row].bool()
            of_row = positions[:, row, used]
            for end in _ends_of_videos(kinds[used].tolist()):
                # Not negative: a version that is right needs no shift.
                of_row[:, end:] += (of_row[:, :end].max() + 1 - of_row[:, end].min()).clamp(min=0)
            positions[:, row, used] = of_row
            deltas[row] = of_row.max() + 1 - of_row.shape[1]
        return positions, deltas

    return corrected


def _ends_of_videos(kinds: list[int]) -> list[int]:
    """The places of the tokens that follow a video."""
    return [place for place in range(1, len(kinds)) if kinds[place - 1] == VIDEO != kinds[place]]
