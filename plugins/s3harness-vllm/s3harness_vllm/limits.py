"""Limits of vLLM itself, of models for which no card names them: those of an architecture, by its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Something that vLLM itself cannot do with a model, the last version that was seen so, and vLLM's issue."""

    text: str
    version: str
    issue: str = ""

    def __str__(self) -> str:
        return f"vLLM ({', '.join(filter(None, (self.version, self.issue)))}): {self.text}"


WHOLE_SECONDS = Limit(
    text="it cuts the times of frames to whole seconds (2.7 s to 2.0); frames a second apart keep their times",
    version="0.32.0",
)
NO_VIDEO = Limit(
    text="it takes no video for this model; s3harness shows images, each after its time",
    version="0.32.0",
)
NO_LORA = Limit(
    text="it applies no LoRA adapter to this model; s3harness merges it into a copy of the weights",
    version="0.32.0",
)

OF_ARCHITECTURES: Mapping[str, Sequence[Limit]] = {
    "Glm4vForConditionalGeneration": (WHOLE_SECONDS,),
    "Glm4vMoeForConditionalGeneration": (WHOLE_SECONDS,),
    "LlavaOnevisionForConditionalGeneration": (NO_LORA,),
    "SmolVLMForConditionalGeneration": (NO_VIDEO,),
}
