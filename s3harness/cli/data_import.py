"""``s3harness data import``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from s3harness.cli.options import Command, count, features_option, json_option, parse_options, print_json

SHOWN_NOTES = 10


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of the arguments; if the first is a source, the one of the importer for it."""
        # Names of importers go first: a file called "table" is given as ./table.
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from s3harness.dataset.importing.choice import importer_for

            args = [importer_for(Path(args[0])), *args]
        return super().resolve_command(ctx, args)


def _importer(name: str, package: str) -> click.Command:
    """Make the command of a plugin's importer; the importer's module is imported when the command is called."""

    @click.argument("source", type=click.Path(path_type=Path))
    @_import_options
    def run(source: Path, **options: Any) -> None:
        _import(name, source, **options)

    return click.command(name, help=f"Import SOURCE with the importer of {package}.")(run)


def _import_options(command: Command) -> Command:
    """Add the options of every importer."""
    path = click.Path(path_type=Path)
    options = (
        click.option("--out", type=path, required=True, help="Directory to make."),
        features_option,
        click.option("--mapping", type=path, help="YAML file with the meaning of columns and words."),
        click.option("--confirmed", metavar="CODE", help="Confirm a drafted mapping that you have read, by its code."),
        click.option("--videos", type=path, help="Folder of the video files."),
        click.option("--link", is_flag=True, help="Link the video files instead of copying them."),
        click.option(
            "--ids-of",
            type=path,
            metavar="DATASET",
            help="Reuse the video ids of this data set, for a corrected table or another annotator's.",
        ),
        click.option("--encoding", help="Text encoding of a table; by default UTF-8 or Windows-1252."),
        click.option(
            "-o", "options", multiple=True, metavar="KEY=VALUE", help="Importer option, name=value; repeatable."
        ),
    )
    # Decorators apply from the bottom up: reversed, so that --help lists the options in this order.
    for option in reversed(options):
        command = option(command)
    return command


def _import(name: str, source: Path, *, out: Path, options: tuple[str, ...], **given: Any) -> None:
    """Import a source and print what came of it: notes, missing files, warnings."""
    from s3harness.dataset.importing.choice import call_importer
    from s3harness.dataset.importing.write import import_notes
    from s3harness.dataset.load import load_dataset
    from s3harness.dataset.warnings import dataset_warnings
    from s3harness.errors import DatasetError

    # Only what was given: an importer need not take the options of others.
    number = call_importer(
        name, source, out, {key: value for key, value in given.items() if value} | parse_options(options)
    )
    summary = f"{out}: {count(number, 'video')}" if isinstance(number, int) else f"{out}:"
    notes, missing = import_notes(out)
    _print_first("note", "notes", notes, out / "private" / "import_notes.txt")
    _print_first("missing video file", "missing video files", missing, out / "private" / "missing_files.txt")
    try:
        dataset = load_dataset(out)
    except DatasetError as error:
        # The files are there and the user may correct them: the message must not sound as if nothing was imported.
        raise DatasetError(f"{summary} imported, but the data set cannot be used yet: {error}") from error
    for warning in dataset_warnings(dataset):
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{out}: {count(len(dataset.videos), 'video')}; check it with s3harness data validate {out}")


def _print_first(noun: str, nouns: str, lines: Sequence[str], path: Path) -> None:
    for line in lines[:SHOWN_NOTES]:
        click.echo(f"{noun}: {line}", err=True)
    if len(lines) > SHOWN_NOTES:
        click.echo(f"… and {len(lines) - SHOWN_NOTES} more {nouns}: {path}", err=True)


@click.group("import", cls=Importers, subcommand_metavar="[IMPORTER] SOURCE [OPTIONS]")
def import_group() -> None:
    """Import annotations and videos; without IMPORTER, the one for the form of SOURCE is taken.

    Videos and patients get new ids; the original names are kept in the data set's private directory alone.
    """


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
