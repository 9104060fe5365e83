import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.color.spaces import (
    bytes_from_oklab,
    linear_from_srgb,
    oklab_from_bytes,
    oklab_from_srgb,
    srgb_from_linear,
    srgb_from_oklab,
)

channels = st.floats(0, 1)
colors = st.tuples(channels, channels, channels).map(lambda c: np.array([c]))


def all_grays():
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def test_known_values_of_the_srgb_curve():
    # IEC 61966-2-1: linear below 0.04045, and sRGB 0.5 is 21.4 % of the light
    srgb = np.array([0.0, 0.04045, 0.5, 1.0])
    expected = [0.0, 0.04045 / 12.92, 0.21404, 1.0]
    np.testing.assert_allclose(linear_from_srgb(srgb), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        # Ottosson's page and CSS Color 4
        ((1, 1, 1), (1, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_known_values_of_oklab(srgb, lab):
    found = oklab_from_srgb(np.array([srgb], np.float64))
    np.testing.assert_allclose(found, [lab], atol=1e-4)


@given(colors)
def test_there_and_back_is_the_same_color(color):
    np.testing.assert_allclose(
        srgb_from_linear(linear_from_srgb(color)), color, atol=1e-9
    )
    # near black a cube root lies between, which single rounding errors see as 1e-7
    back = srgb_from_oklab(oklab_from_srgb(color))
    np.testing.assert_allclose(back, color, atol=1e-6)


def test_bytes_survive():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (20_000, 3)).astype(np.uint8)
    for values in (rgb, all_grays()):
        np.testing.assert_array_equal(
            bytes_from_oklab(oklab_from_bytes(values)), values
        )


def test_grays_have_no_hue_and_get_lighter():
    lab = oklab_from_bytes(all_grays())
    np.testing.assert_allclose(lab[:, 1:], 0, atol=1e-6)
    assert (np.diff(lab[:, 0]) > 0).all()


def test_colors_outside_the_gamut_are_clipped():
    wild = np.array([[1.4, 0.0, 0.0], [0.5, 0.5, 0.5], [-0.2, 0.0, 0.0]])
    rgb = srgb_from_oklab(wild)
    assert ((rgb >= 0) & (rgb <= 1)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(dtype):
    color = np.array([[0.2, 0.4, 0.9]], dtype)
    for convert in (
        linear_from_srgb,
        srgb_from_linear,
        oklab_from_srgb,
        srgb_from_oklab,
    ):
        assert convert(color).dtype == dtype
