import dataclasses

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import joined, mesh_of, turned, unit_frame

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.render.mesh import frame_of
from voxify3d.types import Frame, Material, Mesh

INWARD = 1e-4
"""Faces are moved this far against their normal before they are cut."""


def area_in_voxels(mesh: Mesh, frame: Frame) -> float:
    corners = frame.grid_from_world(mesh.vertices)[mesh.faces]
    turn = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(turn, axis=1).sum() / 2)


def random_triangles(count, shape, seed, spread):
    """Triangles with centers all over the grid; corners may stick out of it."""
    rng = np.random.default_rng(seed)
    center = rng.uniform(0, 1, (count, 1, 3)) * shape
    return center + rng.normal(0, spread, (count, 3, 3))


def moved_in(triangles):
    normal = np.cross(
        triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    )
    length = np.maximum(np.linalg.norm(normal, axis=1), 1e-30)
    return triangles - INWARD * (normal / length[:, None])[:, None]


@settings(max_examples=25)
@given(
    st.tuples(*[st.integers(1, 4)] * 3),
    st.integers(1, 6),
    st.integers(0, 2**31 - 1),
    st.sampled_from([1e-3, 0.1, 1.0, 4.0]),
)
def test_each_voxel_holds_what_cutting_one_by_one_gives(shape, count, seed, spread):
    triangles = random_triangles(count, shape, seed, spread)
    coverage = surface_coverage(mesh_of(triangles), unit_frame(shape))
    expected = reference.area_per_voxel(moved_in(triangles), shape)
    np.testing.assert_allclose(coverage.area, expected, atol=1e-9, rtol=1e-7)


@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.integers(1, 30),
    st.integers(0, 2**31 - 1),
    st.sampled_from([1e-4, 0.03, 0.7, 3.0, 30.0]),
)
def test_no_surface_is_lost_or_counted_twice(shape, count, seed, spread):
    mesh = mesh_of(random_triangles(count, shape, seed, spread))
    frame = unit_frame(shape)
    area = surface_coverage(mesh, frame).area
    assert area.sum() == pytest.approx(area_in_voxels(mesh, frame), rel=1e-6)
    assert (area >= 0).all()


@pytest.mark.parametrize("size", [1, 7, 40, 90])
def test_the_area_of_a_sphere_is_all_there_at_every_size(size):
    mesh = shapes.sphere(2.5, (1e5, -2, 3))
    frame = frame_of(mesh, size)
    area = surface_coverage(mesh, frame).area
    assert area.sum() == pytest.approx(area_in_voxels(mesh, frame), rel=1e-6)
    # the polyhedron's area is under that of the ball, 4πr², by half a percent
    assert area.sum() == pytest.approx(np.pi * size**2, rel=0.01)


def test_points_strewn_over_the_surface_fall_where_the_area_is():
    shape = (5, 6, 4)
    triangles = random_triangles(12, shape, 3, 1.0).clip(0.01, np.array(shape) - 0.01)
    area = surface_coverage(mesh_of(triangles), unit_frame(shape)).area
    steps = 150
    u, v = (np.stack(np.meshgrid(*[np.arange(steps)] * 2), -1).reshape(-1, 2) / steps).T
    u, v = u + 1 / (3 * steps), v + 1 / (3 * steps)
    u, v = u[u + v < 1], v[u + v < 1]
    strewn = np.zeros(shape)
    for a, b, c in triangles:
        points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
        each = np.linalg.norm(np.cross(b - a, c - a)) / 2 / len(u)
        np.add.at(strewn, tuple(points.astype(int).T), each)
    np.testing.assert_allclose(area, strewn, atol=0.03)


@pytest.mark.parametrize("side", [1, 3])
def test_faces_on_voxel_borders_belong_to_the_voxels_they_cover(side):
    # A block of side³ voxels that fills the middle of a larger grid exactly.
    mesh = shapes.box((side, side, side), (2 + side / 2,) * 3)
    area = surface_coverage(mesh, unit_frame((side + 4,) * 3)).area
    inside = np.zeros(area.shape, bool)
    inside[(slice(2, 2 + side),) * 3] = True
    assert (area[~inside] < 1e-3).all()
    # each voxel of the block's hull holds one unit for each side of it that shows
    place = np.indices((side,) * 3)
    shows = ((place == 0).astype(int) + (place == side - 1)).sum(axis=0)
    np.testing.assert_allclose(area[inside].reshape(shows.shape), shows, atol=2e-3)
    assert area.sum() == pytest.approx(6 * side**2, rel=1e-6)


