"""Open eyes: pupils in white, drawn as two eyes however small they are."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from face_maker import INK, SIDE, face, features_of, renders_of
from makers import joined
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS
from voxify3d.fit.phase import EYES, best_phase
from voxify3d.mesh import shapes
from voxify3d.pipeline import voxelize
from voxify3d.pixelart import eye_cells
from voxify3d.pixelart.eye_cells import AT_RIM, place_eyes
from voxify3d.pixelart.features import FIRM, FIRMEST, find_features
from voxify3d.pixelart.open_eyes import find_open_eyes
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import cell_statistics
from voxify3d.render.eye import first_occupied, from_eye
from voxify3d.render.views import six_views
from voxify3d.types import Mesh

CELLS = 18
WHITE, GRAY, BLACK = (1.0, 1.0, 1.0), (0.76, 0.76, 0.76), (0.0, 0.0, 0.0)
FURS = {"violet": (0.4, 0.27, 0.45), "black": (0.22, 0.22, 0.22)}
FURS |= {"skin": (0.95, 0.78, 0.65), "green": (0.2, 0.6, 0.15)}


def staring(
    wide: float,
    high: float,
    apart: float,
    pupil: float = 0.5,
    fur: str = "violet",
    at: tuple[float, float] = (9.0, 9.0),
    look: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Samples [x, y] of two eyes; all in cells, but the pupil in the size of an eye."""
    image = face([], cells=CELLS)
    image[:] = FURS[fur]
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (at[0] - apart / 2, at[0] + apart / 2):
        u, v = (x - middle) / wide * 2, (y - at[1]) / high * 2
        image[u**2 + v**2 < 1] = WHITE
        image[(u - look[0]) ** 2 + (v - look[1]) ** 2 < pupil**2] = INK
    return image


def found_in(image: np.ndarray) -> list:
    """Return the pairs of eyes of a picture."""
    lab = oklab_from_srgb(image).astype(np.float32)
    return find_open_eyes(lab, np.ones(lab.shape[:2], bool), SIDE, 0)


def drawn(image: np.ndarray) -> np.ndarray:
    """Return which cells [x, y] of the front show white (1) and which ink (2).

    The whole has no two sides.
    """
    art = pixelize(renders_of(image, CELLS), 4, PixelArtConfig(symmetry=False))
    palette = oklab_from_bytes(art.palette.rgb)
    lab = oklab_from_srgb(np.array([WHITE, INK]))
    white, ink = (np.linalg.norm(palette - own, axis=1).argmin() for own in lab)
    index = art.pictures[0].index
    return (index == white) + 2 * (index == ink)


@pytest.mark.parametrize("fur", FURS)
@pytest.mark.parametrize("size", [0.9, 1.3, 2.0, 4.0])
def test_eyes_are_found_with_their_pupils(size, fur):
    (pair,) = found_in(staring(size, 1.2 * size, 1.6 * size + 0.3, 0.55, fur))
    area = np.pi / 4 * 1.2 * size**2 * SIDE**2
    for eye in pair:
        assert eye.area / area == pytest.approx(1, abs=0.2)
        assert len(eye.pupil) / area == pytest.approx(0.55**2, abs=0.12)
        assert np.linalg.norm(eye.white_lab - oklab_from_srgb(np.array(WHITE))) < 0.05
        assert np.linalg.norm(eye.pupil_lab - oklab_from_srgb(np.array(INK))) < 0.05
        assert np.linalg.norm(eye.ground - oklab_from_srgb(np.array(FURS[fur]))) < 0.05
    assert pair[0].center[0] < pair[1].center[0]


def test_what_is_shaded_of_a_white_belongs_to_it():
    image = staring(2.0, 2.6, 3.2, 0.5, "black")
    y = (np.indices(image.shape[:2])[1] + 0.5) / SIDE
    (lit,) = found_in(image)
    image[(image == WHITE).all(axis=-1) & (y > 9.9)] = GRAY
    (shaded,) = found_in(image)
    assert [eye.area for eye in shaded] == [eye.area for eye in lit]


