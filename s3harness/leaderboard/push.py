"""Pushing of a packed submission, as a pull request on a data set repository of the Hugging Face Hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from s3harness.errors import S3HarnessError, UsageError
from s3harness.leaderboard.findings import RefusedError
from s3harness.leaderboard.folder import Folder, read_folder
from s3harness.leaderboard.integrity import hash_findings
from s3harness.leaderboard.leaks import find_leaks, search_of

DEFAULT_ENDPOINT = "https://huggingface.co"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Shipment:
    """Content and destination of a push; ``files`` map the path in the repository to the local file."""

    repo: str
    endpoint: str
    title: str
    files: dict[str, Path]

    def lines(self) -> list[str]:
        """Return the shipment as lines of text."""
        sizes = [f"  {name} ({path.stat().st_size} bytes)" for name, path in self.files.items()]
        return [f"pull request {self.title!r} on {self.endpoint}/datasets/{self.repo}, {len(sizes)} files:", *sizes]


def prepare(path: Path, repo: str, endpoint: str | None = None) -> Shipment:
    """Check a submission's files, hashes and leaks once more, and return the shipment.

    Raises :class:`RefusedError` with all problems, :class:`UsageError` if ``repo`` is not the name of a repository.
    """
    if not _REPO.fullmatch(repo):
        raise UsageError(f"{repo!r} is not the name of a Hub repository; give OWNER/NAME")
    folder = read_folder(path)
    # Edited since it was packed, it may hold what packing refused.
    findings = [*find_leaks(folder, search_of(folder)), *hash_findings(folder)]
    if findings:
        raise RefusedError(f"{path} was not sent", findings)
    place = f"submissions/{_slug(folder)}"
    files = {f"{place}/{name}": path / name for name in sorted(folder.files)}
    where = (endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    return Shipment(repo, where, f"Submission of {folder.about['model']['name']}", files)


def push(shipment: Shipment) -> str:
    """Open the pull request with the user's own Hub token, and return its address.

    Raises :class:`S3HarnessError` if the Hub cannot be reached or refuses it; the files are one commit, sent whole or
    not at all.
    """
    # Set before the import, at which huggingface_hub reads it.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import CommitOperationAdd, HfApi

    operations = [CommitOperationAdd(name, path) for name, path in shipment.files.items()]
    try:
        commit = HfApi(endpoint=shipment.endpoint).create_commit(
            shipment.repo, operations, commit_message=shipment.title, repo_type="dataset", create_pr=True
        )
    # huggingface_hub raises errors of its own, of its HTTP client and of the network.
    except Exception as error:
        raise S3HarnessError(f"nothing was sent: {type(error).__name__}: {str(error).splitlines()[0]}") from error
    return str(commit.pr_url)


def _slug(folder: Folder) -> str:
    return f"{folder.about['model']['name']}-{folder.about['answers_sha256'][:12]}"
