import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.pixelart.settings import PixelArtConfig


@pytest.mark.parametrize(
    ("asked", "size", "expected"),
    [
        (10, 40, 10),
        (10, 100, 10),
        (10, 160, 6),
        (10, 256, 4),
        (10, 1024, 4),
        (2, 256, 2),
    ],
)
def test_large_grids_take_fewer_samples_a_cell(asked, size, expected):
    assert PixelArtConfig(samples=asked).samples_at(size) == expected


@given(st.integers(1, 64), st.integers(1, 2048))
def test_a_cell_has_no_more_samples_than_asked_and_at_least_one(asked, size):
    assert 1 <= PixelArtConfig(samples=asked).samples_at(size) <= asked
