"""The model card beside trained weights: README.md in the form of the Hugging Face hub, made of the run card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from s3harness.files import write_text
from s3harness.training.reward_probes import VIEWS

FILE = "README.md"


def write_model_card(directory: Path, card: Mapping[str, Any]) -> Path:
    """Write the model card that a run card tells of and return its path; it names no patient, file or date."""
    path = directory / FILE
    # Libraries may have written one about the adapter alone, which this one replaces.
    write_text(path, model_card(card))
    return path


def model_card(card: Mapping[str, Any]) -> str:
    """Return the text of the model card of a run card."""
    return "\n".join([*_front_matter(card), *_body(card)]) + "\n"


def _front_matter(card: Mapping[str, Any]) -> list[str]:
    adapter = card.get("result", {}).get("weights") == "adapter"
    facts = {
        "library_name": "peft" if adapter else "transformers",
        # The weights inherit terms of their base model and of the data, which only people can weigh.
        "license": "other",
        "license_name": "see-base-model-and-data",
        "pipeline_tag": "video-text-to-text",
        "tags": ["s3harness", "seizure-semiology", "research-use-only", str(card["stage"])],
    }
    return ["---", yaml.safe_dump(facts, sort_keys=True, allow_unicode=True).rstrip(), "---", ""]


def _body(card: Mapping[str, Any]) -> Iterable[str]:
    data, patients, trained = card["data"], card["patients"], card["set"]
    tasks = ", ".join(sorted(trained["tasks"]))
    yield from ("# A model fine-tuned on seizure semiology", "")
    yield from (f"{card['note']} {STAGES.get(card['stage'], card['stage'])} with s3harness.", "")
    yield from ("## Intended use", "", INTENDED, "")
    yield from ("## Training data", "")
    yield f"- data set: {data['name']}, version {data['version']}, licence {data['licence']}"
    yield f"- fingerprint of the data: `{data['fingerprint']}`"
    yield f"- training set: {trained['samples']} samples of {tasks}; fingerprint `{trained['fingerprint']}`"
    yield f"- {patients['training']} patients in {card['videos']['training']} videos; {patients['held_out']} held out"
    yield (
        "- patients: salted digests in `s3harness-training.json`, by which `s3harness run` refuses to score the model "
        "on a patient that it was trained on"
    )
    yield from ("", "## Training", "")
    yield f"- base weights: `{card['base']}`"
    yield f"- trainer: {card['trainer']['name']} ({card['trainer']['package']})"
    yield f"- options: {_pairs(card['trainer']['options'])}"
    yield f"- clips as {card.get('clips', 'video')}, sound {card.get('audio', 'none')}"
    if card["rewards"]:
        rewards = ", ".join(f"`{reward['name']}` × {reward['weight']:g}" for reward in card["rewards"])
        yield f"- rewards: {rewards}"
    if card.get("collapse_accepted"):
        yield "- **trained by rewards that pay worthless answers** (`--accept-collapse`): its answers may be collapsed"
    if "before" in card:
        yield f"- trained before: {card['before'].get('stage', 'yes')}; its patients count as known to this model, too"
    yield from ("", "## Evaluation", "")
    yield from _evaluation(card.get("result", {}))
    yield from ("", "## Licence", "", LICENCE.format(licence=data["licence"]))


def _evaluation(result: Mapping[str, Any]) -> Iterable[str]:
    checks = result.get("held_out") or []
    if checks:
        yield from ("| task | metric | held-out patients | floor |", "|---|---|---|---|")
        for task, score in checks[-1]["scores"].items():
            low, high = score["interval"] or (None, None)
            interval = "" if low is None else f" ({low:.3f}–{high:.3f})"
            value = "–" if score["value"] is None else f"{score['value']:.3f}{interval}"
            floor = "–" if score["floor"] is None else f"{score['floor']:.3f}"
            yield f"| {task} | {score['metric']} | {value} | {floor} |"
        yield ""
    for probe in result.get("probes") or []:
        verdict = {True: "lost", False: "**not lost**", None: "no verdict, too few patients"}[probe["loses"]]
        yield f"- reward with {VIEWS[probe['view']]}: {probe['reward']:.3f} → {probe['changed_reward']:.3f}, {verdict}"
    looks = result.get("looks")
    if looks and "looks" in looks:
        verdict = "worse" if looks["looks"] else "**not worse**: no evidence that it uses the frames"
        yield f"- loss without the frames: {looks['loss']:.4f} → {looks['blank']:.4f}, {verdict}"
    yield from ("", "Checks during training are on few patients. To evaluate the model, against its base:", "")
    yield from ("```sh", *COMMANDS, "```")


def _pairs(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items()) or "the trainer's own"


STAGES: Mapping[str, str] = {
    "warmup": "A tower was trained to classify signs,",
    "sft": "Fine-tuned on annotators' answers",
    "grpo": "Trained by reinforcement learning (GRPO)",
}
INTENDED = (
    "Research on how well models describe and classify seizures in video, within the tasks of the benchmark. It must "
    "not be used for diagnosis, monitoring, triage or any decision about a patient: no clinical validation was done, "
    "and its errors are not those of an expert. Weights may hold traces of the patients they were trained on: share "
    "them only as the terms of the data allow."
)
LICENCE = (
    "The data set states: {licence}. The weights also fall under the licence of their base model. Who passes them on "
    "has to check both."
)
COMMANDS = (
    "s3harness run --backend vllm --model CARD --weights . --data DATA --split test --out run-tuned",
    "s3harness run --backend vllm --model CARD --data DATA --split test --out run-base",
    "s3harness compare run-base run-tuned",
)
