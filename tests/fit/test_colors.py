import dataclasses

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import random_art

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.fit import colors
from voxify3d.fit.coarse import view_tables
from voxify3d.fit.colors import (
    color_candidates,
    color_hidden,
    color_surface,
    color_voxels,
    look,
)
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.mirror import Mirror

shapes = st.tuples(*[st.integers(1, 5)] * 3)
seeds = st.integers(0, 2**31 - 1)


def random_case(shape, seed, k=4):
    """Return voxels, pictures with thin parts, and a surface, all of noise."""
    rng = np.random.default_rng(seed)
    art = random_art(shape, k, seed)
    for picture in art.pictures:
        picture.rescued[:] = rng.spawn(1)[0].random(picture.rescued.shape) < 0.2
    occupied = rng.random(shape) < rng.uniform(0.1, 1)
    area = rng.random(shape) * (rng.random(shape) < 0.6)
    near = oklab_from_bytes(art.palette.rgb)[rng.integers(0, k, shape)]
    lab = near + rng.normal(0, 0.02, (*shape, 3))
    coverage = Coverage(area, (lab * (area > 0)[..., None]).astype(np.float32))
    return occupied, art, coverage


def exposed(occupied, ijk):
    """A voxel with an empty or missing neighbor."""
    for axis in range(3):
        for step in (-1, 1):
            beside = list(ijk)
            beside[axis] += step
            if not 0 <= beside[axis] < occupied.shape[axis]:
                return True
            if not occupied[tuple(beside)]:
                return True
    return False


def by_looking(occupied, art, coverage):
    """{voxel: cost of each entry}, {voxel: color} of all that anything is known about.

    The color is the mean of the cells that see it, of its own surface if none does.
    """
    costs, seen = {}, {}
    palette = oklab_from_bytes(art.palette.rgb)
    met = []
    for picture in art.pictures:
        for a, b in np.ndindex(*picture.index.shape):
            d = reference.first_in(occupied, picture.view, a, b)
            column = reference.column_of(picture.view, occupied.shape, a, b)
            if d < len(column) and np.isfinite(picture.depth[a, b]):
                met.append((picture, a, b, d, column[d]))
    thin = {ijk for picture, a, b, _, ijk in met if picture.rescued[a, b]}
    for picture, a, b, d, ijk in met:
        hit = [depth for depth in picture.depths[a, b] if np.isfinite(depth)]
        near = sum(abs(depth - d) <= 1.5 for depth in hit) / len(hit)
        trust = min(max(near / 0.25, 0.1), 1)
        trust *= min(max(2 * float(picture.coverage[a, b]), 0.05), 1)
        cost, color = picture.cost[a, b].astype(float), picture.lab[a, b]
        if ijk in thin and 0 < near < 0.5 and not picture.held[a, b]:
            pairs = zip(picture.depths[a, b], picture.colors[a, b], strict=True)
            color = np.mean([c for depth, c in pairs if abs(depth - d) <= 1.5], axis=0)
            apart = np.linalg.norm(color - palette, axis=1)
            cost = 100 * float(picture.emphasis[a, b]) * apart
        costs[ijk] = costs.get(ijk, np.zeros(len(art.palette))) + trust * cost
        seen.setdefault(ijk, []).append((picture.weight * trust, color))
    lab = {
        ijk: sum(weight * color for weight, color in cells)
        / sum(weight for weight, _ in cells)
        for ijk, cells in seen.items()
    }
    for ijk in map(tuple, np.argwhere(occupied & (coverage.area > 1e-6)).tolist()):
        if exposed(occupied, ijk):
            apart = np.linalg.norm(coverage.lab[ijk] - palette, axis=1)
            before = costs.get(ijk, np.zeros(len(art.palette)))
            costs[ijk] = before + 0.1 * 100 * apart
            lab.setdefault(ijk, coverage.lab[ijk])
    return costs, lab


