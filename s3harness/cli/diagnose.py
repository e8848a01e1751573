"""``s3harness diagnose``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json, split_names

if TYPE_CHECKING:
    from s3harness.diagnosis.diagnose import Diagnosed, Settings
    from s3harness.diagnosis.sources import Source

DEFAULT = "evaluate"


class _WithDefault(click.Group):
    """A group whose first argument may be a command; if it is none, ``evaluate`` is meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


data_option = click.option("--data", type=click.Path(path_type=Path), help="The data set that a run was made on.")
models_option = click.option("--models", help="Comma-separated models of a checkout; all if absent.")
part_option = click.option(
    "--part", type=click.Choice(["test", "full"]), default="test", show_default=True, help="Which released predictions."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)
resamples_option = click.option(
    "--resamples", type=click.IntRange(2, 100_000), default=2000, show_default=True, help="Bootstrap resamples."
)


@click.group(cls=_WithDefault)
def diagnose() -> None:
    """Tell epileptic from non-epileptic events by the signs that a model saw: a classifier of its Task-1 answers.

    `s3harness diagnose RUN|CHECKOUT …` (the command evaluate) says how good that is, out of fold by patient, beside
    always-ES, the model's own Task-7 answers, and the same classifier on the annotated signs. fit saves a classifier,
    apply uses it on other patients.
    """


