import numpy as np
import pytest
from makers import joined

from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.colors import color_hidden
from voxify3d.fit.polish import polish
from voxify3d.fit.tables import total_cost
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh


@pytest.fixture(scope="module")
def case():
    mesh = joined(
        shapes.sphere(2.0, color=(0.9, 0.2, 0.2)),
        shapes.box((1, 4, 1), (0.3, 3, 0.2), (0.1, 0.3, 0.9)),
        shapes.box((5, 0.2, 3), (0, -2, 0), (0.2, 0.7, 0.2)),
    )
    frame = frame_of(mesh, 14)
    art = pixelize(render_mesh(mesh, frame, 6), 4)
    coverage = surface_coverage(mesh, frame)
    return coarse_occupancy(coverage, art), art, coverage


def cost_of(index, occupancy):
    everywhere = np.ones(index.shape, bool)
    return total_cost(occupancy.tables, index >= 0, color_hidden(index, everywhere))


def test_every_voxel_has_an_entry_and_locked_ones_stay(case):
    occupancy, art, coverage = case
    index = polish(occupancy.occupied, occupancy, art, coverage)
    assert (index[occupancy.locked] >= 0).all()
    assert index.max() < len(art.palette)
    assert index.min() == -1
    assert occupancy.locked.any()


def test_what_may_not_change_does_not(case):
    occupancy, art, coverage = case
    index = polish(occupancy.occupied, occupancy, art, coverage, min_part=0)
    fixed = ~occupancy.free
    np.testing.assert_array_equal((index >= 0)[fixed], occupancy.occupied[fixed])


def test_a_spoilt_start_comes_back_nearly_as_good(case):
    occupancy, art, coverage = case
    good = polish(occupancy.occupied, occupancy, art, coverage)
    rng = np.random.default_rng(0)
    spoilt = occupancy.occupied ^ (occupancy.free & (rng.random(good.shape) < 0.1))
    before = cost_of(np.where(spoilt, good.clip(0), -1), occupancy)
    after = cost_of(polish(spoilt, occupancy, art, coverage), occupancy)
    least = cost_of(good, occupancy)
    assert least <= after < least + 0.2 * (before - least)
