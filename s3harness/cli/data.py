"""``s3harness data``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.data_import import import_group
from s3harness.cli.groups import PluginGroup
from s3harness.cli.options import (
    count,
    exporter_options,
    features_option,
    identifier_options,
    json_option,
    parse_options,
    print_json,
    print_notes,
)

if TYPE_CHECKING:
    from s3harness.dataset.validate import WrittenIdentifier

directory_argument = click.argument("directory", type=click.Path(path_type=Path))


@click.group(cls=PluginGroup)
def data() -> None:
    """Data sets: preview, mapping, import, validate, deidentify, info, agreement, split, export, allow-links."""


data.add_command(import_group)


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


@data.command()
@directory_argument
@features_option
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


@data.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="YAML file to write; default: SOURCE.mapping.yaml here.")
@click.option("--importer", default="", help="Importer of SOURCE; by default the one for its form.")
@click.option("--encoding", default="", help="Text encoding of a table; by default UTF-8 or Windows-1252.")
@features_option
@json_option
def mapping(source: Path, out: Path | None, importer: str, encoding: str, as_json: bool) -> None:
    """Draft the mapping of SOURCE, a table of annotations: the meaning of its columns and words.

    Headers and words are understood in English, German, French, Spanish, Italian and Portuguese. What was understood
    and what not is printed; a person confirms the draft before data import takes it.
    """
    from dataclasses import asdict

    from s3harness.dataset.drafting.mapping_file import draft_file, summary
    from s3harness.report.plain_text import print_rows

    out = out or Path(f"{source.stem}.mapping.yaml")
    findings, code = draft_file(source, out, encoding=encoding, importer=importer)
    if as_json:
        print_json({"mapping": str(out), "code": code, "findings": [asdict(finding) for finding in findings]})
        return
    print_rows([asdict(finding) for finding in findings])
    click.echo(f"{out}: {summary(findings)}")
    click.echo(
        f"If all of this is right: s3harness data import {source} --mapping {out} --confirmed {code} --out DIRECTORY"
    )


@data.command()
@directory_argument
@click.option("--confirmed", default="", metavar="CODE", help="Replace what the table says, by the code of the table.")
@json_option
def deidentify(directory: Path, confirmed: str, as_json: bool) -> None:
    """Replace names, dates and other identifiers in the texts of a data set.

    The first call lists them in private/deidentification.csv, each with a replacement. Read the table, change
    replacements, write "keep" where something only looks like an identifier, and call again with --confirmed.
    """
    from dataclasses import asdict

    from s3harness.dataset.deidentify import PROPOSALS, apply_proposals, propose
    from s3harness.report.plain_text import print_rows

    if confirmed:
        done = apply_proposals(directory, confirmed)
        if as_json:
            print_json(asdict(done))
        else:
            click.echo(f"{done.replaced} replaced, {done.kept} kept as harmless, {done.still_open} still open")
        sys.exit(1 if done.still_open else 0)
    proposals, code = propose(directory)
    if as_json:
        print_json({"table": str(directory / PROPOSALS), "code": code, "identifiers": len(proposals)})
        return
    # Kinds alone: the identifiers are for the table in private/, and not for a terminal's history.
    counts = Counter((one.tier, one.kind) for one in proposals)
    print_rows([{"tier": tier, "kind": kind, "identifiers": number} for (tier, kind), number in sorted(counts.items())])
    click.echo(f"{count(len(proposals), 'identifier')} in {directory / PROPOSALS}: read it and correct it")
    click.echo(f"If it is right as it is: s3harness data deidentify {directory} --confirmed {code}")


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
@features_option
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
    "--to",
    "--format",
    "form",
    default="parquet",
    show_default=True,
    help="parquet: a table for each split, videos beside them; hub: a folder to upload, whose videos can be played; "
    "csv: a table of the annotations; or the format of a plugin, such as elan.",
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option("--no-video", is_flag=True, help="Export the tables only.")
@exporter_options
@identifier_options
@json_option
def export(
    directory: Path,
    form: str,
    output: Path,
    no_video: bool,
    options: tuple[str, ...],
    allow_identifiers: str,
    reviewed: str,
    as_json: bool,
) -> None:
    """Write a data set as a Hugging Face data set with a card, or its annotations for another tool.

    Texts are searched for identifiers before anything is written. Patients get numbers. In a Hugging Face data set
    videos go along under their ids without their containers' metadata; faces, voices and text in the pictures stay.
    """
    from dataclasses import asdict

    from s3harness.dataset.export import FORMATS, export_dataset
    from s3harness.dataset.export_annotations import export_annotations
    from s3harness.guard.outgoing_check import Consent
    from s3harness.guard.review import folder_of_dataset

    consent = Consent(allow_identifiers, reviewed, folder_of_dataset(directory))
    if form not in FORMATS:
        notes = export_annotations(directory, output, form, options=parse_options(options), consent=consent)
        print_notes(output, form, notes, as_json)
        return
    if options:
        raise click.BadParameter(f"{form} has no options", param_hint="-o")
    exported = export_dataset(directory, output, form=form, with_videos=not no_video, consent=consent)
    if as_json:
        print_json(asdict(exported))
        return
    counts = ", ".join(f"{name} {number}" for name, number in exported.splits.items())
    videos = count(exported.videos, "video")
    click.echo(f"{output}: {videos} ({counts}), {exported.files} with a file")
