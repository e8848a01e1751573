"""Write a new plugin from the templates of its kind."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import cast

from s3harness.errors import UsageError, suggest
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import KINDS, Kind

PREFIX = "s3harness-"
LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """The parts of a new package that differ between kinds.

    ``attribute`` is the registered name in its module, ``run`` a command that uses the component, ``test`` the
    template of its test, ``data`` further files: path in the package → template.
    """

    summary: str
    attribute: str
    run: str
    check_options: str = ""
    test: str = "test"
    data: Mapping[str, str] = field(default_factory=dict)


TEMPLATES: Mapping[Kind, Template] = {
    "backend": Template(
        summary="A backend of s3harness",
        attribute="NewcomerBackend",
        run="s3harness run --backend newcomer --data DATA",
    ),
    "model": Template(
        summary="A model card for s3harness",
        attribute="CARD",
        run="s3harness models show newcomer",
        data={"newcomer.yaml": "card"},
    ),
    "dataset": Template(
        summary="An importer of data sets for s3harness",
        attribute="newcomer_dataset",
        run="s3harness data import newcomer SOURCE --out DATA",
        check_options=" -o source=SOURCE",
        test="test_dataset",
    ),
    "exporter": Template(
        summary="An exporter of annotations for s3harness",
        attribute="newcomer_exporter",
        run="s3harness data export DATA --to newcomer --output OUT",
    ),
    "sampler": Template(
        summary="A sampler of s3harness",
        attribute="newcomer_sampler",
        run="s3harness tasks validate TASK.yaml  # sampler: {name: newcomer}",
    ),
    "transform": Template(
        summary="A transform of s3harness",
        attribute="newcomer_transform",
        run="s3harness run --backend kinematics --transform newcomer --data DATA",
    ),
    "strategy": Template(
        summary="A strategy of s3harness",
        attribute="NewcomerStrategy",
        run="s3harness run --backend kinematics --strategy newcomer --data DATA",
    ),
    "parser": Template(
        summary="A parser of s3harness",
        attribute="newcomer_parser",
        run="s3harness tasks validate TASK.yaml  # answer: {parser: newcomer}",
    ),
    "aggregator": Template(
        summary="An aggregator of s3harness",
        attribute="newcomer_aggregator",
        run="s3harness tasks validate TASK.yaml  # aggregate: newcomer",
    ),
    "metric": Template(
        summary="A metric of s3harness",
        attribute="newcomer_metric",
        run="s3harness tasks validate TASK.yaml  # metrics: [{name: newcomer}]",
    ),
    "rqi_penalty": Template(
        summary="A penalty of the Seizure-RQI for s3harness",
        attribute="newcomer_penalty",
        run="s3harness rqi explain --report REPORT --expert EXPERT --preset strict-2+newcomer",
    ),
    "judge": Template(
        summary="A judge of reports for s3harness",
        attribute="NewcomerJudge",
        run="s3harness rqi score --report REPORT --expert EXPERT --judge newcomer --judge-backend BACKEND",
    ),
    "probe": Template(
        summary="A probe of s3harness",
        attribute="NewcomerProbe",
        run="s3harness probe newcomer --backend kinematics --data DATA",
    ),
    "classifier": Template(
        summary="A classifier for s3harness diagnose",
        attribute="NewcomerClassifier",
        run="s3harness diagnose RUN --classifier newcomer",
    ),
    "trainer": Template(
        summary="A trainer for s3harness train",
        attribute="newcomer_trainer",
        run="s3harness train sft --trainer newcomer --model WEIGHTS --data DATA --out OUT",
        check_options=" -o weights=WEIGHTS",
        test="test_trainer",
    ),
    "executor": Template(
        summary="An executor of s3harness",
        attribute="newcomer_executor",
        run="s3harness run --backend kinematics --executor newcomer --data DATA",
    ),
    "task_specs": Template(
        summary="Task specs for s3harness",
        attribute="FOLDER",
        run="s3harness tasks show SUITE/task1_sides --prompt",
        data={"tasks/task1_sides.yaml": "task"},
    ),
    "command": Template(summary="A command of s3harness", attribute="newcomer_command", run="s3harness newcomer RUN"),
}


def write_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write a plugin of a kind into ``parent`` and return its folder, ``s3harness-NAME``.

    Raises :class:`UsageError` for an invalid or registered name, an unknown kind, and a folder that exists.
    """
    if kind not in TEMPLATES:
        raise UsageError(f"there is no kind {kind!r} of plugins{suggest(kind, KINDS)}")
    names = Names.of(name)
    taken = manager().registry.entries.get((cast("Kind", kind), names.registered))
    if taken is not None:
        raise UsageError(
            f"{kind} {names.registered!r} already exists, in package {taken.package!r}; choose another name"
        )
    folder = parent / names.package
    # Never written over: it may hold the work of days.
    if folder.exists():
        raise UsageError(f"{folder} already exists; choose another name, or another --out")
    # Filled in before the first file is written, so that a wrong template leaves no half of a package.
    texts = {path: names.put_into(text) for path, text in _texts(names, kind).items()}
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}; choose another --out") from error
    return folder


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a plugin: registered, in Python, and of its distribution."""

    registered: str

    @classmethod
    def of(cls, text: str) -> Names:
        """Parse the user's name of a plugin, with or without the prefix; :class:`UsageError` if it is invalid."""
        name = text.removeprefix(PREFIX)
        # The name becomes a folder, a module, and part of commands: nothing that any of these would quote.
        is_right = re.fullmatch(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*", name) and len(name) <= LONGEST_NAME
        if not is_right or keyword.iskeyword(name):
            raise UsageError(
                f"{text!r} cannot be a plugin's name: use lower-case letters and digits, with single -, _ or . between "
                f"them, at most {LONGEST_NAME} characters, beginning with a letter; no keyword of Python"
            )
        return cls(name)

    @property
    def identifier(self) -> str:
        """Return the name in Python."""
        return re.sub(r"[._-]", "_", self.registered)

    @property
    def package(self) -> str:
        """Return the name of the distribution and of its folder."""
        return PREFIX + self.registered.replace("_", "-").replace(".", "-")

    def put_into(self, text: str) -> str:
        """Return a template's text with these names in place of ``newcomer``."""
        title = "".join(part.capitalize() for part in self.identifier.split("_"))
        # The longer ones first: "newcomer" is a part of all of them.
        for old, new in (
            ("s3harness_newcomer", f"s3harness_{self.identifier}"),
            ("s3harness-newcomer", self.package),
            ("newcomer_", f"{self.identifier}_"),
            ("Newcomer", title),
            ("newcomer", self.registered),
            ("SUITE", self.identifier),
        ):
            text = text.replace(old, new)
        return text


def _texts(names: Names, kind: str) -> dict[str, str]:
    """Return path in the package's folder → text, still of a plugin called newcomer."""
    template = TEMPLATES[cast("Kind", kind)]
    module = f"s3harness_{names.identifier}"
    texts = {
        "pyproject.toml": _filled("pyproject", kind),
        "README.md": _filled("README", kind),
        f"{module}/__init__.py": _filled("init", kind),
        f"{module}/{kind}.py": (files("s3harness.scaffold") / "kinds" / f"{kind}.py").read_text(encoding="utf-8"),
        f"{module}/py.typed": "",
        f"tests/test_{names.identifier}.py": _filled(template.test, kind),
    }
    return texts | {f"{module}/{names.put_into(path)}": _filled(text, kind) for path, text in template.data.items()}


def _filled(name: str, kind: str) -> str:
    template = TEMPLATES[cast("Kind", kind)]
    text = (files("s3harness.scaffold") / "files" / f"{name}.template").read_text(encoding="utf-8")
    label = kind.replace("_", " ").replace("rqi", "RQI")
    values = {
        "kind": kind,
        # "R": "RQI" is pronounced with a vowel first.
        "a_kind": f"{'an' if label[0] in 'aeiouR' else 'a'} {label}",
        "summary": template.summary,
        "attribute": template.attribute,
        "run": template.run,
        "check_options": template.check_options,
    }
    for key, value in values.items():
        text = text.replace(f"{{{{ {key} }}}}", value)
    return text
