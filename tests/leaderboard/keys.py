"""SSH keys made for a test, and the file that says whose count."""

from __future__ import annotations

import subprocess
from pathlib import Path

from s3harness.leaderboard.signatures import NAMESPACE


def make_key(folder: Path, name: str = "key") -> Path:
    """A new private key; its public half is beside it."""
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    return key


def allow(key: Path, out: Path, principal: str = "maintainers") -> Path:
    """The ``allowed_signers`` file in which one key may sign verdicts."""
    public = key.with_name(f"{key.name}.pub").read_text()
    out.write_text(f'{principal} namespaces="{NAMESPACE}" {public}')
    return out
