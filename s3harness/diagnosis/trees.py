"""Decision trees as plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from s3harness.diagnosis.contract import Parameters
from s3harness.metrics.base import Array

LEAF = -1
WORDS = 0.5
"""Where a tree parts columns that are 0 or 1: it asks whether the sign is there."""


def trees_parameters(fitted: Sequence[Any], *, smoothed: bool = False) -> Parameters:
    """The nodes of fitted scikit-learn trees one after another; a child always comes after its parent.

    ``roots`` are the numbers of the first nodes. ``value`` is the share of ES among the training cases of a node,
    ``smoothed`` by one more case of each class (Laplace), without which a leaf of five cases would be certain.
    """
    trees = [estimator.tree_ for estimator in fitted]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
    shares = [tree.value[:, 0, 1] for tree in trees]
    if smoothed:
        counts = [tree.n_node_samples for tree in trees]
        shares = [(share * count + 1.0) / (count + 2.0) for share, count in zip(shares, counts, strict=True)]
    return {
        "roots": roots.tolist(),
        "feature": np.concatenate([tree.feature for tree in trees]).tolist(),
        "threshold": np.concatenate([tree.threshold for tree in trees]).tolist(),
        "left": _joined([tree.children_left for tree in trees], roots),
        "right": _joined([tree.children_right for tree in trees], roots),
        "value": np.concatenate(shares).tolist(),
    }


def trees_probability(parameters: Parameters, x: Array) -> Array:
    """The mean over the trees of the value of the leaf that a case falls into, (n, k) → (n,)."""
    feature, left, right = (np.asarray(parameters[key], dtype=np.int64) for key in ("feature", "left", "right"))
    threshold, value = (np.asarray(parameters[key], dtype=np.float64) for key in ("threshold", "value"))
    cases, nodes = np.arange(len(x))[:, None], np.tile(np.asarray(parameters["roots"], dtype=np.int64), (len(x), 1))
    single = x.astype(np.float32)  # as scikit-learn compares
    while (is_inner := left[nodes] != LEAF).any():
        is_low = single[cases, np.where(is_inner, feature[nodes], 0)] <= threshold[nodes]
        nodes = np.where(is_inner, np.where(is_low, left[nodes], right[nodes]), nodes)
    return np.asarray(value[nodes].mean(axis=1))


def check_trees(parameters: Parameters, columns: int) -> None:
    """Raise ``ValueError`` unless these are trees whose every path ends in a leaf."""
    arrays = [np.asarray(parameters[key], dtype=np.float64) for key in _KEYS]
    feature, threshold, left, right, value = arrays
    roots, own = np.asarray(parameters["roots"], dtype=np.float64), np.arange(len(value))
    if not len(roots) or any(array.shape != own.shape for array in arrays):
        raise ValueError("there is no tree, or its lists are not of one length")
    whole = np.concatenate([roots, feature, left, right])
    if not (np.isin(roots, own).all() and (whole == np.floor(whole)).all()):
        raise ValueError("a tree begins at no node, or a number of a node is not whole")
    is_inner = left != LEAF
    children = np.stack([left, right])[:, is_inner]
    if not (((children > own[is_inner]) & (children < len(own))).all() and (right[~is_inner] == LEAF).all()):
        raise ValueError("a node's children are not behind it")
    if not ((feature[is_inner] >= 0) & (feature[is_inner] < columns)).all():
        raise ValueError("a node asks for a column that is not there")
    if not (np.isfinite(threshold).all() and ((value >= 0) & (value <= 1)).all()):
        raise ValueError("a threshold or a share is no number in its range")


def tree_rules(tree: Parameters, columns: Sequence[str]) -> list[str]:
    """The first tree as rules, one line per leaf: ``if tonic and not eye_blinking: P(ES) 0.94``."""
    return [
        f"if {' and '.join(path) or 'anything'}: P(ES) {tree['value'][leaf]:.2f}"
        for leaf, path in _leaves(tree, columns)
    ]


_KEYS = ("feature", "threshold", "left", "right", "value")


def _leaves(
    tree: Parameters, columns: Sequence[str], node: int = 0, path: tuple[str, ...] = ()
) -> Iterator[tuple[int, tuple[str, ...]]]:
    if tree["left"][node] == LEAF:
        yield node, path
        return
    title, threshold = columns[tree["feature"][node]], tree["threshold"][node]
    is_plain = threshold == WORDS
    yes = title if is_plain else f"{title} > {threshold:.2f}"
    no = f"not {title}" if is_plain else f"{title} ≤ {threshold:.2f}"
    yield from _leaves(tree, columns, tree["right"][node], (*path, yes))
    yield from _leaves(tree, columns, tree["left"][node], (*path, no))


def _joined(children: Sequence[Any], roots: Any) -> list[int]:
    """Children numbered among the nodes of all trees."""
    moved = [np.where(own == LEAF, LEAF, own + root) for own, root in zip(children, roots, strict=True)]
    return [int(number) for number in np.concatenate(moved)]
