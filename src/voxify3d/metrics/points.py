"""Points spread over a mesh's surface, with their colors: for baselines."""

import numpy as np
from jaxtyping import Float32, Float64
from scipy.spatial import KDTree

from voxify3d.mesh.texture import surface_rgba
from voxify3d.types import Mesh

COUNT = 400_000


def surface_points(
    mesh: Mesh, seed: int = 0, count: int = COUNT
) -> tuple[Float64[np.ndarray, "n 3"], Float32[np.ndarray, "n 3"]]:
    """Return points spread evenly over the surface, world, and their sRGB colors.

    Args:
        mesh: With an area above zero.
        seed: Of the places.
        count: Points.
    """
    generator = np.random.default_rng(seed)
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    face = generator.choice(len(area), count, p=area / area.sum())
    u, v = np.sqrt(generator.random(count)), generator.random(count)
    weights = np.stack([1 - u, u * (1 - v), u * v], axis=1)
    points = np.einsum("nk,nkc->nc", weights, corners[face])
    return points, surface_rgba(mesh, face, weights.astype(np.float32))[:, :3]


def closest_colors(
    mesh: Mesh, xyz: Float64[np.ndarray, "n 3"], seed: int = 0
) -> Float32[np.ndarray, "n 3"]:
    """Return the sRGB color of the surface point that is closest to each position.

    Args:
        mesh: What is colored.
        xyz: Positions, world.
        seed: Of the surface points.
    """
    points, rgb = surface_points(mesh, seed)
    _, closest = KDTree(points).query(xyz)
    return rgb[closest]
