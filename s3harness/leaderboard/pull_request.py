"""Reading of a pull request as data: its one new submission from git's object store, or the reasons to refuse it.

Nothing of the pull request is checked out, so that no filter, hook or attribute in it takes effect, and files are
written only to names that this module knows.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3harness.errors import S3HarnessError, UsageError
from s3harness.leaderboard.collect import FOLDER_NAME
from s3harness.leaderboard.findings import AuditFinding, RefusedError
from s3harness.leaderboard.folder import MAX_FILE_BYTES, is_file_of_submission
from s3harness.leaderboard.verdicts import SUFFIX_OF_RECORD

SUBMISSIONS = "submissions"
MAX_FILES = 200
MAX_TOTAL_BYTES = 4 * MAX_FILE_BYTES
_PLAIN_FILE = "100644"
_CHANGES = {
    "M": "is changed",
    "D": "is removed",
    "T": "becomes another kind of file",
    "R": "is renamed",
    "C": "is copied",
}
_KINDS = {"120000": "is a symbolic link", "160000": "is a submodule", "100755": "is executable"}
_RESERVED_ENDS = (SUFFIX_OF_RECORD, f"{SUFFIX_OF_RECORD}.sig", ".git", ".lock", ".")


@dataclass(frozen=True, slots=True)
class _Change:
    """One file that differs: its path, and its status, mode and object in the pull request."""

    status: str
    mode: str
    blob: str
    path: str


def take_submission(repository: Path, base: str, head: str, out: Path) -> Path:
    """Write the one new submission that ``head`` adds to ``base`` to ``out/NAME``, and return that folder.

    ``base`` and ``head`` are commits of the repository.

    Raises :class:`RefusedError` with every reason to refuse the pull request, :class:`UsageError` if a commit is not in
    the repository.
    """
    git = _Git(repository)
    ours, theirs = git.commit(base), git.commit(head)
    changes = git.changes(ours, theirs)
    findings = [*_findings(changes), *_size_findings(changes, git)]
    names = {change.path.split("/")[1] for change in changes if change.path.count("/") > 1}
    if len(names) != 1 and not findings:
        findings.append(AuditFinding(SUBMISSIONS, "", "pull request", f"adds {len(names)} folders; add exactly one"))
    findings += [finding for name in sorted(names) for finding in _name_findings(name, git.names(ours))]
    if findings:
        raise RefusedError("the pull request is refused", findings)
    return _write(git, changes, out / names.pop())


class _Git:
    """Read access to a repository by plumbing commands, which no configuration in the repository can redirect."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    def commit(self, name: str) -> str:
        """Return the full hash of a commit."""
        # Without --end-of-options a name such as "--git-dir=…" would be an option.
        output = self._call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if output is None:
            raise UsageError(f"{self._repository} has no commit {name}; fetch it first")
        return output.decode().strip()

    def changes(self, base: str, head: str) -> list[_Change]:
        """Return the files that ``head`` changed since it branched off from ``base``."""
        branch_point = self._call("merge-base", base, head)
        if branch_point is None:
            raise S3HarnessError("the pull request has no history in common with the base; start it from the base")
        # With renames found, a moved file of another submission would look like a new one.
        output = self._call("diff-tree", "-r", "-z", "--raw", "--no-renames", branch_point.decode().split()[0], head)
        if output is None:
            raise S3HarnessError("the pull request cannot be compared with the base: an object is missing or broken")
        parts = output.decode(errors="replace").split("\0")
        return [_change(facts, path) for facts, path in zip(parts[::2], parts[1::2], strict=False)]

    def names(self, commit: str) -> set[str]:
        """Return the names in the folder of submissions of a commit."""
        output = self._call("ls-tree", "-z", "--name-only", commit, f"{SUBMISSIONS}/") or b""
        return {path.rpartition("/")[2] for path in output.decode(errors="replace").split("\0") if path}

    def size(self, blob: str) -> int | None:
        """Return the size of a file in bytes; ``None`` if the object is missing."""
        output = self._call("cat-file", "-s", blob)
        return None if output is None else int(output)

    def content(self, blob: str) -> bytes:
        """Return the content of a file as committed, without any filter."""
        data = self._call("cat-file", "blob", blob)
        if data is None:
            raise S3HarnessError(f"the file {blob} is missing in the repository; fetch the pull request again")
        return data

    def _call(self, *arguments: str) -> bytes | None:
        """Return the output of a git command; ``None`` if it fails."""
        # Replacement refs and lazy fetches would let a repository answer with other objects than were checked.
        own = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
        command = ["git", "--no-pager", "-C", str(self._repository), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, env=os.environ | own, check=False)  # noqa: S603
        except FileNotFoundError as error:
            raise S3HarnessError("git is not on the PATH; install it") from error
        return done.stdout if done.returncode == 0 else None


