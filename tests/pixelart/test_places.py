import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from voxify3d.pixelart.places import place_regions
from voxify3d.pixelart.region import Region

SIDE = 8
CELLS = 12


def disc(row, column, radius, contrast=0.5, *, tall=1.0, shape=True) -> Region:
    """A round region, or one `tall` times as high (along the first axis)."""
    rows, columns = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    inside = np.hypot((rows - row) / tall, columns - column) < radius
    points = np.argwhere(inside)
    lab = np.array([contrast, 0.0, 0.0])
    shape = points if shape else None
    return Region(points, shape, len(points), lab, np.zeros(3), contrast)


def placed(*regions: Region, plane=None):
    filled = np.ones((CELLS, CELLS), bool)
    return place_regions(list(regions), SIDE, filled, 1, plane)


def as_set(cells):
    return {tuple(c) for c in cells.tolist()}


@pytest.mark.parametrize("column", [5.0, 5.2, 5.4, 5.5])
@pytest.mark.parametrize("row", [5.0, 5.3, 5.5])
@pytest.mark.parametrize("radius", [0.3, 0.5, 0.8, 1.0])
def test_a_round_spot_gets_a_square_or_nearly(row, column, radius):
    (cells,), _ = placed(disc(row, column, radius))
    high, wide = np.ptp(cells, axis=0) + 1
    assert len(cells) == high * wide
    assert max(high, wide) <= 1.5 * min(high, wide) or len(cells) == 2
    middle = cells.mean(axis=0) + 0.5
    assert np.abs(middle - (row, column)).max() <= 0.75


@pytest.mark.parametrize("column", [4.9, 5.0, 5.1])
@pytest.mark.parametrize("plane", [None, 12])
def test_two_slits_on_borders_of_cells_are_dots_and_no_mask(column, plane):
    # each covers a third of a cell: a dog's eyes, wide and low
    eyes = [disc(at, 5.4, 0.2, tall=2.8) for at in (column, CELLS - column)]
    filled = np.ones((CELLS, CELLS), bool)
    cells, partner = place_regions(eyes, SIDE, filled, 0, plane)
    assert [len(one) for one in cells] == [1, 1]
    assert partner == {0: 1, 1: 0}


def test_a_small_mouth_on_a_border_in_the_middle_has_two_cells():
    (cells,), _ = placed(disc(5.3, 6.0, 0.25), plane=12)
    assert as_set(cells) == {(5, 5), (5, 6)}


def test_the_block_is_the_best_of_all_blocks():
    # the slow twin: every block, its overlap sample by sample
    region = disc(5.3, 5.7, 0.9, tall=1.8)
    (cells,), _ = placed(region)
    mine = np.zeros((CELLS * SIDE, CELLS * SIDE), bool)
    mine[tuple(region.points.T)] = True
    tall = np.ptp(region.points, axis=0) + 1

    def score(top, bottom, left, right):
        block = np.zeros_like(mine)
        block[top * SIDE : bottom * SIDE, left * SIDE : right * SIDE] = True
        ratio = (bottom - top) / (right - left) * tall[1] / tall[0]
        overlap = (block & mine).sum() / (block | mine).sum()
        return overlap * np.exp(-0.5 * abs(np.log(ratio)))

    low, high = cells.min(axis=0), cells.max(axis=0) + 1
    best = max(
        score(t, b, lo, r)
        for t in range(3, 8)
        for b in range(t + 1, 9)
        for lo in range(3, 8)
        for r in range(lo + 1, 9)
    )
    assert score(low[0], high[0], low[1], high[1]) == pytest.approx(best)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4])
def test_two_eyes_are_mirror_images_about_the_middle_of_the_whole(shift):
    left, right = disc(5, 3.0 + shift, 0.5), disc(5, 9.0 + shift, 0.5)
    cells, partner = placed(left, right, plane=12)
    assert partner == {0: 1, 1: 0}
    assert as_set(cells[0]) == {(a, 11 - b) for a, b in as_set(cells[1])}


