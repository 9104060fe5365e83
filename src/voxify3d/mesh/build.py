"""Pieces as a file holds them → one checked Mesh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voxify3d.errors import MeshError
from voxify3d.types import Material, Mesh


@dataclass(frozen=True, slots=True)
class Piece:
    """Triangles that come together in a file.

    Attributes:
        vertices: World positions.
        faces: Vertex numbers.
        material: Entry of the materials, of each face.
        uv: Texture coordinates of each face's corners, v down, or None.
        color: Linear RGBA of each face's corners, or None.
        node: Name of the node that holds them; empty where there is none.
    """

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    material: Int[np.ndarray, " f"]
    uv: Float32[np.ndarray, "f 3 2"] | None = None
    color: Float32[np.ndarray, "f 3 4"] | None = None
    node: str = ""


def mesh_from_pieces(
    pieces: Sequence[Piece],
    materials: Sequence[Material],
    *,
    name: str,
    source: str,
    notes: Sequence[str] = (),
) -> Mesh:
    """Join pieces into one mesh, drop degenerate faces, and number the parts.

    Args:
        pieces: What the file holds.
        materials: What the pieces' `material` refers to; may be empty.
        name: Of the mesh.
        source: File name, for messages.
        notes: What the reader had to repair or ignore.

    Raises:
        MeshError: No faces, vertices that are not finite, or no extent.
    """
    total = sum(len(piece.vertices) for piece in pieces)
    pieces = [piece for piece in pieces if len(piece.faces)]
    if not pieces:
        raise MeshError(
            f"{source}: no faces ({total:,} vertices). Point clouds and lines are not "
            "supported; mesh it first."
        )
    vertices, faces = _joined_geometry(pieces)
    _check_extent(vertices, faces, source)
    keep = ~_is_degenerate(vertices, faces)
    if not keep.any():
        raise MeshError(
            f"{source}: all {len(faces):,} faces are degenerate (no area). Re-export "
            "it with real triangles."
        )
    notes = list(notes)
    if not keep.all():
        notes.append(f"dropped {(~keep).sum():,} degenerate faces")

    material = np.concatenate([piece.material for piece in pieces])[keep]
    uv = _joined(pieces, "uv", 2, 0.0)
    color = _joined(pieces, "color", 4, 1.0)
    nodes = tuple(dict.fromkeys(piece.node for piece in pieces))
    numbers = [nodes.index(piece.node) for piece in pieces]
    node = np.repeat(numbers, [len(piece.faces) for piece in pieces]).astype(np.int32)
    faces = faces[keep]
    return Mesh(
        vertices=vertices,
        faces=faces,
        material=material.astype(np.int32),
        part=parts_of(vertices, faces),
        materials=tuple(materials) or (Material(),),
        uv=None if uv is None else uv[keep],
        color=None if color is None else color[keep],
        node=node[keep] if any(nodes) else None,
        nodes=nodes if any(nodes) else (),
        name=name,
        notes=tuple(notes),
    )


def parts_of(
    vertices: Float64[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Int[np.ndarray, " f"]:
    """Return the connected part of each face; equal positions connect.

    Parts are numbered from 0 in the order of their first face.
    """
    point = welded(vertices)[faces]
    count = int(point.max()) + 1
    ones = np.ones(2 * len(point), np.int8)
    rows = np.concatenate([point[:, 0], point[:, 1]])
    columns = np.concatenate([point[:, 1], point[:, 2]])
    graph = coo_array((ones, (rows, columns)), shape=(count, count))
    part = connected_components(graph, directed=False)[1][point[:, 0]]
    _, first, inverse = np.unique(part, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]


def welded(vertices: Float64[np.ndarray, "v 3"]) -> Int[np.ndarray, " v"]:
    """Return one number per distinct position."""
    # Hashed, because sorting rows of 600 k vertices takes seconds. A collision of 64
    # bits would only join two parts.
    bits = (vertices + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0
    key = np.zeros(len(vertices), np.uint64)
    for axis in range(3):
        key = (key ^ bits[:, axis]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return np.unique(key, return_inverse=True)[1]


def _check_extent(
    vertices: Float64[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], source: str
) -> None:
    """Refuse what no voxels can be made of.

    Raises:
        MeshError: Vertices in use are not finite or too far, or all in one point.
    """
    is_used = np.zeros(len(vertices), bool)
    is_used[faces] = True
    used = np.flatnonzero(is_used)
    broken = ~np.isfinite(vertices[used]).all(axis=1)
    if broken.any():
        raise MeshError(
            f"{source}: {broken.sum():,} of {len(used):,} vertices are NaN or "
            f"infinite, the first is vertex {used[broken][0]}. Repair or re-export it."
        )
    extent = float(np.ptp(vertices[used], axis=0).max())
    largest = float(np.abs(vertices[used]).max())
    if extent <= largest * 1e-12:
        raise MeshError(
            f"{source}: all {len(faces):,} faces lie in one point. Check the scale "
            "and re-export it."
        )
    if largest > 1e30:
        raise MeshError(
            f"{source}: vertices reach {largest:.3g}, expected at most 1e30. Scale "
            "the mesh down and re-export it."
        )


def _joined_geometry(
    pieces: Sequence[Piece],
) -> tuple[Float64[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    faces = [piece.faces + start for piece, start in zip(pieces, starts, strict=False)]
    vertices = np.concatenate([piece.vertices for piece in pieces])
    return np.ascontiguousarray(vertices), np.concatenate(faces).astype(np.int64)


def _joined(
    pieces: Sequence[Piece], attribute: str, width: int, fill: float
) -> np.ndarray | None:
    arrays = [getattr(piece, attribute) for piece in pieces]
    if all(array is None for array in arrays):
        return None
    return np.concatenate(
        [
            np.full((len(piece.faces), 3, width), fill, np.float32)
            if array is None
            else array
            for piece, array in zip(pieces, arrays, strict=True)
        ]
    )


def _is_degenerate(
    vertices: Float64[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> np.ndarray:
    """Return the faces with two equal corners, or all three on one line."""
    a = vertices[faces[:, 0]]
    ab, ac = vertices[faces[:, 1]] - a, vertices[faces[:, 2]] - a
    cross = np.cross(ab, ac)
    lengths = (ab * ab).sum(1), (ac * ac).sum(1), ((ac - ab) ** 2).sum(1)
    shortest, longest = np.min(lengths, axis=0), np.max(lengths, axis=0)
    # Slivers are kept: only what double precision cannot tell from a line goes.
    return (shortest == 0) | ((cross * cross).sum(1) <= (1e-14 * longest) ** 2)
