"""Every extension point of s3harness, in the order a run meets them.

A plugin is a module named by an entry point of the group ``s3harness``::

    [project.entry-points.s3harness]
    my_plugin = "my_plugin"

It registers what it offers with import strings, so that listing plugins imports none of them::

    import s3harness

    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("echo", "my_plugin.backend:EchoBackend")

The other hooks observe. What they return is ignored and what they raise is reported, so none can change a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3harness.plugins.registry import Registrar
    from s3harness.types import Request, Response, RunInfo, Score

PROJECT = "s3harness"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def s3harness_register(registry: Registrar) -> None:
    """Register backends, metrics and all else by kind, name and import string."""


@hookspec
def s3harness_run_started(run: RunInfo) -> None:
    """A run is about to ask its first request."""


@hookspec
def s3harness_response(request: Request, response: Response) -> None:
    """A response has been journalled."""


@hookspec
def s3harness_run_finished(run: RunInfo, scores: Sequence[Score]) -> None:
    """A run has been scored."""
