"""What the author of a plugin tests it with: contract tests, and made-up cases to run them on.

:func:`check_metric` holds a metric against answerers that no metric may like.
"""

from s3harness.testing.metrics import Promise, Violation, check_metric

__all__ = ["Promise", "Violation", "check_metric"]
