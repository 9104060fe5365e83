"""pixelart/thin.py: which half-empty cells are filled for thin parts."""

import numpy as np
import pytest
from scipy import ndimage

from voxify3d.pixelart.thin import thin_cells

SIDE = 8


def cells_from(mask):
    """Samples of cells `a b s` from one picture of samples."""
    a, b = (n // SIDE for n in mask.shape)
    split = mask.reshape(a, SIDE, b, SIDE)
    return np.swapaxes(split, 1, 2).reshape(a, b, SIDE * SIDE)


def filled_and_rescued(mask):
    hit = cells_from(mask)
    filled = hit.mean(axis=-1) >= 0.5
    return filled, thin_cells(hit, filled, SIDE)


def stripe(first, width, along=0, cells=(12, 12)):
    mask = np.zeros([n * SIDE for n in cells], bool)
    if along == 0:
        mask[:, first : first + width] = True
    else:
        mask[first : first + width] = True
    return mask


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("width", [3, 4, 5, 6])
@pytest.mark.parametrize("first", range(33, 48))
def test_a_stripe_thinner_than_a_cell_is_one_cell_wide_wherever_it_runs(
    first, width, along
):
    filled, rescued = filled_and_rescued(stripe(first, width, along))
    together = (filled | rescued) if along == 0 else (filled | rescued).T
    assert not (filled & rescued).any()
    np.testing.assert_array_equal(together.sum(axis=1), 1)
    assert len(np.unique(together.argmax(axis=1))) == 1  # and straight
    middle = (first + width / 2) / SIDE
    assert abs(together[0].argmax() + 0.5 - middle) <= 0.75


@pytest.mark.parametrize("along", [0, 1])
def test_a_pole_that_passes_an_ear_stays_whole(along):
    mask = stripe(36, 3)  # in cells 4
    mask[6 * SIDE : 7 * SIDE, 5 * SIDE + 1 :] = True  # the ear ends in cell 5
    filled, rescued = filled_and_rescued(mask if along == 0 else mask.T)
    together = (filled | rescued) if along == 0 else (filled | rescued).T
    assert together[:, 4].all()
    assert not together[:, :4].any()
    # the rim of a body beside no pole is none
    mask[:, :40] = False
    mask[6 * SIDE : 7 * SIDE, 36:39] = True
    assert not filled_and_rescued(mask)[1].any()


def test_thick_parts_and_full_pictures_are_left_as_they_are():
    for mask in (
        stripe(20, 3 * SIDE + 3),
        np.ones((96, 96), bool),
        np.zeros((96, 96), bool),
    ):
        _, rescued = filled_and_rescued(mask)
        assert not rescued.any()


def test_dust_is_not_rescued():
    mask = np.zeros((96, 96), bool)
    mask[40, 44] = True
    _, rescued = filled_and_rescued(mask)
    assert not rescued.any()


@pytest.mark.parametrize("slope", [0.0, 0.15, 0.4, 0.8])
def test_a_slanting_limb_stays_in_one_piece(slope):
    row, column = np.indices((96, 96)) + 0.5
    away = np.abs(column - 8 - slope * row) / np.hypot(1, slope)
    filled, rescued = filled_and_rescued(away < 2.2)
    labels = np.zeros(filled.shape, int)
    ndimage.label(filled | rescued, np.ones((3, 3)), output=labels)
    assert labels.max() == 1
    assert (filled | rescued).any(axis=1).all()


def test_turning_the_picture_turns_what_is_rescued():
    rng = np.random.default_rng(0)
    mask = ndimage.gaussian_filter(rng.normal(size=(96, 96)), 3) > 0.12
    filled, rescued = filled_and_rescued(mask)
    assert rescued.any()
    for turn in (lambda m: m.T, lambda m: m[::-1], lambda m: m[:, ::-1]):
        other_filled, other = filled_and_rescued(turn(mask))
        np.testing.assert_array_equal(other_filled, turn(filled))
        np.testing.assert_array_equal(other, turn(rescued))
