import numpy as np
import pytest

from voxify3d.pixelart.blobs import find_blobs

SIDE = 8
FUR = np.array([0.7, 0.05, 0.08], np.float32)
BLACK = np.array([0.1, 0.0, 0.0], np.float32)
IRIS = np.array([0.3, -0.03, -0.1], np.float32)


def picture(noise: float = 0.0, cells: int = 12):
    """OKLab samples of fur; `noise` is its standard deviation."""
    generator = np.random.default_rng(0)
    shape = (cells * SIDE, cells * SIDE)
    lab = FUR + noise * generator.standard_normal((*shape, 1)).astype(np.float32)
    rows, columns = (np.indices(shape) + 0.5) / SIDE
    return lab.astype(np.float32), np.ones(shape, bool), rows, columns


@pytest.mark.parametrize("radius", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_an_eye_of_several_colors_in_fur_is_one_blob(radius, noise):
    lab, hit, rows, columns = picture(noise)
    away = np.hypot(rows - 5.3, columns - 6.6)
    eye = away < radius
    lab[eye] = IRIS
    lab[away < radius / 2] = BLACK  # a pupil
    lab[eye & (away > 0.85 * radius)] = BLACK  # and a rim
    blobs = find_blobs(lab, hit, SIDE)
    found = np.zeros(hit.shape, bool)
    found[tuple(blobs[0].T)] = True  # what stands out most comes first
    both = (found & eye).sum() / (found | eye).sum()
    assert both > 0.8


def test_an_iris_that_a_pupil_parts_is_one_blob():
    lab, hit, rows, columns = picture()
    lab[:] = BLACK
    eye = np.hypot(rows - 5.5, columns - 5.5) < 0.5
    lab[eye] = FUR
    lab[eye & (np.abs(columns - 5.5) < 0.1)] = BLACK
    blobs = find_blobs(lab, hit, SIDE)
    assert blobs
    found = np.zeros(hit.shape, bool)
    for points in blobs:
        found[tuple(points.T)] = True
    assert (found & eye).sum() > 0.8 * (eye & (lab == FUR).all(-1)).sum()


def test_fur_alone_stripes_edges_and_nothing_are_no_blobs():
    lab, hit, _, columns = picture(0.05)
    assert find_blobs(lab, hit, SIDE) == []
    lab, hit, _, columns = picture()
    assert find_blobs(lab, hit, SIDE) == []
    lab[columns < 6] = BLACK
    assert find_blobs(lab, hit, SIDE) == []
    lab, hit, _, columns = picture()
    lab[np.abs(columns - 6) < 0.5] = BLACK
    assert find_blobs(lab, hit, SIDE) == []
    assert find_blobs(lab, np.zeros_like(hit), SIDE) == []
