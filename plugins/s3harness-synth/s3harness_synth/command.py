"""``s3harness data synth``."""

from __future__ import annotations

from pathlib import Path
from signal import default_int_handler
from typing import Any

import click

from s3harness import UsageError
from s3harness_synth.options import parse_resolution


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory to make.")
@click.option("--videos", type=click.IntRange(min=1), default=12, show_default=True, help="Number of videos.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of all random choices; the same seed gives the same data set.",
)
@click.option("--resolution", default="640x360", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option("--fps", type=click.IntRange(1, 60), default=25, show_default=True, help="Frames per second.")
@click.option("--seconds", type=click.FloatRange(min=5), help="Length of every video; default: random for each.")
@click.option("--audio/--no-audio", default=True, show_default=True, help="Write an audio track.")
@click.option(
    "--prior",
    type=click.Choice(("s3", "physiology")),
    default="s3",
    show_default=True,
    help="Source of the signs' frequency, timing and duration: the benchmark's labels, or the literature.",
)
@click.option(
    "--balance-nuisance", is_flag=True, help="Make length, light, room and bit rate independent of the diagnosis."
)
@click.option("--mirrored", is_flag=True, help="Make the mirror image of the data set: frames flipped, sides swapped.")
@click.option(
    "--recording",
    "hours",
    type=click.FloatRange(min=0, min_open=True, max=168),
    metavar="HOURS",
    help="Make silent recordings of ordinary life with seizures in between, each of this length.",
)
@click.option(
    "--seizures-per-day",
    type=click.FloatRange(min=0, max=48),
    default=4.0,
    show_default=True,
    help="Mean number of seizures in 24 h of a recording.",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Number of processes.")
def synth(
    out: Path, resolution: str, seconds: float | None, hours: float | None, seizures_per_day: float, **choices: Any
) -> None:
    """Make a data set of synthetic seizures: rendered people, mp4 files, exact annotations.

    Synthetic videos test software and metrics. They are no evidence of clinical performance.
    """
    # Imported here: the help of the group `data` imports this module, and must not wait for these.
    from s3harness import on_sigterm, progress_bar
    from s3harness_synth.dataset import synthesize
    from s3harness_synth.recordings import synthesize_recordings

    try:
        size = parse_resolution(resolution)
    except UsageError as error:
        raise click.BadParameter(str(error), param_hint="--resolution") from error
    if hours is not None:
        # Before anything is made: an option that a recording does not heed must not be lost in silence.
        if seconds is not None or choices.pop("balance_nuisance") | choices.pop("mirrored"):
            raise click.UsageError("--recording goes with neither --seconds, --balance-nuisance nor --mirrored")
        del choices["audio"]
    # SIGTERM ends the work as Ctrl-C does, so that no half-made directory is left behind.
    with on_sigterm(default_int_handler), progress_bar("videos") as progress:
        if hours is None:
            synthesize(out, resolution=size, duration_s=seconds, progress=progress, **choices)
        else:
            synthesize_recordings(
                out, hours=hours, seizures_per_day=seizures_per_day, resolution=size, progress=progress, **choices
            )
    kind = "video" if hours is None else "recording"
    click.echo(f"{out}: {choices['videos']} {kind if choices['videos'] == 1 else f'{kind}s'}")
