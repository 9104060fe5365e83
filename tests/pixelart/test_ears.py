"""Parts before their surroundings, as ears are, and marks on a surface."""

import dataclasses

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, face, renders_of

from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.statistics import cell_statistics

CELLS = 22


def ear(*places, wide=3.2, high=2.7) -> np.ndarray:
    """Samples [x, y] of skin with ears: wider at the top, sizes in cells."""
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), SKIN)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at_x, at_y in places:
        up = (y - at_y) / high
        half = wide * (0.3 + 0.7 * up) / 2
        image[(np.abs(x - at_x) < half) & (up > 0) & (up < 1)] = INK
    return image


def features_before(
    front: np.ndarray, away: float, mirror: Mirror | None = None
) -> list[Feature]:
    """Return the features of a front whose ink lies some voxels before the skin."""
    first, *others = renders_of(front, CELLS)
    ink = np.abs(first.rgb - np.array(INK, np.float32)).max(axis=-1) < 0.01
    depth = np.where(ink, 0, away).astype(np.float32)
    views = (dataclasses.replace(first, depth=depth), *others)
    return find_features([cell_statistics(view) for view in views], mirror=mirror)


def share_of(feature: Feature) -> np.ndarray:
    """Return the share that a feature's samples have of each of its cells."""
    cell = feature.points // SIDE
    return np.array([(cell == at).all(axis=1).sum() for at in feature.cells]) / SIDE**2


def is_block(feature: Feature) -> bool:
    return len(feature.cells) == (np.ptp(feature.cells, axis=0) + 1).prod()


@pytest.mark.parametrize("at_x", [6.3, 6.5, 6.7])
def test_an_ear_gets_the_cells_that_it_fills_and_a_mark_a_block(at_x):
    (mark,) = features_before(ear((at_x, 8.2)), 0.5)
    (part,) = features_before(ear((at_x, 8.2)), 9.0)
    assert is_block(mark)
    assert not is_block(part)
    assert share_of(part).min() > 0.35


@pytest.mark.parametrize("away", [0.5, 9.0])
def test_two_ears_are_mirror_images(away):
    found = features_before(ear((6.3, 8.2), (15.9, 8.2)), away)
    assert all(is_block(feature) == (away < 2) for feature in found)
    one, other = (set(map(tuple, feature.cells)) for feature in found)
    middle = min(x for x, _ in one) + max(x for x, _ in other)
    assert one == {(middle - x, y) for x, y in other}


@pytest.mark.parametrize(("away", "eyes"), [(0.0, 2), (1.5, 2), (2.5, 0), (-9.0, 0)])
def test_what_stands_apart_is_no_large_eye(away, eyes):
    front = face([(5.0, 9.0, 2.2), (15.0, 9.0, 2.2)], cells=CELLS)
    assert len(features_before(front, away)) == eyes


@pytest.mark.parametrize("away", [0.5, 9.0])
def test_a_nose_is_a_block_however_far_it_lies_before_the_face(away):
    mirror = Mirror(0, CELLS, (), np.zeros((1, 1, 1), bool))
    (nose,) = features_before(ear((11, 8.2)), away, mirror)
    assert is_block(nose)
    (part,) = features_before(ear((6.3, 8.2)), away, mirror)
    assert is_block(part) == (away < 2)


@pytest.mark.parametrize("away", [0.5, 9.0])
def test_what_is_small_is_a_block(away):
    (dot,) = features_before(face([(6.3, 9.0, 0.7)], cells=CELLS), away)
    assert is_block(dot)
