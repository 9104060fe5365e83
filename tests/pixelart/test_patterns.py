from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import joined

from voxify3d import voxelize
from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS
from voxify3d.mesh import shapes
from voxify3d.pixelart.patterns import _around, flatten_patterns
from voxify3d.pixelart.samples import sample_cells, sample_image

SIDE, CELLS = 8, 14
MIDDLE = SIDE * CELLS // 2
seeds = st.integers(0, 2**31 - 1)
colors = st.tuples(*[st.floats(0, 1)] * 3)
turns = st.floats(0, np.pi)


def oklab(color):
    return oklab_from_srgb(np.array(color, np.float64)).astype(np.float32)


def along(turn):
    """How far each sample lies along a direction, in cells, from the middle."""
    i, j = (np.indices((SIDE * CELLS,) * 2) - MIDDLE + 0.5) / SIDE
    return np.cos(turn) * i + np.sin(turn) * j


def painted(is_second, one, two):
    return np.where(is_second[..., None], oklab(two), oklab(one))


def everywhere(picture):
    return np.ones(picture.shape[:2], bool)


@given(st.floats(0.25, 0.7), turns, colors, colors)
def test_stripes_finer_than_a_cell_become_their_mean(period, turn, one, two):
    picture = painted(along(turn) / period % 1 < 0.5, one, two)
    contrast = np.linalg.norm(oklab(one) - oklab(two))
    flat = flatten_patterns(picture, everywhere(picture), SIDE)
    away = np.linalg.norm(flat - (oklab(one) + oklab(two)) / 2, axis=-1)
    if contrast < 0.05:  # hardly to be seen: may stay
        return
    assert np.median(away) < 0.15 * contrast  # windows hold no whole periods
    assert away[SIDE:-SIDE, SIDE:-SIDE].max() < 0.3 * contrast


@given(st.floats(1, 4), turns, colors, colors)
def test_stripes_of_a_cell_and_more_stay(width, turn, one, two):
    picture = painted(along(turn) / width % 2 < 1, one, two)
    flat = flatten_patterns(picture, everywhere(picture), SIDE)
    np.testing.assert_array_equal(flat, picture)


@given(st.floats(0.1, 3), st.floats(-2, 2), turns, colors, colors)
def test_a_line_or_an_edge_stays(width, place, turn, one, two):
    place = along(turn) - place
    for is_second in (place > 0, np.abs(place) < width / 2):
        picture = painted(is_second, one, two)
        flat = flatten_patterns(picture, everywhere(picture), SIDE)
        np.testing.assert_array_equal(flat, picture)


@given(st.floats(0.2, 3), st.floats(0.1, 0.9), st.floats(0, 4), colors, colors, colors)
def test_eyes_stay(radius, part, gap, skin, white, pupil):
    left = np.hypot(along(0), along(np.pi / 2) - radius - gap / 2)
    right = np.hypot(along(0), along(np.pi / 2) + radius + gap / 2)
    away = np.minimum(left, right) / radius
    picture = painted(away < 1, skin, white)
    picture[away < part] = oklab(pupil)
    flat = flatten_patterns(picture, everywhere(picture), SIDE)
    np.testing.assert_array_equal(flat, picture)


@settings(max_examples=30)
@given(seeds)
def test_what_lies_beside_a_pattern_keeps_its_color(seed):
    rng = np.random.default_rng(seed)
    hit = np.hypot(along(0), along(np.pi / 2)) < CELLS / 2 - 0.5
    picture = painted(along(0.3) / 0.4 % 1 < 0.5, (1, 1, 1), (0.1, 0.1, 0.4))
    beside = along(rng.uniform(0, np.pi)) > rng.uniform(-1, 1)
    picture[beside] = oklab((0.9, 0.5, 0.1))
    picture[~hit] = 0
    flat = flatten_patterns(picture, hit, SIDE)
    np.testing.assert_array_equal(flat[~hit], picture[~hit])
    changed = (flat != picture).any(axis=-1)
    assert (changed & beside).sum() < 0.1 * (changed & ~beside).sum()
    assert changed[hit & ~beside].mean() > 0.8


@settings(max_examples=20)
@given(seeds, st.integers(1, 5))
def test_windows_are_those_of_a_loop(seed, width):
    rng = np.random.default_rng(seed)
    lab = rng.random((6, 7, 3)).astype(np.float32)
    counts = rng.random((6, 7)) < 0.7
    found = _around(lab, counts, width)
    low = width // 2
    for i, j in np.ndindex(6, 7):
        rows = range(max(i - low, 0), min(i - low + width, 6))
        columns = range(max(j - low, 0), min(j - low + width, 7))
        inside = [lab[r, c] for r in rows for c in columns if counts[r, c]]
        assert found.share[i, j] == pytest.approx(len(inside) / width**2, abs=1e-5)
        if inside:
            np.testing.assert_allclose(found.mean[i, j], np.mean(inside, 0), atol=1e-4)
            deviation = np.sqrt(np.var(inside, axis=0).sum())
            assert found.deviation[i, j] == pytest.approx(deviation, abs=2e-3)


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_cells_come_back_from_their_picture(seed, a, b, side):
    cells = np.random.default_rng(seed).random((a, b, side**2, 3))
    np.testing.assert_array_equal(sample_cells(sample_image(cells), side), cells)


@pytest.mark.parametrize("stripes", [47, 71])
def test_a_striped_blanket_has_the_color_that_is_seen_from_afar(stripes):
    one, two = (0.9, 0.9, 0.95), (0.15, 0.15, 0.45)
    width = 12 / stripes
    mesh = joined(
        *(
            shapes.box((width, 12, 3), ((i + 0.5) * width - 6, 0, 0), (one, two)[i % 2])
            for i in range(stripes)
        )
    )
    grid = voxelize(mesh, replace(PRESETS["draft"], size=16, colors=4))
    depth = grid.index.shape[2]
    front = grid.index[1:-1, 1:-1, depth - 1]
    shown = oklab_from_bytes(grid.palette.rgb[front - 1])
    away = np.linalg.norm(shown - (oklab(one) + oklab(two)) / 2, axis=-1)
    assert away.max() < 0.1  # of 0.6 between the two
