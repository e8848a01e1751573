"""The conversation of a request: order and form of what is shown, by the model card."""

from __future__ import annotations

import pytest

import s3harness

CLIP = s3harness.Clip("v", 10.0, 12.0, (10.0, 11.5), 4096, audio=True)
REQUEST = s3harness.Request(id="r", task="t", item="i", subject="s", clip=CLIP, prompt="Seizure?", system="Be terse.")
QUESTION = {"type": "text", "text": "Seizure?"}
VIDEO, AUDIO, IMAGE = ({"type": kind} for kind in ("video", "audio", "image"))
IMAGES = [{"type": "text", "text": "[0.0 s]"}, IMAGE, {"type": "text", "text": "[1.5 s]"}, IMAGE]
FIRST = {"prompt_placement": "text_first"}


@pytest.mark.parametrize(
    ("card", "times_s", "has_audio", "content"),
    [
        ({}, CLIP.timestamps, True, [VIDEO, AUDIO, QUESTION]),
        ({}, CLIP.timestamps, False, [VIDEO, QUESTION]),
        ({}, (), True, [AUDIO, QUESTION]),
        ({}, (), False, [QUESTION]),
        (FIRST, CLIP.timestamps, True, [QUESTION, VIDEO, AUDIO]),
        ({"clip_form": "images"}, (9.98, 11.5), True, [*IMAGES, AUDIO, QUESTION]),
        (FIRST | {"clip_form": "images"}, (10.0, 11.5), False, [QUESTION, *IMAGES]),
        ({"audio_in_video": True}, CLIP.timestamps, True, [VIDEO, QUESTION]),
        # Without frames there is no video that sound could be in.
        ({"audio_in_video": True}, (), True, [AUDIO, QUESTION]),
        ({"audio_in_video": True, "clip_form": "images"}, (10.0, 11.5), True, [*IMAGES, AUDIO, QUESTION]),
    ],
)
def test_a_request_becomes_the_messages_that_its_card_wants(card, times_s, has_audio, content):
    model = s3harness.ModelCard("any", **card)
    system, user = s3harness.conversation(REQUEST, model, frame_times_s=times_s, has_audio=has_audio)
    assert system == {"role": "system", "content": [{"type": "text", "text": "Be terse."}]}
    assert user == {"role": "user", "content": content}
