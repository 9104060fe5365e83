import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.render.eye import first_occupied, from_eye, to_volume
from voxify3d.render.views import six_views

VIEWS = six_views()
SHAPE = (4, 5, 6)
views = st.sampled_from(VIEWS)


@given(
    st.tuples(*[st.integers(1, 5)] * 3), views, st.floats(0, 1), st.integers(0, 9999)
)
def test_first_occupied_is_what_a_walk_down_the_column_meets(shape, view, share, seed):
    occupied = np.random.default_rng(seed).random(shape) < share
    first = first_occupied(occupied, view)
    assert first.shape == reference.cells_of(view, shape)
    for cell in np.ndindex(*first.shape):
        assert first[cell] == reference.first_in(occupied, view, *cell)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_columns_run_from_the_eye_and_go_back(view):
    volume = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    columns = from_eye(volume, view)
    for cell in np.ndindex(*columns.shape[:2]):
        walk = [volume[ijk] for ijk in reference.column_of(view, SHAPE, *cell)]
        assert columns[cell].tolist() == walk
    np.testing.assert_array_equal(to_volume(columns, view), volume)
    channels = np.stack([volume, -volume], axis=-1)
    np.testing.assert_array_equal(to_volume(from_eye(channels, view), view), channels)
