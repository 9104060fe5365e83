"""USD preview surfaces and their textures → materials in JSON types.

`t` is the number of triangles.
"""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int
from pxr import Usd, UsdShade

from voxify3d.mesh.usd_layers import NOW, has_scheme, place_of
from voxify3d.mesh.usd_primvars import Reach

_WRAPS = {"clamp": "clamp", "black": "clamp", "mirror": "mirror"}


class Looks:
    """The materials of one stage, in the order of their first use.

    Attributes:
        all: Those that were asked for, each described in JSON types.
    """

    def __init__(self, stage: Usd.Stage, folder: Path) -> None:
        """Read nothing yet.

        Args:
            stage: What the materials are of.
            folder: The file's; places of textures are relative to it.
        """
        self.all: list[dict[str, Any]] = []
        self._stage, self._folder = stage, folder
        self._known: dict[Any, int] = {}

    def on_triangles(
        self, prim: Usd.Prim, reach: Reach
    ) -> tuple[Int[np.ndarray, " t"], Float32[np.ndarray, "t 3 2"] | None]:
        """Return the material of each triangle, and the coordinates of its corners.

        Args:
            prim: A mesh.
            reach: Leads to the corners of its triangles.

        Returns:
            Numbers in `all`; texture coordinates with v down, or None where no
            material has a texture that the mesh has coordinates for.

        Raises:
            RefusedError: The mesh's coordinates are damaged.
        """
        material = np.full(reach.faces, self._number_of(bound_material(prim)), np.int32)
        for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
            chosen = np.array(subset.GetIndicesAttr().Get(NOW) or [], np.int64)
            chosen = chosen[(chosen >= 0) & (chosen < reach.faces)]
            material[chosen] = self._number_of(bound_material(subset.GetPrim()))
        material = material[reach.face]
        uv = None
        for number in np.unique(material):
            info = self.all[number]
            if info["texture"] is None:
                continue
            found = reach.values(info["uv_set"], 2)
            if found is None:
                found = reach.values("st", 2)
            if found is None:
                continue
            if uv is None:
                uv = np.zeros((len(material), 3, 2), np.float32)
            mine = material == number
            matrix = np.array(info["uv_matrix"])
            turned = found[mine] @ matrix[:, :2].T + matrix[:, 2]
            uv[mine] = turned
        if uv is not None:
            uv[..., 1] = 1 - uv[..., 1]  # USD has v up
        return material, uv

    def display_color(
        self, reach: Reach, material: Int[np.ndarray, " t"]
    ) -> Float32[np.ndarray, "t 3 4"] | None:
        """Return the display color of triangles whose material does not say its own.

        Args:
            reach: Leads to the corners of a mesh's triangles.
            material: What `on_triangles` returned for that mesh.

        Returns:
            RGBA in [0, 1], white where the material says its own; None for a mesh
            that shows none.

        Raises:
            RefusedError: The mesh's colors are damaged.
        """
        plain = np.array([info["shows_display_color"] for info in self.all])
        mine = plain[material]
        color = reach.values("displayColor", 3) if mine.any() else None
        if color is None:
            return None
        out = np.ones((len(material), 3, 4), np.float32)
        out[mine, :, :3] = np.clip(np.nan_to_num(color[mine]), 0, 1)
        opacity = reach.values("displayOpacity", 1)
        if opacity is not None:
            out[mine, :, 3:] = np.clip(np.nan_to_num(opacity[mine]), 0, 1)
        return out

    def _number_of(self, material: UsdShade.Material) -> int:
        key = material.GetPath() if material else None
        if key not in self._known:
            self._known[key] = len(self.all)
            self.all.append(self._described(material))
        return self._known[key]

    def _described(self, material: UsdShade.Material) -> dict[str, Any]:
        """Return a material in JSON types; what it does not say has its default."""
        info: dict[str, Any] = {
            "name": material.GetPath().name if material else "",
            "color": [1.0, 1.0, 1.0],
            "opacity": 1.0,
            "threshold": 0.0,
            "texture": None,
            "alpha": None,
            "uv_set": "st",
            "uv_matrix": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            "wrap": ["repeat", "repeat"],
            "shows_display_color": True,
            "known": True,
        }
        if not material:
            return info
        surface = material.ComputeSurfaceSource()[0]
        if not surface or surface.GetIdAttr().Get() != "UsdPreviewSurface":
            return info | {"known": False}
        info["shows_display_color"] = False
        color = _Source(surface, "diffuseColor", (0.18, 0.18, 0.18))
        if not color.shader and not any(color.value):
            # Black that glows: unlit looks are often stored so, and viewers show them.
            glow = _Source(surface, "emissiveColor", (0.0, 0.0, 0.0))
            if glow.shader or any(glow.value):
                color = glow
        info["color"] = [float(value) for value in color.value]
        if color.is_reader:
            info["shows_display_color"] = color.varname() == "displayColor"
            info["color"] = [1.0, 1.0, 1.0]
        elif color.is_texture:
            info |= self._texture(color)
        info["threshold"] = float(_Source(surface, "opacityThreshold", 0.0).value)
        opacity = _Source(surface, "opacity", 1.0)
        if opacity.is_texture:
            info["alpha"] = self._place_of_texture(opacity), opacity.output
        elif not opacity.shader:
            info["opacity"] = float(opacity.value)
        return info

    def _texture(self, source: "_Source") -> dict[str, Any]:
        """Return what a material takes from its color texture."""
        shader = source.shader
        scale = list(_value(shader, "scale", (1.0, 1.0, 1.0, 1.0)))[:3]
        st = _Source(shader, "st", (0.0, 0.0))
        matrix = np.eye(3)
        if st.shader and _id(st.shader) == "UsdTransform2d":
            angle = np.radians(float(_value(st.shader, "rotation", 0.0)))
            cos, sin = np.cos(angle), np.sin(angle)
            size = _value(st.shader, "scale", (1.0, 1.0))
            turn = np.array([[cos, -sin], [sin, cos]])
            matrix[:2, :2] = turn @ np.diag([float(value) for value in size])
            matrix[:2, 2] = list(_value(st.shader, "translation", (0.0, 0.0)))
            st = _Source(st.shader, "in", (0.0, 0.0))
        return {
            "color": [float(value) for value in scale],
            "texture": self._place_of_texture(source),
            "raw": str(_value(shader, "sourceColorSpace", "auto")) == "raw",
            "uv_set": st.varname() if st.is_reader else "st",
            "uv_matrix": matrix[:2].tolist(),
            "wrap": [
                _WRAPS.get(str(_value(shader, name, "useMetadata")), "repeat")
                for name in ("wrapS", "wrapT")
            ],
        }

    def _place_of_texture(self, source: "_Source") -> tuple[str, str]:
        """Return a texture's package, or nothing, and its path from there.

        Both are relative to the file's folder, as far as they lie in it.
        """
        attribute = source.attribute("file")
        written = attribute.Get(NOW) if attribute else None
        text = (written.path if written else "").replace("\\", "/")
        stack = attribute.GetPropertyStack(NOW) if attribute else []
        layer = stack[0].layer if stack else self._stage.GetRootLayer()
        home, within = place_of(layer)
        if text.startswith("/") or has_scheme(text):
            return "", text
        if within:
            place = os.path.normpath(os.path.join(os.path.dirname(within), text))
            return os.path.relpath(home, self._folder), place
        return "", os.path.relpath(home.parent / text, self._folder)


