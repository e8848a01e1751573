"""``s3harness diagnose``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json, split_names

if TYPE_CHECKING:
    from s3harness.diagnosis.diagnose import Diagnosed, DiagnosisSettings

DEFAULT = "evaluate"


class _WithDefault(click.Group):
    """A group whose first argument may be a command; the default is ``evaluate``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name none."""
        # "diagnose RUN" is the common case and should need no second word.
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


data_option = click.option("--data", type=click.Path(path_type=Path), help="Data set of the run.")
models_option = click.option("--models", help="Comma-separated models of a checkout; default: all.")
part_option = click.option(
    "--part",
    type=click.Choice(["test", "full"]),
    default="test",
    show_default=True,
    help="Released predictions to use: of the test fold, or of all videos.",
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random choices.")
resamples_option = click.option(
    "--resamples",
    type=click.IntRange(2, 100_000),
    default=2000,
    show_default=True,
    help="Number of bootstrap resamples.",
)


@click.group(cls=_WithDefault)
def diagnose() -> None:
    """Classify events as epileptic or non-epileptic from the signs that a model reported in Task 1.

    `s3harness diagnose RUN|CHECKOUT …` (the command evaluate) scores such classifiers out of fold by patient, beside
    always-ES, the model's own Task-7 answers, and the same classifier on the annotated signs. fit saves a classifier;
    apply uses it on other patients.
    """


@diagnose.command()
@click.argument("sources", metavar="RUN|CHECKOUT...", type=click.Path(path_type=Path), nargs=-1, required=True)
@models_option
@part_option
@data_option
@click.option("--classifiers", help="Comma-separated (s3harness plugins list --kind classifier); details of the first.")
@click.option(
    "--folds",
    default="5",
    show_default=True,
    help="Number of folds, or split (the data set's splits), or paper (the authors' folds).",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Number of random assignments to folds.",
)
@seed_option
@resamples_option
@click.option(
    "--explain", metavar="VIDEO|all", help="Show each sign's contribution to the diagnosis of a video, or of all."
)
@click.option("--plots", type=click.Path(path_type=Path), help="Folder to write charts into (SVG).")
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
    **arguments: Any,
) -> None:
    """Score the two-stage diagnosis of run directories, or of the released models of a checkout, out of fold.

    Each patient is scored by a classifier trained without that patient: folds are of patients, and settings and
    threshold are chosen within the training patients. Each classifier is fitted twice: on the model's predictions for
    the training patients, and on their annotations. The results of a run are also written to RUN/diagnosis.json, for
    its report. The exit code is 1 if a source could not be diagnosed.
    """
    from s3harness.diagnosis.diagnose import diagnose_all
    from s3harness.diagnosis.sources import is_checkout, sources_at
    from s3harness.report.diagnosis import print_end

    settings = _settings(arguments)
    readers = list(sources_at(sources, data, split_names(models), part))
    evaluated, failures = diagnose_all(readers, settings, lambda name: click.echo(f"{name} …", err=True))
    _write({str(path): path for path in sources if not is_checkout(path)}, evaluated, settings)
    diagnosed = list(evaluated.values())
    if as_json:
        print_json(_as_json(diagnosed, failures, settings))
    for result in diagnosed:
        _show(result, explain, plots, as_json)
    if not as_json:
        print_end()
    for failure in failures:
        click.echo(f"s3harness: {failure}", err=True)
    sys.exit(1 if failures else 0)


@diagnose.command()
@click.argument("source", metavar="DATA|RUN|CHECKOUT", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option("--classifier", default="logistic_regression", show_default=True, help="Registered classifier.")
@click.option("--split", help="Comma-separated splits to fit on; default: all.")
@models_option
@part_option
@data_option
@seed_option
@json_option
def fit(source: Path, out: Path, as_json: bool, **arguments: Any) -> None:
    """Fit a classifier on all patients of a source and save it as numbers in JSON, without code.

    It is fitted on the annotations of a data set, or on the predictions of a run or a released model. The file holds
    salted digests of the patients, so that apply can refuse them without the file naming anybody.
    """
    from s3harness.diagnosis.fit import fit as fit_cases
    from s3harness.diagnosis.folds import in_splits
    from s3harness.diagnosis.model_file import save_model
    from s3harness.diagnosis.sources import source_at

    fitted_on, cases_of = source_at(source, arguments["data"], split_names(arguments["models"]), arguments["part"])
    cases = cases_of.perceived
    chosen = in_splits(cases, split_names(arguments["split"]))
    # A video without an answer or without a label gives the classifier nothing to learn from.
    cases = cases.take(chosen & cases.is_answered & cases.is_labelled)
    fitted = fit_cases(cases, arguments["classifier"], arguments["seed"])
    save_model(out, fitted, cases_of, cases, fitted_on)
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
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in about.items())
    click.echo(f"{out}: {facts}; use it on other patients with s3harness diagnose apply {out} RUN")


@diagnose.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("source", metavar="RUN|DATA|CHECKOUT", type=click.Path(path_type=Path))
@click.option("--split", help="Comma-separated splits to diagnose; default: all.")
@models_option
@part_option
@data_option
@resamples_option
@json_option
def apply(file: Path, source: Path, resamples: int, as_json: bool, **arguments: Any) -> None:
    """Diagnose the videos of a run, data set or released model by the classifier in FILE.

    This is refused if the classifier was fitted on any of the patients, or if that cannot be excluded. Videos without
    an annotated diagnosis are diagnosed but not scored.
    """
    from s3harness.diagnosis.apply import apply_model, select_videos
    from s3harness.diagnosis.explain import result_as_json
    from s3harness.diagnosis.folds import in_splits
    from s3harness.diagnosis.model_file import read_model
    from s3harness.diagnosis.sources import source_at
    from s3harness.report.diagnosis import print_applied, print_end

    model = read_model(file)
    _, cases_of = source_at(source, arguments["data"], split_names(arguments["models"]), arguments["part"])
    chosen = in_splits(cases_of.perceived, split_names(arguments["split"]))
    applied = apply_model(model, select_videos(cases_of, chosen), resamples=resamples)
    if as_json:
        print_json(result_as_json(applied))
        return
    print_applied(applied)
    print_end()


def _settings(arguments: dict[str, Any]) -> DiagnosisSettings:
    from s3harness.diagnosis.contract import load_classifier
    from s3harness.diagnosis.diagnose import CLASSIFIERS, DiagnosisSettings

    folds = str(arguments["folds"])
    if folds not in ("split", "paper") and not (folds.isdigit() and 2 <= int(folds) <= 50):
        raise click.BadParameter(f"{folds!r} is not a number from 2 to 50, split or paper", param_hint="--folds")
    names = tuple(dict.fromkeys(split_names(arguments["classifiers"]))) or CLASSIFIERS
    # A wrong name is an error now, not after minutes of fitting the others.
    for name in names:
        load_classifier(name)
    return DiagnosisSettings(names, folds, arguments["repeats"], arguments["seed"], arguments["resamples"])


def _write(runs: dict[str, Path], evaluated: dict[str, Diagnosed], settings: DiagnosisSettings) -> None:
    """Write the results of runs into their directories, where their reports find them."""
    from s3harness.diagnosis.result_file import write_diagnosis

    # Released models have no run directory, and a source that failed has no result.
    for name in runs.keys() & evaluated.keys():
        write_diagnosis(runs[name], {"settings": asdict(settings), **_source_as_json(evaluated[name])})


def _show(result: Diagnosed, explain: str | None, plots: Path | None, as_json: bool) -> None:
    """Print one result, unless JSON is printed, and write its charts."""
    from s3harness.errors import UsageError
    from s3harness.report.diagnosis import print_diagnosed, print_explanations, write_charts

    if not as_json:
        print_diagnosed(result)
    if explain and not as_json:  # the JSON holds every explanation
        for findings in result.findings:
            wanted = [e for e in findings.explanations if explain in ("all", e.video)]
            if not wanted:
                raise UsageError(f"--explain: {result.source} has no video {explain!r} with an annotated diagnosis")
            click.echo(f"\n{findings.classifier}, fitted on {findings.fitted_on}")
            print_explanations(wanted, every=explain != "all")
    for path in write_charts(plots, result) if plots else ():
        click.echo(f"wrote {path}", err=True)
    if not as_json:
        click.echo("")


def _as_json(diagnosed: list[Diagnosed], failures: list[str], settings: DiagnosisSettings) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "sources": [_source_as_json(result) for result in diagnosed],
        "failures": failures,
    }


def _source_as_json(result: Diagnosed) -> dict[str, Any]:
    from s3harness.diagnosis.explain import result_as_json
    from s3harness.paper.two_stage import describe_figure

    return result_as_json(result) | ({"published_note": describe_figure(result.published)} if result.published else {})
