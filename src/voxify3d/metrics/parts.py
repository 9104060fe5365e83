"""Connected pieces: what floats, and which thin parts of the mesh survive.

Pieces of the mesh are found on a grid `FINE` times finer than the voxels, from its
inside and from the surface that the six views see, so that a gap of a third of a
voxel parts them and a limb thinner than a voxel is still one piece.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from scipy import ndimage

from voxify3d.metrics.cells import CellView
from voxify3d.metrics.solid import inside
from voxify3d.types import Frame, Mesh, sign_of

FINE = 3
"""Fine cells along the edge of a voxel."""
_THICK = 5
"""A fine cell is thick where a full cube of this edge holds it: 1.67 voxels, and the
surface adds about half a voxel, so parts under about 1.2 voxels are thin."""
_ROOT, _REACH = FINE, 2 * FINE
"""A thin part begins one voxel out of what is thick, or the skin of a round body would
join its limbs, and comes out by at least two."""
_LEAST = FINE * FINE
"""Pieces of the mesh of fewer fine cells are grains of the sampling."""
_SURVIVES = 0.75
"""Share of a thin part that one connected piece of the result must follow."""
_TOUCHING = np.ones((3, 3, 3), bool)
_FACES = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The pieces of a mesh, on fine cells.

    Attributes:
        piece: Connected piece (by faces, edges or corners) of each cell from 1; else 0.
        thin: Thin part of each cell from 1; else 0. A thin part lies in one part of
            the mesh (`Mesh.part`).
    """

    piece: Int[np.ndarray, "x y z"]
    thin: Int[np.ndarray, "x y z"]


def anatomy(mesh: Mesh, views: tuple[CellView, ...], frame: Frame) -> Anatomy:
    """Return the pieces and the thin parts of a mesh.

    Args:
        mesh: The input.
        views: Its six views.
        frame: Their grid.
    """
    part = _seen_parts(views, frame)
    fine = Frame(
        frame.origin,
        frame.cell / FINE,
        part.shape,  # type: ignore[arg-type]
        frame.front,
        frame.up,
    )
    full = inside(mesh, fine) | (part >= 0)
    piece, _ = connected(full)
    return Anatomy(_without_grains(piece), _thin_parts(full, part))


def connected(
    occupied: Bool[np.ndarray, "x y z"],
) -> tuple[Int[np.ndarray, "x y z"], int]:
    """Return the connected piece of each cell, from 1, and how many there are.

    Cells that share a face, an edge or a corner are connected.
    """
    label = np.zeros(occupied.shape, np.int32)
    ndimage.label(occupied, _TOUCHING, label)  # pyright: ignore
    return label, int(np.max(label, initial=0))


def floating(mesh: Anatomy, occupied: Bool[np.ndarray, "x y z"]) -> int:
    """Return how many connected pieces of a result the mesh does not have. Best 0.

    Each piece of the mesh has one of the result: that which holds most of it. All
    others float. Voxels are connected by faces, edges or corners.
    """
    found, count = connected(occupied)
    if not count:
        return 0
    of_fine = _repeated(found)
    both = (mesh.piece > 0) & (of_fine > 0)
    pairs, weight = np.unique(
        np.stack([mesh.piece[both], of_fine[both]]), axis=1, return_counts=True
    )
    order = np.argsort(-weight, kind="stable")
    _, first = np.unique(pairs[0, order], return_index=True)
    return count - len(np.unique(pairs[1, order][first]))


