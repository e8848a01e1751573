"""Audit of a run: the hosts that received data, and a search of its shareable files for private content."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.guard.audit_log import FILE, read_audit
from s3harness.guard.identifiers.search import Search
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.review import read_reviewed
from s3harness.leaderboard.findings import AuditFinding, RefusedError
from s3harness.leaderboard.folder import ITEMS, MANIFEST, PREDICTIONS, RESPONSES, SCORES, Folder
from s3harness.leaderboard.leaks import find_leaks, page_leaks
from s3harness.leaderboard.pack import About, pack, words_of_run
from s3harness.rundir.journal import read_journal
from s3harness.rundir.manifest import read_manifest

IN_PROCESS = "in process"
JUDGES = "judges"
LOCAL_PAGE = "report.local.html"
"""A report that plays the videos of this machine; the page itself warns of the paths in it."""

_MEDIA = re.compile(r"data:(?:image|video|audio)/[\w.+-]+[;,]")
EXPORTS = (".svg", ".csv", ".tex", ".md", ".json")
"""Other files that are made of runs for readers: charts of sweeps, tables, evidence of probes."""
PRIVATE_BY_DESIGN = {
    "audit.jsonl": "names of the hosts that received requests",
    "private.json": "fingerprints of the data set's private words",
    "sent.jsonl": "prompts as sent, including experts' reports",
    "reviewed.json": "digests of what was confirmed as harmless",
    "report.html": "experts' texts and raw answers of single videos",
    LOCAL_PAGE: "paths of video files",
    "judges": "raw replies of judges, including experts' reports",
}
"""File of a run that is not for sharing → the private content of it."""


@dataclass(kw_only=True)
class AuditSession:
    """One start of a run, or of a judge, with all that it sent.

    ``requests`` and ``bytes`` are counted by host; ``contacts`` map ``address:port`` to the reason for which the
    connection was allowed or refused. ``ended`` is empty where the process was killed.
    """

    where: str
    started: str
    backend: str
    executor: str
    hosts: tuple[str, ...]
    allow_remote: tuple[str, ...]
    ended: str = ""
    status: str = "killed"
    answered: int = 0
    failed: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    request_ids: set[str] = field(default_factory=set, repr=False)

    @property
    def destinations(self) -> str:
        """Hosts with the number of requests and bytes that each received, as text."""
        if self.requests:
            return ", ".join(
                f"{host} ({n} {'request' if n == 1 else 'requests'}, {self.bytes[host]} bytes)"
                for host, n in self.requests.items()
            )
        if self.hosts:
            return f"nothing was sent to {', '.join(self.hosts)}"
        return IN_PROCESS


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Result of an audit: the sessions, the findings, and the names of the files that were searched.

    ``identifiers`` are those that the user allowed to be sent to the model, with the reason; ``private`` maps the files
    of the run that are not for sharing to their private content.
    """

    sessions: tuple[AuditSession, ...]
    findings: tuple[AuditFinding, ...]
    searched: tuple[str, ...]
    is_packed: bool
    identifiers: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)


def audit_run(run: Path, data: Path | None = None, allowed: Collection[str] = (), reviewed: str = "") -> Audit:
    """Audit a run directory; with its data set ``data``, the private words themselves are searched for.

    ``allowed`` are texts that only look like a leak, ``reviewed`` is the code of a list of likely leaks that a person
    has confirmed as harmless. A complete run is packed into a temporary folder, exactly as ``submit pack`` does it; the
    files of any other run are searched as they are.

    Raises :class:`UsageError` if ``run`` is no run directory.
    """
    manifest = read_manifest(run)
    sessions, findings = _sessions(run)
    findings += _unlogged(run, sessions)
    is_packed = manifest.get("status") == "complete" and (run / SCORES).exists()
    about = About(allowed=tuple(allowed), reviewed=reviewed)
    searched, leaks = _packed(run, data, about) if is_packed else _as_it_is(run, data, about)
    pages = [*_pages_of(run)]
    search = Search(words_of_run(run, data), allowed, read_reviewed(run))
    leaks += [finding for path in pages for finding in _findings_in(path, search)]
    return Audit(
        sessions=tuple(sessions),
        findings=(*findings, *leaks),
        searched=(*searched, *(path.name for path in pages)),
        is_packed=is_packed,
        identifiers=manifest.get("identifiers", {}),
        private={name: why for name, why in PRIVATE_BY_DESIGN.items() if (run / name).exists()},
    )


def _pages_of(run: Path) -> Iterator[Path]:
    """Yield the pages, charts and tables in a run directory that are made for readers."""
    # report.html is private by design, but people pass it on: it is searched all the same.
    own = {MANIFEST, SCORES, *PRIVATE_BY_DESIGN} - {"report.html"}
    for path in sorted(run.iterdir()):
        if path.is_file() and path.name not in own and path.suffix in (".html", *EXPORTS):
            yield path


def _sessions(run: Path) -> tuple[list[AuditSession], list[AuditFinding]]:
    logs = [run / FILE, *sorted((run / JUDGES).glob(f"*/{FILE}"))]
    if not logs[0].is_file():
        return [], [AuditFinding(FILE, "", "audit", "is missing, so that the hosts that received data are unknown")]
    sessions: list[AuditSession] = []
    findings: list[AuditFinding] = []
    for log in logs:
        name = str(log.relative_to(run))
        of_log = [*_of_log(log, name, findings)]
        findings += [finding for session in of_log for finding in _contact_findings(session)]
        sessions += of_log
    return sessions, findings


