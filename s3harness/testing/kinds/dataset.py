"""Promises of an importer of data sets."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import S3HarnessError
from s3harness.testing.golden import golden
from s3harness.testing.trial import Bench, takes

PROMISES: Mapping[str, str] = {
    "form": "it is a function (source, out, **options)",
    "refuses": "a missing source is an error of s3harness, and leaves no file behind",
    "answers": "it makes a valid data set of a source",
    "keeps": "it leaves the source unchanged, and writes only into out",
    "private": "no name or path of the source's files is in a table of the data set",
    "taken": "it refuses a directory that is not empty, and leaves it unchanged",
}
TABLES = ("dataset.json", "videos.csv", "features.csv", "reports.csv")
SHORTEST_NAME = 4
"""Characters of a name at least; a shorter one may well be a word of a table."""


def try_it(bench: Bench) -> None:
    """Try an importer on ``-o source=PATH``, with the other options as its own; without a source on a missing one."""
    options = dict(bench.settings.options)
    source_path = options.pop("source", None)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, Path(), Path(), **options)
    if not bench.must("form", not wrong, wrong):
        return
    # A folder of its own, whose other files show what the importer wrote outside of its folder.
    folder = golden().temporary_folder("dataset")
    _try_missing(bench, folder, options)
    if source_path is None:
        bench.untried.append("no data to import (-o source=PATH)")
        return
    source, out = Path(str(source_path)), folder / "out"
    # By content, since a rewrite with the same bytes harms nobody.
    before = contents(source)
    with bench.trying("answers"):
        bench.thing(source, out, **options)
        problems = validate_dataset(out)[1]
        bench.must("answers", not problems, "; ".join(map(str, problems[:3])))
        # Ids depend on a secret of the data set, which a second import is given where it asks for it.
        takes_ids = "ids_of" in inspect.signature(bench.thing).parameters
        bench.thing(source, folder / "again", **options, **({"ids_of": out} if takes_ids else {}))
        _compare(bench, out, folder / "again")
    bench.must("keeps", contents(source) == before, "the source has changed")
    extra = sorted(path.name for path in folder.iterdir() if path.name not in ("out", "again"))
    bench.must("keeps", not extra, f"beside out there is {', '.join(extra)}")
    if out.is_dir():
        _try_private(bench, source, out)
        _try_taken(bench, source, out, options)


def _try_missing(bench: Bench, folder: Path, options: Mapping[str, Any]) -> None:
    with bench.trying("refuses"):
        try:
            bench.thing(folder / "no-such-source", folder / "nothing", **options)
        except S3HarnessError:
            pass
        else:
            bench.broke("refuses", "it imported a missing source")
        bench.must("refuses", not (folder / "nothing").exists(), "it left a directory behind")


def _try_taken(bench: Bench, source: Path, out: Path, options: Mapping[str, Any]) -> None:
    before = contents(out)
    with bench.trying("taken"):
        try:
            bench.thing(source, out, **options)
        except S3HarnessError:
            pass
        else:
            bench.broke("taken", "it wrote over a data set")
    bench.must("taken", contents(out) == before, "its content has changed")


def _try_private(bench: Bench, source: Path, out: Path) -> None:
    names = {path.stem for path in source.rglob("*")} if source.is_dir() else {source.stem}
    text = "\n".join((out / table).read_text(encoding="utf-8") for table in TABLES if (out / table).is_file())
    # A table's own name is in every data set, and in many a source.
    words = {name for name in names if len(name) >= SHORTEST_NAME} - {Path(table).stem for table in TABLES}
    leaked = sorted(word for word in words | {str(source)} if word in text)
    bench.must("private", not leaked, f"the tables hold {', '.join(leaked[:3])}")


def _compare(bench: Bench, one: Path, other: Path) -> None:
    # By fingerprint: files may differ in what has no meaning, such as the order of keys.
    is_same = load_dataset(one).fingerprint == load_dataset(other).fingerprint
    bench.must("same again", is_same, "a second import gives another data set")


def contents(path: Path) -> dict[str, str]:
    """Return relative path → SHA-256 of a file, or of every file in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
