"""The decoding that a checkpoint's own generation settings describe, for the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3harness.specs.models import ModelCard
    from s3harness.types import Request

SETTINGS = ("do_sample", "temperature", "top_p", "top_k", "repetition_penalty")


def decoding_facts(of_model: Mapping[str, object]) -> dict[str, object]:
    """Return the fact ``own_decoding``: the checkpoint's ``generation_config``; no fact where it names no decoding."""
    own = {name: of_model[name] for name in SETTINGS if of_model.get(name) is not None}
    return {"own_decoding": own} if own else {}


def sent_settings(
    request: Request, model: ModelCard, of_model: Mapping[str, object], *, is_structured: bool
) -> dict[str, object]:
    """Return the settings of a call for ``Sent.settings``, those of generation that are off left out.

    ``of_model`` is the checkpoint's ``generation_config``; ``is_structured`` says that answers are held to their form.
    """
    generation = asdict(request.generation.completed(of_model))
    used = {name: value for name, value in generation.items() if value or name == "temperature"}
    placed = "text, then media" if model.prompt_placement == "text_first" else "media, then text"
    form = "json" if request.answer_schema is not None else "choice" if request.choices else ""
    return used | {"placement": placed} | ({"structured_outputs": form} if is_structured and form else {})