def energy(label, costs, lab, smoothness):
    """Summed costs, less what equal neighbors of like colors save."""
    total = sum(cost[label[ijk]] for ijk, cost in costs.items())
    voxels = list(costs)
    for number, one in enumerate(voxels):
        for other in voxels[number + 1 :]:
            gap = np.abs(np.subtract(one, other))
            if gap.max() > 1 or gap.sum() > 2 or label[one] != label[other]:
                continue
            strength = 1.0 if gap.sum() == 1 else 0.7
            apart = np.linalg.norm(lab[one] - lab[other])
            total -= smoothness * strength * np.exp(-apart / 0.05)
    return total


@settings(max_examples=40)
@given(shapes, seeds)
def test_without_smoothing_every_voxel_has_its_cheapest_color(shape, seed):
    occupied, art, coverage = random_case(shape, seed)
    label = color_voxels(occupied, art, coverage, smoothness=0.0)
    costs, _ = by_looking(occupied, art, coverage)
    for ijk, cost in costs.items():
        assert cost[label[ijk]] == pytest.approx(cost.min(), abs=1e-4)


@settings(max_examples=40)
@given(shapes, seeds, st.floats(0, 50))
def test_every_voxel_gets_an_entry_and_nothing_else_does(shape, seed, smoothness):
    occupied, art, coverage = random_case(shape, seed)
    label = color_voxels(occupied, art, coverage, smoothness)
    assert (label[~occupied] == -1).all()
    assert ((label[occupied] >= 0) & (label[occupied] < len(art.palette))).all()


@pytest.mark.parametrize("smoothness", [1.0, 10.0, 200.0])
@pytest.mark.parametrize("seed", range(3))
def test_no_sweep_raises_the_energy(monkeypatch, seed, smoothness):
    occupied, art, coverage = random_case((4, 5, 4), seed)
    costs, lab = by_looking(occupied, art, coverage)
    label = color_voxels(occupied, art, coverage, 0.0)
    energies = [energy(label, costs, lab, smoothness)]
    for sweeps in range(1, 13):
        monkeypatch.setattr(colors, "_SWEEPS", sweeps)
        label = color_voxels(occupied, art, coverage, smoothness)
        energies.append(energy(label, costs, lab, smoothness))
    assert (np.diff(energies) <= 1e-4).all()
    if smoothness == 200:
        assert energies[-1] < energies[0] - 1  # it does something
    # and no single voxel would rather have another color
    for ijk in list(costs)[::7]:
        for entry in range(len(art.palette)):
            other = label.copy()
            other[ijk] = entry
            changed = energy(other, costs, lab, smoothness)
            assert changed >= energies[-1] - 1e-4


