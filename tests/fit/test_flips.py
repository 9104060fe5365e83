import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_maker import (
    faces,
    random_case,
    random_mirror,
    total_by_walking,
)

from voxify3d.fit.flips import Flips
from voxify3d.render.eye import Sight

shapes = st.tuples(*[st.integers(1, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


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
