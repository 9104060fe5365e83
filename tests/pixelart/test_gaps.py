"""Things of one color that lie apart stay apart, however little is between them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, renders_of, without
from scipy import ndimage

from voxify3d.color.match import nearest
from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS
from voxify3d.mesh.load import load_mesh
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.gaps import find_gaps
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.samples import sample_image
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import cell_statistics

CELLS = 16
SHARED = Path(__file__).parents[2].parent / "shared/meshes"


def coordinates():
    """Where the samples of a picture are, in cells."""
    return (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE


def dark_cells(mask, feature_weight=1.0, air=None):
    """Cells of a front that pixel art paints dark, whose samples are under a mask."""
    config = PixelArtConfig(feature_weight=feature_weight)
    front, *others = renders_of(np.where(mask[..., None], INK, SKIN), CELLS)
    if air is not None:
        front = without(front, air)
    art = pixelize((front, *others), 2, config)
    away = oklab_from_bytes(art.palette.rgb) - oklab_from_srgb(np.array(INK))
    return art.pictures[0].index == np.linalg.norm(away, axis=1).argmin()


def shares(mask):
    """How much of each cell is under a mask."""
    return mask.reshape(CELLS, SIDE, CELLS, SIDE).mean(axis=(1, 3))


def lens_and_brow(middle, top, gap, reach):
    """Samples of a lens, up to a height, and of a brow that begins a gap above it."""
    x, y = coordinates()
    lens = (x - middle) ** 2 + (y - top + 2.5) ** 2 < 2.5**2
    brow = (abs(x - middle) < reach) & (y > top + gap) & (y < top + gap + 1.4)
    return lens, brow


@pytest.mark.parametrize("gap", [0.4, 0.6, 0.8])
@pytest.mark.parametrize("at", np.arange(8) / 8)
def test_a_brow_does_not_run_into_the_lens_below(gap, at):
    lens, brow = lens_and_brow(8.3, 7.5 + at, gap, 3.5)
    dark = dark_cells(lens | brow)
    things, count = ndimage.label(dark)
    assert count == 2
    # Each is one of the two, and has most of what was its own.
    for mask in (lens, brow):
        own = things[shares(mask) > 0.5]
        number = np.bincount(own[own > 0]).argmax()
        assert (things == number).sum() > 0.6 * shares(mask).sum()


@pytest.mark.parametrize("gap", [0.4, 0.6])
@pytest.mark.parametrize("at", np.arange(8) / 8)
def test_a_brow_beyond_the_outline_does_not_run_into_the_lens(gap, at):
    x, y = coordinates()
    top = 7.5 + at
    lens, brow = lens_and_brow(3.3, top, gap, 2.5)
    outline = 2.6 + 0.4 * abs(y - top)
    dark = dark_cells(lens | brow, air=(x < outline) & ~lens & ~brow)
    assert ndimage.label(dark)[1] == 2


def test_a_row_of_cells_is_not_cut_through():
    x, y = coordinates()
    lens = (x - 8) ** 2 + (y - 6.75) ** 2 < 2**2
    brow = (abs(x - 8) < 4) & (y > 9.4) & (y < 10)
    dark = dark_cells(lens | brow)
    assert dark[4:12, 9].all()
    assert not dark[:, 8].any()


def test_mortar_does_not_widen():
    x, y = coordinates()
    wall = (y % 2.3 > 0.4) & (x < 14) & (y < 14)
    np.testing.assert_array_equal(dark_cells(wall), dark_cells(wall, 0.0))


@pytest.mark.parametrize(("size", "least"), [(24, 3), (32, 3), (60, 9)])
def test_a_robots_brows_are_no_part_of_its_eyes(size, least):
    path = SHARED / "robot-expressive.glb"
    if not path.is_file():
        pytest.skip("../shared/meshes is not here")
    grid = voxelize(load_mesh(path), replace(PRESETS["draft"], size=size))
    entry = int(grid.palette.rgb.sum(axis=1).argmin()) + 1
    filled = grid.index > 0
    nearest = filled.shape[2] - 1 - filled[:, :, ::-1].argmax(axis=2)
    front = np.take_along_axis(grid.index, nearest[..., None], axis=2)[..., 0]
    things, count = ndimage.label((front == entry) & filled.any(axis=2))
    large = np.bincount(things.ravel(), minlength=count + 1)[1:] > least
    assert large.sum() == 4  # two eyes, two brows


@pytest.mark.parametrize("seed", range(20))
def test_gaps_leave_things_whole_and_most_of_them(seed):
    rng = np.random.default_rng(seed)
    x, y = coordinates()
    dark = np.zeros(x.shape, bool)
    for _ in range(200):
        at_x, at_y, width, height = rng.uniform((0, 0, 0.5, 0.5), (16, 16, 2.5, 2.5))
        thing = (abs(x - at_x) < width) & (abs(y - at_y) < height)
        if not dark[ndimage.binary_dilation(thing, iterations=3)].any():
            dark |= thing  # three eighths of a cell from all others
    renders = renders_of(np.where(dark[..., None], INK, SKIN), CELLS)
    art = pixelize(renders, 2, PixelArtConfig(feature_weight=0.0))
    picture, cell = art.pictures[0], cell_statistics(renders[0])
    index, palette = picture.index, oklab_from_bytes(art.palette.rgb)
    gaps = find_gaps(cell, index, picture.cost / picture.emphasis[..., None], palette)
    own = nearest(cell.lab.reshape(-1, 3), palette)[0].reshape(cell.hit.shape)
    for entry in (0, 1):
        things = ndimage.label(sample_image(own == entry), np.ones((3, 3)))[0]
        things = things.reshape(CELLS, SIDE, CELLS, SIDE).swapaxes(1, 2)
        things = things.reshape(cell.hit.shape)
        owner = np.zeros_like(index)
        for place in zip(*np.nonzero(index == entry), strict=True):
            owner[place] = np.bincount(things[place])[1:].argmax() + 1
        for number in np.unique(owner[owner > 0]):
            before = owner == number
            after = before.copy()
            for place, other in gaps.items():
                after[place] &= other == entry
            assert 2 * after.sum() >= before.sum()
            assert ndimage.label(after)[1] <= ndimage.label(before)[1]
