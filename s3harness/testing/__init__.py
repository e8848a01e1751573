"""What the author of a plugin tests it with: contract tests, and made-up cases to run them on.

:func:`check` holds what is registered by a name against the promises of its kind, which :func:`promises` lists.
:func:`check_metric` holds a metric against answerers that no metric may like.
"""

from s3harness.testing.contract import BrokenContract, Verdict, check, promises, try_object, verdict
from s3harness.testing.metrics import Promise, Violation, check_metric

__all__ = [
    "BrokenContract",
    "Promise",
    "Verdict",
    "Violation",
    "check",
    "check_metric",
    "promises",
    "try_object",
    "verdict",
]
