"""The color of a surface point, from texture, material and vertex colors.

Colors multiply as light does, so everything is linear until the last step. Texture
coordinates are glTF's: (0, 0) is the outer corner of texel [0, 0], v runs down.
"""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from voxify3d.color.spaces import linear_from_srgb, srgb_from_linear
from voxify3d.types import Material, Mesh

_LINEAR_FROM_BYTE = linear_from_srgb(np.arange(256) / 255.0).astype(np.float32)
_UNIT_FROM_BYTE = (np.arange(256) / 255.0).astype(np.float32)


def surface_rgba(
    mesh: Mesh,
    face: Int[np.ndarray, " n"],
    barycentric: Float[np.ndarray, "n 3"],
) -> Float32[np.ndarray, "n 4"]:
    """Return the unlit base color of surface points: sRGB, and linear alpha, in [0, 1].

    The product of texture, material factor and corner color, all linear.

    Args:
        mesh: The mesh.
        face: Face each point lies on.
        barycentric: Weights of the face's three corners; they sum to one.
    """
    weights = np.asarray(barycentric, np.float32)
    material = mesh.material[face]
    factors = np.array([m.base_color for m in mesh.materials], np.float32)
    rgba = factors[material]
    if mesh.color is not None:
        rgba *= np.einsum("nk,nkc->nc", weights, mesh.color[face])
    if mesh.uv is not None and any(m.texture is not None for m in mesh.materials):
        uv = np.einsum("nk,nkc->nc", weights, mesh.uv[face])
        for number, points in _points_by_material(mesh, material):
            rgba[points] *= texture_linear(mesh.materials[number], uv[points])
    rgba[:, :3] = srgb_from_linear(rgba[:, :3])
    return np.clip(rgba, 0, 1, out=rgba)


def is_solid(
    mesh: Mesh,
    face: Int[np.ndarray, " n"],
    alpha: Float[np.ndarray, " n"],
) -> Bool[np.ndarray, " n"]:
    """Return which surface points stop a ray.

    Points of opaque materials always do; others where `alpha` reaches the material's
    cutoff.
    """
    cutoff = [
        -np.inf if m.alpha_mode == "opaque" else m.alpha_cutoff for m in mesh.materials
    ]
    return alpha >= np.array(cutoff, np.float32)[mesh.material[face]]


def texture_linear(
    material: Material, uv: Float32[np.ndarray, "n 2"]
) -> Float32[np.ndarray, "n 4"]:
    """Return linear RGBA of a material's texture, by its rules."""
    texture = material.texture
    assert texture is not None
    height, width = texture.shape[:2]
    left, right, across = _texels(uv[:, 0], width, material.wrap[0])
    upper, lower, down = _texels(uv[:, 1], height, material.wrap[1])
    texels = texture.reshape(-1, 4)
    if material.filter == "nearest":
        row = np.where(down >= 0.5, lower, upper)
        return _linear(texels[row * width + np.where(across >= 0.5, right, left)])
    upper, lower = upper * width, lower * width
    across, down = across[:, None], down[:, None]
    top = _lerp(_linear(texels[upper + left]), _linear(texels[upper + right]), across)
    low = _lerp(_linear(texels[lower + left]), _linear(texels[lower + right]), across)
    return _lerp(top, low, down)


def _points_by_material(
    mesh: Mesh, material: Int[np.ndarray, " n"]
) -> list[tuple[int, np.ndarray]]:
    """Return, for each material with a texture, which points have it."""
    order = np.argsort(material.astype(np.int32), kind="stable")
    starts = np.searchsorted(material[order], np.arange(len(mesh.materials) + 1))
    return [
        (number, order[starts[number] : starts[number + 1]])
        for number, entry in enumerate(mesh.materials)
        if entry.texture is not None and starts[number] < starts[number + 1]
    ]


def _texels(
    coordinate: Float32[np.ndarray, " n"], size: int, wrap: str
) -> tuple[np.ndarray, np.ndarray, Float32[np.ndarray, " n"]]:
    """Return the two texels around a coordinate, and the weight of the second."""
    # First into a small range, so that huge coordinates cannot overflow the integers.
    coordinate = np.nan_to_num(coordinate.astype(np.float64), posinf=0, neginf=0)
    if wrap == "repeat":
        coordinate = coordinate - np.floor(coordinate)
    elif wrap == "mirror":
        coordinate = np.mod(coordinate, 2.0)
    else:
        coordinate = np.clip(coordinate, 0, 1)
    place = coordinate * size - 0.5
    low = np.floor(place)
    weight = (place - low).astype(np.float32)
    first = low.astype(np.int64)
    return _wrapped(first, size, wrap), _wrapped(first + 1, size, wrap), weight


def _wrapped(texel: np.ndarray, size: int, wrap: str) -> np.ndarray:
    if wrap == "repeat":
        return np.mod(texel, size)
    if wrap == "mirror":
        texel = np.mod(texel, 2 * size)
        return np.minimum(texel, 2 * size - 1 - texel)
    return np.clip(texel, 0, size - 1)


def _linear(texels: np.ndarray) -> Float32[np.ndarray, "n 4"]:
    linear = np.empty(texels.shape, np.float32)
    linear[:, :3] = _LINEAR_FROM_BYTE[texels[:, :3]]
    linear[:, 3] = _UNIT_FROM_BYTE[texels[:, 3]]
    return linear


def _lerp(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return a + (b - a) * weight
