"""A checkpoint → the model card that its configuration files amount to, each value with the place that it comes from.

Nothing is deduced from a name: the files say what a model takes, and :mod:`~s3harness.specs.derivation.families` what
they leave to the code of a processor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from s3harness.specs.derivation.checkpoint import (
    CONFIG,
    GENERATION,
    PROCESSOR,
    TOKENIZER,
    Checkpoint,
    Fact,
    first,
    number,
    whole,
)
from s3harness.specs.derivation.families import FILE, FamilyRule, family_rule
from s3harness.specs.derivation.parameters import parameters_b
from s3harness.specs.derivation.templates import chat_template_facts
from s3harness.specs.derivation.vision import has_video, has_vision, vision_facts
from s3harness.specs.geometry import AudioGeometry, TextGeometry, Thinking, VisionGeometry
from s3harness.specs.model_card import ModelCard

SAMPLING = ("do_sample", "temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""Settings of a generation_config that determine how an answer is sampled."""

WHOLE = "a whole number from 1 to 1e9"
CHOSEN = "the harness's default"

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedCard:
    """A card, the source of each of its values by field (``vision.patch_size``), and what a user should know of it."""

    card: ModelCard
    sources: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def named(self, name: str, **changes: Any) -> DerivedCard:
        """Return the same under another name, with further fields of the card changed."""
        return replace(self, card=replace(self.card, name=name, **changes))


def derive(checkpoint: Checkpoint) -> DerivedCard:
    """Derive the card of a checkpoint; its name is the family's until it gets another.

    Raises :class:`UsageError` for a value that is not what it should be, with file and field.
    """
    model_type = _model_type(checkpoint)
    # Omni models of Qwen have one model_type for the whole and one for the part that writes; both are in the table.
    rule = family_rule(model_type.value)
    facts = {"model_type": model_type, "family": _family(model_type, rule), "prompt_placement": Fact("", CHOSEN)}
    facts |= _given(
        architecture=_architecture(checkpoint),
        context_length=_context_length(checkpoint, rule),
        parameters_b=parameters_b(checkpoint),
    )
    notes: list[str] = []
    modalities = _modalities(checkpoint)
    facts |= modalities
    takes = tuple(name for name in ("video", "audio") if name in modalities)
    records: dict[str, Any] = {}
    if "video" in takes:
        is_video = has_video(checkpoint)
        facts["clip_form"] = is_video or Fact("images", "no processor of videos in its files")
        vision = vision_facts(checkpoint, rule, is_video=is_video is not None, notes=notes)
        records["vision"] = _record("vision", VisionGeometry, vision, facts)
    if "audio" in takes:
        records["audio"] = _record("audio", AudioGeometry, _audio(checkpoint, rule, notes), facts)
    records["text"] = _record("text", TextGeometry, _text(checkpoint, rule), facts)
    records |= _of_template(checkpoint, rule, facts, notes)
    if not takes:
        notes.append("the model takes text alone: it sees no video and hears no sound")
    sampling, sources = _sampling(checkpoint)
    card = ModelCard(
        facts["family"].value,
        title=facts["family"].value,
        modalities=takes,
        generation=sampling,
        **{name: facts[name].value for name in _SIMPLE if name in facts},
        **{name: record for name, record in records.items() if record is not None},
    )
    return DerivedCard(
        card=card,
        sources={name: fact.source for name, fact in facts.items() if name not in ("video", "audio")}
        | {"modalities": "; ".join(fact.source for fact in modalities.values()) or "no part that sees or hears"}
        | sources,
        notes=tuple(notes),
    )


_SIMPLE = ("parameters_b", "model_type", "family", "architecture", "context_length", "clip_form")


def _given(**facts: Fact | None) -> dict[str, Fact]:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _model_type(checkpoint: Checkpoint) -> Fact:
    config = checkpoint.files[CONFIG]
    value = config.data.get("model_type")
    # It becomes a name in cards and manifests: no path, no control character.
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise config.error("model_type", "the name of a kind of model, such as qwen3_vl")
    return Fact(value, config.source("model_type"))


def _family(model_type: Fact, rule: FamilyRule) -> Fact:
    if rule.family:
        return Fact(rule.family, f"{FILE}: {model_type.value}")
    return Fact(model_type.value.lower().replace("_", "-"), model_type.source)


def _architecture(checkpoint: Checkpoint) -> Fact | None:
    config = checkpoint.files[CONFIG]
    names = config.data.get("architectures")
    if names is None:
        return None
    if not isinstance(names, list) or not names or not isinstance(names[0], str) or not _IDENTIFIER.fullmatch(names[0]):
        raise config.error("architectures", "a list that begins with the name of a class")
    return Fact(names[0], config.source("architectures"))


