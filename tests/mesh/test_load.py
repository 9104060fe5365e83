"""Bad input: one line that says which file, which value, and what to do."""

import json
import struct
import time
import zipfile

import numpy as np
import pytest
from gltf_maker import TRIANGLE, Maker, middle_rgba
from PIL import Image

from voxify3d.compare.memory import peak_memory
from voxify3d.errors import MeshError
from voxify3d.mesh import image, shapes
from voxify3d.mesh.assimp import read_with_assimp
from voxify3d.mesh.load import READERS, load_mesh
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.settings import LoadConfig
from voxify3d.mesh.usd import read_usd
from voxify3d.render.mesh import frame_of, render_mesh

WITHOUT_EXTRAS = [
    suffix
    for suffix, read in READERS.items()
    if read not in (read_with_assimp, read_usd)
]


def refused(path, match, **options):
    with pytest.raises(MeshError, match=match) as caught:
        load_mesh(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.fixture
def glb(tmp_path):
    path = tmp_path / "box.glb"
    save_glb(shapes.box(), path)
    return path


# --- files ------------------------------------------------------------------------


def test_a_missing_file_is_said(tmp_path):
    refused(tmp_path / "gone.glb", "no such file")
    refused(tmp_path / "gone.xyz", "no such file")


def test_a_folder_is_said(tmp_path):
    folder = tmp_path / "folder.glb"
    folder.mkdir()
    refused(folder, "is a folder")


@pytest.mark.parametrize("suffix", READERS)
def test_an_empty_file_is_said(suffix, tmp_path):
    path = tmp_path / f"empty{suffix}"
    path.write_bytes(b"")
    refused(path, "is empty")


@pytest.mark.parametrize("suffix", WITHOUT_EXTRAS)
@pytest.mark.parametrize("content", [b"hello, this is no mesh\n", bytes(range(256))])
def test_another_file_renamed_is_said(suffix, content, tmp_path):
    path = tmp_path / f"renamed{suffix}"
    path.write_bytes(content)
    refused(path, "glTF|cannot be read|no vertices|no faces")


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    path = tmp_path / "a.blend"
    path.write_bytes(b"BLENDER")
    message = refused(path, r"suffix \.blend is not supported")
    assert all(suffix in message for suffix in READERS)


def test_suffixes_in_capitals_are_fine(glb):
    assert len(load_mesh(glb.rename(glb.with_suffix(".GLB"))).faces) == 12


def test_a_vrm_is_a_glb(glb):
    assert len(load_mesh(glb.rename(glb.with_suffix(".vrm"))).faces) == 12


def test_a_gltf_that_is_a_glb_inside_is_fine(glb):
    assert len(load_mesh(glb.rename(glb.with_suffix(".gltf"))).faces) == 12


@pytest.mark.parametrize("keep", [4, 11, 19, 100, 500, -1])
def test_a_truncated_glb_is_said(keep, glb):
    glb.write_bytes(glb.read_bytes()[:keep])
    refused(glb, "truncated")


# --- geometry ---------------------------------------------------------------------


def test_a_point_cloud_is_said(tmp_path):
    path = tmp_path / "cloud.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    refused(path, r"no faces \(3 vertices\)")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_vertices_that_are_not_finite_are_counted(value, tmp_path):
    path = tmp_path / "broken.obj"
    path.write_text(f"v 0 0 0\nv 1 {value} 0\nv 0 1 0\nf 1 2 3\n")
    refused(path, "1 of 3 vertices are NaN or infinite, the first is vertex 1")


def test_an_unused_vertex_that_is_nan_does_not_matter(tmp_path):
    path = tmp_path / "unused.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 0\nf 1 2 3\n")
    mesh = load_mesh(path)
    assert mesh.bounds.tolist() == [[0, 0, 0], [1, 1, 0]]


def test_zero_extent_is_said(tmp_path):
    path = tmp_path / "dot.obj"
    path.write_text("v 5 5 5\nv 5 5 5\nv 5 5 5\nf 1 2 3\n")
    refused(path, "lie in one point")


def test_faces_without_area_are_said(tmp_path):
    path = tmp_path / "needle.obj"
    path.write_text("v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n")
    refused(path, "degenerate")


def test_some_degenerate_faces_are_dropped_and_noted(tmp_path):
    path = tmp_path / "some.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf 1 2 2\nf 1 1 1\n")
    mesh = load_mesh(path)
    assert len(mesh.faces) == 1
    assert mesh.notes == ("dropped 2 degenerate faces",)


@pytest.mark.parametrize("make", [shapes.plane, shapes.triangle])
def test_flat_meshes_are_valid(make, tmp_path):
    save_glb(make(), tmp_path / "flat.glb")
    assert load_mesh(tmp_path / "flat.glb").bounds[:, 2].tolist() == [0, 0]


