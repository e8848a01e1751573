"""Warming up the vision part of a model: it learns to tell, picture by picture, which signs are on.

A language model learns nothing from a vision tower that tells pictures apart by nothing. Real models come with one that
was trained on images; one built from its configuration does not, and SFT alone leaves it on a plateau. So the mean of
the tokens that the language model would get of a picture goes through one linear layer to a probability for each sign,
and for each side of a sign that has one; the layer is thrown away.

Where most patients raise the right arm, most mirrored ones raise the left, and a mirrored room would tell the side. So
of the pictures with a sign on a side, mirrored ones weigh as much together as the others; and what is learnt is probed
on pictures as they were filmed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import s3harness
from s3harness_trl.loading import Parts, load_parts, save_parts
from s3harness_trl.options import WarmupOptions

PROBED = 0.1
"""Share of the training patients whose pictures are not learnt from, to see what is learnt."""
SIDES = ("left", "right")
EPSILON = 1e-6


@dataclass(frozen=True)
class Pictures:
    """Pictures N × H × W × 3, which of them are ``mirrored`` (N), and what is true of each.

    ``truth`` is N × outputs: 1, 0, or NaN where nobody knows.
    """

    pixels: Any
    truth: Any
    mirrored: Any
    names: tuple[str, ...]

    @property
    def weights(self) -> Any:
        """N × outputs: of the pictures with a sign on one side, mirrored and other ones weigh the same together."""
        import numpy as np

        weights = np.ones_like(self.truth)
        for number, name in enumerate(self.names):
            sign, _, side = name.partition("/")
            if side:
                left, right = (self.truth[:, self.names.index(f"{sign}/{one}")] for one in SIDES)
                weights[:, number] = _evened(left + 2 * right, self.mirrored)
        return weights


def _evened(states: Any, mirrored: Any) -> Any:
    """A weight for each picture; those whose state is in mirrored pictures alone, or in none, keep theirs."""
    import numpy as np

    weights = np.ones(len(states), dtype=np.float32)
    for state in np.unique(states[~np.isnan(states)]):
        cells = [(states == state) & (mirrored == which) for which in (False, True)]
        if all(cell.any() for cell in cells):
            for cell in cells:
                weights[cell] = sum(c.sum() for c in cells) / (2 * cell.sum())
    return weights


def warm_up(job: s3harness.TrainingJob, options: WarmupOptions) -> Mapping[str, object]:
    """Train the vision part and save the model; returns what the probe says of the signs."""
    import torch

    torch.manual_seed(options.seed)
    parts = load_parts(job.model, trust_remote_code=options.trust_remote_code)
    learnt, probed = _pictures(job)
    job.say(f"{len(learnt.pixels)} pictures to learn from, {len(probed.pixels)} to probe with")
    head = torch.nn.LazyLinear(len(learnt.names))
    curve = _learn(job, parts, head, learnt, probed, options)
    save_parts(parts, job.out)
    return {"steps": options.steps, "pictures": len(learnt.pixels), "probe": curve[-1] if curve else {}, "curve": curve}


def _pictures(job: s3harness.TrainingJob) -> tuple[Pictures, Pictures]:
    """The pictures of the training samples' clips, each clip once, divided by patient."""
    import numpy as np

    clips = {(s.request.clip.video_id, s.request.clip.timestamps, s.mirrored): s for s in job.made.samples}
    videos = [job.made.video_of(sample) for sample in clips.values()]
    patients = sorted({video.patient for video in videos})
    apart = set(patients[:: round(1 / PROBED)])
    names = output_names(videos)
    learnt: list[tuple[Any, Any, Any]] = []
    probed: list[tuple[Any, Any, Any]] = []
    for sample, video in zip(clips.values(), videos, strict=True):
        if video.patient in apart and sample.mirrored:
            continue
        frames = job.clips.frames(sample)
        truth = np.array([truths(video, time_s, names) for time_s in frames.timestamps], dtype=np.float32)
        part = (frames.pixels, truth, np.full(len(truth), sample.mirrored))
        (probed if video.patient in apart else learnt).append(part)
    if not learnt or not probed:
        raise s3harness.UsageError("too few patients to learn from some and probe with others; 10 or more are needed")
    return _joined(learnt, names), _joined(probed, names)


def _joined(parts: Sequence[tuple[Any, Any, Any]], names: tuple[str, ...]) -> Pictures:
    import numpy as np

    pixels, truth, mirrored = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pictures(pixels, truth, mirrored, names)