def test_the_eyes_of_a_head_held_askew_have_a_middle_of_their_own():
    cells, partner = placed(disc(5, 2.5, 0.5), disc(5, 6.5, 0.5), plane=12)
    assert partner
    assert as_set(cells[0]) == {(a, 8 - b) for a, b in as_set(cells[1])}


@pytest.mark.parametrize("plane", [11, 12])
def test_a_nose_lies_in_the_middle(plane):
    (cells,), _ = placed(disc(5, plane / 2 + 0.1, 0.4), plane=plane)
    assert as_set(cells) == {(a, plane - 1 - b) for a, b in as_set(cells)}


def test_a_light_in_an_eye_takes_one_of_its_cells_and_never_most_of_it():
    eye = disc(6, 6, 1.5, 0.5)
    light = disc(5.5, 5.5, 0.4, 0.9)
    cells, _ = placed(eye, light)
    assert as_set(cells[1]) == {(5, 5)}
    assert len(cells[0]) >= 8
    assert not as_set(cells[0]) & as_set(cells[1])
    small, light = disc(5.5, 5.5, 0.6), disc(5.5, 5.5, 0.3, 0.9)
    cells, _ = placed(small, light)
    assert as_set(cells[0]) == {(5, 5)}
    assert not len(cells[1])


def test_a_light_whose_eye_is_not_seen_is_not_drawn():
    light = dataclasses.replace(disc(5.5, 5.5, 0.8, 0.9), shape=None, is_light=True)
    # in the color of what is around another eye
    other = disc(9, 9, 0.9, 0.5)
    other = dataclasses.replace(other, ground=light.lab)
    cells, _ = placed(light, other)
    assert not len(cells[0])


@pytest.mark.parametrize("is_filled", [True, False])
def test_pupils_have_cells_where_their_eyes_have_some(is_filled):
    """Two eyes may lie in front of nothing that is drawn."""
    eyes = [disc(6, 3, 1.2), disc(6, 9, 1.2)]
    pupils = [disc(6, 2.7, 0.5, 0.9), disc(6, 9.3, 0.5, 0.9)]
    filled = np.full((CELLS, CELLS), is_filled)
    cells, partner = place_regions(eyes + pupils, SIDE, filled, 1)
    assert [len(c) > 0 for c in cells] == [is_filled] * 4
    assert (partner.get(2) == 3) == is_filled


@pytest.mark.parametrize(
    ("radius", "step"), [(0.66, 2.3), (0.72, 2.4), (0.8, 2.3), (0.8, 2.4)]
)
def test_buttons_in_a_row_have_one_size(radius, step):
    buttons = [disc(2.1 + i * step, 5.5, radius) for i in range(4)]
    alone = [placed(button)[0][0] for button in buttons]
    assert len({len(cells) for cells in alone}) > 1  # each would have its own
    cells, _ = placed(*buttons)
    sizes = [tuple(np.ptp(c, axis=0) + 1) for c in cells]
    assert len(set(sizes)) == 1
    for mine, button in zip(cells, buttons, strict=True):
        middle = button.points.mean(axis=0) / SIDE
        assert np.abs(mine.mean(axis=0) + 0.5 - middle).max() <= 0.75


@pytest.mark.parametrize(
    "other",
    [
        disc(4.4, 5.5, 0.66, 0.3),  # of another color
        disc(4.6, 5.5, 1.1),  # larger
        disc(10.4, 5.5, 0.66),  # far away
        disc(4.4, 8.4, 0.66),  # in no row with it
    ],
)
def test_a_spot_that_is_no_button_of_the_row_keeps_its_size(other):
    button = disc(2.1, 5.5, 0.66)
    alone = placed(button)[0][0], placed(other)[0][0]
    cells, _ = placed(button, other)
    for mine, before in zip(cells, alone, strict=True):
        assert as_set(mine) == as_set(before)


