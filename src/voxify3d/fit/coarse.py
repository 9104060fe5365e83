"""Stage one by `surface`: exact coverage, inside filled, seen by the six views.

Three sets of voxels are kept apart: `solid` holds the surface and what it encloses
(one voxel too fat everywhere), `locked` must stay because a part thinner than a
voxel would tear or vanish without it, and `occupied` is the result.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.fit.occupancy import polish_occupancy
from voxify3d.fit.tables import ViewTable, color_table, cost_table
from voxify3d.fit.thin import agreed, agreement, middle_voxel, reconnect, sheet_voxels
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.pixelize import Picture, PixelArt
from voxify3d.render.eye import to_volume
from voxify3d.types import opposite, sign_of

NEIGHBORS_26 = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Where there is matter.

    Attributes:
        occupied: The voxels.
        locked: Voxels of thin parts: nothing later may remove them.
        free: Voxels that later stages may change.
        solid: The surface and all it encloses.
        tables: The views' costs that `occupied` is a local optimum of.
    """

    occupied: Bool[np.ndarray, "x y z"]
    locked: Bool[np.ndarray, "x y z"]
    free: Bool[np.ndarray, "x y z"]
    solid: Bool[np.ndarray, "x y z"]
    tables: list[ViewTable]


def coarse_occupancy(coverage: Coverage, art: PixelArt, min_part: int = 2) -> Occupancy:
    """Return the occupancy that the six views and the surface agree on.

    Args:
        coverage: The mesh's surface on the grid.
        art: Six pictures.
        min_part: Loose parts of at most this many voxels are dropped.
    """
    touched = coverage.touched
    if art.mirror is not None:
        # Six views do not see all: images of hidden voxels may lie in the air.
        touched = art.mirror.joined(touched) & coverage.near
    solid = fill_inside(touched)
    agree = agreement(art, solid.shape)
    locked = sheet_voxels(touched, art, agree) | fronts(rescued_cells(art), art, agree)
    if art.mirror is not None:
        locked = art.mirror.copied(locked) & coverage.near
    hull = np.ones_like(solid)
    for picture in art.pictures:
        hull &= np.expand_dims(picture.filled, picture.view.axis)
    start = solid & (hull | well_seen(art, solid.shape)) | locked
    free = ndimage.binary_dilation(touched, NEIGHBORS_26)
    tables = view_tables(art, solid.shape, locked)
    start |= fronts(empty_columns(start, art), art, agree)
    occupied = polish_occupancy(start, tables, free & ~locked, mirror=art.mirror)
    occupied = drop_loose_parts(occupied, locked, coverage.touched, min_part)
    bridges = reconnect(occupied, touched, coverage.area, agree)
    if bridges.any():
        if art.mirror is not None:
            bridges = art.mirror.joined(bridges) & coverage.near
        locked = locked | bridges
        tables = view_tables(art, solid.shape, locked)
        occupied = occupied | bridges
        occupied = polish_occupancy(occupied, tables, free & ~locked, mirror=art.mirror)
        occupied = drop_loose_parts(occupied, locked, coverage.touched, min_part)
    return Occupancy(occupied, locked, free & ~locked, solid, tables)


def occupancy_of_field(
    alpha: Float32[np.ndarray, "x y z"],
    rgb: Float32[np.ndarray, "x y z 3"],
    art: PixelArt,
    threshold: float = 0.5,
    min_part: int = 2,
) -> tuple[Occupancy, Coverage]:
    """Return the occupancy of a radiance field, and its surface as if exact.

    Args:
        alpha: Opacity of each voxel.
        rgb: sRGB of each voxel.
        art: Six pictures, whose costs the occupancy is polished on later.
        threshold: Opacity from which a voxel is matter.
        min_part: Loose parts of at most this many voxels are dropped.
    """
    none = np.zeros(alpha.shape, bool)
    dense = alpha >= threshold
    touched = drop_loose_parts(dense, none, dense, min_part)
    solid = fill_inside(touched)
    # What the field hides from all rays keeps the start's color: it is no surface.
    surface = touched & ~ndimage.binary_erosion(solid, NEIGHBORS_26, border_value=0)
    lab = oklab_from_srgb(rgb) * surface[..., None]
    coverage = Coverage(area=surface.astype(np.float64), lab=lab.astype(np.float32))
    free = ndimage.binary_dilation(touched, NEIGHBORS_26)
    tables = view_tables(art, alpha.shape, none)
    return Occupancy(solid, none, free, solid, tables), coverage


