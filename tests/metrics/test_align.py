import dataclasses

import numpy as np
import pytest
from makers import joined

from voxify3d.config import PRESETS
from voxify3d.mesh import shapes
from voxify3d.metrics.align import aligned
from voxify3d.metrics.baselines import plain
from voxify3d.metrics.judge import Judge
from voxify3d.pipeline import voxelize
from voxify3d.render.mesh import frame_of, frames_of
from voxify3d.types import Mesh
from voxify3d.voxels.surface import mesh_from_voxels

SIZE = 14


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return joined(
        shapes.sphere(2.0, color=(0.9, 0.2, 0.2)),
        shapes.box((1, 4, 1.3), (0.3, 3, 0.2), (0.1, 0.3, 0.9)),
    )


@pytest.fixture(scope="module")
def results(mesh):
    """One result on each grid that holds the mesh, half a voxel beside each other."""
    found = []
    for frame in frames_of(mesh, SIZE):
        size = dataclasses.replace(PRESETS["draft"], size=SIZE, phase="middle")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("voxify3d.render.mesh.frames_of", lambda *_, f=frame: [f])
            found.append(voxelize(mesh, size))
    return found


def test_a_result_is_judged_on_its_own_cells(mesh, results):
    judge = Judge(mesh, frame_of(mesh, SIZE), with_likeness=False)
    assert len(results) == 4
    for grid in results:
        result = mesh_from_voxels(grid)
        own = Judge(mesh, grid.frame, with_likeness=False).judge(result).as_dict()
        found = judge.judge(result).as_dict()
        for name in ("iou", "color_error", "tear", "depth_error", "voxels", "colors"):
            assert found[name] == pytest.approx(own[name], rel=1e-3), name
        assert found["voxels"] == grid.occupied.sum()
        assert found["iou"] > 0.93


def test_other_programs_grids_are_found_too(mesh):
    grid = plain(mesh, SIZE, 4)
    frame = aligned(frame_of(mesh, SIZE), mesh, mesh_from_voxels(grid))
    shift = frame.grid_from_world(np.array(grid.frame.origin))
    assert shift == pytest.approx(shift.round(), abs=1e-6)


def test_what_is_not_made_of_such_cubes_is_judged_on_the_first_grid(mesh, results):
    frame = frame_of(mesh, SIZE)
    assert aligned(frame, mesh, mesh) is frame
    finer = frame_of(mesh, SIZE + 5)
    assert aligned(finer, mesh, mesh_from_voxels(results[1])) is finer
    # and a whole voxel to the side is a mistake, not a grid of its own
    grid = results[0]
    x, y, z = grid.frame.origin
    there = dataclasses.replace(grid.frame, origin=(x + grid.frame.cell, y, z))
    moved = mesh_from_voxels(dataclasses.replace(grid, frame=there))
    assert aligned(frame, mesh, moved) is frame
