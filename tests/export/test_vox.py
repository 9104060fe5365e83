import struct
import subprocess
import warnings

import numpy as np
import pytest
from grids import (
    FRONTS,
    SIX_COLORS,
    faces_of_triangles,
    faces_of_voxels,
    grid_of,
    random_grid,
    read_in_node,
    six_colored,
    tripod,
    voxels_in_file_axes,
)
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.errors import MeshError, VoxifyError
from voxify3d.export import export, read_voxels
from voxify3d.export.vox import grid_from_vox, read_vox, vox_bytes

CASES = {
    "tripod": lambda: grid_of(tripod(), front="-y", up="+z"),
    "tripod-y-up": lambda: grid_of(tripod()),
    "one-voxel": lambda: grid_of(np.ones((1, 1, 1), np.uint8)),
    "even": lambda: random_grid((4, 6, 2), 5, seed=1),
    "odd": lambda: random_grid((5, 7, 3), 6, seed=2),
    "255-colors": lambda: random_grid((9, 8, 7), 255, seed=3, share=1.0),
    "256-wide": lambda: random_grid((256, 2, 3), 4, seed=4),
    "257-wide": lambda: random_grid((257, 3, 2), 4, seed=5),
    "257-tall": lambda: random_grid((2, 257, 3), 3, seed=6),
    "six-colored-front-x": lambda: grid_of(six_colored(), front="-x"),
}
cases = pytest.mark.parametrize("case", CASES)


def same(one, other):
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_array_equal(one.palette.rgb, other.palette.rgb)
    return (one.frame, one.name, one.manifest) == (
        other.frame,
        other.name,
        other.manifest,
    )


@cases
def test_a_grid_survives_export_and_reload(case, tmp_path):
    grid = CASES[case]()
    assert same(read_voxels(export(grid, tmp_path / "a.vox")), grid)