def test_an_eye_has_its_iris():
    image = staring(2.2, 2.2, 3.4, 0.3)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (9 - 1.7, 9 + 1.7):
        iris = np.hypot(x - middle, y - 9) < 0.65
        image[iris & (image == WHITE).all(axis=-1)] = (0.3, 0.2, 0.1)
    (pair,) = found_in(image)
    assert len(pair[0].pupil) == pytest.approx(np.pi * 0.65**2 * SIDE**2, rel=0.15)


def no_eyes() -> dict[str, np.ndarray]:
    """Samples [x, y] of what is no pair of open eyes."""
    faces = {
        "without pupils": staring(2, 2, 3.4, 0.0),
        "one": staring(2, 2, 3.4),
        "one above the other": np.swapaxes(staring(2, 2, 3.4), 0, 1),
        "far apart": staring(1.2, 1.2, 12),
        "bars": staring(1.0, 3.4, 3.4),
        "all pupil": staring(2, 2, 3.4, 0.97),
        "holes in white": staring(2, 2, 3.4),
        "pupils like the face": staring(2, 2, 3.4),
    }
    half = faces["one"][: CELLS // 2 * SIDE]
    half[:] = FURS["violet"]
    hole = faces["holes in white"]
    hole[(hole == FURS["violet"]).all(axis=-1)] = WHITE
    like = faces["pupils like the face"]
    like[(like == INK).all(axis=-1)] = FURS["violet"]
    return faces


@pytest.mark.parametrize("name", no_eyes())
def test_what_is_no_pair_of_open_eyes(name):
    assert found_in(staring(2, 2, 3.4))
    assert not found_in(no_eyes()[name])


@pytest.mark.parametrize("fur", FURS)
@pytest.mark.parametrize("size", [0.9, 1.2, 1.6, 2.2, 3.3])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 0.75])
def test_both_eyes_have_white_and_a_pupil_and_a_gap_between_them(size, fur, shift):
    """However small they are and wherever the cells lie."""
    apart = max(1.35 * size, size + 0.5)
    at = (9.0 + shift, 9.0 + shift)
    eyes = drawn(staring(size, 1.3 * size, apart, 0.5, fur, at))
    number, count = ndimage.label(eyes > 0)
    assert count == 2
    one, other = (eyes[box] for box in ndimage.find_objects(number))
    assert (one == other).all() or (one == other[::-1]).all()
    white, ink = (one == 1).sum(), (one == 2).sum()
    assert 0 < ink <= white


@pytest.mark.parametrize("size", [2.4, 3.2, 4.5])
def test_large_eyes_have_their_area_and_their_place(size):
    image = staring(size, size, 1.5 * size + 0.5, 0.5, at=(9.1, 8.7))
    eyes = drawn(image)
    assert (eyes > 0).sum() / (np.pi / 2 * size**2) == pytest.approx(1, abs=0.35)
    middle = np.argwhere(eyes > 0).mean(axis=0) + 0.5
    assert np.abs(middle - (9.1, 8.7)).max() < 0.5
    assert (eyes == 2).sum() / (eyes > 0).sum() == pytest.approx(0.25, abs=0.2)


