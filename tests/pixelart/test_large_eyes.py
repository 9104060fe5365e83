"""Eyes of over nine cells, as a close face or a fine grid has them."""

import dataclasses

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, features_of, renders_of
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.blocks import best_eyes
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.statistics import cell_statistics

CELLS = 22
CREAM = (1.0, 0.93, 0.9)
WHITE = (1.0, 1.0, 1.0)


def painted(left, right, shape="oval", ground=SKIN) -> np.ndarray:
    """Samples [x, y] with two eyes: (x, y, half width, half height), in cells."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), ground)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at_x, at_y, wide, high in (left, right):
        u, v = np.abs(x - at_x) / wide, np.abs(y - at_y) / high
        inside = {
            "oval": u**2 + v**2 < 1,
            "block": np.maximum(u, v) < 1,
            "triangle": (u < (1 + (y - at_y) / high) / 2) & (v < 1),
        }[shape]
        image[inside] = INK
    return image


def as_set(cells) -> set[tuple[int, int]]:
    return {tuple(cell) for cell in cells.tolist()}


@pytest.mark.parametrize("off", [0.0, 0.3])
@pytest.mark.parametrize(("wide", "high"), [(1.6, 3.2), (1.9, 2.4), (2.4, 2.4)])
def test_large_round_eyes_are_ovals_alike_on_both_sides(wide, high, off):
    left, right = (5.3 + off, 11.2, wide, high), (16.5, 11.2, wide, high)
    found = features_of(painted(left, right), CELLS)
    assert len(found) == 2
    one, other = (as_set(f.cells) for f in found)
    middle = round(sum(f.cells[:, 0].mean() for f in found))
    assert one == {(middle - x, y) for x, y in other}
    for feature, (x, y, *_) in zip(
        sorted(found, key=lambda f: f.cells[:, 0].mean()), (left, right), strict=True
    ):
        center = feature.cells.mean(axis=0) + 0.5
        assert np.abs(center - (x, y)).max() <= 0.75
        assert abs(len(feature.cells) / (np.pi * wide * high) - 1) < 0.45
        shown = np.zeros((CELLS, CELLS), bool)
        shown[tuple(feature.cells.T)] = True
        low, top = feature.cells.min(axis=0), feature.cells.max(axis=0) + 1
        box = shown[low[0] : top[0], low[1] : top[1]]
        corners = box[[0, 0, -1, -1], [0, -1, 0, -1]]
        if min(box.shape) > 3:
            assert not corners.any()
        else:
            assert box.all()  # an oval would end in single cells
        assert (box == box[::-1]).all()
        assert (box == box[:, ::-1]).all()


@pytest.mark.parametrize("off", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("up", [0.0, 0.5])
@pytest.mark.parametrize(("wide", "high"), [(1.55, 3.2), (1.85, 2.6), (2.1, 3.1)])
def test_large_eyes_are_about_as_large_as_they_were(wide, high, off, up):
    left, right = (6 + off, 11 + up, wide, high), (16 - off, 11 + up, wide, high)
    found = features_of(painted(left, right), CELLS)
    assert len(found) == 2
    for feature in found:
        size = np.ptp(feature.cells, axis=0) + 1
        assert np.abs(size - (2 * wide, 2 * high)).max() <= 1.1
        first, last = feature.cells.min(axis=0), feature.cells.max(axis=0)
        for axis in (0, 1):
            for end in (first[axis], last[axis]):
                assert (feature.cells[:, axis] == end).sum() > 1  # no thorn


@pytest.mark.parametrize("off", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("gap", [0.7, 0.85])
@pytest.mark.parametrize("half", [2.6, 3.1])
def test_on_a_head_held_askew_one_large_eye_is_higher(half, gap, off):
    left, right = (5.6 + off, 11 + off, half, half), (16, 11 + off + gap, half, half)
    found = features_of(painted(left, right), CELLS)
    assert len(found) == 2
    found = sorted(found, key=lambda f: f.cells[:, 0].mean())
    low, other_low = (f.cells.min(axis=0) for f in found)
    shapes = [as_set(f.cells - f.cells.min(axis=0)) for f in found]
    assert shapes[0] == shapes[1]
    assert other_low[1] - low[1] in (0, 1)
    for feature, (x, y, *_) in zip(found, (left, right), strict=True):
        center = feature.cells.mean(axis=0) + 0.5
        assert np.abs(center - (x, y)).max() <= 0.55  # each in its own best place


@pytest.mark.parametrize("off", np.arange(5) / 5)
@pytest.mark.parametrize("half", [3.6, 4.3])
@pytest.mark.parametrize("gap", [0.0, 0.8])
def test_eyes_of_over_32_cells_have_those_that_they_cover_without_thorns(
    half, off, gap
):
    left, right = (5 + off, 11 + off, half, half), (16.2, 11 + off + gap, half, half)
    image = painted(left, right)
    found = features_of(image, CELLS)
    assert len(found) == 2
    is_ink = (image == INK).all(axis=-1).reshape(CELLS, SIDE, CELLS, SIDE)
    share = is_ink.mean(axis=(1, 3))
    drawn = np.zeros((CELLS, CELLS), bool)
    for feature in found:
        drawn[tuple(feature.cells.T)] = True
    least = 0.35 if gap == 0 else 0.42  # the two are alike, if they can be
    assert share[drawn].min() >= least
    assert drawn[share > 1 - least].all()
    for x, y in np.argwhere(drawn):
        beside = drawn[x - 1, y], drawn[x + 1, y], drawn[x, y - 1], drawn[x, y + 1]
        assert sum(beside) > 1


@pytest.mark.parametrize("off", np.arange(6) / 6)
@pytest.mark.parametrize("half", [2.6, 3.6])
def test_a_brow_over_a_large_eye_is_a_thing_of_its_own(half, off):
    left, right = (5.5, 10 + off, half, half), (16.3, 10.7 + off, half, half)
    image = painted(left, right)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at, above, *_ in (left, right):
        brow = (np.abs(x - at) < 3) & (np.abs(y - above - half - 1.2) < 0.7)
        image[brow] = INK
    art = pixelize(renders_of(image, CELLS), 4)
    palette = oklab_from_bytes(art.palette.rgb)
    ink = np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin()
    _, count = ndimage.label(art.pictures[0].index == ink)
    assert count == 4


@pytest.mark.parametrize("half", [1.6, 3.6])
def test_eyes_that_lie_beside_brows_alone_are_drawn_all_the_same(half):
    x, y = np.indices((CELLS, CELLS)) + 0.5
    shares = [
        [((x - at) ** 2 + (y - 11) ** 2 < half**2).astype(float)] for at in (5.5, 16.5)
    ]
    nowhere = [np.zeros((CELLS, CELLS), bool)] * 2
    everywhere = [np.ones((CELLS, CELLS), bool)] * 2
    extent = np.array([2 * half * SIDE, 2 * half * SIDE]).astype(int)
    cells = best_eyes(shares, nowhere, extent, SIDE, is_round=True)
    wanted = best_eyes(shares, everywhere, extent, SIDE, is_round=True)
    for found, own in zip(cells, wanted, strict=True):
        assert len(own) > 0
        assert as_set(found) == as_set(own)


@pytest.mark.parametrize("off", [0.1, 0.4])
def test_large_square_eyes_stay_square(off):
    half = 1.85
    left, right = (6 + off, 11 + off, half, half), (16 - off, 11 + off, half, half)
    art = pixelize(renders_of(painted(left, right, "block"), CELLS), 4)
    palette = oklab_from_bytes(art.palette.rgb)
    ink = np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin()
    eyes, count = ndimage.label(art.pictures[0].index == ink)
    assert count == 2
    for box in ndimage.find_objects(eyes):
        assert (eyes[box] > 0).all()  # no corner is missing
        assert (eyes[box].shape[0], eyes[box].shape[1]) in ((4, 4), (3, 3), (3, 4))


@pytest.mark.parametrize("width", [1.9, 2.4])
def test_the_light_of_a_large_eye_is_drawn_where_it_is_no_bite(width):
    # nearly of the color of the skin, at the rim
    left, right = (6, 11, width, 3.2), (16, 11, width, 3.2)
    image = painted(left, right, ground=CREAM)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at in (6, 16):
        light = ((x - at - 0.8) / 0.6) ** 2 + ((y - 12.4) / 1.1) ** 2 < 1
        image[light] = WHITE
    found = [f for f in features_of(image, CELLS) if f.view == 0]
    dark = [f for f in found if f.lab[0] < 0.5]
    lights = [f for f in found if f.lab[0] > 0.9]
    assert len(dark) == len(lights) == 2
    eyes = set.union(*(as_set(f.cells) for f in found))
    sizes = [len(f.cells) for f in lights]
    assert sizes[0] == sizes[1] > 0
    for light in lights:
        for cell in as_set(light.cells):
            for step in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                assert (cell[0] + step[0], cell[1] + step[1]) in eyes


@pytest.mark.parametrize(
    "image",
    [
        painted((6, 11, 2.6, 2.6), (16, 11, 2.6, 2.6), "triangle"),  # no eyes
        painted((6, 11, 2, 3), (16, 13, 2, 3)),  # not at one height
        painted((6, 11, 2, 3), (16, 11, 2, 4.5)),  # not alike
        painted((11, 11, 2, 3), (11, 11, 2, 3)),  # only one
        painted((5.5, 11, 5, 5.2), (16.5, 11, 5, 5.2), "block"),  # over 100 cells
        painted((8, 11, 4.9, 1.1), (8, 15, 4.9, 1.1), "block"),  # stripes
    ],
)
def test_what_is_no_pair_of_eyes_is_no_feature(image):
    assert features_of(image, CELLS) == []


def test_only_the_front_has_large_eyes():
    front, back, *others = renders_of(painted((6, 11, 2, 3), (16, 11, 2, 3)), CELLS)
    alike = [dataclasses.replace(r, rgb=front.rgb) for r in others]
    cells = [cell_statistics(r) for r in (front, back, *alike)]
    assert {feature.view for feature in find_features(cells)} == {0}
