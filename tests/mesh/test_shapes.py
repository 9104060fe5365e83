"""What the generated shapes promise."""

import numpy as np
import pytest
import trimesh
from gltf_maker import middle_rgba

from voxify3d.mesh import shapes
from voxify3d.mesh.sample import sample_character
from voxify3d.types import DIRECTIONS, axis_of, sign_of

CLOSED = [
    shapes.box,
    shapes.half_box,
    shapes.checkered_cube,
    shapes.six_colored_tripod,
    shapes.sphere,
]


@pytest.mark.parametrize("make", CLOSED)
def test_solid_shapes_are_closed_and_face_outwards(make):
    mesh = make()
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0
    assert mesh.notes == ()


def test_box_has_the_size_and_center_asked_for():
    mesh = shapes.box((1, 2, 3), (10, 20, 30))
    assert mesh.bounds.tolist() == [[9.5, 19.0, 28.5], [10.5, 21.0, 31.5]]


def test_half_box_is_black_on_the_left_and_white_on_the_right():
    mesh = shapes.half_box()
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    gray = middle_rgba(mesh)[:, 0].round(6)
    np.testing.assert_array_equal(gray, (middle[:, 0] > 0).astype(np.float32))
    assert (mesh.vertices[mesh.faces][..., 0].min(1) * (middle[:, 0] > 0) >= 0).all()


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_checkered_cube_alternates_in_all_three_directions(cells):
    mesh = shapes.checkered_cube(cells)
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inside = corners.mean(axis=1) - 0.1 * normal + cells / 2
    parity = np.floor(inside).astype(int).sum(axis=1) % 2
    np.testing.assert_array_equal(middle_rgba(mesh)[:, 0].round(6), parity)


def test_tripod_has_each_color_and_length_on_its_own_side():
    mesh = shapes.six_colored_tripod()
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    rgb = middle_rgba(mesh)[:, :3]
    for limb, direction in enumerate(DIRECTIONS):
        reach = (middle * sign_of(direction))[:, axis_of(direction)]
        assert reach.max() == shapes.TRIPOD_LENGTHS[limb] + 0.5
        tip = rgb[reach.argmax()]
        np.testing.assert_allclose(tip, shapes.TRIPOD_COLORS[limb], atol=1e-6)


def test_sphere_vertices_lie_on_it():
    mesh = shapes.sphere(2.0, (1, 2, 3))
    distance = np.linalg.norm(mesh.vertices - (1, 2, 3), axis=1)
    np.testing.assert_allclose(distance, 2.0)


@pytest.mark.parametrize("make", [shapes.plane, shapes.triangle])
def test_flat_shapes_face_the_front(make):
    mesh = make()
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normal[:, 2] > 0).all()
    assert np.ptp(mesh.vertices[:, 2]) == 0


def test_sample_character_is_clean_and_the_same_every_time():
    first, second = sample_character(), sample_character()
    assert first.notes == ()
    np.testing.assert_array_equal(first.vertices, second.vertices)
    one, two = first.materials[0].texture, second.materials[0].texture
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one, two)


def test_sample_character_is_asymmetric_and_turned_outwards():
    mesh = sample_character()
    low, high = mesh.bounds
    assert abs(low[0] + high[0]) > 0.2
    for part in range(mesh.part.max() + 1):
        faces = mesh.faces[mesh.part == part]
        assert trimesh.Trimesh(mesh.vertices, faces).volume > 0, part
