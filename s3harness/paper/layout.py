"""Layout of the authors' release: the file of each table, and readers for them.

Every table is keyed by the release's own video or clip name, which contains a study date and the diagnosis: use these
names to join tables, and nowhere else. Cells are returned as written, without the blanks around them; the importer and
the scorers interpret them. Nothing is dropped silently: a repeated name, a row without a name and an encoding other
than UTF-8 are reported as :class:`Problem`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s3harness.dataset.tables import Problem
from s3harness.errors import DatasetError, UsageError, suggest
from s3harness.types import FeatureLabel, Presence

Part = Literal["test", "full"]

# Repetitive answers come near csv's default limit of 131,072: the longest cell of the test part has 94,421 characters.
_LONGEST_CELL = 1 << 24
TWICE = "there are two columns of this name; the first counts"
# A lookahead, since the extension stays a part of the video's name.
_WINDOW = re.compile(r"_segment_\d+(?=\.\w+$|$)")


@dataclass(frozen=True, slots=True)
class ReleaseTable:
    """One CSV file of the release: name → cells by column, in the file's order, and the problems of the file."""

    file: str
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    problems: tuple[Problem, ...] = ()

    def column(self, name: str) -> dict[str, str]:
        """Return name → cell of one column; :class:`DatasetError` if there is no such column."""
        return {key: cells[name] for key, cells in self.require(name).rows.items()}

    def require(self, *names: str) -> ReleaseTable:
        """Return this table; :class:`DatasetError` if it lacks one of these columns."""
        for name in names:
            if name not in self.columns:
                raise DatasetError(f"{self.file}: no column {name!r}; it has {', '.join(self.columns)}")
        return self


@dataclass(frozen=True, slots=True)
class Release:
    """A checkout of the release, and the part of its predictions and published tables to read."""

    root: Path
    part: Part = "test"

    @property
    def truth(self) -> Path:
        """Folder of the annotations."""
        return self.root / "result" / "ground_truth"

    @property
    def predictions(self) -> Path:
        """Folder of the predictions, one folder per model in it."""
        # The annotations are one set for all videos; only predictions and tables exist once per part.
        test = self.root / "test_dataset" / "vlm_inference_test"
        return test if self.part == "test" else self.root / "result" / "vlm_inference"

    @property
    def published(self) -> Path:
        """Folder of the published tables."""
        return self.root / "test_dataset" / "metrics_test" if self.part == "test" else self.root / "metrics"


PREDICTION_FILES: Mapping[str, tuple[str, ...]] = {
    "features": ("Task12_{model}_all_merged.csv", "Task12_AF3_features_all.csv"),
    "rationales": ("Task12_{model}_all_merged_llmmerge.csv",),
    "head_turning": ("Task3_HT_{model}.csv",),
    "arm_movement": ("Task3_AM_{model}.csv",),
    "onset_body_part": ("Task3_L_{model}.csv",),
    "boundaries": ("Task4_{model}_all.csv",),
    "sequence": ("Task5_{model}_all_merge.csv",),
    "report": ("Task6_{model}_all_merged.csv",),
    "diagnosis": ("Task7_{model}_all.csv",),
}
"""Kind of prediction → names its file may have in the model's folder."""
ABBREVIATED: Mapping[str, str] = {"af3": "audio-flamingo-3"}
"""Abbreviated name of a model in some files of the release → its name in the others."""
PUBLISHED_NAMES: Mapping[str, tuple[str, ...]] = {
    "Task2__per_feature_mean_scores.csv": ("Task2_feature-level__per_feature_mean_scores.csv",),
    "Task2__overall_scores.csv": ("Task2_model-level__overall_scores.csv",),
}
"""Published table → its names in other parts of the release; their case may differ too."""
STRUCTURES = ("Task6_{model}_all_merged_modified.csv",)
"""Names of the file of the structures that an LLM extracted of a model's reports."""


def open_release(root: Path, part: Part = "test") -> Release:
    """Open the checkout at ``root``; :class:`DatasetError` names the folder that is missing."""
    release = Release(root, part)
    # The annotations alone decide: a checkout without predictions can still be imported.
    if not release.truth.is_dir():
        raise DatasetError(
            f"{root} is not a checkout of the release: it has no folder result/ground_truth; name the folder of it"
        )
    return release


def models(release: Release) -> tuple[str, ...]:
    """Return the models that have predictions, by folder name."""
    if not release.predictions.is_dir():
        return ()
    folders = (path.name for path in release.predictions.iterdir() if path.is_dir())
    # Folders such as .git and __pycache__ are not models.
    return tuple(sorted(name for name in folders if not name.startswith((".", "__"))))


