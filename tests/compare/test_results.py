import dataclasses

import numpy as np
import pytest
from compare_maker import SIZE

from voxify3d.compare import frame_for, load_result
from voxify3d.errors import ConfigError, MeshError
from voxify3d.export import export, read_voxels
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.shapes import six_colored_tripod
from voxify3d.metrics.align import aligned
from voxify3d.metrics.solid import inside
from voxify3d.render.mesh import frame_of
from voxify3d.types import Frame, Palette, VoxelGrid, opposite


@pytest.fixture(scope="module")
def robot(folder):
    return load_mesh(folder / "robot.glb")


@pytest.mark.parametrize("name", ["robot.vox", "ours.glb"])
def test_our_files_know_their_size_and_place(folder, robot, name):
    result = load_result(folder / name, robot)
    grid = read_voxels(folder / name)
    assert (result.size, result.front) == (SIZE, "+z")
    frame = aligned(frame_for(robot, [result], None, None), robot, result.mesh)
    assert frame.shape == grid.frame.shape
    assert frame.origin == pytest.approx(grid.frame.origin, abs=1e-6)
    assert frame.cell == pytest.approx(grid.frame.cell)
    np.testing.assert_array_equal(inside(result.mesh, frame), grid.occupied)


def test_other_meshes_need_the_size(folder, robot):
    result = load_result(folder / "theirs.obj", robot)
    assert result.size is None
    with pytest.raises(ConfigError, match="give --size"):
        frame_for(robot, [result], None, None)
    assert max(frame_for(robot, [result], 7, None).shape) == 7


def test_two_sizes_need_a_word(folder, robot):
    result = load_result(folder / "robot.vox", robot)
    other = dataclasses.replace(result, size=SIZE + 2)
    with pytest.raises(ConfigError, match=f"{SIZE}, {SIZE + 2}.*--size"):
        frame_for(robot, [result, other], None, None)


@pytest.mark.parametrize("front", ["+z", "-z", "+x", "-y"])
def test_a_foreign_vox_is_turned_and_fitted(tmp_path, front):
    mesh = six_colored_tripod()
    frame = frame_of(mesh, 6, front)
    index = np.zeros(frame.shape, np.uint8)
    index[:, 0, 0] = index[0, :, 0] = index[0, 0, :] = 1
    palette = Palette(np.array([[9, 99, 200]], np.uint8))
    export(VoxelGrid(index, palette, frame), tmp_path / "ours.vox")
    data = (tmp_path / "ours.vox").read_bytes()
    (tmp_path / "theirs.vox").write_bytes(data.replace(b"VX3D", b"ELSE"))
    result = load_result(tmp_path / "theirs.vox", mesh, front)
    assert (result.size, result.front) == (6, front)
    np.testing.assert_array_equal(inside(result.mesh, frame), index > 0)


def test_the_front_comes_from_the_result_unless_given(folder, robot):
    result = dataclasses.replace(load_result(folder / "robot.vox", robot), front="-x")
    assert frame_for(robot, [result], None, None).front == "-x"
    assert frame_for(robot, [result], None, "+z").front == "+z"
    assert opposite("+x") == "-x"


def test_files_that_are_no_results(folder, robot, tmp_path):
    empty = VoxelGrid(
        np.zeros((2, 2, 2), np.uint8),
        Palette(np.zeros((1, 3), np.uint8)),
        Frame((0.0, 0.0, 0.0), 1.0, (2, 2, 2)),
    )
    assert not empty.occupied.any()
    (tmp_path / "bad.vox").write_bytes(b"nothing")
    for name in ("bad.vox", "gone.vox", "gone.glb", "note.txt"):
        with pytest.raises(MeshError, match=name):
            load_result(tmp_path / name, robot)