def _change(facts: str, path: str) -> _Change:
    _, mode, _, blob, status = facts.removeprefix(":").split(" ")
    return _Change(status[:1], mode, blob, path)


def _findings(changes: Sequence[_Change]) -> Iterator[AuditFinding]:
    """Yield the changes that do not add a plain file of a submission."""
    if not changes:
        yield AuditFinding(
            SUBMISSIONS, "", "pull request", "adds nothing; add one folder made by s3harness submit pack"
        )
    # Thousands of files would need a git process each.
    if len(changes) > MAX_FILES:
        yield AuditFinding(
            SUBMISSIONS, "", "pull request", f"changes {len(changes)} files; at most {MAX_FILES} are allowed"
        )
        return
    for change in changes:
        if problem := _problem(change):
            yield AuditFinding(change.path[:200], "", "pull request", problem)


def _problem(change: _Change) -> str:
    if change.status != "A":
        what = _CHANGES.get(change.status, "is changed")
        return f"{what}; a pull request may only add one new folder"
    if change.mode != _PLAIN_FILE:
        return f"{_KINDS.get(change.mode, 'is not a plain file')}; only plain files are accepted"
    folder, _, rest = change.path.partition("/")
    name, _, file = rest.partition("/")
    if folder != SUBMISSIONS or FOLDER_NAME.fullmatch(name) is None or not is_file_of_submission(file):
        return f"is not a file of a submission in {SUBMISSIONS}/NAME/"
    return ""


def _size_findings(changes: Sequence[_Change], git: _Git) -> Iterator[AuditFinding]:
    total = 0
    for change in [change for change in changes[:MAX_FILES] if change.status == "A" and change.mode == _PLAIN_FILE]:
        size = git.size(change.blob)
        total += size or 0
        if size is None:
            yield AuditFinding(change.path[:200], "", "pull request", "is missing in the repository")
        elif size > MAX_FILE_BYTES:
            yield AuditFinding(
                change.path[:200], "", "pull request", f"has {size} bytes; at most {MAX_FILE_BYTES} are allowed"
            )
    if total > MAX_TOTAL_BYTES:
        yield AuditFinding(SUBMISSIONS, "", "pull request", f"has {total} bytes; at most {MAX_TOTAL_BYTES} are allowed")


def _name_findings(name: str, taken: set[str]) -> Iterator[AuditFinding]:
    """Yield the reasons against the name of a new folder."""
    if name.casefold().endswith(_RESERVED_ENDS):
        yield AuditFinding(
            f"{SUBMISSIONS}/{name}", "", "pull request", "this ending of a name is reserved for other files"
        )
    # File systems that ignore case would mix "Model" with "model".
    folded = {other.casefold(): other for other in taken}
    for clash in {name.casefold(), f"{name}{SUFFIX_OF_RECORD}".casefold()} & folded.keys():
        yield AuditFinding(
            f"{SUBMISSIONS}/{name}", "", "pull request", f"{folded[clash]} exists already; choose another name"
        )


def _write(git: _Git, changes: Sequence[_Change], folder: Path) -> Path:
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists; choose another --out")
    folder.mkdir(parents=True)
    for change in changes:
        path = folder / re.sub(r"^[^/]*/[^/]*/", "", change.path)
        path.parent.mkdir(exist_ok=True)
        # "x": two paths of the pull request that fall together must not overwrite each other.
        with path.open("xb") as file:
            file.write(git.content(change.blob))
    return folder
