"""Warm-up of a model's vision or audio tower: a classifier of frames, or of seconds of sound, learns the signs in them.

A language model learns nothing from a tower that gives all clips much the same tokens. Real models come with towers
that were trained on images and sounds; one that is built from its configuration does not, and SFT alone leaves it on a
plateau. So the mean of the tokens of a piece, a frame or some seconds of sound, goes through one linear layer to a
probability for each sign that is seen (or heard), and for each side of a sign that has one; the layer is discarded
afterwards.

Where most patients raise the right arm, most mirrored ones raise the left, and a mirrored room would give the side
away. So of the frames with a sign on a side, mirrored ones have the same total weight as the others; and the classifier
is evaluated on frames as they were filmed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import s3harness
from s3harness_trl.loading import ModelParts, load_parts, save_parts
from s3harness_trl.options import WarmupOptions
from s3harness_trl.parts import Tower, tower_weights
from s3harness_trl.pieces import AUDIO_RATE_HZ, piece_features

VALIDATION_SHARE = 0.1
"""Share of the training patients whose frames are for validation and not for training."""
SIDES = ("left", "right")


@dataclass(frozen=True)
class LabelledPieces:
    """Frames (N × H × W × 3) or sounds (N × samples), a flag for each that is ``mirrored`` (N), and their ``labels``.

    ``labels`` is N × outputs: 1, 0, or NaN where the label is unknown; ``names`` are those of the outputs.
    """

    pieces: Any
    labels: Any
    mirrored: Any
    names: tuple[str, ...]

    @property
    def weights(self) -> Any:
        """Sample weights, N × outputs: pieces with a sign on a side weigh as much mirrored as not, taken together."""
        import numpy as np

        weights = np.ones_like(self.labels)
        for number, name in enumerate(self.names):
            sign, _, side = name.partition("/")
            if side:
                left, right = (self.labels[:, self.names.index(f"{sign}/{one}")] for one in SIDES)
                # 0 neither side, 1 left, 2 right, 3 both.
                weights[:, number] = _balanced_weights(left + 2 * right, self.mirrored)
        return weights


def _balanced_weights(states: Any, mirrored: Any) -> Any:
    """A weight for each frame; 1 for those whose state occurs in mirrored frames alone, or in none of them."""
    import numpy as np

    weights = np.ones(len(states), dtype=np.float32)
    for state in np.unique(states[~np.isnan(states)]):
        cells = [(states == state) & (mirrored == flag) for flag in (False, True)]
        if all(cell.any() for cell in cells):
            for cell in cells:
                weights[cell] = sum(c.sum() for c in cells) / (2 * cell.sum())
    return weights


def warm_up(job: s3harness.TrainingJob, options: WarmupOptions) -> Mapping[str, object]:
    """Train a tower, save the model, and return facts for the run card: the curve of validation AUROCs."""
    import torch

    torch.manual_seed(options.seed)
    parts = load_parts(job.model, trust_remote_code=options.trust_remote_code)
    tower: Tower = "audio" if options.tower == "audio" else "vision"
    if not any(True for _ in tower_weights(parts.model, tower)):
        raise s3harness.UsageError(f"-o tower={tower}: {type(parts.model).__name__} has no such tower")
    training, validation = _split_pieces(job, tower, options)
    job.report_status(f"{len(training.pieces)} pieces for training, {len(validation.pieces)} for validation")
    # Lazy, as the width of the tokens is known from the first ones alone.
    head = torch.nn.LazyLinear(len(training.names))
    curve = _train(job, parts, head, training, validation, options)
    save_parts(parts, job.out, job.model)
    return {
        "steps": options.steps,
        "tuned": {tower: "all"},
        "pieces": len(training.pieces),
        "probe": curve[-1] if curve else {},
        "curve": curve,
    }


def _split_pieces(
    job: s3harness.TrainingJob, tower: Tower, options: WarmupOptions
) -> tuple[LabelledPieces, LabelledPieces]:
    """The frames or sounds of the training samples' clips, each clip once, for training and validation by patient."""
    import numpy as np

    # Several questions are asked of one clip, and several windows may have the same frames.
    samples = {(s.request.clip.video_id, s.request.clip.timestamps, s.mirrored): s for s in job.training_set.samples}
    videos = [job.training_set.video_of(sample) for sample in samples.values()]
    patients = sorted({video.patient for video in videos})
    validation_patients = set(patients[:: round(1 / VALIDATION_SHARE)])
    names = output_names(videos, "audio" if tower == "audio" else "video")
    if not names:
        raise s3harness.UsageError(f"-o tower={tower}: no sign of that kind is present in the training videos")
    training: list[tuple[Any, Any, Any]] = []
    validation: list[tuple[Any, Any, Any]] = []
    for sample, video in zip(samples.values(), videos, strict=True):
        # Mirrored frames are for training only: see the module's docstring. Sound has no sides.
        if sample.mirrored and (tower == "audio" or video.patient in validation_patients):
            continue
        pieces, times_s = _frames(job, sample) if tower == "vision" else _sounds(job, sample, options.seconds)
        if not len(pieces):
            continue
        labels = np.array([frame_labels(video, time_s, names) for time_s in times_s], dtype=np.float32)
        part = (pieces, labels, np.full(len(labels), sample.mirrored))
        (validation if video.patient in validation_patients else training).append(part)
    if not training or not validation:
        raise s3harness.UsageError(
            "too few patients for training and validation; 10 or more with such clips are needed"
        )
    return _concatenated(training, names), _concatenated(validation, names)


def _frames(job: s3harness.TrainingJob, sample: s3harness.Sample) -> tuple[Any, Sequence[float]]:
    frames = job.clips.frames(sample)
    return frames.pixels, frames.timestamps


