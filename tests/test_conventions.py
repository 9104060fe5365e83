"""docs/conventions.md, proven on a mesh that no rotation or mirror maps onto itself.

Six limbs of six colors and lengths go through a file, the conversion and both export
formats, and every color must come back on the side that the page says.
"""

import dataclasses

import numpy as np
import pytest

from voxify3d import PRESETS, load_mesh, voxelize
from voxify3d.export import export, read_vox, read_voxels
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import TRIPOD_COLORS, TRIPOD_LENGTHS, six_colored_tripod
from voxify3d.types import DIRECTIONS, Direction, VoxelGrid, axis_of, sign_of

FRONTS: tuple[Direction, ...] = DIRECTIONS
BYTES = [tuple(round(255 * c) for c in color) for color in TRIPOD_COLORS]


@pytest.fixture(scope="module")
def tripod_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tripod") / "tripod.glb"
    save_glb(six_colored_tripod(), path)
    return path


def convert(path, front: Direction, preset: str = "draft") -> VoxelGrid:
    config = dataclasses.replace(PRESETS[preset], size=10, colors=8, front=front)
    return voxelize(load_mesh(path), config)


def tip(index: np.ndarray, axis: int, sign: int) -> tuple[int, ...]:
    """The outermost voxel along an axis: where, and its entry."""
    places = np.argwhere(index)
    at = places[(sign * places[:, axis]).argmax()]
    return tuple(at.tolist())


def color_at(index, palette, at):
    return tuple(palette.rgb[index[at] - 1].tolist())


def close(one, other):
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 3


def assert_tripod(index, palette, axes):
    """`axes[d]` is the (axis, sign) where world direction d of DIRECTIONS must lie."""
    middles = set()
    for limb, (axis, sign) in enumerate(axes):
        at = tip(index, axis, sign)
        assert close(color_at(index, palette, at), BYTES[limb]), DIRECTIONS[limb]
        # and as long as it should be, up to the middle that nobody sees
        for step in range(TRIPOD_LENGTHS[limb]):
            place = list(at)
            place[axis] -= sign * step
            found = color_at(index, palette, tuple(place))
            assert close(found, BYTES[limb]), DIRECTIONS[limb]
        middle = list(at)
        middle[axis] -= sign * TRIPOD_LENGTHS[limb]
        middles.add(tuple(middle))
    assert len(middles) == 1  # all limbs meet in one voxel


WORLD = [(axis_of(d), sign_of(d)) for d in DIRECTIONS]


@pytest.mark.parametrize("preset", ["draft", "default"])
def test_every_limb_keeps_its_side_in_the_grid(tripod_file, preset):
    grid = convert(tripod_file, "+z", preset)
    assert grid.index.shape == (10, 10, 10)
    assert grid.occupied.sum() == 1 + sum(TRIPOD_LENGTHS)
    assert_tripod(grid.index, grid.palette, WORLD)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("suffix", [".vox", ".glb"])
def test_every_limb_comes_back_from_the_file_on_its_side(
    tripod_file, tmp_path, front, suffix
):
    grid = convert(tripod_file, front)
    back = read_voxels(export(grid, tmp_path / f"tripod{suffix}"))
    assert back.frame == grid.frame
    assert_tripod(back.index, back.palette, WORLD)


# What the page says of a `.vox`: x right as seen from the front, front to -y, z up.
# World direction → (file axis, sign), for each front; up is +y, or +z for fronts ±y.
VOX_AXES = {
    "+z": {"+x": (0, 1), "+y": (2, 1), "+z": (1, -1)},
    "-z": {"+x": (0, -1), "+y": (2, 1), "+z": (1, 1)},
    "+x": {"+x": (1, -1), "+y": (2, 1), "+z": (0, -1)},
    "-x": {"+x": (1, 1), "+y": (2, 1), "+z": (0, 1)},
    "-y": {"+x": (0, 1), "+y": (1, 1), "+z": (2, 1)},
    "+y": {"+x": (0, -1), "+y": (1, -1), "+z": (2, 1)},
}


@pytest.mark.parametrize("front", FRONTS)
def test_a_vox_file_stands_as_the_page_says(tripod_file, tmp_path, front):
    path = export(convert(tripod_file, front), tmp_path / "tripod.vox")
    index, palette = read_vox(path)
    axes = []
    for direction in DIRECTIONS:
        axis, sign = VOX_AXES[front]["+" + direction[1]]
        axes.append((axis, sign * sign_of(direction)))
    assert_tripod(index, palette, axes)


@pytest.mark.parametrize("front", ["+z", "-x", "+y"])
def test_a_glb_lies_over_the_input_mesh(tripod_file, tmp_path, front):
    path = export(convert(tripod_file, front), tmp_path / "voxels.glb")
    mesh, voxels = load_mesh(tripod_file), load_mesh(path)
    # at one voxel per unit the result is the mesh
    np.testing.assert_allclose(voxels.bounds, mesh.bounds, atol=1e-5)
    for limb, direction in enumerate(DIRECTIONS):
        axis, sign = WORLD[limb]
        middles = voxels.vertices[voxels.faces].mean(axis=1)
        outer = sign * middles[:, axis] > TRIPOD_LENGTHS[limb] - 0.2
        assert outer.any(), direction
        for other in (i for i in range(3) if i != axis):
            assert (np.abs(middles[outer, other]) <= 0.5 + 1e-5).all(), direction


def test_an_odd_place_and_scale_in_the_world_is_kept(tmp_path):
    mesh = six_colored_tripod()
    moved = dataclasses.replace(mesh, vertices=mesh.vertices * 0.25 + (100, -7, 3))
    path = tmp_path / "moved.glb"
    save_glb(moved, path)
    grid = convert(path, "+z")
    assert grid.frame.cell == pytest.approx(0.25)
    middle = grid.frame.grid_from_world(np.array([100.0, -7.0, 3.0]))
    assert np.floor(middle).tolist() == [3, 2, 4]  # beyond the limbs to -x, -y, -z
    assert_tripod(grid.index, grid.palette, WORLD)
