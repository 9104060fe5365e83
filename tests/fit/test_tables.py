import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import random_art
from table_maker import (
    flipped,
    random_case,
    random_mirror,
    total_by_walking,
)

from voxify3d.fit.occupancy import polish_occupancy
from voxify3d.fit.tables import (
    ViewTable,
    color_table,
    cost_table,
    depth_cost,
    total_cost,
)
from voxify3d.render.eye import Sight
from voxify3d.render.views import six_views
from voxify3d.types import View

shapes = st.tuples(*[st.integers(1, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


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