def chosen_models(release: Release, names: Sequence[str]) -> list[str]:
    """Return the folders of the models named, in any of the release's spellings; of all if none is named.

    Raises :class:`UsageError` for a model that has no predictions, and for a release without any.
    """
    folders = models(release)
    # By key, so that a user may write a model as any file of the release does.
    keys = {model_key(name) for name in folders}
    if not folders:
        raise UsageError(f"{release.predictions} holds no predictions: it should have one folder per model")
    for name in names:
        if model_key(name) not in keys:
            raise UsageError(f"there are no predictions of {name!r}{suggest(name, list(folders))}")
    return [folder for name in names for folder in folders if model_key(folder) == model_key(name)] or list(folders)


def file_of(release: Release, model: str, names: Sequence[str]) -> Path | None:
    """Return the first of these files in a model's folder; ``{model}`` stands for the folder's name, however spelt."""
    folder = release.predictions / model
    # Exact names before other spellings; among names the newer file stands first.
    for name in names:
        exact = folder / name.format(model=model)
        if exact.is_file():
            return exact
    return next((path for name in names for path in _other_spellings(folder, name)), None)


def published_table(release: Release, name: str) -> Path | None:
    """Return the published table of this name, in any of the release's spellings; ``None`` where there is none."""
    spellings = {spelling.lower() for spelling in (name, *PUBLISHED_NAMES.get(name, ()))}
    # The exact name first; then by name, so that every file system gives the same table.
    tables = sorted(release.published.glob("*.csv"), key=lambda path: (path.name != name, path.name))
    return next((path for path in tables if path.name.lower() in spellings), None)


def prediction_file(release: Release, model: str, kind: str) -> Path | None:
    """Return the file of a kind of prediction, ``None`` where the model has none."""
    return file_of(release, model, PREDICTION_FILES[kind])


def read_predictions(release: Release, model: str, kind: str, *, keeps_blanks: bool = False) -> ReleaseTable | None:
    """Read a model's predictions of a kind, keyed by video (Task 4: by clip); ``None`` where there is no such file."""
    path = prediction_file(release, model, kind)
    return read_release_table(path, keeps_blanks=keeps_blanks) if path else None


def structures_file(release: Release, model: str) -> Path | None:
    """Return the file of the structures that an LLM extracted from a model's reports, ``None`` where there is none."""
    return file_of(release, model, STRUCTURES)


def read_structures(release: Release, model: str) -> ReleaseTable | None:
    """Read the structures extracted from a model's reports, keyed by video; ``None`` where there is no such file."""
    path = structures_file(release, model)
    return read_release_table(path) if path else None


def missing_predictions(release: Release, model: str) -> tuple[str, ...]:
    """Return the kinds of prediction that a model has no file of."""
    return tuple(kind for kind in PREDICTION_FILES if prediction_file(release, model, kind) is None)


def read_features(release: Release) -> dict[str, dict[str, FeatureLabel]]:
    """Read video → feature → label; a cell that is neither yes nor no means that nobody could tell: untested."""
    table = read_release_table(release.truth / "task12_annotation.csv")
    # A column of reasons marks a feature: times and other columns have none.
    names = [
        column.removeprefix("justification_for_") for column in table.columns if column.startswith("justification")
    ]
    table.require(*names)
    return {video: {name: _feature_label(cells, name) for name in names} for video, cells in table.rows.items()}


def read_laterality(release: Release, *, keeps_blanks: bool = False) -> ReleaseTable:
    """Read the sides of head turning and arm movement, the body region of the onset, and their times, by video."""
    table = read_release_table(release.truth / "task3_spatial_annotation.csv", keeps_blanks=keeps_blanks)
    return table.require("left_right_head_turning", "left_right_arm_movement", "body_region_onset")


def read_boundaries(release: Release) -> ReleaseTable:
    """Read the columns ``feature`` and ``target_time`` (whole seconds from the start of the clip), by clip."""
    return read_release_table(release.truth / "Task4_time_annotation.csv").require("feature", "target_time")


def read_sequences(release: Release, *, heard: bool) -> dict[str, str]:
    """Read video → comma list of its signs in order of onset, with or without the two that are heard."""
    # The authors keep one table for models with sound and one for models without ("vlm").
    name = "task5_sequence_annotation.csv" if heard else "task5_sequence_annotation_vlm.csv"
    return read_release_table(release.truth / name).column("event_sequence")


def read_reports(release: Release) -> dict[str, str]:
    """Read video → the expert's report."""
    return read_release_table(release.truth / "task6_report_annotation.csv").column("report")


def read_diagnoses(release: Release) -> dict[str, str]:
    """Read video → ES, NES or Sample."""
    return read_release_table(release.truth / "task7_annotation.csv").column("label")


def read_folds(release: Release) -> ReleaseTable:
    """Read the columns ``label``, ``patient_id`` and ``fold`` (0 is the published test fold), by video."""
    return read_release_table(release.root / "finetune" / "datasplit" / "all_folds.csv")


def parse_number(text: str, file: str, column: str) -> float:
    """Parse a cell that must be a number; :class:`DatasetError` names the file and the column."""
    try:
        return float(text)
    except ValueError:
        raise DatasetError(f"{file}: column {column!r}: {text[:40]!r} is not a number") from None