@cases
def test_read_vox_returns_the_voxels_in_the_axes_of_the_file(case, tmp_path):
    grid = CASES[case]()
    index, palette = read_vox(export(grid, tmp_path / "a.vox"))
    corner = np.array([-(index.shape[0] // 2), -(index.shape[1] // 2), 0])
    found = {
        tuple((ijk + corner).tolist()): tuple(palette.rgb[index[tuple(ijk)] - 1])
        for ijk in np.argwhere(index)
    }
    assert found == voxels_in_file_axes(grid)


@pytest.mark.goxel
@cases
def test_goxel_sees_every_voxel_in_its_place_and_color(case, tmp_path):
    grid = CASES[case]()
    export(grid, tmp_path / "a.vox")
    subprocess.run(
        ["xvfb-run", "-a", "goxel", "a.vox", "-e", "a.txt"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    found = {}
    for line in (tmp_path / "a.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            x, y, z, rgb = line.split()
            found[int(x), int(y), int(z)] = tuple(bytes.fromhex(rgb))
    assert found == voxels_in_file_axes(grid)


@pytest.mark.node
@cases
def test_three_sees_every_face_in_its_place_and_color(case, tmp_path):
    grid = CASES[case]()
    seen = read_in_node("vox", export(grid, tmp_path / "a.vox"))
    # three turns z up into y up: (x, y, z) becomes (x, z, -y).
    triangles = [
        (np.array(t["corners"])[:, [0, 2, 1]] * [1, -1, 1], t["rgb"])
        for t in seen["triangles"]
    ]
    # A model's own border counts as surface for three: keep what the grid exposes.
    found = faces_of_triangles(triangles)
    expected = faces_of_voxels(voxels_in_file_axes(grid))
    if seen["models"] > 1:
        found = {face: rgb for face, rgb in found.items() if face in expected}
    assert found == expected


@pytest.mark.parametrize(("front", "up"), FRONTS)
def test_nothing_is_mirrored_for_any_front(front, up, tmp_path):
    grid = grid_of(six_colored(), front=front, up=up, manifest={"seed": 3})
    path = export(grid, tmp_path / "a.vox")
    assert same(read_voxels(path), grid)
    index, palette = read_vox(path)
    corner = np.array([-(index.shape[0] // 2), -(index.shape[1] // 2), 0])
    found = {
        tuple((ijk + corner).tolist()): tuple(palette.rgb[index[tuple(ijk)] - 1])
        for ijk in np.argwhere(index)
    }
    assert found == voxels_in_file_axes(grid)


def test_every_model_has_an_even_size_up_to_256():
    data = vox_bytes(random_grid((257, 5, 3), 3, seed=0))
    sizes = [
        struct.unpack_from("<3i", data, at + 12)
        for at in range(len(data))
        if data[at : at + 4] == b"SIZE"
    ]
    assert sorted(sizes) == [(2, 4, 6), (256, 4, 6)]


def test_the_palette_keeps_its_order_and_the_rest_is_zero():
    data = vox_bytes(grid_of(tripod(), SIX_COLORS))
    rgba = np.frombuffer(data, np.uint8, 1024, data.index(b"RGBA") + 12)
    expected = np.zeros((256, 4), np.uint8)
    expected[:6, :3], expected[:6, 3] = SIX_COLORS, 255
    np.testing.assert_array_equal(rgba.reshape(256, 4), expected)


def test_the_file_is_version_150():
    assert vox_bytes(grid_of(tripod()))[:8] == b"VOX \x96\0\0\0"


def test_a_grid_beyond_what_magicavoxel_keeps_is_warned_about():
    with pytest.warns(UserWarning, match="1000 per axis"):
        vox_bytes(grid_of(np.ones((1, 1200, 1), np.uint8)))


def test_a_file_of_another_program_gives_a_grid_in_its_own_axes(tmp_path):
    data = vox_bytes(grid_of(tripod(), front="-y", up="+z"))
    path = tmp_path / "other.vox"
    path.write_bytes(data[: data.index(b"VX3D")])
    with pytest.raises(MeshError, match="bytes wanted"):
        read_vox(path)  # the chunk around it still promises more
    cut = data.index(b"VX3D")
    path.write_bytes(data[:16] + struct.pack("<i", cut - 20) + data[20:cut])
    grid = grid_from_vox(path)
    assert (grid.frame.front, grid.frame.up, grid.frame.cell) == ("-y", "+z", 1.0)
    assert grid.frame.origin == (-1.0, -2.0, 0.0)
    np.testing.assert_array_equal(grid.index[:3, :5, :7], tripod())
    assert (grid.index > 0).sum() == (tripod() > 0).sum()


def read_or_refuse(path):
    refusal = None
    try:
        grid = grid_from_vox(path)
        assert grid.index.max() <= len(grid.palette)
    except VoxifyError as error:
        refusal = str(error)
    assert refusal is None or (str(path) in refusal and "\n" not in refusal)


@given(st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "a.vox"
    whole = bytearray(vox_bytes(grid_of(tripod())))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        value = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([127, 255])))
        whole[at] = value
    cut = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    path.write_bytes(whole[:cut])
    read_or_refuse(path)


@given(st.binary(max_size=300))
def test_garbage_is_refused_in_one_line(tmp_path_factory, garbage):
    path = tmp_path_factory.mktemp("fuzz") / "a.vox"
    path.write_bytes(garbage)
    with pytest.raises(MeshError, match=r"a\.vox"):
        read_vox(path)
    path.write_bytes(b"VOX \x96\0\0\0MAIN" + garbage)
    read_or_refuse(path)


def test_a_loop_in_the_scene_is_refused(tmp_path):
    data = bytearray(vox_bytes(grid_of(tripod())))
    group = data.index(b"nGRP") + 12
    # Number, empty dictionary, one child: make the root its own grandchild.
    assert struct.unpack_from("<4i", data, group) == (1, 0, 1, 2)
    struct.pack_into("<i", data, group + 12, 0)
    path = tmp_path / "a.vox"
    path.write_bytes(data)
    with pytest.raises(MeshError, match="hangs in two places"):
        read_vox(path)


def test_reading_a_missing_file_says_so(tmp_path):
    with pytest.raises(MeshError, match="No such file"):
        read_vox(tmp_path / "none.vox")


def test_no_warning_for_a_usual_grid():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vox_bytes(grid_of(six_colored()))
