import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from table_maker import (
    faces,
    flipped,
    random_case,
    random_mirror,
    random_tables,
    total_by_walking,
)

from voxify3d.fit.flips import Flips
from voxify3d.fit.occupancy import ADOPTED, adopt, polish_occupancy
from voxify3d.pixelart.mirror import Mirror
from voxify3d.render.eye import Sight

shapes = st.tuples(*[st.integers(1, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


@settings(max_examples=30)
@given(shapes, seeds, st.sampled_from([0.0, 0.2, 5.0]), st.booleans())
def test_of_a_proposal_only_what_lowers_the_cost_is_adopted(shape, seed, face, paired):
    tables, occupied, index, rng = random_case(shape, seed)
    proposed = rng.random(shape) < 0.5
    mirror = random_mirror(shape, rng) if paired else None
    if mirror is not None:
        occupied, proposed = mirror.joined(occupied), mirror.joined(proposed)

    def cost(occupied):
        return total_by_walking(tables, occupied, index) + face * faces(occupied)

    found = adopt(occupied, proposed, tables, index, mirror, face)
    assert cost(found) <= cost(occupied) + 1e-9
    same = occupied == proposed
    np.testing.assert_array_equal(found[same], occupied[same])
    if (found == occupied).all():  # then no part of it alone is clearly better
        labels, count = ndimage.label(occupied ^ proposed)
        for part in range(1, count + 1):
            if mirror is None:
                other = np.where(labels == part, proposed, occupied)
                assert cost(other) > cost(occupied) - ADOPTED - 2e-4
    if mirror is not None:
        pairs = np.argwhere(mirror.paired)
        image = mirror.image(pairs)
        assert (found[tuple(pairs.T)] == found[tuple(image.T)]).all()


def one_column(costs):
    """One column, seen from -z alone, that costs what is given by its first voxel."""
    tables = random_tables((1, 1, len(costs) - 1), np.random.default_rng(0), colors=0)
    (table,) = (table for table in tables if table.view.toward == "-z")
    table.table[:] = costs
    return [table]


@pytest.mark.parametrize(("gain", "expected"), [(1.1, True), (0.9, False)])
def test_what_is_clearly_better_all_at_once_is_adopted(gain, expected):
    # Two voxels hide a third: only both together leave it to be seen.
    tables = one_column([gain * ADOPTED, gain * ADOPTED, gain * ADOPTED, 0, 9])
    occupied = np.array([[[False, True, True, True]]])
    free, index = np.ones_like(occupied), np.zeros(occupied.shape, int)
    assert (polish_occupancy(occupied, tables, free, index) == occupied).all()
    proposed = np.array([[[False, False, False, True]]])
    adopted = adopt(occupied, proposed, tables, index)
    np.testing.assert_array_equal(adopted, proposed if expected else occupied)


def test_polish_empties_a_column_that_no_single_flip_can_leave():
    # Each of two voxels hides the other one from the view that wants neither.
    tables = one_column([1, 1, 1, 1, 0])
    occupied = np.array([[[False, True, True, False]]])
    free, index = np.ones_like(occupied), np.zeros(occupied.shape, int)
    for voxel in np.argwhere(occupied):
        change = sum(
            table.change(Sight(occupied, table.view), voxel[None], index)
            for table in tables
        )
        assert change >= 0
    assert not polish_occupancy(occupied, tables, free, index).any()
    free[0, 0, 1] = False  # what must stay keeps the rest, too: nothing is won
    np.testing.assert_array_equal(
        polish_occupancy(occupied, tables, free, index), occupied
    )


def test_polish_moves_what_one_view_needs_and_another_would_rather_see_through():
    # Seen from -z the first cell is empty and the second filled; seen from -x both are
    # filled. Matter of the first cell must move behind the second one.
    tables = random_tables((2, 1, 2), np.random.default_rng(0), colors=0)
    wanted = {"-z": [[[7, 7, 0]], [[0, 0, 7]]], "-x": [[[0, 0, 7], [0, 0, 7]]]}
    tables = [table for table in tables if table.view.toward in wanted]
    for table in tables:
        table.table[:] = wanted[table.view.toward]
    occupied = np.array([[[False, True]], [[True, False]]])
    free = np.ones_like(occupied)
    flips = Flips(occupied, tables, free)
    assert not len(flips.best())  # no flip alone is good
    result = polish_occupancy(occupied, tables, free)
    np.testing.assert_array_equal(result, [[[False, False]], [[True, True]]])


@settings(max_examples=30)
@given(shapes, seeds, st.sampled_from([0.0, 0.2]))
def test_polish_leaves_no_column_whose_emptying_lowers_the_cost(shape, seed, face):
    """Neither alone nor with the flips that are good after it."""
    tables, occupied, index, rng = random_case(shape, seed)
    free = rng.random(shape) < 0.9

    def cost(occupied):
        return total_by_walking(tables, occupied, index) + face * faces(occupied)

    result = polish_occupancy(occupied, tables, free, index, face_cost=face)
    for table in tables[::2]:
        for a, b in np.argwhere(table.is_empty):
            column = reference.column_of(table.view, shape, a, b)
            other = result.copy()
            for voxel in column:
                other[voxel] = False
            if (free | (other == result)).all():
                assert cost(other) > cost(result) - 2e-4
                others = free & (other == result)
                mended = Flips(other, tables, others, index, face_cost=face)
                mended.descend()
                assert cost(mended.occupied) > cost(result) - 2e-4


@settings(max_examples=30)
@given(shapes, seeds, st.sampled_from([0.0, 0.2, 5.0]))
def test_polish_keeps_pairs_equal_and_no_flip_of_both_lowers_the_cost(
    shape, seed, face
):
    tables, occupied, index, rng = random_case(shape, seed)
    mirror = random_mirror(shape, rng)
    occupied = mirror.joined(occupied)
    free = mirror.joined(rng.random(shape) < 0.8)

    def cost(occupied):
        return total_by_walking(tables, occupied, index) + face * faces(occupied)

    result = polish_occupancy(occupied, tables, free, index, mirror, face)
    least = cost(result)
    assert least <= cost(occupied) + 1e-9
    np.testing.assert_array_equal(result[~free], occupied[~free])
    pairs = np.argwhere(mirror.paired & free)
    there = mirror.image(pairs)
    assert (result[tuple(pairs.T)] == result[tuple(there.T)]).all()
    for voxel, image in zip(pairs, there, strict=True):
        assert cost(flipped(flipped(result, voxel), image)) > least - 2e-4


@given(shapes, seeds)
def test_an_antenna_on_the_plane_is_not_made_twice_as_thick(shape, seed):
    rng = np.random.default_rng(seed)
    shape = (2 * shape[0], *shape[1:])
    mirror = Mirror(0, shape[0], (), np.ones(shape, bool))
    tables = random_tables(shape, rng)
    for table in tables:
        table.table[:] = 0  # nothing wants to flip
    occupied = np.zeros(shape, bool)
    occupied[shape[0] // 2] = rng.random(shape[1:]) < 0.5
    free = np.ones(shape, bool)
    result = polish_occupancy(occupied, tables, free, mirror=mirror)
    np.testing.assert_array_equal(result, occupied)


@settings(max_examples=30)
@given(shapes, seeds, st.booleans(), st.sampled_from([0.0, 0.2, 5.0]))
def test_polish_ends_where_no_free_flip_lowers_the_cost(shape, seed, colored, face):
    tables, occupied, index, rng = random_case(shape, seed)
    given_index = index if colored else None
    free = rng.random(shape) < 0.8
    start = occupied.copy()

    def cost(occupied):
        return total_by_walking(tables, occupied, given_index) + face * faces(occupied)

    result = polish_occupancy(occupied, tables, free, given_index, face_cost=face)
    np.testing.assert_array_equal(occupied, start)
    np.testing.assert_array_equal(result[~free], start[~free])
    least = cost(result)
    assert least <= cost(start) + 1e-9
    for ijk in np.argwhere(free):
        assert cost(flipped(result, ijk)) > least - 2e-4
    again = polish_occupancy(start, tables, free, given_index, face_cost=face)
    np.testing.assert_array_equal(again, result)
