"""Which way is up, and where the front goes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.orient import (
    front_in_world,
    rotation_from_angles,
    turned,
    upright_from_file,
)
from voxify3d.mesh.settings import LoadConfig
from voxify3d.mesh.shapes import six_colored_tripod
from voxify3d.types import DIRECTIONS, Direction, vector_of

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 0 2\nf 1 2 3\n"
STL = b"solid a\nfacet normal 0 0 0\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n"
STL += b"vertex 0 0 2\nendloop\nendfacet\nendsolid a\n"


@pytest.mark.parametrize("up", DIRECTIONS)
def test_up_becomes_plus_y_by_a_rotation(up: Direction):
    matrix = upright_from_file(up)
    np.testing.assert_array_equal(matrix @ vector_of(up), [0, 1, 0])
    np.testing.assert_array_equal(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_the_front_of_printing_files_comes_to_plus_z():
    np.testing.assert_array_equal(upright_from_file("+z") @ [0, -1, 0], [0, 0, 1])


@pytest.mark.parametrize(
    ("front", "up", "world"),
    [
        ("+z", "+y", "+z"),
        ("-x", "+y", "-x"),
        ("-y", "+z", "+z"),
        ("+y", "+z", "-z"),
        ("+x", "+z", "+x"),
        ("+z", "+z", "+z"),  # the default: not along up
        ("+y", "+y", "+y"),  # of files that are not turned, as ever
    ],
)
def test_the_front_is_named_in_the_files_axes(
    front: Direction, up: Direction, world: Direction
):
    assert front_in_world(front, up) == world


@given(st.tuples(*[st.floats(-720, 720)] * 3))
def test_angles_turn_as_scipy_turns_them(angles):
    expected = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    np.testing.assert_allclose(rotation_from_angles(angles), expected, atol=1e-9)


@pytest.mark.parametrize("angle", [90.0, 180.0, -90.0, 450.0])
def test_quarter_turns_are_exact(angle):
    matrix = rotation_from_angles((angle, 0.0, angle))
    assert set(np.abs(matrix).ravel().tolist()) == {0, 1}


def test_turning_back_gives_the_same_mesh():
    mesh = six_colored_tripod()
    matrix = upright_from_file("+z")
    back = turned(turned(mesh, matrix), matrix.T)
    np.testing.assert_array_equal(back.vertices, mesh.vertices)


@pytest.mark.parametrize(
    ("name", "data", "up", "top"),
    [
        ("a.obj", TRIANGLE.encode(), None, [0, 0, 2]),
        ("a.obj", TRIANGLE.encode(), "+z", [0, 2, 0]),
        ("a.obj", TRIANGLE.encode(), "-z", [0, -2, 0]),
        ("a.stl", STL, None, [0, 2, 0]),
        ("a.stl", STL, "+y", [0, 0, 2]),
    ],
)
def test_formats_of_printers_are_z_up_unless_told(tmp_path, name, data, up, top):
    (tmp_path / name).write_bytes(data)
    mesh = load_mesh(tmp_path / name, LoadConfig(up=up))
    np.testing.assert_array_equal(mesh.vertices[mesh.faces][0][2], top)


def test_rotate_comes_after_up(tmp_path):
    (tmp_path / "a.obj").write_text(TRIANGLE)
    mesh = load_mesh(tmp_path / "a.obj", LoadConfig(up="+z", rotate=(90.0, 0.0, 0.0)))
    np.testing.assert_array_equal(mesh.vertices[mesh.faces][0][2], [0, 0, 2])


def test_the_tree_of_the_shared_meshes_stands(shared_mesh):
    mesh = load_mesh(shared_mesh("kenney-tree.stl"))
    assert np.ptp(mesh.bounds, axis=0).argmax() == 1