def output_names(videos: Sequence[s3harness.Video]) -> tuple[str, ...]:
    """Each sign that somebody shows, and for each that has a side somewhere its two sides."""
    found: dict[str, None] = {}
    for video in videos:
        for name, label in video.features.items():
            if label.present == "yes":
                found[name] = None
                if label.side:
                    found |= {f"{name}/{side}": None for side in SIDES}
    return tuple(sorted(found))


def truths(video: s3harness.Video, time_s: float, names: Sequence[str]) -> list[float]:
    """Of each output whether it is on at a time: 1, 0, or NaN where nobody knows."""
    return [_truth(video.features.get(name.partition("/")[0]), name.partition("/")[2], time_s) for name in names]


def _truth(label: s3harness.FeatureLabel | None, side: str, time_s: float) -> float:
    if label is None or label.present == "untested":
        return float("nan")
    if label.present == "no":
        return 0.0
    if label.start_s is not None and label.end_s is None:
        return float("nan") if time_s >= label.start_s else 0.0
    if label.start_s is not None and label.end_s is not None and not label.start_s <= time_s <= label.end_s:
        return 0.0
    if side and label.side is None:
        return float("nan")
    return float(not side or label.side in (side, "both"))


def _learn(
    job: s3harness.TrainingJob, parts: Parts, head: Any, learnt: Pictures, probed: Pictures, options: WarmupOptions
) -> list[dict[str, Any]]:
    import torch

    truth, importance = torch.from_numpy(learnt.truth), torch.from_numpy(learnt.weights)
    device = parts.model.device
    with torch.no_grad():
        head = head.to(device)
        head(_features(parts, learnt.pixels[:2]))
    weights = [*(p for p in parts.vision.parameters()), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=options.steps)
    generator = torch.Generator().manual_seed(options.seed)
    curve: list[dict[str, Any]] = []
    started, losses = time.monotonic(), []
    parts.model.train()
    for step in range(1, options.steps + 1):
        chosen = torch.randint(len(learnt.pixels), (options.batch_size,), generator=generator)
        scores = head(_features(parts, learnt.pixels[chosen.numpy()]))
        loss = _loss(scores, truth[chosen].to(device), importance[chosen].to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % options.probe_every == 0 or step == options.steps:
            areas = _probe(parts, head, probed)
            mean = sum(areas.values()) / len(areas) if areas else float("nan")
            told = {"step": step, "loss": round(sum(losses) / len(losses), 4), "mean_auroc": round(mean, 4)}
            curve.append(told | {"auroc": {name: round(area, 3) for name, area in areas.items()}})
            job.monitor.note(step, **{k: v for k, v in told.items() if k != "step"})
            seconds = time.monotonic() - started
            job.say(f"step {step}: loss {told['loss']}, mean AUROC on others {mean:.3f}, {seconds:.0f} s")
            losses = []
    return curve


def _features(parts: Parts, pixels: Any) -> Any:
    """The mean of the tokens of each picture, normalised as its first layer would, pictures × width of the model."""
    import torch
    from torch.nn.functional import rms_norm

    given = parts.processor.image_processor(images=list(pixels), return_tensors="pt")
    given = {name: value.to(parts.model.device) for name, value in given.items()}
    found = parts.inner.get_image_features(**{k: v for k, v in given.items() if k in parts.image_inputs})
    tokens = getattr(found, "pooler_output", found)
    if isinstance(tokens, torch.Tensor):
        tokens = tokens.reshape(len(pixels), -1, tokens.shape[-1])
    return torch.stack([rms_norm(of_picture, of_picture.shape[-1:], eps=EPSILON).mean(0) for of_picture in tokens])


def _loss(scores: Any, truth: Any, importance: Any) -> Any:
    """Cross-entropy where the truth is known."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    known = ~truth.isnan()
    return binary_cross_entropy_with_logits(scores[known], truth[known], importance[known])


def _probe(parts: Parts, head: Any, probed: Pictures, batch: int = 256) -> dict[str, float]:
    """Output → area under the ROC curve on the patients left apart; those with both answers alone."""
    import numpy as np
    import torch
    from scipy.stats import rankdata

    with torch.no_grad():
        scores = torch.cat(
            [head(_features(parts, probed.pixels[i : i + batch])) for i in range(0, len(probed.pixels), batch)]
        )
    areas = {}
    for number, name in enumerate(probed.names):
        truth = probed.truth[:, number]
        known = ~np.isnan(truth)
        positive = truth[known] == 1
        n, p = int((~positive).sum()), int(positive.sum())
        if n and p:
            ranks = rankdata(scores[:, number].float().cpu().numpy()[known])
            areas[name] = float((ranks[positive].sum() - p * (p + 1) / 2) / (n * p))
    return areas
