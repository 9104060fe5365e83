from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import first_stages, joined, random_art

from voxify3d import load_mesh
from voxify3d.fit.level import level_eyes
from voxify3d.fit.polish import polish
from voxify3d.fit.tables import ViewTable, color_table, cost_table, total_cost
from voxify3d.mesh import shapes
from voxify3d.render.eye import first_occupied
from voxify3d.types import Mesh

MESHES = Path(__file__).parents[3] / "shared" / "meshes"


def head(apart: float, high: float) -> Mesh:
    """A round head with two black eyes that bulge a little."""
    ball = shapes.sphere(8.0, color=(0.95, 0.75, 0.6))
    eyes = []
    for x in (-apart, apart):
        z = 7.9 * np.sqrt(1 - (x * x + high * high) / 64)
        eye = shapes.sphere(0.9, color=(0.05, 0.05, 0.05))
        place = np.array([x, high, z - 0.5])
        eyes.append(replace(eye, vertices=eye.vertices + place))
    return joined(ball, *eyes)


def hidden(occupied, art) -> list[list[int]]:
    """Of both eyes of each pair: cells before whose sides a level face stands out."""
    front = art.pictures[0]
    first = first_occupied(occupied, front.view)
    counts = []
    for pair in art.eyes:
        own = {tuple(cell) for cells in pair for cell in cells.tolist()}
        count = []
        for cells in pair:
            total = 0
            for a, b in cells.tolist():
                for beside in ((a - 1, b), (a + 1, b)):
                    level = abs(front.depth[a, b] - front.depth[beside]) < 0.5
                    before = first[beside] == first[a, b] - 1
                    total += bool(level and before and beside not in own)
            count.append(total)
        counts.append(count)
    return counts


def steps(occupied, art) -> float:
    """What steps cost where the mesh is level, over the whole front."""
    front = art.pictures[0]
    first = first_occupied(occupied, front.view)
    eyes = np.zeros(first.shape, bool)
    for cells in art.eyes[0]:
        eyes[tuple(cells.T)] = True
    total = 0.0
    for axis in (0, 1):
        count = first.shape[axis]
        low, high = (
            np.take(first, r, axis) for r in (range(count - 1), range(1, count))
        )
        step = high - low
        level = np.abs(np.diff(front.depth, axis=axis)) < 0.5
        one, other = (
            np.take(eyes, r, axis) for r in (range(count - 1), range(1, count))
        )
        hides = np.where(step > 0, other & ~one, one & ~other)
        total += np.where(level & (step != 0), np.where(hides, 8.0, 1.0), 0.0).sum()
    return total


@pytest.mark.parametrize("apart", [2.6, 3.1, 3.6])
@pytest.mark.parametrize("size", [14, 16, 18, 20])
def test_both_eyes_of_a_round_head_are_seen_from_aside(apart, size):
    occupancy, art, coverage = first_stages(head(apart, 1.0), size, colors=4)
    index = polish(occupancy.occupied, occupancy, art, coverage)
    assert len(art.eyes) == 1
    assert hidden(index >= 0, art) == [[0, 0]]
    np.testing.assert_array_equal(index, index[::-1])


@pytest.mark.parametrize("size", [40, 48])
def test_both_eyes_of_a_real_face_are_seen_from_aside(size):
    path = MESHES / "skater-male.gltf"
    if not path.exists():
        pytest.skip("needs the shared meshes beside the checkout")
    occupancy, art, coverage = first_stages(load_mesh(path), size, colors=4)
    index = polish(occupancy.occupied, occupancy, art, coverage)
    assert art.eyes
    assert not np.any(hidden(index >= 0, art))


def test_a_nose_that_the_mesh_has_stays():
    nose = shapes.box((1.5, 1.5, 4), (0, 1, 8), (0.95, 0.75, 0.6))
    occupancy, art, coverage = first_stages(joined(head(2.6, 1.0), nose), 20, colors=4)
    index = polish(occupancy.occupied, occupancy, art, coverage)
    assert len(art.eyes) == 1
    front = art.pictures[0]
    first = first_occupied(index >= 0, front.view)
    eyes = np.concatenate(art.eyes[0])
    middle = first[first.shape[0] // 2, eyes[:, 1].min()]
    assert middle < first[tuple(eyes.T)].min() - 1


@given(st.integers(0, 2**31 - 1))
def test_nothing_but_what_is_free_around_eyes_changes(seed):
    rng = np.random.default_rng(seed)
    shape = (7, 6, 5)
    art = random_art(shape, 3, seed)
    depth = rng.integers(0, 4, (7, 6)) / 3
    front = replace(art.pictures[0], depth=depth.astype(np.float32))
    eyes = np.array([[1, 3], [1, 4]]), np.array([[5, 3], [5, 4]])
    art = replace(art, pictures=(front, *art.pictures[1:]), eyes=(eyes,))
    tables = [
        ViewTable(p.view, cost_table(p, shape[p.view.axis], p.filled), color_table(p))
        for p in art.pictures
    ]
    occupied = rng.random(shape) < 0.7
    free = rng.random(shape) < 0.9
    before = occupied.copy()
    after = level_eyes(occupied, tables, free, art)
    np.testing.assert_array_equal(occupied, before)
    changed = after ^ before
    assert not (changed & ~free).any()
    rows = np.flatnonzero(changed.any(axis=(0, 2)))  # rows of the eyes alone
    assert set(rows) <= {3, 4}
    # the views' costs and the steps together fall, or nothing changes
    costs = [total_cost(tables, o) + steps(o, art) for o in (before, after)]
    assert costs[1] < costs[0] if changed.any() else costs[1] == costs[0]


def test_without_it_rounding_hides_them():
    occupancy, art, coverage = first_stages(head(3.1, 1.0), 20, colors=4)
    plain = replace(art, eyes=())
    index = polish(occupancy.occupied, occupancy, plain, coverage)
    level = polish(occupancy.occupied, occupancy, art, coverage)
    assert np.any(hidden(index >= 0, art))
    assert not np.any(hidden(level >= 0, art))
