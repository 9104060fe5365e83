""".ply, .stl and .off: what they hold, and what they lie."""

import struct

import numpy as np
import pytest
from gltf_maker import middle_rgba
from PIL import Image

from voxify3d.errors import MeshError
from voxify3d.mesh.load import load_mesh

CORNERS = "0 0 0", "1 0 0", "0 1 0"


def ply(vertex_tail="", vertex_properties="", face_tail="", face_properties=""):
    lines = [
        "ply",
        "format ascii 1.0",
        "element vertex 3",
        "property float x",
        "property float y",
        "property float z",
        *vertex_properties.split(";"),
        "element face 1",
        "property list uchar int vertex_indices",
        *face_properties.split(";"),
        "end_header",
        *(f"{corner} {vertex_tail}".strip() for corner in CORNERS),
        f"3 0 1 2 {face_tail}".strip(),
    ]
    return "\n".join(line for line in lines if line) + "\n"


BYTES = "property uchar red;property uchar green;property uchar blue"


def test_ply_vertex_colors_are_srgb_bytes(tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(ply("51 102 153", BYTES))
    rgb = middle_rgba(load_mesh(path))[0, :3]
    np.testing.assert_allclose(rgb * 255, [51, 102, 153], atol=0.01)


def test_ply_face_colors_are_srgb_bytes(tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(ply(face_tail="51 102 153", face_properties=BYTES))
    rgb = middle_rgba(load_mesh(path))[0, :3]
    np.testing.assert_allclose(rgb * 255, [51, 102, 153], atol=0.01)


def ply_of_floats():
    properties = "property float red;property float green;property float blue"
    return ply("0.2 0.4 0.6", properties)


def test_ply_colors_may_be_floats(tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(ply_of_floats())
    rgb = middle_rgba(load_mesh(path))[0, :3]
    np.testing.assert_allclose(rgb, [0.2, 0.4, 0.6], atol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mixed", [False, True])
def test_binary_ply_is_the_text_one(order, mixed, tmp_path):
    points = np.array(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 2, 0]], order + "f4"
    )
    polygons = [[0, 1, 2, 3], [1, 2, 4]] if mixed else [[0, 1, 2], [1, 2, 4]]
    endian = "little" if order == "<" else "big"
    header = (
        f"ply\nformat binary_{endian}_endian 1.0\nelement vertex 5\nproperty float x\n"
        "property float y\nproperty float z\nelement face 2\n"
        "property uchar flags\nproperty list uchar int vertex_index\nend_header\n"
    )
    rows = b"".join(struct.pack(f"{order}BB{len(p)}i", 7, len(p), *p) for p in polygons)
    path = tmp_path / "a.ply"
    path.write_bytes(header.encode() + points.tobytes() + rows)
    expected = [[0, 1, 2], [1, 2, 4]]
    if mixed:
        expected.insert(1, [0, 2, 3])
    assert load_mesh(path).faces.tolist() == expected


@pytest.mark.parametrize("per_face", [False, True])
def test_ply_textures_have_v_up(per_face, tmp_path):
    pixels = np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "skin.png")
    if per_face:
        listed = "property list uchar float texcoord"
        text = ply(face_tail="6 0.5 0.75 0.5 0.75 0.5 0.75", face_properties=listed)
    else:
        text = ply("0.5 0.75", "property float s;property float t")
    path = tmp_path / "a.ply"
    path.write_text(text.replace("1.0\n", "1.0\ncomment TextureFile skin.png\n"))
    rgb = middle_rgba(load_mesh(path))[0, :3]
    np.testing.assert_allclose(rgb, [1, 0, 0], atol=1e-6)


def test_ply_without_colors_is_white(tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(ply())
    mesh = load_mesh(path)
    assert mesh.color is None
    np.testing.assert_allclose(middle_rgba(mesh), 1, atol=1e-6)


@pytest.mark.parametrize("element", ["vertex 3", "face 1"])
def test_a_ply_that_claims_a_billion_is_refused(element, tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(ply().replace(element, element.split()[0] + " 4000000000"))
    with pytest.raises(MeshError, match=r"a\.ply: "):
        load_mesh(path)


@pytest.mark.parametrize("element", ["vertex 3", "face 1"])
def test_a_binary_ply_that_claims_a_billion_is_refused(element, tmp_path):
    header = ply().split("end_header")[0].replace("ascii", "binary_little_endian")
    header = header.replace(element, element.split()[0] + " 4000000000")
    body = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0], "<f4").tobytes()
    body += struct.pack("<B3i", 3, 0, 1, 2)
    path = tmp_path / "a.ply"
    path.write_bytes(header.encode() + b"end_header\n" + body)
    with pytest.raises(MeshError, match=r"a\.ply: "):
        load_mesh(path)


def binary_stl(count, stored):
    triangle = np.array([0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0], "<f4").tobytes() + b"\0\0"
    return b"binary".ljust(80, b"\0") + struct.pack("<I", count) + triangle * stored


def test_stl_is_read_binary_and_as_text(tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(binary_stl(1, 1))
    assert len(load_mesh(path).faces) == 1
    corners = "".join(f"vertex {corner}\n" for corner in CORNERS)
    path.write_text(
        f"solid a\nfacet normal 0 0 1\nouter loop\n{corners}endloop\nendfacet\n"
        "endsolid a\n"
    )
    assert len(load_mesh(path).faces) == 1


def test_an_stl_that_claims_four_billion_is_refused(tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(binary_stl(4_000_000_000, 1))
    with pytest.raises(MeshError, match=r"a\.stl: "):
        load_mesh(path)


def test_off_is_read(tmp_path):
    path = tmp_path / "a.off"
    path.write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
    assert len(load_mesh(path).faces) == 1


def test_a_face_of_a_missing_vertex_is_said(tmp_path):
    path = tmp_path / "a.off"
    path.write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n")
    with pytest.raises(MeshError, match=r"a\.off: "):
        load_mesh(path)


def test_the_crab_is_red(shared_mesh):
    mesh = load_mesh(shared_mesh("crab.ply"))
    assert len(mesh.faces) == 3624
    red, green, blue = middle_rgba(mesh)[:, :3].mean(axis=0)
    assert red > 1.5 * max(green, blue)


def test_the_tree_has_no_color(shared_mesh):
    mesh = load_mesh(shared_mesh("kenney-tree.stl"))
    assert mesh.color is None
    np.testing.assert_allclose(
        np.ptp(mesh.bounds, axis=0), [1.13, 1.94, 1.13], atol=0.01
    )


def test_concave_polygons_of_ply_keep_their_shape(tmp_path):
    path = tmp_path / "a.ply"
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
        "property float z\nelement face 1\nproperty list uchar int vertex_indices\n"
        "end_header\n0 3 0\n-2 -1 0\n0 0 0\n2 -1 0\n4 0 1 2 3\n"
    )
    mesh = load_mesh(path)
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] / 2).tolist() == [3, 3]
