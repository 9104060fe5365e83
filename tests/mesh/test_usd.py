""".usd through usd-core, which runs in a process of its own."""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import importlib.util
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gltf_maker import middle_rgba
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, Vt
from test_fuzz import mutated, survives
from three_views import agreement, job_of, our_views
from usd_maker import (
    add_material,
    add_mesh,
    bind,
    new_stage,
    shader,
    write_usd,
)

from voxify3d.errors import MeshError, MissingExtraError
from voxify3d.mesh import apart, shapes
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.settings import LoadConfig

SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]


def agrees(one, two):
    job = job_of(Path(), one)
    return agreement(our_views(one, job, 48), our_views(two, job, 48))


def box(mesh):
    return np.round(mesh.bounds, 5).tolist()


@pytest.mark.parametrize("suffix", [".usda", ".usdz"])
def test_a_textured_character_looks_as_its_glb(suffix, tmp_path):
    mesh = sample_character()
    save_glb(mesh, tmp_path / "a.glb")
    folder = tmp_path / "usd"
    folder.mkdir()
    found = load_mesh(write_usd(mesh, folder / f"a{suffix}"))
    assert found.notes == ()
    same = agrees(load_mesh(tmp_path / "a.glb"), found)
    assert same.worst > 0.999
    assert same.color < 0.001


@pytest.mark.parametrize("suffix", [".usdc", ".usd"])
def test_flat_colors_look_as_their_glb(suffix, tmp_path):
    mesh = shapes.six_colored_tripod()
    save_glb(mesh, tmp_path / "a.glb")
    found = load_mesh(write_usd(mesh, tmp_path / f"a{suffix}"))
    same = agrees(load_mesh(tmp_path / "a.glb"), found)
    assert same.worst > 0.999
    assert same.color < 1e-4


def test_a_zip_of_a_usd_with_its_textures_is_read(tmp_path):
    write_usd(sample_character(), tmp_path / "a.usdc")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in [tmp_path / "a.usdc", *(tmp_path / "textures").glob("*")]:
            archive.write(file, file.relative_to(tmp_path))
    found = load_mesh(tmp_path / "all.zip")
    assert any(material.texture is not None for material in found.materials)


def test_up_axis_and_unit_are_obeyed(tmp_path):
    stage = new_stage(tmp_path / "a.usda", up="Z", meters=0.01)
    add_mesh(stage, "/scene/m", [[0, 0, 0], [100, 0, 0], [0, 200, 300]], [3], [0, 1, 2])
    stage.Save()
    assert box(load_mesh(tmp_path / "a.usda")) == [[0, 0, -2], [1, 3, 0]]
    as_it_is = load_mesh(tmp_path / "a.usda", LoadConfig(up="+y"))
    assert box(as_it_is) == [[0, 0, 0], [1, 2, 3]]


