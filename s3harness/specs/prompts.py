"""Prompts: Jinja2 templates of a small language, run in a sandbox, with strict names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from s3harness.errors import SpecError
from s3harness.specs.features import vocabulary
from s3harness.specs.template_language import check_template

if TYPE_CHECKING:
    from s3harness.types import Clip

MAX_CHARACTERS = 100_000


def prompt_context(*, item: str, subject: str, hears: bool, clip: Clip, report: str) -> dict[str, Any]:
    """What a prompt may speak of: nothing that tells the answer but the report, where the task gives it.

    ``subject``, ``hears``, ``clip`` (``duration_s``, ``frames``), the ``features`` that begin and end and that the
    model could notice, ``body_parts``; ``feature`` where the subject is one; ``report`` for ``video_and_report`` alone.
    """
    return _context(item, subject, hears, clip.end_s - clip.start_s, len(clip.timestamps), report)


def render(template: str, context: Mapping[str, Any]) -> str:
    """The prompt of a template, without surrounding white space.

    Raises :class:`SpecError` for a syntax error, an unknown name, or anything the sandbox refuses.
    """
    try:
        prompt = _bounded(_compiled(template).generate(**context)).strip()
    except SpecError:
        raise
    except Exception as error:
        problem = str(error) or type(error).__name__
        raise SpecError(f"prompt: {problem}; a prompt may use {', '.join(sorted(context))}") from error
    if not prompt:
        raise SpecError("prompt: the rendered prompt is empty")
    return prompt


def _bounded(pieces: Iterable[str]) -> str:
    """Join the pieces of a prompt, and stop as soon as they are too many characters."""
    kept: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_CHARACTERS:
            raise SpecError(f"prompt: the rendered prompt has more than {MAX_CHARACTERS} characters, the limit")
        kept.append(piece)
    return "".join(kept)


@dataclass(frozen=True, slots=True)
class PromptParts:
    """What a template says of a subject, whatever the clip.

    ``instructions`` are the texts it has for every subject, with and without sound, ``questions`` the subject's own
    question where it has one, and ``whole`` the prompts with all that is filled in but the report.
    """

    instructions: tuple[str, ...]
    questions: tuple[str, ...]
    whole: tuple[str, ...]


@lru_cache(maxsize=1024)
def prompt_parts(template: str, item: str, subject: str) -> PromptParts | None:
    """Return the parts of a prompt for a subject; ``None`` where the template cannot be filled in without a clip."""
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
_BLANK = "\x00"


def _blanked(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context with a mark for every word that is a subject's or a video's own."""
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
    """The prompt of a template about a subject in a clip; see :func:`prompt_context` and :func:`render`.

    Rendered once for all clips that it says the same of, and most templates say nothing of the clip.
    """
    names = _names(template)
    looks = (clip.end_s - clip.start_s, len(clip.timestamps)) if "clip" in names else (0.0, 0)
    return _prompt(template, item, subject, hears, looks, report if "report" in names else "")


@lru_cache(maxsize=1024)
def _prompt(template: str, item: str, subject: str, hears: bool, looks: tuple[float, int], report: str) -> str:
    return render(template, _context(item, subject, hears, *looks, report))


def _context(item: str, subject: str, hears: bool, duration_s: float, frames: int, report: str) -> dict[str, Any]:
    words = vocabulary()
    context: dict[str, Any] = {
        "subject": subject,
        "hears": hears,
        "features": [f for f in words.features if f.has_interval and (hears or f.modality == "video")],
        "body_parts": words.body_parts,
        "clip": {"duration_s": duration_s, "frames": frames},
    }
    if subject in words.names:
        context["feature"] = words[subject]
    if item == "diagnosis" and subject == "video_and_report":
        context["report"] = report
    return context


@lru_cache(maxsize=256)
def _names(template: str) -> frozenset[str]:
    """The names that a template speaks of, all of them if it cannot be read: rendering says what is wrong with it."""
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
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.clear()
    check_template(environment, template)
    return environment.from_string(template)
