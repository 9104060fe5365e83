"""USD files by usd-core itself: what any mesh of ours looks like as USD, and parts."""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import numpy as np
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdUtils, Vt

from voxify3d.types import Mesh

TOKENS = {"clamp": "clamp", "repeat": "repeat", "mirror": "mirror"}


def new_stage(path, up="Y", meters=1.0):
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, up)
    UsdGeom.SetStageMetersPerUnit(stage, meters)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/scene").GetPrim())
    return stage


def add_mesh(stage, place, points, counts, index, **primvars):
    """Define a mesh; a primvar is (kind, interpolation, values[, indices])."""
    mesh = UsdGeom.Mesh.Define(stage, place)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.array(points, np.float32)))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.array(counts, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.array(index, np.int32)))
    mesh.CreateSubdivisionSchemeAttr("none")
    for name, (kind, interpolation, values, *indices) in primvars.items():
        primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
            name, getattr(Sdf.ValueTypeNames, kind), interpolation
        )
        primvar.Set(values)
        if indices:
            primvar.SetIndices(indices[0])
    return mesh


def add_material(stage, place, color=None, texture=None, **inputs):
    """Define a material of a color, or of a texture with its inputs."""
    names = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, place)
    surface = UsdShade.Shader.Define(stage, f"{place}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    out = surface.CreateOutput("surface", names.Token)
    material.CreateSurfaceOutput().ConnectToSource(out)
    diffuse = surface.CreateInput("diffuseColor", names.Color3f)
    if color is not None:
        diffuse.Set(Gf.Vec3f(*map(float, color[:3])))
        surface.CreateInput("opacity", names.Float).Set(float((*color, 1.0)[3]))
    if texture is not None:
        reader = UsdShade.Shader.Define(stage, f"{place}/reader")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", names.String).Set("st")
        st = reader.CreateOutput("result", names.Float2)
        image = UsdShade.Shader.Define(stage, f"{place}/image")
        image.CreateIdAttr("UsdUVTexture")
        image.CreateInput("file", names.Asset).Set(texture)
        image.CreateInput("st", names.Float2).ConnectToSource(st)
        for name, value in inputs.items():
            kind = names.Token if isinstance(value, str) else names.Float4
            image.CreateInput(name, kind).Set(value)
        diffuse.ConnectToSource(image.CreateOutput("rgb", names.Float3))
    return material


def shader(stage, place):
    return UsdShade.Shader(stage.GetPrimAtPath(place))


def bind(prim, material):
    UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(material)


def write_usd(mesh: Mesh, path):
    """Write any mesh of ours; its textures as files beside it, or inside a .usdz."""
    layer = path.with_suffix(".usdc") if path.suffix == ".usdz" else path
    stage = new_stage(layer)
    faces = mesh.faces
    primvars = {}
    if mesh.uv is not None:
        st = mesh.uv.reshape(-1, 2) * [1, -1] + [0, 1]
        values = Vt.Vec2fArray.FromNumpy(st.astype(np.float32))
        primvars["st"] = ("TexCoord2fArray", "faceVarying", values)
    shape = add_mesh(
        stage, "/scene/m", mesh.vertices, [3] * len(faces), faces.ravel(), **primvars
    )
    for number, material in enumerate(mesh.materials):
        texture = None
        if material.texture is not None:
            texture = f"textures/{number}.png"
            (path.parent / "textures").mkdir(exist_ok=True)
            Image.fromarray(material.texture).save(path.parent / texture)
        look = add_material(
            stage,
            f"/scene/look{number}",
            None if texture else material.base_color,
            texture,
            wrapS=TOKENS[material.wrap[0]],
            wrapT=TOKENS[material.wrap[1]],
            scale=Gf.Vec4f(*material.base_color),
        )
        mine = np.flatnonzero(mesh.material == number).astype(np.int32)
        subset = UsdShade.MaterialBindingAPI.Apply(
            shape.GetPrim()
        ).CreateMaterialBindSubset(f"part{number}", Vt.IntArray.FromNumpy(mine))
        bind(subset, look)
    stage.Save()
    if path.suffix == ".usdz":
        assert UsdUtils.CreateNewUsdzPackage(str(layer), str(path))
        layer.unlink()
        for file in (path.parent / "textures").glob("*"):
            file.unlink()
    return path
