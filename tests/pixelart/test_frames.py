"""Frames of windows and doors: whole rectangles, with all four corners."""

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, features_of, renders_of
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.frames import frame_cells, pane_of
from voxify3d.pixelart.pixelize import pixelize

CELLS = 14
WHITE = (1.0, 1.0, 1.0)
BARN = (0.7, 0.2, 0.15)


def plane() -> tuple[np.ndarray, np.ndarray]:
    """Return the places of samples [x, y], in cells."""
    x, y = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    return x, y


def box(x0: float, y0: float, width: float, height: float) -> np.ndarray:
    """Return which samples [x, y] lie in a rectangle."""
    x, y = plane()
    return (x >= x0) & (x < x0 + width) & (y >= y0) & (y < y0 + height)


def frame(x0: float, y0: float, width: float, height: float, bar: float) -> np.ndarray:
    """Return the samples [x, y] of a frame."""
    inner = box(x0 + bar, y0 + bar, width - 2 * bar, height - 2 * bar)
    return box(x0, y0, width, height) & ~inner


def ring(radius: float, bar: float) -> np.ndarray:
    x, y = plane()
    away = np.hypot(x - 7, y - 7)
    return (away < radius) & (away >= radius - bar)


def cells_of(held: np.ndarray, on=None) -> np.ndarray | None:
    share = held.reshape(CELLS, SIDE, CELLS, SIDE).mean(axis=(1, 3))
    return frame_cells(np.argwhere(held), share, SIDE, on)


def is_border(cells: np.ndarray) -> bool:
    """Whether cells are a rectangle's border, with every corner."""
    size = np.ptp(cells, axis=0) + 1
    whole = np.ones(size, bool)
    whole[1:-1, 1:-1] = False
    return {tuple(c) for c in cells - cells.min(axis=0)} == {
        tuple(c) for c in np.argwhere(whole)
    }


@pytest.mark.parametrize("off", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("bar", [0.375, 0.625, 1.0, 1.25])
@pytest.mark.parametrize("size", [(3.5, 4.25), (4.0, 4.0), (3.25, 5.5)])
def test_a_frame_is_the_border_of_a_rectangle_about_as_large(size, bar, off):
    width, height = size
    held = frame(4 + off, 3 + off, width, height, bar)
    cells = cells_of(held)
    assert cells is not None
    assert is_border(cells)
    low, high = cells.min(axis=0), cells.max(axis=0) + 1
    first, last = np.argwhere(held).min(axis=0), np.argwhere(held).max(axis=0) + 1
    middle = (first + last) / 2 / SIDE
    assert np.abs((low + high) / 2 - middle).max() <= 0.5
    span = (last - first) / SIDE - bar
    assert np.abs(high - low - 1 - span).max() <= 0.5 + 1 / SIDE


@pytest.mark.parametrize(
    "held",
    [
        ring(2.5, 0.8),
        box(4, 4, 4, 4),
        frame(4, 4, 4, 4.5, 0.8) & ~box(5, 4, 2, 1),  # open at one side
        frame(4, 4, 2, 2, 0.75),  # no cell within
        frame(4, 4, 5, 5, 0.125),  # thinner than a line
        ndimage.rotate(frame(4, 4, 6, 6, 0.8), 30, reshape=False, order=0),
        box(4, 6, 6, 1) | box(6.5, 4, 1, 5),
    ],
    ids=["round", "filled", "open", "tiny", "thin", "slanting", "cross"],
)
def test_what_is_no_upright_frame_is_none(held):
    assert cells_of(held) is None


def test_a_frame_in_the_middle_is_its_own_mirror_image():
    for ends in (12, 13, 14):
        cells = cells_of(frame(4.8, 5.1, 3.9, 4.2, 0.8), (0, ends))
        assert cells is not None
        assert is_border(cells)
        assert cells[:, 0].min() + cells[:, 0].max() == ends


def test_a_pane_is_what_a_border_encloses_and_nothing_else():
    border = cells_of(frame(4, 3, 4, 5, 1.0))
    assert border is not None
    inside = {tuple(cell) for cell in pane_of(border)}
    assert inside == {(x, y) for x in (5, 6) for y in (4, 5, 6)}
    assert not len(pane_of(border[1:]))
    assert not len(pane_of(np.argwhere(np.ones((4, 4)))))
    assert not len(pane_of(border[:0]))


def painted(image: np.ndarray) -> np.ndarray:
    """Return the front's cells in OKLab, of a palette with few more colors."""
    art = pixelize(renders_of(image, CELLS), 6)
    palette = oklab_from_bytes(art.palette.rgb)
    return palette[art.pictures[0].index]


@pytest.mark.parametrize("off", [0.0, 0.25, 0.5, 0.7])
@pytest.mark.parametrize("blur", [0.0, 1.5])
def test_a_window_has_four_corners_and_a_whole_pane(off, blur):
    """As those of a barn, whose texture is blurred: they were rings without corners."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), BARN)
    image[box(4 + off, 4 + off, 3.8, 4.2)] = WHITE
    image[box(4.9 + off, 4.9 + off, 2.0, 2.4)] = INK
    image = ndimage.gaussian_filter(image, (blur, blur, 0))
    lab = painted(image)
    white, dark = (
        np.linalg.norm(lab - oklab_from_srgb(np.array(color)), axis=-1) < 0.1
        for color in (WHITE, INK)
    )
    assert is_border(np.argwhere(white))
    assert {tuple(c) for c in np.argwhere(dark)} == {
        tuple(c) for c in pane_of(np.argwhere(white))
    }


@pytest.mark.parametrize("off", [0.0, 0.3, 0.5, 0.8])
def test_a_tall_window_is_a_rectangle(off):
    """Single spots of more than six cells had a shape of their own, with notches."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), SKIN)
    image[box(3 + off, 4 + off, 2.4, 3.4)] = INK
    (window,) = (f for f in features_of(image) if f.view == 0)
    size = np.ptp(window.cells, axis=0) + 1
    assert len(window.cells) == size.prod()
