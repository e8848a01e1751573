"""Generation settings of a run in place of the tasks' own: sampling, limits, decoding and reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from s3harness.errors import UsageError
from s3harness.options import mapping, number, one_of, read_options, whole
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec

DEFAULT_THINKING_TOKENS = 8192
"""Tokens of reasoning with ``--thinking on``: a quarter of the output that the model cards of Qwen3 recommend."""

DEFAULT_SWITCH = "enable_thinking"
"""Variable of most chat templates that turns reasoning on or off, for a card that says nothing of it."""

OWNER = "--generation"


def _thinking(value: object) -> str | int:
    # YAML reads the bare words on and off as true and false.
    if isinstance(value, bool):
        return "on" if value else "off"
    if value in ("on", "off"):
        return str(value)
    if isinstance(value, int) and value > 0:
        return value
    raise ValueError("on, off, or a number of tokens above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """Settings of ``--generation``, in every task of the run; those that are not given are the task's own.

    ``temperature`` 0 is greedy. ``decoding`` is ``task``, or ``model`` for temperature, top_p, top_k and
    repetition_penalty as the checkpoint's ``generation_config`` has them. ``max_tokens`` limits the answer.
    ``thinking`` is ``on``, ``off``, or the most tokens of reasoning, which come on top of ``max_tokens``.
    ``chat_template_kwargs`` are variables of the chat template.
    """

    temperature: Annotated[float, number(0)] = 0.0
    top_p: Annotated[float, number(1e-6, 1)] = 1.0
    top_k: Annotated[int, whole(1)] = 1
    repetition_penalty: Annotated[float, number(1e-6)] = 1.0
    max_tokens: Annotated[int, whole(1)] = 512
    seed: Annotated[int, whole(0)] = 0
    decoding: Annotated[str, one_of("task", "model")] = "task"
    thinking: Annotated[str | int, _thinking] = ""
    chat_template_kwargs: Annotated[Mapping[str, object], mapping] = field(default_factory=dict)


def with_generation(
    specs: Mapping[str, TaskSpec], values: Mapping[str, object], model: ModelCard
) -> dict[str, TaskSpec]:
    """Return the specs with these generation settings in every task that asks; ``values`` as the user gives them.

    A model that reasons by default gets tokens for it also where nothing is given. Raises :class:`UsageError` for a
    setting that does not exist, and for one that the model's chat template does not have.
    """
    settings = _settings(values, model)
    return {name: TaskSpec(_changed(spec.data, settings)) if settings else spec for name, spec in specs.items()}


def _settings(values: Mapping[str, object], model: ModelCard) -> dict[str, Any]:
    """Return checked settings, by the names of :class:`~s3harness.types.Generation`."""
    options = read_options(GenerationOptions, OWNER, values)
    settings: dict[str, Any] = {each.name: getattr(options, each.name) for each in fields(options)}
    settings = {name: value for name, value in settings.items() if name in values}
    thinking = settings.pop("thinking", None)
    if thinking is not None:
        settings |= _reasoning(thinking, model, settings.get("chat_template_kwargs", {}))
    elif model.thinking is not None and model.thinking.by_default:
        settings |= {"thinking": True, "thinking_tokens": DEFAULT_THINKING_TOKENS}
    if settings.get("decoding") == "model":
        # Set to nothing, so that none of the task's own stands beside the checkpoint's.
        settings = dict.fromkeys(("temperature", "top_p", "top_k", "repetition_penalty")) | settings
    return settings


def _reasoning(thinking: str | int, model: ModelCard, variables: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that turn reasoning on or off; :class:`UsageError` where the model cannot do that."""
    is_on = thinking != "off"
    # A card that was derived knows the template; of others it is only known in the run whether reasoning comes.
    if model.thinking is None and model.chat_template is not None:
        raise UsageError(
            f"--thinking: the chat template of {model.name} has no reasoning; leave --thinking out, or name the "
            "template's variable by --generation 'chat_template_kwargs={NAME: true}'"
        )
    switch = DEFAULT_SWITCH if model.thinking is None else model.thinking.switch
    if not switch and not is_on:
        raise UsageError(f"--thinking: {model.name} always reasons, nothing in its chat template turns that off")
    if switch in variables:
        raise UsageError(f"thinking is given twice: by --thinking, and by {switch} in chat_template_kwargs")
    tokens = {"on": DEFAULT_THINKING_TOKENS, "off": 0}.get(str(thinking), thinking)
    switched = {"chat_template_kwargs": {**variables, switch: is_on}} if switch else {}
    return {"thinking": is_on, "thinking_tokens": tokens, **switched}


def _changed(data: Mapping[str, Any], settings: Mapping[str, object]) -> dict[str, Any]:
    # A task that reads the answers of another generates none.
    if "sampler" not in data:
        return dict(data)
    changed = {**data, "generation": {**data.get("generation", {}), **settings}}
    if "subjects" in data:
        # A subject may have settings of its own, which the task's would not replace.
        changed["subjects"] = {
            name: {**subject, "generation": {**subject.get("generation", {}), **settings}}
            for name, subject in data["subjects"].items()
        }
    return changed
