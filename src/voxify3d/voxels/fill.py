"""What is kept inside a result: all of it, a shell, or the surface."""

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage

from voxify3d.voxels.settings import FillConfig

_FACES = ndimage.generate_binary_structure(3, 1)
_CORNERS = np.ones((3, 3, 3), bool)


def apply_fill(
    index: UInt8[np.ndarray, "x y z"], config: FillConfig
) -> UInt8[np.ndarray, "x y z"]:
    """Return a result without the part of its inside that is not wanted.

    What can be seen from outside stays the same. Closed hollows count as inside.

    Args:
        index: 0 where empty, else a color.
        config: What to keep.
    """
    if config.kind == "solid":
        return index
    occupied = index > 0
    if config.kind == "surface":
        keep = _reached(occupied, 1, _FACES)
    else:
        keep = _reached(occupied, config.thickness, _CORNERS)
    return np.where(keep, index, np.uint8(0))


def outside_air(
    occupied: Bool[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x+2 y+2 z+2"]:
    """Return the empty cells, in a grid one cell wider on all sides, that are outside.

    Air goes through the faces of cells.
    """
    padded = np.pad(occupied, 1)
    label = np.zeros(padded.shape, np.int32)
    ndimage.label(~padded, _FACES, output=label)
    return label == label[0, 0, 0]


def _reached(
    occupied: Bool[np.ndarray, "x y z"],
    steps: int,
    neighbors: Bool[np.ndarray, "3 3 3"],
) -> Bool[np.ndarray, "x y z"]:
    """Return the cells within some steps of the air outside."""
    near = ndimage.binary_dilation(outside_air(occupied), neighbors, iterations=steps)
    return near[1:-1, 1:-1, 1:-1]
