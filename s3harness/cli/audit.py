"""``s3harness audit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import count, json_option, print_json

if TYPE_CHECKING:
    from s3harness.leaderboard.audit import Audit


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data set of the run, for an exact search.")
@click.option("--allow", multiple=True, metavar="TEXT", help="Text that only looks like a leak; repeatable.")
@click.option(
    "--reviewed", default="", metavar="CODE", help="Confirm that the likely leaks are harmless, by their list's code."
)
@json_option
def audit(run: Path, data: Path | None, allow: tuple[str, ...], reviewed: str, as_json: bool) -> None:
    """Show which hosts received data during RUN, and check its shareable files for private content.

    It searches the submission that would be packed, the report, and every other page, picture and table in the run
    directory. The exit code is 1 if there is any finding: a host that was not allowed, a changed log, a private word,
    an identifier or a frame. Files that must not be shared are listed with the reason.
    """
    from s3harness.leaderboard.audit import audit_run

    audited = audit_run(run, data, allow, reviewed)
    # A finding is exit code 1, so that a script stops before it shares the run.
    print_json(_as_json(audited)) if as_json else _show(audited)
    sys.exit(1 if audited.findings else 0)


def _show(audited: Audit) -> None:
    from s3harness.report.plain_text import print_rows

    print_rows([*_rows(audited)])
    for session in audited.sessions:
        for place, how in session.contacts.items():
            click.echo(f"{session.started}: connected to {place}: {_HOW[how]}")
    if any(session.executor != "local" for session in audited.sessions):
        # The audit log is written through a hook in this process alone.
        click.echo("Not in this log: connections of another executor's workers, which are processes of their own.")
    if audited.identifiers:
        kinds = ", ".join(f"{n} × {kind}" for kind, n in audited.identifiers["kinds"].items())
        click.echo(f"identifiers sent to the model with the user's consent ({kinds}): {audited.identifiers['reason']}")
    for finding in audited.findings:
        click.echo(f"found: {finding}")
    for name, why in audited.private.items():
        click.echo(f"do not share: {name}: {why}")
    what = (
        "the files that submit pack would share" if audited.is_packed else "the files of the run, which is incomplete"
    )
    click.echo(f"searched for private words, identifiers and media: {what} ({count(len(audited.searched), 'file')})")
    click.echo(count(len(audited.findings), "finding") if audited.findings else "no findings")


_HOW = {
    "here": "this machine",
    "named": "allowed with --allow-remote",
    "unnamed": "not allowed with --allow-remote",
    "refused": "not allowed with --allow-remote; refused, nothing was sent",
}


def _rows(audited: Audit) -> list[dict[str, object]]:
    return [
        {
            "started": session.started,
            "ended": session.ended or "killed",
            "status": session.status,
            "backend": session.backend,
            "answered": session.answered if session.ended else "unknown",
            "failed": session.failed if session.ended else "unknown",
            "went to": session.destinations,
        }
        for session in audited.sessions
    ]


def _as_json(audited: Audit) -> dict[str, object]:
    from dataclasses import asdict

    # Without the ids of the requests, thousands of which say nothing to a reader.
    sessions = [{k: v for k, v in asdict(session).items() if k != "request_ids"} for session in audited.sessions]
    findings = [asdict(finding) for finding in audited.findings]
    return {
        "sessions": sessions,
        "findings": findings,
        "searched": list(audited.searched),
        "packed": audited.is_packed,
        "identifiers": dict(audited.identifiers),
        "private": dict(audited.private),
    }
