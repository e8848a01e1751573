"""A command of the s3harness command line."""

import json
from collections import Counter
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def newcomer_command(run: Path, as_json: bool) -> None:
    """Count the answers in the run directory RUN by status."""
    # Line by line: the journal of a long run is larger than memory should have to hold.
    with (run / "responses.jsonl").open(encoding="utf-8") as lines:
        counts = Counter(str(json.loads(line)["status"]) for line in lines)
    click.echo(json.dumps(counts) if as_json else "\n".join(f"{status}: {n}" for status, n in sorted(counts.items())))
