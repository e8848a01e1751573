"""Scores of the answers' tokens: the output head runs on their positions alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s3harness_trl.parts import base_of


def answer_logits(model: Any, unwrapped: Any, inputs: Mapping[str, Any], length: int, **arguments: Any) -> Any:
    """Run a model and return its output, with ``logits`` of the last ``length`` tokens: rows × length × vocabulary.

    TRL 1.16 replaces the head by one of its own, which reads ``last_hidden_state``: the part of omni models that writes
    text does not return it. All logits of a video's prompt would take gigabytes.
    """
    head = base_of(unwrapped).get_output_embeddings()
    # A token is predicted at the position before it.
    hook = head.register_forward_pre_hook(lambda _, args: (args[0][:, -length - 1 : -1], *args[1:]))
    try:
        return model(**inputs, use_cache=False, **arguments)
    finally:
        hook.remove()


def logprobs_and_entropy(logits: Any, tokens: Any) -> tuple[Any, Any]:
    """Log-probabilities of tokens, and the entropy of the distributions that they come from (no gradient), in nats."""
    import torch

    logprobs = logits.float().log_softmax(-1)
    with torch.no_grad():
        entropy = -(logprobs.exp() * logprobs).sum(-1)
    return logprobs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1), entropy
