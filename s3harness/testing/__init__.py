"""Contract tests for the authors of plugins, and made-up cases to run them on.

:func:`check` tests a registered component against the promises of its kind, which :func:`promises` lists.
:func:`check_metric` tests a metric against simulated answerers that must score low, and readers that must score high.
"""

from __future__ import annotations

import warnings

from s3harness.testing.contract import BrokenContract, ContractVerdict, check, promises, try_object, verdict
from s3harness.testing.metrics import Promise, Violation, check_metric

__all__ = [
    "BrokenContract",
    "ContractVerdict",
    "Promise",
    "Violation",
    "check",
    "check_metric",
    "promises",
    "try_object",
    "verdict",
]


def __getattr__(name: str) -> object:
    # The old name is kept for one release, for the tests of plugins.
    if name == "Verdict":
        message = "s3harness.testing.Verdict is now ContractVerdict; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return ContractVerdict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
