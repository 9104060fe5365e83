"""A USD stage → plain arrays; runs in a process of its own, see `apart.py`.

Everything is read at the earliest time that the file knows. Matrices of USD are
row-vector matrices: `point @ world`. `m` is the number of face corners, `p` that of
placed meshes.
"""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import os
import re
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int
from pxr import Ar, Sdf, Tf, Usd, UsdGeom, UsdShade, UsdSkel

from voxify3d.mesh.apart import give_back, limit_memory
from voxify3d.mesh.polygons import triangulated

MAX_PLACED = 200_000
_MAX_LAYERS = 10_000
_MAX_DEPTH = 16
"""Of point instancers in one another."""

_NOW = Usd.TimeCode.EarliestTime()
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SHAPES = ("Cube", "Sphere", "Cylinder", "Cone", "Capsule", "Plane")
_IGNORED = (*_SHAPES, "BasisCurves", "NurbsCurves", "NurbsPatch", "Points", "TetMesh")


_Placed = list[tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]]
"""Piece numbers, and the matrix that each goes through."""


class RefusedError(Exception):
    """What the user is told, without the file's name."""


@dataclass(slots=True)
class _Found:
    """What a stage holds, in the form that is handed back."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    pieces: int = 0
    materials: list[dict[str, Any]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    cages: int = 0


def read(path: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return arrays and the description of a scene.

    Raises:
        RefusedError: The file leads outside of its folder, or needs what is not there.
    """
    folder = Path(path).parent
    root = Sdf.Layer.FindOrOpen(path)
    if root is None:
        raise RefusedError("cannot be read as USD. Check the suffix, or get it again.")
    _check_layers(root, folder)
    stage = Usd.Stage.Open(root, Ar.DefaultResolverContext([]), load=Usd.Stage.LoadAll)
    scene = _Scene(stage, folder)
    pieces, matrices = scene.read()
    found = scene.found
    notes = [
        f"{count} {name} prims ignored, only meshes are read"
        for name, count in sorted(found.ignored.items())
    ]
    if found.cages:
        notes.append(f"subdivision cages are taken as they are: {found.cages} meshes")
    notes += [f"USD: {' '.join(str(e).split())[:160]}" for e in _errors(stage)[:3]]
    return found.arrays | {"pieces": pieces, "matrices": matrices}, {
        "up": str(UsdGeom.GetStageUpAxis(stage)),
        "meters": UsdGeom.GetStageMetersPerUnit(stage),
        "materials": found.materials,
        "notes": notes,
    }


def _errors(stage: Usd.Stage) -> list[Any]:
    return list(stage.GetCompositionErrors())


# --- where layers may lead ----------------------------------------------------------


def _check_layers(root: Sdf.Layer, folder: Path) -> None:
    """Follow every layer that a stage would open, before it does.

    Raises:
        RefusedError: One lies outside of the folder, is missing, or cannot be checked.
    """
    waiting, seen = [root], {root.identifier}
    while waiting:
        layer = waiting.pop()
        _check_clips(layer)
        for reference in layer.GetCompositionAssetDependencies():
            if not reference:  # it is of this layer
                continue
            inside = _checked(reference, layer, folder)
            if inside is None:
                continue
            below = Sdf.Layer.FindOrOpen(inside)
            if below is None:
                raise RefusedError(
                    f"layer {reference[:80]} is missing or no USD file. Put it next to "
                    "the file."
                )
            if below.identifier not in seen:
                seen.add(below.identifier)
                waiting.append(below)
        if len(seen) > _MAX_LAYERS:
            raise RefusedError(f"has more than {_MAX_LAYERS:,} layers. Flatten it.")


def _checked(reference: str, layer: Sdf.Layer, folder: Path) -> str | None:
    """Return where a layer lies; None for what is no USD."""
    text = reference.replace("\\", "/")
    outside = text.startswith(("/", "`")) or _SCHEME.match(text) is not None
    home, within = _place_of(layer)
    # A path that is not found beside its layer is looked for beside the root layer.
    here = _inside(os.path.normpath(os.path.join(os.path.dirname(within), text)))
    if not within:
        parts = (home.parent / text, folder / text)
        here = all(_is_below(part, folder) for part in parts)
        # A pipe or a device would be waited for.
        here &= all(part.is_file() or not part.exists() for part in parts)
    if outside or not here or "\0" in text:
        raise RefusedError(
            f"layer {reference[:80]} lies outside the file's folder, which is refused. "
            "Put it next to the file, or flatten it."
        )
    if Path(text.split(":SDF_FORMAT_ARGS:")[0]).suffix.lower() == ".mtlx":
        return None  # materials of another kind, which come as a note
    return Sdf.ComputeAssetPathRelativeToLayer(layer, reference)


