"""``s3harness doctor``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import json_option, print_json

if TYPE_CHECKING:
    from s3harness.doctor import Check


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), help="Cache directory to check for room.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), help="Directory of runs to check for room."
)
@json_option
def doctor(cache: Path | None, out: Path, as_json: bool) -> None:
    """Check the installation, and show which engines can run here and how to fix the others.

    The exit code is 1 if something is broken that every run needs; problems of some runs are notes. No network
    connection is made.
    """
    from s3harness.doctor import examine
    from s3harness.media import default_cache_dir

    checks = examine(cache or default_cache_dir(), out)
    _print_json(checks) if as_json else _show(checks)
    sys.exit(1 if any(check.state == "broken" for check in checks) else 0)


def _print_json(checks: list[Check]) -> None:
    print_json([check.as_json() for check in checks])


def _show(checks: list[Check]) -> None:
    from s3harness.report.plain_text import print_rows

    print_rows([{"state": c.state, "area": c.area, "what": c.what, "found": c.result} for c in checks])
    fixable = [check for check in checks if check.remedy]
    # The broken first: they are what a user has to fix before anything else.
    for state in ("broken", "note", "ok"):
        for check in fixable:
            if check.state == state:
                click.echo(f"{'to fix' if state == 'broken' else 'remedy'}: {check.what}: {check.remedy}")
    broken = sum(check.state == "broken" for check in checks)
    click.echo(f"{broken} broken" if broken else "nothing that every run needs is broken")