def model_key(name: str) -> str:
    """Return a model's name without its variations between files: case, separators, a lost letter, tuning suffixes."""
    # "InterVL" is a slip of the release for InternVL.
    key = re.sub(r"[\s._-]+", "-", name.strip().lower()).replace("intervl", "internvl")
    # Some files write these suffixes of a model's name, and others leave them out.
    key = re.sub(r"-(instruct|a3b)(?=-|$)", "", key)
    return ABBREVIATED.get(key, key)


def patient_of(name: str) -> str:
    """Return the patient in a video's name."""
    return name.split("@", 1)[0]


def video_of_window(name: str) -> str:
    """Return the video that a 30- or 60-second window was cut from."""
    return _WINDOW.sub("", name)


def clock_seconds(text: str) -> float | None:
    """Return an annotated time, ``M:SS`` or ``MM:SS:00``, in seconds; ``None`` where there is none.

    The third field is added by a spreadsheet that reads ``MM:SS`` as hours and minutes: it is always 00.
    """
    match = re.fullmatch(r"(\d+):(\d{1,2})(?::00)?", text.strip())
    return 60.0 * int(match[1]) + int(match[2]) if match else None


def read_release_table(
    path: Path, keys: Sequence[str] = ("file_name", "video_name"), *, keeps_blanks: bool = False
) -> ReleaseTable:
    """Read a CSV file of the release, keyed by the first of ``keys`` that is a column of it.

    Of rows of one name, and of columns of one name, the first counts. Blanks around a cell are removed, unless
    ``keeps_blanks``: the authors compare some cells as they are written. The encoding is UTF-8 with or without
    byte-order mark, UTF-16 with one, or else Latin-1. Raises :class:`DatasetError` if the file cannot be read, or has
    none of these columns.
    """
    text, problems = _decode(path)
    # A global setting of the csv module; set at each call, as another library may have lowered it.
    csv.field_size_limit(_LONGEST_CELL)
    # newline="": reports contain line breaks within quoted cells.
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    columns = tuple(dict.fromkeys(header))
    repeated = {name for name, number in Counter(header).items() if name and number > 1}
    problems += [Problem(path.name, 1, name, TWICE) for name in columns if name in repeated]
    key = next((name for name in keys if name in columns), None)
    if key is None:
        # A file that is no text at all must not write control characters to the terminal.
        header_text = "".join(c if c.isprintable() else "?" for c in ", ".join(columns))[:200] or "no header"
        raise DatasetError(f"{path.name}: no column {' or '.join(keys)}; it has {header_text}")
    rows: dict[str, Mapping[str, str]] = {}
    for cells in reader:
        problem = _add_row(rows, header, cells, key, keeps_blanks=keeps_blanks)
        # An empty line at the end of a file is no row.
        if problem and cells:
            problems.append(Problem(path.name, reader.line_num, "", problem))
    return ReleaseTable(path.name, columns, rows, tuple(problems))


def _other_spellings(folder: Path, name: str) -> list[Path]:
    """Return the files of a folder with this name, but for the spelling of the model in it."""
    before, placeholder, after = name.partition("{model}")
    if not placeholder or not folder.is_dir():
        return []
    pattern = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)
    named = ((path, pattern.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [path for path, match in named if match and model_key(match[1]) == model_key(folder.name)]


def _decode(path: Path) -> tuple[str, list[Problem]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}; is this a whole checkout?") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace"), [Problem(path.name, None, "", "not UTF-8; read as UTF-16")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        # Latin-1 decodes any bytes; the note tells that letters may be wrong.
        return data.decode("latin-1"), [Problem(path.name, None, "", "not UTF-8; read as Latin-1")]


def _add_row(
    rows: dict[str, Mapping[str, str]], header: Sequence[str], cells: Sequence[str], key: str, *, keeps_blanks: bool
) -> str:
    """Add a row under its name, and return ""; if it cannot be added, return the reason."""
    # Nothing is lost with empty cells beyond the header.
    if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
        return f"{len(cells)} cells under {len(header)} columns; left out"
    row: dict[str, str] = {}
    for column, cell in zip(header, cells, strict=False):
        row.setdefault(column, cell if keeps_blanks else cell.strip())
    # Tables of models with sound name the audio file of a video.
    name = re.sub(r"\.wav$", ".mp4", row[key].strip())
    if not name:
        return "a row without a name; left out"
    if name in rows:
        return "the name of an earlier row again; left out"
    rows[name] = row
    return ""


def _feature_label(cells: Mapping[str, str], name: str) -> FeatureLabel:
    word = cells[name].lower()
    present: Presence = "yes" if word == "yes" else "no" if word == "no" else "untested"
    start, end = (clock_seconds(cells.get(f"{edge}_time_for_{name}", "")) for edge in ("start", "end"))
    return FeatureLabel(present, start, end, None, cells[f"justification_for_{name}"])
