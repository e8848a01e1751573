"""``s3harness probe``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from s3harness.cli.options import json_option, print_json, split_names
from s3harness.cli.run import execute_visibly, settings_of
from s3harness.cli.sweep import options_of_run


@click.command()
@click.argument("names", metavar="NAME,NAME…|all")
@json_option
@options_of_run
def probe(*, names: str, as_json: bool, **said: Any) -> None:
    """Ask the same once more of changed clips, or in other words, and show what becomes of the answers.

    NAME is a probe, or any transform (s3harness plugins list). A run without the probe is made, and one with each,
    under --out; they go on where they were stopped when the command is given again. No label is used: a model that
    looks names the other side of a mirrored clip, and keeps everything else. The profile is printed, and written to
    OUT/evidence.json. The exit code is 1 if any request failed.
    """
    from s3harness.analysis.probing import BASELINE, chosen, prepare_probes, profile, write_profile
    from s3harness.report.evidence import print_evidence

    out = said["out"] or _directory(said)
    base = settings_of({**said, "out": out, "profile": "strict"})
    baseline, probes = prepare_probes(base, chosen(split_names(names)))
    failed = sum(execute_visibly(run, again="").failed for run in (baseline, *(probed.run for probed in probes)))
    directories = {probed.name: probed.run.settings.out for probed in probes}
    rows = profile(out / BASELINE, directories)
    found = write_profile(out, directories, rows)
    if as_json:
        print_json(found)
    else:
        titles = [f"{probed.name}: {probed.probe.title}" for probed in probes]
        print_evidence(rows, titles, baseline.backend_class.sees_truth)
        click.echo(f"written to {out / 'evidence.json'}")
    if failed:
        click.echo(f"s3harness: {failed} requests failed; mend the cause and give the command again", err=True)
    sys.exit(1 if failed else 0)


def _directory(said: dict[str, Any]) -> Path:
    names = dict.fromkeys(part for part in (said["backend"], said["model"], said["protocol"]) if part)
    return Path("probes") / "-".join(names)
