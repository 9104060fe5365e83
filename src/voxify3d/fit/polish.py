"""The last stage: exact, discrete, on what will be exported."""

import numpy as np
from jaxtyping import Bool, Int

from voxify3d.fit.coarse import Occupancy, drop_loose_parts
from voxify3d.fit.colors import color_candidates, color_surface, color_voxels
from voxify3d.fit.level import level_eyes
from voxify3d.fit.occupancy import FACE_COST, adopt, grow_occupancy, polish_occupancy
from voxify3d.fit.thin import agreement, reconnect
from voxify3d.fit.weld import joints
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.pixelize import PixelArt


def polish(
    occupied: Bool[np.ndarray, "x y z"],
    occupancy: Occupancy,
    art: PixelArt,
    coverage: Coverage,
    *,
    smoothness: float = 1.0,
    min_part: int = 2,
) -> Int[np.ndarray, "x y z"]:
    """Return the palette entry of every voxel of the result, -1 where it is empty.

    Of the stage before, each part that lowers the cost is adopted. Colors are the
    closed-form optimum on the occupancy; then voxels are flipped as long as that lowers
    the cost of what the six views see, color included. A second round counts faces too,
    so that flat tops lose their lone cubes. Last, eyes that rounding has hidden from
    aside are laid bare.

    Args:
        occupied: Of the stage before.
        occupancy: Of the first stage: costs, and what may change.
        art: What the six views should show.
        coverage: The surface's own color in each voxel.
        smoothness: Flatness of color areas.
        min_part: Loose parts of at most this many voxels are dropped.
    """

    def entries(occupied: Bool[np.ndarray, "x y z"]) -> Int[np.ndarray, "x y z"]:
        """Return the entry of every voxel that is or may become occupied."""
        index = color_surface(occupied, art, coverage, smoothness)
        return color_candidates(index, occupied, occupancy.free, tables)

    tables, mirror = occupancy.tables, art.mirror
    if (occupied != occupancy.occupied).any():
        start = occupancy.occupied
        occupied = adopt(start, occupied, tables, entries(start), mirror, FACE_COST)
    for face_cost in (0.0, FACE_COST):
        occupied = polish_occupancy(
            occupied, tables, occupancy.free, entries(occupied), mirror, face_cost
        )
    locked, touched = occupancy.locked, coverage.touched
    occupied = drop_loose_parts(occupied, locked, touched, min_part)
    # what the fit tore or wore away of limbs comes back, and nothing floats
    agree = agreement(art, occupied.shape)
    bridges = reconnect(occupied, coverage.touched, coverage.area, agree)
    if mirror is not None:
        bridges = mirror.joined(bridges) & coverage.near
    occupied = occupied | bridges
    room = occupancy.free & occupancy.solid
    welds = joints(occupied, room, tables)
    if mirror is not None:
        welds = mirror.joined(welds) & occupancy.free
    occupied = occupied | welds
    occupied = grow_occupancy(
        occupied, tables, room, entries(occupied), mirror, FACE_COST
    )
    occupied = level_eyes(occupied, tables, occupancy.free, art)
    return color_voxels(occupied, art, coverage, smoothness)
