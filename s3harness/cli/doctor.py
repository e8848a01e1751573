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
@click.option("--cache", type=click.Path(path_type=Path), help="Where decoded frames would be kept.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Where runs would be kept.")
@json_option
def doctor(cache: Path | None, out: Path, as_json: bool) -> None:
    """Say what is installed, which engines can run here, and what to do about the rest.

    Exit code 1 if something is broken that every run needs; what only some need is a note. Nothing is connected to.
    """
    from s3harness.doctor import examine
    from s3harness.media import default_cache_dir

    checks = examine(cache or default_cache_dir(), out)
    _print_json(checks) if as_json else _show(checks)
    sys.exit(1 if any(check.state == "broken" for check in checks) else 0)


def _print_json(checks: list[Check]) -> None:
    from dataclasses import asdict

    print_json([asdict(check) for check in checks])


def _show(checks: list[Check]) -> None:
    from s3harness.report.plain import print_rows

    print_rows([{"state": c.state, "area": c.area, "what": c.what, "found": c.found} for c in checks])
    ailing = [check for check in checks if check.remedy]
    for state in ("broken", "note", "ok"):
        for check in ailing:
            if check.state == state:
                click.echo(f"{'to mend' if state == 'broken' else 'remedy'}: {check.what}: {check.remedy}")
    broken = sum(check.state == "broken" for check in checks)
    click.echo(f"{broken} broken" if broken else "nothing that a run needs is broken")
