"""Signatures by SSH keys, created and verified by OpenSSH's ``ssh-keygen -Y`` (8.2 or later; PROTOCOL.sshsig)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from s3harness.errors import S3HarnessError, UsageError

NAMESPACE = "verdict@s3harness"
"""Purpose of the signatures: a signature of a commit or another file does not count for a verdict."""
SUFFIX = ".sig"
_TIMEOUT_S = 60.0
"""Seconds for one signature, in which a person types the passphrase of a key."""


def sign(path: Path, key: Path) -> Path:
    """Sign a file with a private key, or a public one whose private half is in an ssh-agent; return the path.

    Raises :class:`UsageError` if there is no such key, :class:`S3HarnessError` if ssh-keygen is missing or fails.
    """
    if not key.is_file():
        raise UsageError(f"--sign {key}: there is no such key; create one with ssh-keygen -t ed25519 -f {key}")
    signature = path.with_name(path.name + SUFFIX)
    # ssh-keygen asks before it replaces a signature, and nobody may be there to answer.
    signature.unlink(missing_ok=True)
    result = _ssh_keygen("sign", "-f", str(key), "-n", NAMESPACE, str(path))
    if result.returncode or not signature.is_file():
        raise S3HarnessError(f"{path} could not be signed with {key}: {_last_line(result.stderr)}")
    return signature


def is_signed(path: Path, allowed_signers: Path) -> bool:
    """Return whether a file has a valid signature beside it, by a key of an ``allowed_signers`` file (ssh-keygen(1)).

    Raises :class:`S3HarnessError` if ssh-keygen is missing.
    """
    signature = path.with_name(path.name + SUFFIX)
    if any(not file.is_file() or file.is_symlink() for file in (path, signature)):
        return False
    files = ("-f", str(allowed_signers), "-s", str(signature))
    # find-principals names candidates only; "verify" checks the signature, its purpose and the key's own limits.
    signers = _ssh_keygen("find-principals", *files).stdout.decode(errors="replace").splitlines()
    data = path.read_bytes()
    return any(
        _ssh_keygen("verify", *files, "-n", NAMESPACE, "-I", signer, data=data).returncode == 0 for signer in signers
    )


def _ssh_keygen(action: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise S3HarnessError(
            "verdicts are signed by ssh-keygen, which is not on the PATH: install OpenSSH 8.2 or later "
            "(Debian: apt-get install openssh-client), or build with --data DIR, which needs no signatures"
        )
    command = [program, "-Y", action, *arguments]
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise S3HarnessError(f"ssh-keygen -Y {action} did not finish within {_TIMEOUT_S:.0f} s") from error


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "ssh-keygen gave no reason"
