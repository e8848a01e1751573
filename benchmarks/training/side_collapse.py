"""The collapse of Task 3 to one side, and its prevention, in GRPO of a small policy: ``side_collapse.py --out FOLDER``.

A policy of some thousand weights answers Tasks 1, 3 and 7 of made-up patients. It sees a noisy vector for each
recording instead of frames, in which sides are harder to see than signs, and answers with the words that a question
allows; all else is the package's: the samples, the texts of the answers, the rewards and the held-out patients. It is
fine-tuned on the answers, then reinforced by GRPO (Shao et al. 2024: advantages relative to the group, divided by its
standard deviation, and a penalty on the divergence from the first policy), with the samples of an arm:

- ``published``: as in the published training, the samples as they come, paid by the formulas of its code
- ``balanced``: the same rewards; answers to a question equally common, and mirror images
- ``ours``: that, tasks in equal shares (``--mix even``), paid by strict metrics
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import torch

from s3harness.backends.answer_text import write_answer
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, write_table
from s3harness.media.options import MediaOptions
from s3harness.metrics.base import ItemMean
from s3harness.run.worker_spec import media_store
from s3harness.specs.features import vocabulary
from s3harness.stats import interval_of_rows
from s3harness.testing.cases import ARM, made_up_videos
from s3harness.training.held_out import HeldOut
from s3harness.training.monitor import Collapse, CollapseLimits, Monitor, TrainingAnswer
from s3harness.training.presets import rewards_named
from s3harness.training.sample import Sample
from s3harness.training.training_set import VIDEO_ONLY, SetSettings, TrainingSet, build_training_set
from s3harness.transforms.mirror import mirrored_video
from s3harness.types import Video

TASKS = ("1", "3", "7")
SIDES = "s3/task3_laterality"
HEAD = "head_turning"
LABEL = ("present", "start_s", "end_s", "side", "justification")
GROUP = 6
"""Answers to a question, as in the published training."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """The settings of one training: its rewards, its protocol, and the balance of its samples."""

    rewards: str
    protocol: str = "strict"
    balance: str = "repeat"
    mirror: bool = True
    mix: Mapping[str, float] = field(default_factory=dict)


ARMS: Mapping[str, Arm] = {
    "published": Arm(rewards="authors", protocol="paper", balance="none", mirror=False),
    "balanced": Arm(rewards="authors", protocol="paper"),
    "ours": Arm(rewards="strict", mix={"even": 1.0}),
}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of an experiment: videos, patients, steps of fine-tuning and of GRPO, questions in a step.

    ``side`` is the evidence of a side, in standard deviations of the noise; that of all else is 1.
    """

    videos: int = 600
    patients: int = 200
    sft_steps: int = 150
    grpo_steps: int = 300
    questions: int = 32
    side: float = 0.5


