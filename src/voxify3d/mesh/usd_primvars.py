"""Primvars of a USD mesh → values at the corners of its triangles.

`m` is the number of face corners, `t` that of triangles, `w` the width of a value.
"""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from pxr import Usd, UsdGeom

from voxify3d.mesh.usd_layers import NOW, RefusedError


@dataclass(slots=True)
class Reach:
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
        """Return a primvar at the corners of triangles; None where there is none.

        Args:
            name: The primvar, which the mesh may inherit.
            width: Numbers in each of its values.

        Raises:
            RefusedError: It has too few values, or points at some it lacks.
        """
        primvar = UsdGeom.PrimvarsAPI(self.prim).FindPrimvarWithInheritance(name)
        if not primvar or not primvar.HasValue():
            return None
        stored = np.array(primvar.Get(NOW), np.float64).reshape(-1, width)
        order = primvar.GetIndices(NOW) if primvar.IsIndexed() else None
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
