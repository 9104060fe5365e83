import dataclasses

import numpy as np
import pytest
from face_maker import (
    GOLD,
    INK,
    SIDE,
    SKIN,
    face,
    features_of,
    renders_of,
    without,
)

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.mesh.sample import sample_character
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.ground import find_ground
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import cell_statistics
from voxify3d.render.mesh import frames_of, render_mesh
from voxify3d.types import Render


@pytest.mark.parametrize("radius", [0.35, 0.45, 0.6])
@pytest.mark.parametrize("left", [4.5, 4.0, 4.3, 3.8])
def test_eyes_smaller_than_a_cell_are_found_alike_on_both_sides(left, radius):
    eyes = [(left, 8.4, radius), (14 - left, 8.4, radius)]
    found = features_of(face(eyes))
    assert [f.view for f in found] == [0, 0]
    cells = [{tuple(c) for c in f.cells.tolist()} for f in found]
    assert [{tuple(c) for c in f.other.tolist()} for f in found] == cells[::-1]
    assert cells[0] == {(13 - x, y) for x, y in cells[1]}  # mirror images
    for feature in found:
        np.testing.assert_allclose(
            feature.lab, oklab_from_srgb(np.array(INK)), atol=0.02
        )
        # near where they are
        middle = feature.points.mean(axis=0) / SIDE
        near = np.linalg.norm(feature.cells + 0.5 - middle, axis=1)
        assert (near < 1.2).all()


def test_eyes_get_whole_cells_of_their_own_color_and_no_gray_halo():
    eyes = [(4.0, 8.5, 0.45), (10.0, 8.5, 0.45)]  # each on the border of two cells
    art = pixelize(renders_of(face(eyes)), 4)
    front = art.pictures[0].index
    palette = oklab_from_bytes(art.palette.rgb)
    ink = np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin()
    skin = np.linalg.norm(palette - oklab_from_srgb(np.array(SKIN)), axis=1).argmin()
    assert np.linalg.norm(palette[ink] - oklab_from_srgb(np.array(INK))) < 0.03
    places = np.argwhere(front == ink)
    assert len(places) in (2, 4)
    assert (front[front != ink] == skin).all()
    mirrored = {(13 - x, y) for x, y in places.tolist()}
    assert mirrored == {(x, y) for x, y in places.tolist()}


def test_a_round_eye_in_the_middle_of_a_cell_becomes_no_bar():
    # as wide as two cells: one cell whole, half of its four neighbors
    (eye,) = features_of(face([(6.5, 7.5, 0.98)]))
    wide, high = np.ptp(eye.cells, axis=0) + 1
    assert len(eye.cells) == wide * high
    assert max(wide, high) <= 2 * min(wide, high)
    assert [6, 7] in eye.cells.tolist()


def test_colors_that_no_cell_holds_are_no_entries_of_the_palette():
    # A border through the middle of cells: blends are everywhere, and nobody's.
    front = face([])
    for row in range(14):
        front[(row + 1) * SIDE // 2 :, row * SIDE : (row + 1) * SIDE] = INK
    real = oklab_from_srgb(np.array([SKIN, INK]))
    art = pixelize(renders_of(front), 8)
    palette = oklab_from_bytes(art.palette.rgb)
    apart = np.linalg.norm(palette[:, None] - real, axis=-1).min(axis=1)
    assert (apart < 0.03).all()
    assert len(palette) == 2  # and no two that look the same


def test_without_features_the_same_eyes_are_averaged_away():
    eyes = [(4.0, 8.5, 0.4), (10.0, 8.5, 0.4)]
    config = PixelArtConfig(feature_weight=0.0, vote=0.0, crispness=0.0)
    art = pixelize(renders_of(face(eyes)), 2, config)
    shown = oklab_from_bytes(art.palette.rgb)[art.pictures[0].index]
    assert np.linalg.norm(shown - oklab_from_srgb(np.array(INK)), axis=-1).min() > 0.2


WHITE = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("skin", "lights"), [(GOLD, 1), (WHITE, 0)])
def test_a_light_in_an_eye_gets_a_cell_unless_it_would_be_a_notch(skin, lights):
    image = face([(7, 8, 1.5)])
    image[(image == SKIN).all(axis=2)] = skin
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    image[(x - 7.5) ** 2 + (y - 8.5) ** 2 < 0.5**2] = WHITE
    found = [f for f in features_of(image) if f.view == 0]
    white = [f for f in found if f.lab[0] > 0.9]
    assert [len(f.cells) for f in white] == [1] * lights
    dark = next(f for f in found if f.lab[0] < 0.5)
    assert len(dark.cells) >= 6
    for light in white:
        assert light.cells.tolist() == [[7, 8]]


