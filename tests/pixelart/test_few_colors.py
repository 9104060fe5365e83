"""Palettes of fewer colors than the mesh has."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from face_maker import GOLD, INK, SIDE, renders_of

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.mesh.load import load_mesh
from voxify3d.pixelart.palette import OUTLIER, swap_entries
from voxify3d.pixelart.pixelize import PixelArt, pixelize
from voxify3d.render.mesh import frame_of, render_mesh

WHITE = (0.9, 0.9, 0.9)
BLUE = (0.1, 0.2, 0.7)
BLUE_EYES = (0.53, 0.67, 0.79)
CELLS = 14


def striped(shares: dict[tuple[float, float, float], float]) -> np.ndarray:
    """Samples [x, y] in flat areas, each of a color and a share of the width."""
    image = np.empty((CELLS * SIDE, CELLS * SIDE, 3))
    end = 0.0
    for color, share in shares.items():
        start, end = end, end + share * CELLS
        image[round(start) * SIDE : round(end) * SIDE] = color
    return image


def palette_of(front: np.ndarray, colors: int) -> np.ndarray:
    front_view, *others = renders_of(front, CELLS)
    alike = [dataclasses.replace(other, rgb=front_view.rgb) for other in others]
    return oklab_from_bytes(pixelize((front_view, *alike), colors).palette.rgb)


@pytest.mark.parametrize(
    ("shares", "colors"),
    [
        ({INK: 0.5, GOLD: 0.29, WHITE: 0.21}, 2),  # a helicopter
        ({INK: 0.5, WHITE: 0.29, GOLD: 0.21}, 2),
        ({INK: 0.36, GOLD: 0.36, WHITE: 0.28}, 2),
        ({INK: 0.43, GOLD: 0.22, WHITE: 0.21, BLUE: 0.14}, 3),
    ],
)
def test_a_palette_that_is_too_small_holds_the_colors_of_the_mesh(shares, colors):
    palette = palette_of(striped(shares), colors)
    real = oklab_from_srgb(np.array(list(shares)))
    apart = np.linalg.norm(palette[:, None] - real, axis=-1).min(axis=1)
    assert len(palette) == colors
    assert (apart < 0.03).all()


def test_a_shade_between_others_may_be_an_entry_where_the_mesh_has_all_of_them():
    # a gradient: its middle is no blend
    ramp = np.linspace(0, 1, CELLS * SIDE)[:, None, None]
    front = np.broadcast_to(
        ramp * np.array(WHITE) + (1 - ramp) * np.array(INK),
        (CELLS * SIDE, CELLS * SIDE, 3),
    )
    palette = palette_of(front, 3)
    assert len(palette) == 3
    assert np.ptp(palette[:, 0]) > 0.3


@pytest.mark.parametrize("colors", [8, 9, 10])
def test_blue_eyes_stay_blue_in_fur_of_many_shades(colors):
    # a siamese cat: a dark face, a pale chest, and nine shades of brown
    shades = np.linspace((0.02, 0.01, 0.0), (0.6, 0.52, 0.43), 9)
    front = np.repeat(shades[[0, 0, 2, 1, 3, 4, 6, 5, 8, 7, 8, 6, 4, 2]], SIDE, axis=0)
    front = np.tile(front[None], (CELLS * SIDE, 1, 1))
    front[4 * SIDE : 10 * SIDE, 3 * SIDE : 4 * SIDE] = (0.75, 0.71, 0.67)
    x, y = (np.indices(front.shape[:2]) + 0.5) / SIDE
    for column in (5.5, 8.5):
        front[np.hypot(x - column, y - 1.5) < 0.4] = BLUE_EYES
    front = front[:, ::-1]
    palette = oklab_from_bytes(pixelize(renders_of(front, CELLS), colors).palette.rgb)
    eyes = oklab_from_srgb(np.array(BLUE_EYES))
    assert np.linalg.norm(palette - eyes, axis=1).min() < 0.03


def knight_art(size: int, colors: int, samples: int) -> PixelArt:
    path = Path(__file__).parents[3] / "shared" / "meshes" / "knight.glb"
    if not path.exists():
        pytest.skip("../shared/meshes is not here")
    mesh = load_mesh(path)
    return pixelize(render_mesh(mesh, frame_of(mesh, size), samples), colors)


@pytest.mark.parametrize("size", [40, 60])
def test_a_knight_in_four_colors_keeps_his_skin(size):
    # black eyes of their own color would cost it
    art = knight_art(size, colors=4, samples=6)
    skin = oklab_from_bytes(np.array([[240, 194, 164]], np.uint8))
    apart = np.linalg.norm(oklab_from_bytes(art.palette.rgb) - skin, axis=1)
    assert apart.min() < 0.05


@pytest.mark.parametrize("size", [40, 60])
def test_a_knight_keeps_his_black_eyes_among_many_grays(size):
    # palettes with one gray more for his armor cost less
    art = knight_art(size, colors=8, samples=8)
    eyes = oklab_from_bytes(np.array([[14, 18, 20]], np.uint8))
    black = np.linalg.norm(oklab_from_bytes(art.palette.rgb) - eyes, axis=1)
    assert black.min() < 0.03
    assert (art.pictures[0].index == black.argmin()).sum() >= 4


@pytest.mark.parametrize(
    ("size", "colors"), [(24, 4), (24, 6), (36, 4), (40, 4), (40, 6), (52, 4), (60, 6)]
)
def test_a_knight_in_few_colors_keeps_black_eyes_and_his_skin(size, colors):
    # shades of his armor cost less
    art = knight_art(size, colors, samples=6)
    palette = oklab_from_bytes(art.palette.rgb)
    for rgb in ([14, 18, 20], [240, 194, 164]):
        color = oklab_from_bytes(np.array([rgb], np.uint8))
        assert np.linalg.norm(palette - color, axis=1).min() < 0.03


@pytest.mark.parametrize("held", [0, 1, 3])
def test_held_entries_stay_while_the_others_come_to_cost_less(held):
    random = np.random.default_rng(held)
    colors, weight = random.random((300, 3)), random.random(300)
    start, candidates = random.random((6, 3)), random.random((24, 3))

    def cost(palette: np.ndarray) -> float:
        away = np.linalg.norm(colors[:, None] - palette, axis=-1).min(axis=1)
        return float(weight @ (away**2 * (1 + (away / OUTLIER) ** 2)))

    found = swap_entries(colors, weight, start, candidates, held)
    np.testing.assert_array_equal(found[:held], start[:held])
    assert cost(found) < 0.8 * cost(start)
