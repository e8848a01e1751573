"""``s3harness audit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import json_option, print_json

if TYPE_CHECKING:
    from s3harness.leaderboard.audit import Audit


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The run's data set, for an exact search.")
@click.option("--allow", multiple=True, metavar="TEXT", help="A piece of text that only looks like a leak. Repeatable.")
@click.option("--reviewed", default="", metavar="CODE", help="The code of the list of likely leaks that you looked at.")
@json_option
def audit(run: Path, data: Path | None, allow: tuple[str, ...], reviewed: str, as_json: bool) -> None:
    """Show which hosts received data during RUN, and check its shareable files for private content.

    Searched are the submission that would be packed, the report, and every other page, picture and table in the run
    directory. Exit code 1 if anything is found: a host that was not named, a log that was changed, a private word, an
    identifier or a frame. Files that are not for sharing are listed with the reason.
    """
    from s3harness.leaderboard.audit import audit_run

    found = audit_run(run, data, allow, reviewed)
    print_json(_as_json(found)) if as_json else _show(found)
    sys.exit(1 if found.findings else 0)


def _show(found: Audit) -> None:
    from s3harness.report.plain import print_rows

    print_rows([*_rows(found)])
    for session in found.sessions:
        for place, how in session.contacts.items():
            click.echo(f"{session.started}: connected to {place}: {_HOW[how]}")
    if any(session.executor != "local" for session in found.sessions):
        click.echo("Workers of another executor ran in processes of their own, and what they sent is not in this log.")
    if found.identifiers:
        kinds = ", ".join(f"{n} × {kind}" for kind, n in found.identifiers["kinds"].items())
        click.echo(f"identifiers were let through to the model ({kinds}): {found.identifiers['reason']}")
    for finding in found.findings:
        click.echo(f"found: {finding}")
    for name, why in found.private.items():
        click.echo(f"not for sharing: {name}: {why}")
    what = "what submit pack would share" if found.is_packed else "the run so far, which is not complete"
    click.echo(f"searched for private words, identifiers and media: {what}, {len(found.searched)} files")
    click.echo(f"{len(found.findings)} findings" if found.findings else "nothing found")


_HOW = {
    "here": "this machine",
    "named": "named with --allow-remote",
    "unnamed": "not named",
    "refused": "not named, refused, nothing was sent",
}


def _rows(found: Audit) -> list[dict[str, object]]:
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
        for session in found.sessions
    ]


def _as_json(found: Audit) -> dict[str, object]:
    from dataclasses import asdict

    sessions = [{k: v for k, v in asdict(session).items() if k != "request_ids"} for session in found.sessions]
    findings = [asdict(finding) for finding in found.findings]
    return {
        "sessions": sessions,
        "findings": findings,
        "searched": list(found.searched),
        "packed": found.is_packed,
        "identifiers": dict(found.identifiers),
        "private": dict(found.private),
    }
