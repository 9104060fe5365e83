"""Parts thinner than a voxel: sheets must not tear, limbs must not come off."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from voxify3d.choices import Direction
from voxify3d.pixelart.pixelize import Picture, PixelArt
from voxify3d.types import opposite, sign_of

NEIGHBORS_18 = ndimage.generate_binary_structure(3, 2)
"""By faces and edges: voxels that meet at a corner alone look as if they floated."""
THREAD = 0.5
"""Surface of a lost piece, in square voxels, for each voxel of its length, under which
it is a thread: a wire a sixth of a voxel thick."""
_LITTLE = 0.05
"""Share of all surface from which a piece is no thread, however thin."""
_SHEET = 0.5
"""Front-to-back distance, in voxels, under which a cell holds a sheet."""
_END = 0.75
"""A limb ends, in voxels, about here: of the voxels there the one is taken that is
reached by the straightest path."""
_ROUNDS = 64


def sheet_voxels(
    touched: Bool[np.ndarray, "x y z"],
    art: PixelArt,
    agree: Int[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    """Return one voxel for each cell whose front and back surface nearly coincide.

    Seen edge-on a sheet covers less than half of a cell, so silhouettes would delete
    it; seen face-on, both sides carve it away. Its voxel at middle depth stays, or the
    one beside it that suits the other views better.

    Args:
        touched: Voxels that hold surface.
        art: Six pictures.
        agree: Of `agreement`.
    """
    pictures: dict[Direction, Picture] = {
        picture.view.toward: picture for picture in art.pictures
    }
    locked = np.zeros_like(touched)
    for toward, front in pictures.items():
        if sign_of(toward) < 0:
            continue
        back = pictures[opposite(toward)]
        axis, length = front.view.axis, touched.shape[front.view.axis]
        both = front.filled & back.filled
        both &= np.isfinite(front.depth) & np.isfinite(back.depth)
        a, b = np.nonzero(both)
        near = length - front.depth[a, b]
        far = back.depth[a, b]
        at = middle_voxel(near, far, length)
        thin = np.abs(near - far) < _SHEET
        thin &= np.moveaxis(touched, axis, -1)[a, b, at]
        a, b = a[thin], b[thin]
        middle = (near[thin].astype(np.float64) + far[thin]) / 2
        at = agreed(at[thin], middle, np.moveaxis(agree, axis, -1)[a, b])
        ijk = np.insert(np.stack([a, b], axis=1), axis, at, axis=1)
        locked[tuple(ijk.T)] = True
    return locked


def agreement(art: PixelArt, shape: tuple[int, ...]) -> Int[np.ndarray, "x y z"]:
    """Return in how many views each voxel lies behind a filled cell."""
    count = np.zeros(shape, np.int64)
    for picture in art.pictures:
        count += np.expand_dims(picture.filled, picture.view.axis)
    return count


def agreed(
    at: Int[np.ndarray, " n"],
    place: Float64[np.ndarray, " n"],
    agree: Int[np.ndarray, "n l"],
) -> Int[np.ndarray, " n"]:
    """Return voxels of columns, or those beside them that suit more views.

    A wall that covers less than half of the last row of cells would else lie in that
    row where it is thin, and in the row before where it is thick.

    Args:
        at: Voxels that hold a thin part.
        place: Where it lies in its column, voxels; of two neighbors that suit equally
            many views the nearer one is taken.
        agree: Of `agreement`, the columns.
    """
    number, last = np.arange(len(at)), agree.shape[1] - 1
    nearer = np.where(place - at >= 0.5, 1, -1)
    best = at
    for step in (nearer, -nearer):
        beside = np.clip(at + step, 0, last)
        better = agree[number, beside] > agree[number, best]
        best = np.where(better, beside, best)
    return best


def middle_voxel(
    near: Float[np.ndarray, " n"], far: Float[np.ndarray, " n"], length: int
) -> Int[np.ndarray, " n"]:
    """Return the voxel in the middle of two places on an axis, in voxels.

    On the border of two voxels it is always the lower one, so that views that look
    at a thin part from different sides agree.
    """
    middle = (near.astype(np.float64) + far) / 2
    return np.clip(np.ceil(middle - 1e-3) - 1, 0, length - 1).astype(np.int64)


def reconnect(
    occupied: Bool[np.ndarray, "x y z"],
    touched: Bool[np.ndarray, "x y z"],
    area: Float64[np.ndarray, "x y z"],
    agree: Int[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels that bring lost limbs back, as thin paths along the surface.

    A piece of surface is lost when none of its voxels touches an occupied one, or
    when the mesh joins two parts of the result that lie apart. Paths run through
    voxels that hold surface, and prefer those that hold much of it and that suit many
    views.

    Args:
        occupied: The result so far.
        touched: Voxels that hold surface.
        area: How much surface each voxel holds.
        agree: Of `agreement`.
    """
    if not occupied.any():
        occupied = touched & (area >= area.max())
    graph, ijk, number = _surface_graph(touched | occupied, area, agree)
    found = occupied.copy()
    added = np.zeros_like(occupied)
    for _ in range(_ROUNDS):
        end = _farthest_lost(found, touched, area)
        if end is None:
            break
        path = _path(graph, number[found], number[end])
        new = tuple(ijk[path].T)
        added[new] = True
        found[new] = True
    added |= _join_parts(found, graph, ijk, number)
    return added & ~occupied


