import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.color.match import nearest


@given(st.integers(0, 300), st.integers(1, 20), st.integers(0, 2**31 - 1))
def test_nearest_is_the_smallest_of_all_distances(n, k, seed):
    generator = np.random.default_rng(seed)
    lab, palette = generator.random((n, 3)), generator.random((k, 3))
    index, distance = nearest(lab, palette)
    table = np.linalg.norm(lab[:, None] - palette[None], axis=2)
    np.testing.assert_array_equal(index, table.argmin(axis=1))
    np.testing.assert_allclose(distance, table.min(axis=1), atol=1e-12)


def test_an_exact_match_has_distance_zero():
    palette = np.random.default_rng(0).random((255, 3))
    index, distance = nearest(palette, palette)
    assert (index == np.arange(255)).all()
    assert (distance == 0).all()


def test_the_first_of_equal_entries_wins():
    assert nearest(np.ones((1, 3)), np.ones((4, 3)))[0][0] == 0


def test_an_empty_palette_is_refused():
    with pytest.raises(ValueError, match="palette has no entries"):
        nearest(np.ones((1, 3)), np.ones((0, 3)))
