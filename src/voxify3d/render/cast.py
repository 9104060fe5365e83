"""Rays against a mesh by embree, with cut-out texels passed through.

All positions and distances are in the grid frame (voxels), where single precision
is ample even when the world coordinates are millions.
"""

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Bool, Float, Float32, Int, Num

from voxify3d.mesh.texture import is_solid, surface_rgba
from voxify3d.types import Frame, Mesh

_MAX_LAYERS = 64
"""Cut-out layers a ray may pass before it counts as a miss."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The first solid surface point on each ray.

    Attributes:
        face: Face that is hit, -1 for none.
        distance: Along the ray, voxels; infinite for none.
        rgb: Unlit sRGB color; 0 for none. Range [0, 1].
        normal: Unit geometric normal turned towards the ray's origin; 0 for none.
    """

    face: Int[np.ndarray, " n"]
    distance: Float32[np.ndarray, " n"]
    rgb: Float32[np.ndarray, "n 3"]
    normal: Float32[np.ndarray, "n 3"]


class Caster:
    """A mesh, ready to be hit by rays given in the grid frame."""

    def __init__(self, mesh: Mesh, frame: Frame) -> None:
        self.mesh = mesh
        corners = frame.grid_from_world(mesh.vertices)[mesh.faces]
        edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]])
        normal = np.cross(edges[0], edges[1])
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        self._normal = (normal / np.maximum(length, 1e-300)).astype(np.float32)
        self._translucent = any(m.alpha_mode != "opaque" for m in mesh.materials)
        self._scene = EmbreeScene()
        vertices = frame.grid_from_world(mesh.vertices).astype(np.float32)
        TriangleMesh(self._scene, vertices, mesh.faces.astype(np.int32))

    def cast(
        self,
        origins: Num[np.ndarray, "n 3"],
        directions: Num[np.ndarray, "n 3"],
    ) -> Hits:
        """Return the first solid hit of each ray.

        Args:
            origins: Where rays start, voxels.
            directions: Unit vectors.
        """
        count = len(origins)
        start = np.ascontiguousarray(origins, np.float32)
        toward = np.ascontiguousarray(directions, np.float32)
        face = np.full(count, -1, np.int64)
        distance = np.full(count, np.inf, np.float32)
        rgb = np.zeros((count, 3), np.float32)
        live = np.arange(count)
        travelled = np.zeros(count, np.float32)
        for _ in range(_MAX_LAYERS):
            if not len(live):
                break
            found = self._scene.run(start[live], toward[live], output=True)
            hit = found["primID"] >= 0
            live, near = live[hit], found["tfar"][hit]
            primitive = found["primID"][hit].astype(np.int64)
            u, v = found["u"][hit], found["v"][hit]
            rgba = surface_rgba(
                self.mesh, primitive, np.stack([1 - u - v, u, v], axis=-1)
            )
            solid = is_solid(self.mesh, primitive, rgba[:, 3])
            done = live[solid]
            face[done] = primitive[solid]
            distance[done] = travelled[done] + near[solid]
            rgb[done] = rgba[solid, :3]
            if not self._translucent:
                break
            live, step = live[~solid], near[~solid] + 1e-4
            start[live] += toward[live] * step[:, None]
            travelled[live] += step
        normal = np.where(face[:, None] >= 0, self._normal[face], 0)
        away = np.einsum("nc,nc->n", normal, toward) > 0
        normal[away] *= -1
        return Hits(face, distance, rgb, normal)

    def meets(
        self,
        origins: Num[np.ndarray, "n 3"],
        directions: Num[np.ndarray, "n 3"],
    ) -> Bool[np.ndarray, " n"]:
        """Return which rays have a solid hit: that of `cast`, for a third of its time.

        Args:
            origins: Where rays start, voxels.
            directions: Unit vectors.
        """
        if self._translucent:
            return self.cast(origins, directions).face >= 0
        start = np.ascontiguousarray(origins, np.float32)
        toward = np.ascontiguousarray(directions, np.float32)
        return self._scene.run(start, toward, query="OCCLUDED") >= 0


def look_from(
    toward: Float[np.ndarray, " 3"], up: Float[np.ndarray, " 3"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the orthonormal right, down and toward-the-eye vectors of a picture.

    Args:
        toward: From the object to the eye; any length.
        up: Direction that should point up in the picture; not parallel to `toward`.
    """
    toward = toward / np.linalg.norm(toward)
    right = np.cross(up, toward)
    right /= np.linalg.norm(right)
    return right, np.cross(right, toward), toward
