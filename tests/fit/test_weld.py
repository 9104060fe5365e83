import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import joined, rod
from scipy import ndimage

from voxify3d.config import PRESETS
from voxify3d.fit.tables import ViewTable
from voxify3d.fit.thin import NEIGHBORS_18
from voxify3d.fit.weld import WORTH, joints
from voxify3d.mesh import shapes
from voxify3d.pipeline import voxelize
from voxify3d.render.views import six_views


def tables_of(shape, price: np.ndarray | float = 0.0) -> list[ViewTable]:
    """Six views that cost nothing, but for what the first of them sees per cell."""
    tables = []
    for number, view in enumerate(six_views()):
        a, b = (n for i, n in enumerate(shape) if i != view.axis)
        table = np.zeros((a, b, shape[view.axis] + 1), np.float32)
        if number == 0:
            table[..., :-1] += np.broadcast_to(price, (a, b))[..., None]
        tables.append(ViewTable(view, table, np.zeros((a, b, 1), np.float32)))
    return tables


def labeled(occupied, structure=None) -> np.ndarray:
    labels = np.zeros(occupied.shape, int)
    ndimage.label(occupied, structure, output=labels)
    return labels


def count(occupied, structure=None) -> int:
    return int(labeled(occupied, structure).max())


def stairs(length: int) -> np.ndarray:
    occupied = np.zeros((length, length, 3), bool)
    occupied[np.arange(length), np.arange(length), 1] = True
    return occupied


def test_stairs_become_one_piece_with_one_voxel_a_step():
    occupied = stairs(6)
    added = joints(occupied, np.ones_like(occupied), tables_of(occupied.shape))
    assert added.sum() == 5
    assert not (added & occupied).any()
    assert count(occupied | added) == 1
    assert not added[..., [0, 2]].any()  # no detour


def test_of_two_ways_the_cheaper_one_is_taken():
    occupied = stairs(2)
    price = np.zeros((2, 2))
    price[0, 1] = 1.0
    added = joints(occupied, np.ones_like(occupied), tables_of(occupied.shape, price))
    assert np.argwhere(added).tolist() == [[1, 0, 1]]
    added = joints(occupied, np.ones_like(occupied), tables_of(occupied.shape, price.T))
    assert np.argwhere(added).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_joint_may_cost_as_much_as_the_smaller_piece_is_worth(length):
    occupied = np.zeros((9, 2, 1), bool)
    occupied[:5, 0], occupied[5 : 5 + length, 1] = True, True
    for price, number in ((WORTH * length - 0.1, 1), (WORTH * length + 0.1, 0)):
        tables = tables_of(occupied.shape, price)
        assert joints(occupied, np.ones_like(occupied), tables).sum() == number


def test_parts_that_lie_a_voxel_apart_are_not_joined():
    occupied = np.zeros((5, 5, 1), bool)
    occupied[:2, 0], occupied[3:, 0], occupied[2, 3:] = True, True, True
    added = joints(occupied, np.ones_like(occupied), tables_of(occupied.shape))
    assert not added.any()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.6))
def test_pieces_become_fewer_parts_stay_and_only_free_voxels_are_taken(seed, share):
    rng = np.random.default_rng(seed)
    occupied = rng.random((6, 5, 4)) < share
    free = rng.random(occupied.shape) < 0.7
    added = joints(occupied, free, tables_of(occupied.shape))
    assert not (added & (occupied | ~free)).any()
    whole = occupied | added
    assert count(whole, NEIGHBORS_18) == count(occupied, NEIGHBORS_18)
    assert count(whole) <= count(occupied) - added.sum()


def test_joints_of_a_chain_are_worth_what_hangs_on_them():
    occupied = stairs(8)
    price = WORTH * 3.5  # each joint's; the last three voxels are worth less
    tables = tables_of(occupied.shape, price)
    added = joints(occupied, np.ones_like(occupied), tables)
    # the largest piece is the first of eight that are alike
    assert added.sum() == 4
    sizes = np.bincount(labeled(occupied | added).ravel())[1:]
    assert sorted(sizes.tolist()) == [1, 1, 1, 9]


@pytest.mark.parametrize("tip", [(9, 19, 2), (-7, 18, 7), (8, 16, -8)], ids=str)
def test_a_slanting_limb_hangs_on_by_faces(tip):
    mesh = joined(shapes.box((8, 10, 6), (0, 5, 0)), rod((0, 8, 0), tip, 0.8))
    grid = voxelize(mesh, dataclasses.replace(PRESETS["draft"], size=20, colors=2))
    assert count(grid.occupied) == 1
