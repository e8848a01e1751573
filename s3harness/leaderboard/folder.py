"""The folder of a submission: its files, their size limits, and strict reading of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.leaderboard.findings import AuditFinding, RefusedError
from s3harness.leaderboard.safe_json import loads, place
from s3harness.leaderboard.titles import name_problem, named_texts, prose_problem
from s3harness.package_data import specs_directory

SUBMISSION = "submission.json"
MANIFEST = "manifest.json"
SCORES = "scores.json"
RESPONSES = "responses.jsonl"
ITEMS = "items.jsonl"
DOCUMENTS = {SUBMISSION: "submission", MANIFEST: "manifest", SCORES: "scores"}
TABLES = {RESPONSES: "response", ITEMS: "item"}
PREDICTIONS = "predictions"
SCHEMA = "s3harness/submission/v2"
"""Version that is written. Version 1 had no ``items_sha256`` and no floor tests; it is still read."""

MAX_FILE_BYTES = 64 * 1024**2
MAX_LINES = 2_000_000

_PREDICTION_FILE = re.compile(r"predictions/[a-z0-9_]{1,80}\.jsonl")


@dataclass(frozen=True)
class Folder:
    """A submission in memory: the bytes of its files by name, and their parsed contents, valid by the schema."""

    files: Mapping[str, bytes]
    documents: Mapping[str, Any]
    tables: Mapping[str, list[Any]]

    @property
    def about(self) -> Mapping[str, Any]:
        """Content of ``submission.json``."""
        about: Mapping[str, Any] = self.documents[SUBMISSION]
        return about

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file except ``submission.json``, which holds these digests."""
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items() if name != SUBMISSION}

    @property
    def has_truth(self) -> bool:
        """True if every item includes its truth."""
        return all("truth" in item for item in self.tables[ITEMS])


def read_folder(path: Path) -> Folder:
    """Read a submission.

    Nothing outside the folder is opened: symbolic links, and everything but plain files of known names, are refused.

    Raises :class:`RefusedError` with every problem of its files, :class:`UsageError` if ``path`` is no folder.
    """
    if not path.is_dir() or path.is_symlink():
        raise UsageError(f"{path} is not the folder of a submission; create one with s3harness submit pack RUN")
    findings: list[AuditFinding] = []
    files = dict(_files(path, findings))
    # A file that was refused is not missing as well.
    missing = [name for name in (*DOCUMENTS, *TABLES) if name not in files and not findings]
    findings += [AuditFinding(name, "", "schema", "is missing") for name in missing]
    documents, tables = _parse(files, findings)
    if findings:
        raise RefusedError("the submission is refused", findings)
    return Folder(files, documents, tables)


def read_document(path: Path) -> Any:
    """Return one document of a submission, valid by its schema; raises :class:`RefusedError` if it is not."""
    findings: list[AuditFinding] = []
    too_big = path.is_symlink() or path.stat().st_size > MAX_FILE_BYTES
    value = None if too_big else _checked(path.name, "", _bytes(path), DOCUMENTS[path.name], findings)
    if too_big or findings:
        raise RefusedError(
            f"{path.name} is refused", findings or [AuditFinding(path.name, "", "file", "too big, or a link")]
        )
    return value


def is_file_of_submission(name: str) -> bool:
    """Return whether a submission may hold a file of this name, relative to its folder."""
    return name in DOCUMENTS or name in TABLES or _PREDICTION_FILE.fullmatch(name) is not None


def answers_sha256(responses: list[Any]) -> str:
    """Return a digest of the answers by request, in any order: equal digests mean the same answers."""
    # A request that failed and was sent again has two lines, of which the last counts.
    last = {line["id"]: [line["status"], line.get("text", "")] for line in responses}
    return hashlib.sha256(json.dumps(sorted(last.items())).encode()).hexdigest()


def _files(folder: Path, findings: list[AuditFinding]) -> Iterator[tuple[str, bytes]]:
    for name, entry in _entries(folder, ""):
        problem = _problem(name, entry)
        if problem:
            findings.append(AuditFinding(name[:100], "", "file", problem))
        else:
            yield name, _bytes(Path(entry.path))


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if not prefix and entry.name == PREDICTIONS and entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path), f"{PREDICTIONS}/")
            else:
                yield prefix + entry.name, entry


def _problem(name: str, entry: os.DirEntry[str]) -> str:
    info = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        return "is not a plain file; links, folders and devices are not accepted"
    if not is_file_of_submission(name):
        return "is not a file of a submission"
    if info.st_size > MAX_FILE_BYTES:
        return f"has {info.st_size} bytes; at most {MAX_FILE_BYTES} are allowed"
    return ""


def _bytes(path: Path) -> bytes:
    # O_NOFOLLOW: the file may have been replaced by a link since it was listed.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(fd, "rb") as file:
        # A limit here as well, since the file may have grown since its size was checked.
        return file.read(MAX_FILE_BYTES)


def _parse(files: Mapping[str, bytes], findings: list[AuditFinding]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    documents: dict[str, Any] = {}
    tables: dict[str, list[Any]] = {}
    for name, data in files.items():
        if name in DOCUMENTS:
            documents[name] = _checked(name, "", data, DOCUMENTS[name], findings)
        else:
            lines = data.splitlines()
            if len(lines) > MAX_LINES:
                findings.append(
                    AuditFinding(name, "", "schema", f"has {len(lines)} lines; at most {MAX_LINES} are allowed")
                )
                continue
            kind = TABLES.get(name, "prediction")
            tables[name] = [_checked(name, str(n), line, kind, findings) for n, line in enumerate(lines, start=1)]
    return documents, tables


def _checked(name: str, line: str, data: bytes, kind: str, findings: list[AuditFinding]) -> Any:
    try:
        value = loads(data)
    except ValueError as error:
        findings.append(AuditFinding(name, line, "schema", str(error)))
        return None
    for problem in _validator(kind).iter_errors(value):
        where = place(list(problem.absolute_path))
        message = f"violates {problem.validator!r} of the schema ({str(problem.validator_value)[:80]})"
        findings.append(AuditFinding(name, line, "schema", f"{where}: {message}"))
    # Names can only be looked up in a document that is valid.
    if kind == DOCUMENTS[SUBMISSION] and not findings:
        findings += _name_findings(value)
    return value


def _name_findings(about: Mapping[str, Any]) -> Iterator[AuditFinding]:
    """Yield names, titles and notes that imitate others, or that would change the text around them."""
    for where, text in named_texts(about):
        if problem := name_problem(text):
            yield AuditFinding(SUBMISSION, where, "name", problem)
    if problem := prose_problem(about.get("notes", "")):
        yield AuditFinding(SUBMISSION, "notes", "name", problem)


@lru_cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator

    text = (specs_directory() / "schemas" / "submission.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    # The schema is ours and refers to itself alone, so that nothing is fetched.
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})
