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

NOT_OF_A_SWEEP = frozenset({"dry_run", "rate", "resume", "as_json", "profile"})
"""Options of one run, that mean nothing, or something else, of several."""


def options_of_run(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of ``s3harness run`` that mean the same in it."""
    for parameter in reversed(run.params):
        if parameter.name not in NOT_OF_A_SWEEP:
            command.__dict__.setdefault("__click_params__", []).append(parameter)
    return command


@click.command()
@click.option("--fps", default="", metavar="N,N,…", help="Frames a second to try.")
@click.option("--window", default="", metavar="S,S,…", help="Seconds of a window to try.")
@click.option(
    "--transforms", "swept", default="", metavar="NAME,NAME,…", help="Transforms to try: none, NAME, NAME+NAME."
)
@click.option("--plot", type=click.Path(path_type=Path), help="The picture (SVG); OUT/sweep.svg if absent.")
@json_option
@options_of_run
def sweep(*, fps: str, window: str, swept: str, plot: Path | None, as_json: bool, **said: Any) -> None:
    """Ask the same at several frame rates, of several windows, through several transforms, and show what each scores.

    Each setting is a run of its own under --out, which goes on where it was stopped when the command is given again.
    Every video is decoded once for all of them, as far as the cache holds (--cache-gb). A rate applies to the tasks
    that sample by frames a second, a window to those that look through windows; the overlap stays the same share.
    """
    from s3harness.analysis.sweep import grid, prepare_sweep, read_point
    from s3harness.files import write_json, write_text
    from s3harness.report.sweep import sweep_chart

    settings = grid(_numbers("--fps", fps), _numbers("--window", window), split_names(swept))
    base = settings_of({**said, "out": said["out"] or _directory(said), "profile": "strict"})
    runs = prepare_sweep(base, settings)
    _decode_visibly(runs)
    failed = sum(execute_visibly(prepared, again="").failed for prepared in runs)
    points = [read_point(setting, base.out / setting.name) for setting in settings]
    write_json(base.out / "sweep.json", [asdict(point) for point in points])
    picture = plot or base.out / "sweep.svg"
    write_text(picture, sweep_chart(points))
    _show(points, picture, as_json)
    if failed:
        click.echo(f"s3harness: {failed} requests failed; mend the cause and give the command again", err=True)
    sys.exit(1 if failed else 0)


def _numbers(option: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in split_names(text)]
    except ValueError:
        numbers = [0.0]
    if any(not 0 < number < float("inf") for number in numbers):
        raise click.BadParameter(f"{text!r}: numbers above 0 are expected, with commas between", param_hint=option)
    return numbers


def _directory(said: dict[str, Any]) -> Path:
    names = dict.fromkeys(part for part in (said["backend"], said["model"], said["protocol"]) if part)
    return Path("sweeps") / "-".join(names)


def _decode_visibly(runs: Sequence[Any]) -> None:
    from s3harness.analysis.sweep import decode_once

    def done(number: int, total: int) -> None:
        if number == total or sys.stderr.isatty():
            click.echo(f"\rdecoded {number} of {total} videos", err=True, nl=number == total)

    decode_once(runs, done)


def _show(points: Sequence[Point], picture: Path, as_json: bool) -> None:
    from s3harness.report.sweep import print_sweep

    if as_json:
        print_json([asdict(point) for point in points])
        return
    print_sweep(points)
    click.echo(f"picture: {picture}")