def _of_log(log: Path, name: str, findings: list[AuditFinding]) -> Iterator[AuditSession]:
    session: AuditSession | None = None
    for number, (line, follows) in enumerate(read_audit(log), start=1):
        # Each line holds the digest of the one before it, so that an edited log breaks its chain.
        if not follows:
            findings.append(AuditFinding(name, str(number), "audit", "the line before this one was changed or removed"))
        if line["event"] == "started":
            # A killed process writes no "ended" line: the next start closes its session.
            if session:
                yield session
            session = AuditSession(
                where=name,
                started=line["at"],
                backend=line["backend"],
                executor=line["executor"],
                hosts=tuple(line["hosts"]),
                allow_remote=tuple(line["allow_remote"]),
            )
        elif session:
            _note(session, line)
    if session:
        yield session


def _note(session: AuditSession, line: Mapping[str, Any]) -> None:
    """Add one line of the log to its session."""
    match line["event"]:
        case "request":
            host = line["host"]
            session.requests[host] = session.requests.get(host, 0) + 1
            session.bytes[host] = session.bytes.get(host, 0) + line["bytes"]
            session.request_ids.add(line["id"])
        case "contact":
            session.contacts[f"{line['address']}:{line['port']}"] = line["how"]
        case "ended":
            session.ended, session.status = line["at"], line["status"]
            session.answered, session.failed = line["answered"], line["failed"]


def _contact_findings(session: AuditSession) -> Iterator[AuditFinding]:
    """Yield the connections that were not permitted; no data was sent over a refused one."""
    for place, how in session.contacts.items():
        if how == "unnamed":
            yield AuditFinding(
                session.where,
                "",
                "host",
                f"a connection to {place} was opened before the first request, and no host named for this run has this "
                "address; if it was for weights, use local ones (--weights DIR, HF_HUB_OFFLINE=1) or name the host",
            )
        elif how == "refused":
            yield AuditFinding(
                session.where, "", "host", f"a connection to {place} was refused during the run: the host is not named"
            )


def _unlogged(run: Path, sessions: Iterable[AuditSession]) -> list[AuditFinding]:
    """Return a finding if the log lacks the request of an answer, where this process sent all requests."""
    # Judges log their requests beside the run's, and their replies are no answers of the run.
    own = [session for session in sessions if session.where == FILE]
    logged = set[str]().union(*(session.request_ids for session in own))
    # A backend in this process sends no requests; workers of another executor log none here.
    if not logged or any(session.executor != "local" for session in own):
        return []
    sent = (entry for entry in read_journal(run / RESPONSES) if not entry.is_composed)
    answered = {entry.id for entry in sent if entry.response.status != "failed"}
    missing = len(answered - logged)
    have = "answer has" if missing == 1 else "answers have"
    return [AuditFinding(FILE, "", "audit", f"{missing} {have} no request in the log")] if missing else []


def _packed(run: Path, data: Path | None, about: About) -> tuple[list[str], list[AuditFinding]]:
    """Pack a run into a temporary folder; return the names of the files searched, and the reasons for a refusal."""
    with tempfile.TemporaryDirectory(prefix="s3harness-audit-") as folder:
        try:
            packed = pack(run, Path(folder) / "submission", about, data)
        # A refused submission is the very finding that the audit is for.
        except RefusedError as refused:
            return ["the submission"], list(refused.findings)
        return sorted(packed.files), []


def _as_it_is(run: Path, data: Path | None, about: About) -> tuple[list[str], list[AuditFinding]]:
    """Search the files of a run that cannot be packed yet; return their names, and the leaks."""
    names = [RESPONSES, ITEMS, *(f"{PREDICTIONS}/{path.name}" for path in sorted((run / PREDICTIONS).glob("*.jsonl")))]
    tables = {name: _whole_lines(run / name) for name in names if (run / name).is_file()}
    folder = Folder({}, {MANIFEST: read_manifest(run)}, tables)
    return [MANIFEST, *tables], find_leaks(folder, Search(words_of_run(run, data), about.allowed, read_reviewed(run)))


def findings_in_page(page: Path, run: Path) -> list[AuditFinding]:
    """Return the identifiers in a page made of a run, by the fingerprints of private words in the run directory."""
    return [*_findings_in(page, Search(PrivateWords.read(run), reviewed=read_reviewed(run)))]


def _findings_in(path: Path, search: Search) -> Iterator[AuditFinding]:
    """Yield what a page, chart or table must not contain: embedded media, and identifiers in its text."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if _MEDIA.search(text):
        yield AuditFinding(path.name, "", "leak", "contains media; do not share it")
    yield from page_leaks(path.name, text, search)


def _whole_lines(path: Path) -> list[Any]:
    try:
        # A killed process leaves half a line at the end of a file.
        return [parse_json(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    except (OSError, ValueError) as error:
        raise S3HarnessError(f"{path} cannot be read: {error}") from error