def test_a_row_of_buttons_may_lie_where_no_cell_is_filled():
    buttons = [disc(2.1 + i * 2.3, 5.5, 0.66) for i in range(4)]
    filled = np.ones((CELLS, CELLS), bool)
    filled[:3] = False  # all cells of the first
    cells, _ = place_regions(buttons, SIDE, filled, 1)
    assert not len(cells[0])
    assert len({tuple(np.ptp(c, axis=0) + 1) for c in cells[1:]}) == 1
    filled[:] = False
    cells, _ = place_regions(buttons, SIDE, filled, 1)
    assert not any(map(len, cells))


def arc(row, column, radius, width) -> Region:
    """Half a ring that is open below, as a smiling eye is."""
    rows, columns = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    away = np.hypot(rows - row, columns - column)
    points = np.argwhere((np.abs(away - radius) < width / 2) & (rows > row))
    lab = np.array([0.5, 0.0, 0.0])
    return Region(points, None, round(2.45 * radius), lab, np.zeros(3), 0.5)


@pytest.mark.parametrize("top", [6.6, 6.9, 7.0, 7.1])
@pytest.mark.parametrize("column", [6.0, 6.25, 6.5])
@pytest.mark.parametrize(("radius", "width"), [(2.0, 0.7), (2.6, 0.8), (3.4, 0.9)])
def test_a_thin_arc_is_one_cell_wide_and_whole(top, column, radius, width):
    region = arc(top - radius, column, radius, width)
    (cells,), _ = placed(region)
    drawn = np.zeros((CELLS, CELLS), bool)
    drawn[tuple(cells.T)] = True
    heaps = drawn[1:, 1:] & drawn[:-1, 1:] & drawn[1:, :-1] & drawn[:-1, :-1]
    assert not heaps.any()
    assert ndimage.label(drawn, np.ones((3, 3)))[1] == 1
    assert drawn.sum() >= round(2 * radius)
    # nothing of it is far from a cell
    away = ndimage.distance_transform_edt(~drawn.repeat(SIDE, 0).repeat(SIDE, 1))
    assert away[tuple(region.points.T)].max() <= 1.5 * SIDE


@pytest.mark.parametrize("width", [1.6, 2.0, 2.4])
def test_a_thick_line_stays_thick(width):
    rows, columns = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    points = np.argwhere((np.abs(rows - 6) < width / 2) & (np.abs(columns - 6) < 4))
    region = Region(points, None, 16, np.zeros(3), np.ones(3), 0.5)
    (cells,), _ = placed(region)
    assert np.bincount(cells[:, 1], minlength=CELLS)[2:10].min() >= 2


@pytest.mark.parametrize("seed", range(40))
def test_no_cell_is_given_twice_and_partners_have_equally_many(seed):
    """Eyes with pupils and lights anywhere, on any filled cells."""
    rng = np.random.default_rng(seed)
    regions = []
    for _ in range(2):
        row, radius, inner = rng.uniform((2, 0.4, 0.1), (10, 2, 0.9))
        for column in rng.uniform(0, CELLS, 2):
            regions.append(disc(row, column, radius))
            up, across = rng.normal(0, (0.1, 0.3 * radius))
            found = disc(row + up, column + across, max(0.13, radius * inner), 0.9)
            is_light = bool(rng.random() < 0.3)
            regions.append(dataclasses.replace(found, is_light=is_light, is_inner=True))
    regions = [region for region in regions if len(region.points)]
    filled = rng.random((CELLS, CELLS)) < rng.choice([0, 0.3, 0.7, 1])
    plane = (None, CELLS - 1, CELLS)[rng.integers(3)]
    cells, partner = place_regions(regions, SIDE, filled, 1, plane)
    given = np.concatenate(cells)
    assert len(np.unique(given, axis=0)) == len(given)
    for i, j in partner.items():
        assert partner[j] == i
        assert len(cells[i]) == len(cells[j])
