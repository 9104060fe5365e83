"""Turning a mesh upright, by whole quarters or by any angles."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from voxify3d.types import DIRECTIONS, Direction, Mesh, vector_of


def upright_from_file(up: Direction) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation that turns a file's `up` to +y the short way.

    From +z to +y the x axis stays, so that a front of -y becomes +z. A mesh that
    stands on its head is turned about z.
    """
    quarters: dict[Direction, list[list[int]]] = {
        "+y": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "-y": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
        "+z": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
        "-z": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        "+x": [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
        "-x": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
    }
    return np.array(quarters[up], np.float64)


def rotation_from_angles(
    degrees: tuple[float, float, float],
) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation about x, then y, then z, each counter-clockwise.

    Quarter turns are exact, so that flat sides stay flat.
    """
    matrix = np.eye(3)
    for axis, angle in enumerate(degrees):
        turns, rest = divmod(angle % 360, 90)
        cos, sin = np.cos(np.radians(rest)), np.sin(np.radians(rest))
        if rest == 0:
            cos, sin = 1.0, 0.0
        for _ in range(int(turns)):
            cos, sin = -sin, cos
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a], turn[a, b], turn[b, a], turn[b, b] = cos, -sin, sin, cos
        matrix = turn @ matrix
    return matrix


def turned(mesh: Mesh, rotation: Float64[np.ndarray, "3 3"]) -> Mesh:
    """Return a mesh turned about the world's origin."""
    if (rotation == np.eye(3)).all():
        return mesh
    return replace(mesh, vertices=np.ascontiguousarray(mesh.vertices @ rotation.T))


def front_in_world(front: Direction, up: Direction) -> Direction:
    """Return where a file's front points to after `upright_from_file(up)`.

    A front along `up` cannot be meant: it is the default, +z of the upright mesh.
    """
    if front[1] == up[1]:
        return front if up == "+y" else "+z"
    vector = upright_from_file(up) @ vector_of(front)
    axis = int(np.abs(vector).argmax())
    return DIRECTIONS[2 * axis + (0 if vector[axis] > 0 else 1)]
