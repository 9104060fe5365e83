"""Eyes that are found because there are two of them."""

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, features_of

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.pixelart.eyes import is_second_eye
from voxify3d.pixelart.region import Region

CELLS = 16
RED = (0.9, 0.1, 0.1)
PALE, SHADE = (0.93, 0.93, 0.93), (0.82, 0.82, 0.82)


def one_cell_face(ground=SKIN, off: float = 0.5) -> np.ndarray:
    """Samples [x, y]; each eye is of one cell: white in two tones around a pupil."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), ground)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (CELLS / 2 - 2.0, CELLS / 2 + 2.0):
        u, v = x - middle - off, y - 9.5
        eye = (u / 0.65) ** 2 + (v / 0.55) ** 2 < 1
        image[eye & (v < 0.2)] = PALE
        image[eye & (v >= 0.2)] = SHADE
        image[np.hypot(u, v) < 0.38] = INK
    return image


def restless_face(spots) -> np.ndarray:
    """Samples [x, y] with red spots at x (cells); right of the middle are stripes."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), (0.45, 0.45, 0.45))
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    bars = (x > CELLS / 2) & (np.abs(y - 9.5) < 2) & ((x + y) % 1.0 < 0.5)
    image[bars] = (0.05, 0.05, 0.05)
    for at in spots:
        image[np.hypot(x - at, y - 9.5) < 0.65] = RED
    return image


def like(features, color) -> list:
    """Return the features of about this color that have cells."""
    lab = oklab_from_srgb(np.array(color))
    return [f for f in features if np.linalg.norm(f.lab - lab) < 0.1 and len(f.cells)]


@pytest.mark.parametrize("off", [0.35, 0.5, 0.6])
def test_an_eye_of_one_cell_is_its_pupil(off):
    found = features_of(one_cell_face(off=off), CELLS)
    pupils = like(found, INK)
    assert [len(f.cells) for f in pupils] == [1, 1]
    assert all(f.is_striking for f in pupils)
    one, other = sorted(pupils, key=lambda f: f.cells[0, 0])
    assert (other.cells - one.cells).tolist() == [[4, 0]]
    assert not like(found, PALE)


def test_an_eye_of_one_cell_stays_white_in_a_dark_face():
    found = features_of(one_cell_face(ground=(0.12, 0.12, 0.15)), CELLS)
    assert not like(found, INK)


def test_an_eye_on_a_restless_ground_is_found_by_its_twin():
    found = like(features_of(restless_face([6.0, 10.0]), CELLS), RED)
    assert sorted(f.cells[:, 0].mean() > CELLS / 2 for f in found) == [False, True]
    assert len({len(f.cells) for f in found}) == 1


def test_a_lone_spot_on_a_restless_ground_is_no_eye():
    assert not like(features_of(restless_face([10.0]), CELLS), RED)


@pytest.mark.parametrize(
    ("radius", "contrast", "expected"),
    [(0.65, 0.3, True), (0.65, 0.15, False), (0.35, 0.3, False)],  # faint; a brow
)
def test_which_spots_are_eyes_by_their_twin(radius, contrast, expected):
    one, other = (spot(at, radius, contrast) for at in (4.5, 8.5))
    assert is_second_eye(one, [other], SIDE) is expected
    assert not is_second_eye(one, [], SIDE)


def spot(at: float, radius: float, contrast: float) -> Region:
    """A disc about (at, 5.5), in cells."""
    x, y = (np.indices((14 * SIDE, 14 * SIDE)) + 0.5) / SIDE
    points = np.argwhere(np.hypot(x - at, y - 5.5) < radius)
    ground = np.array([0.5, 0.0, 0.0])
    return Region(points, points, 1, ground - [contrast, 0, 0], ground, contrast)
