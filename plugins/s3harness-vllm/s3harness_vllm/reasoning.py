"""Reasoning of thinking models in vLLM: its parser, its budget, and the start of the grammar of the answer after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import s3harness

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM

PARSER = "deepseek_r1"
"""The parser of vLLM for reasoning between ``<think>`` and ``</think>``, whatever the family."""

TAIL = 16
"""Tokens at the end of a prompt among which a chat template opens or closes the reasoning."""


def parser_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the engine arguments of a reasoning parser: the user's, or one for the marks in the vocabulary; or none.

    With a parser the grammar of an answer begins after the reasoning.
    """
    parser = arguments.get("reasoning_parser") or (PARSER if _has_marks(arguments) else "")
    if not parser:
        return {}
    from vllm.config import StructuredOutputsConfig

    form = arguments.get("structured_outputs_config") or {}
    # vLLM 0.32 sets the parser as an attribute of this argument, which a mapping does not take.
    config = StructuredOutputsConfig(**form) if isinstance(form, Mapping) else form
    return {"reasoning_parser": parser, "structured_outputs_config": config}


def _has_marks(arguments: Mapping[str, Any]) -> bool:
    """Return true if the vocabulary of the weights has the marks of reasoning."""
    from vllm.tokenizers import get_tokenizer

    try:
        vocabulary = get_tokenizer(
            arguments.get("tokenizer") or arguments["model"],
            revision=arguments.get("tokenizer_revision") or arguments.get("revision"),
            trust_remote_code=bool(arguments.get("trust_remote_code")),
        ).get_vocab()
    # A tokenizer that cannot be read stops the engine, which reports the reason itself.
    except Exception:
        return False
    return "<think>" in vocabulary and "</think>" in vocabulary


def can_limit_thinking(engine: AsyncLLM) -> bool:
    """Return true if the engine ends reasoning at a budget of tokens."""
    config = getattr(engine.vllm_config, "reasoning_config", None)
    return bool(config is not None and config.enabled)


def begins_in_reasoning(engine: AsyncLLM, tokens: Sequence[int], marks: s3harness.Thinking) -> bool:
    """Return true if a prompt ends within reasoning."""
    tokenizer = engine.renderer.tokenizer
    return tokenizer is not None and s3harness.begins_in_reasoning(tokenizer.decode(list(tokens[-TAIL:])), marks)


def reasoning_arguments(
    engine: AsyncLLM, request: s3harness.Request, prompt: Any, marks: s3harness.Thinking
) -> dict[str, bool]:
    """Return the argument of ``generate`` that lets the grammar of the answer wait for the end of the reasoning."""
    if not engine.vllm_config.structured_outputs_config.reasoning_parser:
        return {}
    waits = request.generation.thinking or begins_in_reasoning(engine, prompt.get("prompt_token_ids") or (), marks)
    # Said for each request: vLLM would let every answer wait for a mark that a model without reasoning never writes.
    return {"reasoning_ended": not waits}
