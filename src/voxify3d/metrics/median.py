"""Median downsampling as a baseline: voxelize finely, one color for each block."""

import numpy as np
from scipy.spatial import KDTree

from voxify3d.color.match import nearest
from voxify3d.color.palette import extract_palette
from voxify3d.color.spaces import bytes_from_oklab, oklab_from_bytes, oklab_from_srgb
from voxify3d.metrics.points import surface_points
from voxify3d.metrics.solid import inside
from voxify3d.types import Frame, Mesh, Palette, VoxelGrid

FINE = 4
"""Fine cells along the edge of a voxel."""


def median(mesh: Mesh, frame: Frame, colors: int, seed: int = 0) -> VoxelGrid:
    """Voxelize four times finer and give each block its median color.

    A block is filled when at least half of its fine cells are. Its color is the median
    of its surface points, channel by channel in OKLab, then the nearest of a K-means
    palette. Thinner things vanish, unless that leaves nothing.

    Args:
        mesh: The input.
        frame: The grid to fill.
        colors: Palette entries.
        seed: Of the surface points and the palette's search.
    """
    shape = tuple(FINE * side for side in frame.shape)
    fine = Frame(
        frame.origin,
        frame.cell / FINE,
        shape,  # type: ignore[arg-type]
        frame.front,
        frame.up,
    )
    points, rgb = surface_points(mesh, seed)
    at = np.clip(np.floor(fine.grid_from_world(points)).astype(np.int64), 0, None)
    at = np.minimum(at, np.array(shape) - 1)
    touched = np.zeros(shape, bool)
    touched[tuple(at.T)] = True
    occupied = _blocks(inside(mesh, fine) | touched) >= FINE**3 / 2
    if not occupied.any():
        occupied = _blocks(touched) > 0
    lab = oklab_from_srgb(rgb.astype(np.float64))
    block = at // FINE
    centers = np.argwhere(occupied)
    owner = np.full(frame.shape, -1, np.int64)
    owner[tuple(centers.T)] = np.arange(len(centers))
    number = owner[tuple(block.T)]
    color = _medians(lab[number >= 0], number[number >= 0], len(centers))
    empty = np.isnan(color[:, 0])
    if empty.any():  # inside, where there is no surface
        _, closest = KDTree(centers[~empty]).query(centers[empty])
        color[empty] = color[~empty][closest]
    entries = bytes_from_oklab(
        extract_palette(color, np.ones(len(color)), colors, seed=seed)
    )
    index = np.zeros(frame.shape, np.uint8)
    index[occupied] = 1 + nearest(color, oklab_from_bytes(entries))[0]
    return VoxelGrid(index, Palette(entries), frame, f"{mesh.name}-median")


def _medians(lab: np.ndarray, number: np.ndarray, count: int) -> np.ndarray:
    """Return the median color of each number's points; NaN where there are none."""
    result = np.full((count, 3), np.nan)
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(count + 1))
    for channel in range(3):
        by_value = np.lexsort((lab[:, channel], number))
        middle = (ends[:-1] + ends[1:] - 1) // 2
        some = ends[1:] > ends[:-1]
        result[some, channel] = lab[by_value[middle[some]], channel]
    return result


def _blocks(fine: np.ndarray) -> np.ndarray:
    """Return how many fine cells of each block are set."""
    x, y, z = (side // FINE for side in fine.shape)
    return fine.reshape(x, FINE, y, FINE, z, FINE).sum(axis=(1, 3, 5), dtype=np.int64)
