"""A clinician's own list of twelve signs, as short as it may be, and a data set that is annotated with it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from random import Random

import av
import numpy as np

LIST = """\
schema: s3harness/features/v1
features:
  - name: aura
    title: Aura reported
    modality: audio
    has_interval: false
  - {name: versive_gaze, title: Versive gaze deviation, synonyms: [gaze deviation, eye version], lateralised: true}
  - {name: dystonic_hand, title: Dystonic hand posture, lateralised: true}
  - {name: nose_wiping, title: Nose wiping, synonyms: [wipes the nose]}
  - {name: gelastic, title: Gelastic laughter, modality: audio}
  - {name: hyperkinetic, title: Hyperkinetic behaviour, definition: Large irregular movements of limbs.}
  - {name: fear_face, title: Fearful face}
  - {name: spitting, title: Spitting}
  - {name: tonic}
  - {name: clonic}
  - name: head_turning
    lateralised: true
  - {name: drop, title: Drop of the head}
body_parts: [head, eyes, arms, legs]
"""
WORDS = {
    "aura": "the patient reports an aura reported",
    "versive_gaze": "versive gaze deviation",
    "dystonic_hand": "dystonic hand posture",
    "nose_wiping": "nose wiping",
    "gelastic": "gelastic laughter",
    "hyperkinetic": "hyperkinetic behaviour",
    "fear_face": "a fearful face",
    "spitting": "spitting",
    "tonic": "tonic stiffening",
    "clonic": "clonic jerking",
    "head_turning": "head turning to the left",
    "drop": "drop of the head",
}
TIMED = [name for name in WORDS if name != "aura"]
SIDED = ("versive_gaze", "dystonic_hand", "head_turning")


def write(folder: Path, videos: int = 24, patients: int = 8) -> tuple[Path, Path, Path]:
    """Write table, mapping and list of signs; return their paths."""
    random = Random(1)
    (folder / "recordings").mkdir(parents=True)
    _encode(folder / "recordings" / "case 0.mp4")
    for n in range(1, videos):
        shutil.copy(folder / "recordings" / "case 0.mp4", folder / "recordings" / f"case {n}.mp4")
    rows = []
    for n in range(videos):
        present = random.sample(list(WORDS), random.randint(3, 6))
        onsets = {name: random.randint(2, 50) for name in present}
        ordered = sorted(present, key=lambda name: onsets[name])
        report = ". ".join(f"Then there is {WORDS[name]}" for name in ordered) + "."
        for name in WORDS:
            is_there = name in present
            rows.append(
                {
                    "file": f"case {n}.mp4",
                    "patient": f"case patient {n % patients}",
                    "diagnosis": ("ES", "NES")[n % 2],
                    "onset": 2,
                    "end": 55,
                    "body part": ("head", "eyes", "arms", "legs")[n % 4],
                    "report": report,
                    "sign": name,
                    "there": "yes" if is_there else "no",
                    "from": onsets[name] if is_there and name in TIMED else "",
                    "to": onsets[name] + 5 if is_there and name in TIMED else "",
                    "side": random.choice(("left", "right")) if is_there and name in SIDED else "",
                    "why": _reason(name, is_there, random),
                }
            )
    table = folder / "ward.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    mapping, signs = folder / "mapping.yaml", folder / "my.yaml"
    mapping.write_text(
        "schema: s3harness/mapping/v1\nname: own\nvideo: file\npatient: patient\nonset: onset\noffset: end\n"
        "diagnosis: {column: diagnosis}\nonset_body_part: body part\nreport: report\n"
        "sign: {column: sign, present: there, start: from, end: to, side: side, justification: why}\n"
    )
    signs.write_text(LIST, encoding="utf-8")
    return table, mapping, signs


def _reason(name: str, is_there: bool, random: Random) -> str:
    """A reason with more in it than the sign, so that a model could be right or wrong about it."""
    where = random.choice(("the left arm", "the right leg", "the mouth", "both eyes"))
    more = random.choice(("is stiff", "jerks rhythmically", "moves slowly", "is still"))
    return f"There is {WORDS[name]}, and {where} {more}." if is_there else f"No {WORDS[name]}; {where} {more}."


def _encode(path: Path) -> None:
    """A grey minute with a silent sound track."""
    with av.open(str(path), "w") as container:
        stream, sound = container.add_stream("libx264", rate=2), container.add_stream("aac", rate=8000)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for n in range(120):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90 + n % 50, np.uint8))
            container.mux(stream.encode(picture))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 60), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(stream.encode(None))
        container.mux(sound.encode(None))
