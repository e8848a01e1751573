"""The card of an exported data set: what Hugging Face reads of it, and what people do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from s3harness.dataset.load import Dataset

LICENCES = re.compile(
    r"cc0-1\.0|cc-by(?:-nc)?(?:-sa|-nd)?-[234]\.0|odc-by|odbl|pddl|mit|apache-2\.0|bsd-[23]-clause", re.ASCII
)
"""Licences of data that Hugging Face has an identifier for; others are named in words."""

TITLE = "Seizure semiology"
"""Title of a data set without a name."""
TEXT, NUMBER, SIGNS = "string", "float64", "signs"
"""Types of columns: two of Hugging Face's, and a list of signs, whose fields are :data:`SIGN`."""
SIGN: Mapping[str, str] = {
    "feature": TEXT,
    "present": TEXT,
    "start_s": NUMBER,
    "end_s": NUMBER,
    "side": TEXT,
    "justification": TEXT,
}
COLUMNS: Mapping[str, tuple[str, str]] = {
    "video_id": (TEXT, "the video's id"),
    "patient": (TEXT, "the patient's number"),
    "duration_s": (NUMBER, "length of the video in seconds"),
    "diagnosis": (TEXT, "ES (epileptic seizure) or NES (non-epileptic event); null where unknown"),
    "onset_s": (NUMBER, "beginning of the seizure, in seconds from the start of the video"),
    "offset_s": (NUMBER, "end of the seizure, in seconds from the start of the video"),
    "onset_body_part": (TEXT, "part of the body in which the seizure begins"),
    "features": (
        SIGNS,
        "annotated signs, each with feature, present (yes, no, untested), start_s and end_s (seconds from the start of "
        "the video), side (the patient's own: left, right, both) and justification",
    ),
    "report": (TEXT, "the expert's report"),
}
"""Column → its type and what it holds; a column that names the video's file comes beside them."""
_FILES = {
    "file": (TEXT, "the video's file, relative to this folder; null where there is none"),
    "video": ("video", "the video; null where there is none"),
}


def card(dataset: Dataset, splits: Mapping[str, int], tables: Mapping[str, Path], file: str) -> str:
    """Return the text of ``README.md``.

    ``splits`` has the number of videos of each split, ``tables`` its table. ``file`` is the column of the videos:
    ``file`` or ``video``, or empty where they are not exported.
    """
    import yaml

    # Video folders find the files of a split beside its table; other tables stand alone.
    paths = {
        name: f"{table.parent.as_posix()}/*" if file == "video" else table.as_posix() for name, table in tables.items()
    }
    data_files = [{"split": name, "path": path} for name, path in paths.items()]
    columns = {**({file: _FILES[file]} if file else {}), **COLUMNS}
    about: dict[str, object] = {"pretty_name": _line(dataset.name) or TITLE, **_licence(dataset.licence)}
    about["configs"] = [{"config_name": "default", "data_files": data_files}]
    about["dataset_info"] = {"features": [_described(name, kind) for name, (kind, _) in columns.items()]}
    header = yaml.safe_dump(about, sort_keys=False, allow_unicode=True)
    return f"---\n{header}---\n\n{_page(dataset, splits, columns)}"


def _licence(name: str) -> dict[str, object]:
    identifier = "-".join(name.lower().split())
    if LICENCES.fullmatch(identifier):
        return {"license": identifier}
    # Hugging Face takes none but its own identifiers in this field.
    return {"license": "other", "license_name": identifier or "not-given"}


def _described(name: str, kind: str) -> dict[str, object]:
    if kind == SIGNS:
        return {"name": name, "list": [{"name": part, "dtype": dtype} for part, dtype in SIGN.items()]}
    return {"name": name, "dtype": kind}


def _line(text: str) -> str:
    """Return a text on one line, so that it cannot begin a heading or end the header."""
    return " ".join(text.split())


def _page(dataset: Dataset, splits: Mapping[str, int], columns: Mapping[str, tuple[str, str]]) -> str:
    version = f", version {_line(dataset.version)}" if dataset.version else ""
    return "\n".join(
        [
            f"# {_line(dataset.name) or TITLE}{version}",
            "",
            f"Licence: {_line(dataset.licence) or 'not given'}.",
            "",
            "| split | videos |",
            "|---|---:|",
            *(f"| {name} | {number} |" for name, number in splits.items()),
            "",
            "| column | content |",
            "|---|---|",
            *(f"| `{name}` | {meaning} |" for name, (_, meaning) in columns.items()),
            "",
            "```python",
            "import datasets",
            "",
            'data = datasets.load_dataset("path/to/this/folder")',
            "```",
            "",
        ]
    )
