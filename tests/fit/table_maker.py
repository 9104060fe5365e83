"""Tables of noise, and what an occupancy costs by them, cell by cell."""

import numpy as np
import reference

from voxify3d.fit.tables import ViewTable
from voxify3d.pixelart.mirror import Mirror
from voxify3d.render.views import six_views


def random_tables(shape, rng, colors=3, k=4):
    """Six tables of noise; `colors` scales what a color costs."""
    tables = []
    for view in six_views():
        cells = [n for i, n in enumerate(shape) if i != view.axis]
        table = rng.random((*cells, shape[view.axis] + 1)).astype(np.float32)
        costs = (colors * rng.random((*cells, k))).astype(np.float32)
        tables.append(ViewTable(view, table, costs))
    return tables


def random_case(shape, seed, k=4):
    rng = np.random.default_rng(seed)
    occupied = rng.random(shape) < rng.random()
    index = rng.integers(0, k, shape)
    return random_tables(shape, rng, k=k), occupied, index, rng


def total_by_walking(tables, occupied, index=None):
    """Look down every column of every view and add up what is met."""
    total = 0.0
    for table in tables:
        for a, b in np.ndindex(*table.table.shape[:2]):
            d = reference.first_in(occupied, table.view, a, b)
            total += float(table.table[a, b, d])
            column = reference.column_of(table.view, occupied.shape, a, b)
            if index is not None and d < len(column):
                total += float(table.colors[a, b, index[column[d]]])
    return total


def faces(occupied):
    """Count the faces that touch air, by looking at both sides of each."""
    padded = np.pad(occupied, 1)
    return sum(int(np.diff(padded, axis=axis).sum()) for axis in range(3))


def flipped(occupied, ijk):
    other = occupied.copy()
    other[tuple(ijk)] ^= True
    return other


def random_mirror(shape, rng):
    """Some plane of the grid, and random pairs of voxels across it."""
    axis = int(rng.integers(3))
    plane = int(rng.integers(1, 2 * shape[axis]))
    mirror = Mirror(axis, plane, (), np.zeros(shape, bool))
    for voxel in np.argwhere(rng.random(shape) < 0.7):
        there = mirror.image(voxel[None])[0]
        if 0 <= there[axis] < shape[axis] and there[axis] != voxel[axis]:
            mirror.paired[tuple(voxel)] = mirror.paired[tuple(there)] = True
    return mirror
