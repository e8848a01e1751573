"""``s3harness sweep``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json, split_names
from s3harness.cli.run import execute_visibly, run, settings_of

if TYPE_CHECKING:
    from s3harness.analysis.sweep import Point

NOT_OF_A_SWEEP = frozenset({"dry_run", "rate", "gpu", "resume", "as_json", "profile"})
"""Options of ``s3harness run`` that make no sense for several runs at once, or mean something else there."""


def options_of_run(command: Callable[..., None]) -> Callable[..., None]:
    """Add those options of ``s3harness run`` that also apply to a command that makes several runs."""
    # click (8.x) keeps the parameters of decorators in __click_params__ until the command is made; there is no public
    # way to reuse another command's.
    for parameter in reversed(run.params):
        if parameter.name not in NOT_OF_A_SWEEP:
            command.__dict__.setdefault("__click_params__", []).append(parameter)
    return command


@click.command()
@click.option("--fps", default="", metavar="N,N,…", help="Frame rates to try, in frames per second.")
@click.option("--window", default="", metavar="S,S,…", help="Window lengths to try, in seconds.")
@click.option(
    "--transforms", "swept", default="", metavar="NAME,NAME,…", help="Transforms to try: none, NAME, NAME+NAME."
)
@click.option("--plot", type=click.Path(path_type=Path), help="File of the plot (SVG); default: OUT/sweep.svg.")
@json_option
@options_of_run
def sweep(*, fps: str, window: str, swept: str, plot: Path | None, as_json: bool, **arguments: Any) -> None:
    """Run the same tasks at several frame rates, window lengths and transforms, and show the score of each.

    Each setting is a run of its own under --out; repeat the command to continue after a stop. Every video is decoded
    once for all runs, as far as the cache holds (--cache-gb). A frame rate applies to tasks sampled in frames per
    second, a window length to tasks with sliding windows, whose overlap stays the same share.
    """
    from s3harness.analysis.sweep import grid, prepare_sweep, read_point
    from s3harness.files import write_json, write_text
    from s3harness.report.sweep import sweep_chart

    settings = grid(_numbers("--fps", fps), _numbers("--window", window), split_names(swept))
    # A sweep has no --profile, which the settings of a run need.
    base = settings_of({**arguments, "out": arguments["out"] or _directory(arguments), "profile": "strict"})
    runs = prepare_sweep(base, settings)
    _decode_visibly(runs)  # before any request: runs that share frames then find them in the cache
    failed = sum(execute_visibly(prepared, again="").failed for prepared in runs)
    points = [read_point(setting, base.out / setting.name) for setting in settings]
    write_json(base.out / "sweep.json", [asdict(point) for point in points])
    picture = plot or base.out / "sweep.svg"
    write_text(picture, sweep_chart(points))
    _show(points, picture, as_json)
    if failed:
        click.echo(f"s3harness: {failed} requests failed; fix the cause and repeat the command", err=True)
    sys.exit(1 if failed else 0)


def _numbers(option: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in split_names(text)]
    except ValueError:
        numbers = [0.0]  # refused below, with the same message as 0 itself
    if any(not 0 < number < float("inf") for number in numbers):
        raise click.BadParameter(f"{text!r}: numbers above 0, separated by commas, are expected", param_hint=option)
    return numbers


def _directory(arguments: dict[str, Any]) -> Path:
    names = dict.fromkeys(part for part in (arguments["backend"], arguments["model"], arguments["protocol"]) if part)
    return Path("sweeps") / "-".join(names)


def _decode_visibly(runs: Sequence[Any]) -> None:
    from s3harness.analysis.sweep import decode_once

    def done(number: int, total: int) -> None:
        # Carriage returns would fill a log file with one line a video: there, only the last count is printed.
        if number == total or sys.stderr.isatty():
            click.echo(f"\rdecoded {number} of {total} videos", err=True, nl=number == total)

    decode_once(runs, done)


def _show(points: Sequence[Point], picture: Path, as_json: bool) -> None:
    from s3harness.report.sweep import print_sweep

    if as_json:
        print_json([asdict(point) for point in points])
        return
    print_sweep(points)
    click.echo(f"plot: {picture}")
