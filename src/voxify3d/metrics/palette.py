"""How many colors a result shows, and how evenly it uses them."""

import numpy as np
from jaxtyping import Int

from voxify3d.metrics.cells import CellView


def color_counts(views: tuple[CellView, ...]) -> Int[np.ndarray, " n"]:
    """Return how many samples each color has that any view shows, most first.

    Colors are told apart by their sRGB bytes.
    """
    seen = np.concatenate([view.render.rgb[view.render.hit] for view in views])
    rgb = np.rint(seen * 255).astype(np.int64)
    _, count = np.unique(rgb @ [1 << 16, 1 << 8, 1], return_counts=True)
    return -np.sort(-count)


def entropy(count: Int[np.ndarray, " n"]) -> float:
    """Return the Shannon entropy of color counts, bits; log2(n) when used alike."""
    share = count / max(count.sum(), 1)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum()) + 0.0
