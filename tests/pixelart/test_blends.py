"""Palettes without entries that the mesh hardly has."""

import numpy as np
import pytest
from face_maker import GOLD, INK, SIDE, renders_of

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.pixelart.blends import without_blends
from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.statistics import CellStatistics, cell_statistics

CELLS = 14
RED = (0.7, 0.1, 0.15)
BROWN = (0.6, 0.35, 0.25)
WHITE = (0.9, 0.9, 0.9)


def lab_of(*colors) -> np.ndarray:
    return oklab_from_srgb(np.array(colors, float))


BLEND = lab_of(RED, BROWN).mean(axis=0)


def cells_of(*columns) -> list[CellStatistics]:
    """Six views in stripes: so many columns of cells of each color."""
    colors = np.repeat([c for c, _ in columns], [n * SIDE for _, n in columns], axis=0)
    image = np.tile(colors[:, None], (1, CELLS * SIDE, 1))
    front, *others = renders_of(image, CELLS)
    for other in others:
        other.rgb[:] = front.rgb
    return [cell_statistics(view) for view in (front, *others)]


def feature_of(lab) -> Feature:
    point = np.zeros((1, 2), np.int64)
    return Feature(0, point, np.asarray(lab), 0.3, True, point, np.zeros(3))


def near(color):
    """Return a cost: how far a palette is from a color."""
    return lambda palette: float(np.linalg.norm(palette - lab_of(color), axis=1).min())


def has(palette: np.ndarray, color) -> bool:
    return near(color)(palette) < 0.02


@pytest.mark.parametrize("wanted", [RED, BROWN])
@pytest.mark.parametrize("red", [4, 5])
def test_a_blend_becomes_the_one_of_its_colors_that_costs_least(wanted, red):
    cells = cells_of((INK, 5), (RED, red), (BROWN, 9 - red))
    before = np.array([*lab_of(INK), BLEND])
    after = without_blends(before, cells, [], near(wanted))
    assert len(after) == 2
    assert has(after, INK)
    assert has(after, wanted)


def test_a_color_that_few_cells_hold_replaces_no_blend():
    cells = cells_of((INK, 5), (BROWN, 8), (RED, 1))
    before = np.array([*lab_of(INK), BLEND])
    after = without_blends(before, cells, [], near(RED))
    assert has(after, BROWN)
    assert not has(after, RED)


def test_a_blend_between_entries_goes():
    cells = cells_of((RED, 7), (BROWN, 7))
    before = np.array([*lab_of(RED, BROWN), BLEND])
    after = without_blends(before, cells, [], near(RED))
    assert len(after) == 2
    assert has(after, RED)
    assert has(after, BROWN)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.4, 0.6, 1.0])
def test_a_feature_keeps_a_blend_only_where_it_would_lose(share):
    cells = cells_of((INK, 5), (RED, 5), (BROWN, 4))
    before = np.array([*lab_of(INK), BLEND])
    feature = feature_of((1 - share) * BLEND + share * lab_of(RED)[0])
    after = without_blends(before, cells, [feature], near(RED))
    apart = np.linalg.norm(feature.lab - before[1])
    assert has(after, RED) == (share > 0.5 or apart > 0.05)
    if not has(after, RED):
        np.testing.assert_array_equal(after, before)


def test_what_the_mesh_has_stays():
    cells = cells_of((INK, 5), (GOLD, 5), (WHITE, 4))
    palette = lab_of(INK, GOLD, WHITE)
    after = without_blends(palette, cells, [], near(RED))
    np.testing.assert_array_equal(after, palette)


def test_the_last_entry_stays():
    cells = cells_of((RED, 7), (BROWN, 7))
    after = without_blends(BLEND[None], cells, [feature_of(BLEND)], near(RED))
    np.testing.assert_array_equal(after, BLEND[None])
    assert has(without_blends(BLEND[None], cells, [], near(RED)), RED)
