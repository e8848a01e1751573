"""From the answers to the windows of a video to one value for the video.

An aggregator is a function ``aggregate(answers, **params) -> Aggregate``. It is given the readable answers to one item,
in the order of their windows, at least one of them; windows that gave no readable answer are its caller's business.
"""

from __future__ import annotations

from s3harness.aggregators.aggregate import Aggregate

__all__ = ["Aggregate"]