def test_transforms_negative_scales_and_instances(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    model = stage.CreateClassPrim("/model")
    add_mesh(stage, "/model/m", SQUARE, [4], [0, 1, 2, 3])
    for k, (shift, scale) in enumerate([((0, 0, 0), 1), ((5, 0, 0), -2)]):
        copy = UsdGeom.Xform.Define(stage, f"/scene/copy{k}")
        copy.AddTranslateOp().Set(Gf.Vec3d(*shift))
        copy.AddScaleOp().Set(Gf.Vec3f(scale, 1, 1))
        copy.GetPrim().GetReferences().AddInternalReference(model.GetPath())
        copy.GetPrim().SetInstanceable(True)
    stage.Save()
    mesh = load_mesh(tmp_path / "a.usda")
    assert box(mesh) == [[0, 0, 0], [5, 1, 0]]
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert len(mesh.faces) == 4


def test_point_instances_stand_where_they_are_put(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    instancer = UsdGeom.PointInstancer.Define(stage, "/scene/many")
    instancer.GetPrim().SetTypeName("PointInstancer")
    UsdGeom.Xformable(instancer).AddTranslateOp().Set(Gf.Vec3d(0, 10, 0))
    for name, width in (("small", 1), ("wide", 2)):
        prototype = UsdGeom.Xform.Define(stage, f"/scene/many/{name}")
        prototype.AddScaleOp().Set(Gf.Vec3f(width, 1, 1))
        add_mesh(stage, f"/scene/many/{name}/m", SQUARE, [4], [0, 1, 2, 3])
        instancer.CreatePrototypesRel().AddTarget(prototype.GetPath())
    instancer.CreateProtoIndicesAttr([0, 1, 0, 0])
    instancer.CreatePositionsAttr([(0, 0, 0), (0, 2, 0), (0, 4, 0), (50, 0, 0)])
    turn = Gf.Quath(0.70710678, 0, 0, 0.70710678)  # 90 degrees about z
    still = Gf.Quath(1)
    instancer.CreateOrientationsAttr([still, still, turn, still])
    instancer.CreateIdsAttr([0, 1, 2, 3])
    instancer.InvisId(3, Usd.TimeCode.Default())
    stage.Save()
    mesh = load_mesh(tmp_path / "a.usda")
    assert len(mesh.faces) == 6
    parts = [np.unique(mesh.faces[2 * k : 2 * k + 2]) for k in range(3)]
    boxes = sorted(
        np.round([mesh.vertices[p].min(0), mesh.vertices[p].max(0)], 2)[:, :2].tolist()
        for p in parts
    )
    assert boxes == [[[-1, 14], [0, 15]], [[0, 10], [1, 11]], [[0, 12], [2, 13]]]


def test_what_is_hidden_is_left_out(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    for k, name in enumerate(("seen", "invisible", "guide", "proxy", "render")):
        shift = np.add(SQUARE, [k, 0, 0])
        mesh = add_mesh(stage, f"/scene/{name}/m", shift, [4], [0, 1, 2, 3])
        above = UsdGeom.Xform.Define(stage, f"/scene/{name}")
        if name == "invisible":
            above.MakeInvisible()
        elif name != "seen":
            mesh.CreatePurposeAttr(name)
    UsdGeom.Sphere.Define(stage, "/scene/ball")
    stage.Save()
    mesh = load_mesh(tmp_path / "a.usda")
    assert sorted(set(mesh.vertices[mesh.faces][..., 0].ravel())) == [0, 1, 4, 5]
    assert mesh.notes == ("1 Sphere prims ignored, only meshes are read",)


def test_any_polygons_and_display_colors(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    points = [*SQUARE, [2, 0, 0], [2, 1, 0], [1.5, 0.2, 0], [3, 0, 0], [3, 1, 0]]
    colors = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    mesh = add_mesh(
        stage,
        "/scene/m",
        points,
        [4, 5, 4],
        [0, 1, 2, 3, 1, 4, 5, 6, 2, 4, 7, 8, 5],
        displayColor=("Color3fArray", "uniform", colors, [2, 0, 1]),
    )
    mesh.CreateHoleIndicesAttr([2])
    mesh.CreateOrientationAttr("leftHanded")
    mesh.CreateSubdivisionSchemeAttr("catmullClark")
    stage.Save()
    found = load_mesh(tmp_path / "a.usda")
    assert found.notes == ("subdivision cages are taken as they are: 1 meshes",)
    a, b, c = (found.vertices[found.faces[:, k]] for k in range(3))
    area = -np.cross(b - a, c - a)[:, 2] / 2
    assert (area > 0).all()
    assert area.sum() == pytest.approx(1 + 1 - 0.5 * 0.8)
    rgb = middle_rgba(found)[:, :3]
    np.testing.assert_allclose(rgb[:2], [[0, 0, 1]] * 2, atol=1e-6)
    np.testing.assert_allclose(rgb[2:], [[1, 0, 0]] * 3, atol=1e-6)


@pytest.mark.parametrize("interpolation", ["constant", "vertex", "faceVarying"])
def test_colors_come_by_any_interpolation(interpolation, tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    count = 1 if interpolation == "constant" else 3
    colors = Vt.Vec3fArray([(0.2, 0.4, 0.6)] * count)
    displayed = ("Color3fArray", interpolation, colors)
    add_mesh(stage, "/scene/m", SQUARE[:3], [3], [0, 1, 2], displayColor=displayed)
    stage.Save()
    found = middle_rgba(load_mesh(tmp_path / "a.usda"))[0]
    srgb = [1.055 * value ** (1 / 2.4) - 0.055 for value in (0.2, 0.4, 0.6)]
    np.testing.assert_allclose(found, [*srgb, 1], atol=1e-5)


def test_a_material_goes_before_the_display_color(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    colors = ("Color3fArray", "constant", [(1, 0, 0)])
    mesh = add_mesh(stage, "/scene/m", SQUARE, [4], [0, 1, 2, 3], displayColor=colors)
    bind(mesh, add_material(stage, "/scene/look", (0, 1, 0)))
    stage.Save()
    rgba = middle_rgba(load_mesh(tmp_path / "a.usda"))
    np.testing.assert_allclose(rgba, [[0, 1, 0, 1]] * 2, atol=1e-6)


def test_a_material_that_is_not_known_is_said(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    mesh = add_mesh(stage, "/scene/m", SQUARE, [4], [0, 1, 2, 3])
    look = add_material(stage, "/scene/look", (0, 1, 0))
    shader(stage, "/scene/look/surface").CreateIdAttr("Mystery")
    bind(mesh, look)
    stage.Save()
    notes = load_mesh(tmp_path / "a.usda").notes
    assert notes == ("material look has no UsdPreviewSurface, display color used",)


def quad_with_texture(stage, pixels, folder, **inputs):
    Image.fromarray(np.array(pixels, np.uint8)).save(folder / "a.png")
    st = ("TexCoord2fArray", "vertex", Vt.Vec2fArray([(0, 0), (1, 0), (1, 1), (0, 1)]))
    mesh = add_mesh(stage, "/scene/m", SQUARE, [4], [0, 1, 2, 3], st=st)
    look = add_material(stage, "/scene/look", None, "a.png", **inputs)
    bind(mesh, look)
    return mesh


RED, BLUE = [255, 0, 0, 255], [0, 0, 255, 0]


def test_texture_coordinates_are_moved_as_written(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    names = Sdf.ValueTypeNames
    checks = np.zeros((8, 8, 4), np.uint8)
    checks[...] = RED
    checks[:4] = BLUE  # the upper half, v from 1/2 on
    quad_with_texture(stage, checks, tmp_path, wrapS="repeat", wrapT="repeat")
    move = UsdShade.Shader.Define(stage, "/scene/look/move")
    move.CreateIdAttr("UsdTransform2d")
    reader = shader(stage, "/scene/look/reader").GetOutput("result")
    move.CreateInput("in", names.Float2).ConnectToSource(reader)
    move.CreateInput("rotation", names.Float).Set(90.0)  # (u, v) becomes (-v, u)
    image = shader(stage, "/scene/look/image")
    image.GetInput("st").ConnectToSource(move.CreateOutput("result", names.Float2))
    stage.Save()
    mesh = load_mesh(tmp_path / "a.usda")
    assert mesh.uv is not None
    u, v = mesh.uv[..., 0], 1 - mesh.uv[..., 1]
    x, y = mesh.vertices[mesh.faces][..., 0], mesh.vertices[mesh.faces][..., 1]
    np.testing.assert_allclose(u, -y, atol=1e-6)
    np.testing.assert_allclose(v, x, atol=1e-6)


@pytest.mark.parametrize(("threshold", "mode"), [(0.0, "blend"), (0.3, "mask")])
def test_opacity_comes_from_its_texture(threshold, mode, tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    names = Sdf.ValueTypeNames
    quad_with_texture(stage, [[RED, BLUE]], tmp_path)
    surface = shader(stage, "/scene/look/surface")
    out = shader(stage, "/scene/look/image").CreateOutput("a", names.Float)
    surface.CreateInput("opacity", names.Float).ConnectToSource(out)
    surface.CreateInput("opacityThreshold", names.Float).Set(threshold)
    stage.Save()
    material = load_mesh(tmp_path / "a.usda").materials[0]
    assert material.alpha_mode == mode
    assert material.texture is not None
    assert material.texture[0, :, 3].tolist() == [255, 0]
    if mode == "mask":
        assert material.alpha_cutoff == pytest.approx(0.3)


def test_without_a_word_on_opacity_alpha_counts_for_nothing(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    quad_with_texture(stage, [[RED, BLUE]], tmp_path, scale=Gf.Vec4f(0.5, 1, 1, 1))
    stage.Save()
    material = load_mesh(tmp_path / "a.usda").materials[0]
    assert material.alpha_mode == "opaque"
    assert material.base_color[0] == 0.5


def test_skins_follow_their_joints(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    root = UsdSkel.Root.Define(stage, "/scene/body")
    mesh = add_mesh(stage, "/scene/body/m", SQUARE, [4], [0, 1, 2, 3])
    UsdGeom.Xformable(mesh).AddTranslateOp().Set(Gf.Vec3d(70, 0, 0))  # says nothing
    skeleton = UsdSkel.Skeleton.Define(stage, "/scene/body/bones")
    UsdGeom.Xformable(skeleton).AddTranslateOp().Set(Gf.Vec3d(0, 0, 3))
    skeleton.CreateJointsAttr(["low", "low/high"])
    here, up = Gf.Matrix4d(1), Gf.Matrix4d(1).SetTranslate((0, 1, 0))
    skeleton.CreateBindTransformsAttr([here, up])
    skeleton.CreateRestTransformsAttr([here, Gf.Matrix4d(1).SetTranslate((0, 5, 0))])
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateJointIndicesPrimvar(False, 1).Set([0, 0, 1, 1])
    binding.CreateJointWeightsPrimvar(False, 1).Set([1.0, 1.0, 1.0, 1.0])
    UsdSkel.BindingAPI.Apply(root.GetPrim())
    stage.Save()
    assert box(load_mesh(tmp_path / "a.usda")) == [[0, 0, 3], [1, 5, 3]]


def test_layers_of_the_folder_are_read(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/textures").mkdir()
    part = new_stage(tmp_path / "parts/part.usdc")
    add_mesh(part, "/scene/m", SQUARE, [4], [0, 1, 2, 3])
    part.Save()
    packed = write_usd(sample_character(), tmp_path / "parts/packed.usdz")
    stage = new_stage(tmp_path / "a.usda")
    for name in ("part.usdc", "packed.usdz"):
        place = f"/scene/{name[:4]}"
        prim = stage.DefinePrim(place)
        prim.GetReferences().AddReference(f"./parts/{name}", "/scene")
    stage.Save()
    mesh = load_mesh(tmp_path / "a.usda")
    assert mesh.notes == ()
    assert len(mesh.faces) == 2 + len(load_mesh(packed).faces)
    assert sum(material.texture is not None for material in mesh.materials) > 0


OUTSIDE = [
    "/etc/a.usda",
    "../a.usda",
    "deep/../../a.usda",
    "http://example.org/a.usda",
    "file:///etc/a.usda",
    "C:/a.usda",
    "\\\\\\\\host\\\\a.usda",
    '`"../" + "a.usda"`',
    "link.usda",
]


HOW = ["subLayers", "references", "payload"]


@pytest.mark.parametrize(
    ("reference", "how"),
    [*zip(OUTSIDE, 3 * HOW, strict=True), *((OUTSIDE[1], how) for how in HOW[::2])],
)
def test_layers_outside_are_refused(how, reference, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    stage = new_stage(tmp_path / "a.usda")
    add_mesh(stage, "/scene/m", SQUARE, [4], [0, 1, 2, 3])
    stage.Save()
    os.symlink(tmp_path / "a.usda", folder / "link.usda")
    head = f"(subLayers = [@{reference}@])" if how == "subLayers" else ""
    more = "" if how == "subLayers" else f"({how} = @{reference}@</scene>)"
    (folder / "b.usda").write_text(f'#usda 1.0\n{head}\ndef "x" {more} {{}}\n')
    with pytest.raises(MeshError, match="outside the file's folder") as caught:
        load_mesh(folder / "b.usda")
    assert "\n" not in str(caught.value)


def test_a_missing_layer_is_said(tmp_path):
    (tmp_path / "b.usda").write_text('#usda 1.0\ndef "x" (payload = @./gone.usd@) {}\n')
    with pytest.raises(MeshError, match=r"gone\.usd is missing"):
        load_mesh(tmp_path / "b.usda")


def test_value_clips_are_refused(tmp_path):
    (tmp_path / "b.usda").write_text(
        '#usda 1.0\ndef "x" (clips = { dictionary default = '
        "{ asset[] assetPaths = [@/etc/a.usda@] } }) {}\n"
    )
    with pytest.raises(MeshError, match="value clips"):
        load_mesh(tmp_path / "b.usda")


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "gone.png"])
def test_missing_textures_are_listed(name, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    stage = new_stage(folder / "a.usda")
    mesh = add_mesh(stage, "/scene/m", SQUARE, [4], [0, 1, 2, 3])
    bind(mesh, add_material(stage, "/scene/look", None, name))
    stage.Save()
    with pytest.raises(MeshError, match=rf"1 missing texture: {re.escape(name)}"):
        load_mesh(folder / "a.usda")
    assert load_mesh(folder / "a.usda", allow_missing_textures=True).notes


ONE_MESH = """#usda 1.0
(subLayers = [@./b.usda@])
def Mesh "m" (prepend apiSchemas = ["MaterialBindingAPI"])
{
  int[] faceVertexCounts = [4]
  int[] faceVertexIndices = [0, 1, 2, 3]
  point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
  texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (
    interpolation = "vertex"
  )
  rel material:binding = </look>
}
def Material "look"
{
  token outputs:surface.connect = </look/s.outputs:surface>
  def Shader "s" {
    uniform token info:id = "UsdPreviewSurface"
    color3f inputs:diffuseColor.connect = </look/t.outputs:rgb>
    token outputs:surface
  }
  def Shader "t" {
    uniform token info:id = "UsdUVTexture"
    asset inputs:file = @a.png@
    float3 outputs:rgb
  }
}
"""
DAMAGED = {
    "int[] faceVertexCounts = [4]": "int[] faceVertexCounts = [2000000000]",
    "int[] faceVertexIndices = [0, 1, 2, 3]": "int[] faceVertexIndices = [0, 1, 2, 9]",
    "primvars:st = [(0, 0), ": "primvars:st = [",
    "(1, 1, 0)": "(nan, 1, 0)",
    "def Mesh": "def Mash",
    "[@": "[",
}


@pytest.mark.parametrize("old", DAMAGED)
def test_damaged_files_give_one_line(old, tmp_path):
    Image.new("RGBA", (2, 2)).save(tmp_path / "a.png")
    (tmp_path / "b.usda").write_text("#usda 1.0\n")
    (tmp_path / "a.usda").write_text(ONE_MESH)
    assert len(load_mesh(tmp_path / "a.usda").faces) == 2
    (tmp_path / "a.usda").write_text(ONE_MESH.replace(old, DAMAGED[old], 1))
    with pytest.raises(MeshError) as caught:
        load_mesh(tmp_path / "a.usda")
    assert "\n" not in str(caught.value)
    assert "a.usda" in str(caught.value)


@pytest.mark.parametrize("suffix", [".usd", ".usda", ".usdc", ".usdz"])
def test_another_file_renamed_is_said(suffix, tmp_path):
    (tmp_path / f"a{suffix}").write_bytes(bytes(range(256)))
    with pytest.raises(MeshError, match=f"a{suffix}: cannot be read") as caught:
        load_mesh(tmp_path / f"a{suffix}")
    assert "\n" not in str(caught.value)


def test_layers_that_go_in_a_circle_end(tmp_path):
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.usda").write_text(
            f'#usda 1.0\n(defaultPrim = "x")\ndef "x" (references = @./{other}.usda@)'
            " {}\n"
        )
    with pytest.raises(MeshError, match="no faces"):
        load_mesh(tmp_path / "a.usda")


def instancer_text(prototypes, numbers):
    return f"""#usda 1.0
def PointInstancer "p" {{
  int[] protoIndices = {numbers}
  point3f[] positions = {[(float(k), 0.0, 0.0) for k in range(len(numbers))]}
  rel prototypes = [{", ".join(prototypes)}]
  def Mesh "m" {{
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
  }}
}}
"""


@pytest.mark.parametrize(
    ("prototypes", "count", "match"),
    [
        (["</p>", "</p/m>"], 2, "is a prototype of itself"),
        (["</p/m>"], 200_001, "places more than 200,000 meshes"),
        (["</gone>"], 1, "is damaged"),
    ],
)
def test_instances_without_end_are_refused(prototypes, count, match, tmp_path):
    numbers = [k % len(prototypes) for k in range(count)]
    (tmp_path / "a.usda").write_text(instancer_text(prototypes, numbers))
    with pytest.raises(MeshError, match=match):
        load_mesh(tmp_path / "a.usda")


def test_a_pipe_in_place_of_a_layer_is_refused(tmp_path):
    os.mkfifo(tmp_path / "b.usda")
    (tmp_path / "a.usda").write_text("#usda 1.0\n(subLayers = [@./b.usda@])\n")
    with pytest.raises(MeshError, match="refused"):
        load_mesh(tmp_path / "a.usda")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_changed_bytes_of_usd_give_a_mesh_or_our_error(suffix, tmp_path):
    random = np.random.default_rng(5)
    path = write_usd(shapes.half_box(), tmp_path / f"a{suffix}")
    data = path.read_bytes()
    for _ in range(60):
        survives(path, mutated(data, random))


def test_plugins_of_the_callers_environment_are_not_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("PXR_PLUGINPATH_NAME", str(tmp_path))
    assert "PXR_PLUGINPATH_NAME" not in apart._environment()


def test_a_missing_extra_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "a.usdz").write_bytes(b"PK")
    with pytest.raises(MissingExtraError, match=r"pip install 'voxify3d\[usd\]'"):
        load_mesh(tmp_path / "a.usdz")
