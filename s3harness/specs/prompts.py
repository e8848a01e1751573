"""Prompts: Jinja2 templates of a small language, run in a sandbox, with strict names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from s3harness.errors import SpecError
from s3harness.specs.features import cached_per_vocabulary, vocabulary
from s3harness.specs.template_language import check_template

if TYPE_CHECKING:
    from s3harness.types import Clip

MAX_CHARACTERS = 100_000


def prompt_context(*, item: str, subject: str, hears: bool, clip: Clip, report: str) -> dict[str, Any]:
    """Names that a prompt may use; none tells the answer but the report, where the task gives it.

    ``subject``, ``hears``, ``clip`` (``duration_s``, ``frames``), the ``features`` that begin and end and that the
    model could notice, ``body_parts``; ``feature`` where the subject is one; ``report`` for ``video_and_report`` alone.
    """
    return _context(item, subject, hears, clip.end_s - clip.start_s, len(clip.timestamps), report)


def render(template: str, context: Mapping[str, Any]) -> str:
    """Render a template without surrounding white space.

    Raises :class:`SpecError` for a syntax error, an unknown name, or anything the sandbox refuses.
    """
    try:
        # generate() instead of render(): the pieces are counted before they are joined into one string.
        prompt = _bounded(_compiled(template).generate(**context)).strip()
    except SpecError:
        raise
    except Exception as error:
        # A template is untrusted, and rendering may raise whatever its filters do.
        problem = str(error) or type(error).__name__
        raise SpecError(f"prompt: {problem}; a prompt may use {', '.join(sorted(context))}") from error
    if not prompt:
        raise SpecError("prompt: the rendered prompt is empty")
    return prompt


def _bounded(pieces: Iterable[str]) -> str:
    """Join the pieces of a prompt, and stop as soon as they are too many characters."""
    parts: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_CHARACTERS:
            raise SpecError(f"prompt: it comes out longer than {MAX_CHARACTERS} characters; shorten it")
        parts.append(piece)
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class PromptParts:
    """The fixed parts of a template's prompt about a subject, whatever the clip.

    ``instructions`` are the texts that stand in the prompt of every subject, with and without sound; ``questions`` is
    the subject's own question if it has one; ``whole`` are the prompts with everything but the report filled in.
    """

    instructions: tuple[str, ...]
    questions: tuple[str, ...]
    whole: tuple[str, ...]


@cached_per_vocabulary(maxsize=1024)
def prompt_parts(template: str, item: str, subject: str) -> PromptParts | None:
    """Return the parts of a prompt for a subject; ``None`` where the template cannot be filled in without a clip."""
    # Clips have many lengths; a nominal one stands for all in a search for the prompt's words.
    contexts = [_context(item, subject, hears, NOMINAL_DURATION_S, NOMINAL_FRAMES, "") for hears in (False, True)]
    try:
        whole = tuple(dict.fromkeys(render(template, context) for context in contexts))
        blanked = dict.fromkeys(render(template, _blanked(context)) for context in contexts)
    except SpecError:
        return None
    instructions = dict.fromkeys(part for text in blanked for part in text.split(_BLANK))
    feature = contexts[0].get("feature")
    return PromptParts(tuple(instructions), (feature.question,) if feature else (), whole)


NOMINAL_DURATION_S = 60.0
NOMINAL_FRAMES = 60
# A character that no prompt has, so that splitting at it never cuts a prompt's own text.
_BLANK = "\x00"


def _blanked(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context with a mark in place of every word that depends on the subject or the video."""
    blank = dict.fromkeys(("title", "question", "definition", "statement"), _BLANK)
    out = {
        **context,
        "features": [replace(f, name=_BLANK, **blank) for f in context["features"]],
        "body_parts": [_BLANK],
    }
    if "feature" in context:
        out["feature"] = replace(context["feature"], **blank)
    return out | ({"report": _BLANK} if "report" in context else {})


def prompt_about(template: str, *, item: str, subject: str, hears: bool, clip: Clip, report: str) -> str:
    """Render a template about a subject in a clip; see :func:`prompt_context` and :func:`render`."""
    # Most templates name nothing of the clip: left out, the cache renders such a prompt once for all clips.
    names = _names(template)
    size = (clip.end_s - clip.start_s, len(clip.timestamps)) if "clip" in names else (0.0, 0)
    return _prompt(template, item, subject, hears, size, report if "report" in names else "")


@cached_per_vocabulary(maxsize=1024)
def _prompt(template: str, item: str, subject: str, hears: bool, size: tuple[float, int], report: str) -> str:
    return render(template, _context(item, subject, hears, *size, report))


def _context(item: str, subject: str, hears: bool, duration_s: float, frames: int, report: str) -> dict[str, Any]:
    words = vocabulary()
    context: dict[str, Any] = {
        "subject": subject,
        "hears": hears,
        # A model without audio would be told of signs that it cannot notice.
        "features": [f for f in words.features if f.has_interval and (hears or f.modality == "video")],
        "body_parts": words.body_parts,
        "clip": {"duration_s": duration_s, "frames": frames},
    }
    if subject in words.names:
        context["feature"] = words[subject]
    # Elsewhere the report would give the answer away.
    if item == "diagnosis" and subject == "video_and_report":
        context["report"] = report
    return context


@lru_cache(maxsize=256)
def _names(template: str) -> frozenset[str]:
    """Return the names that a template uses; all of them if it cannot be read, as rendering then raises the error."""
    from jinja2 import TemplateError, meta

    try:
        return frozenset(meta.find_undeclared_variables(_compiled("").environment.parse(template)))
    except TemplateError:
        return frozenset({"clip", "report"})


@lru_cache(maxsize=256)
def _compiled(template: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # The sandbox stays beneath the language: it keeps attributes such as __class__ out of reach.
    # StrictUndefined: a misspelled name is an error, not an empty text in a prompt.
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # range and other globals of Jinja2 make long loops of a short template.
    environment.globals.clear()
    check_template(environment, template)
    return environment.from_string(template)