def fill_inside(touched: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """Return the surface and everything that it hides.

    Inside is what air cannot reach from outside through faces, and, so that open
    meshes do not stay hollow, what no axis ray reaches from any of the six sides.
    """
    solid = ndimage.binary_fill_holes(touched)
    hidden = np.ones_like(touched)
    for axis in range(3):
        before = np.maximum.accumulate(touched, axis=axis)
        behind = np.flip(np.maximum.accumulate(np.flip(touched, axis), axis=axis), axis)
        hidden &= before & behind
    return solid | hidden


def _surface_voxels(picture: Picture, length: int) -> Int[np.ndarray, "a b s"]:
    """Return the voxel of each sample as its distance from the eye; -1 for none."""
    depth = np.where(np.isfinite(picture.depths), picture.depths, -1)
    # A sample on the border of two voxels belongs to the farther one.
    return np.minimum(np.floor(depth + 1e-3).astype(np.int64), length - 1)


def well_seen(art: PixelArt, shape: tuple[int, ...]) -> Bool[np.ndarray, "x y z"]:
    """Return voxels whose surface fills at least half a cell of some view."""
    seen = np.zeros(shape, bool)
    for picture in art.pictures:
        length = shape[picture.view.axis]
        voxel = _surface_voxels(picture, length)
        a, b, s = voxel.shape
        key = np.arange(a * b).reshape(a, b, 1) * length + voxel
        count = np.bincount(key[voxel >= 0], minlength=a * b * length)
        half = (count >= s / 2).reshape(a, b, length)
        seen |= to_volume(half, picture.view)
    return seen


def rescued_cells(art: PixelArt) -> list[Bool[np.ndarray, "_ _"]]:
    """Return the cells of each view that are filled for the sake of a thin part."""
    return [picture.rescued for picture in art.pictures]


def empty_columns(
    occupied: Bool[np.ndarray, "x y z"], art: PixelArt
) -> list[Bool[np.ndarray, "_ _"]]:
    """Return the filled cells of each view that see no voxel."""
    return [
        picture.filled & ~occupied.any(axis=picture.view.axis)
        for picture in art.pictures
    ]


def fronts(
    cells: list[Bool[np.ndarray, "_ _"]],
    art: PixelArt,
    agree: Int[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels at the mesh's median depth in some cells of each view.

    Where the mesh is thinner than a voxel, that is the voxel in its middle, which
    the opposite view agrees on. If the other views agree more on the voxel before or
    behind it, that one is taken.

    Args:
        cells: Of each view.
        art: Six pictures.
        agree: Of `agreement`.
    """
    found = np.zeros(agree.shape, bool)
    depth = {picture.view.toward: picture.depth for picture in art.pictures}
    for chosen, picture in zip(cells, art.pictures, strict=True):
        view, axis = picture.view, picture.view.axis
        length = agree.shape[axis]
        a, b = np.nonzero(chosen & np.isfinite(picture.depth))
        near, far = picture.depth[a, b], length - depth[opposite(view.toward)][a, b]
        at = np.clip(near.astype(np.int64), 0, length - 1)
        thin = np.isfinite(far) & (far - near < 1)
        if sign_of(view.toward) > 0:  # places on the axis, not distances from the eye
            near, far, at = length - near, length - far, length - 1 - at
        at[thin] = middle_voxel(near[thin], far[thin], length)
        place = near.astype(np.float64)
        place[thin] = (place[thin] + far[thin]) / 2
        at = agreed(at, place, np.moveaxis(agree, axis, -1)[a, b])
        found[tuple(np.insert(np.stack([a, b], axis=1), axis, at, axis=1).T)] = True
    return found


def view_tables(
    art: PixelArt, shape: tuple[int, ...], locked: Bool[np.ndarray, "x y z"]
) -> list[ViewTable]:
    """Return the views' cost tables; cells that see locked voxels count as filled."""
    tables = []
    for picture in art.pictures:
        filled = picture.filled | locked.any(axis=picture.view.axis)
        table = cost_table(picture, shape[picture.view.axis], filled)
        tables.append(ViewTable(picture.view, table, color_table(picture)))
    return tables


def drop_loose_parts(
    occupied: Bool[np.ndarray, "x y z"],
    locked: Bool[np.ndarray, "x y z"],
    touched: Bool[np.ndarray, "x y z"],
    min_part: int,
) -> Bool[np.ndarray, "x y z"]:
    """Drop loose, unlocked parts that are small or hold no surface.

    Air that no axis ray reaches, as between a tree's branches, counts as inside; when
    the voxels around it are gone, it floats. The largest part always stays.

    Args:
        occupied: Its 26-connected parts are looked at.
        locked: Parts with one of these voxels stay.
        touched: Voxels that hold surface.
        min_part: Parts of at most this many voxels are small.
    """
    labels, count = ndimage.label(occupied, NEIGHBORS_26)
    if count < 2:
        return occupied
    sizes = np.bincount(labels.ravel())
    holds = np.bincount(labels[touched], minlength=len(sizes)) > 0
    keep = (sizes > min_part) & holds
    keep[np.unique(labels[locked])] = True
    keep[1 + sizes[1:].argmax()] = True
    keep[0] = False
    return keep[labels]
