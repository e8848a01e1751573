"""Configuration files of a model on the hub: out of the hub's cache on this machine, or from the hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from s3harness.errors import S3HarnessError, UsageError
from s3harness.specs.derivation.checkpoint import CONFIG, FILES

MAIN = "main"

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubFiles:
    """The directory with the files of a model at one commit."""

    directory: Path
    commit: str


def is_hub_id(name: str) -> bool:
    """Return whether a name has the form of a repository on the hub, ``org/model``."""
    return _HUB_ID.fullmatch(name) is not None


def is_commit(revision: str | None) -> bool:
    """Return whether a revision is a commit, which never moves, and not a branch or a tag."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def cached_files(repository: str, revision: str | None = None) -> HubFiles | None:
    """Return the files of a revision in the hub's cache on this machine, ``None`` if they are not there."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, CONFIG, revision=revision or MAIN)
    # A third answer says that the hub once had no such file.
    if not isinstance(path, str):
        return None
    directory = Path(path).parent
    return HubFiles(directory, directory.name)


def fetched_files(repository: str, revision: str | None = None) -> HubFiles:
    """Download the configuration files of a revision into the hub's cache; only they are fetched, no weights.

    Raises :class:`UsageError` if the hub has no such model or revision, or wants a token for it, and
    :class:`S3HarnessError` if it cannot be reached.
    """
    # Set before the import, at which huggingface_hub reads it.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
    from huggingface_hub.errors import RevisionNotFoundError as NoRevision

    name = f"{repository}@{revision}" if revision else repository
    try:
        directory = Path(snapshot_download(repository, revision=revision, allow_patterns=list(FILES)))
    except GatedRepoError as error:
        raise UsageError(f"{name}: the hub wants its terms accepted and a token (hf auth login)") from error
    except NoRevision as error:
        raise UsageError(f"{repository}: the hub has no revision {revision!r}") from error
    except RepositoryNotFoundError as error:
        raise UsageError(f"{name}: the hub has no such model, or it is private (hf auth login)") from error
    except LocalEntryNotFoundError as error:
        raise _unreachable(name) from error
    # huggingface_hub raises errors of its own, of its HTTP client and of the network.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise S3HarnessError(f"{name}: its configuration cannot be read from the hub: {reason}") from error
    return HubFiles(directory, directory.name)


def hub_files(repository: str, revision: str | None = None) -> HubFiles:
    """Return the files of a revision, from the cache if they are there, else from the hub."""
    # The cache first: a run then asks nobody, and has the weights that it had yesterday.
    return cached_files(repository, revision) or fetched_files(repository, revision)


def _unreachable(name: str) -> UsageError:
    return UsageError(
        f"{name}: it is not in the cache of the hub on this machine, and the hub cannot be reached; download it where "
        f"there is a network (hf download {name.partition('@')[0]}), or name a directory with the model: --model ./DIR"
    )
