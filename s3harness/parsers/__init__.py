"""From what a model wrote to a value, or to the reason why there is none.

A parser is a function ``parser(text, **params) -> Reading``. It never raises for any text, it never picks one of
several different answers, and it never makes a value out of nothing: what cannot be read is ``unparsable``, with the
reason, and is scored as a wrong answer.
"""

from __future__ import annotations

from s3harness.parsers.reading import Reading

__all__ = ["Reading"]
