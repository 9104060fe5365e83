import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.mesh import polygons
from voxify3d.mesh.polygons import fans, triangulated


def area(flat):
    x, y = flat.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2


def areas(corners, triangles):
    a, b, c = (corners[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)[:, 2] / 2


def test_a_fan_has_all_corners_in_order():
    triangles, polygon = fans(np.array([3, 2, 5, 0, 4]))
    assert triangles.tolist() == [
        [0, 1, 2], [5, 6, 7], [5, 7, 8], [5, 8, 9], [10, 11, 12], [10, 12, 13],
    ]  # fmt: skip
    assert polygon.tolist() == [0, 2, 2, 2, 4, 4]


def test_convex_polygons_stay_fans():
    angle = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    corners = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    np.testing.assert_array_equal(
        triangulated(np.array([7]), corners)[0], fans(np.array([7]))[0]
    )


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("turned", [False, True])
def test_an_arrow_head_is_not_filled_in(start, turned):
    arrow = np.array([[0, 0, 0], [2, -1, 0], [0, 3, 0], [-2, -1, 0]], float)
    corners = np.roll(arrow, start, axis=0)[:: -1 if turned else 1]
    found = areas(corners, triangulated(np.array([4]), corners)[0])
    assert (found > 0).all() or (found < 0).all()
    assert abs(found).sum() == pytest.approx(abs(area(corners[:, :2])))


@given(st.integers(4, 40), st.integers(0, 2**31 - 1))
def test_any_star_is_covered_once(count, seed):
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, count))
    angle += np.linspace(0, 1e-3, count)
    if np.diff(angle, append=angle[0] + 2 * np.pi).max() >= np.pi:
        return
    radius = random.uniform(0.1, 1, count)
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    corners = np.zeros((count, 3))
    corners[:, :2] = flat
    corners = np.concatenate([corners[:3], corners])  # a triangle goes before it
    triangles, polygon = triangulated(np.array([3, count]), corners)
    assert polygon.tolist() == [0] + [1] * (count - 2)
    found = areas(corners, triangles)[1:]
    assert found.min() >= -1e-12
    assert found.sum() == pytest.approx(area(flat))


def test_a_polygon_that_crosses_itself_ends():
    corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [2, 2, 0]], float)
    triangles, _ = triangulated(np.array([5]), corners)
    assert triangles.shape == (3, 3)
    broken = np.where(corners == 2, np.nan, corners)
    assert triangulated(np.array([5]), broken)[0].shape == (3, 3)


def test_polygons_that_cross_themselves_are_given_up_in_time(monkeypatch):
    monkeypatch.setattr(polygons, "_MAX_CLIPPED", 1_000)
    corners = np.random.default_rng(0).random((60_000, 3))
    triangles, _ = triangulated(np.array([900] * 50 + [15_000]), corners)
    assert triangles.shape == (60_000 - 102, 3)