@pytest.mark.parametrize("off", [0.7, 0.8, 0.9])
def test_a_light_that_touches_the_rim_of_an_eye_shines_too(off):
    image = face([])
    image[:] = GOLD
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    eye = ((x - 7) / 1.1) ** 2 + ((y - 7.5) / 1.6) ** 2 < 1
    image[eye] = INK
    image[eye & ((x - 7 + off) ** 2 + (y - 7.5 - off) ** 2 < 0.65**2)] = WHITE
    found = [f for f in features_of(image) if f.view == 0]
    (light,) = (f for f in found if f.lab[0] > 0.95)
    assert light.cells.tolist() == [[6, 8]]
    (dark,) = (f for f in found if f.lab[0] < 0.5)
    assert len(dark.cells) == 5


def test_a_glint_too_small_for_a_cell_takes_none_from_its_eye():
    image = face([(7, 8, 1.5)])
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    image[(x - 7.5) ** 2 + (y - 8.5) ** 2 < 0.3**2] = WHITE  # 0.28 cells
    assert [f.lab[0] > 0.9 for f in features_of(image) if f.view == 0] == [False]


@pytest.mark.parametrize(("width", "height"), [(1.15, 2.1), (1.3, 1.9), (1.3, 2.1)])
def test_no_eye_loses_a_bite_to_a_light_like_the_skin(width, height):
    x, y = (np.indices((14 * SIDE, 14 * SIDE)) + 0.5) / SIDE
    image = np.full((*x.shape, 3), WHITE)
    for at in (4.0, 10.0):
        image[((x - at) / width) ** 2 + ((y - 8) / height) ** 2 < 1] = INK
    image[(x - 4.2) ** 2 + (y - 8.8) ** 2 < 0.5**2] = WHITE
    found = [f for f in features_of(image) if f.view == 0]
    assert all(f.lab[0] < 0.5 for f in found)
    one, other = (set(map(tuple, f.cells.tolist())) for f in found)
    assert one == {(13 - a, b) for a, b in other}


def test_lights_take_cells_of_their_eyes_alone():
    mesh, checked = sample_character(), 0
    for frame in frames_of(mesh, 48):
        cells = [cell_statistics(r) for r in render_mesh(mesh, frame, 10)]
        front = [f for f in find_features(cells) if f.view == 0]
        for eye in front:
            low, high = eye.points.min(axis=0), eye.points.max(axis=0)
            lights = [
                f.cells
                for f in front
                if (f.points >= low).all()
                and (f.points <= high).all()
                and f.lab[0] > 0.9 > 0.5 > f.ground[0]
            ]
            if eye.lab[0] < 0.3 and lights:
                block = np.concatenate([eye.cells, *lights])
                assert len(block) == np.prod(np.ptp(block, axis=0) + 1)
                checked += 1
    assert checked >= 4


def test_what_is_not_there_is_no_light():
    # A bite of the picture's edge in a spot: nothing was hit there.
    image = face([(7, 8, 1.5)])
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    missed = (x - 6.4) ** 2 + (y - 8.9) ** 2 < 0.6**2
    image[missed] = WHITE
    front, *others = renders_of(image, 14)
    seen = [cell_statistics(r) for r in (without(front, missed), *others)]
    for feature in find_features(seen):
        if feature.view == 0:
            assert not missed[tuple(feature.points.T)].any()


def test_the_blurred_rim_of_a_spot_is_no_feature():
    image = face([(7, 8, 1.3)], color=tuple((np.array(SKIN) + INK) / 2))
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    image[(x - 7) ** 2 + (y - 8) ** 2 < 1] = INK
    assert len([f for f in features_of(image) if f.view == 0]) == 1


