"""Solid, shell and surface; and the inside test that makes results solid."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from voxify3d.errors import ConfigError
from voxify3d.fit.coarse import fill_inside
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.mesh.shapes import sphere
from voxify3d.render.mesh import frame_of
from voxify3d.types import DIRECTIONS, Mesh
from voxify3d.voxels.fill import apply_fill
from voxify3d.voxels.settings import FillConfig
from voxify3d.voxels.surface import exposed


def cube(size=7):
    return np.full((size,) * 3, 3, np.uint8)


@st.composite
def grids(draw):
    seed = draw(st.integers(0, 2**31 - 1))
    share = draw(st.floats(0.05, 1))
    random = np.random.default_rng(seed)
    shape = random.integers(1, 9, 3)
    return ((random.random(shape) < share) * random.integers(1, 9, shape)).astype("u1")


def test_a_cube_keeps_what_the_head_says():
    assert (apply_fill(cube(), FillConfig()) > 0).sum() == 7**3
    for thickness, hollow in ((1, 5**3), (2, 3**3), (3, 1), (4, 0)):
        config = FillConfig(kind="shell", thickness=thickness)
        assert (apply_fill(cube(), config) > 0).sum() == 7**3 - hollow
    assert (apply_fill(cube(), FillConfig(kind="surface")) > 0).sum() == 7**3 - 5**3


def test_a_hollow_counts_as_inside():
    index = cube(9)
    index[4, 4, 4] = 0
    for kind in ("shell", "surface"):
        found = apply_fill(index, FillConfig(kind=kind))
        assert (found > 0).sum() == 9**3 - 7**3


@given(grids(), st.sampled_from(["shell", "surface"]), st.integers(1, 3))
def test_nothing_that_is_seen_from_outside_changes(index, kind, thickness):
    found = apply_fill(index, FillConfig(kind=kind, thickness=thickness))
    assert set(np.unique(found[found != index])) <= {0}
    for axis in range(3):  # the first voxel of each column, from both sides
        for one, other in (
            (index, found),
            (np.flip(index, axis), np.flip(found, axis)),
        ):
            first = np.take_along_axis(one, (one > 0).argmax(axis, keepdims=True), axis)
            again = np.take_along_axis(
                other, (other > 0).argmax(axis, keepdims=True), axis
            )
            np.testing.assert_array_equal(first, again)


@given(grids())
def test_surface_is_the_slow_twin_and_a_shell_holds_it(index):
    closed = np.asarray(ndimage.binary_fill_holes(index > 0), bool)
    seen = np.zeros(index.shape, bool)
    for side in DIRECTIONS:
        seen |= exposed(closed, side)
    surface = apply_fill(index, FillConfig(kind="surface")) > 0
    np.testing.assert_array_equal(surface, seen & (index > 0))
    thin = apply_fill(index, FillConfig(kind="shell")) > 0
    thick = apply_fill(index, FillConfig(kind="shell", thickness=2)) > 0
    assert (surface <= thin).all()
    assert (thin <= thick).all()


@pytest.mark.parametrize("values", [{"thickness": 0}, {"thickness": -1}])
def test_a_shell_without_walls_is_refused(values):
    with pytest.raises(ConfigError, match=r"fill\.thickness must be 1 or more"):
        FillConfig(**values)


# --- the inside test ---------------------------------------------------------------


def _cells(mesh: Mesh) -> np.ndarray:
    frame = replace(frame_of(mesh, 24), origin=(-1.2,) * 3, cell=0.1, shape=(24,) * 3)
    return surface_coverage(mesh, frame).touched


def _kept(mesh: Mesh, keep: np.ndarray) -> Mesh:
    color = None if mesh.color is None else mesh.color[keep]
    uv = None if mesh.uv is None else mesh.uv[keep]
    return replace(
        mesh,
        faces=mesh.faces[keep],
        material=mesh.material[keep],
        part=mesh.part[keep],
        color=color,
        uv=uv,
    )


def _joined(*meshes: Mesh) -> Mesh:
    first = meshes[0]
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [m.faces + s for m, s in zip(meshes, starts, strict=False)]
    return replace(
        first,
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        faces=np.concatenate(faces),
        material=np.concatenate([np.zeros_like(mesh.material) for mesh in meshes]),
        part=np.concatenate([mesh.part for mesh in meshes]),
        uv=None,
        color=None,
    )


def _moved(mesh: Mesh, scale: float, x: float = 0.0) -> Mesh:
    return replace(mesh, vertices=mesh.vertices * scale + [x, 0, 0])


def ball() -> Mesh:
    mesh = sphere()
    low, high = mesh.bounds
    vertices = (mesh.vertices - (low + high) / 2) * 2 / (high - low).max()
    return replace(mesh, vertices=vertices, uv=None, color=None)


def _punctured(radius: float) -> Mesh:
    """A ball with a round hole at the top."""
    mesh = ball()
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    away = np.hypot(middle[:, 0], middle[:, 2])
    return _kept(mesh, ~((away < radius) & (middle[:, 1] > 0)))


def _cases():
    whole = ball()
    yield "closed", whole, 1.0
    yield "inverted", replace(whole, faces=whole.faces[:, ::-1]), 1.0
    mixed = whole.faces.copy()
    mixed[::2] = mixed[::2, ::-1]
    yield "mixed winding", replace(whole, faces=mixed), 1.0
    yield "duplicate faces", _joined(whole, whole), 1.0
    yield "inner shell", _joined(whole, _moved(whole, 0.6)), 1.0
    inside_out = replace(whole, faces=whole.faces[:, ::-1])
    yield "inner shell, inverted", _joined(whole, _moved(inside_out, 0.6)), 1.0
    yield (
        "every 50th face lost",
        _kept(whole, np.arange(len(whole.faces)) % 50 > 0),
        1.0,
    )
    yield "hole of 0.3", _punctured(0.3), 0.92
    yield "hole of 0.6", _punctured(0.6), 0.5
    yield (
        "half a ball",
        _kept(whole, whole.vertices[whole.faces][..., 1].mean(1) < 0),
        0,
    )
    crossed = _joined(_moved(whole, 0.7, -0.4), _moved(whole, 0.7, 0.4))
    yield "self-intersecting", crossed, 1.0


CASES = {name: (mesh, share) for name, mesh, share in _cases()}


@pytest.mark.parametrize("name", CASES)
def test_the_inside_is_found(name):
    mesh, share = CASES[name]
    cells = _cells(mesh)
    filled = fill_inside(cells)
    assert (cells <= filled).all()
    place = (np.indices(filled.shape).reshape(3, -1).T + 0.5) * 0.1 - 1.2
    if name == "self-intersecting":
        away = [np.linalg.norm(place - [x, 0, 0], axis=1) - 0.7 for x in (-0.4, 0.4)]
        distance = np.minimum(*away)
    else:
        distance = np.linalg.norm(place, axis=1) - 1
    distance = distance.reshape(filled.shape)
    inside = distance < -0.1
    got = filled[inside].mean()
    assert got >= share
    # Nothing outside is filled, whatever is wrong with the mesh (0.18 is a cell's
    # diagonal; between crossing balls the grooves are hidden along every axis).
    if name != "self-intersecting":
        assert not filled[distance > 0.18].any()