def _place_of(layer: Sdf.Layer) -> tuple[Path, str]:
    """Return a layer's file, and its place in it if that is a package."""
    outer, inner = Ar.SplitPackageRelativePathOuter(layer.identifier)
    if not inner and outer.lower().endswith(".usdz"):
        with zipfile.ZipFile(outer) as package:
            inner = package.namelist()[0]  # a package's root layer goes first
    return Path(outer), inner


def _inside(path: str) -> bool:
    return not path.startswith(("..", "/"))


def _is_below(path: Path, folder: Path) -> bool:
    """Return whether a path stays in a folder, with and without symbolic links."""
    written = Path(os.path.normpath(path))
    return written.is_relative_to(folder) and path.resolve().is_relative_to(
        folder.resolve()
    )


def _check_clips(layer: Sdf.Layer) -> None:
    """Refuse value clips: files that are opened when a value is asked for."""
    found = []

    def look(path: Sdf.Path) -> None:
        if path.IsPrimPath() and layer.GetPrimAtPath(path).HasInfo("clips"):
            found.append(path)

    layer.Traverse(Sdf.Path.absoluteRootPath, look)
    if found:
        raise RefusedError(
            f"{found[0]} has value clips. Flatten it, or bake the clips."
        )


# --- the scene ----------------------------------------------------------------------


