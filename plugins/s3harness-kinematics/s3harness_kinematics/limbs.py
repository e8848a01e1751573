"""Movement and posture of each part of the body, and the symmetry of its two sides."""

from __future__ import annotations

import numpy as np

from s3harness_kinematics.grid import Array, Grid, Mask

OPENING_S = 2.0
"""Posture is the difference from the median of the clip's beginning: a clip of a change most often begins before it."""

ZONES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "reach": ((-0.15, 0.42), (0.19, 0.62)),
    "chest": ((0.12, 0.42), (0.0, 0.19)),
    "shoulder": ((-0.15, 0.12), (0.11, 0.3)),
    "leg": ((0.42, 1.0), (0.0, 0.5)),
}
"""Name → rows below and columns beside the middle of the head, in shares of the picture's height: an arm that is
stretched out, one that is bent before the chest, one that is raised, and the legs. Each is there on both sides."""

SIDES = ("left", "right")


def zone_masks(shape: tuple[int, int], head: tuple[float, float]) -> dict[str, Mask]:
    """Return the cells (rows × columns) of each zone and side (``reach_left`` …), of the ``head`` and the ``body``."""
    rows, columns = shape
    y = ((np.arange(rows) + 0.5) / rows - head[1])[:, None]
    x = ((np.arange(columns) + 0.5) / rows - head[0])[None, :]
    masks = {
        f"{name}_{side}": _box(y, x if side == "left" else -x, *box) for name, box in ZONES.items() for side in SIDES
    }
    is_head = (np.abs(y) < 0.13) & (np.abs(x) < 0.11)
    return masks | {"head": is_head, "body": np.broadcast_to(np.abs(x) < 0.62, shape)}


def measure_limbs(cells: Grid, changes: Grid, masks: dict[str, Mask], times: Array) -> dict[str, Array]:
    """Return tracks by name, each with one value a frame.

    ``moves_<zone>`` is the share of the zone's cells that moved since the frame before, ``posture_<zone>`` the mean
    difference (grey levels) of the zone from the clip's beginning. ``mirrored`` is the share of the movement that both
    sides have in common when one is mirrored (0–1), ``lean`` the balance of movement, positive to the patient's left.
    """
    opening = np.median(cells[times <= times[0] + OPENING_S], axis=0)
    away = np.abs(cells - opening)
    tracks = {f"moves_{name}": _mean(changes, mask) for name, mask in masks.items()}
    return tracks | {f"posture_{name}": _mean(away, mask) for name, mask in masks.items()} | _symmetry(changes, masks)


def _symmetry(changes: Grid, masks: dict[str, Mask]) -> dict[str, Array]:
    """Tracks of what the halves of the body have in common when one is mirrored onto the other."""
    columns = np.flatnonzero(masks["head"].any(0))
    middle = round(float(columns.mean()) + 0.5) if len(columns) else changes.shape[2] // 2
    width = max(1, min(middle, changes.shape[2] - middle))
    right, left = changes[:, :, middle - width : middle][:, :, ::-1], changes[:, :, middle : middle + width]
    if left.shape != right.shape:  # the head is at the edge of the picture, and one half outside of it
        return {"mirrored": np.zeros(len(changes)), "lean": np.zeros(len(changes))}
    # One cell more: a frame without any movement is then no division by zero, and no symmetry.
    in_one = np.maximum(left, right).sum((1, 2), dtype=np.float64) + 1.0
    in_both = np.minimum(left, right).sum((1, 2), dtype=np.float64)
    return {
        "mirrored": in_both / in_one,
        "lean": (left.sum((1, 2), dtype=np.float64) - right.sum((1, 2), dtype=np.float64)) / in_one,
    }


def _box(y: Array, x: Array, rows: tuple[float, float], columns: tuple[float, float]) -> Mask:
    return np.asarray((y >= rows[0]) & (y < rows[1]) & (x >= columns[0]) & (x < columns[1]))


def _mean(values: Grid, mask: Mask) -> Array:
    """Mean over the cells of a zone, for each frame; 0 if the zone is outside of the picture."""
    return np.asarray(values[:, mask].mean(1, dtype=np.float64)) if mask.any() else np.zeros(len(values))
