"""The phase of the grid: where cells lie on the mesh, half a voxel to and fro.

A leg on the border of two cells becomes a zigzag, two eyes beside it one bar. Of a few
grids that hold the mesh in their middle, that one is taken whose pixel art is most like
the renders, sample by sample.
"""

from collections.abc import Sequence

import numpy as np

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.pixelize import PixelArt
from voxify3d.types import Render

WRONG = 0.3
"""What a sample costs that lies on the wrong side of the silhouette, and the most that
one in a wrong color costs, OKLab."""
BETTER = 0.02
"""Share by which another grid must cost less than the first one."""


def misfit(art: PixelArt, renders: Sequence[Render]) -> float:
    """Return how unlike the renders their pixel art is: OKLab distance times cells.

    Every sample is compared with the color of its cell, and counts as much as the cell
    does for the palette entry: the front and what stands out more.

    Args:
        art: Of the renders.
        renders: The six views.
    """
    palette = oklab_from_bytes(art.palette.rgb)
    total = 0.0
    for picture, render in zip(art.pictures, renders, strict=True):
        filled = picture.filled[..., None]
        lab = oklab_from_srgb(render.rgb)
        apart = np.linalg.norm(lab - palette[picture.index][:, :, None], axis=-1)
        color = (np.minimum(apart, WRONG) * (render.hit & filled)).mean(axis=-1)
        outline = (render.hit ^ filled).mean(axis=-1)
        total += float((picture.emphasis * color).sum())
        total += WRONG * picture.weight * float(outline.sum())
    return total


def best_phase(misfits: Sequence[float]) -> int:
    """Return which grid to take; the first, unless another is clearly better."""
    best = int(np.argmin(misfits))
    return best if misfits[best] < (1 - BETTER) * misfits[0] else 0
