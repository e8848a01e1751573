"""Tokens counted from a card are those that the family's own processor makes of the same clip."""

from __future__ import annotations

from dataclasses import replace

import pytest
from s3harness_transformers.families import _min_pixels
from transformers_golden import write_golden

import s3harness
from s3harness.run.context import text_counter
from s3harness.run.media_tokens import media_tokens

SIZE = (640, 358)
SHAPES = [(n, pixels) for n in (2, 3, 5, 8) for pixels in (4096, 20_000, 100_352, 602_112)]
REQUEST = s3harness.Request(
    id="r", task="t", item="i", subject="s", clip=s3harness.Clip("wide", 0.0, 1.0, (), 1), prompt="What is seen?"
)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A video that is larger than most of the limits."""
    path = write_golden(tmp_path_factory.mktemp("wide") / "wide.mp4", seconds=13, size=SIZE)
    return s3harness.Video("wide", "p1", path, 13.0)


def encoded(cases, wide, encoder, clip):
    cases.store.prepare(wide, [clip])
    return encoder.encode(replace(REQUEST, clip=clip))


def count(encoded, processor, *kinds):
    """Tokens that stand for media of these kinds."""
    names = {getattr(processor, f"{kind}_token", None) for kind in kinds} - {None}
    ids = set(processor.tokenizer.convert_tokens_to_ids(sorted(names)))
    return sum(token in ids for token in encoded.text["input_ids"][0].tolist())


@pytest.mark.parametrize("family", ["qwen2.5-vl", "qwen3-vl", "internvl3.5", "qwen2.5-omni", "qwen3-omni"])
def test_frames_of_several_sizes_and_numbers(cases, wide, family):
    encoder, processor = cases.encoder(family)
    card = cases.card(family)
    if card.vision.tokens_per_image is not None:
        # Where the tiny model's frames have fewer tokens than those of the released one.
        card = replace(card, vision=replace(card.vision, tokens_per_image=processor.image_seq_length))
    elif card.vision.frame_pixels[0] is not None:
        card = replace(card, vision=replace(card.vision, frame_pixels=(_min_pixels(processor), None)))
    expected, by_card = {}, {}
    for n, max_pixels in SHAPES:
        clip = s3harness.Clip("wide", 0.0, 12.0, tuple(i + 0.5 for i in range(n)), max_pixels)
        asked = encoded(cases, wide, encoder, clip)
        tokens = media_tokens(card, clip, SIZE)
        # InternVL writes the frames of a video as images.
        expected[n, max_pixels] = count(asked, processor, "video", "image")
        by_card[n, max_pixels] = tokens.frames
        assert tokens.is_exact
        # Prompt and template are the rest, without which the markers would not be there.
        assert tokens.total < asked.length
    assert by_card == expected
    assert len(set(expected.values())) > 3


@pytest.mark.parametrize("family", ["qwen2.5-vl", "qwen3-vl", "qwen2.5-omni", "qwen3-omni"])
def test_without_the_size_of_the_video_the_count_is_an_upper_bound(cases, family):
    clip = s3harness.Clip("wide", 0.0, 12.0, (0.5, 1.5, 2.5), 602_112)
    bound = media_tokens(cases.card(family), clip)
    assert not bound.is_exact
    assert bound.frames >= media_tokens(cases.card(family), clip, SIZE).frames


@pytest.mark.parametrize("family", ["qwen2.5-omni", "qwen3-omni", "audio-flamingo"])
def test_sound_of_several_lengths(cases, wide, family):
    encoder, processor = cases.encoder(family)
    for seconds in (0.5, 3.0, 7.25, 10.0, 12.03):
        clip = s3harness.Clip("wide", 0.0, seconds, (), 4096, audio=True)
        asked = encoded(cases, wide, encoder, clip)
        # A clip's samples end within one step of the spectrogram: a token more or less is possible.
        assert abs(media_tokens(cases.card(family), clip).sound - count(asked, processor, "audio")) <= 1


def test_text_is_counted_by_the_weights_own_tokenizer(cases):
    count, name = text_counter(cases.card("qwen3-vl"))
    _, processor = cases.encoder("qwen3-vl")
    assert count(REQUEST.prompt) == len(processor.tokenizer(REQUEST.prompt).input_ids)
    assert name == "the model's own tokenizer"
