"""glTF 2.0 (.glb, .gltf, .vrm) → Mesh: the default scene, as its nodes stand or a clip.

The parts are `gltf_document`, `gltf_nodes`, `gltf_skins`, `gltf_primitives` and
`gltf_materials`; numbers come from `accessors`, clips from `animation`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.gltf_document import Document
from voxify3d.mesh.gltf_materials import Look, Looks
from voxify3d.mesh.gltf_nodes import (
    apply_clip,
    instance_matrices,
    scene_nodes,
    world_matrices,
)
from voxify3d.mesh.gltf_primitives import Primitive, read_primitive
from voxify3d.mesh.gltf_skins import bound_matrices, skinned
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Mesh

MAX_FACES = 16_000_000
"""Of all nodes and instances together."""

_Known = dict[tuple[int, int], Primitive | None]
"""Primitives by mesh and place in it, to read each once."""


def read_gltf(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a glTF file.

    Args:
        path: A .glb, .gltf or .vrm file.
        config: Pose, clip and variant.
        shelf: Reads the textures; the plain color stands in for a missing one.

    Raises:
        MeshError: The file cannot be read, or holds no triangles.
    """
    document = Document(path)
    looks = Looks(document, shelf, document.variant(config.variant))
    if config.animation is not None:
        apply_clip(document, config.animation, config.time)
    world = world_matrices(document)
    if config.pose == "bind":
        world = bound_matrices(document, world)
    pieces = _without_mask_colors(_pieces(document, looks, world), document.notes)
    shelf.close()
    return mesh_from_pieces(
        pieces,
        [look.material for look in looks.all],
        name=path.stem,
        source=path.name,
        notes=[*dict.fromkeys(document.notes), *shelf.notes],
    )


def _pieces(
    document: Document, looks: Looks, world: Float64[np.ndarray, "n 4 4"]
) -> list[Piece]:
    """Return everything in the scene, where it stands."""
    pieces: list[Piece] = []
    known: _Known = {}
    total = 0
    for number in scene_nodes(document):
        node = document.entry("nodes", number)
        if "mesh" not in node:
            continue
        for info, primitive in _primitives(document, node, known):
            material = looks.number_of(info)
            look = looks.all[material]
            name = str(node.get("name", ""))
            for vertices, flipped in _poses(document, primitive, number, world):
                piece = _piece(primitive, vertices, flipped, material, look)
                pieces.append(replace(piece, node=name))
                total += len(primitive.faces)
                if total > MAX_FACES:
                    raise _too_many(document)
    return pieces


def _primitives(
    document: Document, node: dict[str, Any], known: _Known
) -> Iterator[tuple[dict[str, Any], Primitive]]:
    """Yield the primitives of a node's mesh, with what the file says of them."""
    number = node["mesh"]
    mesh = document.entry("meshes", number)
    targets = node.get("weights", mesh.get("weights"))
    for index, info in enumerate(mesh["primitives"]):
        if targets and "targets" in info:
            primitive = read_primitive(document, info, targets)
        else:
            key = (number, index)
            if key not in known:
                known[key] = read_primitive(document, info, [])
            primitive = known[key]
        if primitive is not None:
            yield info, primitive


def _poses(
    document: Document,
    primitive: Primitive,
    number: int,
    world: Float64[np.ndarray, "n 4 4"],
) -> Iterator[tuple[Float64[np.ndarray, "v 3"], bool]]:
    """Yield the vertices as a node (or its skin, or its instances) has them.

    The second value tells whether they are mirrored.
    """
    node = document.entry("nodes", number)
    if "skin" in node and primitive.joints is not None:
        yield skinned(document, primitive, node["skin"], world)
        return
    instances = instance_matrices(document, node)
    if len(instances) * len(primitive.faces) > MAX_FACES:
        raise _too_many(document)
    for instance in instances:
        matrix = world[number] @ instance
        vertices = primitive.positions @ matrix[:3, :3].T + matrix[:3, 3]
        yield vertices, bool(np.linalg.det(matrix[:3, :3]) < 0)


def _piece(
    primitive: Primitive,
    vertices: Float64[np.ndarray, "v 3"],
    flipped: bool,
    material: int,
    look: Look,
) -> Piece:
    # A negative scale turns the mesh inside out; reversing the corners undoes it.
    faces = primitive.faces[:, ::-1] if flipped else primitive.faces
    uv = None
    if look.material.texture is not None and look.uv_set in primitive.uvs:
        uv = primitive.uvs[look.uv_set]
        if look.uv_matrix is not None:
            uv = uv @ look.uv_matrix[:, :2].T + look.uv_matrix[:, 2]
        uv = uv.astype(np.float32)[faces]
    color = None if primitive.color is None else primitive.color[faces]
    return Piece(vertices, faces, np.full(len(faces), material), uv, color)


def _without_mask_colors(pieces: list[Piece], notes: list[str]) -> list[Piece]:
    """Return pieces without vertex colors that cannot be meant as colors.

    Some exporters store masks (wind, damage) in COLOR_0, which would turn the mesh
    black or take a whole channel out of its texture.
    """
    peaks, textured = [], []
    for piece in pieces:
        if piece.color is not None and len(piece.faces):
            peaks.append(piece.color[..., :3].max(axis=(0, 1)))
            if piece.uv is not None:
                textured.append(peaks[-1])
    if not peaks:
        return pieces
    if np.max(peaks) == 0:
        notes.append("vertex colors are all black, taken as a mask and ignored")
        return [replace(piece, color=None) for piece in pieces]
    if textured and np.max(textured, axis=0).min() == 0:
        notes.append(
            "vertex colors would take a channel out of the texture, taken as a "
            "mask and ignored"
        )
        return [
            replace(piece, color=None) if piece.uv is not None else piece
            for piece in pieces
        ]
    return pieces


def _too_many(document: Document) -> MeshError:
    return MeshError(
        f"{document.source}: more than {MAX_FACES:,} faces. Decimate the mesh first."
    )