def bound_material(prim: Usd.Prim) -> UsdShade.Material:
    """Return the material of a prim, which may be bound above; falsy for none."""
    return UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]


def _id(shader: UsdShade.Shader) -> str:
    return str(shader.GetIdAttr().Get() or "")


def _value(shader: UsdShade.Shader, name: str, default: Any) -> Any:  # noqa: ANN401
    return _Source(shader, name, default).value


class _Source:
    """Where the value of a shader's input comes from.

    Attributes:
        value: The value as stored, or the default where it is computed or absent.
        shader: What computes it; None for a stored value.
        output: Which of that shader's outputs.
    """

    def __init__(self, shader: UsdShade.Shader, name: str, default: Any) -> None:  # noqa: ANN401
        self.value, self.output = default, ""
        self.shader: UsdShade.Shader | None = None
        port = shader.GetInput(name)
        attributes = port.GetValueProducingAttributes() if port else []
        if not attributes:
            return
        kind = UsdShade.Utils.GetType(attributes[0].GetName())
        if kind == UsdShade.AttributeType.Output:
            self.shader = UsdShade.Shader(attributes[0].GetPrim())
            self.output = UsdShade.Utils.GetBaseNameAndType(attributes[0].GetName())[0]
        else:
            stored = attributes[0].Get(NOW)
            self.value = default if stored is None else stored

    @property
    def is_texture(self) -> bool:
        return self.shader is not None and _id(self.shader) == "UsdUVTexture"

    @property
    def is_reader(self) -> bool:
        return self.shader is not None and _id(self.shader).startswith(
            "UsdPrimvarReader_"
        )

    def varname(self) -> str:
        """Return the primvar that a reader reads."""
        return str(_value(self.shader, "varname", "st")) if self.shader else "st"

    def attribute(self, name: str) -> Usd.Attribute | None:
        """Return the attribute that holds an input of the shader."""
        port = self.shader.GetInput(name) if self.shader else None
        found = port.GetValueProducingAttributes() if port else []
        return found[0] if found else None
