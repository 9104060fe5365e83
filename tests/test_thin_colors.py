"""What is thinner than a voxel has one color: its own, and that of its upper side."""

import numpy as np
import pytest
from makers import joined, mesh_of

from voxify3d import PRESETS, voxelize
from voxify3d.config import VoxelizeConfig
from voxify3d.types import Mesh, VoxelGrid

GRAY, GREEN = (0.55, 0.55, 0.55), (0.1, 0.35, 0.25)
WHITE, ORANGE = (1.0, 1.0, 1.0), (0.95, 0.5, 0.15)


def box(low, high, color) -> Mesh:
    """Return a box of one color; one that is flat is a rectangle, seen twice."""
    at = np.array([low, high], float)
    corner = np.array(np.meshgrid(*at.T, indexing="ij")).reshape(3, 8).T
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4)]
    sides += [(1, 5, 7, 3)]
    faces = [part for a, b, c, d in sides for part in ((a, b, c), (a, c, d))]
    return mesh_of([corner[list(face)] for face in faces], color)


def draft(size: int, colors: int) -> VoxelizeConfig:
    return VoxelizeConfig(
        size=size,
        colors=colors,
        coarse=PRESETS["draft"].coarse,
        fine=PRESETS["draft"].fine,
    )


def first_colors(grid: VoxelGrid, axis: int) -> np.ndarray:
    """Return the colors seen along an axis from its far end; black where none."""
    columns = np.moveaxis(np.flip(grid.index, axis), axis, 2)
    first = (columns > 0).argmax(axis=2)
    entry = np.take_along_axis(columns, first[..., None], axis=2)[..., 0]
    rgb = np.concatenate([np.zeros((1, 3), np.uint8), grid.palette.rgb])
    return rgb[entry] / 255


@pytest.mark.parametrize("size", [20, 24])
def test_a_thin_deck_has_the_color_of_its_upper_side(size):
    """An oil rig's was green in a ring, where its underside stood out more."""
    legs = [
        box((x, -6, z), (x + 2, 0, z + 2), GRAY) for x in (-10, 8) for z in (-10, 8)
    ]
    deck = box((-10, 0.2, -10), (10, 0.4, 10), GRAY)
    under = box((-9, -0.1, -9), (9, 0.1, 9), GREEN)
    grid = voxelize(joined(deck, under, *legs), draft(size, 3))
    top = first_colors(grid, 1)
    alike = np.abs(top - GRAY).max(axis=-1) < 0.1
    assert alike[1:-1, 1:-1].all()
    assert alike.mean() > 0.99


@pytest.mark.parametrize("z", [4.0, 7.3])
def test_a_post_before_a_door_has_its_own_color(z):
    """It is a third of a voxel thick: most of its cells show the door."""
    wall = box((-10, 0, -10), (10, 12, -4), GREEN)
    door = box((-1, 0, -4), (6, 9, -3.5), ORANGE)
    roof = box((-10, 12, -10), (10, 12.8, z + 1), GRAY)
    post = box((1.2, 0, z), (1.55, 12, z + 0.35), WHITE)
    grid = voxelize(joined(wall, door, roof, post), draft(20, 4))
    rgb = np.concatenate([np.zeros((1, 3), np.uint8), grid.palette.rgb]) / 255
    before = grid.index[:, :-3, grid.index.shape[2] // 2 + 2 :]
    shown = rgb[before[before > 0]]
    assert len(shown) >= 8
    assert np.abs(shown - WHITE).max() < 0.15
