"""The phase of the grid: where cells lie on the mesh, half a voxel to and fro.

A leg on the border of two cells becomes a zigzag, two eyes beside it one bar. Of a few
grids that hold the mesh in their middle, that one is taken whose result looks most like
the mesh. What counts is what the six views show at last: two pictures of pixel art may
want what no voxels can show.

Naming used in this file: a *misfit* is how unlike the mesh a result is, OKLab distance
times cells; sample by sample, which sees where borders run, and cell by cell, as from
afar.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.pixelize import PixelArt
from voxify3d.pixelart.samples import sample_image
from voxify3d.pixelart.statistics import contrast
from voxify3d.render.eye import first_occupied, from_eye
from voxify3d.types import Render, View

WRONG = 0.3
"""What a sample or a cell costs that is on the wrong side of the silhouette, and the
most that a sample in a wrong color costs, OKLab."""
STRIKING = 0.1
"""Contrast (OKLab) of a sample that makes it count twice; twice that, three times, and
no more."""
BETTER = 0.02
"""Share by which both misfits of another grid must be less than those of the first."""
EYES = 0.3
"""How much more may be wrong in open eyes, in cells, than on the grid that suits them
best."""
_AROUND = 7
"""Cells along the square that a sample is compared with."""


def misfits(
    index: Int[np.ndarray, "x y z"], art: PixelArt, renders: Sequence[Render]
) -> tuple[float, float]:
    """Return how unlike the renders a result is: by samples, and by cells.

    A sample is compared with the color of its cell, and counts more if it stands out;
    of a cell, the mean color is. All count as much as their view does.

    Args:
        index: Palette entry of each voxel, -1 where it is empty.
        art: Whose palette and views these are.
        renders: The six views.
    """
    palette = oklab_from_bytes(art.palette.rgb)
    by_samples = by_cells = 0.0
    for picture, render in zip(art.pictures, renders, strict=True):
        shown = _shown(index, picture.view)
        by_samples += picture.weight * _of_samples(shown, palette, render)
        by_cells += picture.weight * _of_cells(shown, palette, render)
    return by_samples, by_cells


def _shown(index: Int[np.ndarray, "x y z"], view: View) -> Int[np.ndarray, "a b"]:
    """Return the palette entry that each cell of a view shows, -1 if none."""
    first = first_occupied(index >= 0, view)[..., None]
    columns = from_eye(index, view)
    last = columns.shape[2] - 1  # of an empty column, where nothing is either
    return np.take_along_axis(columns, np.minimum(first, last), axis=2)[..., 0]


def _of_samples(
    shown: Int[np.ndarray, "a b"], palette: Float[np.ndarray, "k 3"], render: Render
) -> float:
    hit = sample_image(render.hit)
    lab = sample_image(oklab_from_srgb(render.rgb)).astype(np.float32)
    side = len(hit) // len(shown)
    entry = shown.repeat(side, axis=0).repeat(side, axis=1)
    filled = entry >= 0
    stands_out = contrast(lab, hit, _AROUND * side) / STRIKING
    color = np.minimum(np.linalg.norm(lab - palette[entry], axis=-1), WRONG)
    color *= 1 + np.minimum(stands_out, 2)
    cost = np.where(filled & hit, color, WRONG * (filled ^ hit))
    return float(cost.sum()) / side**2


def _of_cells(
    shown: Int[np.ndarray, "a b"], palette: Float[np.ndarray, "k 3"], render: Render
) -> float:
    lab = oklab_from_srgb(render.rgb) * render.hit[..., None]
    mean = lab.sum(axis=2) / np.maximum(render.hit.sum(axis=-1), 1)[..., None]
    covered, filled = render.coverage >= 0.5, shown >= 0
    color = np.linalg.norm(mean - palette[shown], axis=-1)
    return float(np.where(covered & filled, color, WRONG * (covered ^ filled)).sum())


def best_phase(
    misfits: Sequence[tuple[float, float]], eyes: Sequence[float] | None = None
) -> int:
    """Return which grid to take; the first, unless another is better in both ways.

    Eyes come first: only grids are compared on which they are drawn about best.

    Args:
        misfits: Of each grid's result.
        eyes: What is wrong in the eyes on each, `PixelArt.eye_cost`.
    """
    wrong = np.zeros(len(misfits)) if eyes is None else np.array(eyes)
    allowed = np.flatnonzero(wrong <= wrong.min() + EYES)
    ratio = np.array(misfits) / np.maximum(misfits[allowed[0]], 1e-9)
    worse = ratio.max(axis=1)[allowed]
    best = int(worse.argmin())
    return int(allowed[best if worse[best] < 1 - BETTER else 0])