class _Scene:
    """What reading one stage shares."""

    def __init__(self, stage: Usd.Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.found = _Found()
        self._xforms = UsdGeom.XformCache(_NOW)
        self._pieces: dict[Any, int | None] = {}
        self._materials: dict[Any, int] = {}
        self._prototypes: dict[Sdf.Path, Any] = {}
        self._skins: dict[Sdf.Path, tuple[Any, Any]] = {}

    def read(self) -> tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]:
        """Return which pieces stand where; `found` has the rest."""
        return self._joined(self._below(self.stage.GetPseudoRoot(), 0))

    def _joined(
        self, placed: _Placed
    ) -> tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]:
        pieces = [np.zeros(0, np.int64), *(piece for piece, _ in placed)]
        matrices = [np.zeros((0, 4, 4)), *(matrix for _, matrix in placed)]
        return np.concatenate(pieces), np.concatenate(matrices)

    def _below(self, root: Usd.Prim, depth: int) -> _Placed:
        """Return the meshes below a prim, in the world."""
        if depth > _MAX_DEPTH:
            raise RefusedError(
                f"point instancers are nested more than {_MAX_DEPTH} deep. Flatten it."
            )
        rules = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
        prims = iter(Usd.PrimRange(root, rules))
        placed: _Placed = []
        known = count = 0
        for prim in prims:
            if not prim.IsA(UsdGeom.Imageable):
                continue
            if _is_invisible(prim):
                prims.PruneChildren()
            elif prim.IsA(UsdGeom.PointInstancer):
                if _is_drawn(prim):
                    placed.append(self._instanced(UsdGeom.PointInstancer(prim), depth))
                prims.PruneChildren()
            elif prim.IsA(UsdSkel.Root):
                self._bind(prim)
            elif prim.IsA(UsdGeom.Mesh) and _is_drawn(prim):
                placed += self._placed(prim)
            elif prim.GetTypeName() in _IGNORED and _is_drawn(prim):
                self.found.ignored[prim.GetTypeName()] += 1
            if len(placed) > known:
                count += sum(len(pieces) for pieces, _ in placed[known:])
                known = len(placed)
                self._check_count(count)
        return placed

    def _instanced(
        self, instancer: UsdGeom.PointInstancer, depth: int
    ) -> tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]:
        """Return the prototypes of a point instancer wherever it puts them."""
        numbers = np.array(instancer.GetProtoIndicesAttr().Get(_NOW) or [], np.int64)
        self._check_count(len(numbers))
        targets = instancer.GetPrototypesRel().GetForwardedTargets()
        prototypes = [self.stage.GetPrimAtPath(path) for path in targets]
        matrices = instancer.ComputeInstanceTransformsAtTime(
            _NOW,
            _NOW,
            UsdGeom.PointInstancer.IncludeProtoXform,
            UsdGeom.PointInstancer.IgnoreMask,
        )
        matrices = np.array(matrices, np.float64).reshape(-1, 4, 4)
        if len(matrices) != len(numbers) or not all(prototypes):
            raise RefusedError(f"{instancer.GetPath()} is damaged. Re-export it.")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(prototypes):
            raise RefusedError(f"{instancer.GetPath()} lacks a prototype.")
        mask = instancer.ComputeMaskAtTime(_NOW)
        shown = np.array(mask, bool) if mask else np.ones(len(numbers), bool)
        matrices = matrices @ self._world(instancer.GetPrim())
        placed: _Placed = []
        for number, prototype in enumerate(prototypes):
            mine = matrices[shown & (numbers == number)]
            if not len(mine):
                continue
            pieces, worlds = self._prototype(prototype, depth)
            self._check_count(len(mine) * len(pieces))
            # An instance's matrix holds the prototype's own, which is undone here.
            own = np.array(
                self._xforms.GetLocalToWorldTransform(prototype).GetInverse()
            )
            every = (worlds @ own)[None] @ mine[:, None]
            placed.append((np.tile(pieces, len(mine)), every.reshape(-1, 4, 4)))
        return self._joined(placed)

    def _prototype(
        self, prim: Usd.Prim, depth: int
    ) -> tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]:
        """Return the meshes below a prototype, which is read once."""
        path = prim.GetPath()
        if path not in self._prototypes:
            self._prototypes[path] = None
            self._prototypes[path] = self._joined(self._below(prim, depth + 1))
        found = self._prototypes[path]
        if found is None:
            raise RefusedError(f"{path} is a prototype of itself. Re-export it.")
        return found

    def _check_count(self, count: int) -> None:
        if count > MAX_PLACED:
            raise RefusedError(f"places more than {MAX_PLACED:,} meshes. Flatten it.")

    def _world(self, prim: Usd.Prim) -> Float64[np.ndarray, "4 4"]:
        return np.array(self._xforms.GetLocalToWorldTransform(prim), np.float64)

    def _bind(self, root: Usd.Prim) -> None:
        """Note which meshes below follow which skeleton."""
        cache = UsdSkel.Cache()
        rules = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
        skel_root = UsdSkel.Root(root)
        cache.Populate(skel_root, rules)
        for binding in cache.ComputeSkelBindings(skel_root, rules):
            skeleton = cache.GetSkelQuery(binding.GetSkeleton())
            for target in binding.GetSkinningTargets():
                self._skins[target.GetPrim().GetPath()] = (skeleton, target)

    def _placed(self, prim: Usd.Prim) -> _Placed:
        """Return a mesh where it stands, or nothing if it has no faces."""
        skin = self._skins.get(prim.GetPath())
        shape = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        key = prim.GetPath() if skin else shape.GetPath()
        # Instances share a shape, but what they are bound to may come from above.
        key = (key, _bound(prim).GetPath() if prim.IsInstanceProxy() else None)
        if key not in self._pieces:
            self._pieces[key] = self._piece(prim, skin)
        piece = self._pieces[key]
        if piece is None:
            return []
        world = self._world(skin[0].GetPrim() if skin else prim)
        return [(np.array([piece]), world[None])]

    def _piece(self, prim: Usd.Prim, skin: tuple[Any, Any] | None) -> int | None:
        """Store a mesh and return its number; None for one without faces."""
        mesh = UsdGeom.Mesh(prim)
        points = mesh.GetPointsAttr().Get(_NOW)
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get(_NOW) or [], np.int64)
        index = np.array(mesh.GetFaceVertexIndicesAttr().Get(_NOW) or [], np.int64)
        if not points or not len(counts):
            return None
        if skin:
            skeleton, target = skin
            matrices = skeleton.ComputeSkinningTransforms(_NOW)
            if not target.ComputeSkinnedPoints(matrices, points, _NOW):
                raise RefusedError(f"the skin of {prim.GetPath()} is damaged.")
        points = np.array(points, np.float64).reshape(-1, 3)
        if counts.min() < 0 or counts.sum() != len(index):
            raise RefusedError(
                f"the faces of {prim.GetPath()} need {counts.sum():,} corners, there "
                f"are {len(index):,}. Re-export it."
            )
        if index.min(initial=0) < 0 or index.max(initial=0) >= len(points):
            raise RefusedError(
                f"a face of {prim.GetPath()} uses vertex {index.max():,} of "
                f"{len(points):,}. Re-export it."
            )
        number = self.found.pieces
        self.found.pieces += 1
        if mesh.GetSubdivisionSchemeAttr().Get() != UsdGeom.Tokens.none:
            self.found.cages += 1
        corners, face = triangulated(counts, points[index])
        holes = mesh.GetHoleIndicesAttr().Get(_NOW)
        if holes:
            keep = ~np.isin(face, np.array(holes))
            corners, face = corners[keep], face[keep]
        if mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded:
            corners = corners[:, ::-1]
        reach = _Reach(prim, index, corners, face, len(points), len(counts))
        material, uv = self._looks(prim, reach)
        arrays = {"vertices": points, "faces": index[corners], "material": material}
        if uv is not None:
            arrays["uv"] = uv
        color = self._color(reach, material)
        if color is not None:
            arrays["color"] = color
        for name, array in arrays.items():
            self.found.arrays[f"{name}{number}"] = array
        return number

    # --- looks ----------------------------------------------------------------------

    def _looks(
        self, prim: Usd.Prim, reach: "_Reach"
    ) -> tuple[Int[np.ndarray, " t"], Float32[np.ndarray, "t 3 2"] | None]:
        """Return the material of each triangle, and the coordinates of its corners."""
        material = np.full(reach.faces, self._material(_bound(prim)), np.int32)
        for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
            chosen = np.array(subset.GetIndicesAttr().Get(_NOW) or [], np.int64)
            chosen = chosen[(chosen >= 0) & (chosen < reach.faces)]
            material[chosen] = self._material(_bound(subset.GetPrim()))
        material = material[reach.face]
        uv = None
        for number in np.unique(material):
            info = self.found.materials[number]
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

    def _color(
        self, reach: "_Reach", material: Int[np.ndarray, " t"]
    ) -> Float32[np.ndarray, "t 3 4"] | None:
        """Return the display color of triangles whose material does not say its own."""
        plain = np.array([info["shows_display_color"] for info in self.found.materials])
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

    def _material(self, material: UsdShade.Material) -> int:
        key = material.GetPath() if material else None
        if key not in self._materials:
            self._materials[key] = len(self.found.materials)
            self.found.materials.append(self._described(material))
        return self._materials[key]

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
        written = attribute.Get(_NOW) if attribute else None
        text = (written.path if written else "").replace("\\", "/")
        stack = attribute.GetPropertyStack(_NOW) if attribute else []
        layer = stack[0].layer if stack else self.stage.GetRootLayer()
        home, within = _place_of(layer)
        if text.startswith("/") or _SCHEME.match(text):
            return "", text
        if within:
            place = os.path.normpath(os.path.join(os.path.dirname(within), text))
            return os.path.relpath(home, self.folder), place
        return "", os.path.relpath(home.parent / text, self.folder)


