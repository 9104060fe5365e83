import io

import numpy as np
import pytest
from grids import SIX_COLORS, grid_of, six_colored, tripod
from PIL import Image

from voxify3d.export.image import png_bytes, preview
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.render.views import six_views
from voxify3d.types import Palette, VoxelGrid, vector_of
from voxify3d.voxels.surface import mesh_from_voxels


def flat_front(grid, size=120):
    view = six_views(grid.frame.front, grid.frame.up)[0]
    return render_picture(
        mesh_from_voxels(grid),
        grid.frame,
        vector_of(view.toward),
        vector_of(grid.frame.up),
        size=size,
        shaded=False,
    )


def first_seen(grid):
    """Colors of the front view, one texel a voxel: march along each column."""
    view = six_views(grid.frame.front, grid.frame.up)[0]
    toward = np.moveaxis(grid.index, view.axis, 2)
    toward = toward if view.toward[0] == "-" else toward[:, :, ::-1]
    rgb = np.concatenate([np.array([BACKGROUND], np.uint8), grid.palette.rgb])
    depth = (toward > 0).argmax(axis=2)
    seen = np.take_along_axis(toward, depth[..., None], axis=2)[..., 0]
    return view.image_from_cells(rgb[seen])


def bounds(image):
    filled = np.argwhere((image != BACKGROUND).any(axis=2))
    return filled.min(axis=0), filled.max(axis=0) + 1


def trimmed(image):
    low, high = bounds(image)
    return image[low[0] : high[0], low[1] : high[1]]


@pytest.mark.parametrize("front", ["+x", "-x", "+y", "-y", "+z", "-z"])
def test_a_flat_front_is_the_voxels_magnified(front):
    up = "+z" if front[1] == "y" else "+y"
    grid = grid_of(six_colored(), front=front, up=up)
    image = flat_front(grid)
    low, high = bounds(image)
    texels = trimmed(first_seen(grid))
    scale = (high - low)[0] // texels.shape[0]
    assert scale >= 4
    expected = texels.repeat(scale, axis=0).repeat(scale, axis=1)
    np.testing.assert_array_equal(trimmed(image), expected)
    middle = (low + high) / 2
    assert (np.abs(middle - 60) <= 1).all()


def test_input_and_result_stand_at_the_same_place():
    grid = grid_of(six_colored())
    voxels = mesh_from_voxels(grid)
    page = preview(grid, voxels, panel=96)
    cell, head = 96 + 96 // 20, round(96 * 0.11)
    left = 96 // 20
    first = page[head : head + 96, left : left + 96]
    second = page[head : head + 96, left + cell : left + cell + 96]
    np.testing.assert_array_equal(first, second)


def test_the_preview_shows_every_palette_entry():
    grid = grid_of(tripod())
    page = preview(grid, panel=96)
    found = {tuple(rgb) for rgb in page.reshape(-1, 3).tolist()}
    assert {tuple(rgb) for rgb in SIX_COLORS.tolist()} <= found


def test_the_same_grid_gives_the_same_picture():
    grid = grid_of(tripod())
    data = png_bytes(grid, panel=64)
    assert png_bytes(grid, panel=64) == data
    assert Image.open(io.BytesIO(data)).mode == "RGB"


@pytest.mark.parametrize("shape", [(1, 1, 1), (40, 1, 1), (1, 30, 2), (20, 20, 1)])
def test_thin_and_tiny_grids_make_a_picture(shape):
    grid = grid_of(np.ones(shape, np.uint8), front="+x")
    assert preview(grid, panel=64).shape[0] > 64


def test_255_colors_and_a_long_name_fit():
    palette = np.random.default_rng(0).integers(0, 256, (255, 3), np.uint8)
    grid = grid_of(np.ones((2, 2, 2), np.uint8))
    grid = VoxelGrid(grid.index, Palette(palette), grid.frame, name="n" * 200)
    page = preview(grid, panel=320)
    found = {tuple(rgb) for rgb in page.reshape(-1, 3).tolist()}
    assert {tuple(rgb) for rgb in palette.tolist()} <= found


def test_light_falls_from_above_and_shadow_lies_below():
    grid = grid_of(np.ones((6, 6, 6), np.uint8), np.full((1, 3), 200, np.uint8))
    image = render_picture(
        mesh_from_voxels(grid),
        grid.frame,
        np.array([0.7, 0.6, 1.0]),
        np.array([0.0, 1.0, 0.0]),
        size=120,
    ).astype(int)
    middle = image[:, 60].sum(axis=1)
    top, front = middle[40], middle[80]
    assert top > front
    assert (image <= BACKGROUND).all()
    below = image[105:115].sum(axis=2)
    assert below.min() < sum(BACKGROUND)
