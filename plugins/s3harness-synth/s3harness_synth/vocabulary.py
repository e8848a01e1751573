"""The vocabulary of the scripts: the twenty ictal signs and their sides."""

from __future__ import annotations

from typing import Literal, cast, overload

from s3harness import Side, vocabulary

BodySide = Literal["left", "right"]

FEATURES: tuple[str, ...] = vocabulary().names
"""In the order in which the benchmark asks for them."""

ARM_MOVEMENT = "arm_movement"
"""The sign whose side is asked for without a question of its own."""

SIDED: frozenset[str] = frozenset(
    {
        "head_turning",
        "face_pulling",
        "face_twitching",
        "clonic",
        "tonic",
        "arm_straightening",
        "arm_flexion",
        "figure4",
        "limb_automatisms",
    }
)
"""Signs that have a side, ``both`` included."""

ARM_SIGNS: frozenset[str] = frozenset(
    {
        "clonic",
        "arm_straightening",
        "arm_flexion",
        "figure4",
        "limb_automatisms",
        "asynchronous_movement",
        "full_body_shaking",
        "arms_move_simultaneously",
    }
)
"""Signs that move at least one arm."""

SIDES: tuple[BodySide, BodySide] = ("left", "right")


_OTHER = {"left": "right", "right": "left", "both": "both"}


@overload
def opposite(side: BodySide) -> BodySide: ...
@overload
def opposite(side: Side) -> Side: ...
def opposite(side: Side) -> Side:
    """Return the other side; ``both`` stays ``both``."""
    return cast(Side, _OTHER[side])


def body_sides(side: Side | None) -> tuple[BodySide, ...]:
    """Return the single sides that ``side`` stands for; both of them for ``None``."""
    return (side,) if side in ("left", "right") else SIDES


def direction(side: Side | None) -> int:
    """Return +1 for the patient's left, −1 for the right, 0 for both or none."""
    return {"left": 1, "right": -1}.get(side or "", 0)
