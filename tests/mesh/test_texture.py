"""Laws of surface_rgba, against a slow twin written from glTF's sampling rules."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.color.spaces import linear_from_srgb, srgb_from_linear
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.shapes import plane
from voxify3d.mesh.texture import is_solid, surface_rgba, texture_linear
from voxify3d.types import Material

MIDDLE = np.full((1, 3), 1 / 3)


def wrapped(texel, size, wrap):
    """One texel number at a time, by walking."""
    if wrap == "clamp":
        return max(0, min(size - 1, texel))
    step = 1
    place = 0
    for _ in range(abs(texel)):
        step = 1 if texel > 0 else -1
        place += step
    if wrap == "repeat":
        return place % size
    period = list(range(size)) + list(range(size))[::-1]
    return period[place % (2 * size)]


def texel_reference(texture, u, v, wrap):
    height, width = texture.shape[:2]
    x, y = u * width - 0.5, v * height - 0.5
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    total = np.zeros(4)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = (1 - abs(x - x0 - dx)) * (1 - abs(y - y0 - dy))
            column = wrapped(x0 + dx, width, wrap[0])
            row = wrapped(y0 + dy, height, wrap[1])
            texel = texture[row, column] / 255.0
            total[:3] += weight * linear_from_srgb(texel[:3])
            total[3] += weight * texel[3]
    return total


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["repeat", "clamp", "mirror"]),
    st.sampled_from(["repeat", "clamp", "mirror"]),
    st.integers(0, 2**31 - 1),
)
def test_bilinear_lookup_matches_the_loop(height, width, wrap_u, wrap_v, seed):
    random = np.random.default_rng(seed)
    texture = random.integers(0, 256, (height, width, 4), np.uint8)
    uv = random.uniform(-3, 4, (20, 2)).astype(np.float32)
    material = Material(texture=texture, wrap=(wrap_u, wrap_v))
    expected = [
        texel_reference(texture, float(u), float(v), (wrap_u, wrap_v)) for u, v in uv
    ]
    np.testing.assert_allclose(texture_linear(material, uv), expected, atol=2e-5)


def test_texel_centers_give_their_bytes_exactly():
    texture = np.random.default_rng(0).integers(0, 256, (8, 4, 4), np.uint8)
    rows, columns = np.mgrid[0:8, 0:4]
    centers = np.stack([(columns + 0.5) / 4, (rows + 0.5) / 8], -1).reshape(-1, 2)
    linear = texture_linear(Material(texture=texture), centers.astype(np.float32))
    rgb = srgb_from_linear(linear[:, :3]) * 255
    np.testing.assert_array_equal(np.rint(rgb), texture.reshape(-1, 4)[:, :3])


@pytest.mark.parametrize("u", [0.01, 0.49, 0.51, 0.99])
def test_nearest_filter_keeps_hard_edges(u):
    texture = np.zeros((1, 2, 4), np.uint8)
    texture[0, 1] = 255
    material = Material(texture=texture, filter="nearest", wrap=("clamp", "clamp"))
    linear = texture_linear(material, np.array([[u, 0.5]], np.float32))
    assert linear[0, 0].round(6) == (u > 0.5)


def test_texture_factor_and_corner_color_multiply_as_light():
    texture = np.full((2, 2, 4), 128, np.uint8)
    material = Material(base_color=(0.5, 1.0, 0.25, 0.5), texture=texture)
    mesh = replace(
        plane(),
        materials=(material,),
        uv=np.zeros((2, 3, 2), np.float32),
        color=np.full((2, 3, 4), 0.5, np.float32),
    )
    half = linear_from_srgb(np.array([128 / 255]))[0]
    expected = srgb_from_linear(half * 0.5 * np.array([0.5, 1.0, 0.25]))
    rgba = surface_rgba(mesh, np.array([0]), MIDDLE)[0]
    np.testing.assert_allclose(rgba[:3], expected, atol=1e-6)
    assert rgba[3] == pytest.approx(0.5 * 128 / 255 * 0.5)


def test_corner_colors_are_blended_by_the_weights_of_their_corners():
    color = np.zeros((2, 3, 4), np.float32)
    color[0, :, :3] = np.eye(3)
    mesh = replace(plane(), materials=(Material(),), color=color)
    rgba = surface_rgba(mesh, np.array([0]), np.array([[0.2, 0.3, 0.5]]))
    expected = srgb_from_linear(np.array([0.2, 0.3, 0.5]))
    np.testing.assert_allclose(rgba[0, :3], expected, atol=1e-6)


def test_each_point_takes_the_texture_of_its_own_material():
    red, green = np.zeros((2, 1, 1, 4), np.uint8)
    red[..., 0], green[..., 1] = 255, 255
    mesh = replace(
        plane(),
        materials=(Material(texture=green), Material(), Material(texture=red)),
        material=np.array([2, 0]),
        uv=np.zeros((2, 3, 2), np.float32),
    )
    face = np.array([0, 1, 1, 0, 0])
    rgba = surface_rgba(mesh, face, np.repeat(MIDDLE, 5, axis=0)).round(6)
    assert rgba[:, 0].tolist() == [1, 0, 0, 1, 1]
    assert rgba[:, 1].tolist() == [0, 1, 1, 0, 0]


def test_any_chunking_gives_the_same_colors():
    mesh = sample_character()
    random = np.random.default_rng(1)
    face = random.integers(0, len(mesh.faces), 1000)
    barycentric = random.dirichlet((1, 1, 1), 1000)
    whole = surface_rgba(mesh, face, barycentric)
    parts = [surface_rgba(mesh, face[i::3], barycentric[i::3]) for i in range(3)]
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(whole[i::3], part)


def test_no_points_give_no_colors():
    empty = surface_rgba(sample_character(), np.zeros(0, np.int64), np.zeros((0, 3)))
    assert empty.shape == (0, 4)


@pytest.mark.parametrize(
    ("mode", "cutoff", "expected"),
    [
        ("opaque", 0.5, [True, True, True]),
        ("blend", 0.5, [False, True, True]),
        ("mask", 0.75, [False, False, True]),
    ],
)
def test_alpha_mode_decides_what_is_solid(mode, cutoff, expected):
    material = Material(alpha_mode=mode, alpha_cutoff=cutoff)
    mesh = replace(plane(), materials=(material,))
    alpha = np.array([0.0, 0.5, 0.75], np.float32)
    assert is_solid(mesh, np.zeros(3, np.int64), alpha).tolist() == expected
