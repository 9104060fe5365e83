import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.mesh.shapes import box, plane, sphere
from voxify3d.metrics.solid import inside
from voxify3d.render.mesh import frame_of
from voxify3d.types import Frame, Mesh, Palette, VoxelGrid
from voxify3d.voxels.surface import mesh_from_voxels


def grid_of(occupied):
    palette = Palette(np.array([[200, 60, 30]], np.uint8))
    frame = Frame((-1.5, 2.0, 10.25), 0.125, occupied.shape)
    return VoxelGrid(occupied.astype(np.uint8), palette, frame)


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 0.9))
def test_the_voxels_of_a_result_come_back(seed, share):
    occupied = np.random.default_rng(seed).random((4, 5, 3)) < share
    occupied[0, 0, 0] = True
    grid = grid_of(occupied)
    np.testing.assert_array_equal(inside(mesh_from_voxels(grid), grid.frame), occupied)


def test_cubes_drawn_one_by_one_are_no_obstacle():
    # Faces between neighbors coincide and are opposite: they cancel.
    occupied = np.ones((3, 2, 2), bool)
    cubes = []
    for ijk in np.argwhere(occupied):
        one = np.zeros_like(occupied)
        one[tuple(ijk)] = True
        cubes.append(mesh_from_voxels(grid_of(one)))
    vertices = np.concatenate([cube.vertices for cube in cubes])
    starts = np.cumsum([0, *(len(cube.vertices) for cube in cubes[:-1])])
    faces = np.concatenate([c.faces + s for c, s in zip(cubes, starts, strict=True)])
    zeros = np.zeros(len(faces), np.int64)
    mesh = Mesh(vertices, faces, zeros, zeros, cubes[0].materials)
    np.testing.assert_array_equal(inside(mesh, grid_of(occupied).frame), occupied)


def test_a_sphere_holds_the_voxels_whose_center_it_holds():
    mesh = sphere()
    frame = frame_of(mesh, 21)
    centers = np.indices(frame.shape).reshape(3, -1).T + 0.5
    low, high = mesh.bounds
    radius = np.linalg.norm(
        frame.world_from_grid(centers) - (low + high) / 2, axis=1
    ).reshape(frame.shape)
    found = inside(mesh, frame)
    sure = np.abs(radius - (high - low).max() / 2) > frame.cell
    expected = radius < (high - low).max() / 2
    np.testing.assert_array_equal(found[sure], expected[sure])


def test_faces_turned_inside_out_count_and_sheets_do_not():
    mesh = box()
    frame = frame_of(mesh, 4)
    turned = Mesh(
        mesh.vertices, mesh.faces[:, ::-1], mesh.material, mesh.part, mesh.materials
    )
    assert inside(mesh, frame).all()
    assert inside(turned, frame).all()
    assert not inside(plane(), frame_of(plane(), 8)).any()


@pytest.mark.parametrize("lost", range(6))
def test_a_box_without_one_side_is_still_a_box(lost):
    mesh = box()
    normal = np.cross(
        mesh.vertices[mesh.faces[:, 1]] - mesh.vertices[mesh.faces[:, 0]],
        mesh.vertices[mesh.faces[:, 2]] - mesh.vertices[mesh.faces[:, 0]],
    )
    side = 2 * np.abs(normal).argmax(axis=1) + (normal.sum(axis=1) > 0)
    keep = side != lost
    assert 0 < keep.sum() < len(keep)
    opened = Mesh(
        mesh.vertices,
        mesh.faces[keep],
        mesh.material[keep],
        mesh.part[keep],
        mesh.materials,
        mesh.uv[keep] if mesh.uv is not None else None,
        mesh.color[keep] if mesh.color is not None else None,
    )
    assert inside(opened, frame_of(mesh, 4)).all()