def test_parts_are_connected_by_position(tmp_path):
    path = tmp_path / "parts.obj"
    path.write_text(
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 9 0 0\nv 9 1 0\nv 9 0 1\n"
        "v 1 0 0\nv 0 1 0\nv 1 1 -0\nf 1 2 3\nf 4 5 6\nf 7 8 9\n"
    )
    assert load_mesh(path).part.tolist() == [0, 1, 0]


# --- references -------------------------------------------------------------------

OUTSIDE = [
    "../secret.png",
    "sub/../../secret.png",
    "..\\secret.png",
    "%2e%2e/secret.png",
    "/etc/secret.png",
    "C:\\secret.png",
    "\\\\server\\secret.png",
    "file:///etc/secret.png",
    "https://example.org/secret.png",
]


def with_texture(uri):
    maker = Maker()
    maker.textured([[[10, 20, 30]]], [[0, 0]] * 3)
    maker.document["images"] = [{"uri": uri}]
    rough = maker.document["materials"][0]["pbrMetallicRoughness"]
    rough["baseColorFactor"] = [1, 0, 0, 1]
    return maker


def test_missing_textures_are_listed_and_may_be_allowed(tmp_path):
    path = with_texture("art/skin.png").glb(tmp_path / "a.glb")
    refused(path, r"1 missing texture: art/skin\.png")
    mesh = load_mesh(path, allow_missing_textures=True)
    assert mesh.materials[0].texture is None
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [1, 0, 0], atol=1e-6)
    assert mesh.notes == ("1 missing texture, plain color used: art/skin.png",)


@pytest.mark.parametrize("uri", OUTSIDE)
def test_textures_outside_the_folder_are_never_read(uri, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    Image.new("RGB", (1, 1)).save(tmp_path / "secret.png")
    path = with_texture(uri).glb(folder / "a.glb")
    refused(path, "refused: outside the file's folder")
    mesh = load_mesh(path, allow_missing_textures=True)
    assert mesh.materials[0].texture is None


@pytest.mark.parametrize("uri", OUTSIDE)
def test_buffers_outside_the_folder_are_refused(uri, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    maker = Maker()
    maker.triangle()
    path = maker.gltf(folder / "a.gltf")
    document = json.loads(path.read_text())
    document["buffers"][0]["uri"] = uri
    path.write_text(json.dumps(document))
    refused(path, "outside the file's folder, which is refused")


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    Image.new("RGB", (1, 1)).save(tmp_path / "secret.png")
    (folder / "skin.png").symlink_to(tmp_path / "secret.png")
    refused(with_texture("skin.png").glb(folder / "a.glb"), "refused: outside")


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("skin.png", "skin.png"),
        ("my%20art/skin.png", "my art/skin.png"),
        ("Art\\Skin.PNG", "art/skin.png"),
        ("textures/skin.png", "skin.png"),
        ("C:\\Users\\me\\skin.png", "skin.png"),
        ("../textures/skin.png", "skin.png"),
    ],
)
def test_textures_are_found_under_the_folder_by_sloppy_paths(uri, place, tmp_path):
    target = tmp_path / place
    target.parent.mkdir(exist_ok=True)
    Image.new("RGB", (1, 1), (255, 255, 255)).save(target)
    mesh = load_mesh(with_texture(uri).glb(tmp_path / "a.glb"))
    assert mesh.materials[0].texture is not None


def test_a_texture_that_is_no_image_is_said(tmp_path):
    (tmp_path / "skin.png").write_text("no image")
    path = with_texture("skin.png").glb(tmp_path / "a.glb")
    refused(path, "is no image that can be decoded")
    assert "skin.png" in load_mesh(path, allow_missing_textures=True).notes[0]


def png_header(width, height):
    """A PNG that claims a size and holds nothing."""
    import zlib

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(8193, 8192), (60_000, 60_000)])
def test_a_gigapixel_texture_is_refused_before_it_is_decoded(size, tmp_path):
    (tmp_path / "skin.png").write_bytes(png_header(*size))
    path = with_texture("skin.png").glb(tmp_path / "a.glb")
    refused(path, r"pixels, at most 67,108,864|no image that can be decoded")


