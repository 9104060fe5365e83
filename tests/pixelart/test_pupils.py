"""Dark pupils in the white of eyes."""

import dataclasses

import numpy as np
import pytest
from face_maker import INK, SIDE, features_of, renders_of

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.statistics import cell_statistics

CELLS = 16
FUR = (0.45, 0.3, 0.2)
WHITE = (0.97, 0.97, 0.95)


def face(pupil, eye=(1.1, 0.75), at=(8.5 - 2.6, 9.5)) -> np.ndarray:
    """Samples [x, y] with two white eyes, each with a pupil.

    Args:
        pupil: Its middle from that of the eye (inwards, up), and its half axes, cells.
        eye: Half axes.
        at: Middle of the left eye.
    """
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), FUR)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    inwards, up, wide, high = pupil
    for sign, middle in ((1, at[0]), (-1, CELLS + 1 - at[0])):
        u, v = x - middle, y - at[1]
        white = (u / eye[0]) ** 2 + (v / eye[1]) ** 2 < 1
        image[white] = WHITE
        dark = ((u - sign * inwards) / wide) ** 2 + ((v - up) / high) ** 2 < 1
        image[white & dark] = INK
    return image


@pytest.mark.parametrize(
    "pupil",
    [
        (0.3, 0.2, 0.35, 0.55),  # angry: at the upper rim
        (0.4, 0.0, 0.4, 0.45),
        (-0.3, 0.1, 0.4, 0.5),
    ],
)
def test_an_eye_of_two_cells_has_a_white_and_a_pupil(pupil):
    found = features_of(face(pupil), CELLS)
    white, ink = oklab_from_srgb(np.array([WHITE, INK]))
    eyes = [f for f in found if np.linalg.norm(f.lab - white) < 0.1]
    pupils = [f for f in found if np.linalg.norm(f.lab - ink) < 0.1]
    assert len(eyes) == len(pupils) == 2
    for feature in eyes + pupils:
        assert len(feature.cells) >= 1
        assert feature.is_striking
    for dark in pupils:
        near = [np.abs(dark.cells[:, None] - eye.cells).sum(axis=-1) for eye in eyes]
        assert min(apart.min() for apart in near) == 1  # beside what is left of one


def test_a_small_pupil_stays_with_its_eye_where_the_head_is_askew():
    """The object's middle, of which the head is off, says nothing about its eyes."""
    image = np.roll(face((0.1, 0.0, 0.36, 0.36), eye=(1.0, 1.2)), -2 * SIDE, axis=0)
    cells = [cell_statistics(render) for render in renders_of(image, CELLS)]
    mirror = Mirror(0, CELLS, (), np.zeros((CELLS, CELLS, CELLS), bool))
    found = find_features(cells, mirror=mirror)
    ink = oklab_from_srgb(np.array(INK))
    pupils = [f for f in found if np.linalg.norm(f.lab - ink) < 0.1]
    assert [len(f.cells) for f in pupils] == [1, 1]


@pytest.mark.parametrize("shift", range(SIDE))
@pytest.mark.parametrize("is_squint", [True, False])
def test_both_pupils_lie_alike_wherever_the_cells_do(shift, is_squint):
    """Also where the left pupil covers most of another cell of its eye."""
    image = face((0.4, 0.0, 0.4, 0.45))
    if not is_squint:  # it looks to one side
        half = slice(CELLS // 2 * SIDE, None)
        image[half] = face((-0.4, 0.0, 0.4, 0.45))[half]
    found = features_of(np.roll(image, shift, axis=0), CELLS)
    white, ink = oklab_from_srgb(np.array([WHITE, INK]))
    both = []
    for color in white, ink:
        alike = [f.cells for f in found if np.linalg.norm(f.lab - color) < 0.1]
        both.append(sorted(alike, key=lambda cells: cells[0, 0]))
    assert [len(cells) for cells in both] == [2, 2]
    toward = []  # from what is white of an eye to its pupil
    for eye, pupil in zip(*both, strict=True):
        assert len(pupil) == len(both[1][0])
        toward.append(np.sign(pupil[:, 0].mean() - eye[:, 0].mean()))
    assert toward[0] == (-toward[1] if is_squint else toward[1])


def test_pupils_do_not_turn_white_where_the_sides_see_the_white():
    front, *others = renders_of(face((0.3, 0.2, 0.35, 0.55)), CELLS)
    white = np.broadcast_to(np.array(WHITE, np.float32), front.rgb.shape)
    others = [dataclasses.replace(other, rgb=white) for other in others]
    art = pixelize((front, *others), 4)
    palette = oklab_from_bytes(art.palette.rgb)
    ink = int(np.linalg.norm(palette - oklab_from_srgb(np.array(INK)), axis=1).argmin())
    dark = art.pictures[0].index == ink
    assert dark.sum() >= 2
    rest = np.delete(art.pictures[0].cost[dark], ink, axis=1).min(axis=1)
    assert (rest - art.pictures[0].cost[dark][:, ink] > 100).all()


@pytest.mark.parametrize("eye", [(1.1, 0.75), (1.6, 1.2), (2.2, 1.6)])
def test_at_least_half_of_an_eye_stays_white(eye):
    pupil = (0.0, 0.0, 0.75 * eye[0], 0.75 * eye[1])
    found = features_of(face(pupil, eye), CELLS)
    white = sum(len(f.cells) for f in found if f.lab[0] > 0.8)
    dark = sum(len(f.cells) for f in found if f.lab[0] < 0.4)
    assert 0 < dark <= white


def test_a_bite_in_the_color_of_the_fur_is_no_pupil():
    image = face((0.3, 0.2, 0.35, 0.55))
    image[(image == INK).all(axis=-1)] = FUR
    for feature in features_of(image, CELLS):
        assert np.linalg.norm(feature.lab - oklab_from_srgb(np.array(FUR))) > 0.1


def iris_face(gap: float = 5.2, eyes: int = 2) -> np.ndarray:
    """Samples [x, y] of a light face; each eye is white, blue, and black inside."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), (0.86, 0.66, 0.42))
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (CELLS / 2 - gap / 2, CELLS / 2 + gap / 2)[:eyes]:
        u, v = x - middle, y - 9.1
        image[(u / 1.05) ** 2 + (v / 0.95) ** 2 < 1] = (0.9, 0.9, 0.9)
        for radius, color in ((0.66, (0.4, 0.58, 0.78)), (0.25, (0.05, 0.05, 0.05))):
            image[np.hypot(u, v) < radius] = color
    return image


def test_the_iris_of_a_pale_eye_is_drawn():
    found = features_of(iris_face(), CELLS)
    white = [f for f in found if f.lab[0] > 0.85 and f.compact]
    irises = [f for f in found if f.lab[0] < 0.7 and f.is_striking]
    assert len(white) == len(irises) == 2
    for eye, iris in zip(white, irises, strict=True):
        assert 0 < len(iris.cells) <= len(eye.cells)


def test_a_lone_ring_is_no_eye():
    found = features_of(iris_face(eyes=1), CELLS)
    assert not any(f.compact for f in found if f.lab[0] > 0.85)