def _context_length(checkpoint: Checkpoint, rule: FamilyRule) -> Fact | None:
    names = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "max_seq_len")
    if fact := first((checkpoint.text, checkpoint.config), names, whole, WHOLE):
        return fact
    if rule.context_length:
        return Fact(rule.context_length, FILE)
    # Tokenizers without a limit have 1e30 here.
    section = checkpoint.files.get(TOKENIZER)
    limit = whole(section.data.get("model_max_length")) if section else None
    return Fact(limit, section.source("model_max_length")) if section and limit else None


def _modalities(checkpoint: Checkpoint) -> dict[str, Fact]:
    """Return ``video`` and ``audio``, as far as there is a part that takes them, with the evidence."""
    modalities = {}
    if (source := has_vision(checkpoint)) is not None:
        modalities["video"] = Fact("video", source)
    if (source := _hears(checkpoint)) is not None:
        modalities["audio"] = Fact("audio", source)
    return modalities


def _hears(checkpoint: Checkpoint) -> str | None:
    config = checkpoint.config
    if checkpoint.audio is not None:
        return f"{checkpoint.audio.file}: {'.'.join(checkpoint.audio.where)}"
    for name in ("audio_token_id", "audio_token_index"):
        if config.has(name):
            return config.source(name)
    processor = checkpoint.audio_processor
    return processor.source("feature_extractor_type") if processor is not None else None


def _audio(checkpoint: Checkpoint, rule: FamilyRule, notes: list[str]) -> dict[str, Fact]:
    if rule.audio_tokens_per_s is None:
        notes.append("tokens of sound are not counted: the files do not say how many a second makes")
        return {}
    facts = {"tokens_per_s": Fact(rule.audio_tokens_per_s, FILE)}
    sections = (checkpoint.files.get(PROCESSOR), checkpoint.audio_processor)
    limit = first(sections, (rule.audio_max_s,), number, "a number of seconds") if rule.audio_max_s else None
    default = Fact(rule.audio_max_s_default, FILE) if rule.audio_max_s_default else None
    return facts | _given(max_s=limit or default)


def _text(checkpoint: Checkpoint, rule: FamilyRule) -> dict[str, Fact]:
    text = (checkpoint.text,)
    heads = first(text, ("num_attention_heads", "n_head"), whole, WHOLE) or _of_rule(rule.heads)
    # Without heads of their own for keys and values, each attention head has one.
    kv_heads = first(text, ("num_key_value_heads", "num_kv_heads"), whole, WHOLE) or _of_rule(rule.kv_heads) or heads
    head_dim = first(text, ("head_dim",), whole, WHOLE) or _of_rule(rule.head_dim)
    hidden = first(text, ("hidden_size", "n_embd"), whole, WHOLE)
    if head_dim is None and hidden and heads and hidden.value >= heads.value:
        head_dim = Fact(hidden.value // heads.value, f"{hidden.source} / attention heads")
    layers = first(text, ("num_hidden_layers", "n_layer"), whole, WHOLE)
    facts = _given(layers=layers, heads=heads, kv_heads=kv_heads, head_dim=head_dim)
    return facts if len(facts) == len(TextGeometry.__dataclass_fields__) else {}


def _of_rule(value: int | None) -> Fact | None:
    return None if value is None else Fact(value, FILE)


def _of_template(checkpoint: Checkpoint, rule: FamilyRule, facts: dict[str, Fact], notes: list[str]) -> dict[str, Any]:
    """Return the records of the chat template, and note its sources."""
    if not checkpoint.template:
        notes.append("there is no chat template: engines that need one cannot put a question to the model")
        return {}
    template, thinking, problem = chat_template_facts(checkpoint.template)
    notes += [problem] if problem else []
    facts["chat_template"] = Fact(template, checkpoint.template_source)
    if thinking is not None:
        facts["thinking"] = Fact(thinking, checkpoint.template_source)
    elif rule.thinks:
        thinking = Thinking(by_default=True)
        facts["thinking"] = Fact(thinking, FILE)
    return {"chat_template": template, "thinking": thinking}


def _sampling(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, str]]:
    section = checkpoint.files.get(GENERATION)
    if section is None:
        return {}, {}
    values = {}
    for name in filter(section.has, SAMPLING):
        value = section.data[name]
        # 0 and false are settings too: a temperature of 0 is greedy.
        if not isinstance(value, bool) and value != 0 and number(value) is None:
            raise section.error(name, "a number or a truth value")
        values[name] = value
    return values, {"generation": section.file} if values else {}


def _record(name: str, cls: type, values: Mapping[str, Fact], facts: dict[str, Fact]) -> Any:
    """Return a record of a card, ``None`` without a value; note where its values come from."""
    facts |= {f"{name}.{key}": fact for key, fact in values.items()}
    return cls(**{key: fact.value for key, fact in values.items()}) if values else None
