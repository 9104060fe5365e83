"""Exact triangle–box coverage: how much surface each voxel holds, and its color.

Every triangle is cut by the grid's planes, axis after axis, into convex pieces
that lie in one voxel each. `p` is the number of pieces, `m` the most corners a
piece has (a triangle in a box has at most 9), `c` = 5: position and two
barycentric coordinates.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.mesh.texture import is_solid, surface_rgba
from voxify3d.types import Frame, Mesh

_FACES_PER_CHUNK = 1 << 16
_PIECES_PER_CHUNK = 1 << 20
_INWARD = 1e-4
"""Faces are moved this far inwards (voxels) before cutting, so that a face that lies
exactly between two voxels belongs to the one it covers."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The surface in each voxel.

    Attributes:
        area: Surface area in the voxel, in units of one voxel face.
        lab: Area-weighted mean OKLab color; 0 where there is no surface.
    """

    area: Float64[np.ndarray, "x y z"]
    lab: Float32[np.ndarray, "x y z 3"]

    @property
    def touched(self) -> Bool[np.ndarray, "x y z"]:
        """Voxels that hold any surface."""
        return self.area > 1e-6

    @property
    def near(self) -> Bool[np.ndarray, "x y z"]:
        """Voxels that hold surface or touch, if only at a corner, one that does."""
        return ndimage.binary_dilation(self.touched, np.ones((3, 3, 3), bool))


def surface_coverage(mesh: Mesh, frame: Frame) -> Coverage:
    """Return the area and mean color of the surface inside every voxel, exactly.

    Area is exact. Color is sampled at the centers of the pieces' triangles, at
    least one per voxel and triangle, and weighted by area. Texels that the
    material cuts out count as no surface.
    """
    shape = np.array(frame.shape)
    total = int(shape.prod())
    area = np.zeros(total)
    lab = np.zeros((total, 3))
    corners = frame.grid_from_world(mesh.vertices)
    for faces in _chunks(corners, mesh.faces):
        points = corners[mesh.faces[faces]]
        normal = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        points = points - (_INWARD * normal / np.maximum(length, 1e-30))[:, None]
        weights = np.broadcast_to(np.eye(3)[:, :2], (len(faces), 3, 2))
        pieces = np.concatenate([points, weights], axis=-1)
        count = np.full(len(faces), 3)
        source = faces
        for axis in range(3):
            pieces, count, source = _cut(pieces, count, source, axis, frame.shape[axis])
        _accumulate(mesh, pieces, count, source, shape, area, lab)
    held = np.flatnonzero(area)
    mean = np.zeros((total, 3), np.float32)
    mean[held] = lab[held] / np.maximum(area[held], 1e-12)[:, None]
    return Coverage(area=area.reshape(frame.shape), lab=mean.reshape(*frame.shape, 3))


def _chunks(
    corners: Float64[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> list[Int[np.ndarray, " n"]]:
    """Split faces so that no chunk is cut into too many pieces at once."""
    box = corners[faces]
    span = np.floor(box.max(axis=1)) - np.floor(box.min(axis=1)) + 1
    # A flat face crosses about the product of its two largest spans.
    span = np.sort(span, axis=1)
    pieces = np.cumsum(2 * span[:, 1] * span[:, 2])
    chunk = np.maximum(
        pieces // _PIECES_PER_CHUNK, np.arange(len(faces)) // _FACES_PER_CHUNK
    )
    starts = np.flatnonzero(np.diff(chunk, prepend=-1))
    return np.split(np.arange(len(faces)), starts[1:])


def _cut(
    pieces: Float64[np.ndarray, "p m c"],
    count: Int[np.ndarray, " p"],
    source: Int[np.ndarray, " p"],
    axis: int,
    size: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut convex pieces at every integer of one axis."""
    used = np.arange(pieces.shape[1]) < count[:, None]
    along = pieces[:, :, axis]
    low = np.floor(np.where(used, along, np.inf).min(axis=1)).clip(0, size - 1)
    high = np.ceil(np.where(used, along, -np.inf).max(axis=1)).clip(1, size) - 1
    repeat = np.maximum(high - low + 1, 1).astype(np.int64)
    owner = np.repeat(np.arange(len(pieces)), repeat)
    first = np.repeat(np.cumsum(repeat) - repeat, repeat)
    slab = low[owner] + (np.arange(len(owner)) - first)
    pieces, count, source, repeat = (
        pieces[owner],
        count[owner],
        source[owner],
        repeat[owner],
    )
    # The outermost slabs are not cut on their outer side: nothing may get lost there.
    for sign, plane, needed in (
        (1, slab, slab > low[owner]),
        (-1, slab + 1, slab < high[owner]),
    ):
        if not needed.any():
            continue
        cut, cut_count = _clip(pieces[needed], count[needed], axis, plane[needed], sign)
        grown = np.zeros((len(pieces), cut.shape[1], pieces.shape[2]))
        grown[:, : pieces.shape[1]] = pieces
        grown[needed] = cut
        pieces = grown
        count = count.copy()
        count[needed] = cut_count
    keep = count >= 3
    width = int(count.max(initial=3))
    return pieces[keep][:, :width], count[keep], source[keep]


