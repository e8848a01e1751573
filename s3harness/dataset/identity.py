"""Opaque ids: a keyed hash of what the source calls a video or a patient.

An id depends on the source's own name and on the data set's secret, on nothing else: a corrected table, a longer one
and another annotator's give the same video the same id, and nobody without the secret can try names until one fits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from s3harness.errors import DatasetError, UsageError

SECRET = Path("private") / "secret"
"""The file of the secret, in the data set directory."""
ID_DIGITS = 12
"""Hexadecimal digits of an id: among 50,000 videos two share one with a probability of 5 in a million."""

_LIKE_NO_NUMBER = re.compile(rf"(?![0-9a-f]{{0,{ID_DIGITS - 5}}}\d{{5}})[0-9a-f]{{{ID_DIGITS}}}")
"""No five decimal digits in a row: an id is never taken for a date or a number of a patient by who looks for these."""
_SECRET_FORM = re.compile(r"[0-9a-f]{64}")


def new_secret() -> str:
    """Return a secret of 256 random bits, in hexadecimal."""
    return secrets.token_hex(32)


def read_secret(directory: Path) -> str:
    """Return the secret of a data set directory; :class:`UsageError` if it has none that this user may read."""
    path = directory / SECRET
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        remedy = "name a data set that was imported by this version from a table, or import without one"
        raise UsageError(f"{directory} has no {SECRET}, without which the same ids cannot be made; {remedy}") from error
    # A truncated secret would silently give every video another id.
    if not _SECRET_FORM.fullmatch(secret):
        raise UsageError(f"{path} is damaged: it should hold 64 hexadecimal digits")
    return secret


def source_key(name: str) -> str:
    """Return a source's name such that two tables spell it alike: composed letters, no blanks around it."""
    # macOS writes file names in decomposed letters, tables are mostly composed.
    return unicodedata.normalize("NFC", name).strip()


def opaque_ids(letter: str, names: Iterable[str], secret: str) -> dict[str, str]:
    """Return name → id: a letter, and digits of the HMAC-SHA256 of the name under the secret.

    :class:`DatasetError` if two names get the same id.
    """
    # The letter is hashed too, so that a patient and a video of the same name have unrelated ids.
    ids = {name: letter + _digits(f"{letter}/{source_key(name)}", secret) for name in names}
    # Two spellings of one name share an id on purpose; two names never may.
    if len(set(ids.values())) < len({source_key(name) for name in ids}):
        raise DatasetError("two names of the table get the same id; import it again, with another secret")
    return ids


def _digits(text: str, secret: str) -> str:
    """Return the first run of hexadecimal digits that looks like no number."""
    digest = hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()
    match = _LIKE_NO_NUMBER.search(digest)
    # About one digest in 40,000 has no such run: hash again rather than fail.
    return match[0] if match else _digits(digest, secret)
