"""Voxels that are added last: behind cells that are filled anyway, holes close."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import joined, random_art, rod
from scipy import ndimage

from voxify3d.fit.coarse import coarse_occupancy, view_tables
from voxify3d.fit.occupancy import FACE_COST, grow_occupancy
from voxify3d.fit.polish import polish
from voxify3d.fit.tables import total_cost
from voxify3d.fit.thin import NEIGHBORS_18
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh

sides = st.tuples(*[st.integers(2, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


def faces(occupied) -> int:
    """Count the faces that touch air, in or outside the grid."""
    padded = np.pad(occupied, 1)
    return sum(int(np.diff(padded, axis=axis).sum()) for axis in range(3))


def case_of(shape, seed):
    rng = np.random.default_rng(seed)
    tables = view_tables(random_art(shape, 3, seed), shape, np.zeros(shape, bool))
    occupied = rng.random(shape) < 0.3
    return occupied, tables, rng.random(shape) < 0.7, rng.integers(0, 3, shape)


@settings(max_examples=60, deadline=None)
@given(sides, seeds)
def test_voxels_only_come_and_only_beside_others(shape, seed):
    occupied, tables, free, index = case_of(shape, seed)
    grown = grow_occupancy(occupied, tables, free, index)
    assert (grown & occupied == occupied).all()
    added = grown & ~occupied
    assert (added <= free).all()
    assert (added <= ndimage.binary_dilation(occupied, NEIGHBORS_18)).all()


@settings(max_examples=60, deadline=None)
@given(sides, seeds)
def test_the_cost_falls_until_no_voxel_beside_lowers_it(shape, seed):
    occupied, tables, free, index = case_of(shape, seed)

    def cost(now) -> float:
        return total_cost(tables, now, index) + FACE_COST * faces(now)

    grown = grow_occupancy(occupied, tables, free, index, face_cost=FACE_COST)
    least = cost(grown)
    assert least <= cost(occupied) + 1e-6
    beside = ndimage.binary_dilation(occupied, NEIGHBORS_18) & free & ~occupied
    for ijk in np.argwhere(beside & ~grown):
        more = grown.copy()
        more[tuple(ijk)] = True
        assert cost(more) > least - 1e-3


def test_nothing_grows_from_nothing():
    occupied, tables, free, index = case_of((4, 4, 4), 0)
    nothing = np.zeros_like(occupied)
    assert not grow_occupancy(nothing, tables, free, index).any()


@pytest.mark.parametrize("seed", [0, 6])
def test_behind_bridges_nothing_stays_open_that_costs_less_closed(seed):
    # thin rods askew: the bridges that keep them fill cells of silhouettes
    rng = np.random.default_rng(seed)
    ends = [(rng.integers(-4, 5, 3), rng.integers(-4, 5, 3)) for _ in range(5)]
    ball = shapes.sphere(1.5, color=(0.9, 0.2, 0.2))
    mesh = joined(ball, *(rod(start, end, 0.3) for start, end in ends))
    frame = frame_of(mesh, 20)
    art = pixelize(render_mesh(mesh, frame, 8), 3)
    coverage = surface_coverage(mesh, frame)
    occupancy = coarse_occupancy(coverage, art)
    index = polish(occupancy.occupied, occupancy, art, coverage)
    occupied, tables = index >= 0, occupancy.tables
    least = total_cost(tables, occupied) + FACE_COST * faces(occupied)
    beside = ndimage.binary_dilation(occupied, NEIGHBORS_18) & ~occupied
    for ijk in np.argwhere(beside & occupancy.free & occupancy.solid):
        more = occupied.copy()
        more[tuple(ijk)] = True
        change = total_cost(tables, more) + FACE_COST * faces(more) - least
        assert change > -1e-3, ijk
