"""Slow twins: loops written from the equations, with nothing of the fast code in them.

A view is walked cell by cell: `column_of` lists the voxels of one cell's column from
the eye inwards, and everything else is a loop over that list.
"""

import math

import numpy as np

from voxify3d.types import View


def column_of(view: View, shape: tuple[int, ...], a: int, b: int):
    """Return the voxels that cell [a, b] of a view looks down, from the eye."""
    axis = "xyz".index(view.toward[1])
    places = range(shape[axis])
    if view.toward[0] == "+":  # the eye is at the far end of the axis
        places = reversed(places)
    rest = [a, b]
    return [tuple([*rest[:axis], place, *rest[axis:]]) for place in places]


def cells_of(view: View, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many cells a view has along its two axes."""
    axis = "xyz".index(view.toward[1])
    a, b = [n for i, n in enumerate(shape) if i != axis]
    return a, b


def march(thickness, values, substeps: int):
    """March one ray: C = Σ T_k α_k c_k, α = 1 − exp(−σδ), T = Π (1 − α).

    Args:
        thickness: Optical thickness of each voxel from the eye.
        values: What each voxel shows; lists of numbers.
        substeps: Samples in each voxel.

    Returns:
        What the ray sees, and its accumulated opacity.
    """
    trans, opacity = 1.0, 0.0
    seen = [0.0] * len(values[0])
    for s, value in zip(thickness, values, strict=True):
        alpha = -math.expm1(-s / substeps)
        for _ in range(substeps):
            seen = [
                total + trans * alpha * v for total, v in zip(seen, value, strict=True)
            ]
            opacity += trans * alpha
            trans *= 1 - alpha
    return seen, opacity


def picture(thickness: np.ndarray, values: np.ndarray, view: View, substeps: int = 16):
    """March one ray a cell through a field `x y z` showing `x y z c`.

    Returns:
        Values `a b c`, opacity `a b` and depth `a b` (empty voxels before each voxel,
        weighted like a color).
    """
    a, b = cells_of(view, thickness.shape)
    shown = np.zeros((a, b, values.shape[-1]))
    opacity, depth = np.zeros((a, b)), np.zeros((a, b))
    for cell in np.ndindex(a, b):
        column = column_of(view, thickness.shape, *cell)
        seen, opacity[cell] = march(
            [float(thickness[ijk]) for ijk in column],
            [[*values[ijk].tolist(), k] for k, ijk in enumerate(column)],
            substeps,
        )
        shown[cell], depth[cell] = seen[:-1], seen[-1]
    return shown, opacity, depth


def first_in(occupied: np.ndarray, view: View, a: int, b: int) -> int:
    """Return how many empty voxels come before the first occupied one."""
    for d, ijk in enumerate(column_of(view, occupied.shape, a, b)):
        if occupied[ijk]:
            return d
    return occupied.shape["xyz".index(view.toward[1])]


def clipped(polygon, axis: int, plane: float, sign: int):
    """Keep the part of a convex polygon where sign · (p[axis] − plane) ≥ 0."""
    kept = []
    for here, ahead in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        d, e = sign * (here[axis] - plane), sign * (ahead[axis] - plane)
        if d >= 0:
            kept.append(here)
        if (d >= 0) != (e >= 0):
            kept.append(here + d / (d - e) * (ahead - here))
    return kept


def polygon_area(polygon) -> float:
    """Return the area of a flat polygon: half the length of Σ p × q."""
    total = np.zeros(3)
    for here, ahead in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        total += np.cross(here - polygon[0], ahead - polygon[0])
    return float(np.linalg.norm(total) / 2)


def area_per_voxel(triangles: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Cut every triangle (grid frame) by every voxel, one voxel at a time.

    The outermost voxels reach to infinity: nothing may get lost at the border.
    """
    area = np.zeros(shape)
    for triangle in triangles:
        for ijk in np.ndindex(*shape):
            polygon = list(triangle)
            for axis in range(3):
                if ijk[axis] > 0 and polygon:
                    polygon = clipped(polygon, axis, ijk[axis], 1)
                if ijk[axis] < shape[axis] - 1 and polygon:
                    polygon = clipped(polygon, axis, ijk[axis] + 1, -1)
            if len(polygon) > 2:
                area[ijk] += polygon_area(polygon)
    return area
