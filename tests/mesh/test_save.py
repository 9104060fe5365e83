"""save_glb → load_mesh gives back what was saved."""

from dataclasses import replace

import numpy as np
import pytest

from voxify3d.errors import ExportError
from voxify3d.mesh import shapes
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.types import Material

ALL = [
    shapes.box,
    shapes.half_box,
    shapes.checkered_cube,
    shapes.six_colored_tripod,
    shapes.sphere,
    shapes.plane,
    shapes.triangle,
    sample_character,
]


def points_and_colors(mesh, seed=0):
    """Return points on the mesh in a fixed order of faces, and their colors."""
    from voxify3d.mesh.texture import surface_rgba

    random = np.random.default_rng(seed)
    order = np.lexsort(mesh.vertices[mesh.faces].mean(axis=1).round(5).T)
    face = order[random.integers(0, len(order), 500)]
    corners = mesh.vertices[mesh.faces[face]]
    low = np.argmin((corners.round(5) * (1, 10, 100)).sum(axis=2), axis=1)
    weights = np.full((500, 3), 0.2)
    weights[np.arange(500), low] = 0.6
    points = np.einsum("nk,nkc->nc", weights, corners)
    return points, surface_rgba(mesh, face, weights)


@pytest.mark.parametrize("make", ALL)
def test_saved_shapes_come_back_with_their_colors(make, tmp_path):
    mesh = make()
    save_glb(mesh, tmp_path / "shape.glb")
    again = load_mesh(tmp_path / "shape.glb")
    assert len(again.faces) == len(mesh.faces)
    assert again.notes == ()
    points, colors = points_and_colors(mesh)
    points_again, colors_again = points_and_colors(again)
    np.testing.assert_allclose(points_again, points, atol=1e-6)
    np.testing.assert_allclose(colors_again, colors, atol=2e-6)
    if len(mesh.materials) == 1:
        np.testing.assert_array_equal(again.part, mesh.part)


def test_material_rules_and_corner_colors_come_back(tmp_path):
    material = Material(
        name="leaf",
        base_color=(0.25, 0.5, 0.75, 1.0),
        texture=np.arange(16, dtype=np.uint8).reshape(2, 2, 4),
        wrap=("mirror", "clamp"),
        filter="nearest",
        alpha_mode="mask",
        alpha_cutoff=0.25,
    )
    mesh = replace(
        shapes.plane(),
        materials=(material,),
        uv=np.arange(12, dtype=np.float32).reshape(2, 3, 2),
        color=np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    )
    save_glb(mesh, tmp_path / "leaf.glb")
    again = load_mesh(tmp_path / "leaf.glb")
    found = again.materials[0]
    assert replace(found, texture=None) == replace(material, texture=None)
    np.testing.assert_array_equal(found.texture, material.texture)
    np.testing.assert_array_equal(again.uv, mesh.uv)
    np.testing.assert_array_equal(again.color, mesh.color)


def test_coordinates_of_millions_keep_their_precision(tmp_path):
    mesh = shapes.box((1, 1, 1), (4_000_000.25, -3_000_000.5, 7_000_000.125))
    save_glb(mesh, tmp_path / "far.glb")
    again = load_mesh(tmp_path / "far.glb")
    np.testing.assert_array_equal(again.bounds, mesh.bounds)


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(ExportError, match="cannot be written"):
        save_glb(shapes.triangle(), tmp_path / "no" / "x.glb")