def test_of_a_face_with_two_sides_one_small_brow_is_none():
    eyes = face([(4.5, 8.5, 0.5), (9.5, 8.5, 0.5)])
    brow = (slice(4 * SIDE, 5 * SIDE), slice(9 * SIDE + 6, 10 * SIDE + 1))
    image = eyes.copy()
    image[brow] = INK
    cells = [cell_statistics(r) for r in renders_of(image)]
    two_sided = Mirror(0, 14, (), np.zeros((1, 1, 1), bool))
    front = [f for f in find_features(cells, 0, two_sided) if f.view == 0]
    assert sorted(f.cells.tolist() for f in front) == [[[4, 8]], [[9, 8]]]
    assert len([f for f in find_features(cells) if f.view == 0]) == 3


@pytest.mark.parametrize("x", [7.0, 6.6, 7.5])
def test_a_row_of_buttons_is_found(x):
    buttons = [(x, y + 0.5, 0.35) for y in (3, 6, 9)]
    found = features_of(face(buttons, GOLD))
    assert len(found) == 3
    rows = sorted(int(f.cells[:, 1].mean()) for f in found)
    assert rows == [3, 6, 9]


def test_gradients_and_large_areas_and_dust_are_no_features():
    x, _ = np.indices((14 * SIDE, 14 * SIDE)) / (14 * SIDE)
    gradient = x[..., None] * np.array(GOLD) + (1 - x[..., None]) * np.array(INK)
    assert features_of(gradient) == []
    half = face([])
    half[: 7 * SIDE] = INK
    assert features_of(half) == []
    assert features_of(face([(7, 7, 0.15)])) == []
    assert features_of(face([(7, 7, 4.0)])) == []


def dot_far_away(radius: float, away: float) -> tuple[Render, ...]:
    """Skin with a golden dot on the corner of four cells that lies behind it."""
    front, *others = renders_of(face([(7.0, 7.0, radius)], GOLD))
    dot = np.linalg.norm(front.rgb - np.array(GOLD), axis=-1) < 0.01
    depth = np.where(dot, 2 + away, 2).astype(np.float32)
    return dataclasses.replace(front, depth=depth), *others


@pytest.mark.parametrize("away", [0.0, 1.0, 3.0, 9.0, -3.0])
def test_what_peeps_out_from_behind_a_wall_is_not_painted_on_it(away):
    art = pixelize(dot_far_away(0.6, away), 3)
    palette = oklab_from_bytes(art.palette.rgb)
    apart = np.linalg.norm(palette - oklab_from_srgb(np.array(GOLD)), axis=1)
    shown = (apart < 0.05)[art.pictures[0].index]
    assert shown.any() == (abs(away) < 2)
    # what fills most of its cells is seen, however far away
    cells = [cell_statistics(render) for render in dot_far_away(0.9, away)]
    assert len(find_features(cells)) == 1


def test_the_ground_of_a_grazed_cell_decides_its_color():
    # A dot that fills one cell and grazes the next one's edge.
    front = face([])
    front[4 * SIDE : 5 * SIDE + 2, 6 * SIDE : 7 * SIDE] = INK
    cells = [cell_statistics(r) for r in renders_of(front)]
    features = find_features(cells)
    assert [f.cells.tolist() for f in features] == [[[4, 6]]]
    ground = find_ground(features, 0, cells[0]).samples
    assert ground[4, 6].all()  # given to the dot: all samples count
    dark = np.linalg.norm(
        cells[0].lab[5, 6] - oklab_from_srgb(np.array(INK, np.float32)), axis=-1
    )
    assert (dark < 0.01).sum() == 2 * SIDE
    assert not ground[5, 6][dark < 0.01].any()
    assert ground[9, 9].all()


@pytest.mark.parametrize("edge", [6.55, 6.7])
@pytest.mark.parametrize("radius", [0.9, 1.2, 1.5])
def test_an_eye_that_is_seen_past_a_hand_is_not_painted_on_it(radius, edge):
    image = face([(7.0, 7.5, radius)])
    hand = slice(4 * SIDE, round(edge * SIDE))
    image[hand] = SKIN
    front, *others = renders_of(image)
    column = (np.indices(front.hit.shape)[0] * SIDE).astype(float)
    column += np.arange(SIDE**2) // SIDE
    depth = np.where((column >= hand.start) & (column < hand.stop), 1, 5)
    front = dataclasses.replace(front, depth=depth.astype(np.float32))
    (eye,) = find_features([cell_statistics(r) for r in (front, *others)])
    assert set(eye.cells[:, 0].tolist()) <= {7, 8}
