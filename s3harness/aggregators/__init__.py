"""Aggregators: from the answers to the windows of a video to one value for the video.

An aggregator is a function ``aggregate(answers, **params) -> Aggregate``. It gets the readable answers to one item, in
the order of their windows, at least one of them; its caller handles windows without a readable answer.
"""

from __future__ import annotations

from s3harness.aggregators.aggregate import Aggregate

__all__ = ["Aggregate"]
