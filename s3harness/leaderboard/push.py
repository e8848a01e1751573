"""Pushing: a packed submission as a pull request on a data set repository of the Hugging Face Hub."""

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
    """What a push sends: local file by the path it gets in the repository, and where to."""

    repo: str
    endpoint: str
    title: str
    files: dict[str, Path]

    def lines(self) -> list[str]:
        """The shipment for people."""
        sizes = [f"  {name} ({path.stat().st_size} bytes)" for name, path in self.files.items()]
        return [f"pull request {self.title!r} on {self.endpoint}/datasets/{self.repo}, {len(sizes)} files:", *sizes]


def prepare(path: Path, repo: str, endpoint: str | None = None) -> Shipment:
    """Check a submission's files, hashes and leaks once more, and say what would be sent.

    Raises :class:`RefusedError` for whatever is wrong with it, :class:`UsageError` for a name that is no repository's.
    """
    if not _REPO.fullmatch(repo):
        raise UsageError(f"{repo!r} is no repository of the Hub; owner/name is expected")
    folder = read_folder(path)
    findings = [*find_leaks(folder, search_of(folder)), *hash_findings(folder)]
    if findings:
        raise RefusedError(f"{path} is not sent", findings)
    place = f"submissions/{_slug(folder)}"
    files = {f"{place}/{name}": path / name for name in sorted(folder.files)}
    where = (endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    return Shipment(repo, where, f"Submission of {folder.about['model']['name']}", files)


def push(shipment: Shipment) -> str:
    """Open the pull request and return its address. The user's own Hub token is used.

    Raises :class:`S3HarnessError` if the Hub cannot be reached or does not take it; nothing is half sent.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import CommitOperationAdd, HfApi

    operations = [CommitOperationAdd(name, path) for name, path in shipment.files.items()]
    try:
        commit = HfApi(endpoint=shipment.endpoint).create_commit(
            shipment.repo, operations, commit_message=shipment.title, repo_type="dataset", create_pr=True
        )
    except Exception as error:
        raise S3HarnessError(f"nothing was sent: {type(error).__name__}: {str(error).splitlines()[0]}") from error
    return str(commit.pr_url)


def _slug(folder: Folder) -> str:
    return f"{folder.about['model']['name']}-{folder.about['answers_sha256'][:12]}"
