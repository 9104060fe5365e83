"""Entries of a palette that blend two colors, and what an artist would take instead.

`k` entries, `n` samples.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

from voxify3d.color.match import nearest
from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.samples import some_of
from voxify3d.pixelart.statistics import ALIKE, CellStatistics

HELD = 0.3
"""Share of a cell that must have about its median color, and of what an entry's cells
hold that must be about the entry: a palette takes no blends."""
COMMON = 0.25
"""Least number of samples of what may replace a blend, against what its cells hold
most."""
_NEEDED = ALIKE
"""Distance (OKLab) up to which a feature needs an entry."""
_COLORS = 2000
"""Cells of a view that decide; of more, every second or third will do."""
_GUESS = 400
"""Samples from which common colors are guessed."""
_CHOICES = 3
"""Common colors of which one replaces a blend."""


def without_blends(
    palette: Float64[np.ndarray, "k 3"],
    cells: list[CellStatistics],
    features: list[Feature],
    cost: Callable[[Float64[np.ndarray, "_ 3"]], float],
) -> Float64[np.ndarray, "j 3"]:
    """Return a palette, OKLab, without blends.

    The cells that a blend would serve hold hardly any of it, and more of another
    color. Of those that they hold most the one replaces it with which the palette costs
    least; if another entry is as good there, the blend goes. It stays where a feature
    would lose by that, and so do all if no cell is filled.

    Args:
        palette: What may hold blends.
        cells: The six views.
        features: Small things that stand out.
        cost: Of a palette.
    """
    used = [thinned(cell.filled) for cell in cells]
    if not any(few.any() for few in used):
        return palette
    samples, medians = _samples(cells, used)
    needed = np.array([feature.lab for feature in features]).reshape(-1, 3)
    replaced = np.zeros(len(palette), bool)
    while True:
        share, colors = _held(palette, samples, medians)
        for blend in np.argsort(share, kind="stable"):
            if share[blend] >= HELD:
                return palette
            choices = [] if replaced[blend] else colors[blend]
            changed = _replaced(palette, int(blend), choices)
            if changed and not _loses(needed, palette, best := min(changed, key=cost)):
                break
        else:
            return palette
        replaced[blend] = True
        if len(best) < len(palette):
            replaced = np.delete(replaced, blend)
        palette = best


def _held(
    palette: Float64[np.ndarray, "k 3"],
    samples: Float64[np.ndarray, "n 3"],
    medians: Float64[np.ndarray, "n 3"],
) -> tuple[Float64[np.ndarray, " k"], list[list[Float64[np.ndarray, " 3"]]]]:
    """Return how much of each entry its cells hold, and colors that they hold instead.

    The former against what they hold most.
    """
    own = nearest(medians, palette)[0]
    entry, away = nearest(samples, palette)
    alike = away < ALIKE
    held = np.zeros((len(palette), len(palette)))  # of the cells of each, by entry
    np.add.at(held, (own, entry), alike)
    share, colors = np.ones(len(palette)), []
    for i in range(len(palette)):
        common = _common(samples[~alike & (own == i)])
        most = max(held[i].max(), *(count for _, count in common), 1)
        share[i] = held[i, i] / most
        colors.append([color for color, count in common if count >= COMMON * most])
    return share, colors


def _replaced(
    palette: Float64[np.ndarray, "k 3"],
    blend: int,
    colors: list[Float64[np.ndarray, " 3"]],
) -> list[Float64[np.ndarray, "_ 3"]]:
    """Return palettes with one of some colors for a blend, or without it."""
    if not colors:
        return [np.delete(palette, blend, axis=0)] if len(palette) > 1 else []
    found = []
    for color in colors:
        changed = palette.copy()
        changed[blend] = color
        found.append(changed)
    return found


def _loses(
    needed: Float64[np.ndarray, "f 3"],
    before: Float64[np.ndarray, "k 3"],
    after: Float64[np.ndarray, "j 3"],
) -> bool:
    """Return whether a color that looks like an entry would look less like one."""
    if not len(needed):
        return False
    away, then = nearest(needed, before)[1], nearest(needed, after)[1]
    return bool(((away < _NEEDED) & (then > away)).any())


def thinned(used: Bool[np.ndarray, "a b"]) -> Bool[np.ndarray, "a b"]:
    """Return about `_COLORS` of a view's cells, evenly chosen."""
    at = np.argwhere(used)
    at = at[:: max(1, len(at) // _COLORS)]
    few = np.zeros_like(used)
    few[tuple(at.T)] = True
    return few


def _samples(
    cells: list[CellStatistics], used: list[Bool[np.ndarray, "_ _"]]
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Return some of the samples of cells, and of each the median of its cell."""
    pairs = list(zip(cells, used, strict=True))
    few = slice(None), some_of(cells[0].hit.shape[2])
    lab = np.concatenate([cell.lab[at][few] for cell, at in pairs])
    hit = np.concatenate([cell.hit[at][few] for cell, at in pairs])
    median = np.concatenate([cell.median[at] for cell, at in pairs])
    return lab[hit].astype(np.float64), median[np.nonzero(hit)[0]].astype(np.float64)


def _common(
    lab: Float64[np.ndarray, "n 3"],
) -> list[tuple[Float64[np.ndarray, " 3"], float]]:
    """Return the colors that most colors look like, and about how many do."""
    every = max(1, len(lab) // _GUESS)
    lab = lab[::every]
    found = []
    while len(lab) and len(found) < _CHOICES:
        alike = np.linalg.norm(lab[:, None] - lab, axis=-1) < ALIKE
        count = alike.sum(axis=1)
        color = lab[alike[count.argmax()]].mean(axis=0)
        found.append((color, float(every * count.max())))
        lab = lab[np.linalg.norm(lab - color, axis=1) >= 2 * ALIKE]
    return found
