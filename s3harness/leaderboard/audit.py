"""Auditing a run: what went to which host, and that nothing private is in what may be shared of it."""

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
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.review import read_reviewed
from s3harness.guard.search import Search
from s3harness.leaderboard.findings import Finding, RefusedError
from s3harness.leaderboard.folder import ITEMS, MANIFEST, PREDICTIONS, RESPONSES, SCORES, Folder
from s3harness.leaderboard.leaks import find_leaks, page_leaks
from s3harness.leaderboard.pack import About, pack, words_of_run
from s3harness.rundir.journal import read_journal
from s3harness.rundir.manifest import read_manifest

IN_PROCESS = "in process"
JUDGES = "judges"
LOCAL_PAGE = "report.local.html"
"""A report that plays the videos on this machine; it says of itself that it holds paths."""

_MEDIA = re.compile(r"data:(?:image|video|audio)/[\w.+-]+[;,]")
EXPORTS = (".svg", ".csv", ".tex", ".md", ".json")
"""What else is made of runs to be shown: pictures of sweeps, tables, evidence of probes."""
PRIVATE_BY_DESIGN = {
    "audit.jsonl": "names the hosts that were asked",
    "private.json": "fingerprints of the data set's private words",
    "sent.jsonl": "prompts as they were sent, with experts' reports in them",
    "reviewed.json": "digests of what was confirmed as harmless",
    "report.html": "experts' texts and raw answers of single videos; it says so",
    LOCAL_PAGE: "paths of video files; it says so",
    "judges": "raw replies of judges, and experts' reports in them",
}
"""Files of a run that are not for sharing, and why."""


