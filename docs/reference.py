"""The reference pages, generated from the code when the documentation is built, so that they cannot differ from it.

MkDocs calls :func:`on_files` (``hooks`` in ``mkdocs.yml``). Each function below makes one page, as Markdown.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


def cli() -> str:
    """Return the page of the commands, with help and options."""
    from s3harness.cli import cli as commands

    lines = [
        "# Command line",
        "",
        "Exit codes: 0 done, 1 the work failed, 2 the call was wrong. `--json` prints data.",
        "",
    ]
    for path, command in _commands(commands):
        lines += _command(path, command)
    return "\n".join(lines)


def tasks() -> str:
    """Return the page of the seven tasks, with prompts and specs, and of the signs."""
    import yaml

    from s3harness.specs.features import vocabulary
    from s3harness.specs.loading import load_task, task_names

    lines = [
        "# Tasks and signs",
        "",
        "Generated from the specs in `task_specs/`; the wording of the prompts is our own.",
        "",
    ]
    for name in task_names():
        spec = dict(load_task(name).data)
        primary = next(metric["name"] for metric in spec["metrics"] if metric.get("primary"))
        lines += [f"## {spec['title']}", "", f"`{name}`. {spec.get('description', '')}", ""]
        lines += [f"One item is one {spec['item']}; ranked by [`{primary}`](metrics.md#{primary}).", ""]
        lines += ['??? note "The spec"', ""]
        text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=110)
        lines += [*_indented(["```yaml", *text.splitlines(), "```"], 4), ""]
    lines += [
        "## The 20 signs",
        "",
        "| sign | modality | definition | ILAE's term | HED-SCORE |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.name}` {f.title} | {f.modality} | {_cell(f.definition)} | {f.ilae or '–'} | {_cell(f.hed)} |"
        for f in vocabulary().features
    ]
    return "\n".join(lines)


def models() -> str:
    """Return the page of the model cards."""
    from s3harness.specs.models import load_model, model_names

    lines = ["# Model cards", "", "`s3harness models show NAME` shows a whole card.", ""]
    lines += ["| name | weights | family | takes | licence |", "|---|---|---|---|---|"]
    for name in model_names():
        card = load_model(name)
        cells = (card.weights or "not released", card.family, ", ".join(card.modalities), card.licence or "not stated")
        lines.append(f"| `{name}` {_cell(card.title)} | " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines)


def hooks() -> str:
    """Return the page of the hooks, and of the kinds of components."""
    from s3harness.plugins import hookspecs
    from s3harness.plugins.manager import manager
    from s3harness.plugins.registry import KINDS, Registrar

    lines = ["# Extension points", "", *_prose(hookspecs), "", "## Hooks", ""]
    for name, hook in vars(hookspecs).items():
        if name.startswith("s3harness_"):
            lines += [f"### `{name}{_signature(hook)}`", "", *_prose(hook), ""]
    lines += ["## Kinds", "", 'Register a component with `registry.KIND(name, "package.module:attribute")`.', ""]
    lines += ["| kind | what it is | built in |", "|---|---|---|"]
    for kind in KINDS:
        names = [
            name
            for name in manager().registry.names(kind)
            if manager().registry.entry(kind, name).package == "s3harness"
        ]
        contract = " ".join(_prose(getattr(Registrar, kind)))
        lines.append(f"| `{kind}` | {_cell(contract)} | {_cell(', '.join(f'`{name}`' for name in names))} |")
    return "\n".join(lines)


def metrics() -> str:
    """Return the page of the metrics: formula, range and source of each."""
    from s3harness.plugins.builtins import METRICS

    lines = [
        "# Metrics",
        "",
        "A `paper_` metric computes exactly the value of the authors' code, with its defects.",
        "",
    ]
    lines += [
        "Each score is shown with a floor and a ceiling computed on the same items, and an interval over patients.",
        "",
    ]
    module = ""
    for name, target in METRICS.items():
        where, _, attribute = target.partition(":")
        if where != module:
            module = where
            lines += [f"## {where.removeprefix('s3harness.metrics.')}", "", *_prose(import_module(where)), ""]
        metric = getattr(import_module(where), attribute)
        lines += [f"### `{name}` {{ #{name} }}", "", f"`{attribute}{_signature(metric)}`", "", *_prose(metric), ""]
    return "\n".join(lines)


def rqi() -> str:
    """Return the page of the Seizure-RQI: terms, weights and penalties."""
    from s3harness.metrics.rqi import certainty, components, penalties, score, weighed
    from s3harness.plugins.builtins import RQI_PENALTIES

    lines = ["# Seizure-RQI", "", *_prose(score), "", "## Components", "", *_prose(components), ""]
    for name in ("strict_components", "paper_components"):
        lines += [f"### `{name}`", "", *_prose(getattr(components, name)), ""]
    lines += ["### `weighed_components`", "", *_prose(weighed), "", *_prose(weighed.weighed_components), ""]
    lines += ["## Weights of statements", "", *_prose(certainty), ""]
    lines += ["## Penalties", "", *_prose(penalties), ""]
    for name in RQI_PENALTIES:
        lines += [f"### `{name}`", "", *_prose(getattr(penalties, name)), ""]
    return "\n".join(lines)


def python() -> str:
    """Return the page of the public names, which a plugin may import."""
    import s3harness

    lines = ["# Python", "", *_prose(s3harness), ""]
    for name in s3harness.__all__:
        thing = getattr(s3harness, name)
        text = _prose(thing) if inspect.isclass(thing) or callable(thing) else []
        lines += [f"## `{name}`", "", *([f"`{name}{_signature(thing)}`", ""] if callable(thing) else []), *text, ""]
        lines += [line for member, method in _methods(thing) for line in _method(member, method)]
    return "\n".join(lines)


def benchmarks() -> str:
    """Return the page of ``benchmarks/README.md``."""
    return (BENCHMARKS / "README.md").read_text(encoding="utf-8")


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli,
    "reference/tasks.md": tasks,
    "reference/models.md": models,
    "reference/hooks.md": hooks,
    "reference/metrics.md": metrics,
    "reference/rqi.md": rqi,
    "reference/python.md": python,
    "benchmarks.md": benchmarks,
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages, and the pictures of benchmarks; called by MkDocs."""
    from mkdocs.structure.files import File

    for path, make in PAGES.items():
        files.append(File.generated(config, path, content=make() + "\n"))
    for picture in sorted(BENCHMARKS.rglob("*.svg")):
        files.append(File.generated(config, picture.relative_to(BENCHMARKS).as_posix(), abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Give blocks of commands their needs as title, and links to the source as plain text; called by MkDocs."""
    # The pages are built without the source: its files are links in a checkout, where a test checks them.
    markdown = re.sub(r"\[(`s3harness/[^`]+`)\]\(\.\./s3harness/[^)]+\)", r"\1", markdown)
    markdown = re.sub(r'^```console needs="([^"]+)"', r'```console title="needs \1"', markdown, flags=re.MULTILINE)
    return re.sub(r'^```console exit="([^"]+)"', r'```console title="exit code \1"', markdown, flags=re.MULTILINE)


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=" ".join(("s3harness", *path)))
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    lines = [f"{'#' * (len(path) + 1)} s3harness {' '.join(path)}", "", f"`{usage}`", ""]
    lines += [*_paragraphs(command.help or ""), ""]
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if records:
        lines += ["| option | |", "|---|---|", *(f"| `{_cell(name)}` | {_cell(text)} |" for name, text in records), ""]
    return lines


def _methods(thing: object) -> list[tuple[str, Any]]:
    """Return the public methods that a class defines itself, by name."""
    members = vars(thing).items() if inspect.isclass(thing) else ()
    return [
        (n, m)
        for n, m in members
        if inspect.isfunction(m) and m.__doc__ and (not n.startswith("_") or n == "__aenter__")
    ]


def _method(name: str, method: Any) -> list[str]:
    return [f"`.{name}{_signature(method)}`", "", *_indented(_prose(method), 0), ""]


def _signature(thing: Any) -> str:
    """Return the signature of a callable in one line; empty if it has none."""
    try:
        text = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return ""
    # Annotations are strings ("from __future__ import annotations"): without their quotes they read as code.
    text = re.sub(r"(: |-> )(['\"])([^=]+?)\2(?=,|\)|$| =)", r"\1\3", text)
    return re.sub(r"\bself, |\bself\b", "", text.replace(" -> None", ""))


def _prose(thing: object) -> list[str]:
    """Return a docstring as Markdown."""
    text = re.sub(r":\w+:`[~.]?([^`]+)`", r"`\1`", inspect.getdoc(thing) or "").replace("``", "`")
    return _paragraphs(text)


def _paragraphs(text: str) -> list[str]:
    """Return text as Markdown: a block after ``::`` is code."""
    lines: list[str] = []
    for line in text.replace("\b", "").splitlines():
        if line.endswith("::"):
            lines += [line[:-1], ""]
        else:
            lines.append(line.replace("<", "&lt;") if not line.startswith("    ") else line)
    return lines


def _indented(lines: list[str], spaces: int) -> list[str]:
    return [" " * spaces + line if line else line for line in lines]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
