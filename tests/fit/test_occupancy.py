import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import random_art
from scipy import ndimage

from voxify3d.fit.flips import Flips
from voxify3d.fit.occupancy import ADOPTED, adopt, polish_occupancy
from voxify3d.fit.tables import (
    ViewTable,
    color_table,
    cost_table,
    depth_cost,
    total_cost,
)
from voxify3d.pixelart.mirror import Mirror
from voxify3d.render.eye import Sight
from voxify3d.render.views import six_views
from voxify3d.types import View

shapes = st.tuples(*[st.integers(1, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


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


@given(shapes, seeds, st.booleans())
def test_the_total_is_what_walking_down_every_column_adds_up(shape, seed, colored):
    tables, occupied, index, _ = random_case(shape, seed)
    given_index = index if colored else None
    expected = total_by_walking(tables, occupied, given_index)
    assert total_cost(tables, occupied, given_index) == pytest.approx(expected)


@settings(max_examples=30)
@given(shapes, seeds, st.booleans())
def test_the_change_of_every_flip_is_the_difference_of_two_totals(shape, seed, colored):
    tables, occupied, index, _ = random_case(shape, seed)
    given_index = index if colored else None
    ijk = np.argwhere(np.ones(shape))
    change = np.zeros(len(ijk))
    for table in tables:
        change += table.change(Sight(occupied, table.view), ijk, given_index)
    before = total_by_walking(tables, occupied, given_index)
    for voxel, found in zip(ijk, change, strict=True):
        after = total_by_walking(tables, flipped(occupied, voxel), given_index)
        assert found == pytest.approx(after - before, abs=1e-5)


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


@settings(max_examples=30)
@given(shapes, seeds, st.booleans())
def test_the_change_of_every_pair_is_the_difference_of_two_totals(shape, seed, colored):
    tables, occupied, index, rng = random_case(shape, seed)
    mirror = random_mirror(shape, rng)
    given_index = index if colored else None
    ijk = np.argwhere(mirror.paired)
    change = np.zeros(len(ijk))
    for table in tables:
        change += table.change_of_pairs(
            Sight(occupied, table.view), ijk, mirror, given_index
        )
    before = total_by_walking(tables, occupied, given_index)
    for voxel, there, found in zip(ijk, mirror.image(ijk), change, strict=True):
        both = flipped(flipped(occupied, voxel), there)
        after = total_by_walking(tables, both, given_index)
        assert found == pytest.approx(after - before, abs=1e-5)


@settings(max_examples=30)
@given(shapes, seeds, st.booleans())
def test_the_change_of_many_is_the_difference_of_two_totals(shape, seed, colored):
    tables, occupied, index, rng = random_case(shape, seed)
    given_index = index if colored else None
    ijk = np.argwhere(rng.random(shape) < rng.random())
    after = occupied.copy()
    after[tuple(ijk.T)] ^= True
    change = sum(t.change_of_all(occupied, ijk, given_index) for t in tables)
    gain = total_by_walking(tables, after, given_index)
    gain -= total_by_walking(tables, occupied, given_index)
    assert change == pytest.approx(gain, abs=1e-5)


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
@given(shapes, seeds, st.booleans(), st.sampled_from([0.0, 0.2, 5.0]))
def test_an_attempt_is_better_or_leaves_no_trace(shape, seed, mirrored, face):
    tables, occupied, index, rng = random_case(shape, seed)
    mirror = random_mirror(shape, rng) if mirrored else None
    if mirror is not None:
        occupied = mirror.joined(occupied)
    free = np.ones(shape, bool)

    def cost(occupied):
        return total_by_walking(tables, occupied, index) + face * faces(occupied)

    flips = Flips(occupied, tables, free, index, mirror, face)
    flips.descend()
    for _ in range(3):
        before, change = flips.occupied.copy(), flips.change
        is_better = flips.attempt(np.argwhere(rng.random(shape) < 0.2))
        gain = cost(flips.occupied) - cost(before)
        assert flips.change - change == pytest.approx(gain, abs=1e-4)
        if not is_better:
            np.testing.assert_array_equal(flips.occupied, before)
            assert flips.change == change
        assert (gain < 0) == is_better
        assert not len(flips.best())


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


@given(shapes, seeds)
def test_flips_made_at_once_do_not_interact(shape, seed):
    tables, occupied, index, rng = random_case(shape, seed)
    free = rng.random(shape) < 0.7
    ijk = np.argwhere(free)
    change = np.zeros(len(ijk))
    for table in tables:
        change += table.change(Sight(occupied, table.view), ijk, index)
    flips = Flips(occupied, tables, free, index)
    chosen = flips.best()
    for axis in range(3):
        columns = np.delete(chosen, axis, axis=1)
        assert len(np.unique(columns, axis=0)) == len(columns)
    worth = {tuple(voxel): gain for voxel, gain in zip(ijk, change, strict=True)}
    expected = [worth[tuple(voxel)] for voxel in chosen]
    if (change < -1e-4).any():
        assert min(expected) == change.min()  # the best flip is always made
    else:
        assert not expected
    flips.make(chosen)
    gain = total_by_walking(tables, flips.occupied, index)
    gain -= total_by_walking(tables, occupied, index)
    assert gain == pytest.approx(sum(expected), abs=1e-5)


@settings(max_examples=30)
@given(shapes, seeds, st.booleans(), st.sampled_from([0.0, 0.2, 5.0]))
def test_after_any_flips_the_best_ones_are_those_of_a_new_look(
    shape, seed, mirrored, face
):
    tables, occupied, index, rng = random_case(shape, seed)
    mirror = random_mirror(shape, rng) if mirrored else None
    free = np.ones(shape, bool)
    flips = Flips(occupied, tables, free, index, mirror, face)
    for _ in range(3):
        some = rng.random(shape) < 0.3
        if mirror is not None:  # equal pairs stay so: they flip together
            pairs = np.argwhere(mirror.paired)
            some[tuple(pairs.T)] |= some[tuple(mirror.image(pairs).T)]
        flips.make(np.argwhere(some))
        new = Flips(flips.occupied, tables, free, index, mirror, face)
        np.testing.assert_array_equal(flips.best(), new.best())


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


def test_every_round_of_flips_lowers_the_cost():
    tables, occupied, index, _ = random_case((6, 7, 8), seed=4)
    flips = Flips(occupied, tables, np.ones(occupied.shape, bool), index)
    totals = [total_by_walking(tables, occupied, index)]
    while len(chosen := flips.best()):
        flips.make(chosen)
        totals.append(total_by_walking(tables, flips.occupied, index))
        assert totals[0] + flips.change == pytest.approx(totals[-1], abs=1e-4)
    assert (np.diff(totals) < 0).all()
    assert len(totals) > 3


def test_depth_costs_are_known_for_a_flat_surface():
    depths, part = np.full((1, 1, 4), 2.0, np.float32), np.full((1, 1), 0.9, np.float32)
    # before the surface: its distance, over 2 a twentieth of it; behind: 1.25 times it,
    # at most 3.5, and 3 more from 1.5 on
    expected = [2, 1, 0, 1.25, 5.5, 6.5, 6.5, 6.5]
    assert depth_cost(depths, 7, part)[0, 0].tolist() == expected
    # where no edge is in the cell, a hole costs 16 more
    expected = [2, 1, 0, 1.25, 18.5, 19.5, 19.5, 19.5]
    assert depth_cost(depths, 7, part + 0.1)[0, 0].tolist() == expected
    deep = depth_cost(depths + 5, 7, part)[0, 0]
    expected = [2.25, 2.2, 2.15, 2.1, 2.05, 2, 1, 0]
    np.testing.assert_allclose(deep, expected, rtol=1e-6)
    nothing = np.full((1, 1, 4), np.inf, np.float32)
    assert not depth_cost(nothing, 7, part).any()


def depth_cost_by_loop(depths, length, coverage):
    hits = sorted(float(d) for d in depths if np.isfinite(d))
    costs = []
    for d in range(length + 1):
        parts = []
        for quantile in range(8):
            if not hits:
                continue
            surface = hits[int(len(hits) * (quantile + 0.5) / 8)]
            gap = surface - d
            before = min(gap, 2.0) + 0.05 * max(gap - 2.0, 0.0)
            parts.append(before if gap >= 0 else min(-1.25 * gap, 3.5))
        cost = sum(parts) / 8
        if hits and d - hits[int(len(hits) * 3.5 / 8)] > 1.5:  # it is a hole
            cost += 16.0 if coverage >= 0.95 else 3.0
        costs.append(cost)
    return costs


@given(seeds, st.integers(1, 9), st.integers(1, 6))
def test_depth_costs_are_those_of_a_loop_over_quantiles(seed, samples, length):
    rng = np.random.default_rng(seed)
    depths = rng.uniform(0, length, (2, 3, samples))
    depths[rng.random(depths.shape) < rng.random()] = np.inf
    depths = depths.astype(np.float32)
    coverage = rng.choice(np.array([0.3, 0.94, 0.96, 1], np.float32), (2, 3))
    table = depth_cost(depths, length, coverage)
    for a, b in np.ndindex(2, 3):
        expected = depth_cost_by_loop(depths[a, b], length, coverage[a, b])
        np.testing.assert_allclose(table[a, b], expected, atol=1e-5)


def test_a_thick_bump_is_taken_off_down_to_the_surface():
    shape = (3, 3, 9)
    depths = np.full((3, 3, 4), 6.0, np.float32)
    bump = np.ones(shape, bool)
    bump[:, :, 3:] = False  # the surface
    bump[1, 1] = True
    front, *_ = six_views()
    colors = np.zeros((3, 3, 1), np.float32)
    whole = np.ones((3, 3), np.float32)
    tables = [ViewTable(front, depth_cost(depths, 9, whole), colors)]
    free = np.ones(shape, bool)
    found = polish_occupancy(bump, tables, free)
    assert found[1, 1].tolist() == [True] * 3 + [False] * 6


def test_the_order_of_samples_does_not_matter():
    rng = np.random.default_rng(0)
    depths = rng.uniform(0, 5, (3, 3, 16)).astype(np.float32)
    mixed = rng.permuted(depths, axis=-1)
    half = np.full((3, 3), 0.5, np.float32)
    np.testing.assert_array_equal(
        depth_cost(depths, 5, half), depth_cost(mixed, 5, half)
    )


def test_a_filled_cell_pays_for_nothing_and_an_empty_one_for_something():
    picture = random_art((4, 5, 6), 3, seed=1).pictures[0]
    filled = picture.filled
    table = cost_table(picture, 6, filled)
    assert (table[~filled][:, 6] == 0).all()
    assert (table[~filled][:, :6] > 2).all()
    # half covered is uncertain and costs half as much as nearly covered; without an
    # edge in it an empty cell is a hole
    sure, whole = 0.5 + np.abs(picture.coverage - 0.5), picture.coverage >= 0.95
    expected = np.where(whole, 16, 7 * sure)[filled]
    np.testing.assert_allclose(table[filled][:, 6], expected, rtol=1e-6)
    assert whole[filled].any()
    assert not whole[filled].all()
    np.testing.assert_array_equal(
        table[filled][:, :6],
        depth_cost(picture.depths, 6, picture.coverage)[filled][:, :6],
    )


def test_color_costs_are_what_a_color_costs_more_than_the_best():
    picture = random_art((4, 5, 6), 3, seed=2).pictures[2]
    table = color_table(picture)
    for a, b in np.ndindex(*picture.index.shape):
        if picture.index[a, b] < 0:
            assert (table[a, b] == 0).all()
            continue
        # weights of views and cells are taken out again
        plain = picture.cost[a, b] / picture.emphasis[a, b]
        expected = 0.06 * np.minimum(plain - plain.min(), 30)
        np.testing.assert_allclose(table[a, b], expected, rtol=1e-4, atol=1e-6)
        assert table[a, b, picture.index[a, b]] == 0


def test_distance_counts_from_the_eye():
    table = np.zeros((2, 3, 5), np.float32)
    colors = np.zeros((2, 3, 1), np.float32)
    ijk = np.array([[0, 1, 3], [1, 2, 0]])
    near = ViewTable(View("front", "+z", "+x", "-y"), table, colors)
    far = ViewTable(View("back", "-z", "-x", "-y"), table, colors)
    assert near.distance(ijk).tolist() == [0, 3]
    assert far.distance(ijk).tolist() == [3, 0]
    assert [at.tolist() for at in near.cell(ijk)] == [[0, 1], [1, 2]]
