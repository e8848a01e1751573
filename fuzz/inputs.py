"""An input of a target: files by name, kept as one JSON file that a person can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"
CRASHES = FOLDER / "crashes"


@dataclass(frozen=True, slots=True)
class Input:
    """Files by name, relative to the folder that the target is given."""

    target: str
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Beginning of the SHA-256 of the files."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()[:12]

    def put(self, folder: Path) -> None:
        """Write the files into an empty folder."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def save(self, folder: Path, name: str = "") -> Path:
        """Keep the input; bytes that are no UTF-8 stand as lone surrogates."""
        path = folder / f"{name or f'{self.target}-{self.digest}'}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Text where it can be: a person reads a crash, and git shows what a mutation changed.
        files = {name: data.decode("utf-8", "surrogateescape") for name, data in self.files.items()}
        path.write_text(json.dumps({"target": self.target, "files": files}, indent=0) + "\n", encoding="ascii")
        return path


def read_input(path: Path) -> Input:
    """Read an input that was kept."""
    content = json.loads(path.read_text(encoding="ascii"))
    files = {name: text.encode("utf-8", "surrogateescape") for name, text in content["files"].items()}
    return Input(content["target"], files)


def corpus_of(target: str, folder: Path = CORPUS) -> Iterator[Input]:
    """Yield the kept inputs of a target, the right ones first."""
    # Sorted by name, so that the same seed draws the same inputs on every file system.
    paths = (folder / target).glob("*.json")
    for path in sorted(paths, key=lambda path: (not path.name.startswith("right-"), path.name)):
        yield read_input(path)
