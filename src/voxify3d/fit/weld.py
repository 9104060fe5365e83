"""Pieces that touch at an edge alone are joined by faces, where that costs little.

Six silhouettes are matched best by limbs that run over edges: ears and tails that look
like strings of loose cubes, and that break off in bricks and in print.

Naming used in this file: a *part* is what faces and edges connect, a *piece* what
faces do, a *joint* an empty voxel with a face to two or more pieces of one part.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage, sparse
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import csgraph

from voxify3d.fit.tables import ViewTable
from voxify3d.fit.thin import NEIGHBORS_18
from voxify3d.render.eye import Sight

WORTH = 14.0
"""What each voxel that hangs on a joint is worth, against depth in voxels: as much as a
cell that is wrong in one silhouette, seen from both sides."""


def joints(
    occupied: Bool[np.ndarray, "x y z"],
    free: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels that join pieces to the largest one of their part.

    They are joints of a spanning tree with the least cost, those that are worth it.
    Parts stay apart.

    Args:
        occupied: The voxels.
        free: Those that may become occupied.
        tables: The views' costs.
    """
    added = np.zeros_like(occupied)
    piece = np.zeros(occupied.shape, np.int32)
    part = piece.copy()
    pieces = ndimage.label(occupied, output=piece)
    if pieces == ndimage.label(occupied, NEIGHBORS_18, output=part):
        return added
    ijk = np.argwhere(free & ~occupied)
    beside = _beside(piece, ijk)
    two = np.where(beside > 0, beside, pieces + 1).min(axis=1) < beside.max(axis=1)
    ijk, beside = ijk[two], beside[two]
    each = [table.change(Sight(occupied, table.view), ijk) for table in tables]
    change = np.sum(each, axis=0)
    order = np.argsort(np.round(change, 6), kind="stable")
    chosen = _spanning(ijk, beside, order, part)
    home = np.zeros(pieces + 1, np.int64)
    home[piece] = part
    hanging = _hanging(beside[chosen], np.bincount(piece.ravel()), home)
    chosen = chosen[change[chosen] <= WORTH * hanging]
    added[tuple(ijk[chosen].T)] = True
    return added


def _beside(
    values: Int[np.ndarray, "x y z"], ijk: Int[np.ndarray, "n 3"]
) -> Int[np.ndarray, "n 6"]:
    """Return the values of each voxel's six neighbors; 0 outside the grid."""
    padded = np.pad(values, 1)
    steps = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    return np.stack([padded[tuple((ijk + 1 + step).T)] for step in steps], axis=1)


def _spanning(
    ijk: Int[np.ndarray, "n 3"],
    beside: Int[np.ndarray, "n 6"],
    order: Int[np.ndarray, " n"],
    part: Int[np.ndarray, "x y z"],
) -> Int[np.ndarray, " m"]:
    """Return the joints that connect what can be, the first of an order (Kruskal)."""
    joined = DisjointSet(range(beside.max(initial=0) + 1))
    part = np.pad(part, 1)
    chosen = []
    for i in order:
        roots = {joined[j] for j in beside[i] if j}
        around = part[tuple(slice(at, at + 3) for at in ijk[i])]
        parts = np.unique(around[NEIGHBORS_18 & (around > 0)])
        if len(roots) < 2 or len(parts) > 1:
            continue
        first, *others = roots
        for other in others:
            joined.merge(first, other)
        part[tuple(ijk[i] + 1)] = parts[0]
        chosen.append(i)
    return np.array(chosen, np.int64)


def _hanging(
    beside: Int[np.ndarray, "m 6"],
    size: Int[np.ndarray, " p"],
    home: Int[np.ndarray, " p"],
) -> Float64[np.ndarray, " m"]:
    """Return how many voxels hang on each joint of a forest.

    Args:
        beside: Pieces around each joint; 0 for none.
        size: Voxels of each piece.
        home: Each piece's part.
    """
    count = len(size)
    # Node 0, which is no piece, holds the largest piece of every part.
    by_size = np.lexsort((-size, home))[1:]
    largest = by_size[np.unique(home[by_size], return_index=True)[1]]
    joint, neighbor = np.nonzero(beside)
    start = np.concatenate([np.zeros(len(largest), np.int64), count + joint])
    end = np.concatenate([largest, beside[joint, neighbor]])
    total = count + len(beside)
    tree = sparse.csr_matrix((np.ones(len(start)), (start, end)), shape=(total, total))
    order, before = csgraph.breadth_first_order(tree, 0, directed=False)
    hanging = np.concatenate([size, np.zeros(len(beside))]).astype(np.float64)
    for node in order[:0:-1]:
        hanging[before[node]] += hanging[node]
    return hanging[count:]
