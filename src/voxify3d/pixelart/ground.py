"""What is around features, and what decides its colors.

Cells beside an eye that would make it another shape take the color of what is around
it, and no samples of an eye color a cell that it was not given.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from scipy import ndimage

from voxify3d.pixelart.apart import RUN_TOGETHER, is_dark_eye
from voxify3d.pixelart.feature import Feature, no_cells
from voxify3d.pixelart.frames import pane_of
from voxify3d.pixelart.lines import WELL_HELD
from voxify3d.pixelart.region import Region
from voxify3d.pixelart.regions import CONTRAST
from voxify3d.pixelart.samples import cell_counts
from voxify3d.pixelart.statistics import CellStatistics

GRAZED, GRAZED_BY_EYES = 0.6, 0.1
"""Share of a cell from which its ground decides where a feature only grazes it; where
that is a striking one, whose cells show its shape."""
ALIKE, HALF = 0.3, 0.5
"""Share of a cell from which hair may decide its color, and one of two eyes its; two
open ones together theirs: a gap between them may be thinner than a cell."""
_SQUARE = np.ones((3, 3), bool)


def rim_of(
    region: Region,
    cells: Int[np.ndarray, "n 2"],
    taken: Bool[np.ndarray, "a b"],
    cell: CellStatistics,
    *,
    is_one_of_two: bool,
    is_face_arc: bool,
) -> Int[np.ndarray, "r 2"]:
    """Return the cells beside an eye that would make it another shape.

    Those of hair, in which it would drown; what one of two large ones covers, but was
    not given for the sake of the other; and what an arc or a frame covers, but is whole
    without: a smile would be an open mouth.

    Args:
        region: The eye, the arc or the frame.
        cells: It was given.
        taken: Cells that any feature was given.
        cell: The view.
        is_one_of_two: Whether another has the same cells on the other side.
        is_face_arc: Whether it is a smile, or one of two smiling eyes.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    is_eye = is_one_of_two and cell.view.name == "front" and is_dark_eye(region, side)
    is_large = region.is_large(side)  # only eyes are
    is_line = is_face_arc or region.is_frame
    if not (region.is_crowded or is_eye or is_large or is_line):
        return no_cells()
    own = np.zeros_like(taken)
    own[tuple(cells.T)] = True
    near = ndimage.binary_dilation(own)
    if region.is_frame:
        near[tuple(pane_of(cells).T)] = False
    beside = np.argwhere(near & cell.filled & ~taken)
    at = tuple(beside.T)
    if (is_large or is_line) and not region.is_crowded:
        covered = cell_counts(region.points, side, taken.shape)[at] / side**2
        grounded = cell.hit[at].mean(axis=1) - covered >= GRAZED_BY_EYES
        return beside[(covered >= (WELL_HELD if is_line else HALF)) & grounded]
    most = CONTRAST if region.is_crowded else RUN_TOGETHER * region.contrast
    alike = np.linalg.norm(cell.lab[at] - region.lab, axis=-1) < most
    hits = np.maximum(cell.hit[at].sum(axis=1), 1)
    share = (alike & cell.hit[at]).sum(axis=1) / hits
    return beside[share >= ALIKE]


@dataclass(frozen=True, slots=True)
class Ground:
    """What features leave of a view.

    Attributes:
        samples: Hits that should decide the colors.
        around: Cells that a striking feature grazes and that no feature was given.
    """

    samples: Bool[np.ndarray, "a b s"]
    around: Bool[np.ndarray, "a b"]


def find_ground(features: list[Feature], number: int, cell: CellStatistics) -> Ground:
    """Return what should decide a view's colors where no feature is.

    Where a feature only grazes a cell that it was not given, its samples (and the
    blurred ones at its border) are left out, so that no halo of in-between colors
    grows around eyes.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    a, b = cell.filled.shape
    grazed = np.zeros((a * side, b * side), bool)
    given = np.zeros((a, b), bool)
    around = np.zeros((a, b), bool)
    for feature in features:
        if feature.view == number:
            grazed[tuple(feature.points.T)] = True
            given[tuple(feature.cells.T)] = True
            if feature.is_striking:
                around[tuple(feature.points.T // side)] = True
    around &= ~given
    grazed = ndimage.binary_dilation(grazed, _SQUARE, iterations=max(1, side // 6))
    cells = np.swapaxes(grazed.reshape(a, side, b, side), 1, 2).reshape(a, b, -1)
    ground = cell.hit & ~(cells & ~given[..., None])
    least = np.where(around, GRAZED_BY_EYES, GRAZED)
    enough = ground.sum(axis=-1) >= least * cell.hit.sum(axis=-1)
    enough &= ground.any(axis=-1)
    return Ground(np.where(enough[..., None], ground, cell.hit), around & enough)
