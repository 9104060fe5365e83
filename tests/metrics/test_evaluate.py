"""Damage a good result on purpose: what should drop, drops."""

import dataclasses
import functools

import numpy as np
import pytest
from makers import joined

from voxify3d import PRESETS, voxelize
from voxify3d.mesh import shapes
from voxify3d.mesh.sample import sample_character
from voxify3d.metrics.baselines import plain
from voxify3d.metrics.cells import see
from voxify3d.metrics.evaluate import Scores, evaluate
from voxify3d.render.mesh import frame_of
from voxify3d.types import VoxelGrid
from voxify3d.voxels.surface import mesh_from_voxels

SIZE = 24


@functools.cache
def converted() -> VoxelGrid:
    config = dataclasses.replace(PRESETS["draft"], size=SIZE, colors=8)
    return voxelize(sample_character(), config)


def scores(grid: VoxelGrid) -> Scores:
    return evaluate(sample_character(), mesh_from_voxels(grid), grid.frame)


@functools.cache
def honest() -> Scores:
    return scores(converted())


def damaged(index) -> Scores:
    return scores(converted().with_index(np.ascontiguousarray(index)))


def test_an_honest_result_scores_well():
    found = honest()
    assert found.iou > 0.95
    assert found.color_error < 8
    assert found.detail > 0.8
    assert found.features > 0.8
    assert found.tear < 0.02
    assert found.speckle < 0.03
    assert found.depth_error < 0.6


def test_a_mesh_compared_with_itself_is_perfect():
    mesh = sample_character()
    found = evaluate(mesh, mesh, frame_of(mesh, 16))
    assert (found.iou, found.detail, found.features) == pytest.approx((1, 1, 1))
    assert found.color_error == found.tear == found.speckle == found.depth_error == 0
    # not in `invented`: the mean of a cell with an edge is no color of the cell


def test_voxel_art_of_a_voxel_model_is_perfect():
    mesh = shapes.checkered_cube(6)
    config = dataclasses.replace(PRESETS["draft"], size=6, colors=2)
    grid = voxelize(mesh, config)
    found = evaluate(mesh, mesh_from_voxels(grid), grid.frame)
    assert found.iou == 1
    assert found.color_error < 1e-3
    assert found.detail == pytest.approx(1)
    assert (found.invented, found.tear, found.speckle) == (0, 0, 0)
    assert found.depth_error < 1e-5


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_by_one_voxel_is_noticed(axis):
    found = damaged(np.roll(converted().index, 1, axis=axis))
    assert found.iou < honest().iou - 0.02
    assert found.depth_error > honest().depth_error + 0.2
    if axis != 2:  # along the line of sight the front looks the same
        assert found.detail < honest().detail - 0.2
        assert found.color_error > honest().color_error + 1
        assert found.features < honest().features - 0.1


def test_a_mirror_image_is_noticed():
    # One arm is raised and the satchel hangs on one side.
    found = damaged(converted().index[::-1])
    assert found.iou < honest().iou - 0.1
    assert found.color_error > honest().color_error + 1
    assert found.detail < honest().detail - 0.1
    assert found.depth_error > honest().depth_error + 0.3


def test_swapped_colors_are_noticed_and_the_shape_is_not_blamed():
    grid = converted()
    lightest, darkest = len(grid.palette), 1
    swapped = grid.index.copy()
    swapped[grid.index == lightest] = darkest
    swapped[grid.index == darkest] = lightest
    found = damaged(swapped)
    assert found.color_error > honest().color_error + 3
    assert found.detail < honest().detail - 0.2
    assert found.features < honest().features
    assert found.invented > honest().invented + 0.05
    assert (found.iou, found.tear) == (honest().iou, honest().tear)


def test_salt_is_noticed():
    grid = converted()
    rng = np.random.default_rng(0)
    salted = grid.index.copy()
    salt = grid.occupied & (rng.random(salted.shape) < 0.02)
    salted[salt] = rng.integers(1, len(grid.palette) + 1, int(salt.sum()))
    found = damaged(salted)
    assert found.speckle > honest().speckle + 0.005
    assert found.color_error > honest().color_error
    assert found.invented > honest().invented
    assert found.iou == honest().iou


def test_a_lost_arm_is_noticed():
    grid = converted()
    at = grid.frame.grid_from_world(np.array([-0.45, 0.5, 0.0]))
    gone = grid.index.copy()
    gone[: int(at[0]), int(at[1]) :] = 0  # raised arm, flag and pole
    assert 0 < (grid.index > 0).sum() - (gone > 0).sum() < 0.2 * grid.occupied.sum()
    found = damaged(gone)
    assert found.iou < honest().iou - 0.005
    assert found.features < honest().features - 0.03


def test_a_hole_through_a_sheet_is_a_tear():
    mesh = joined(shapes.box((8, 8, 0.2)), shapes.box((8, 8, 2), (0, 0, -6)))
    config = dataclasses.replace(PRESETS["draft"], size=8, colors=2)
    grid = voxelize(mesh, config)
    whole = evaluate(mesh, mesh_from_voxels(grid), grid.frame)
    torn = grid.index.copy()
    torn[3:5, 3:5, -1] = 0
    found = evaluate(mesh, mesh_from_voxels(grid.with_index(torn)), grid.frame)
    assert whole.tear == 0
    # four of the cells that the mesh and the result fill in all six views
    cells = sum(int(view.filled.sum()) for view in see(mesh, grid.frame))
    assert found.tear == pytest.approx(4 / cells, rel=0.35)


def test_the_plain_baseline_is_worse_where_it_is_known_to_be():
    mesh = sample_character()
    grid = plain(mesh, SIZE, 8)
    assert len(grid.palette) <= 8
    found = evaluate(mesh, mesh_from_voxels(grid), converted().frame)
    assert found.iou < honest().iou - 0.1  # one voxel too fat all around
    assert found.color_error > honest().color_error
    assert found.detail < honest().detail


def test_the_plain_baseline_lies_over_the_mesh():
    mesh = shapes.box((4, 2, 3), (10, 20, 30))
    grid = plain(mesh, 8, 2)
    filled = np.argwhere(grid.occupied)
    low = grid.frame.world_from_grid(filled.min(axis=0).astype(float))
    high = grid.frame.world_from_grid(filled.max(axis=0) + 1.0)
    cell = grid.frame.cell
    assert cell == pytest.approx(0.5)
    assert (low > mesh.bounds[0] - 1.01 * cell).all()
    assert (low <= mesh.bounds[0] + 1e-9).all()
    assert (high < mesh.bounds[1] + 1.01 * cell).all()
    assert (high >= mesh.bounds[1] - 1e-9).all()
    np.testing.assert_allclose((low + high) / 2, mesh.bounds.mean(axis=0), atol=cell)
