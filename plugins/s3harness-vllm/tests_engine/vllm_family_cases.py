"""The families that are proved through vLLM, the requests that each is asked, and the table of it for the docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import s3harness
from s3harness.specs.models import load_model
from s3harness.specs.resolution import resolve_model

MAX_PIXELS = 250_000
"""As large as a real model's grids are: below its windows of attention engines differ that agree on real clips."""

START_S = 6.0
# A step of the grid is no whole number of positions: vLLM multiplies in 64 bits and may round such a one down. The
# first frame of each pair is at a whole second: GLM's times are cut to those in vLLM.
TIMES = (6.0, 8.1, 11.0, 15.7)
LATER = (10.0, 13.0, 17.0, 18.3)
BETWEEN_S = (0.5, 2.0, 5.5, 9.0)
"""Seconds since the start of a clip of which the first of each pair is no whole number."""

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}, "side": {"enum": ["left", "right", "both"]}},
    "required": ["answer", "side"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A family: its tiny model and a card for it.

    With ``is_derived`` the model has no card: the card is derived from its files, and ``card`` is what is expected.
    ``shown_in_vllm`` is the form of clips where vLLM does not take that of the card. ``times`` is the way in which the
    times of frames reach the model, ``words`` the pattern of those in words.

    Limits of vLLM: ``merges_language`` if it applies no adapter of the language model, ``writes_whole_seconds``.
    ``merged_in_vllm`` is the kind of adapter that vLLM is asked with after it was merged into its weights. ``dtype`` is
    the numeric type of weights in all engines. With ``is_refused_by_server`` the server takes no clip as the openai
    backend sends it; with ``is_deaf_on_cpu`` vLLM's build for CPUs cannot run the part that
    hears. With ``has_own_layout`` it lays tensors out in a way of its own, so that there is no receipt.
    """

    family: str
    card: s3harness.ModelCard
    dtype: str = "float32"
    is_derived: bool = False
    interleaves: bool = False
    shown_in_vllm: Literal["video", "images", ""] = ""
    times: str = ""
    words: str = ""
    merges_language: bool = False
    writes_whole_seconds: bool = False
    merged_in_vllm: str = ""
    is_refused_by_server: bool = False
    is_deaf_on_cpu: bool = False
    has_own_layout: bool = False

    @property
    def form_in_vllm(self) -> str:
        """The form in which vLLM is shown clips."""
        return self.shown_in_vllm or self.card.clip_form

    @property
    def questions(self) -> set[str]:
        """The names of the requests that are compared."""
        return (
            {"clip", "later clip", "longer clip", "schema", "text alone"}
            if self.card.modalities
            else {"schema", "text alone"}
        )

    def card_of(self, weights: Path) -> s3harness.ModelCard:
        """The card with which the weights in a directory are run."""
        card = resolve_model(str(weights)).card if self.is_derived else self.card
        card = replace(card, modalities=self.card.modalities) if self.is_deaf_on_cpu else card
        return replace(card, weights=str(weights), engines={})

    def times_in_words(self, since_start_s: Sequence[float]) -> list[str]:
        """The times that a prompt has in words: of each frame, of the first of a pair, or the mean of a pair."""
        firsts, seconds = since_start_s[::2], since_start_s[1::2]
        if self.times == "minutes and seconds":
            return [f"{int(time // 60):02d}:{int(time % 60):02d}" for time in since_start_s]
        if self.writes_whole_seconds:
            return [f"{time:.1f}" for time in firsts]
        return [f"{(one + other) / 2:.1f}" for one, other in zip(firsts, seconds, strict=True)]


def _case(family: str, card: str, times: str = "", *, clip_form: Any = "video", **changes: Any) -> Case:
    return Case(family=family, card=replace(load_model(card), clip_form=clip_form), times=times, **changes)


def _derived(family: str, times: str = "", *, takes: Sequence[s3harness.Modality] = ("video",), **changes: Any) -> Case:
    form = changes.pop("clip_form", "video")
    card = s3harness.ModelCard(family, modalities=tuple(takes), clip_form=form)
    return Case(family=family, card=card, is_derived=True, times=times, **changes)


LINEAR_ATTENTION = "bfloat16"
"""The numeric type that vLLM 0.32 needs for the linear attention of Qwen3.5 on a CPU."""

PAIRS = r"<([\d.]+) seconds>"
WRITTEN: Mapping[str, Case] = {
    "qwen2.5-vl": _case("qwen2.5-vl", "qwen2.5-vl-7b", "positions"),
    "qwen3-vl": _case("qwen3-vl", "qwen3-vl-8b", "in words, for two frames", words=PAIRS, merged_in_vllm="mixed"),
    "qwen3-vl by images": _case("qwen3-vl", "qwen3-vl-8b", "in words", clip_form="images"),
    "internvl3.5": _case("internvl3.5", "internvl3.5-8b", "numbers"),
    "qwen2.5-omni": _case(
        "qwen2.5-omni",
        "qwen2.5-omni-7b",
        "positions",
        merges_language=True,
        merged_in_vllm="language",
    ),
    "qwen3-omni": _case(
        "qwen3-omni",
        "qwen3-omni-30b-a3b",
        "positions",
        interleaves=True,
        merges_language=True,
        merged_in_vllm="language",
    ),
    "audio-flamingo": _case("audio-flamingo", "audio-flamingo-3", merges_language=True, merged_in_vllm="language"),
    "qwen3.5": _derived("qwen3.5", "in words, for two frames", words=PAIRS, dtype=LINEAR_ATTENTION),
    "glm-4.6v": _derived(
        "glm-4.6v", "in words, of the first of two", words=r"\|>([\d.]+) seconds", writes_whole_seconds=True
    ),
    "gemma-3": _derived("gemma-3", "in words", clip_form="images"),
    "gemma-4": _derived("gemma-4", "minutes and seconds", is_deaf_on_cpu=True, words=r"(\d\d:\d\d) ?<\|image>"),
    "smolvlm": _derived("smolvlm", "in words", shown_in_vllm="images"),
    "llava-onevision": _derived("llava-onevision", "none", merges_language=True, merged_in_vllm="language"),
    "minicpm-v-4.6": _derived(
        "minicpm-v-4.6", "none", dtype=LINEAR_ATTENTION, is_refused_by_server=True, has_own_layout=True
    ),
    "qwen3": _derived("qwen3", takes=()),
}
UNPROVED: Mapping[str, str] = {
    "qwen2.5-omni with sound in its video": "vLLM 0.32 and transformers 5.19 differ (.493 and .522, frames 3 s apart)",
    "qwen3-omni": "with sound, probabilities differ by up to .003 between vLLM 0.32 and transformers 5.19",
    "gemma-3": "the same inputs give .899 in vLLM 0.32 and .901 in transformers 5.19, text alone the same",
    "minicpm-v-4.6": "vLLM 0.32 fails on a CPU (a tensor of its vision part stays on the device meta)",
}
"""Cases that are written and not proved, each with the reason; FAMILIES in the environment probes them all the same."""

CASES: Mapping[str, Case] = {name: case for name, case in WRITTEN.items() if name not in UNPROVED}

WITH_CARD: Mapping[str, Case] = {name: case for name, case in WRITTEN.items() if not case.is_derived}
"""Those of the model cards."""


def requests_of(card: s3harness.ModelCard, video_id: str) -> dict[str, s3harness.Request]:
    """Requests by name: a clip, the same with another form of answer, other frames, other sound, and text alone."""
    sees, hears = "video" in card.modalities, card.hears()
    nothing = s3harness.Clip(video_id, 0.0, 0.0, (), 4)

    def clip(start_s: float, end_s: float, times: Sequence[float], max_pixels: int = MAX_PIXELS) -> s3harness.Clip:
        shown = tuple(times) if sees else ()
        return s3harness.Clip(video_id, start_s, end_s, shown, max_pixels, audio=hears) if sees or hears else nothing

    first = _request(clip(START_S, START_S + 10.0, TIMES))
    between = clip(START_S, START_S + 10.0, [START_S + time for time in BETWEEN_S])
    return {
        "clip": first,
        "later clip": _request(clip(10.0, 19.0, LATER)),
        "longer clip": _request(clip(0.0, 18.0, range(1, 7), 60_000)),
        "between": _request(between),
        "schema": replace(first, id="schema", choices=(), answer_schema=SCHEMA),
        "text alone": _request(nothing),
    }


def _request(clip: s3harness.Clip) -> s3harness.Request:
    return s3harness.Request(
        id=f"{clip.start_s}-{clip.max_pixels}",
        task="t",
        item="i",
        subject="s",
        clip=clip,
        prompt="Does the patient turn the head?",
        choices=("yes", "no"),
        generation=s3harness.Generation(max_tokens=40),
    )


HEADER = "| tiny model of | card | video | times of frames | sound | sound in the video | LoRA | other |"
ALL = "T V S"


def proof_table() -> str:
    """The table of what is proved, by family and engine: T transformers, V vLLM, S vLLM's server."""
    rows = [_row(name, case) for name, case in CASES.items()]
    unproved = [f"- {name}: {reason}." for name, reason in UNPROVED.items()]
    table = [HEADER, "|---" * HEADER.count("| ") + "|", *rows]
    return "\n".join([*table, "", "Proved through transformers alone:", "", *unproved])


def _row(name: str, case: Case) -> str:
    sees, all_engines = "video" in case.card.modalities, "T V" if case.is_refused_by_server else ALL
    form = "frames" if case.card.clip_form == "images" else "T, V and S as frames" if case.shown_in_vllm else "video"
    times = f"{case.times} (in V and S: whole seconds)" if case.writes_whole_seconds else case.times
    cells = [
        name,
        "derived" if case.is_derived else case.card.name,
        f"{all_engines}: {form}" if sees else "",
        times,
        ALL if case.card.hears() else "T" if case.is_deaf_on_cpu else "",
        "T V" if case.interleaves else "",
        "T, V merged" if case.merges_language else all_engines,
        all_engines,
    ]
    return "| " + " | ".join(cell or "–" for cell in cells) + " |"


if __name__ == "__main__":
    print(proof_table())
