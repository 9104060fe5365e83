"""K-means of weighted colors, and the steps that it is made of.

Naming used in this file: `u` unique colors with their `weight`, `k` palette entries.
"""

import numpy as np
from jaxtyping import Float64, Int

from voxify3d.color.match import nearest

_STARTS = 4
"""Runs; 1, 4 or 20 differ by 0.013 (OKLab × 100) at 8 colors."""
_LLOYD_STEPS = 60


def kmeans(
    colors: Float64[np.ndarray, "u 3"],
    weight: Float64[np.ndarray, " u"],
    k: int,
    generator: np.random.Generator,
) -> Float64[np.ndarray, "k 3"]:
    """Return the best of a few weighted K-means runs: favors dominant tones.

    Args:
        colors: At least `k` distinct ones, OKLab.
        weight: How much each counts, above 0.
        k: Entries.
        generator: Of the starts.

    Reference:
        Lloyd (1982); starts by k-means++ (Arthur and Vassilvitskii 2007).
    """
    runs = []
    for _ in range(_STARTS):
        start = spread_start(colors, weight, k, generator)
        palette = lloyd(colors, weight, start)
        distance = nearest(colors, palette)[1]
        runs.append((float(weight @ distance**2), palette))
    return min(runs, key=lambda run: run[0])[1]


def spread_start(
    colors: Float64[np.ndarray, "u 3"],
    weight: Float64[np.ndarray, " u"],
    k: int,
    generator: np.random.Generator,
) -> Float64[np.ndarray, "k 3"]:
    """Return `k` distinct colors drawn by weight · squared distance (k-means++).

    Args:
        colors: At least `k` distinct ones, OKLab.
        weight: How much each counts, above 0.
        k: Colors.
        generator: Draws them.
    """
    chosen = [int(generator.choice(len(colors), p=weight / weight.sum()))]
    gap = np.full(len(colors), np.inf)
    while len(chosen) < k:
        newest = ((colors - colors[chosen[-1]]) ** 2).sum(axis=1)
        gap = np.minimum(gap, newest)
        odds = weight * gap
        chosen.append(int(generator.choice(len(colors), p=odds / odds.sum())))
    return colors[chosen]


def lloyd(
    colors: Float64[np.ndarray, "u 3"],
    weight: Float64[np.ndarray, " u"],
    palette: Float64[np.ndarray, "k 3"],
    fixed: int = 0,
) -> Float64[np.ndarray, "k 3"]:
    """Move all but the last `fixed` entries to their colors' means until they rest.

    Args:
        colors: OKLab.
        weight: How much each counts.
        palette: Where to start, OKLab.
        fixed: Entries at its end that stay.
    """
    free = len(palette) - fixed
    before = np.full(len(colors), -1)
    for _ in range(_LLOYD_STEPS):
        index, distance = nearest(colors, palette)
        if np.array_equal(index, before):
            break
        before = index
        moved = means(colors, weight, index, distance, palette)
        palette = np.vstack([moved[:free], palette[free:]])
    return palette


def means(
    colors: Float64[np.ndarray, "u 3"],
    weight: Float64[np.ndarray, " u"],
    index: Int[np.ndarray, " u"],
    distance: Float64[np.ndarray, " u"],
    palette: Float64[np.ndarray, "k 3"],
) -> Float64[np.ndarray, "k 3"]:
    """Return each entry's mean; entries without colors go where the error is.

    Args:
        colors: OKLab.
        weight: How much each counts.
        index: The entry of each.
        distance: Of each to its entry.
        palette: The entries, OKLab.
    """
    k = len(palette)
    total = np.bincount(index, weight, minlength=k)
    sums = [np.bincount(index, weight * colors[:, c], minlength=k) for c in range(3)]
    idle = total == 0
    moved = np.stack(sums, axis=1) / np.where(idle, 1, total)[:, None]
    worst = np.argsort(-weight * distance**2, kind="stable")[: idle.sum()]
    moved[idle] = colors[worst]
    return moved
