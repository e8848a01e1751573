"""The tokenizer of a tiny model, trained in this process, and the chat templates of the families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

END = "<|im_end|>"
PAD = "<|endoftext|>"
CHAT = ("<|im_start|>", END)

VOCAB_SIZE = 576
"""Tokens of a tiny vocabulary, the special ones included."""

PROMPT_SENTENCES = (
    "You see a clip of a patient during a recorded event.",
    "You see and hear a clip of a patient during a recorded event.",
    "Judge only the patient, and only what this clip shows",
    'Reply with one JSON object that has two fields, and nothing else. The field "answer" is either yes or no.',
    'The field "justification" is your own short sentence on what you heard of it, or that you did not.',
    "Count from the start of this clip. Reply with one JSON object that has one field, and nothing else.",
    'The field "timestamp" is the moment as text: the minutes in two digits, a colon, and the seconds in two digits',
    "Is the event epileptic or non-epileptic?",
    'The field "answer" is either ES or NES.',
    "Describe what the patient does in this clip as a report of seizure semiology would",
    "Write one to three short sentences and nothing else.",
)
"""Sentences of the tasks' prompts, as the specs have them."""

_ANSWERS = """
{"answer": "yes", "justification": "the head turns to the left"}
{"answer": "no", "justification": "the eyes stay open"} {"timestamp": "00:12"} {"timestamp": "01:05.5"}
Does the patient turn the head to one side? Do the eyes stay closed? The left arm is flexed at the elbow while the right
arm is extended. Rhythmic jerking of the limbs, tonic stiffening, clonic movement, pelvic thrusting, automatisms of the
mouth and of the hands, a blank stare, rapid blinking, twitching of the face, full body shaking, vocalization. The
seizure begins with head turning to the left, followed by arm flexion on the right side, and ends after thirty seconds.
head, eyes, mouth, face, left arm, left leg, right arm, right leg, arms, legs, full body You are a helpful assistant.
system user assistant
"""
"""Text of the kind that questions and answers have.

The tokenizer is trained on it and on the prompts' sentences, so that a prompt takes few tokens."""


def build_tokenizer(special: Sequence[str], template: str, attributes: Mapping[str, str] | None = None) -> Any:
    """A byte-level tokenizer of :data:`VOCAB_SIZE` tokens that pads left.

    ``attributes`` are special tokens by the name of the tokenizer's attribute that a processor reads them from.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(_trained(VOCAB_SIZE - len(special)))
    backend.add_special_tokens(list(special))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=END,
        pad_token=PAD,
        chat_template=template,
        model_max_length=32768,
        padding_side="left",
        extra_special_tokens=dict(attributes or {}),
    )
    # The configurations are built for this size before the tokenizer is.
    assert len(tokenizer) == VOCAB_SIZE
    return tokenizer


def chat_template(*, image: str = "", video: str = "", audio: str = "", system: str = "") -> str:
    """A ChatML template that writes the given placeholders for media, and ``system`` where a message has none."""
    default = "{% if messages[0]['role'] != 'system' %}<|im_start|>system\n" + system + "<|im_end|>\n{% endif %}"
    # Parts by both their names: transformers says "video", vLLM "video_url".
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
    # All 256 bytes, so that every text can be encoded, whatever the training text holds.
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    encoding.train_from_iterator([*PROMPT_SENTENCES, *_ANSWERS.splitlines()], trainer)
    # A shorter text would give fewer merges.
    assert encoding.get_vocab_size() == size, f"the text gives {encoding.get_vocab_size()} of {size} tokens"
    return str(encoding.to_str())