def _sounds(job: s3harness.TrainingJob, sample: s3harness.Sample, seconds: float) -> tuple[Any, Sequence[float]]:
    """The sound of a clip in pieces, pieces × samples, with the times of their middles in the video."""
    clip = sample.request.clip
    if not job.clips.has_audio(clip):
        return (), ()
    samples, length = job.clips.audio(clip, AUDIO_RATE_HZ), round(seconds * AUDIO_RATE_HZ)
    count = len(samples) // length
    return samples[: count * length].reshape(count, length), [clip.start_s + (n + 0.5) * seconds for n in range(count)]


def _concatenated(parts: Sequence[tuple[Any, Any, Any]], names: tuple[str, ...]) -> LabelledPieces:
    import numpy as np

    pieces, labels, mirrored = (np.concatenate(column) for column in zip(*parts, strict=True))
    return LabelledPieces(pieces, labels, mirrored, names)


def output_names(videos: Sequence[s3harness.Video], modality: s3harness.Modality) -> tuple[str, ...]:
    """Each sign of a modality that is present in some video, and its two sides where one is annotated."""
    heard = {feature.name for feature in s3harness.vocabulary().features if feature.modality == "audio"}
    names: dict[str, None] = {}
    for video in videos:
        for name, label in video.features.items():
            if label.present == "yes" and (name in heard) == (modality == "audio"):
                names[name] = None
                if label.side:
                    names |= {f"{name}/{side}": None for side in SIDES}
    return tuple(sorted(names))


def frame_labels(video: s3harness.Video, time_s: float, names: Sequence[str]) -> list[float]:
    """The label of each output at a time: 1 present, 0 absent, NaN unknown."""
    return [_frame_label(video.features.get(name.partition("/")[0]), name.partition("/")[2], time_s) for name in names]


def _frame_label(label: s3harness.FeatureLabel | None, side: str, time_s: float) -> float:
    if label is None or label.present == "untested":
        return float("nan")
    if label.present == "no":
        return 0.0
    # A sign with a beginning and no end: nobody knows how long it lasts.
    if label.start_s is not None and label.end_s is None:
        return float("nan") if time_s >= label.start_s else 0.0
    if label.start_s is not None and label.end_s is not None and not label.start_s <= time_s <= label.end_s:
        return 0.0
    if side and label.side is None:
        return float("nan")
    return float(not side or label.side in (side, "both"))


def _train(
    job: s3harness.TrainingJob,
    parts: ModelParts,
    head: Any,
    training: LabelledPieces,
    validation: LabelledPieces,
    options: WarmupOptions,
) -> list[dict[str, Any]]:
    """Train tower and head, and return the losses and validation AUROCs every ``probe_every`` steps."""
    import torch

    labels, sample_weights = torch.from_numpy(training.labels), torch.from_numpy(training.weights)
    device = parts.model.device
    with torch.no_grad():
        head = head.to(device)
        # The first call creates the weights of a lazy layer, which the optimizer needs.
        head(piece_features(parts, training.pieces[:2]))
    # The language model is not among them and stays as it is.
    weights = [*tower_weights(parts.model, "audio" if options.tower == "audio" else "vision"), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=options.steps)
    generator = torch.Generator().manual_seed(options.seed)
    curve: list[dict[str, Any]] = []
    started, losses = time.monotonic(), []
    parts.model.train()
    for step in range(1, options.steps + 1):
        batch = torch.randint(len(training.pieces), (options.batch_size,), generator=generator)
        scores = head(piece_features(parts, training.pieces[batch.numpy()]))
        loss = _loss(scores, labels[batch].to(device), sample_weights[batch].to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % options.probe_every == 0 or step == options.steps:
            aurocs = _validation_aurocs(parts, head, validation)
            mean = sum(aurocs.values()) / len(aurocs) if aurocs else float("nan")
            point = {"step": step, "loss": round(sum(losses) / len(losses), 4), "mean_auroc": round(mean, 4)}
            curve.append(point | {"auroc": {name: round(area, 3) for name, area in aurocs.items()}})
            job.monitor.note(step, **{k: v for k, v in point.items() if k != "step"})
            seconds = time.monotonic() - started
            job.report_status(
                f"step {step}: loss {point['loss']}, mean AUROC on validation patients {mean:.3f}, {seconds:.0f} s"
            )
            losses = []
    return curve


def _loss(scores: Any, labels: Any, sample_weights: Any) -> Any:
    """Weighted cross-entropy over the labels that are not NaN."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    is_labelled = ~labels.isnan()
    return binary_cross_entropy_with_logits(scores[is_labelled], labels[is_labelled], sample_weights[is_labelled])


def _validation_aurocs(parts: ModelParts, head: Any, validation: LabelledPieces, batch: int = 256) -> dict[str, float]:
    """Output → area under the ROC curve on the validation patients; only outputs with both labels there."""
    import numpy as np
    import torch
    from scipy.stats import rankdata

    with torch.no_grad():
        scores = torch.cat(
            [
                head(piece_features(parts, validation.pieces[i : i + batch]))
                for i in range(0, len(validation.pieces), batch)
            ]
        )
    aurocs = {}
    for number, name in enumerate(validation.names):
        labels = validation.labels[:, number]
        is_labelled = ~np.isnan(labels)
        is_positive = labels[is_labelled] == 1
        n_negative, n_positive = int((~is_positive).sum()), int(is_positive.sum())
        if n_negative and n_positive:
            # The Mann-Whitney statistic, whose mean ranks count ties as half.
            ranks = rankdata(scores[:, number].float().cpu().numpy()[is_labelled])
            statistic = ranks[is_positive].sum() - n_positive * (n_positive + 1) / 2
            aurocs[name] = float(statistic / (n_negative * n_positive))
    return aurocs
