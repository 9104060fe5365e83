""".fbx, .dae and .3ds, through assimp → Mesh (the extra `fbx`).

Assimp runs in a process of its own, see `apart.py`. What it does not hand out of .fbx,
skins and pictures, comes from `fbx.py`.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError, MissingExtraError
from voxify3d.mesh.apart import give_back, limit_memory, parsed_apart
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.fbx import embedded_images, file_name, posed, skins
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

_MAX_NODES = 1_000_000


def read_with_assimp(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a file by assimp, with material colors, vertex colors and textures.

    Args:
        path: The file.
        config: No meaning here.
        shelf: Reads the textures, those in a binary .fbx too.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
        MissingExtraError: assimp is not installed.
    """
    del config
    data = read_bytes(path)
    if importlib.util.find_spec("assimp_py") is None:
        raise MissingExtraError(
            f"{path.name}: {path.suffix} files need assimp: pip install "
            "'voxify3d[fbx]', or export the mesh as .glb."
        )
    arrays, scene = parsed_apart("voxify3d.mesh.assimp", path, "assimp")
    # Blender writes linear colors into these formats, other programs what they show.
    is_linear = b"Blender" in data
    images = embedded_images(data)
    materials = [
        _material(info, shelf, images, is_linear) for info in scene["materials"]
    ]
    shelf.close()
    pieces = []
    skinned = skins(data)
    nodes = {name: np.array(matrix) for name, matrix in scene["nodes"].items()}
    notes: list[str] = []
    for number, matrix, name in scene["placed"]:
        world = np.array(matrix, np.float64)
        faces = arrays[f"indices{number}"].reshape(-1, 3).astype(np.int64)
        vertices = arrays[f"vertices{number}"].reshape(-1, 3).astype(np.float64)
        if faces.size and faces.max() >= len(vertices):
            raise MeshError(f"{path.name}: a face uses a missing vertex. Re-export it.")
        moved = posed(skinned[name], vertices, nodes) if name in skinned else None
        if name in skinned and moved is None:
            notes.append(f"skin of {name} cannot be posed, it stands as it was bound")
        placed = vertices @ world[:3, :3].T + world[:3, 3]
        vertices = placed if moved is None else moved
        if np.linalg.det(world[:3, :3]) < 0:
            faces = faces[:, ::-1]
        kind = int(scene["material_of"][number])
        uv, color = None, None
        if f"uv{number}" in arrays and materials[kind].texture is not None:
            uv = arrays[f"uv{number}"][:, :2].astype(np.float32)[faces]
            uv[..., 1] = 1 - uv[..., 1]  # assimp has v up
        if f"color{number}" in arrays:
            rgba = np.clip(arrays[f"color{number}"].reshape(-1, 4), 0, 1)
            rgba[:, :3] = linear_from_srgb(rgba[:, :3])
            color = None if (rgba == 1).all() else rgba.astype(np.float32)[faces]
        pieces.append(Piece(vertices, faces, np.full(len(faces), kind), uv, color))
    return mesh_from_pieces(
        pieces,
        materials,
        name=path.stem,
        source=path.name,
        notes=[*notes, *shelf.notes],
    )


def _material(
    info: dict[str, Any], shelf: TextureShelf, images: dict[str, bytes], is_linear: bool
) -> Material:
    color = np.clip(np.nan_to_num(info["color"]), 0, 1).astype(np.float64)
    texture, reference = None, info["texture"]
    if reference and file_name(reference) in images:
        name = file_name(reference)
        texture = shelf.from_bytes(name, lambda: images[name])
    elif reference:
        texture = shelf.from_file(reference, is_uri=False)
    if texture is not None:  # the color is then a leftover, as viewers take it
        color = np.ones(3)
    elif not is_linear:
        color = linear_from_srgb(color)
    red, green, blue = color.tolist()
    opacity = min(max(float(info["opacity"]), 0.0), 1.0)
    has_alpha = texture is not None and bool((texture[..., 3] < 255).any())
    return Material(
        name=info["name"],
        base_color=(red, green, blue, opacity),
        texture=texture,
        alpha_mode="blend" if has_alpha or 0 < opacity < 1 else "opaque",
    )


# --- in the other process -------------------------------------------------------------


def _parse(path: str, out: str) -> None:
    """Read a file by assimp and store its scene as plain arrays."""
    import assimp_py

    limit_memory(path)
    flags = assimp_py.Process_Triangulate | assimp_py.Process_SortByPType
    scene = assimp_py.import_file(path, flags)
    arrays: dict[str, np.ndarray] = {}
    for number, mesh in enumerate(scene.meshes):
        triangles = mesh.num_indices == 3 * mesh.num_faces
        indices = np.asarray(mesh.indices) if triangles else np.zeros(0, np.uint32)
        arrays[f"vertices{number}"] = np.asarray(mesh.vertices)
        arrays[f"indices{number}"] = indices
        if mesh.texcoords and mesh.num_vertices:
            uv = np.asarray(mesh.texcoords[0]).reshape(mesh.num_vertices, -1)
            arrays[f"uv{number}"] = uv
        if mesh.colors and mesh.num_vertices:
            arrays[f"color{number}"] = np.asarray(mesh.colors[0])
    placed, nodes = [], {}
    waiting: list[tuple[Any, np.ndarray]] = [(scene.root_node, np.eye(4))]
    while waiting and len(placed) < _MAX_NODES:
        node, above = waiting.pop()
        world = above @ np.array(node.transformation, np.float64)
        nodes[node.name] = world.tolist()
        placed += [
            (int(mesh), nodes[node.name], node.name) for mesh in node.mesh_indices
        ]
        waiting += [(child, world) for child in reversed(node.children)]
    described = {
        "placed": placed,
        "nodes": nodes,
        "material_of": [mesh.material_index for mesh in scene.meshes],
        "materials": [_described(info) for info in scene.materials],
    }
    give_back(out, arrays, described)


def _described(info: dict[str, Any]) -> dict[str, Any]:
    import assimp_py

    textures = info.get("TEXTURES", {}).get(assimp_py.TextureType_DIFFUSE) or [
        info.get("TEXTURE_BASE")
    ]
    return {
        "name": str(info.get("NAME", "")),
        "color": list(info.get("COLOR_DIFFUSE", (1.0, 1.0, 1.0)))[:3],
        "opacity": info.get("OPACITY", 1.0),
        "texture": textures[0],
    }


if __name__ == "__main__":
    _parse(sys.argv[1], sys.argv[2])
