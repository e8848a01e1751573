"""What a model is given in training: the tokens and tensors of the evaluation, for each family."""

from __future__ import annotations

import pytest
import torch
from s3harness_transformers.families import family_of
from s3harness_transformers.request_encoder import RequestEncoder
from s3harness_transformers.tiny import tiny_model
from s3harness_trl.encoding import IGNORED, AnswerCollator, SampleEncoder, View, batch_inputs
from s3harness_trl.loading import load_parts
from s3harness_trl.options import SftOptions
from s3harness_trl.parts import repeated_layers, tower_modules
from s3harness_trl.tuning import shown_card

from s3harness.media.options import MediaOptions
from s3harness.run.worker_spec import media_store
from s3harness.specs.models import load_model
from s3harness.training.clips import ClipFrames
from s3harness.training.training_set import SetSettings, build_training_set

FAMILIES = {
    "qwen2.5-vl": ("qwen2.5-vl-7b", {"vision"}),
    "qwen3-vl": ("qwen3-vl-8b", {"vision"}),
    "internvl3.5": ("internvl3.5-8b", {"vision"}),
    "qwen2.5-omni": ("qwen2.5-omni-7b", {"vision", "audio"}),
    "qwen3-omni": ("qwen3-omni-30b-a3b", {"vision", "audio"}),
    "audio-flamingo": ("audio-flamingo-3", {"audio"}),
}
"""Family → its card, and the towers that its models have."""
FORMS = [*((family, "") for family in FAMILIES), ("qwen2.5-omni", "in_video"), ("qwen3-omni", "in_video")]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Family → a tiny model of it; each is built once."""
    directory, models = tmp_path_factory.mktemp("models"), {}

    def of(family):
        if family not in models:
            models[family] = tiny_model(family, directory / family)
        return load_parts(models[family])

    return of


@pytest.fixture(scope="module")
def clips_of(sounding, tmp_path_factory):
    """Card → training set and clips."""
    cache = tmp_path_factory.mktemp("cache")

    def of(card, task="1"):
        settings = SetSettings(
            tasks=(task,), model=card, split="train", leave_out_constant=True, sampling={"max_frames": 4}
        )
        training_set = build_training_set(sounding, settings)
        store = media_store(cache, None, MediaOptions())
        return training_set, ClipFrames(training_set.division.training, training_set.samples, store)

    return of


# transformers 5.19 makes an array of a tensor in a way that numpy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(("family", "sound"), FORMS)
def test_inputs_in_training_are_those_of_the_evaluation(family, sound, loaded, clips_of):
    name, towers = FAMILIES[family]
    parts, evaluated = loaded(family), loaded(family)
    training_set, clips = clips_of(name)
    card = shown_card(load_model(name), parts, SftOptions(sound=sound))
    plain = [sample for sample in training_set.samples if not sample.mirrored][:3]
    mirrored = next(sample for sample in training_set.samples if sample.mirrored)

    class Media:
        frames, audio, has_audio = clips.of_clip, clips.audio, clips.has_audio

    backend = RequestEncoder(evaluated.processor, family_of(evaluated.processor), card, Media())
    encoder = SampleEncoder(parts, card, clips)
    for sample in plain:
        sent, given = backend.encode(sample.request), encoder.encode(sample)
        assert sent.text["input_ids"].tolist() == given.text["input_ids"].tolist()
        assert sent.media.keys() == given.media.keys()
        assert all(_equal(sent.media[key], given.media[key]) for key in sent.media)
    _check_batch(parts, AnswerCollator(encoder, plain), encoder, plain)
    _check_views(encoder, mirrored, towers)
    assert {tower for tower in ("vision", "audio") if tower_modules(parts.model, tower)} == towers


def _equal(first, second):
    return torch.equal(torch.as_tensor(first), torch.as_tensor(second))


def _check_batch(parts, collator, encoder, samples):
    """A batch has the loss of its samples one by one; answers, and they alone, have labels."""
    batch = collator([{"number": number} for number in range(len(samples))])
    model, tokenizer = parts.model.eval(), parts.processor.tokenizer
    ids, labels = batch["input_ids"], batch.pop("labels")
    for row, sample in enumerate(samples):
        learnt = labels[row][labels[row] != IGNORED]
        assert tokenizer.decode(learnt, skip_special_tokens=True) == sample.target
        assert learnt[-1] == tokenizer.eos_token_id and sample.target not in tokenizer.decode(
            ids[row][labels[row] == IGNORED]
        )
    with torch.no_grad():
        together = model(**batch).logits
        for row in range(len(samples)):
            alone = collator([{"number": row}])
            own = alone.pop("labels")[0]
            logits = model(**alone).logits[0]
            places, own_places = (labels[row] != IGNORED).nonzero()[:, 0], (own != IGNORED).nonzero()[:, 0]
            torch.testing.assert_close(together[row, places - 1], logits[own_places - 1], atol=1e-4, rtol=1e-3)


def _check_views(encoder, sample, towers):
    """Mirrored, grey and silent clips have other tensors under the same tokens."""
    views = {view: encoder.encode(sample, view) for view in (View(), View(mirrored=True), View(grey=True))}
    silent = encoder.encode(sample, View(silent=True))
    shown = views[View()]
    for view, encoded in [*views.items(), (View(silent=True), silent)]:
        assert encoded.text["input_ids"].tolist() == shown.text["input_ids"].tolist()
        differing = {key for key in shown.media if not _equal(shown.media[key], encoded.media[key])}
        expected = "audio" if view.silent else "vision"
        assert bool(differing) == (view != View() and expected in towers), view
    batch = batch_inputs([shown, silent], encoder.pad_token_id)
    assert len(batch["input_ids"]) == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_that_repeat_are_those_of_the_towers_and_the_language_model(family, loaded):
    model = loaded(family).model
    names = repeated_layers(model)
    of_language = type(model.get_decoder().layers[0]).__name__
    assert of_language in names
    assert len(names) == 1 + len(FAMILIES[family][1])
