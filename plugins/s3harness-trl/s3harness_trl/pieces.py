"""Features of single frames or sounds: the mean of the tokens that a tower makes of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from s3harness_trl.loading import ModelParts
from s3harness_trl.parts import base_of

AUDIO_RATE_HZ = 16_000
EPSILON = 1e-6


def piece_features(parts: ModelParts, pieces: Any) -> Any:
    """The mean of each piece's tokens, normalised as the language model's first layer would, pieces × hidden size.

    ``pieces`` are frames, N × H × W × 3 of uint8, or sounds, N × samples of float32.
    """
    # Without the normalisation the classifier would read the length of tokens, which the language model never sees.
    import torch
    from torch.nn.functional import rms_norm

    encode = _method(parts.model, "get_audio_features" if pieces.ndim == 2 else "get_image_features")
    inputs = _sound_inputs(parts, pieces) if pieces.ndim == 2 else _frame_inputs(parts, pieces)
    output = encode(**_accepted(encode, {name: value.to(parts.model.device) for name, value in inputs.items()}))
    # By family an output object, a list of tensors with one for each piece, or one tensor of all of them.
    tokens = getattr(output, "pooler_output", None)
    if tokens is None:
        tokens = getattr(output, "last_hidden_state", output)
    if isinstance(tokens, torch.Tensor):
        tokens = tokens.reshape(len(pieces), -1, tokens.shape[-1])
    return torch.stack([rms_norm(of_piece, of_piece.shape[-1:], eps=EPSILON).mean(0) for of_piece in tokens])


def _frame_inputs(parts: ModelParts, pieces: Any) -> Mapping[str, Any]:
    return dict(parts.processor.image_processor(images=list(pieces), return_tensors="pt"))


def _sound_inputs(parts: ModelParts, pieces: Any) -> Mapping[str, Any]:
    extract = parts.processor.feature_extractor
    inputs = dict(
        extract(
            list(pieces),
            sampling_rate=AUDIO_RATE_HZ,
            padding="longest",
            return_attention_mask=True,
            return_tensors="pt",
        )
    )
    # The name under which the processors of omni models hand it on.
    return inputs | {"feature_attention_mask": inputs.pop("attention_mask")}


def _method(model: Any, name: str) -> Any:
    # Some classes have the method on the model inside of the one with the head.
    base = base_of(model)
    return getattr(base if hasattr(base, name) else base.model, name)


def _accepted(function: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    # Some processors return more than the tower takes, such as the number of tiles.
    names = inspect.signature(function).parameters
    return {name: value for name, value in inputs.items() if name in names}
