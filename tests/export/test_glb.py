import base64
import io
import json
import struct
import warnings

import numpy as np
import pytest
import trimesh
from grids import (
    FRONTS,
    faces_of_triangles,
    faces_of_voxels,
    grid_of,
    random_grid,
    read_in_node,
    six_colored,
    tripod,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from voxify3d.errors import ExportError, MeshError, VoxifyError
from voxify3d.export import export, read_voxels
from voxify3d.export.gltf import glb_bytes, grid_from_glb
from voxify3d.types import Frame, Palette, VoxelGrid

CASES = {
    "tripod": lambda: grid_of(tripod()),
    "one-voxel": lambda: grid_of(np.ones((1, 1, 1), np.uint8)),
    "even": lambda: random_grid((4, 6, 2), 5, seed=1),
    "odd": lambda: random_grid((5, 7, 3), 6, seed=2),
    "255-colors": lambda: random_grid((9, 8, 7), 255, seed=3, share=1.0),
    "257-wide": lambda: random_grid((257, 3, 2), 4, seed=5),
    "six-colored": lambda: grid_of(six_colored(), front="-x", manifest={"seed": 1}),
}
cases = pytest.mark.parametrize("case", CASES)


def document_of(data):
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])


def colors_by_voxel(grid):
    return {
        tuple(ijk.tolist()): tuple(grid.palette.rgb[grid.index[tuple(ijk)] - 1])
        for ijk in np.argwhere(grid.index)
    }


def covered(index):
    """Voxels all of whose six neighbors are filled."""
    padded = np.pad(index > 0, 1)
    inner = np.ones(index.shape, bool)
    for axis in range(3):
        for step in (1, -1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return inner


@cases
def test_a_grid_survives_export_and_reload(case, tmp_path):
    grid = CASES[case]()
    back = read_voxels(export(grid, tmp_path / "a.glb"))
    np.testing.assert_array_equal(back.occupied, grid.occupied)
    seen = ~covered(grid.index)
    np.testing.assert_array_equal(back.index[seen], grid.index[seen])
    np.testing.assert_array_equal(back.palette.rgb, grid.palette.rgb)
    assert (back.frame, back.name, back.manifest) == (
        grid.frame,
        grid.name,
        grid.manifest,
    )


@pytest.mark.node
@cases
def test_three_sees_every_face_in_its_place_and_color(case, tmp_path):
    grid = CASES[case]()
    seen = read_in_node("glb", export(grid, tmp_path / "a.glb"))
    picture = Image.open(io.BytesIO(base64.b64decode(seen["picture"])))
    texels = np.asarray(picture)
    width = texels.shape[1]
    np.testing.assert_array_equal(texels[0, : len(grid.palette)], grid.palette.rgb)
    triangles = []
    for triangle in seen["triangles"]:
        corners = grid.frame.grid_from_world(np.array(triangle["corners"]))
        turn = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        for normal in triangle["normals"]:
            np.testing.assert_allclose(normal, turn / np.linalg.norm(turn), atol=1e-3)
        u, v = np.array(triangle["uv"]).T
        assert len(set(u)) == 1
        assert set(v) == {0.5}
        triangles.append((corners, texels[0, int(u[0] * width)].tolist()))
    expected = faces_of_voxels(colors_by_voxel(grid))
    assert faces_of_triangles(triangles) == expected
    assert all(seen[law] for law in ("nearest", "clamped", "srgb", "white"))
    assert (seen["metalness"], seen["roughness"]) == (0, 1)


@pytest.mark.node
@pytest.mark.parametrize("case", [*CASES, "32-bit-indices"])
def test_the_khronos_validator_finds_nothing_to_say(case, tmp_path):
    many = random_grid((28, 28, 28), 9, seed=7, share=0.6)
    grid = CASES[case]() if case in CASES else many
    report = read_in_node("validate", export(grid, tmp_path / "a.glb"))
    assert report["messages"] == []
    assert (report["numErrors"], report["numWarnings"], report["numInfos"]) == (0, 0, 0)


@pytest.mark.parametrize(("front", "up"), FRONTS)
def test_nothing_is_mirrored_for_any_front(front, up, tmp_path):
    grid = grid_of(six_colored(), front=front, up=up)
    back = read_voxels(export(grid, tmp_path / "a.glb"))
    np.testing.assert_array_equal(back.occupied, grid.occupied)
    seen = ~covered(grid.index)
    np.testing.assert_array_equal(back.index[seen], grid.index[seen])
    assert back.frame == grid.frame


@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (4e6, -7e6, 1e6)])
def test_trimesh_finds_the_surface_exactly_over_the_grid(origin, tmp_path):
    index = six_colored()
    frame = Frame(origin, 0.01, index.shape)
    grid = VoxelGrid(index, Palette(np.eye(6, 3, dtype=np.uint8)), frame)
    scene = trimesh.load_scene(export(grid, tmp_path / "a.glb"))
    filled = np.argwhere(index)
    corners = np.stack([filled.min(0), filled.max(0) + 1.0])
    expected = frame.world_from_grid(corners)
    np.testing.assert_allclose(scene.bounds, expected, atol=1e-7, rtol=0)