_WRAPS = {"clamp": "clamp", "black": "clamp", "mirror": "mirror"}


def _is_invisible(prim: Usd.Prim) -> bool:
    visibility = UsdGeom.Imageable(prim).GetVisibilityAttr().Get(_NOW)
    return visibility == UsdGeom.Tokens.invisible


def _is_drawn(prim: Usd.Prim) -> bool:
    """Return whether a prim is no stand-in and no guide."""
    purpose = UsdGeom.Imageable(prim).ComputePurpose()
    return purpose not in (UsdGeom.Tokens.proxy, UsdGeom.Tokens.guide)


def _bound(prim: Usd.Prim) -> UsdShade.Material:
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
            stored = attributes[0].Get(_NOW)
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


@dataclass(slots=True)
class _Reach:
    """From primvars of a mesh to the corners of its triangles.

    Attributes:
        prim: The mesh.
        index: Vertex of every face corner.
        corners: Face corners of each triangle.
        face: Face of each triangle.
        vertices: How many there are.
        faces: How many there are, before they were cut.
    """

    prim: Usd.Prim
    index: Int[np.ndarray, " m"]
    corners: Int[np.ndarray, "t 3"]
    face: Int[np.ndarray, " t"]
    vertices: int
    faces: int

    def values(self, name: str, width: int) -> Float64[np.ndarray, "t 3 w"] | None:
        """Return a primvar at the corners of triangles; None where there is none."""
        primvar = UsdGeom.PrimvarsAPI(self.prim).FindPrimvarWithInheritance(name)
        if not primvar or not primvar.HasValue():
            return None
        stored = np.array(primvar.Get(_NOW), np.float64).reshape(-1, width)
        order = primvar.GetIndices(_NOW) if primvar.IsIndexed() else None
        if order:
            order = np.array(order, np.int64)
            if order.min() < 0 or order.max() >= len(stored):
                raise RefusedError(f"{name} of {self.prim.GetPath()} is damaged.")
            stored = stored[order]
        places, needed = {
            UsdGeom.Tokens.constant: (np.zeros_like(self.corners), 1),
            UsdGeom.Tokens.uniform: (np.repeat(self.face[:, None], 3, 1), self.faces),
            UsdGeom.Tokens.faceVarying: (self.corners, len(self.index)),
        }.get(primvar.GetInterpolation(), (self.index[self.corners], self.vertices))
        if len(stored) < needed:
            raise RefusedError(
                f"{name} of {self.prim.GetPath()} has {len(stored):,} values, expected "
                f"{needed:,}. Re-export it."
            )
        return stored[places]


def _main(path: str, out: str) -> None:
    limit_memory(path)
    try:
        arrays, scene = read(path)
    except RefusedError as error:
        arrays, scene = {}, {"error": str(error)}
    except Tf.ErrorException as errors:
        said = " ".join(str(errors.args[0].commentary).split())
        arrays, scene = {}, {"error": f"cannot be read by usd-core ({said[:160]})."}
    give_back(out, arrays, scene)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
