"""Palettes of fewer colors than the mesh has."""

import dataclasses

import numpy as np
import pytest
from face_maker import GOLD, INK, SIDE, renders_of

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.pixelize import pixelize

WHITE = (0.9, 0.9, 0.9)
BLUE = (0.1, 0.2, 0.7)
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