def test_the_surface_of_a_full_box_is_closed(tmp_path):
    grid = grid_of(np.full((3, 4, 5), 2, np.uint8))
    mesh = trimesh.load_mesh(export(grid, tmp_path / "a.glb"), process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    assert mesh.is_volume
    assert mesh.volume == pytest.approx(60 * 0.125**3)


def test_the_signed_volume_is_that_of_the_voxels():
    # Rays cross closed, outward-facing surfaces; the divergence theorem counts them.
    grid = random_grid((6, 5, 7), 4, seed=9)
    mesh = trimesh.load_mesh(io.BytesIO(glb_bytes(grid)), "glb", process=False)
    assert mesh.volume / 0.125**3 == pytest.approx(grid.occupied.sum())


@pytest.mark.parametrize(("side", "kind"), [(3, 5123), (40, 5125)])
def test_indices_are_as_narrow_as_they_can_be(side, kind):
    grid = random_grid((side,) * 3, 9, seed=1, share=0.6)
    accessors = document_of(glb_bytes(grid))["accessors"]
    assert accessors[3]["componentType"] == kind
    assert (accessors[0]["count"] <= 65535) == (kind == 5123)


def test_colors_in_the_file_are_the_palette_and_no_more():
    grid = grid_of(tripod())
    data = glb_bytes(grid)
    document = document_of(data)
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    (length,) = struct.unpack_from("<I", data, 12)
    start = 20 + length + 8 + view["byteOffset"]
    picture = Image.open(io.BytesIO(data[start : start + view["byteLength"]]))
    texels = np.asarray(picture)[0]
    np.testing.assert_array_equal(texels[:6], grid.palette.rgb)
    np.testing.assert_array_equal(texels[6:], grid.palette.rgb[[5, 5]])


@pytest.mark.parametrize("cell", [1e39, 1e-46])
def test_sizes_beyond_single_precision_are_refused(cell):
    grid = VoxelGrid(
        np.ones((1, 1, 1), np.uint8),
        Palette(np.zeros((1, 3), np.uint8)),
        Frame((0.0, 0.0, 0.0), cell, (1, 1, 1)),
    )
    with pytest.raises(ExportError, match="scale the mesh"):
        glb_bytes(grid)


def read_or_refuse(path):
    refusal = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grid_from_glb(path)
    except VoxifyError as error:
        refusal = str(error)
    assert refusal is None or (str(path) in refusal and "\n" not in refusal)


@given(st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "a.glb"
    whole = bytearray(glb_bytes(grid_of(tripod())))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    path.write_bytes(whole[:cut])
    read_or_refuse(path)


def test_a_glb_of_another_program_is_refused(tmp_path):
    path = tmp_path / "box.glb"
    trimesh.creation.box().export(path)
    with pytest.raises(MeshError, match=r"box\.glb: not a \.glb written by voxify3d"):
        grid_from_glb(path)