@settings(max_examples=40)
@given(shapes, seeds, st.floats(0, 20))
def test_twins_share_the_color_that_costs_both_least(shape, seed, smoothness):
    occupied, art, coverage = random_case(shape, seed)
    mirror = Mirror(0, shape[0], (), np.ones(shape, bool))
    if shape[0] % 2:
        mirror.paired[shape[0] // 2] = False
    art = dataclasses.replace(art, mirror=mirror)
    label = color_voxels(occupied, art, coverage, smoothness)
    costs, _ = by_looking(occupied, art, coverage)
    for ijk, cost in costs.items():
        there = tuple(mirror.image(np.array([ijk]))[0].tolist())
        if there not in costs or not mirror.paired[ijk]:
            continue
        assert label[ijk] == label[there]
        if smoothness == 0:
            both = cost + costs[there]
            assert both[label[ijk]] == pytest.approx(both.min(), abs=1e-4)


@pytest.mark.parametrize(
    ("other", "alike"), [(1.0, True), (0.95, True), (0.2, False), (-1.0, False)]
)
def test_eyes_get_one_color_unless_that_costs_far_more(other, alike):
    # A wall seen from the front; one eye wants entry 0, the other as well, or nearly
    # not, or not at all, and smoothing pulls both to entry 1.
    art = random_art((7, 5, 1), 2, seed=0)
    occupied = np.ones((7, 5, 1), bool)
    coverage = Coverage(np.zeros(occupied.shape), np.zeros((*occupied.shape, 3), "f4"))
    for picture in art.pictures:
        picture.cost[:] = 0
        picture.depth[:] = np.inf
    front = art.pictures[0]
    front.coverage[:], front.rescued[:] = 1, False
    front.depth[:] = front.depths[:] = 0
    front.cost[..., 0] = 30
    eyes = np.array([[1, 2]]), np.array([[5, 2]])
    front.cost[1, 2] = 100, 110
    front.cost[5, 2] = 100, 100 + 10 * other
    if other < 0:
        front.cost[1, 2], front.cost[5, 2] = (100, 300), (300, 100)
    paired = dataclasses.replace(art, pairs=((eyes[0], eyes[1]), (eyes[1], eyes[0])))
    label = color_voxels(occupied, paired, coverage, smoothness=0.0)
    assert label[1, 2, 0] == 0
    assert (label[5, 2, 0] == 0) == (other > 0)
    label = color_voxels(occupied, paired, coverage, smoothness=1.0)
    if alike:
        assert label[1, 2, 0] == label[5, 2, 0]
    alone = color_voxels(occupied, art, coverage, smoothness=1.0)
    rest = np.ones(occupied.shape, bool)
    rest[[1, 5], 2] = False
    np.testing.assert_array_equal(label[rest], alone[rest])


def test_smoothing_flattens_a_lone_voxel_but_not_an_edge():
    # A wall of 7 × 7 voxels, seen from the front only: left half one color, right
    # half another, and one speck that costs a little more in the color around it.
    art = random_art((7, 7, 1), 2, seed=0)
    occupied = np.ones((7, 7, 1), bool)
    for picture in art.pictures:
        picture.cost[:] = 0
        picture.depth[:] = picture.depths[:] = 0
        picture.coverage[:] = 1
    wanted = np.zeros((7, 7), int)
    wanted[4:] = 1
    wanted[1, 3] = 1
    front = art.pictures[0]
    front.cost[:] = 40
    front.cost[1, 3] = 12
    np.put_along_axis(front.cost, wanted[..., None], 0, axis=2)
    palette = oklab_from_bytes(art.palette.rgb)
    flat = np.zeros((7, 7, 1), int)
    flat[4:] = 1  # the mesh itself has no speck
    coverage = Coverage(np.ones((7, 7, 1)), palette[flat].astype(np.float32))
    rough = color_voxels(occupied, art, coverage, 0.0)
    np.testing.assert_array_equal(rough[..., 0], wanted)
    smooth = color_voxels(occupied, art, coverage, 5.0)
    np.testing.assert_array_equal(smooth, flat)


def test_what_lies_inside_does_not_bend_an_edge():
    # A wall of 9 × 5 voxels: white under row 2, pink over it, and the row itself is
    # half of either. Behind its middle lies something, in the same voxels.
    art = random_art((9, 5, 1), 2, seed=0)
    for picture in art.pictures:
        picture.cost[:] = 0
        picture.depth[:] = np.inf
    front = art.pictures[0]
    front.depth[:] = front.depths[:] = 0
    front.coverage[:] = 1
    pink, white = oklab_from_bytes(art.palette.rgb)
    edge = (pink + white) / 2
    front.cost[:, 3:] = 0, 100
    front.cost[:, 2] = 36, 35.5
    front.cost[:, :2] = 100, 0
    front.lab[:, 3:], front.lab[:, 2], front.lab[:, :2] = pink, edge, white
    lab = front.lab[:, :, None].copy()
    lab[4:6, 2:] = edge + np.array([0, 0, 0.3])
    occupied = np.ones((9, 5, 1), bool)
    index = color_voxels(occupied, art, Coverage(np.ones(occupied.shape), lab), 5.0)
    np.testing.assert_array_equal(index[..., 0], [[1, 1, 1, 0, 0]] * 9)


@settings(max_examples=40)
@given(shapes, seeds)
def test_voxels_that_may_come_have_the_color_that_their_cells_want(shape, seed):
    occupied, art, coverage = random_case(shape, seed)
    rng = np.random.default_rng(seed)
    free = rng.random(shape) < 0.8
    index = color_surface(occupied, art, coverage)
    tables = view_tables(art, shape, np.zeros(shape, bool))
    result = color_candidates(index, occupied, free, tables)
    np.testing.assert_array_equal(result >= 0, occupied | free)
    now = color_voxels(occupied, art, coverage)
    np.testing.assert_array_equal(result[occupied], now[occupied])
    nearest = color_hidden(index, np.ones(shape, bool))
    for ijk in np.argwhere(free & ~occupied):
        wanted = np.zeros(len(art.palette))
        seen = False
        for table, picture in zip(tables, art.pictures, strict=True):
            a, b = (n for i, n in enumerate(ijk) if i != table.view.axis)
            column = reference.column_of(table.view, shape, a, b)
            d = column.index(tuple(ijk))
            before = d < reference.first_in(occupied, table.view, a, b)
            if before and picture.filled[a, b]:
                wanted += table.colors[a, b, :-1]
                seen = True
        if free[tuple(ijk)] and seen:
            assert wanted[result[tuple(ijk)]] == pytest.approx(wanted.min(), abs=1e-4)
        else:
            assert result[tuple(ijk)] == nearest[tuple(ijk)]


@given(shapes, seeds)
def test_hidden_voxels_take_the_color_of_one_of_the_nearest(shape, seed):
    rng = np.random.default_rng(seed)
    occupied = rng.random(shape) < 0.8
    index = np.where(
        occupied & (rng.random(shape) < 0.3), rng.integers(0, 9, shape), -1
    )
    result = color_hidden(index, occupied)
    known = np.argwhere(index >= 0)
    for ijk in np.argwhere(occupied):
        if not len(known):
            assert result[tuple(ijk)] == 0
            continue
        far = ((known - ijk) ** 2).sum(axis=1)
        near = {int(index[tuple(at)]) for at in known[far == far.min()]}
        assert result[tuple(ijk)] in near
    np.testing.assert_array_equal(result[~occupied], index[~occupied])


@pytest.mark.parametrize(("near", "share"), [(9, 1), (3, 1), (2, 8 / 9), (0, 0.1)])
def test_a_cell_counts_by_how_much_of_its_surface_lies_where_it_sees(near, share):
    occupied, art, _ = random_case((1, 1, 9), seed=3)
    occupied[:] = False
    occupied[0, 0, 4] = True  # +z: voxel 4 of 9 has four empty ones before it
    front = art.pictures[0]
    front.coverage[:], front.rescued[:] = 1, False
    for picture in art.pictures[1:]:
        picture.depth[:] = np.inf
    front.depths[..., :near] = 5.4
    front.depths[..., near:] = 6.0
    front.depth[:] = 5.4 if near > 4 else 6.0
    seen = look(occupied, art)
    wanted = share * front.cost[0, 0]
    np.testing.assert_allclose(seen.cost[0, 0, 4], wanted, rtol=1e-6)
    assert seen.weight[0, 0, 4] == pytest.approx(share * front.weight)
    np.testing.assert_allclose(seen.lab[0, 0, 4], front.lab[0, 0], atol=1e-6)


def test_a_thin_part_has_its_own_color_before_something_else():
    """As a white post before an orange door, which fills most of its cells."""
    occupied, art, _ = random_case((1, 1, 9), seed=3)
    occupied[:] = False
    occupied[0, 0, 4] = True
    front = art.pictures[0]
    front.coverage[:], front.rescued[:], front.held[:] = 1, True, False
    for picture in art.pictures[1:]:
        picture.depth[:] = np.inf
    front.depths[..., :2], front.depths[..., 2:], front.depth[:] = 4.4, 8.0, 8.0
    front.colors[..., :2, :], front.colors[..., 2:, :] = (0.9, 0, 0), (0.6, 0.1, 0.1)
    seen = look(occupied, art)
    np.testing.assert_allclose(seen.lab[0, 0, 4], (0.9, 0, 0), atol=1e-6)
    apart = np.linalg.norm((0.9, 0, 0) - oklab_from_bytes(art.palette.rgb), axis=1)
    assert seen.cost[0, 0, 4].argmin() == apart.argmin()
    front.held[:] = True  # an eye keeps what it was given
    held = look(occupied, art)
    np.testing.assert_allclose(held.lab[0, 0, 4], front.lab[0, 0], atol=1e-6)
