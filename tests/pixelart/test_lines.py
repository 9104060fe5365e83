import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, face, renders_of

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.lines import arc_cells
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.shapes import compact_shape, is_arc

CELLS = 14


def stroke(
    bow: float, *, length: float = 5, width: float = 1.1, lean: float = 0.0, y: float
) -> np.ndarray:
    """Return the samples [x, y] that a line holds, bent down by some cells."""
    across, up = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    away = (across - CELLS / 2) / (length / 2)
    middle = y - bow * (1 - away**2) + lean * away
    return (np.abs(up - middle) < width / 2) & (np.abs(away) < 1)


def points_of(held: np.ndarray) -> np.ndarray:
    return np.argwhere(held)


def shares_of(held: np.ndarray) -> np.ndarray:
    return held.reshape(CELLS, SIDE, CELLS, SIDE).mean(axis=(1, 3))


@pytest.mark.parametrize("off", [0.0, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("bow", [0.5, -0.6, 0.9, 1.5, -1.9])
@pytest.mark.parametrize("turned", [False, True])
def test_an_arc_has_one_cell_in_each_column_and_is_its_own_mirror_image(
    bow, off, turned
):
    held = stroke(bow, y=7.0 + off)
    held = held.T if turned else held
    assert is_arc(points_of(held), SIDE)
    cells = arc_cells(points_of(held), shares_of(held), SIDE)
    assert cells is not None
    along = 1 if turned else 0
    order = cells[:, along].argsort()
    column, row = cells[order, along], cells[order, 1 - along]
    assert column.tolist() == list(range(column[0], column[0] + 5))
    assert (row == row[::-1]).all()
    assert np.sign(row[0] - row[2]) == np.sign(bow)
    assert 1 <= np.ptp(row) <= np.ceil(abs(bow))
    assert shares_of(held)[tuple(cells.T)].sum() > 0.5 * len(cells)


@pytest.mark.parametrize(
    "held",
    [
        stroke(0.0, y=7.0),
        stroke(0.0, lean=1.5, y=7.0),  # slants
        stroke(0.1, y=7.0),
        stroke(0.5, length=2.5, y=7.0),  # short
        stroke(0.5, width=2.2, y=7.0),  # a wide open mouth
    ],
)
def test_what_is_not_bent_to_one_side_is_no_arc(held):
    points = points_of(held)
    assert not is_arc(points, SIDE)
    assert arc_cells(points, shares_of(held), SIDE) is None


def test_an_arc_whose_ends_run_the_other_way_is_drawn_cell_by_cell():
    held = stroke(4.0, y=9.0)
    assert arc_cells(points_of(held), shares_of(held), SIDE) is None


@pytest.mark.parametrize("ends", [12, 13, 14])
def test_an_arc_lies_about_the_middle_that_it_is_given(ends):
    held = stroke(0.6, y=7.0)
    cells = arc_cells(points_of(held), shares_of(held), SIDE, (0, ends))
    assert cells is not None
    assert cells[:, 0].min() + cells[:, 0].max() == ends
    assert arc_cells(points_of(held), shares_of(held), SIDE, (1, ends)) is None


def test_a_smile_is_no_block_and_a_bar_is_one():
    smile, bar = (points_of(stroke(bow, y=7.0)) for bow in (0.6, 0.0))
    assert compact_shape(smile, SIDE) is None
    block = compact_shape(bar, SIDE)
    assert block is not None
    assert len(block) == len(bar)


@pytest.mark.parametrize("high", [3.0, 3.4])
@pytest.mark.parametrize("at", [-0.8, 0.0, 0.8])
def test_an_eye_that_a_light_bites_is_no_arc(high, at):
    across, up = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE - CELLS / 2
    eye = across**2 + (up * 2 / high) ** 2 < 1
    light = (across + 0.6) ** 2 + (up - at) ** 2 < 0.45**2
    bitten = points_of(eye & ~light)
    assert len(bitten) < 0.92 * eye.sum()
    whole = compact_shape(bitten, SIDE)
    assert whole is not None
    assert len(whole) > len(bitten)


@pytest.mark.parametrize("y", [4.0, 4.25, 4.5, 4.75])
@pytest.mark.parametrize("length", [4.4, 5.2, 6.5])
def test_a_smile_in_a_face_has_ends_above_its_middle_and_is_one_cell_thick(y, length):
    front = face([(4.5, 9.5, 0.9), (9.5, 9.5, 0.9)])
    front[stroke(0.6, length=length, y=y)] = INK
    art = pixelize(renders_of(front), 2)
    palette = oklab_from_bytes(art.palette.rgb)
    ink = np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin()
    drawn = art.pictures[0].index[:, :7] == ink
    assert (drawn == drawn[::-1]).all()
    columns = np.flatnonzero(drawn.any(axis=1))
    assert abs(len(columns) - length) < 1.5
    assert (np.diff(columns) == 1).all()
    assert (drawn.sum(axis=1) <= 2).all()
    blocks = drawn[1:, 1:] & drawn[:-1, 1:] & drawn[1:, :-1] & drawn[:-1, :-1]
    assert not blocks.any()
    heights = [np.flatnonzero(drawn[x]).mean() for x in columns]
    assert heights[0] > heights[len(heights) // 2]


@pytest.mark.parametrize("x", [4.0, 4.3, 4.5])
@pytest.mark.parametrize("y", [8.0, 8.3, 8.5, 8.8])
def test_smiling_eyes_are_arcs_without_heaps(x, y):
    # Half a ring each, open below, nearly a cell wide.
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), SKIN)
    across, up = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (x, CELLS - x):
        radius = np.hypot(across - middle, up - y)
        image[(up > y) & (radius > 1.4) & (radius < 2.3)] = INK
    art = pixelize(renders_of(image), 2)
    palette = oklab_from_bytes(art.palette.rgb)
    ink = np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin()
    drawn = art.pictures[0].index == ink
    assert (drawn == drawn[::-1]).all()
    blocks = drawn[1:, 1:] & drawn[:-1, 1:] & drawn[1:, :-1] & drawn[:-1, :-1]
    assert not blocks.any()
    left = np.argwhere(drawn[: CELLS // 2])
    assert np.ptp(left[:, 0]) + 1 in (4, 5)
    top = left[left[:, 1] == left[:, 1].max()]
    assert len(top) >= 2 or len(left) <= 7
