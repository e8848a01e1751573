"""The exceptions of the harness; the command line turns them into exit codes."""

from __future__ import annotations

from collections.abc import Sequence


class S3HarnessError(Exception):
    """The work failed: exit code 1. The message names the thing, the place and the remedy."""


class UsageError(S3HarnessError):
    """The call was wrong (an unknown name, a bad option, a file that is not what it should be): exit code 2."""


class SpecError(UsageError):
    """A task spec, protocol or model card is wrong; names file, field and what would be right."""


class DatasetError(UsageError):
    """A data set directory is wrong; names file, row and column."""


class PluginError(UsageError):
    """A plugin is missing, broken or clashes with another; names the package."""


class MediaError(S3HarnessError):
    """A video or a clip cannot be decoded, or lacks the requested frames or audio. The message holds no path."""


class OutOfMemory(S3HarnessError):
    """The weights or a request do not fit into memory. The message names the options that change that."""


class ContextOverflow(S3HarnessError):
    """A prompt, its clip included, is longer than the model's context. The message says how to shorten it."""


class RetryableError(S3HarnessError):
    """A backend raises this for a transient failure; ``retry_after_s`` is the server's Retry-After in seconds."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def suggest(name: str, known: Sequence[str]) -> str:
    """End of an error about an unknown name: the nearest known names, or all of them."""
    import difflib  # imported where it is used: most commands end without such an error

    near = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known: {', '.join(known) or 'none'}"
