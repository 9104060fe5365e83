"""Two eyes with lights in them: alike, whole, and lit inside."""

import dataclasses

import numpy as np
import pytest
from face_maker import INK, SIDE, face, features_of, renders_of
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS
from voxify3d.mesh.sample import sample_character
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.places import place_regions
from voxify3d.pixelart.region import Region
from voxify3d.pixelart.settings import PixelArtConfig

CELLS = 22
WHITE = (1.0, 1.0, 1.0)


def lit(apart, wide=1.5, high=2.2, light=(-0.5, 0.7, 0.6)) -> np.ndarray:
    """Samples [x, y] of two eyes that are lit from the same side."""
    image = face([], cells=CELLS)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at in (6.2, 6.2 + apart):
        image[((x - at) / wide) ** 2 + ((y - 11.1) / high) ** 2 < 1] = INK
        image[np.hypot(x - at - light[0], y - 11.1 - light[1]) < light[2]] = WHITE
    return image


def shown(image) -> np.ndarray:
    """Return which cells of the front show ink (1) and which white (2).

    The whole has no two sides, as a head askew has not.
    """
    art = pixelize(renders_of(image, CELLS), 4, PixelArtConfig(symmetry=False))
    palette = oklab_from_bytes(art.palette.rgb)
    entries = [
        np.linalg.norm(palette - oklab_from_srgb(np.array(color)), axis=1).argmin()
        for color in (INK, WHITE)
    ]
    index = art.pictures[0].index
    return (index == entries[0]) + 2 * (index == entries[1])


@pytest.mark.parametrize("apart", [7.0, 7.15, 7.3, 7.5, 7.65, 7.8])
def test_two_eyes_lit_from_one_side_are_alike_and_lit_inside(apart):
    eyes = shown(lit(apart))
    number, count = ndimage.label(eyes > 0)
    assert count == 2
    one, other = (eyes[box] for box in ndimage.find_objects(number))
    assert (one == other).all()
    assert abs((one > 0).sum() / (np.pi * 1.5 * 2.2) - 1) < 0.2
    assert (one == 2).any()
    around = ndimage.binary_dilation(np.pad(one, 1) == 2)
    assert (np.pad(one, 1)[around] > 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_partners_have_the_same_cells_in_the_same_order(seed):
    """Eyes with lights at any place: moved, or mirror images."""
    rng = np.random.default_rng(seed)
    apart, wide, high = rng.uniform((5, 1.2, 1.2), (9, 2.6, 2.6))
    right, up = rng.uniform(-0.6, 0.6, 2)
    found = features_of(lit(apart, wide, high, (right, up, 0.6)), CELLS)
    pairs = [feature for feature in found if len(feature.other)]
    assert len(pairs) >= 2
    for feature in pairs:
        step = feature.other - feature.cells
        total = feature.other + feature.cells
        assert (step[:, 1] == 0).all()
        assert len(np.unique(step[:, 0])) == 1 or len(np.unique(total[:, 0])) == 1


def test_a_light_in_one_of_two_eyes_is_not_drawn():
    image = lit(7.4)
    assert (shown(image) == 2).any()
    image[(image == WHITE).all(axis=-1) & (np.indices(image.shape[:2])[0] < 80)] = INK
    eyes = shown(image)
    assert not (eyes == 2).any()
    assert ndimage.label(eyes)[1] == 2


def test_teeth_stay_at_the_rim_of_their_mouth():
    mouth = region(11, 10, 5, 3)
    teeth = [region(x, 11.2, 0.9, 0.6, compact=False) for x in (9.5, 12.5)]
    white = {"lab": np.ones(3), "ground": np.zeros(3), "is_light": True}
    teeth = [dataclasses.replace(tooth, **white) for tooth in teeth]
    red = dataclasses.replace(mouth, ground=np.array([0.6, 0.3, 0.1]))
    filled = np.ones((CELLS, CELLS), bool)
    cells, _ = place_regions([red, *teeth], SIDE, filled, 0)
    top = cells[0][:, 1].max()
    for tooth in cells[1:]:
        assert len(tooth)
        assert (tooth[:, 1] == top).all()


def region(x, y, wide, high, *, compact=True) -> Region:
    """A block, or a line of that size."""
    at = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    inside = (np.abs(at[0] - x) < wide / 2) & (np.abs(at[1] - y) < high / 2)
    points = np.argwhere(inside)
    shape = points if compact else None
    return Region(points, shape, 1, np.zeros(3), np.ones(3), 1.7)


def test_the_end_of_a_row_of_tufts_is_none_of_a_pair():
    tufts = [region(x, 8, 2.4, 0.6) for x in (3.1, 8.0, 12.6, 17.2)]
    tufts[0] = dataclasses.replace(tufts[0], shape=None)
    filled = np.ones((CELLS, CELLS), bool)
    _, partner = place_regions(tufts, SIDE, filled, 0)
    assert 0 not in partner
    assert partner.get(1) in (None, 2)


@pytest.mark.parametrize("plane", [21, 22])
@pytest.mark.parametrize("off", [-0.2, 0.1])
def test_a_line_in_the_middle_is_alike_on_both_sides(plane, off):
    nose = region(plane / 2 + off, 8.3, 0.9, 1.4, compact=False)
    filled = np.ones((CELLS, CELLS), bool)
    (cells,), _ = place_regions([nose], SIDE, filled, 0, plane)
    places = {tuple(cell) for cell in cells.tolist()}
    assert places
    assert places == {(plane - 1 - x, y) for x, y in places}


@pytest.mark.parametrize("size", [40, 48, 52])
def test_the_samples_eyes_are_alike_and_free(size):
    """Its head is beside the middle of the whole, and its eyes have lights."""
    config = dataclasses.replace(PRESETS["draft"], size=size)
    grid = voxelize(sample_character(), config)
    filled = grid.index > 0
    last = filled.shape[2] - 1 - filled[:, :, ::-1].argmax(axis=2)
    front = np.take_along_axis(grid.index, last[..., None], axis=2)[..., 0]
    front = np.where(filled.any(axis=2), front, 0)
    dark = oklab_from_bytes(grid.palette.rgb)[:, 0].argmin() + 1
    ink, _ = ndimage.label(front == dark)
    face = [
        box
        for box in ndimage.find_objects(ink)
        if box[0].start > 0.3 * size and 0.55 * size < box[1].start < 0.7 * size
    ]
    with_rim = [tuple(slice(b.start - 1, b.stop + 1) for b in box) for box in face]
    one, other = (front[box] for box in with_rim)
    assert (one == other).all()
    assert (one == dark).sum() > 4
