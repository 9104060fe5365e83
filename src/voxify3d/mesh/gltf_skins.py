"""glTF skins: vertices where their joints put them, or where they were bound.

The transform of the node that holds a skinned mesh is ignored, as glTF rules.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from voxify3d.errors import MeshError
from voxify3d.mesh.gltf_document import Document
from voxify3d.mesh.gltf_nodes import matrix_from_node
from voxify3d.mesh.gltf_primitives import Primitive


def bound_matrices(
    document: Document, world: Float64[np.ndarray, "n 4 4"]
) -> Float64[np.ndarray, "n 4 4"]:
    """Return the world matrices with all joints where they were bound to the skin.

    The first joint above all others stays where it is; nodes below joints follow.
    """
    nodes = document.json.get("nodes", [])
    bound: dict[int, np.ndarray] = {}
    for skin in document.json.get("skins", []):
        joints = skin["joints"]
        joint_from_mesh = _inverse_binds(document, skin)
        below = {
            c for j in joints for c in document.entry("nodes", j).get("children", [])
        }
        first = next((i for i, j in enumerate(joints) if j not in below), 0)
        mesh_in_world = world[joints[first]] @ joint_from_mesh[first]
        for joint, matrix in zip(joints, joint_from_mesh, strict=True):
            if abs(np.linalg.det(matrix)) > 0:
                bound.setdefault(joint, mesh_in_world @ np.linalg.inv(matrix))
    out = world.copy()
    children = {child for node in nodes for child in node.get("children", [])}
    waiting = [number for number in range(len(nodes)) if number not in children]
    for number in waiting:
        out[number] = bound.get(number, out[number])
    while waiting:
        number = waiting.pop()
        for child in nodes[number].get("children", []):
            local = matrix_from_node(nodes[child])
            out[child] = bound.get(child, out[number] @ local)
            waiting.append(child)
    return out


def skinned(
    document: Document,
    primitive: Primitive,
    skin_number: int,
    world: Float64[np.ndarray, "n 4 4"],
) -> tuple[Float64[np.ndarray, "v 3"], bool]:
    """Return vertices where the joints put them, and whether they are mirrored."""
    skin = document.entry("skins", skin_number)
    nodes = skin["joints"]
    for node in nodes:
        document.entry("nodes", node)
    matrices = world[nodes] @ _inverse_binds(document, skin)

    joints, weights = primitive.joints, primitive.weights
    assert joints is not None
    assert weights is not None
    if joints.size and joints.max() >= len(nodes):
        raise MeshError(
            f"{document.source}: a vertex follows joint {joints.max()}, but the skin "
            f"has {len(nodes)}. Re-export it."
        )
    weights = _clean_weights(document, weights)
    points = np.concatenate([primitive.positions, np.ones((len(joints), 1))], axis=1)
    vertices = np.zeros_like(primitive.positions)
    for column in range(joints.shape[1]):
        posed = np.zeros_like(vertices)
        for joint in np.unique(joints[weights[:, column] > 0, column]):
            mine = joints[:, column] == joint
            posed[mine] = points[mine] @ matrices[joint, :3].T
        vertices += posed * weights[:, column, None]
    used = np.unique(joints[weights > 0])
    mirrored = np.linalg.det(matrices[used, :3, :3]) < 0
    return vertices, bool(mirrored.mean() > 0.5)


def _inverse_binds(
    document: Document, skin: dict[str, Any]
) -> Float64[np.ndarray, "j 4 4"]:
    """Return the matrix from the mesh to each joint, as bound."""
    count = len(skin["joints"])
    joint_from_mesh = np.tile(np.eye(4), (count, 1, 1))
    if "inverseBindMatrices" in skin:
        # glTF stores matrices by columns.
        stored = document.buffers.floats(skin["inverseBindMatrices"])
        stored = stored.reshape(-1, 4, 4).transpose(0, 2, 1)[:count]
        joint_from_mesh[: len(stored)] = stored
    return joint_from_mesh


def _clean_weights(
    document: Document, weights: Float64[np.ndarray, "v j"]
) -> Float64[np.ndarray, "v j"]:
    """Return weights that sum to one; vertices without any follow their first."""
    finite = np.isfinite(weights)
    if not finite.all():
        document.notes.append(f"{(~finite).sum():,} joint weights are NaN, taken as 0")
    weights = np.clip(np.where(finite, weights, 0.0), 0.0, None)
    total = weights.sum(axis=1, keepdims=True)
    lost = total[:, 0] <= 0
    if lost.any():
        document.notes.append(
            f"{lost.sum():,} vertices have no joint weight, they follow their "
            "first joint"
        )
        weights[lost, 0] = 1.0
        total[lost] = 1.0
    return weights / total