def test_basis_textures_are_said(tmp_path):
    maker = with_texture("skin.ktx2")
    maker.document["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    refused(maker.glb(tmp_path / "a.glb"), "KHR_texture_basisu")


def test_an_unknown_required_extension_is_said(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.document["extensionsRequired"] = ["ACME_holograms"]
    refused(maker.glb(tmp_path / "a.glb"), "ACME_holograms, which is not supported")


# --- lies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "match"),
    [
        ("accessors", {"count": 10**9}, "bytes of bufferViews"),
        ("accessors", {"count": -1}, "count is -1"),
        ("accessors", {"byteOffset": 10**6}, "bytes of bufferViews"),
        ("accessors", {"bufferView": 99}, r"bufferViews\[99\]"),
        ("accessors", {"componentType": 1}, "componentType 1"),
        ("bufferViews", {"byteLength": 10**12}, "buffer view ends at byte"),
        ("bufferViews", {"byteOffset": -8}, "buffer view ends at byte"),
        ("bufferViews", {"buffer": 1}, r"buffers\[1\]"),
        ("buffers", {"byteLength": 10**12}, "should have 1,000,000,000,000 bytes"),
        ("nodes", {"mesh": 5}, r"meshes\[5\]"),
        ("nodes", {"mesh": "x"}, r"meshes\[x\]"),
        ("nodes", {"children": "x"}, r"nodes\[x\]"),
        ("nodes", {"matrix": [1, 2]}, "damaged or not valid"),
        ("meshes", {"primitives": 3}, "damaged or not valid"),
    ],
)
def test_lying_documents_are_refused(kind, changes, match, tmp_path):
    maker = Maker()
    maker.triangle()
    path = maker.gltf(tmp_path / "a.gltf")
    document = json.loads(path.read_text())
    document[kind][0] |= changes
    path.write_text(json.dumps(document))
    refused(path, match)


def test_a_billion_vertices_without_data_are_refused(tmp_path):
    maker = Maker()
    maker.triangle()
    info = {"componentType": 5126, "count": 10**9, "type": "VEC3"}
    maker.document["accessors"] = [info]
    refused(maker.glb(tmp_path / "a.glb"), "count is 1000000000")


def test_too_many_instances_are_refused_before_they_are_made(tmp_path):
    maker = Maker()
    maker.triangle(np.tile(TRIANGLE, (100, 1)))
    info = {"componentType": 5126, "count": 4_000_000, "type": "VEC3"}
    attributes = {"TRANSLATION": maker.add("accessors", info)}
    instances = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    maker.document["nodes"][0]["extensions"] = instances
    refused(maker.glb(tmp_path / "a.glb"), "more than 16,000,000 faces")


def test_five_hundred_instances_are_no_problem(tmp_path):
    maker = Maker()
    maker.triangle()
    places = np.arange(1500).reshape(500, 3) * 10.0
    attributes = {"TRANSLATION": maker.accessor(places)}
    instances = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    maker.document["nodes"][0]["extensions"] = instances
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert len(mesh.faces) == 500
    assert mesh.part.max() == 499


def test_a_face_of_a_missing_vertex_is_said(tmp_path):
    maker = Maker()
    maker.triangle()["indices"] = maker.accessor([0, 1, 7], "u2")
    refused(maker.glb(tmp_path / "a.glb"), "a face uses vertex 7 of 3")


def test_json_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "deep.gltf"
    path.write_text('{"a":' + "[" * 200_000)
    refused(path, "JSON cannot be read")


def test_damaged_draco_data_is_said(tmp_path):
    maker = Maker()
    primitive = maker.triangle()
    view = maker.view(b"DRACO\2\2 and then nothing that makes sense")
    draco = {"bufferView": view, "attributes": {"POSITION": 0}}
    primitive["extensions"] = {"KHR_draco_mesh_compression": draco}
    refused(maker.glb(tmp_path / "a.glb"), "Draco")


# --- images -----------------------------------------------------------------------


def encoded(picture, kind="PNG"):
    import io

    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_png_kinds_give_the_same_colors():
    rgb = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    plain = Image.fromarray(rgb)
    expected = image.decode_image(encoded(plain), "plain")
    np.testing.assert_array_equal(expected[..., :3], rgb)
    assert (expected[..., 3] == 255).all()
    palette = image.decode_image(encoded(plain.quantize(4)), "palette")
    np.testing.assert_array_equal(palette, expected)


def test_sixteen_bit_gray_keeps_its_high_byte():
    gray = np.array([[0, 32768, 65535]], np.uint16)
    decoded = image.decode_image(encoded(Image.fromarray(gray)), "gray")
    np.testing.assert_array_equal(decoded[0, :, 0], [0, 128, 255])


def test_webp_is_read():
    picture = Image.new("RGBA", (2, 2), (10, 200, 30, 128))
    decoded = image.decode_image(encoded(picture, "WEBP"), "webp")
    assert abs(int(decoded[0, 0, 1]) - 200) < 4


# --- archives ---------------------------------------------------------------------


def test_a_zip_with_one_mesh_and_its_texture_is_read(tmp_path):
    with_texture("art/skin.png").glb(tmp_path / "a.glb")
    Image.new("RGB", (1, 1), (255, 255, 255)).save(tmp_path / "skin.png")
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.glb", "model/a.glb")
        archive.write(tmp_path / "skin.png", "model/art/skin.png")
        archive.writestr("__MACOSX/model/._a.glb", "junk")
    mesh = load_mesh(path)
    assert mesh.materials[0].texture is not None
    assert mesh.name == "a"


@pytest.mark.parametrize("name", ["../a.glb", "/a.glb", "x/../../a.glb", "C:/a.glb"])
def test_a_zip_that_climbs_out_is_refused(name, tmp_path, glb):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(glb, "a.glb")
        info = zipfile.ZipInfo(name)
        archive.writestr(info, b"x")
    refused(path, "leads outside the archive")


def test_a_zip_with_a_link_is_refused(tmp_path, glb):
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(glb, "a.glb")
        info = zipfile.ZipInfo("skin.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    refused(path, "leads outside the archive")


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.3mf"])
@pytest.mark.parametrize("is_honest", [True, False])
def test_what_unpacks_a_thousandfold_is_refused_at_once(name, is_honest, tmp_path):
    path = tmp_path / name
    inside = "mesh.obj" if name.endswith("zip") else "3D/3dmodel.model"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(inside, b"<a/>" * (10 << 20))
    if not is_honest:  # the directory claims that it was hardly packed
        data = bytearray(path.read_bytes())
        struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 20, 40 << 20)
        path.write_bytes(data)
    start = time.perf_counter()
    with peak_memory() as memory:
        refused(path, "unpacks from")
    assert time.perf_counter() - start < 1
    assert not memory.megabytes > 2048


def test_a_zip_bomb_is_refused(tmp_path, glb, monkeypatch):
    monkeypatch.setattr("voxify3d.mesh.archive.MAX_BYTES", 100_000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(glb, "a.glb")
        archive.writestr("zeros.bin", b"\0" * 1_000_000)
    refused(path, "unpacks to")


def test_a_zip_of_several_or_no_meshes_is_said(tmp_path, glb):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(glb, "a.glb")
        archive.write(glb, "b.glb")
    refused(path, r"holds 2 meshes \(a.glb, b.glb\), expected one")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    refused(path, r"holds 0 meshes \(none\)")


def test_a_damaged_zip_is_said(tmp_path):
    path = tmp_path / "bad.zip"
    path.write_bytes(b"PK\3\4 and nothing")
    refused(path, "is no .zip that can be unpacked")


def test_coordinates_of_millions_keep_their_differences(tmp_path):
    maker = Maker()
    maker.triangle(np.array(TRIANGLE) / 1024)
    maker.document["nodes"][0]["translation"] = [5e6, -4e6, 3e6]
    low, high = load_mesh(maker.glb(tmp_path / "far.glb")).bounds
    np.testing.assert_array_equal((high - low)[:2], [1 / 1024, 1 / 1024])


def test_clear_glass_is_left_out_with_a_note_or_solid_when_asked(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl pane\nd 0.3\nnewmtl wall\nKd 1 0 0\n")
    corners = "v 0 0 {0}\nv 1 0 {0}\nv 1 1 {0}\nv 0 1 {0}\n"
    faces = "usemtl pane\nf 1 2 3 4\nusemtl wall\nf 5 6 7 8\n"
    path = tmp_path / "a.obj"
    path.write_text("mtllib a.mtl\n" + corners.format(1) + corners.format(0) + faces)
    clear = load_mesh(path)
    assert clear.notes == (
        "left out as clear glass: pane (0.3); --blend-cutoff 0.01 makes it solid",
    )
    solid = load_mesh(path, LoadConfig(blend_cutoff=0.3))
    assert solid.notes == ()
    frame = frame_of(clear, 4)
    (behind, *_), (before, *_) = (render_mesh(m, frame, 2) for m in (clear, solid))
    np.testing.assert_allclose(behind.rgb[1, 1], [[1, 0, 0]] * 4, atol=1e-3)
    np.testing.assert_allclose(behind.depth[1, 1] - before.depth[1, 1], 4, atol=1e-3)


def test_what_is_of_clear_glass_alone_is_solid(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl bowl\nd 0.3\nnewmtl stem\nd 0.1\n")
    faces = "usemtl bowl\nf 1 2 3\nusemtl stem\nf 1 3 4\n"
    path = tmp_path / "a.obj"
    path.write_text("mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n" + faces)
    glass = load_mesh(path)
    note = "made solid, for all is clear glass: bowl (0.3), stem (0.1)"
    assert glass.notes == (note,)
    front, *_ = render_mesh(glass, frame_of(glass, 4), 2)
    assert front.hit.all()
