"""What people do today, as baselines that run here."""

import numpy as np
from scipy import spatial

from voxify3d.color.match import nearest
from voxify3d.color.palette import extract_palette
from voxify3d.color.spaces import bytes_from_oklab, oklab_from_bytes, oklab_from_srgb
from voxify3d.mesh.texture import surface_rgba
from voxify3d.types import Frame, Mesh, Palette, VoxelGrid

_SURFACE_POINTS = 400_000


def plain(mesh: Mesh, size: int, colors: int, seed: int = 0) -> VoxelGrid:
    """Voxelize as `trimesh` users do: voxelized, filled, closest color, K-means.

    Args:
        mesh: The input.
        size: The pitch is the longest side divided by this.
        colors: Palette entries.
        seed: Of the surface points and the palette's search.
    """
    import trimesh

    low, high = mesh.bounds
    pitch = float((high - low).max()) / size
    surface = trimesh.Trimesh(
        mesh.vertices - (low + high) / 2, mesh.faces, process=False
    )
    voxels = surface.voxelized(pitch)
    assert voxels is not None  # the default method always returns one
    voxels = voxels.fill()
    occupied = np.asarray(voxels.matrix)
    corner = voxels.transform[:3, 3] - pitch / 2 + (low + high) / 2
    generator = np.random.default_rng(seed)
    points, rgb = _surface_points(mesh, generator)
    centers = corner + (np.argwhere(occupied) + 0.5) * pitch
    _, closest = spatial.cKDTree(points).query(centers)
    lab = oklab_from_srgb(rgb[closest].astype(np.float64))
    palette = extract_palette(lab, np.ones(len(lab)), colors, seed=seed)
    entries = bytes_from_oklab(palette)
    index = np.zeros(occupied.shape, np.uint8)
    index[occupied] = 1 + nearest(lab, oklab_from_bytes(entries))[0]
    frame = Frame(tuple(corner.tolist()), pitch, occupied.shape)
    return VoxelGrid(index, Palette(entries), frame, f"{mesh.name}-plain")


def _surface_points(
    mesh: Mesh, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return points spread evenly over the surface, and their sRGB colors."""
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    face = generator.choice(len(area), _SURFACE_POINTS, p=area / area.sum())
    u, v = np.sqrt(generator.random(len(face))), generator.random(len(face))
    weights = np.stack([1 - u, u * (1 - v), u * v], axis=1)
    points = np.einsum("nk,nkc->nc", weights, corners[face])
    return points, surface_rgba(mesh, face, weights.astype(np.float32))[:, :3]
