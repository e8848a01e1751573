"""Made-up annotations whose signs, sides, times and reports are consistent, and the references made of them.

No video was recorded or rendered for them; they test the code that reads annotations. How common signs, sides and
diagnoses are resembles video telemetry, and the seed alone decides every random choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal, cast

from s3harness.dataset.references import truths
from s3harness.specs.features import vocabulary
from s3harness.specs.wording import UNTESTED_REASON, reason_for, report_of
from s3harness.types import FeatureLabel, Reference, Side, Video

Placement = Literal["jittered", "centred"]

CLIP_S = 60.0
"""Length of the clip that a boundary is looked for in, seconds."""
ARM = "arm_movement"
SLEEP = "occur_during_sleep"

_UNTESTED = {"verbal_responsiveness": 0.5}
_UNTESTED_OTHERWISE = 0.02
_BODY_PARTS = {"head": 40, "right arm": 15, "left arm": 12, "arms": 10, "mouth": 9, "face": 8, "left leg": 6}


def made_up_videos(n: int = 60, *, patients: int = 20, seed: int = 0) -> list[Video]:
    """Return ``n`` annotated videos of up to ``patients`` patients, without files; a patient has one diagnosis."""
    random = Random(f"videos{seed}")
    # Exactly three in ten patients have NES: drawn by lot, a small cohort could have none.
    diagnoses = random.sample(["NES" if 10 * place < 3 * patients else "ES" for place in range(patients)], patients)
    return [_video(number, number % patients, diagnoses[number % patients], random) for number in range(n)]


def references_of(
    kind: str, videos: Sequence[Video], *, placement: Placement = "jittered", seed: int = 0
) -> list[Reference]:
    """References of one kind of item (see :mod:`s3harness.dataset.references`), as a run would make them.

    Boundaries get a clip of :data:`CLIP_S`: "jittered" places the moment anywhere in it, "centred" in its middle, where
    the published benchmark has nine in ten.
    """
    random = Random(f"clips{seed}")
    clusters = {patient: number for number, patient in enumerate(sorted({video.patient for video in videos}))}
    return [
        Reference(
            item=f"{video.id}/{kind}/{subject}",
            task=kind,
            video_id=video.id,
            subject=subject,
            cluster=clusters[video.patient],
            truth=truth,
            window=_clip(cast("float", truth), placement, random) if kind == "boundary" else None,
        )
        for video in videos
        for subject, truth in truths(video, kind, ("video", "audio"))
    ]


def other_side(side: Side) -> Side:
    """Return the other one of left and right."""
    return "right" if side == "left" else "left"


def _video(number: int, patient: int, diagnosis: str, random: Random) -> Video:
    onset = float(random.randint(5, 60))
    offset = onset + random.randint(20, 90)
    features = {name: _label(name, onset, offset, random) for name in vocabulary().names}
    # No sign of the vocabulary; its side is an item of the laterality task, which would have few items otherwise.
    if random.random() < 0.6:
        features[ARM] = FeatureLabel("yes", onset + random.randint(0, 5), offset, _side(random))
    present = [name for name in vocabulary().names if features[name].present == "yes"]
    signs = sorted(present, key=lambda name: features[name].start_s or 0.0)
    sides = {name: side for name, label in features.items() if (side := label.side)}
    return Video(
        id=f"v{number:04d}",
        patient=f"p{patient:03d}",
        duration_s=offset + random.randint(5, 40),
        diagnosis="ES" if diagnosis == "ES" else "NES",
        onset_s=onset,
        offset_s=offset,
        onset_body_part=random.choices(list(_BODY_PARTS), list(_BODY_PARTS.values()))[0],
        features=features,
        report=report_of(signs, sides, random),
    )


def _label(name: str, onset: float, offset: float, random: Random) -> FeatureLabel:
    """Label of one sign, whose frequency and usual time depend on its place in the vocabulary."""
    place = vocabulary().names.index(name)
    if random.random() < _UNTESTED.get(name, _UNTESTED_OTHERWISE):
        return FeatureLabel("untested", justification=UNTESTED_REASON)
    # The stride of 7 spreads common and rare signs over the vocabulary instead of ordering them.
    if random.random() >= 0.08 + 0.57 * ((7 * place) % 20) / 19:
        return FeatureLabel("no", justification=reason_for(name, "no", None, random))
    side = _side(random) if vocabulary()[name].lateralised else None
    reason = reason_for(name, "yes", side, random)
    # Sleep is a state with no onset of its own.
    if name == SLEEP:
        return FeatureLabel("yes", side=side, justification=reason)
    # Clipped below 1, so that every sign begins before the seizure ends.
    late = min(max(random.gauss((3 * place % 20) / 20, 0.25), 0.0), 0.95)
    start = float(round(onset + late * (offset - onset)))
    return FeatureLabel("yes", start, min(start + random.randint(2, 20), offset), side, reason)


def _side(random: Random) -> Side:
    # Unequal sides, so that a majority guess and a coin score differently.
    return "left" if random.random() < 0.6 else "right"


def _clip(moment: float, placement: Placement, random: Random) -> tuple[float, float]:
    # Three seconds from either end, so that no boundary falls on the edge of its clip.
    before = CLIP_S / 2 if placement == "centred" else random.uniform(3, CLIP_S - 3)
    return moment - before, moment - before + CLIP_S
