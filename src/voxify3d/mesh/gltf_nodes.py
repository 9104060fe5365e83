"""glTF nodes: which are in the scene, and where they stand.

Matrices are column-vector matrices: `world @ point`.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from voxify3d.errors import MeshError
from voxify3d.mesh.animation import clip_seconds, find_clip, pose_of_clip
from voxify3d.mesh.gltf_document import Document


def apply_clip(document: Document, wanted: str, time: float) -> None:
    """Let the nodes stand as a clip has them.

    Raises:
        ConfigError: There is no such clip.
        MeshError: It is damaged.
    """
    number = find_clip(document.json, wanted, document.source)
    end = clip_seconds(document.json, document.buffers, number)
    if time > end:
        document.notes.append(
            f"animation {wanted} ends at {end:g} s, its last pose is used"
        )
    values, notes = pose_of_clip(
        document.json, document.buffers, number, time, document.source
    )
    document.notes += notes
    nodes = list(document.json["nodes"])
    for node, value in values.items():
        nodes[node] = {**with_parts(nodes[node]), **value}
    document.json = {**document.json, "nodes": nodes}


def scene_nodes(document: Document) -> list[int]:
    """Return the nodes of the default scene, parents first."""
    scenes = document.json.get("scenes", [])
    if scenes:
        roots = document.entry("scenes", document.json.get("scene", 0)).get("nodes", [])
    else:
        nodes = document.json.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        roots = [number for number in range(len(nodes)) if number not in children]
    order, waiting, seen = [], list(reversed(roots)), set()
    while waiting:
        number = waiting.pop()
        node = document.entry("nodes", number)
        if number in seen:
            raise MeshError(
                f"{document.source}: node {number} is reached twice; nodes must form a "
                "tree. Re-export it."
            )
        seen.add(number)
        order.append(number)
        waiting.extend(reversed(node.get("children", [])))
    return order


def world_matrices(document: Document) -> Float64[np.ndarray, "n 4 4"]:
    """Return every node's world matrix, in the scene or not (joints may not be)."""
    nodes = document.json.get("nodes", [])
    parent = np.full(len(nodes), -1)
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            document.entry("nodes", child)
            if parent[child] >= 0 or child == number:
                raise MeshError(
                    f"{document.source}: node {child} has two parents or is its own; "
                    "nodes must form a tree. Re-export it."
                )
            parent[child] = number
    world = np.zeros((len(nodes), 4, 4))
    waiting = [number for number in range(len(nodes)) if parent[number] < 0]
    done = 0
    while waiting:
        number = waiting.pop()
        done += 1
        local = matrix_from_node(nodes[number])
        above = parent[number]
        world[number] = local if above < 0 else world[above] @ local
        waiting.extend(nodes[number].get("children", []))
    if done < len(nodes):
        raise MeshError(
            f"{document.source}: {len(nodes) - done} nodes form a cycle. Re-export it."
        )
    return world


def instance_matrices(
    document: Document, node: dict[str, Any]
) -> Float64[np.ndarray, "n 4 4"]:
    """Return EXT_mesh_gpu_instancing's matrices; the identity without it."""
    extension = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
    if extension is None:
        return np.eye(4)[None]
    attributes = extension["attributes"]
    names = ("TRANSLATION", "ROTATION", "SCALE")
    arrays = [
        document.buffers.floats(attributes[name]) if name in attributes else None
        for name in names
    ]
    counts = {len(array) for array in arrays if array is not None}
    if len(counts) != 1:
        raise MeshError(
            f"{document.source}: instance attributes have {sorted(counts)} entries, "
            "expected the same number. Re-export it."
        )
    matrices = np.tile(np.eye(4), (counts.pop(), 1, 1))
    translation, rotation, scale = arrays
    if rotation is not None:
        matrices[:, :3, :3] = _rotations(rotation)
    if scale is not None:
        matrices[:, :3, :3] *= scale[:, None, :]
    if translation is not None:
        matrices[:, :3, 3] = translation
    return matrices


def with_parts(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node whose matrix is split, so that a clip can set one part of it."""
    if "matrix" not in node:
        return node
    matrix = matrix_from_node(node)
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    if np.linalg.det(matrix[:3, :3]) < 0:
        scale[0] *= -1
    turn = Rotation.from_matrix(matrix[:3, :3] / np.where(scale == 0, 1, scale))
    rest = {key: value for key, value in node.items() if key != "matrix"}
    return rest | {
        "translation": matrix[:3, 3].tolist(),
        "rotation": turn.as_quat().tolist(),
        "scale": scale.tolist(),
    }


def matrix_from_node(node: dict[str, Any]) -> Float64[np.ndarray, "4 4"]:
    """Return a node's local matrix, from `matrix` or translation, rotation, scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    rotation = np.array([node.get("rotation", (0, 0, 0, 1))], np.float64)
    scale = np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, :3] = _rotations(rotation)[0] * scale
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _rotations(xyzw: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 3 3"]:
    """Return the matrices of quaternions; zero ones turn nothing."""
    norm = np.linalg.norm(xyzw, axis=1, keepdims=True)
    xyzw = np.where(norm > 0, xyzw, [0.0, 0.0, 0.0, 1.0]) / np.where(norm > 0, norm, 1)
    x, y, z, w = xyzw.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)
