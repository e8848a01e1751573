"""From what a model wrote to a value, or to the reason why there is none.

A parser is a function ``parser(text, **params) -> Reading``. It never raises for any text, it never picks one of
several different answers, and it never makes a value out of nothing: what cannot be read is ``unparsable``, with the
reason, and is scored as a wrong answer. A reply that declines is "a refusal", one that gives the prompt back "echoes
the prompt" (:mod:`s3harness.parsers.echo`, which scoring puts before every parser).

What a careful person reads in a reply is what a parser should: ``tests/parsers/replies`` holds hundreds of them.
"""

from __future__ import annotations

from s3harness.parsers.reading import Reading

__all__ = ["Reading"]
