import numpy as np
import pytest

from voxify3d.pixelart.samples import cell_counts, sample_cells, sample_image, some_of


@pytest.mark.parametrize("side", [*range(6, 20), 30, 35, 42, 64])
def test_some_samples_are_of_every_row_and_column(side):
    """Of ten by ten, every fifth would be of two columns."""
    at = np.arange(side**2)[some_of(side**2)]
    for place in np.divmod(at, side):
        assert set(place.tolist()) == set(range(side))
    assert side**2 / 8 < len(at) < side**2 / 4


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_of_the_fewest_samples_there_is_one(side):
    assert 1 <= len(np.arange(side**2)[some_of(side**2)]) <= side**2


def test_cells_and_the_picture_of_their_samples_are_the_same_values():
    cells = np.arange(3 * 4 * 25 * 2).reshape(3, 4, 25, 2)
    image = sample_image(cells)
    assert image.shape == (15, 20, 2)
    np.testing.assert_array_equal(image[5:10, 15:20].reshape(25, 2), cells[1, 3])
    np.testing.assert_array_equal(sample_cells(image, 5), cells)
    points = np.argwhere(image[..., 0] % 3 == 0)
    counts = cell_counts(points, 5, (3, 4))
    np.testing.assert_array_equal(counts, (cells[..., 0] % 3 == 0).sum(axis=2))
