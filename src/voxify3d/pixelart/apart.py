"""Brows set apart from eyes: as dark, and under a cell away, they would hook on.

What catches the eye less moves away by a cell, on both sides of the face, or is left
out.
"""

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy import ndimage

from voxify3d.pixelart.region import Region

RUN_TOGETHER = 0.5
"""Distance of two colors, against an eye's contrast, up to which they run together."""
_ROUND = 1.6
"""How many times longer than wide an eye may be; brows are longer."""


def is_dark_eye(region: Region, side: int) -> bool:
    """Return whether a spot may be an eye that a brow would spoil."""
    extent = region.extent
    if extent is None or region.is_inner or region.is_large(side):
        return False
    is_dark = bool(region.lab[0] < region.ground[0])
    is_round = bool(extent.max() <= _ROUND * extent.min())
    return is_dark and is_round and region.is_striking


def beside_others(
    region: Region,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Bool[np.ndarray, "a b"]:
    """Return the cells where a large eye would hook on to another thing of its color.

    They hold it, or lie beside one that does. What touches the eye itself is none.

    Args:
        region: The eye.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
    """
    alike = np.linalg.norm(lab - region.lab, axis=-1) < RUN_TOGETHER * region.contrast
    things, count = ndimage.label(alike & hit, np.ones((3, 3)))
    is_other = np.bincount(things.ravel(), minlength=count + 1) >= side**2
    is_other[[0, *np.unique(things[tuple(region.points.T)])]] = False
    a, b = np.array(hit.shape) // side
    shape = a, side, b, side
    covered = is_other[things].reshape(shape).sum(axis=(1, 3))
    held = 2 * covered >= np.maximum(hit.reshape(shape).sum(axis=(1, 3)), 1)
    return np.asarray(ndimage.binary_dilation(held), bool)


def set_apart(
    regions: list[Region],
    cells: list[Int[np.ndarray, "_ 2"]],
    partner: dict[int, int],
    side: int,
    filled: Bool[np.ndarray, "a b"],
    across: int,
) -> tuple[list[Int[np.ndarray, "_ 2"]], list[Int[np.ndarray, "_ 2"]]]:
    """Return the cells of all regions, and for each those that it left.

    Args:
        regions: Of the front.
        cells: That they were given.
        partner: Left and right pairs.
        side: Samples along a cell.
        filled: Cells that can be colored.
        across: Which of the two cell axes is horizontal in the picture.
    """
    cells = list(cells)
    left = [np.zeros((0, 2), np.int64)] * len(cells)
    taken = np.full(filled.shape, -1)
    for i, own in enumerate(cells):
        taken[tuple(own.T)] = i
    eyes = [i for i in partner if is_dark_eye(regions[i], side)]
    for i in eyes:
        for j in range(len(regions)):
            is_fainter = regions[j].contrast < regions[i].contrast
            is_brow = j != partner[i] and (j not in eyes or is_fainter)
            if not (is_brow and _hooks_on(regions, cells, i, j, across)):
                continue
            step = np.zeros(2, np.int64)
            away = regions[j].center - regions[i].center
            step[1 - across] = np.sign(away[1 - across])
            both = [j, partner[j]] if j in partner else [j]
            for k, gone in zip(
                both, _move(both, step, cells, taken, filled), strict=True
            ):
                left[k] = np.concatenate([left[k], gone])
    for k, gone in enumerate(left):
        left[k] = gone[taken[tuple(gone.T)] < 0]
    return cells, left


def _move(
    numbers: list[int],
    step: Int[np.ndarray, " 2"],
    cells: list[Int[np.ndarray, "_ 2"]],
    taken: Int[np.ndarray, "a b"],
    filled: Bool[np.ndarray, "a b"],
) -> list[Int[np.ndarray, "_ 2"]]:
    """Move some regions to free cells, or take theirs away; return what they left.

    Args:
        numbers: Of the regions.
        step: How far.
        cells: Of all regions, changed in place.
        taken: Which region has each cell, -1 for none, changed in place.
        filled: Cells that can be colored.
    """
    here = [cells[k] for k in numbers]
    there = [own + step for own in here]
    fits = all(_is_free(own, taken, filled, numbers) for own in there)
    for k, own, new in zip(numbers, here, there, strict=True):
        taken[tuple(own.T)] = -1
        cells[k] = new if fits else own[:0]
    for k in numbers:
        taken[tuple(cells[k].T)] = k
    return here


def _hooks_on(
    regions: list[Region],
    cells: list[Int[np.ndarray, "_ 2"]],
    i: int,
    j: int,
    across: int,
) -> bool:
    """Return whether region j, above or below eye i, touches it and looks like it."""
    eye, other = regions[i], regions[j]
    if other.is_inner or not len(cells[i]) or not len(cells[j]):
        return False
    apart = np.abs(other.center - eye.center)
    is_alike = np.linalg.norm(other.lab - eye.lab) < RUN_TOGETHER * eye.contrast
    gaps = np.abs(cells[i][:, None] - cells[j][None]).sum(axis=-1)
    is_above = apart[1 - across] > apart[across]
    return bool(is_alike and is_above and gaps.min() == 1)


def _is_free(
    cells: Int[np.ndarray, "n 2"],
    taken: Int[np.ndarray, "a b"],
    filled: Bool[np.ndarray, "a b"],
    own: list[int],
) -> bool:
    """Return whether some regions may have cells: no other has them."""
    if not ((cells >= 0).all() and (cells < filled.shape).all()):
        return False
    at = tuple(cells.T)
    return bool(filled[at].all() and np.isin(taken[at], [-1, *own]).all())
