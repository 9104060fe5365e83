"""emphasized(): a mesh with one region made larger, as chibi artists do.

The mesh is put into a lattice of cubes that fills it, and the lattice is bent: every
edge wants the length it had times the growth of its place, and the rest follows (a
Poisson equation). So what hangs on a region rides along, what does not touch it stays,
joints stay joined, and nothing is torn, because points that are close move alike.

`n` is the number of the lattice's nodes: the corners of its cubes.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage, sparse, spatial
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import cg

from voxify3d.errors import ConfigError
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.mesh.emphasis_settings import Emphasis
from voxify3d.mesh.head import find_head
from voxify3d.types import Direction, Frame, Mesh, vector_of

_CUBES = 56
"""Cubes along the longest side."""
_SOFT = 1.5
"""Width of the border of a region, cubes (standard deviation)."""
_LISTED = 16
"""Names that a message lists."""
_CORNERS = np.stack(np.meshgrid(*3 * [[0, 1]], indexing="ij"), -1).reshape(8, 3)


def emphasized(
    mesh: Mesh, emphasis: Emphasis, front: Direction = "+z", up: Direction = "+y"
) -> Mesh:
    """Return the mesh with a region made larger; all else keeps its size.

    Args:
        mesh: In the world frame.
        emphasis: Region and factor.
        front: Direction the object's face points to.
        up: Direction of its head.

    Raises:
        ConfigError: The region is not there: no neck, no such name, an empty box.
    """
    low, high = mesh.bounds
    cell = float((high - low).max()) / _CUBES
    shape = np.maximum(np.ceil((high - low) / cell - 1e-4), 1).astype(int)
    origin = (low + high) / 2 - shape * cell / 2
    x, y, z = map(int, shape)
    frame = Frame(tuple(origin.tolist()), cell, (x, y, z), front, up)
    touched = surface_coverage(mesh, frame).touched
    solid = _filled(touched)
    region = _region(mesh, emphasis, frame, touched, solid)
    weight = np.asarray(ndimage.gaussian_filter(region.astype(float), _SOFT))
    share = weight / np.maximum(
        ndimage.gaussian_filter(solid.astype(float), _SOFT), 1e-9
    )
    growth = np.where(solid, 1 + (emphasis.factor - 1) * np.minimum(share, 1), 1)
    moved = _bent(solid, growth, region, vector_of(up))
    place = frame.grid_from_world(mesh.vertices)
    return replace(mesh, vertices=frame.world_from_grid(_carried(place, moved)))


def _filled(touched: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """Return the surface and what it encloses along all three axes."""
    enclosed = np.ones_like(touched)
    for axis in range(3):
        before = np.maximum.accumulate(touched, axis=axis)
        after = np.flip(np.maximum.accumulate(np.flip(touched, axis), axis=axis), axis)
        enclosed &= before & after
    return touched | enclosed


def _region(
    mesh: Mesh,
    emphasis: Emphasis,
    frame: Frame,
    touched: Bool[np.ndarray, "x y z"],
    solid: Bool[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    if emphasis.box is not None:
        low, high = mesh.bounds
        fractions = np.array(emphasis.box)
        corners = frame.grid_from_world(low + fractions * (high - low))
        center = np.moveaxis(np.indices(solid.shape), 0, -1) + 0.5
        inside = ((center >= corners[0]) & (center <= corners[1])).all(axis=-1)
        if not (solid & inside).any():
            raise ConfigError(
                f"--emphasize {emphasis.region}: nothing of {mesh.name} lies "
                "in this box"
            )
        return solid & inside
    wanted = _faces_named(mesh, emphasis.region)
    if wanted.all():
        raise ConfigError(
            f"--emphasize {emphasis.region}: all of {mesh.name} has this name; name a "
            "part of it"
        )
    if wanted.any():
        return _of_faces(mesh, wanted, frame, touched, solid)
    if emphasis.region != "head":
        names = sorted({*mesh.nodes, *(m.name for m in mesh.materials)} - {""})
        listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
        known = f"it has {listed}" if names else "it has no names"
        raise ConfigError(
            f"--emphasize {emphasis.region}: no node and no material of this name in "
            f"{mesh.name} ({known}); or head, or a box x0..x1,y0..y1,z0..z1"
        )
    head = find_head(solid, vector_of(frame.up), vector_of(frame.front))
    if head is None:
        raise ConfigError(
            f"--emphasize head: no neck found in {mesh.name}; name a node or a "
            "material, or a box in fractions: 0..1,0.6..1,0..1"
        )
    return head


def _faces_named(mesh: Mesh, name: str) -> Bool[np.ndarray, " f"]:
    """Return the faces of a node, or of a material, by its exact name."""
    materials = [k for k, m in enumerate(mesh.materials) if m.name == name]
    wanted = np.isin(mesh.material, materials)
    if mesh.node is not None:
        wanted |= np.isin(mesh.node, [k for k, n in enumerate(mesh.nodes) if n == name])
    return wanted


def _of_faces(
    mesh: Mesh,
    wanted: Bool[np.ndarray, " f"],
    frame: Frame,
    touched: Bool[np.ndarray, "x y z"],
    solid: Bool[np.ndarray, "x y z"],
) -> Bool[np.ndarray, "x y z"]:
    """Return the cubes whose surface, or the surface next to them, is wanted."""
    areas = [
        surface_coverage(
            replace(
                mesh,
                faces=mesh.faces[chosen],
                material=mesh.material[chosen],
                part=mesh.part[chosen],
                uv=None if mesh.uv is None else mesh.uv[chosen],
                color=None if mesh.color is None else mesh.color[chosen],
                node=None,
            ),
            frame,
        ).area
        for chosen in (wanted, ~wanted)
    ]
    more = areas[0] > areas[1]
    nearest = ndimage.distance_transform_edt(
        ~touched, return_distances=False, return_indices=True
    )
    return solid & more[tuple(np.asarray(nearest))]


def _bent(
    solid: Bool[np.ndarray, "x y z"],
    growth: Float64[np.ndarray, "x y z"],
    region: Bool[np.ndarray, "x y z"],
    up: Float64[np.ndarray, " 3"],
) -> Float64[np.ndarray, "x1 y1 z1 3"]:
    """Return how far each corner of the cubes moves, in cubes.

    Least squares over the lattice's edges: between the ends of an edge the move
    differs by the edge times its growth less one.
    """
    cubes = np.argwhere(solid)
    shape = tuple(side + 1 for side in solid.shape)
    corners = np.ravel_multi_index(tuple((cubes[:, None] + _CORNERS).T), shape).T
    nodes, number = np.unique(corners, return_inverse=True)
    number = number.reshape(-1, 8)
    place = np.stack(np.unravel_index(nodes, shape), axis=1).astype(np.float64)
    uses = np.bincount(number.ravel())
    scale = np.bincount(number.ravel(), np.repeat(growth[solid], 8)) / uses
    start, end = _edges(number, place).T
    stretch = (scale[start] + scale[end]) / 2 - 1
    wanted = (place[end] - place[start]) * stretch[:, None]

    count, rows = len(place), np.arange(len(start))
    ones = np.ones(len(start))
    across = sparse.csr_array((ones, (rows, end)), (len(rows), count))
    across -= sparse.csr_array((ones, (rows, start)), (len(rows), count))
    matrix = sparse.csr_array(across.T @ across)
    # One node is held; without it the lattice could lie anywhere.
    matrix += sparse.csr_array(([1.0], ([0], [0])), (count, count))
    inverse = sparse.diags_array(1 / matrix.diagonal())
    solved = np.stack(
        [
            cg(matrix, np.asarray(across.T @ side), rtol=1e-6, M=inverse)[0]
            for side in wanted.T
        ],
        axis=1,
    )
    held = np.unique(number[_standing(solid, region, up)[solid]])
    solved -= solved[held].mean(axis=0)

    moved = np.zeros((int(np.prod(shape)), 3))
    moved[nodes] = solved
    is_node = np.zeros(len(moved), bool)
    is_node[nodes] = True
    nearest = ndimage.distance_transform_edt(
        ~is_node.reshape(shape), return_distances=False, return_indices=True
    )
    return moved.reshape(*shape, 3)[tuple(np.asarray(nearest))]


def _edges(
    number: Int[np.ndarray, "m 8"], place: Float64[np.ndarray, "n 3"]
) -> Int[np.ndarray, "e 2"]:
    """Return the edges of the cubes, and one more from each loose piece.

    A piece that touches nothing (a floating hand) hangs on the nearest node of the
    largest, so that it rides along.
    """
    pairs = [
        (one, other)
        for one in range(8)
        for other in range(one)
        if np.abs(_CORNERS[one] - _CORNERS[other]).sum() == 1
    ]
    edges = np.concatenate([number[:, pair] for pair in pairs])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    ones, count = np.ones(len(edges), np.int8), len(place)
    graph = sparse.coo_array((ones, tuple(edges.T)), (count, count))
    pieces, piece = connected_components(graph, directed=False)
    main = int(np.bincount(piece).argmax())
    largest = np.flatnonzero(piece == main)
    tree = spatial.cKDTree(place[largest])
    links = []
    for label in range(pieces):
        own = np.flatnonzero(piece == label)
        if label != main:
            away, found = tree.query(place[own])
            closest = int(np.argmin(away))
            links.append((own[closest], largest[np.asarray(found)[closest]]))
    return np.concatenate([edges, np.array(links, np.int64).reshape(-1, 2)])


def _standing(
    solid: Bool[np.ndarray, "x y z"],
    region: Bool[np.ndarray, "x y z"],
    up: Float64[np.ndarray, " 3"],
) -> Bool[np.ndarray, "x y z"]:
    """Return what stays where it is: the piece outside of the region that is lowest."""
    rest = solid & ~region
    if not rest.any():
        return solid
    labels, _ = ndimage.label(rest, np.ones((3, 3, 3), bool))  # pyright: ignore
    cells = np.argwhere(rest)
    lowest = cells[int(np.argmin(cells @ up))]
    return labels == labels[tuple(lowest)]


def _carried(
    place: Float64[np.ndarray, "v 3"], moved: Float64[np.ndarray, "x1 y1 z1 3"]
) -> Float64[np.ndarray, "v 3"]:
    """Return points, in cubes, where the lattice takes them (trilinear)."""
    most = np.array(moved.shape[:3]) - 2
    cube = np.clip(np.floor(place).astype(int), 0, most)
    within = np.clip(place - cube, 0, 1)
    out = place.copy()
    for corner in _CORNERS:
        weight = np.where(corner, within, 1 - within).prod(axis=1)
        out += weight[:, None] * moved[tuple((cube + corner).T)]
    return out
