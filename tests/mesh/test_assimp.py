""".fbx and .dae through assimp, which runs in a process of its own."""

import importlib.util
import io

import numpy as np
import pytest
from fbx_maker import skinned_square, textured_square
from gltf_maker import middle_rgba
from PIL import Image
from test_fuzz import mutated

from voxify3d.errors import MeshError, MissingExtraError
from voxify3d.mesh import apart
from voxify3d.mesh.facts import facts_of
from voxify3d.mesh.fbx import embedded_images, posed, skins
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.settings import LoadConfig
from voxify3d.mesh.texture import surface_rgba

needs_assimp = pytest.mark.skipif(
    importlib.util.find_spec("assimp_py") is None,
    reason="needs assimp: pip install 'voxify3d[fbx]'",
)

DAE = """<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><up_axis>{up}_UP</up_axis></asset>
<library_effects><effect id="e"><profile_COMMON><technique sid="t"><lambert><diffuse>
<color>0.2 0.4 0.6 1</color></diffuse></lambert></technique></profile_COMMON></effect>
</library_effects>
<library_materials><material id="m"><instance_effect url="#e"/></material>
</library_materials>
<library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="a" count="9">0 0 0 1 0 0 0 0 2</float_array>
<technique_common><accessor source="#a" count="3" stride="3"><param name="X"
type="float"/><param name="Y" type="float"/><param name="Z" type="float"/></accessor>
</technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="1" material="s"><input semantic="VERTEX" source="#v" offset="0"/>
<p>0 1 2</p></triangles></mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="w"><node><translate>5 0 0</translate>
<instance_geometry url="#g"><bind_material><technique_common><instance_material
symbol="s" target="#m"/></technique_common></bind_material></instance_geometry></node>
</visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#w"/></scene></COLLADA>
"""


@needs_assimp
@pytest.mark.parametrize(("up", "top"), [("Y", [6, 0, 2]), ("Z", [6, 2, 0])])
def test_dae_stands_upright_with_its_color(up, top, tmp_path):
    path = tmp_path / "a.dae"
    path.write_text(DAE.format(up=up))
    mesh = load_mesh(path)
    np.testing.assert_allclose(mesh.bounds[1], top, atol=1e-6)
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [0.2, 0.4, 0.6], atol=1e-6)


@needs_assimp
def test_the_llama_is_brown_and_stands(shared_mesh):
    mesh = load_mesh(shared_mesh("llama.fbx"))
    low, high = mesh.bounds
    np.testing.assert_allclose(high - low, [157, 586, 491], atol=1)
    red, green, blue = np.median(middle_rgba(mesh)[:, :3], axis=0)
    assert 0.6 > red > green > blue > 0.1


def picture():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[...] = [[[255, 0, 0, 255], [0, 255, 0, 255]], [[0, 0, 255, 255]] * 2]
    buffer = io.BytesIO()
    Image.fromarray(pixels.repeat(8, axis=0).repeat(8, axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


@needs_assimp
@pytest.mark.parametrize("where", ["inside", "beside", "moved"])
def test_textures_of_an_fbx_are_found(where, tmp_path):
    path = textured_square(tmp_path / "a.fbx", picture(), inside=where == "inside")
    place = {"beside": "textures/skin.png", "moved": "skin.png"}.get(where)
    if place:
        (tmp_path / "textures").mkdir()
        (tmp_path / place).write_bytes(picture())
    mesh = load_mesh(path)
    (corner,) = np.flatnonzero((mesh.vertices[:, :2] == [0, 1]).all(axis=1))
    face, k = np.argwhere(mesh.faces == corner)[0]
    weights = np.full((1, 3), 0.1)
    weights[0, k] = 0.8
    rgba = surface_rgba(mesh, np.array([face]), weights)[0]
    # the picture's upper left corner is red
    np.testing.assert_allclose(rgba, [1, 0, 0, 1], atol=1e-6)


@needs_assimp
def test_a_texture_that_an_fbx_lacks_is_said(tmp_path):
    path = textured_square(tmp_path / "a.fbx", picture(), inside=False)
    with pytest.raises(MeshError, match=r"1 missing texture: textures.skin\.png"):
        load_mesh(path)


@needs_assimp
def test_skins_of_an_fbx_follow_their_bones(tmp_path):
    mesh = load_mesh(skinned_square(tmp_path / "a.fbx"))
    assert mesh.notes == ()
    found = sorted(mesh.vertices.round(5).tolist())
    assert found == [[0, 0, 3], [0, 1, 3], [1, 10, 0], [1, 11, 0]]
    assert facts_of(tmp_path / "a.fbx", LoadConfig()).skins == 1


@needs_assimp
def test_a_skin_that_is_damaged_stands_as_it_was_bound(tmp_path):
    path = skinned_square(tmp_path / "a.fbx")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"right\0\1Model", b"righx\0\1Model"))
    assert skins(path.read_bytes())["body"].clusters[1].bone == "righx"
    assert len(load_mesh(path).faces) == 2
    path.write_bytes(data.replace(b"right\0\1Model", b"body\0\1\0Model"))
    assert skins(path.read_bytes()) == {}
    assert load_mesh(path).bounds[1].tolist() == [71, 1, 0]


def test_skins_of_damaged_fbx_files_are_left_out_or_read(tmp_path):
    data = skinned_square(tmp_path / "a.fbx").read_bytes()
    random = np.random.default_rng(1)
    for _ in range(300):
        for skin in skins(mutated(data, random)).values():
            with np.errstate(all="ignore"):  # as load_mesh does
                posed(skin, skin.points, {"left": np.eye(4), "right": np.eye(4)})


def test_pictures_of_damaged_fbx_files_are_left_out(tmp_path):
    data = textured_square(tmp_path / "a.fbx", picture()).read_bytes()
    assert embedded_images(data) == {"skin.png": picture()}
    assert embedded_images(b"; FBX 7.4.0 project file") == {}
    random = np.random.default_rng(0)
    for _ in range(300):
        embedded_images(mutated(data, random))


@needs_assimp
@pytest.mark.parametrize("suffix", [".fbx", ".dae", ".3ds"])
def test_what_assimp_cannot_read_is_said(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"Kaydara FBX Binary  \0\x1a\0" + b"\xff" * 200)
    with pytest.raises(MeshError, match="cannot be read by assimp"):
        load_mesh(path)


@needs_assimp
def test_a_parser_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "MAX_SECONDS", 0.01)
    path = tmp_path / "a.dae"
    path.write_text(DAE.format(up="Y"))
    with pytest.raises(MeshError, match="takes more than"):
        load_mesh(path)


def test_a_missing_extra_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = tmp_path / "a.fbx"
    path.write_bytes(b"Kaydara")
    with pytest.raises(MissingExtraError, match=r"pip install 'voxify3d\[fbx\]'"):
        load_mesh(path)
