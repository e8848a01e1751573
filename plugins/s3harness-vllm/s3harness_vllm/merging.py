"""Merges a LoRA adapter into a copy of the weights: ``python -m s3harness_vllm.merging JOB``, in a process of its own.

``JOB`` is a JSON object: ``weights``, ``revision``, ``adapter``, ``folder`` of the copy, ``trust_remote_code``.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import s3harness

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".index.json")
"""Ends of the names of files with weights."""


def merge(job: dict[str, Any]) -> None:
    """Write the merged weights, and all other files of the checkpoint as they are."""
    from s3harness_transformers.loading import load_model
    from s3harness_transformers.options import TransformersOptions
    from transformers import AutoConfig

    folder, source = Path(job["folder"]), _folder_of(job["weights"], job["revision"])
    card = s3harness.ModelCard(name="merged", weights=str(source))
    options = TransformersOptions(
        dtype="auto", device_map="cpu", adapter=Path(job["adapter"]), trust_remote_code=job["trust_remote_code"]
    )
    model = load_model(card, options, _report_nothing).model.merge_and_unload()
    model.save_pretrained(folder)
    whole = AutoConfig.from_pretrained(source, trust_remote_code=job["trust_remote_code"])
    # Of an omni model of Qwen the part that writes is loaded; in the whole its weights have a prefix.
    prefix = f"{model.base_model_prefix}." if type(whole) is not type(model.config) else ""
    _rename_weights(folder, prefix, _tensor_shapes(source))
    _copy_other_files(source, folder)


def _folder_of(weights: str, revision: str | None) -> Path:
    if Path(weights).is_dir():
        return Path(weights)
    from huggingface_hub import snapshot_download

    # The engine that was started before has downloaded it.
    return Path(snapshot_download(weights, revision=revision))


def _tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all tensors in a folder by their names, empty for weights in another format."""
    from safetensors import safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return shapes


def _rename_weights(folder: Path, prefix: str, source: Mapping[str, tuple[int, ...]]) -> None:
    """Give all tensors in a folder the names that they have in the source, as vLLM loads them by these."""
    from safetensors.torch import load_file, save_file

    saved = {prefix + name: shape for name, shape in _tensor_shapes(folder).items()}
    free = {name: shape for name, shape in source.items() if name not in saved}
    names = {
        name: name if name in source or not source else _name_in(free, name, shape) for name, shape in saved.items()
    }
    if not prefix and all(name == new for name, new in names.items()):
        return
    for path in folder.glob("*.safetensors"):
        tensors = {names[prefix + name]: tensor for name, tensor in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})
    for path in folder.glob("*.safetensors.index.json"):
        index = s3harness.parse_json(path.read_text(encoding="utf-8"))
        index["weight_map"] = {names[prefix + name]: file for name, file in index["weight_map"].items()}
        path.write_text(json.dumps(index), encoding="utf-8")


def _name_in(free: Mapping[str, tuple[int, ...]], name: str, shape: tuple[int, ...]) -> str:
    """Return the name in the source of a tensor that transformers saves by another one, by the end of the name."""
    # transformers 5.19 writes "language_model.model.model." for "language_model.model." of Audio Flamingo 3.
    parts = name.split(".")
    for start in range(1, len(parts)):
        end = "." + ".".join(parts[start:])
        if candidates := [other for other, size in free.items() if other.endswith(end) and size == shape]:
            if len(candidates) == 1:
                return candidates[0]
            break
    raise s3harness.UsageError(f"transformers saves {name}, which the weights name in another way")


def _copy_other_files(source: Path, folder: Path) -> None:
    """Copy the configuration, the processor and the tokenizer over what was saved with the weights."""
    for path in source.iterdir():
        if path.is_file() and not path.name.endswith(WEIGHTS):
            shutil.copyfile(path, folder / path.name)


def _report_nothing(phase: str) -> None:
    """Stand in for a report of phases: the process that waits for this one reports."""


if __name__ == "__main__":
    try:
        merge(json.loads(sys.argv[1]))
    except s3harness.S3HarnessError as error:
        # The last line is the reason that the caller shows.
        print(error, file=sys.stderr)
        sys.exit(1)
