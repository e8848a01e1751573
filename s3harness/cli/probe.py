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
def probe(*, names: str, as_json: bool, **arguments: Any) -> None:
    """Repeat a run with changed clips or other wordings, and show how the answers change.

    NAME is a probe or a transform (s3harness plugins list). One run without a probe and one with each probe are made
    under --out; repeat the command to continue after a stop. No label is used: a model that looks at the video names
    the other side of a mirrored clip and keeps its other answers. The profile is printed and written to
    OUT/evidence.json. The exit code is 1 if any request failed.
    """
    from s3harness.analysis.probing import BASELINE, expand_probe_names, prepare_probes, profile, write_profile
    from s3harness.report.evidence import print_evidence

    out = arguments["out"] or _directory(arguments)
    # As for a sweep: the answers are compared, whatever profile would score them.
    base = settings_of({**arguments, "out": out, "profile": "strict"})
    # Prepared together, before anything runs: a probe that this run cannot have is refused at once.
    baseline, probes = prepare_probes(base, expand_probe_names(split_names(names)))
    failed = sum(execute_visibly(run, again="").failed for run in (baseline, *(probed.run for probed in probes)))
    directories = {probed.name: probed.run.settings.out for probed in probes}
    rows = profile(out / BASELINE, directories)
    evidence = write_profile(out, directories, rows)
    if as_json:
        print_json(evidence)
    else:
        titles = [f"{probed.name}: {probed.probe.title}" for probed in probes]
        print_evidence(rows, titles, baseline.backend_class.sees_truth)
        click.echo(f"written to {out / 'evidence.json'}")
    if failed:
        click.echo(f"s3harness: {failed} requests failed; fix the cause and repeat the command", err=True)
    sys.exit(1 if failed else 0)


def _directory(arguments: dict[str, Any]) -> Path:
    names = dict.fromkeys(part for part in (arguments["backend"], arguments["model"], arguments["protocol"]) if part)
    return Path("probes") / "-".join(names)
