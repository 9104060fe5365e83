"""The phase of the grid: where cells lie on the mesh, half a voxel to and fro.

A leg on the border of two cells becomes a zigzag, two eyes beside it one bar. Of a few
grids that hold the mesh in their middle, that one is taken whose pixel art is most like
the renders, sample by sample.
"""

from collections.abc import Sequence

import numpy as np

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.pixelize import PixelArt
from voxify3d.pixelart.samples import sample_image
from voxify3d.pixelart.statistics import contrast
from voxify3d.types import Render

WRONG = 0.3
"""What a sample costs that lies on the wrong side of the silhouette, and the most that
one in a wrong color costs, OKLab."""
STRIKING = 0.1
"""Contrast (OKLab) of a sample that makes it count twice; twice that, three times, and
no more."""
BETTER = 0.02
"""Share by which another grid must cost less than the first one."""
_AROUND = 7
"""Cells along the square that a sample is compared with."""


def misfit(art: PixelArt, renders: Sequence[Render]) -> float:
    """Return how unlike the renders their pixel art is: OKLab distance times cells.

    Every sample is compared with the color of its cell. Samples that stand out count
    more, and all as much as their view does.

    Args:
        art: Of the renders.
        renders: The six views.
    """
    palette = oklab_from_bytes(art.palette.rgb)
    total = 0.0
    for picture, render in zip(art.pictures, renders, strict=True):
        hit = sample_image(render.hit)
        lab = sample_image(oklab_from_srgb(render.rgb)).astype(np.float32)
        side = len(hit) // len(picture.index)
        index = picture.index.repeat(side, axis=0).repeat(side, axis=1)
        filled = index >= 0
        stands_out = contrast(lab, hit, _AROUND * side) / STRIKING
        color = np.linalg.norm(lab - palette[index], axis=-1)
        color = np.minimum(color, WRONG) * (1 + np.minimum(stands_out, 2))
        cost = np.where(filled & hit, color, WRONG * (filled ^ hit))
        total += picture.weight * float(cost.sum()) / side**2
    return total


def best_phase(misfits: Sequence[float]) -> int:
    """Return which grid to take; the first, unless another is clearly better."""
    best = int(np.argmin(misfits))
    return best if misfits[best] < (1 - BETTER) * misfits[0] else 0