class Policy(torch.nn.Module):
    """Logits of the words from the recording and the question."""

    def __init__(self, inputs: int, words: int, width: int = 48) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(inputs, width), torch.nn.Tanh(), torch.nn.Linear(width, words)
        )

    def forward(self, inputs: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (questions, words) of the words that are allowed."""
        return self.layers(inputs).masked_fill(~allowed, -1e9).log_softmax(-1)


class Recordings:
    """Noisy evidence of the signs, sides, diagnosis and onset of each video; the same whenever it is shown."""

    def __init__(self, videos: Sequence[Video], seed: int, side: float) -> None:
        self._side = side
        self._seed = seed
        self._videos = {video.id: video for video in videos}
        self._evidence: dict[tuple[str, bool], np.ndarray] = {}
        self.words = ["yes", "no", "left", "right", "ES", "NES", *vocabulary().body_parts]
        self.questions = [*vocabulary().names, HEAD, ARM, "onset_body_part", "video", "video_and_report"]

    def inputs(self, sample: Sample) -> np.ndarray:
        """The evidence and the question of a sample, as one vector."""
        key = sample.request.clip.video_id, sample.mirrored
        if key not in self._evidence:
            self._evidence[key] = self._recorded(*key)
        one_hot = [float(question == sample.request.subject) for question in self.questions]
        return np.concatenate([self._evidence[key], one_hot]).astype(np.float32)

    def _recorded(self, video_id: str, mirrored: bool) -> np.ndarray:
        video = self._videos[video_id]
        shown = mirrored_video(video) if mirrored else video
        sides = [self._side * _side(shown, name) for name in (HEAD, ARM)]
        signs = [_sign(shown, name) for name in vocabulary().names]
        parts = [float(shown.onset_body_part == part) for part in vocabulary().body_parts]
        evidence = np.array([*sides, *signs, 1.0 if shown.diagnosis == "ES" else -1.0, *parts])
        noise = np.random.default_rng([self._seed, *video_id.encode()]).normal(0, 1.0, len(evidence))
        # A mirrored recording is the same one seen in a mirror, its noise as well.
        noise[: len(sides)] *= -1.0 if mirrored else 1.0
        return evidence + noise

    def allowed(self, sample: Sample) -> np.ndarray:
        """The words that may answer a sample."""
        choices = set(sample.request.choices) or _closed(sample)
        return np.array([word in choices for word in self.words])


class Learner:
    """A policy, the samples of an arm and their rewards."""

    def __init__(self, training_set: TrainingSet, arm: Arm, recordings: Recordings, seed: int) -> None:
        torch.manual_seed(seed)
        self.samples = training_set.samples
        self.recordings = recordings
        # Without floors, which take the same from a right and from a wrong answer to a closed question: nothing.
        self.rewards = rewards_named({arm.rewards: 1.0}, training_set)
        self._inputs = torch.tensor(np.stack([recordings.inputs(s) for s in self.samples]))
        self._allowed = torch.tensor(np.stack([recordings.allowed(s) for s in self.samples]))
        self.policy = Policy(self._inputs.shape[1], len(recordings.words))
        self._generator = np.random.default_rng(seed)
        self._paid: dict[tuple[str, int], float] = {}

    def fine_tune(self, steps: int, questions: int, rate: float = 3e-3) -> None:
        """Learn the annotators' answers."""
        targets = torch.tensor([self.recordings.words.index(_true_word(s)) for s in self.samples])
        optimizer = torch.optim.AdamW(self.policy.parameters(), lr=rate, weight_decay=0.0)
        for _ in range(steps):
            rows = self._rows(questions)
            logprobs = self.policy(self._inputs[rows], self._allowed[rows])
            loss = torch.nn.functional.nll_loss(logprobs, targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def reinforce(
        self, steps: int, questions: int, monitor: Monitor, rate: float = 1e-3, beta: float = 0.01
    ) -> int | None:
        """Learn by rewards; return the first step at which the monitor reports a collapse."""
        first = Policy(self._inputs.shape[1], len(self.recordings.words))
        first.load_state_dict(self.policy.state_dict())
        optimizer = torch.optim.AdamW(self.policy.parameters(), lr=rate, weight_decay=0.0)
        collapsed: int | None = None
        for step in range(1, steps + 1):
            rows = self._rows(questions)
            logprobs = self.policy(self._inputs[rows], self._allowed[rows])
            answers = torch.multinomial(logprobs.exp(), GROUP, replacement=True)
            paid = [
                [self._pay(int(row), int(word)) for word in group] for row, group in zip(rows, answers, strict=True)
            ]
            rewards = torch.tensor(paid)
            advantages = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)
            with torch.no_grad():
                reference = first(self._inputs[rows], self._allowed[rows])
            divergence = (logprobs.exp() * (logprobs - reference)).sum(1).mean()
            loss = -(advantages * logprobs.gather(1, answers)).mean() + beta * divergence
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if collapsed is None:
                collapsed = self._watch(step, monitor, rows, answers, paid)
        return collapsed

    def greedy(self, samples: Sequence[Sample]) -> dict[str, str]:
        """Request id → the word of the highest probability."""
        inputs = torch.tensor(np.stack([self.recordings.inputs(s) for s in samples]))
        allowed = torch.tensor(np.stack([self.recordings.allowed(s) for s in samples]))
        with torch.no_grad():
            best = self.policy(inputs, allowed).argmax(1)
        return {s.request.id: self.recordings.words[int(word)] for s, word in zip(samples, best, strict=True)}

    def _rows(self, number: int) -> torch.Tensor:
        return torch.tensor(self._generator.integers(0, len(self.samples), number))

    def _text(self, row: int, word: int) -> str:
        return write_answer(self.samples[row].request, self.recordings.words[word], "")

    def _pay(self, row: int, word: int) -> float:
        sample = self.samples[row]
        key = sample.id, word
        if key not in self._paid:
            text = self._text(row, word)
            paid = [(r.weight, r.score(r.format_answer(text), sample.truth)) for r in self.rewards]
            self._paid[key] = sum(weight * amount for weight, amount in paid if amount is not None)
        return self._paid[key]

    def _watch(self, step: int, monitor: Monitor, rows: Any, answers: Any, paid: Any) -> int | None:
        """Give the answers to Task 3 to the monitor; return the step if it reports a collapse."""
        observed = [
            TrainingAnswer(SIDES, self.samples[row].truth, self._text(row, word), {"sum": amount})
            for row, group, amounts in zip(rows.tolist(), answers.tolist(), paid, strict=True)
            if self.samples[row].request.task == SIDES
            for word, amount in zip(group, amounts, strict=True)
        ]
        try:
            # A step without a question of Task 3 has nothing to note.
            if observed:
                monitor.observe(step, observed)
        except Collapse:
            return step
        return None


def run_arm(data: Path, out: Path, name: str, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Train the policy of an arm and return its scores on held-out patients after fine-tuning and after GRPO."""
    arm = ARMS[name]
    settings = SetSettings(
        tasks=TASKS,
        protocol=arm.protocol,
        balance=arm.balance,
        mirror=arm.mirror,
        mix=arm.mix,
        seed=0,
        held_out=0.4,
        leave_out_constant=True,
        # Fewer windows of a video than in an evaluation, so that an experiment takes a minute.
        sampling={"window_s": 60},
    )
    training_set = build_training_set(data, settings)
    videos = [*training_set.division.training, *training_set.division.held_out]
    learner = Learner(training_set, arm, Recordings(videos, seed, sizes.side), seed)
    store = media_store(out / "cache", None, MediaOptions())
    held_out = HeldOut.of(training_set, VIDEO_ONLY, store, videos=len(training_set.division.held_out))
    # The monitor would stop the training, and the collapse could not be looked at.
    monitor = Monitor(training_set.specs, out / f"{name}-{seed}", CollapseLimits())
    learner.fine_tune(sizes.sft_steps, sizes.questions)
    after_sft = _scored(learner, held_out)
    collapsed = learner.reinforce(sizes.grpo_steps, sizes.questions, monitor)
    counts = Counter(sample.request.task for sample in learner.samples)
    return {
        "arm": name,
        "seed": seed,
        "share_of_task3": counts[SIDES] / len(learner.samples),
        "sft": after_sft,
        "grpo": _scored(learner, held_out),
        "stopped_at": collapsed,
        "constant": monitor.notes("tasks")[-1][1][SIDES]["constant"] if monitor.notes("tasks") else [],
    }


def _scored(learner: Learner, held_out: HeldOut) -> dict[str, Any]:
    """By question of Task 3: the share of the commonest answer and truth, and the balanced accuracy."""
    texts = learner.greedy([s for s in held_out.samples if s.request.task == SIDES])
    questions = {}
    for subject in (HEAD, ARM, "onset_body_part"):
        rows = [(r, texts[r.requests[0]]) for r in held_out.references if r.task == SIDES and r.subject == subject]
        (word, times), (_, true_times) = (
            Counter(values).most_common(1)[0] for values in ([w for _, w in rows], [r.truth for r, _ in rows])
        )
        questions[subject] = {
            "commonest": word,
            "share": times / len(rows),
            "true_share": true_times / len(rows),
            "items": len(rows),
            **_balanced_accuracy(rows),
        }
    return questions


def _balanced_accuracy(rows: Sequence[tuple[Any, str]]) -> dict[str, Any]:
    """Mean recall of the true classes with its interval over patients."""
    counts = Counter(reference.truth for reference, _ in rows)
    # Each item weighs as much as its class is rare, so that the mean over items is that over classes.
    weighted = np.array([((r.truth == word) / counts[r.truth], 1.0 / counts[r.truth]) for r, word in rows])
    interval = interval_of_rows(ItemMean(lambda _: None), weighted, [r.cluster for r, _ in rows]).interval
    value = float(weighted[:, 0].sum() / weighted[:, 1].sum())
    return {"balanced_accuracy": value, "interval": [interval.low, interval.high] if interval else None}


def write_annotations(folder: Path, sizes: Sizes, seed: int = 11) -> Path:
    """Write a data set of made-up annotations, of which three in five sides are left."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = made_up_videos(sizes.videos, patients=sizes.patients, seed=seed)
    about = {"schema": "s3harness/dataset/v1", "name": "made up", "version": "1", "licence": "CC0-1.0"}
    (folder / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    own = ("diagnosis", "duration_s", "onset_s", "offset_s", "onset_body_part")
    rows = [
        {"video_id": v.id, "patient_id": v.patient, "file": f"{v.id}.mp4"} | {n: getattr(v, n) for n in own}
        for v in videos
    ]
    write_table(folder / "videos.csv", VIDEOS, rows)
    labels = [(v.id, name, label) for v in videos for name, label in v.features.items()]
    write_table(
        folder / "features.csv",
        FEATURES,
        [
            {"video_id": video, "feature": name}
            | {column: "" if (x := getattr(label, column)) is None else x for column in LABEL}
            for video, name, label in labels
        ],
    )
    write_table(folder / "reports.csv", REPORTS, [{"video_id": v.id, "report": v.report} for v in videos])
    return folder


def _sign(video: Video, name: str) -> float:
    return 1.0 if name in video.features and video.features[name].present == "yes" else -1.0


def _side(video: Video, name: str) -> float:
    label = video.features.get(name)
    return {"left": -1.0, "right": 1.0}.get((label.side if label else None) or "", 0.0)


def _closed(sample: Sample) -> set[str]:
    return {"diagnosis": {"ES", "NES"}, "feature": {"yes", "no"}}[sample.request.item_kind]


def _true_word(sample: Sample) -> str:
    return str(next(r.truth for r in sample.references if r.task == sample.request.task))


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2, 3), show_default=True)
@click.option("--arm", "arms", type=click.Choice(list(ARMS)), multiple=True, default=tuple(ARMS), show_default=True)
@click.option("--side", default=Sizes.side, show_default=True)
@click.option("--grpo-steps", default=Sizes.grpo_steps, show_default=True)
@click.option("--sft-steps", default=Sizes.sft_steps, show_default=True)
def main(out: Path, seeds: Sequence[int], arms: Sequence[str], side: float, grpo_steps: int, sft_steps: int) -> None:
    """Train all arms with each seed, print a table and write results.json."""
    torch.set_num_threads(1)
    sizes = Sizes(grpo_steps=grpo_steps, sft_steps=sft_steps, side=side)
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        data = write_annotations(Path(folder) / "data", sizes)
        results = []
        for name in arms:
            for seed in seeds:
                results.append(run_arm(data, out, name, seed, sizes))
                click.echo(_line(results[-1]))
    (out / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


def _line(result: Mapping[str, Any]) -> str:
    parts = [
        f"{stage} {subject}: {q['commonest']} {q['share']:.2f}, balanced accuracy {q['balanced_accuracy']:.3f} "
        f"({'–'.join(f'{limit:.3f}' for limit in q['interval'] or ())})"
        for stage in ("sft", "grpo")
        for subject in (HEAD, ARM)
        for q in [result[stage][subject]]
    ]
    title = f"{result['arm']}, seed {result['seed']}, Task 3 {result['share_of_task3']:.1%} of the samples"
    constant = ", ".join(result["constant"]) or "none"
    return f"{title}, constant by the monitor: {constant}: {'; '.join(parts)}"


if __name__ == "__main__":
    main()