def part_recall(mesh: Anatomy, occupied: Bool[np.ndarray, "x y z"]) -> tuple[int, int]:
    """Return (thin parts that survive, thin parts).

    A thin part survives when one connected piece of the result, made of voxels in
    the part or face to face with it, has a voxel in or face to face with at least
    three quarters of the part.
    """
    kept = 0
    boxes = ndimage.find_objects(mesh.thin)
    for label, box in enumerate(boxes, start=1):
        # The part's voxels and one more on each side.
        low = [max(side.start // FINE - 2, 0) for side in box]
        high = [-(-side.stop // FINE) + 2 for side in box]
        coarse = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        fine = tuple(slice(FINE * a, FINE * b) for a, b in zip(low, high, strict=True))
        own = _counts(mesh.thin[fine] == label)
        near = _grown(own > 0)
        pieces, count = connected(occupied[coarse] & near)
        followed = 0
        for piece in range(1, count + 1):
            reached = _grown(pieces == piece)
            followed = max(followed, int(own[reached].sum()))
        kept += int(followed >= _SURVIVES * own.sum())
    return kept, len(boxes)


def _seen_parts(views: tuple[CellView, ...], frame: Frame) -> Int[np.ndarray, "x y z"]:
    """Return the part of the mesh that a view sees in each fine cell; -1 for none."""
    shape = np.array(frame.shape) * FINE
    part = np.full(shape, -1, np.int64)
    for view in views:
        render = view.render
        samples = round(render.hit.shape[2] ** 0.5)
        axis, toward = render.view.axis, sign_of(render.view.toward)
        others = [i for i in range(3) if i != axis]
        cell = np.argwhere(render.hit)
        within = np.stack(np.divmod(cell[:, 2], samples), axis=1)
        at = np.empty((len(cell), 3), np.int64)
        at[:, others] = cell[:, :2] * FINE + (2 * within + 1) * FINE // (2 * samples)
        depth = render.depth[render.hit] * FINE
        along = depth if toward < 0 else shape[axis] - depth
        # A hair inwards: a face between two cells belongs to the one behind it.
        at[:, axis] = np.floor(along - toward * 1e-3)
        at = np.clip(at, 0, shape - 1)
        part[tuple(at.T)] = render.part[render.hit]
    return part


def _thin_parts(
    full: Bool[np.ndarray, "x y z"], part: Int[np.ndarray, "x y z"]
) -> Int[np.ndarray, "x y z"]:
    thick = _opened(full, _THICK)
    out = full & ~_filtered(ndimage.maximum_filter, thick, 2 * _ROOT + 1)
    far = out & ~_filtered(ndimage.maximum_filter, thick, 2 * _REACH + 1)
    if not far.any():
        return np.zeros(full.shape, np.int64)
    nearest = np.zeros((3, *full.shape), np.int32)
    ndimage.distance_transform_edt(  # pyright: ignore[reportCallIssue]
        part < 0,
        return_distances=False,
        return_indices=True,
        indices=nearest,  # pyright: ignore[reportArgumentType]
    )
    owner = part[tuple(nearest)]
    labels, last = np.zeros(full.shape, np.int64), 0
    for number in np.unique(owner[far]):
        found, count = connected(out & (owner == number))
        reach = np.bincount(found[far], minlength=count + 1)
        keep = np.flatnonzero(reach[1:] >= _LEAST) + 1
        rank = np.zeros(count + 1, np.int64)
        rank[keep] = last + 1 + np.arange(len(keep))
        labels += rank[found]
        last += len(keep)
    return labels


def _opened(full: Bool[np.ndarray, "x y z"], edge: int) -> Bool[np.ndarray, "x y z"]:
    """Return the cells that a full cube holds: erosion, then dilation."""
    padded = np.pad(full, edge)
    core = _filtered(ndimage.minimum_filter, padded, edge)
    opened = _filtered(ndimage.maximum_filter, core, edge)
    return opened[edge:-edge, edge:-edge, edge:-edge]


def _filtered(
    kind: Callable[..., object], cells: Bool[np.ndarray, "x y z"], edge: int
) -> Bool[np.ndarray, "x y z"]:
    return np.asarray(kind(cells, edge, mode="constant"), bool)


def _grown(voxels: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels and those face to face with them."""
    return np.asarray(ndimage.binary_dilation(voxels, _FACES), bool)


def _without_grains(piece: Int[np.ndarray, "x y z"]) -> Int[np.ndarray, "x y z"]:
    size = np.bincount(piece.ravel())
    small = size < min(_LEAST, size[1:].max(initial=0))
    return np.where(small[piece], 0, piece).astype(np.int64)


def _repeated(coarse: np.ndarray) -> np.ndarray:
    for axis in range(3):
        coarse = np.repeat(coarse, FINE, axis=axis)
    return coarse


def _counts(fine: Bool[np.ndarray, "x y z"]) -> np.ndarray:
    """Return how many fine cells of each voxel are set."""
    x, y, z = (side // FINE for side in fine.shape)
    return fine.reshape(x, FINE, y, FINE, z, FINE).sum(axis=(1, 3, 5), dtype=np.int64)
