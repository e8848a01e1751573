"""Model cards that the user has saved, in the configuration folder of this account."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3harness.errors import UsageError
from s3harness.files import write_text

if TYPE_CHECKING:
    from s3harness.specs.model_card import ModelCard

SCHEMA = "s3harness/model/v1"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def config_directory() -> Path:
    """``$S3HARNESS_CONFIG``, else ``s3harness`` in the user's configuration (``$XDG_CONFIG_HOME`` or ``~/.config``)."""
    if own := os.environ.get("S3HARNESS_CONFIG"):
        return Path(own).expanduser()
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    # The XDG base directory specification has relative paths ignored.
    return (base if base.is_absolute() else Path.home() / ".config") / "s3harness"


def user_card_names() -> list[str]:
    """Return the names of the saved cards, in alphabetical order."""
    return sorted(path.stem for path in (config_directory() / "models").glob("*.yaml") if _NAME.fullmatch(path.stem))


def user_card_path(name: str) -> Path | None:
    """Return the file of a saved card, ``None`` if there is none of this name."""
    # The name comes from a command line: it must not lead out of the folder.
    path = config_directory() / "models" / f"{name}.yaml"
    return path if _NAME.fullmatch(name) and path.is_file() else None


def check_name(name: str) -> None:
    """Raise :class:`UsageError` unless a card may have this name."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a model card: small letters, digits and ._- alone, at most 100 of them"
        )


def save_card(card: ModelCard) -> Path:
    """Write a card to the user's folder, readable by its owner alone, and return its path."""
    import yaml

    check_name(card.name)
    path = config_directory() / "models" / f"{card.name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = yaml.safe_dump({"schema": SCHEMA} | written_card(card), sort_keys=False, allow_unicode=True, width=100)
    write_text(path, text, is_private=True)
    return path


def written_card(card: ModelCard) -> dict[str, Any]:
    """Return the fields of a card as they stand in its file: lists for tuples, and none that is empty."""
    required = ("weights", "modalities")
    values = {each.name: getattr(card, each.name) for each in fields(card) if each.name != "weights_id"}
    written = {name: _plain(value) for name, value in values.items() if name in required or value not in (*_EMPTY, {})}
    # A card's weights are a name on the hub; a directory has a field of its own.
    return written | ({"weights": None, "directory": card.weights} if card.weights_id else {})


_EMPTY = (None, "", (), (None, None))


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(part) for name, part in asdict(value).items() if part not in _EMPTY}
    return list(value) if isinstance(value, tuple) else value