@diagnose.command()
@click.argument("sources", metavar="RUN|CHECKOUT...", type=click.Path(path_type=Path), nargs=-1, required=True)
@models_option
@part_option
@data_option
@click.option("--classifiers", help="Comma-separated (s3harness plugins list --kind classifier); the first is shown.")
@click.option(
    "--folds", default="5", show_default=True, help="A number, split (the data set's), or paper (the authors')."
)
@click.option("--repeats", type=click.IntRange(1, 100), default=3, show_default=True, help="Ways to deal the folds.")
@seed_option
@resamples_option
@click.option("--explain", metavar="VIDEO|all", help="Show which signs moved the diagnosis of a video, or of all.")
@click.option("--plots", type=click.Path(path_type=Path), help="Write charts (SVG) into this folder.")
@json_option
def evaluate(
    *,
    sources: tuple[Path, ...],
    models: str | None,
    part: str,
    data: Path | None,
    explain: str | None,
    plots: Path | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Score the two-stage diagnosis of run directories, or of the released models of a checkout, out of fold.

    Each patient is scored by a classifier trained without that patient: folds are of patients, and settings and
    threshold are chosen within the training patients. A classifier is fitted twice, on the model's own predictions of
    the other patients and on the annotations of these. The results of a run are kept in RUN/diagnosis.json, too, for
    its report. Exit code 1 if a source could not be diagnosed.
    """
    from s3harness.report.diagnosis import print_end

    settings = _settings(said)
    evaluated, failures = _evaluated([*_sources(sources, data, models, part)], settings)
    _keep({str(path): path for path in sources if not _is_checkout(path)}, evaluated, settings)
    diagnosed = list(evaluated.values())
    if as_json:
        print_json(_as_json(diagnosed, failures, settings))
    for found in diagnosed:
        _show(found, explain, plots, as_json)
    if not as_json:
        print_end()
    for failure in failures:
        click.echo(f"s3harness: {failure}", err=True)
    sys.exit(1 if failures else 0)


@diagnose.command()
@click.argument("source", metavar="DATA|RUN|CHECKOUT", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--classifier", default="logistic_regression", show_default=True)
@click.option("--split", help="Comma-separated splits to learn from; all if absent.")
@models_option
@part_option
@data_option
@seed_option
@json_option
def fit(source: Path, out: Path, as_json: bool, **said: Any) -> None:
    """Fit a classifier on all patients of a source and save it as plain numbers (JSON, no code).

    From a data set it learns what the annotators saw, from a run or a released model what the model said. The file
    holds whom it was fitted on as salted digests, so that apply refuses them and nobody is named.
    """
    from s3harness.diagnosis.fit import fit as fit_cases
    from s3harness.diagnosis.folds import in_splits
    from s3harness.diagnosis.model_file import save_model

    learnt_from, found = _one(source, said["data"], said["models"], said["part"])
    cases = found.perceived
    chosen = in_splits(cases, split_names(said["split"]))
    cases = cases.take(chosen & cases.is_answered & cases.is_labelled)
    fitted = fit_cases(cases, said["classifier"], said["seed"])
    save_model(out, fitted, found, cases, learnt_from)
    about = {
        "classifier": fitted.classifier,
        "setting": dict(fitted.setting),
        "threshold": round(fitted.threshold, 4),
        "videos": len(cases),
        "patients": len(cases.marks),
        "inner_brier": round(fitted.inner_brier, 4),
    }
    if as_json:
        print_json(about)
        return
    said_of = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in about.items())
    click.echo(f"{out}: {said_of}; use it on others with s3harness diagnose apply {out} RUN")


@diagnose.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("source", metavar="RUN|DATA|CHECKOUT", type=click.Path(path_type=Path))
@click.option("--split", help="Comma-separated splits to diagnose; all if absent.")
@models_option
@part_option
@data_option
@resamples_option
@json_option
def apply(file: Path, source: Path, resamples: int, as_json: bool, **said: Any) -> None:
    """Diagnose the videos of a run, data set or released model by the classifier in FILE.

    Refused if any of the patients is among those it was fitted on, or if nobody can tell. Videos without a known
    diagnosis are diagnosed and not scored.
    """
    from s3harness.diagnosis.apply import apply_model, only
    from s3harness.diagnosis.folds import in_splits
    from s3harness.diagnosis.model_file import read_model
    from s3harness.report.diagnosis import print_applied, print_end

    model = read_model(file)
    _, found = _one(source, said["data"], said["models"], said["part"])
    applied = apply_model(
        model, only(found, in_splits(found.perceived, split_names(said["split"]))), resamples=resamples
    )
    if as_json:
        print_json(asdict(applied))
        return
    print_applied(applied)
    print_end()


def _settings(said: dict[str, Any]) -> Settings:
    from s3harness.diagnosis.classifier import load_classifier
    from s3harness.diagnosis.diagnose import CLASSIFIERS, Settings

    folds = str(said["folds"])
    if folds not in ("split", "paper") and not (folds.isdigit() and 2 <= int(folds) <= 50):
        raise click.BadParameter(
            f"{folds!r} is neither a number from 2 to 50 nor split nor paper", param_hint="--folds"
        )
    names = tuple(dict.fromkeys(split_names(said["classifiers"]))) or CLASSIFIERS
    for name in names:
        load_classifier(name)
    return Settings(names, folds, said["repeats"], said["seed"], said["resamples"])


def _sources(paths: tuple[Path, ...], data: Path | None, models: str | None, part: str) -> Iterator[tuple[str, Any]]:
    """Name and reader of each source; nothing is read yet, so that one that fails takes nothing else down."""
    for path in paths:
        if _is_checkout(path):
            yield from _released(path, models, part)
        else:
            yield str(path), lambda path=path: _run(path, data)


def _one(path: Path, data: Path | None, models: str | None, part: str) -> tuple[str, Source]:
    """What is learnt from or applied to, and the one source that a path means."""
    from s3harness.diagnosis.sources import source_of_dataset

    if (path / "dataset.json").is_file():
        return "annotations", source_of_dataset(path)
    if not _is_checkout(path):
        return "predictions", _run(path, data)
    released = list(_released(path, models, part))
    if len(released) != 1:
        raise click.BadParameter("name one model of the checkout", param_hint="--models")
    return "predictions", released[0][1]()


def _is_checkout(path: Path) -> bool:
    return (path / "result" / "ground_truth").is_dir()


def _released(path: Path, models: str | None, part: str) -> Iterator[tuple[str, Any]]:
    from s3harness.cli.score_release import chosen_models
    from s3harness.diagnosis.sources import source_of_release
    from s3harness.paper.annotations import read_annotations
    from s3harness.paper.layout import open_release

    release = open_release(path, "full" if part == "full" else "test")
    annotations = read_annotations(release)
    for model in chosen_models(release, split_names(models)):
        yield model, lambda model=model: source_of_release(release, annotations, model)


def _run(path: Path, data: Path | None) -> Source:
    from s3harness.diagnosis.sources import source_of_run

    return source_of_run(path, data)


def _evaluated(sources: list[tuple[str, Any]], settings: Settings) -> tuple[dict[str, Diagnosed], list[str]]:
    """What came of each source, by its name; the error of the only one is raised, of one among several it is kept."""
    from s3harness.diagnosis.diagnose import Memory, diagnose
    from s3harness.errors import S3HarnessError

    memory, failures = Memory(), []
    done: dict[str, Diagnosed] = {}
    for name, read in sources:
        click.echo(f"{name} …", err=True)
        try:
            done[name] = diagnose(read(), settings, memory)
        except S3HarnessError as error:
            if len(sources) == 1:
                raise
            failures.append(f"{name}: {error}")
    return done, failures


def _keep(runs: dict[str, Path], evaluated: dict[str, Diagnosed], settings: Settings) -> None:
    """Write what was found of runs into their directories."""
    from s3harness.diagnosis.result_file import write_diagnosis

    for name in runs.keys() & evaluated.keys():
        write_diagnosis(runs[name], {"settings": asdict(settings), **_source_as_json(evaluated[name])})


def _show(found: Diagnosed, explain: str | None, plots: Path | None, as_json: bool) -> None:
    """Print one result, unless it is printed as JSON, and write its charts."""
    from s3harness.errors import UsageError
    from s3harness.report.diagnosis import print_diagnosed, print_explanations, write_charts

    if not as_json:
        print_diagnosed(found)
    if explain and not as_json:
        for findings in found.findings:
            wanted = [e for e in findings.explanations if explain in ("all", e.video)]
            if not wanted:
                raise UsageError(f"{found.source} has no labelled video {explain!r}")
            click.echo(f"\n{findings.classifier}, fitted on {findings.fitted_on}")
            print_explanations(wanted, every=explain != "all")
    for path in write_charts(plots, found) if plots else ():
        click.echo(f"wrote {path}", err=True)
    if not as_json:
        click.echo("")


def _as_json(diagnosed: list[Diagnosed], failures: list[str], settings: Settings) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "sources": [_source_as_json(found) for found in diagnosed],
        "failures": failures,
    }


def _source_as_json(found: Diagnosed) -> dict[str, Any]:
    from s3harness.paper.two_stage import known_of

    return asdict(found) | ({"published_note": known_of(found.published)} if found.published else {})
