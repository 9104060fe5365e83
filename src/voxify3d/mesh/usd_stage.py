"""A USD stage → plain arrays; runs in a process of its own, see `apart.py`.

The parts are `usd_layers`, `usd_primvars`, `usd_materials` and `usd_skins`. Everything
is read at the earliest time that the file knows. Matrices of USD are row-vector
matrices: `point @ world`. `p` is the number of placed meshes.
"""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int
from pxr import Ar, Sdf, Tf, Usd, UsdGeom, UsdSkel

from voxify3d.mesh.apart import give_back, limit_memory
from voxify3d.mesh.polygons import triangulated
from voxify3d.mesh.usd_layers import NOW, RefusedError, check_layers
from voxify3d.mesh.usd_materials import Looks, bound_material
from voxify3d.mesh.usd_primvars import Reach
from voxify3d.mesh.usd_skins import Skin, move_to_joints, skins_below

MAX_PLACED = 200_000
_MAX_DEPTH = 16
"""Of point instancers in one another."""

_SHAPES = ("Cube", "Sphere", "Cylinder", "Cone", "Capsule", "Plane")
_IGNORED = (*_SHAPES, "BasisCurves", "NurbsCurves", "NurbsPatch", "Points", "TetMesh")


_Placed = list[tuple[Int[np.ndarray, " p"], Float64[np.ndarray, "p 4 4"]]]
"""Piece numbers, and the matrix that each goes through."""


@dataclass(slots=True)
class _Found:
    """What a stage holds, in the form that is handed back."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    pieces: int = 0
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
    check_layers(root, folder)
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
        "materials": scene.looks.all,
        "notes": notes,
    }


def _errors(stage: Usd.Stage) -> list[Any]:
    return list(stage.GetCompositionErrors())


class _Scene:
    """What reading one stage shares."""

    def __init__(self, stage: Usd.Stage, folder: Path) -> None:
        self.stage = stage
        self.found = _Found()
        self.looks = Looks(stage, folder)
        self._xforms = UsdGeom.XformCache(NOW)
        self._pieces: dict[Any, int | None] = {}
        self._prototypes: dict[Sdf.Path, Any] = {}
        self._skins: dict[Sdf.Path, Skin] = {}

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
                self._skins.update(skins_below(prim))
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
        numbers = np.array(instancer.GetProtoIndicesAttr().Get(NOW) or [], np.int64)
        self._check_count(len(numbers))
        targets = instancer.GetPrototypesRel().GetForwardedTargets()
        prototypes = [self.stage.GetPrimAtPath(path) for path in targets]
        matrices = instancer.ComputeInstanceTransformsAtTime(
            NOW,
            NOW,
            UsdGeom.PointInstancer.IncludeProtoXform,
            UsdGeom.PointInstancer.IgnoreMask,
        )
        matrices = np.array(matrices, np.float64).reshape(-1, 4, 4)
        if len(matrices) != len(numbers) or not all(prototypes):
            raise RefusedError(f"{instancer.GetPath()} is damaged. Re-export it.")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(prototypes):
            raise RefusedError(f"{instancer.GetPath()} lacks a prototype.")
        mask = instancer.ComputeMaskAtTime(NOW)
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

    def _placed(self, prim: Usd.Prim) -> _Placed:
        """Return a mesh where it stands, or nothing if it has no faces."""
        skin = self._skins.get(prim.GetPath())
        shape = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        key = prim.GetPath() if skin else shape.GetPath()
        # Instances share a shape, but what they are bound to may come from above.
        key = (key, bound_material(prim).GetPath() if prim.IsInstanceProxy() else None)
        if key not in self._pieces:
            self._pieces[key] = self._piece(prim, skin)
        piece = self._pieces[key]
        if piece is None:
            return []
        world = self._world(skin.skeleton.GetPrim() if skin else prim)
        return [(np.array([piece]), world[None])]

    def _piece(self, prim: Usd.Prim, skin: Skin | None) -> int | None:
        """Store a mesh and return its number; None for one without faces."""
        mesh = UsdGeom.Mesh(prim)
        points = mesh.GetPointsAttr().Get(NOW)
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get(NOW) or [], np.int64)
        index = np.array(mesh.GetFaceVertexIndicesAttr().Get(NOW) or [], np.int64)
        if not points or not len(counts):
            return None
        if skin:
            move_to_joints(skin, points)
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
        holes = mesh.GetHoleIndicesAttr().Get(NOW)
        if holes:
            keep = ~np.isin(face, np.array(holes))
            corners, face = corners[keep], face[keep]
        if mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded:
            corners = corners[:, ::-1]
        reach = Reach(prim, index, corners, face, len(points), len(counts))
        material, uv = self.looks.on_triangles(prim, reach)
        arrays = {"vertices": points, "faces": index[corners], "material": material}
        if uv is not None:
            arrays["uv"] = uv
        color = self.looks.display_color(reach, material)
        if color is not None:
            arrays["color"] = color
        for name, array in arrays.items():
            self.found.arrays[f"{name}{number}"] = array
        return number


def _is_invisible(prim: Usd.Prim) -> bool:
    visibility = UsdGeom.Imageable(prim).GetVisibilityAttr().Get(NOW)
    return visibility == UsdGeom.Tokens.invisible


def _is_drawn(prim: Usd.Prim) -> bool:
    """Return whether a prim is no stand-in and no guide."""
    purpose = UsdGeom.Imageable(prim).ComputePurpose()
    return purpose not in (UsdGeom.Tokens.proxy, UsdGeom.Tokens.guide)


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