def test_an_object_that_fills_its_grid_touches_nothing_but_its_hull():
    mesh = shapes.box((2, 3, 4))
    coverage = surface_coverage(mesh, frame_of(mesh, 8))
    expected = np.ones((4, 6, 8), bool)
    expected[1:-1, 1:-1, 1:-1] = False
    np.testing.assert_array_equal(coverage.touched, expected)


def test_turning_the_mesh_turns_the_coverage():
    mesh = joined(
        shapes.sphere(1.3, (0.2, 0.1, 0.4), segments=16),
        shapes.box((0.3, 2.4, 0.9), (1.1, 0.6, 0)),
    )
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # (x, y, z) → (z, y, −x)
    one = surface_coverage(mesh, frame_of(mesh, 9)).area
    other = surface_coverage(turned(mesh, turn), frame_of(turned(mesh, turn), 9)).area
    np.testing.assert_allclose(other, one.transpose(2, 1, 0)[:, :, ::-1], atol=1e-6)


def test_one_triangle_over_many_voxels_and_many_triangles_in_one():
    big = mesh_of([[[0, 0, 0.5], [60, 0, 0.5], [0, 60, 0.5]]])
    area = surface_coverage(big, unit_frame((60, 60, 1))).area[..., 0]
    i, j = np.indices((60, 60))
    # whole below the diagonal, half on it, nothing above
    expected = np.select([i + j < 59, i + j == 59], [1, 0.5], 0)
    np.testing.assert_allclose(area, expected, atol=1e-12)
    tiny = shapes.sphere(1e-3, (2.5, 1.5, 0.5))
    area = surface_coverage(tiny, unit_frame((4, 3, 2))).area
    assert np.argwhere(area).tolist() == [[2, 1, 0]]
    assert area.sum() == pytest.approx(4 * np.pi * 1e-6, rel=0.01)


def test_triangles_without_area_change_nothing():
    line = [[0.5, 0.5, 0.5], [2.5, 2.5, 2.5], [1.5, 1.5, 1.5]]
    point = [[1.2, 1.2, 1.2]] * 3
    coverage = surface_coverage(mesh_of([line, point]), unit_frame((3, 3, 3)))
    assert coverage.area.sum() < 1e-9
    assert not coverage.touched.any()
    assert np.isfinite(coverage.lab).all()


def test_colors_are_means_by_area():
    red, blue = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9)
    # In voxel [0, 0, 0]: a red triangle of area 1/2, a blue one of area 1/8.
    mesh = joined(
        mesh_of([[[0, 0, 0.4], [1, 0, 0.4], [0, 1, 0.4]]], red),
        mesh_of([[[0, 0, 0.6], [0.5, 0, 0.6], [0, 0.5, 0.6]]], blue),
        mesh_of([[[1.1, 0.1, 0.5], [1.9, 0.1, 0.5], [1.1, 0.9, 0.5]]], blue),
    )
    coverage = surface_coverage(mesh, unit_frame((2, 1, 1)))
    lab = oklab_from_srgb(np.array([red, blue]))
    mixed = 0.8 * lab[0] + 0.2 * lab[1]
    np.testing.assert_allclose(coverage.lab[0, 0, 0], mixed, atol=1e-3)
    np.testing.assert_allclose(coverage.lab[1, 0, 0], lab[1], atol=1e-5)


def test_cut_out_texels_are_no_surface():
    texture = np.zeros((1, 2, 4), np.uint8)
    texture[0, 0] = (200, 40, 40, 255)  # left half solid, right half cut out
    square = np.array([[0, 0, 0.5], [4, 0, 0.5], [4, 4, 0.5], [0, 4, 0.5]])
    triangles = square[[[0, 1, 2], [0, 2, 3]]]
    mesh = dataclasses.replace(
        mesh_of(triangles),
        materials=(Material(texture=texture, filter="nearest", alpha_mode="mask"),),
        uv=(triangles[..., :2] / 4).astype(np.float32),
    )
    area = surface_coverage(mesh, unit_frame((4, 4, 1))).area[..., 0]
    np.testing.assert_allclose(area[:2], 1, atol=1e-3)
    np.testing.assert_array_equal(area[2:], 0)


@pytest.mark.slow
def test_chunks_do_not_change_the_sum():
    # 150 000 small triangles and a few that cross hundreds of voxels
    shape = (64, 64, 64)
    small = random_triangles(150_000, shape, 0, 0.2)
    large = random_triangles(40, shape, 1, 60.0)
    mesh = mesh_of(np.concatenate([small, large]))
    frame = unit_frame(shape)
    area = surface_coverage(mesh, frame).area
    assert area.sum() == pytest.approx(area_in_voxels(mesh, frame), rel=1e-6)
