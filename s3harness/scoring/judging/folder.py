"""Folders of a judge's replies.

A folder per judge, backend and model holds ``responses.jsonl``, the raw replies, and ``judge.json``, who gave them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json, write_json
from s3harness.guard.identifiers.own_words import OwnWords
from s3harness.guard.outgoing_check import Consent
from s3harness.plugins.manager import manager
from s3harness.rundir.manifest import redacted_option
from s3harness.specs.models import ModelCard

FILE = "judge.json"
SCHEMA = "s3harness/judge/v1"
FOLDER = "judges"
"""Name of the folder of all judges' folders, in a run or in the working directory."""

_LOCATION = re.compile(r"url|host|port|key|token|secret|password", re.IGNORECASE)
"""Options about the location of the judge's server and access to it, which may change between calls."""


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Settings of a judge; without a ``backend`` only the replies journalled in ``folder`` are read.

    ``model`` is the alias of a model card, the path of one, or a name that the backend knows. ``words`` are the private
    words of the data set that the reports are of; with other identifiers they are sent only with the user's reason.
    """

    judge: str
    folder: Path
    backend: str | None = None
    model: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    allow_remote: Sequence[str] = ()
    allow_identifiers: str = ""
    reviewed: str = ""
    words: OwnWords | None = None

    @property
    def consent(self) -> Consent:
        """The user's consent to identifiers in what would be sent."""
        return Consent(self.allow_identifiers, self.reviewed, self.folder)


def folder_of(settings: JudgeSettings, model: ModelCard) -> Path:
    """Return the folder of these replies, which need not exist; raise :class:`UsageError` if it has another's."""
    name = "-".join(part for part in (settings.judge, str(settings.backend), model.name) if part)
    # Names of models contain slashes and colons.
    directory = settings.folder / re.sub(r"[^\w.+-]+", "_", name)
    if not (directory / FILE).exists():
        return directory
    recorded, now = read_about(directory), _about(settings, model)
    # Another version of a package may go on with the same judge.
    differing = [key for key, value in now.items() if key != "packages" and recorded.get(key) != value]
    if differing:
        what = ", ".join(f"{key} {recorded.get(key)!r}, now {now[key]!r}" for key in differing)
        raise UsageError(
            f"{directory} holds replies of another judge call ({what}); repeat that call, or move the folder away"
        )
    return directory


def make_folder(directory: Path, settings: JudgeSettings, model: ModelCard) -> None:
    """Make the folder if it does not exist, with a file that identifies the judge."""
    if (directory / FILE).exists():
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be made: {error.strerror}") from error
    write_json(directory / FILE, {"schema": SCHEMA, **_about(settings, model)})


def note_identifiers(directory: Path, identifiers: Mapping[str, object]) -> None:
    """Write into ``judge.json`` which identifiers the user let through to the judge, and why."""
    write_json(directory / FILE, {"schema": SCHEMA, **read_about(directory), "identifiers": dict(identifiers)})


def recorded_folder(settings: JudgeSettings) -> Path:
    """Return the one folder with a judge's replies, of the named model if any; raise :class:`UsageError` otherwise."""
    about = {path.parent: read_about(path.parent) for path in sorted(settings.folder.glob(f"*/{FILE}"))}
    of_judge = {
        path: str(one["model"] or one["backend"]) for path, one in about.items() if one["judge"] == settings.judge
    }
    matching = [path for path, model in of_judge.items() if settings.model in (None, model)]
    if len(matching) == 1:
        return matching[0]
    models = ", ".join(dict.fromkeys(of_judge.values()))
    held = f"replies of judge {settings.judge!r} by {models}" if models else f"no replies of judge {settings.judge!r}"
    remedy = "choose one with --judge-model, or " if models else ""
    raise UsageError(f"{settings.folder} holds {held}: {remedy}name the backend to ask with --judge-backend")


def read_about(directory: Path) -> dict[str, Any]:
    """Read the identity of the judge from ``judge.json``; raise :class:`UsageError` if that is impossible."""
    path = directory / FILE
    try:
        about = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}; it names the judge of these replies") from error
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        raise UsageError(f"{path}: not a {SCHEMA}")
    return {key: value for key, value in about.items() if key != "schema"}


def _about(settings: JudgeSettings, model: ModelCard) -> dict[str, Any]:
    """Return the identity of the judge: all that determines its replies, and the packages it comes from."""
    registry = manager().registry
    entries = (registry.entry("judge", settings.judge), registry.entry("backend", str(settings.backend)))
    options = {k: redacted_option(k, v) for k, v in sorted(settings.options.items()) if not _LOCATION.search(k)}
    about = {
        "judge": settings.judge,
        "backend": settings.backend,
        "model": model.name,
        "weights": model.weights,
        "revision": model.revision,
        "options": options,
        "packages": {entry.package: entry.version for entry in entries},
    }
    # As it will be read back: tuples become lists, and the comparison above would see a difference.
    return dict(json.loads(json.dumps(about, default=str)))