def _clip(
    pieces: Float64[np.ndarray, "p m c"],
    count: Int[np.ndarray, " p"],
    axis: int,
    plane: Float64[np.ndarray, " p"],
    sign: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the side of a plane: Sutherland–Hodgman (1974), all pieces at once."""
    corner = np.arange(pieces.shape[1])
    used = corner < count[:, None]
    following = np.where(corner + 1 < count[:, None], corner + 1, 0)
    distance = sign * (pieces[:, :, axis] - plane[:, None])
    ahead = np.take_along_axis(pieces, following[..., None], axis=1)
    distance_ahead = np.take_along_axis(distance, following, axis=1)
    inside = distance >= 0
    crosses = used & (inside != (distance_ahead >= 0))
    gap = np.where(crosses, distance - distance_ahead, 1)
    crossing = pieces + (distance / gap)[..., None] * (ahead - pieces)
    both = np.stack([pieces, crossing], axis=2)
    keep = np.stack([inside & used, crosses], axis=2).reshape(len(pieces), -1)
    both = both.reshape(len(pieces), -1, pieces.shape[2])
    order = np.argsort(~keep, axis=1, kind="stable")[:, : pieces.shape[1] + 1]
    return np.take_along_axis(both, order[..., None], axis=1), keep.sum(axis=1)


def _accumulate(
    mesh: Mesh,
    pieces: Float64[np.ndarray, "p m c"],
    count: Int[np.ndarray, " p"],
    source: Int[np.ndarray, " p"],
    shape: Int[np.ndarray, " 3"],
    area: Float64[np.ndarray, " n"],
    lab: Float64[np.ndarray, "n 3"],
) -> None:
    """Add the pieces' triangles (fans) to their voxels."""
    for second in range(1, pieces.shape[1] - 1):
        fan = np.flatnonzero(count > second + 1)
        a, b, c = (pieces[fan, i] for i in (0, second, second + 1))
        normal = np.cross(b[:, :3] - a[:, :3], c[:, :3] - a[:, :3])
        size = np.linalg.norm(normal, axis=1) / 2
        center = (a + b + c) / 3
        # A piece's voxel is that of the mean of all its corners, not of this fan's.
        used = np.arange(pieces.shape[1]) < count[fan][:, None]
        middle = (pieces[fan][:, :, :3] * used[..., None]).sum(axis=1)
        middle /= count[fan][:, None]
        ijk = np.clip(np.floor(middle).astype(np.int64), 0, shape - 1)
        voxel = np.ravel_multi_index(tuple(ijk.T), tuple(shape))
        weights = np.concatenate(
            [center[:, 3:], 1 - center[:, 3:].sum(axis=1, keepdims=True)], axis=1
        ).astype(np.float32)
        rgba = surface_rgba(mesh, source[fan], np.clip(weights, 0, 1))
        size = size * is_solid(mesh, source[fan], rgba[:, 3])
        voxels, place = np.unique(voxel, return_inverse=True)
        area[voxels] += np.bincount(place, size)
        colors = oklab_from_srgb(rgba[:, :3])
        for channel in range(3):
            lab[voxels, channel] += np.bincount(place, size * colors[:, channel])