@pytest.mark.parametrize("look", [(0.45, 0.0), (-0.45, 0.0), (0.0, -0.45), (0.0, 0.45)])
def test_eyes_look_where_they_look(look):
    eyes = drawn(staring(3.0, 3.0, 5.0, 0.45, look=look))
    toward = [
        np.argwhere(eyes[half] == 2).mean(axis=0)
        - np.argwhere(eyes[half] > 0).mean(axis=0)
        for half in (slice(None, CELLS // 2), slice(CELLS // 2, None))
    ]
    for one in toward:
        axis = np.argmax(np.abs(look))
        assert np.argmax(np.abs(one)) == axis
        assert np.sign(one[axis]) == np.sign(look[axis])


def test_the_pupil_of_an_eye_of_two_cells_lies_low():
    """On top of the white it would be a brow."""
    eyes = drawn(staring(1.0, 1.0, 3.0, 0.5, at=(9.0, 9.2)))
    assert (eyes == 1).sum() == (eyes == 2).sum() == 2
    assert np.argwhere(eyes == 2)[:, 1].max() < np.argwhere(eyes == 1)[:, 1].min()


def test_a_cell_costs_what_its_samples_differ():
    """The twin: every sample in the color that its cell is painted in."""
    image = staring(2.1, 2.4, 3.1, 0.5, at=(9.3, 8.8), look=(0.1, -0.2))
    (pair,) = found_in(image)
    hits = np.full((CELLS, CELLS), SIDE**2)
    known = eye_cells._pair(pair, SIDE, hits, np.ones(hits.shape, bool), 0, 1)
    for number, eye in enumerate(pair):
        own = np.broadcast_to(eye.ground, image.shape).copy()
        own[tuple(eye.white.T)] = eye.white_lab
        own[tuple(eye.pupil.T)] = eye.pupil_lab
        for x, y in product(range(5, 13), range(6, 12)):
            part = own[x * SIDE : (x + 1) * SIDE, y * SIDE : (y + 1) * SIDE]
            face, white, pupil = (
                np.linalg.norm(part - lab, axis=-1).mean()
                for lab in (eye.ground, eye.white_lab, eye.pupil_lab)
            )
            # Half of it: the two eyes are drawn together.
            costs = known.white[number, x, y], known.pupil[number, x, y]
            assert 2 * costs[0] == pytest.approx(white - face, abs=1e-5)
            assert 2 * costs[1] == pytest.approx(pupil - white, abs=1e-5)


def test_the_horizontal_axis_may_be_either():
    image = staring(1.7, 2.2, 2.9, 0.5, at=(9.3, 8.8), look=(0.1, -0.2))
    (pair,) = found_in(image)
    lab = oklab_from_srgb(np.swapaxes(image, 0, 1)).astype(np.float32)
    (turned,) = find_open_eyes(lab, np.ones(lab.shape[:2], bool), SIDE, 1)
    hits = np.full((CELLS, CELLS), SIDE**2)
    filled = np.ones(hits.shape, bool)
    one = place_eyes(pair, SIDE, hits, filled, 0, 1, None)
    other = place_eyes(turned, SIDE, hits, filled, 1, 1, None)
    assert one is not None
    assert other is not None
    assert other.cost == pytest.approx(one.cost)
    for eye, image_of_it in zip(one.cells, other.cells, strict=True):
        np.testing.assert_array_equal(image_of_it.white[:, ::-1], eye.white)
        np.testing.assert_array_equal(image_of_it.pupil[:, ::-1], eye.pupil)


def test_eyes_without_room_are_not_drawn():
    (pair,) = found_in(staring(2, 2, 3.4))
    hits = np.full((CELLS, CELLS), SIDE**2)
    nothing = np.zeros(hits.shape, bool)
    assert place_eyes(pair, SIDE, hits, nothing, 0, 1, None) is None


def test_an_eye_at_the_rim_of_its_head_costs_more():
    (pair,) = found_in(staring(1.2, 1.8, 2.0))
    hits = np.full((CELLS, CELLS), SIDE**2)
    everywhere = np.ones(hits.shape, bool)
    inside = place_eyes(pair, SIDE, hits, everywhere, 0, 1, None)
    assert inside is not None
    columns = np.concatenate([eye.white[:, 0] for eye in inside.cells])
    head = np.zeros(hits.shape, bool)
    head[columns.min() : columns.max() + 1] = True  # ends where the eyes do
    at_rim = place_eyes(pair, SIDE, hits, head, 0, 1, None)
    assert at_rim is not None
    assert at_rim.cost == pytest.approx(inside.cost + 2 * AT_RIM)
    for eye, same in zip(at_rim.cells, inside.cells, strict=True):
        np.testing.assert_array_equal(eye.white, same.white)
    # so a grid is taken on which there is some face beside them
    assert best_phase([(1.0, 1.0), (1.2, 1.2)], [at_rim.cost, inside.cost]) == 1
    head[columns.min() - 1 : columns.max() + 2] = True
    wider = place_eyes(pair, SIDE, hits, head, 0, 1, None)
    assert wider is not None
    assert wider.cost == pytest.approx(inside.cost)


def test_an_eye_is_not_painted_on_what_lies_before_it():
    """A pupil below the white would be on the muzzle."""
    image = staring(1.0, 1.0, 3.0, 0.5, at=(9.0, 9.2))
    front, *others = renders_of(image, CELLS)
    depth = front.depth.copy()
    depth[...] = 4.0
    depth[:, :9] = 0.0
    renders = (dataclasses.replace(front, depth=depth), *others)
    found = find_features([cell_statistics(render) for render in renders])
    cells = np.concatenate([f.cells for f in found if f.is_open_eye])
    assert len(cells) == 4
    assert cells[:, 1].min() >= 9


def test_eyes_are_held_more_firmly_than_what_other_sides_hold():
    """The sides may hold fur in the same voxels, around a feature of theirs."""
    config = PixelArtConfig()
    art = pixelize(renders_of(staring(1.2, 1.5, 2.6), CELLS), 4, config)
    palette = 100 * oklab_from_bytes(art.palette.rgb)
    assert len(art.pairs) == 4
    for cells, _ in art.pairs:
        own = art.pictures[0].index[tuple(cells.T)]
        apart = np.linalg.norm(palette - palette[own[0]], axis=1)
        least = np.sort(apart)[1] * config.feature_weight
        cost = np.sort(art.pictures[0].cost[tuple(cells.T)], axis=1)
        assert (cost[:, 1] - cost[:, 0] > 0.9 * FIRMEST * least).all()
        assert FIRMEST > FIRM


def test_an_eye_is_one_thing_and_its_cells_are_held_firmly():
    found = features_of(staring(1.6, 2.0, 2.6), CELLS)
    front = [feature for feature in found if feature.view == 0]
    assert len(front) == 4  # no rim of it, no part of it
    assert all(feature.is_striking and len(feature.other) for feature in front)
    assert sum(feature.cost for feature in front) < 0


def test_eyes_come_before_the_rest_of_the_picture():
    assert best_phase([(2.0, 1.0), (1.8, 0.9)], [-3.0, -3.0]) == 1
    assert best_phase([(2.0, 1.0), (1.8, 0.9)], [-3.0, -3.0 + EYES / 2]) == 1
    assert best_phase([(2.0, 1.0), (1.8, 0.9)], [-3.0, -3.0 + 2 * EYES]) == 0
    assert best_phase([(1.8, 0.9), (2.0, 1.0)], [0.0, -3.0]) == 1
    three = [(1.0, 1.0), (2.0, 1.0), (1.8, 0.9)]
    assert best_phase(three, [0.0, -3.0, -3.0]) == 2


def bird() -> Mesh:
    """A gray bird: body, head, bill, and eyes that stare, less than a voxel wide."""
    fur = (0.35, 0.35, 0.4)
    parts = [
        shapes.box((4.0, 6.0, 3.0), color=fur),
        shapes.box((2.0, 2.0, 2.0), (0.0, 4.0, 0.4), fur),
        shapes.box((0.7, 0.35, 0.5), (0.0, 3.45, 1.6), (0.9, 0.6, 0.1)),
    ]
    for x in (-0.33, 0.33):
        parts.append(shapes.box((0.5, 0.62, 0.04), (x, 4.1, 1.4), WHITE))
        parts.append(shapes.box((0.24, 0.3, 0.04), (0.9 * x, 4.0, 1.43), BLACK))
    return joined(*parts)


@pytest.mark.parametrize("size", [28, 32, 36, 40, 44, 48, 56])
def test_a_bird_stares_at_all_sizes(size):
    mesh = bird()
    config = dataclasses.replace(PRESETS["draft"], size=size, colors=4)
    grid = voxelize(mesh, config)
    view = next(v for v in six_views(config.front) if v.name == "front")
    first = first_occupied(grid.occupied, view)[..., None]
    columns = from_eye(grid.index.astype(int) - 1, view)
    last = columns.shape[2] - 1
    shown = np.take_along_axis(columns, np.minimum(first, last), axis=2)[..., 0]
    palette = oklab_from_bytes(grid.palette.rgb)
    lab = oklab_from_srgb(np.array([WHITE, (0.0, 0.0, 0.0)]))
    white, ink = (np.linalg.norm(palette - own, axis=1).argmin() for own in lab)
    eyes = (shown == white) + 2 * (shown == ink)
    number, count = ndimage.label(eyes > 0)
    assert count == 2
    one, other = (eyes[box] for box in ndimage.find_objects(number))
    assert (one == other[::-1]).all()
    assert 0 < (one == 2).sum() <= (one == 1).sum()