def _surface_graph(
    nodes: Bool[np.ndarray, "x y z"],
    area: Float64[np.ndarray, "x y z"],
    agree: Int[np.ndarray, "x y z"],
) -> tuple[sparse.csr_matrix, Int[np.ndarray, "n 3"], Int[np.ndarray, "x y z"]]:
    """Return the 18-neighbor graph of voxels.

    Steps cost more into voxels that hold little surface, or that some views see in
    front of nothing.
    """
    number = np.full(nodes.shape, -1, np.int32)
    ijk = np.argwhere(nodes)
    number[nodes] = np.arange(len(ijk))
    price = 1 + 3 / (1 + 4 * area[nodes]) + (agree.max() - agree[nodes])
    padded = np.pad(number, 1, constant_values=-1)
    rows, columns, costs = [], [], []
    for step in np.argwhere(NEIGHBORS_18) - 1:
        if tuple(step) <= (0, 0, 0):
            continue
        at = ijk + 1 + step
        other = padded[tuple(at.T)]
        pair = np.flatnonzero(other >= 0)
        length = (step**2).sum() ** 0.8  # more than Euclidean: limbs run straight
        rows.append(pair)
        columns.append(other[pair])
        costs.append(length * (price[pair] + price[other[pair]]) / 2)
    size = (len(ijk), len(ijk))
    entries = (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=size), ijk, number


def _farthest_lost(
    found: Bool[np.ndarray, "x y z"],
    touched: Bool[np.ndarray, "x y z"],
    area: Float64[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"] | None:
    """Return the far end of the largest lost piece of at least two voxels.

    Threads are not missed: spines and wires, drawn as voxels, are all one sees.
    """
    lost = touched & ~ndimage.binary_dilation(found, NEIGHBORS_18)
    labels, count = ndimage.label(lost, NEIGHBORS_18)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[threads(labels, area)] = 0
    sizes[0] = 0
    if sizes.max() < 2:
        return None
    piece = labels == sizes.argmax()
    distance = ndimage.distance_transform_edt(~found)
    return piece & (distance > distance[piece].max() - _END)


def threads(
    labels: Int[np.ndarray, "x y z"], area: Float64[np.ndarray, "x y z"]
) -> Bool[np.ndarray, " n"]:
    """Return which pieces are threads: thin, and little of the whole.

    What is made of wires alone keeps them.

    Args:
        labels: Number of each voxel's piece, from 1 on; 0 for none.
        area: How much surface each voxel holds.
    """
    found = ndimage.find_objects(labels)
    boxes = [[part.stop - part.start for part in box] for box in found]
    length = np.linalg.norm(np.array([[1, 0, 0], *boxes]), axis=1)
    total = np.bincount(labels.ravel(), area.ravel(), minlength=len(length))
    return (total < THREAD * length) & (total < _LITTLE * area.sum())


def _path(
    graph: sparse.csr_matrix,
    sources: Int[np.ndarray, " m"],
    targets: Int[np.ndarray, " t"],
) -> list[int]:
    """Return the nodes of the cheapest path from any source to any target.

    Without the source. A target that no source reaches is its own path: a part that
    the mesh has apart.
    """
    distance, before, _ = csgraph.dijkstra(
        graph,
        directed=False,
        indices=sources,
        return_predecessors=True,
        min_only=True,
    )
    node = int(targets[distance[targets].argmin()])
    path = []
    is_source = np.zeros(graph.shape[0], bool)
    is_source[sources] = True
    while node >= 0 and not is_source[node]:
        path.append(node)
        node = int(before[node])
    return path


def _join_parts(
    found: Bool[np.ndarray, "x y z"],
    graph: sparse.csr_matrix,
    ijk: Int[np.ndarray, "n 3"],
    number: Int[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    """Return bridges between parts of the result that the surface joins."""
    added = np.zeros_like(found)
    _, surface = csgraph.connected_components(graph, directed=False)
    for _ in range(_ROUNDS):
        labels, _ = ndimage.label(found | added, NEIGHBORS_18)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        # Parts that the mesh has apart stay so: each of its own surface.
        part = labels[tuple(ijk.T)]
        home = np.zeros(len(sizes), np.int64)
        home[part] = surface
        apart = np.bincount(home[1:], minlength=surface.max() + 1) > 1
        sizes[~apart[home]] = 0
        if not sizes.any():
            break
        largest = int(sizes.argmax())
        distance, before, _ = csgraph.dijkstra(
            graph,
            directed=False,
            indices=number[labels == largest],
            return_predecessors=True,
            min_only=True,
        )
        others = number[(labels > 0) & (labels != largest)]
        reachable = others[np.isfinite(distance[others])]
        node = int(reachable[distance[reachable].argmin()])
        grown = False
        while node >= 0:
            at = tuple(ijk[node])
            grown |= not (found[at] or added[at])
            added[at] = True
            node = int(before[node])
        if not grown:
            break
    return added
