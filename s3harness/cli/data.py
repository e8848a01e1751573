"""``s3harness data``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from s3harness.cli.groups import PluginGroup
from s3harness.cli.options import count, identifier_options, json_option, parse_options, print_json

if TYPE_CHECKING:
    from s3harness.dataset.validate import WrittenIdentifier

directory_argument = click.argument("directory", type=click.Path(path_type=Path))


@click.group(cls=PluginGroup)
def data() -> None:
    """Data sets: preview, import, validate, info, agreement, split, export, allow-links."""


@data.command()
@directory_argument
@click.argument("video")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PNG file to write.")
@click.option("--frames", type=click.IntRange(1, 64), default=12, show_default=True, help="Number of frames.")
@click.option("--from", "start", type=click.FloatRange(min=0), default=0.0, help="First second to draw.")
@click.option("--to", "end", type=click.FloatRange(min=0), help="Last second to draw; default: the end of the video.")
@click.option(
    "--width", type=click.IntRange(80, 1920), default=320, show_default=True, help="Width of a frame, in pixels."
)
def preview(directory: Path, video: str, out: Path, frames: int, start: float, end: float | None, width: int) -> None:
    """Draw a contact sheet of VIDEO, an id of the data set DIRECTORY: frames, and the interval of each sign."""
    from s3harness.dataset.load import load_dataset
    from s3harness.report.contact_sheet import make_contact_sheet

    make_contact_sheet(load_dataset(directory), video, frames=frames, span=(start, end), width=width).save(out)
    click.echo(str(out))


class Importers(click.Group):
    """The built-in importers, and those of plugins, which all take SOURCE, --out and -o KEY=VALUE."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the importers, the built-in ones first."""
        from s3harness.plugins.manager import manager

        # The built-in importers are registered as well, and would be listed twice.
        return list(dict.fromkeys([*super().list_commands(ctx), *manager().registry.names("dataset")]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of an importer; ``None`` if there is none of this name."""
        from s3harness.plugins.manager import manager

        own = super().get_command(ctx, cmd_name)
        registry = manager().registry
        # Of a name that two plugins claim, entry() raises an error that names both.
        is_registered = cmd_name in registry.names("dataset") or ("dataset", cmd_name) in registry.clashes
        if own is None and is_registered:
            return _importer(cmd_name, registry.entry("dataset", cmd_name).package)
        return own


def _importer(name: str, package: str) -> click.Command:
    """Make the command of a plugin's importer; the importer's module is imported when the command is called."""

    def run(source: Path, out: Path, options: tuple[str, ...]) -> None:
        # Not before: a plugin's importer that is slow or broken must not slow down or break "data import --help".
        from s3harness.plugins.manager import load

        cast("Callable[..., object]", load("dataset", name))(source, out, **parse_options(options))
        click.echo(f"{out}: imported; check it with s3harness data validate {out}")

    params: list[click.Parameter] = [
        click.Argument(["source"], type=click.Path(path_type=Path)),
        click.Option(["--out"], type=click.Path(path_type=Path), required=True, help="Directory to make."),
        click.Option(
            ["-o", "options"], multiple=True, metavar="KEY=VALUE", help="Importer option, name=value; repeatable."
        ),
    ]
    return click.Command(name, callback=run, params=params, help=f"Import SOURCE with the importer of {package}.")


@data.group("import", cls=Importers)
def import_group() -> None:
    """Import annotations and videos from another format."""


@import_group.command("table")
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--mapping", type=click.Path(path_type=Path), required=True, help="YAML file with the meaning of the columns."
)
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the video files.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory to make.")
@click.option("--encoding", default="utf-8-sig", show_default=True, help="Text encoding of the table.")
@click.option("--link", is_flag=True, help="Link the video files instead of copying them.")
@click.option(
    "--ids-of",
    type=click.Path(path_type=Path),
    metavar="DATASET",
    help="Reuse the video ids of this data set, for a corrected table or another annotator's.",
)
def table(
    table: Path, mapping: Path, videos: Path | None, out: Path, encoding: str, link: bool, ids_of: Path | None
) -> None:
    """Import your own annotations from the CSV file TABLE.

    Videos and patients get new ids; the original names are kept in the data set's private directory alone.
    """
    from s3harness.dataset.import_table import import_table
    from s3harness.dataset.load import load_dataset
    from s3harness.dataset.warnings import dataset_warnings
    from s3harness.errors import DatasetError

    number = import_table(table, out, mapping=mapping, videos=videos, encoding=encoding, link=link, ids_of=ids_of)
    summary = f"{out}: {count(number, 'video')}"
    try:
        dataset = load_dataset(out)
    except DatasetError as error:
        # The files are there and the user may correct them: the message must not sound as if nothing was imported.
        raise DatasetError(f"{summary} imported, but the data set cannot be used yet: {error}") from error
    for warning in dataset_warnings(dataset):
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{summary}; check it with s3harness data validate {out}")


@import_group.command("s3-release")
@click.argument("checkout", type=click.Path(path_type=Path))
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the video files, searched at any depth.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory to make.")
@click.option("--link", is_flag=True, help="Link the video files instead of copying them.")
@json_option
def s3_release(checkout: Path, videos: Path | None, out: Path, link: bool, as_json: bool) -> None:
    """Import the annotations of CHECKOUT, a checkout of the authors' release, with or without the videos.

    Ids are opaque and the same for everyone; the release's names are kept in the data set's private directory alone.
    Inconsistent annotations, and how each was resolved, are printed and written to import_report.json.
    """
    from dataclasses import asdict

    from s3harness.paper.importer import import_release
    from s3harness.report.plain_text import print_rows

    report = import_release(checkout, out, videos=videos, link=link)
    if as_json:
        print_json(asdict(report))
        return
    print_rows([{"times": n, "inconsistency and resolution": what} for what, n in report.quirks.items()])
    for problem in report.tables:
        click.echo(problem)
    # Without the videos, each missing file would be a problem of the data set: --no-media.
    click.echo(
        f"{out}: {count(report.videos, 'video')} of {count(report.patients, 'patient')}, {report.files} with a file; "
        f"check it with s3harness data validate {out}{'' if report.files else ' --no-media'}"
    )


@data.command()
@directory_argument
@click.option("--no-media", is_flag=True, help="Check the tables only.")
@click.option(
    "--reviewed", default="", metavar="CODE", help="Confirm that the likely identifiers are harmless, by their code."
)
@json_option
def validate(directory: Path, no_media: bool, reviewed: str, as_json: bool) -> None:
    """Check a data set, and print each problem with its file, row and column. Exit code 1 if there is any.

    Warnings concern data that can be scored but are of little use, such as a task with one class. Names, dates and
    other identifiers in the experts' texts are problems, because the texts would be sent to a model. Text that only
    looks like an identifier can be confirmed as harmless with --reviewed.
    """
    from dataclasses import asdict

    from s3harness.dataset.load import load_dataset
    from s3harness.dataset.validate import validate_dataset, written_identifiers
    from s3harness.dataset.warnings import dataset_warnings
    from s3harness.guard.review import code_of, confirm, folder_of_dataset

    # Before the check, so that the confirmed ones are no problems any more.
    if reviewed:
        confirm(
            folder_of_dataset(directory), _likely(written_identifiers(directory, load_dataset(directory))), reviewed
        )
    dataset, problems = validate_dataset(directory, media=not no_media)
    warnings = dataset_warnings(dataset)
    if as_json:
        records = [asdict(problem) for problem in problems]
        print_json({"videos": len(dataset.videos), "problems": records, "warnings": warnings})
    else:
        for problem in problems:
            click.echo(str(problem))
        for warning in warnings:
            click.echo(f"warning: {warning}")
        counts = ((len(dataset.videos), "video"), (len(problems), "problem"), (len(warnings), "warning"))
        click.echo(", ".join(count(number, noun) for number, noun in counts))
        if likely := _likely(written_identifiers(directory, dataset)):
            click.echo(f"If all likely identifiers above are harmless, confirm them: --reviewed {code_of(likely)}")
    sys.exit(1 if problems else 0)


def _likely(written: Iterable[WrittenIdentifier]) -> set[str]:
    return {one.fingerprint for one in written if one.identifier.tier == "likely"}


@data.command("allow-links")
@directory_argument
@json_option
def allow_links(directory: Path, as_json: bool) -> None:
    """Allow the video files that are symbolic links to places outside the data set, each to its present target.

    The links are printed, and their list is kept in the data set's private directory.
    """
    from s3harness.dataset.links import allow_links as write_links
    from s3harness.dataset.links import links_outside

    targets = links_outside(directory)
    if targets:
        write_links(directory, targets)
    if as_json:
        print_json(targets)
        return
    for video_id, target in targets.items():
        click.echo(f"{video_id} → {target}")
    click.echo(f"{count(len(targets), 'link')} to places outside {directory} allowed")


@data.command()
@directory_argument
@json_option
def info(directory: Path, as_json: bool) -> None:
    """Summarise a data set: videos, patients, labels, and the frequency of each sign."""
    from s3harness.dataset.load import load_dataset
    from s3harness.dataset.summary import summary
    from s3harness.dataset.warnings import dataset_warnings
    from s3harness.report.plain_text import print_pairs, print_rows

    dataset = load_dataset(directory)
    about, features = summary(dataset)
    warnings = dataset_warnings(dataset)
    if as_json:
        print_json({**about, "features": features, "warnings": warnings})
        return
    print_pairs(about)
    print_rows(features)
    for warning in warnings:
        click.echo(f"warning: {warning}")


@data.command()
@click.argument("directories", metavar="DIR DIR [DIR]...", type=click.Path(path_type=Path), nargs=-1, required=True)
@json_option
def agreement(directories: tuple[Path, ...], as_json: bool) -> None:
    """Measure the agreement of annotators; each DIR holds one annotator's (or version's) labels of the same videos.

    It prints κ and α of every sign, side and diagnosis, the differences of onsets and offsets, and the score of one
    annotator against another in each metric: the human ceiling.
    """
    from dataclasses import asdict

    from s3harness.analysis.agreement import agreement as agreement_of
    from s3harness.analysis.agreement import load_panel
    from s3harness.analysis.ceiling import human_ceilings
    from s3harness.report.agreement import print_agreement

    if len(directories) < 2:
        raise click.BadParameter("name at least two data sets", param_hint="DIR")
    panel = load_panel(directories)
    coefficients, ceilings = agreement_of(panel), human_ceilings(panel)
    if as_json:
        print_json({**asdict(coefficients), "ceilings": [asdict(ceiling) for ceiling in ceilings]})
    else:
        print_agreement(coefficients, ceilings)


@data.command()
@directory_argument
@click.option(
    "--test",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the patients in test.",
)
@click.option("--folds", type=click.IntRange(min=2), help="Make N folds, fold0 …, instead of train and test.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random assignment.")
@json_option
def split(directory: Path, test: float, folds: int | None, seed: int, as_json: bool) -> None:
    """Split a data set by patient, stratified by diagnosis; this writes the split column of videos.csv."""
    from collections import Counter

    from s3harness.dataset.split import split_dataset

    names = [f"fold{n}" for n in range(folds)] if folds else ["train", "test"]
    # Relative: split_dataset() divides by their sum.
    shares = [1.0] * folds if folds else [1.0 - test, test]
    counts = Counter(video.split for video in split_dataset(directory, names, shares, seed).videos)
    if as_json:
        print_json({name: counts[name] for name in names})
    else:
        click.echo(", ".join(f"{name}: {count(counts[name], 'video')}" for name in names))


@data.command()
@directory_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(("parquet", "hub")),
    default="parquet",
    show_default=True,
    help="parquet: a table for each split, videos beside them; hub: a folder to upload, whose videos can be played.",
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option("--no-video", is_flag=True, help="Export the tables only.")
@identifier_options
@json_option
def export(
    directory: Path, form: str, output: Path, no_video: bool, allow_identifiers: str, reviewed: str, as_json: bool
) -> None:
    """Write a data set as a Hugging Face data set with a card, to be read by datasets.load_dataset.

    Texts are searched for identifiers before anything is written. Patients get numbers, and videos go along under their
    ids without their containers' metadata; faces, voices and text in the pictures stay.
    """
    from dataclasses import asdict

    from s3harness.dataset.export import export_dataset
    from s3harness.guard.outgoing_check import Consent
    from s3harness.guard.review import folder_of_dataset

    consent = Consent(allow_identifiers, reviewed, folder_of_dataset(directory))
    exported = export_dataset(directory, output, form=form, with_videos=not no_video, consent=consent)
    if as_json:
        print_json(asdict(exported))
        return
    counts = ", ".join(f"{name} {number}" for name, number in exported.splits.items())
    videos = count(exported.videos, "video")
    click.echo(f"{output}: {videos} ({counts}), {exported.files} with a file")
