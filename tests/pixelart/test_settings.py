import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.errors import ConfigError
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.render.views import six_views


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


def test_the_front_counts_most_and_the_bottom_least():
    weights = {v.name: PixelArtConfig().weight_of(v) for v in six_views()}
    assert weights == {
        **dict.fromkeys(("back", "left", "right", "top"), 1.0),
        "front": 5.0,
        "bottom": 0.5,
    }
    config = PixelArtConfig(front_weight=2.0, bottom_weight=0.0)
    assert [config.weight_of(v) for v in six_views("-x")][::5] == [2.0, 0.0]


@pytest.mark.parametrize("weight", [-1.0, 101.0, float("nan")])
def test_a_weight_out_of_range_is_said(weight):
    with pytest.raises(ConfigError, match="bottom_weight must be 0 to 100"):
        PixelArtConfig(bottom_weight=weight)
