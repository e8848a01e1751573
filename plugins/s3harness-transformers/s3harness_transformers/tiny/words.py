"""The tokenizer of a tiny model, trained in process, and the chat templates of the families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

END = "<|im_end|>"
PAD = "<|endoftext|>"
CHAT = ("<|im_start|>", END)

SIZE = 576
"""Tokens of a tiny vocabulary, the special ones included."""

_TEXT = """
You see a clip of a patient during a recorded event. Judge only the patient, and only what this clip shows. You see
and hear a clip. Reply with one JSON object and nothing else: {"answer": "yes" or "no", "justification": "one short
sentence naming what you saw"} {"answer": "no", "justification": "the eyes stay open"} {"timestamp": "00:12"}
{"timestamp": "01:05.5"} Does the patient turn the head to one side? Do the eyes stay closed? The left arm is flexed
at the elbow while the right arm is extended. Rhythmic jerking of the limbs, tonic stiffening, clonic movement,
pelvic thrusting, automatisms of the mouth and of the hands, a blank stare, rapid blinking, twitching of the face,
full body shaking, vocalization. Count from the start of this clip. Is the event epileptic or not: ES or NES? Answer
yes or no. Answer left or right. The seizure begins with head turning to the left, followed by arm flexion on the
right side, and ends after thirty seconds. Write one to three short sentences. head, eyes, mouth, face, left arm,
left leg, right arm, right leg, arms, legs, full body You are a helpful assistant. system user assistant
"""


def tokenizer(special: Sequence[str], template: str, named: Mapping[str, str] | None = None) -> Any:
    """A byte-level tokenizer of :data:`SIZE` tokens that pads left; ``named`` are special tokens by attribute."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(_trained(SIZE - len(special)))
    backend.add_special_tokens(list(special))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=END,
        pad_token=PAD,
        chat_template=template,
        model_max_length=32768,
        padding_side="left",
        extra_special_tokens=dict(named or {}),
    )
    assert len(fast) == SIZE
    return fast


def chat_template(*, image: str = "", video: str = "", audio: str = "", system: str = "") -> str:
    """A ChatML template that writes the given marks where a message has media, and ``system`` where it has none."""
    default = "{% if messages[0]['role'] != 'system' %}<|im_start|>system\n" + system + "<|im_end|>\n{% endif %}"
    return (
        (default if system else "")
        + "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        + "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
        + "{% for part in message['content'] %}"
        + "{% if part['type'] in ('image', 'image_url') %}" + image
        + "{% elif part['type'] in ('video', 'video_url') %}" + video
        + "{% elif part['type'] in ('audio', 'audio_url', 'input_audio') %}" + audio
        + "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
        + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )  # fmt: skip


@lru_cache(maxsize=4)
def _trained(size: int) -> str:
    """A byte-pair encoding of exactly ``size`` tokens, as JSON."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    encoding = Tokenizer(models.BPE())
    encoding.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    encoding.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    encoding.train_from_iterator(_TEXT.splitlines(), trainer)
    assert encoding.get_vocab_size() == size, f"the text gives {encoding.get_vocab_size()} of {size} tokens"
    return str(encoding.to_str())