@dataclass
class Session:
    """One start of a run, or of a judge, and what came of it.

    ``requests`` and ``bytes`` are by the host that they were sent to; ``contacts`` are ``address:port`` and how it was
    taken. ``ended`` is empty where the process was killed.
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
    asked: set[str] = field(default_factory=set, repr=False)

    @property
    def destinations(self) -> str:
        """Where requests went, for people."""
        if self.requests:
            return ", ".join(f"{host} ({n} requests, {self.bytes[host]} bytes)" for host, n in self.requests.items())
        if self.hosts:
            return f"nothing was sent to {', '.join(self.hosts)}"
        return IN_PROCESS


@dataclass(frozen=True)
class Audit:
    """What was found: the sessions, every finding, and which files of what may be shared were searched.

    ``identifiers`` are those that the user let through to the model, with the reason; ``private`` are the files of the
    run that are not for sharing, each with the reason.
    """

    sessions: tuple[Session, ...]
    findings: tuple[Finding, ...]
    searched: tuple[str, ...]
    is_packed: bool
    identifiers: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)


def audit_run(run: Path, data: Path | None = None, allowed: Collection[str] = (), reviewed: str = "") -> Audit:
    """Audit a run directory; ``data`` is its data set, whose private words are then looked for letter by letter.

    ``allowed`` are pieces of text that only look like a leak, ``reviewed`` is the code of a list of likely ones that
    was looked at. What would be shared is packed into a folder that is
    thrown away again, exactly as ``submit pack`` does it; of a run that is not complete, its files are searched as they
    are. :class:`UsageError` if ``run`` is no run directory.
    """
    manifest = read_manifest(run)
    sessions, findings = _sessions(run)
    findings += _unlogged(run, sessions)
    is_packed = manifest.get("status") == "complete" and (run / SCORES).exists()
    about = About(allowed=tuple(allowed), reviewed=reviewed)
    searched, leaks = _packed(run, data, about) if is_packed else _as_it_is(run, data, about)
    made = [*_made_of(run)]
    search = Search(words_of_run(run, data), allowed, read_reviewed(run))
    leaks += [finding for path in made for finding in _findings_in(path, search)]
    return Audit(
        tuple(sessions),
        (*findings, *leaks),
        (*searched, *(path.name for path in made)),
        is_packed,
        manifest.get("identifiers", {}),
        {name: why for name, why in PRIVATE_BY_DESIGN.items() if (run / name).exists()},
    )


def _made_of(run: Path) -> Iterator[Path]:
    """The pages, pictures and tables in a run directory that are made to be shown."""
    own = {MANIFEST, SCORES, *PRIVATE_BY_DESIGN} - {"report.html"}
    for path in sorted(run.iterdir()):
        if path.is_file() and path.name not in own and path.suffix in (".html", *EXPORTS):
            yield path


def _sessions(run: Path) -> tuple[list[Session], list[Finding]]:
    logs = [run / FILE, *sorted((run / JUDGES).glob(f"*/{FILE}"))]
    if not logs[0].is_file():
        return [], [Finding(FILE, "", "audit", "is missing, so nobody knows what went where")]
    sessions: list[Session] = []
    findings: list[Finding] = []
    for log in logs:
        name = str(log.relative_to(run))
        found = [*_of_log(log, name, findings)]
        findings += [finding for session in found for finding in _contact_findings(session)]
        sessions += found
    return sessions, findings


def _of_log(log: Path, name: str, findings: list[Finding]) -> Iterator[Session]:
    session: Session | None = None
    for number, (line, follows) in enumerate(read_audit(log), start=1):
        if not follows:
            findings.append(Finding(name, str(number), "audit", "the line before it was changed or taken out"))
        if line["event"] == "started":
            if session:
                yield session
            session = Session(
                name, line["at"], line["backend"], line["executor"], tuple(line["hosts"]), tuple(line["allow_remote"])
            )
        elif session:
            _note(session, line)
    if session:
        yield session


def _note(session: Session, line: Mapping[str, Any]) -> None:
    """Take one line into its session."""
    match line["event"]:
        case "request":
            host = line["host"]
            session.requests[host] = session.requests.get(host, 0) + 1
            session.bytes[host] = session.bytes.get(host, 0) + line["bytes"]
            session.asked.add(line["id"])
        case "contact":
            session.contacts[f"{line['address']}:{line['port']}"] = line["how"]
        case "ended":
            session.ended, session.status = line["at"], line["status"]
            session.answered, session.failed = line["answered"], line["failed"]


def _contact_findings(session: Session) -> Iterator[Finding]:
    """Contacts that were not permitted; those that were refused sent nothing."""
    for place, how in session.contacts.items():
        if how == "unnamed":
            yield Finding(
                session.where,
                "",
                "host",
                f"{place} was connected to before anything was asked, and no host that was named has this address; "
                "if it was for weights, have them here (--weights DIR, HF_HUB_OFFLINE=1) or name the host",
            )
        elif how == "refused":
            yield Finding(session.where, "", "host", f"{place} was tried while the run asked, and refused: not named")


def _unlogged(run: Path, sessions: Iterable[Session]) -> list[Finding]:
    """Answers that came from a server without a request in the log, where this process sent them all."""
    own = [session for session in sessions if session.where == FILE]
    asked = set[str]().union(*(session.asked for session in own))
    if not asked or any(session.executor != "local" for session in own):
        return []
    answered = {entry.id for entry in read_journal(run / RESPONSES) if entry.response.status != "failed"}
    missing = len(answered - asked)
    return [Finding(FILE, "", "audit", f"{missing} answers have no request in the log")] if missing else []


def _packed(run: Path, data: Path | None, about: About) -> tuple[list[str], list[Finding]]:
    """Pack and throw away; what was searched, and why it would be refused."""
    with tempfile.TemporaryDirectory(prefix="s3harness-audit-") as folder:
        try:
            packed = pack(run, Path(folder) / "submission", about, data)
        except RefusedError as refused:
            return ["the submission"], list(refused.findings)
        return sorted(packed.files), []


def _as_it_is(run: Path, data: Path | None, about: About) -> tuple[list[str], list[Finding]]:
    """Search the files of a run that cannot be packed yet."""
    names = [RESPONSES, ITEMS, *(f"{PREDICTIONS}/{path.name}" for path in sorted((run / PREDICTIONS).glob("*.jsonl")))]
    tables = {name: _whole_lines(run / name) for name in names if (run / name).is_file()}
    folder = Folder({}, {MANIFEST: read_manifest(run)}, tables)
    return [MANIFEST, *tables], find_leaks(folder, Search(words_of_run(run, data), about.allowed, read_reviewed(run)))


def findings_in_page(page: Path, run: Path) -> list[Finding]:
    """Return the identifiers in a page that is made of a run, by the private words that the run knows."""
    return [*_findings_in(page, Search(PrivateWords.read(run), reviewed=read_reviewed(run)))]


def _findings_in(path: Path, search: Search) -> Iterator[Finding]:
    """What may not be in a page, a picture or a table: media, and identifiers in what it says."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if _MEDIA.search(text):
        yield Finding(path.name, "", "leak", "holds media; keep it here")
    yield from page_leaks(path.name, text, search)


def _whole_lines(path: Path) -> list[Any]:
    try:
        return [parse_json(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    except (OSError, ValueError) as error:
        raise S3HarnessError(f"{path} cannot be read: {error}") from error
