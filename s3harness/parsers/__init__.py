"""Parsers: from the text of a reply to a value, or to the reason for having none.

A parser is a function ``parser(text, **params) -> Reading``. It raises for no text, picks none of several different
answers, and makes up no value: a reply without a readable answer is ``unparsable``, with the reason, and is scored as a
wrong answer. A reply that declines is "a refusal", one that repeats the prompt "echoes the prompt"
(:mod:`s3harness.parsers.echo`, which scoring puts before every parser).

A parser should read what a careful person reads in a reply: ``tests/parsers/replies`` holds hundreds of examples.
"""

from __future__ import annotations

from s3harness.parsers.reading import Reading

__all__ = ["Reading"]
