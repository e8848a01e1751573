"""Prompts: Jinja2 templates run in a sandbox, with strict names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from s3harness.errors import SpecError


def render(template: str, context: Mapping[str, Any]) -> str:
    """The prompt of a template, without surrounding white space.

    Raises :class:`SpecError` for a syntax error, an unknown name, or anything the sandbox refuses.
    """
    from jinja2 import TemplateError

    try:
        return str(_compiled(template).render(**context)).strip()
    except (TemplateError, TypeError, AttributeError) as error:
        raise SpecError(f"prompt: {error}; a prompt may use {', '.join(sorted(context))}") from error


@lru_cache(maxsize=256)
def _compiled(template: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        template
    )
