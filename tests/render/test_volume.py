import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxify3d.render.columns import column_weights
from voxify3d.render.rays import orthographic_rays, perspective_rays, random_directions
from voxify3d.render.volume import render_rays, segment_ends
from voxify3d.types import DIRECTIONS, axis_of, sign_of, vector_of

SHAPE = (4, 3, 5)


def random_field(seed=0, shape=SHAPE, channels=3, dtype=torch.float64, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    density = scale * torch.rand(shape, generator=generator, dtype=dtype)
    color = torch.rand(*shape, channels, generator=generator, dtype=dtype)
    return density, color


def random_rays(count, seed=0, shape=SHAPE, dtype=torch.float64):
    """Rays that start on a ball around the grid and aim somewhere into it."""
    generator = np.random.default_rng(seed)
    start = np.array(shape) / 2 + random_directions(count, generator) * 6
    toward = generator.random((count, 3)) * shape - start
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    return torch.tensor(start, dtype=dtype), torch.tensor(toward, dtype=dtype)


def trilinear_reference(grid, x, y, z):
    total = grid.new_zeros(grid.shape[3:])
    for corner in range(8):
        weight, place = 1.0, []
        for axis, value in enumerate((x, y, z)):
            top = grid.shape[axis] - 1
            at = min(max(value - 0.5, 0.0), top)
            low = min(int(at), max(top - 1, 0))
            far = corner >> axis & 1
            share = at - low
            weight *= share if far else 1 - share
            place.append(min(low + far, top))
        total = total + weight * grid[tuple(place)]
    return total


def ray_reference(density, color, origin, direction, step, sampling, background):
    """One ray, segment by segment, from the equation."""
    shape = density.shape
    near, far = 0.0, math.inf
    for axis in range(3):
        o, d = origin[axis].item(), direction[axis].item()
        ends = sorted([(0 - o) / d, (shape[axis] - o) / d])
        near, far = max(near, ends[0]), min(far, ends[1])
    trans = 1.0
    seen = torch.zeros(color.shape[-1], dtype=density.dtype)
    depth = opacity = 0.0
    t = near
    while t < far:
        length = min(step, far - t)
        middle = t + length / 2
        x, y, z = (origin + middle * direction).tolist()
        if sampling == "nearest":
            d, c = density[int(x), int(y), int(z)], color[int(x), int(y), int(z)]
        else:
            d, c = (trilinear_reference(g, x, y, z) for g in (density, color))
        alpha = 1 - torch.exp(-d * length)
        seen = seen + trans * alpha * c
        depth = depth + trans * alpha * middle
        opacity = opacity + trans * alpha
        trans = trans * (1 - alpha)
        t += step
    return seen + trans * background, depth, opacity


@settings(max_examples=10)
@given(
    st.sampled_from(["nearest", "trilinear"]),
    st.sampled_from([0.25, 0.4, 1.0]),
    st.integers(0, 2**31 - 1),
)
def test_every_ray_matches_the_loop_written_from_the_equation(sampling, step, seed):
    density, color = random_field(seed)
    origins, directions = random_rays(5, seed)
    background = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    got = render_rays(
        density,
        color,
        origins,
        directions,
        step=step,
        sampling=sampling,
        background=background,
    )
    for n in range(5):
        expected = ray_reference(
            density, color, origins[n], directions[n], step, sampling, background
        )
        for value, reference in zip(
            (got.color[n], got.depth[n], got.opacity[n]), expected, strict=True
        ):
            torch.testing.assert_close(
                value, torch.as_tensor(reference), atol=1e-12, rtol=1e-12
            )


# Against the exact column scan ----------------------------------------------------


def column_rays(direction, shape, dtype):
    """One ray down the middle of every column, and the grid axes across."""
    axis = axis_of(direction)
    others = [i for i in range(3) if i != axis]
    a, b = np.meshgrid(*(np.arange(shape[i]) + 0.5 for i in others), indexing="ij")
    origins = np.empty((a.size, 3))
    origins[:, others[0]], origins[:, others[1]] = a.ravel(), b.ravel()
    origins[:, axis] = shape[axis] + 1.0 if sign_of(direction) > 0 else -1.0
    directions = np.broadcast_to(-vector_of(direction), origins.shape).copy()
    return torch.tensor(origins, dtype=dtype), torch.tensor(directions, dtype=dtype)


def render_columns(density, color, direction):
    """Color, depth from one voxel before the grid, and opacity by the column scan."""

    def columns(grid):
        moved = torch.movedim(grid, axis_of(direction), 2)
        return moved.flip(2) if sign_of(direction) > 0 else moved

    weights = column_weights(columns(density))
    middle = torch.arange(weights.shape[-1], dtype=density.dtype) + 1.5
    seen = (weights[..., None] * columns(color)).sum(2)
    return (
        seen.flatten(0, 1),
        (weights * middle).sum(2).flatten(),
        weights.sum(2).flatten(),
    )


@pytest.mark.parametrize("step", [1.0, 0.25, None])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)]
)
def test_axis_rays_agree_with_the_column_scan(direction, step, dtype, tolerance):
    density, color = random_field(7, (6, 5, 4), dtype=dtype)
    density[density < 0.5] = 0
    origins, directions = column_rays(direction, (6, 5, 4), dtype)
    pull = torch.Generator().manual_seed(1)

    def values_and_gradients(render):
        d, c = density.clone().requires_grad_(), color.clone().requires_grad_()
        seen, depth, opacity = render(d, c)
        if step == 0.25:  # the depth of part of a voxel is finer than of the whole
            depth = depth.detach() * 0
        pull.manual_seed(1)
        loss = sum(
            (value * torch.rand(value.shape, generator=pull, dtype=dtype)).sum()
            for value in (seen, depth / 10, opacity)
        )
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        return seen, depth / 10, opacity, d.grad, c.grad

    def by_rays(d, c):
        got = render_rays(d, c, origins, directions, step=step)
        return got.color, got.depth, got.opacity

    got = values_and_gradients(by_rays)
    expected = values_and_gradients(lambda d, c: render_columns(d, c, direction))
    for one, two in zip(got, expected, strict=True):
        torch.testing.assert_close(one, two, atol=tolerance, rtol=tolerance)


# Laws ---------------------------------------------------------------------------


@given(st.sampled_from([None, 0.3, 1.0]), st.integers(0, 2**31 - 1))
def test_segments_fill_the_way_through_the_grid(step, seed):
    origins, directions = random_rays(6, seed)
    ends = segment_ends(origins, directions, SHAPE, step)
    length = ends.diff(dim=1)
    assert (length >= 0).all()
    size = torch.tensor(SHAPE, dtype=torch.float64)
    t = torch.stack([-origins / directions, (size - origins) / directions])
    way = t.amax(0).amin(1) - t.amin(0).amax(1)
    torch.testing.assert_close(length.sum(1), way)
    if step is not None:
        assert (length <= step + 1e-12).all()


def test_a_short_step_converges_to_the_exact_cut_at_voxel_faces():
    density, color = random_field(3)
    origins, directions = random_rays(20, 3)
    exact = render_rays(density, color, origins, directions, step=None)
    errors = []
    for step in (0.5, 0.05, 0.005):
        got = render_rays(density, color, origins, directions, step=step)
        errors.append((got.color - exact.color).abs().max().item())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.005


@pytest.mark.parametrize("sampling", ["nearest", "trilinear"])
def test_a_uniform_field_has_the_opacity_of_its_thickness(sampling):
    shape = (3, 4, 5)
    origins, directions = random_rays(30, 1, shape)
    got = render_rays(
        torch.full(shape, 0.7, dtype=torch.float64),
        torch.ones(*shape, 1, dtype=torch.float64),
        origins,
        directions,
        step=0.3,
        sampling=sampling,
    )
    way = segment_ends(origins, directions, shape, 0.3).diff(dim=1).sum(1)
    torch.testing.assert_close(got.opacity, 1 - torch.exp(-0.7 * way))
    torch.testing.assert_close(got.color[:, 0], got.opacity)


def test_rays_that_miss_or_look_away_see_the_background():
    density, color = random_field()
    origins = torch.tensor(
        [[-5.0, 50, 0], [-5, 1, 1], [2, 1.5, 9]], dtype=torch.float64
    )
    directions = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 0, 1]], dtype=torch.float64)
    background = torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    for step in (0.5, None):
        got = render_rays(
            density, color, origins, directions, step=step, background=background
        )
        assert (got.opacity == 0).all()
        assert (got.depth == 0).all()
        torch.testing.assert_close(got.color, background.expand(3, 3))


def test_a_ray_that_starts_inside_sees_only_what_lies_ahead():
    density = torch.full((4, 1, 1), 50.0, dtype=torch.float64)
    color = torch.arange(4.0, dtype=torch.float64).reshape(4, 1, 1, 1)
    origin = torch.tensor([[2.0, 0.5, 0.5]], dtype=torch.float64)
    ahead = torch.tensor([[1.0, 0, 0]], dtype=torch.float64)
    seen = [
        render_rays(density, color, origin, sign * ahead, step=1.0).color.item()
        for sign in (1, -1)
    ]
    np.testing.assert_allclose(seen, [2, 1])


@pytest.mark.parametrize("sampling", ["nearest", "trilinear"])
def test_early_stop_changes_no_color_by_more_than_its_share(sampling):
    density, color = random_field(4, (12, 12, 12), scale=3)
    origins, directions = random_rays(40, 4, (12, 12, 12))
    arguments = {"step": 0.1, "sampling": sampling}
    whole = render_rays(density, color, origins, directions, **arguments)
    for stop in (0.3, 1e-2, 1e-6):
        got = render_rays(density, color, origins, directions, stop=stop, **arguments)
        assert (got.color - whole.color).abs().max() <= stop
        assert (got.opacity - whole.opacity).abs().max() <= stop
        assert (got.depth - whole.depth).abs().max() <= stop * 12 * 3**0.5


def test_early_stop_keeps_the_gradients_of_what_is_seen():
    density, color = random_field(4, (8, 8, 8), scale=6)
    origins, directions = random_rays(40, 4, (8, 8, 8))
    gradients = []
    for stop in (0.0, 1e-7):
        d, c = density.clone().requires_grad_(), color.clone().requires_grad_()
        got = render_rays(d, c, origins, directions, step=0.2, stop=stop)
        (got.color.sum() + got.depth.sum()).backward()
        gradients.append((d.grad, c.grad))
    torch.testing.assert_close(*gradients, atol=2e-5, rtol=0)


def test_masked_voxels_are_empty():
    density, color = random_field(5)
    occupied = torch.rand(SHAPE, generator=torch.Generator().manual_seed(2)) > 0.5
    rays = random_rays(30, 5)
    got = render_rays(density, color, *rays, step=0.25, occupied=occupied)
    expected = render_rays(density * occupied, color, *rays, step=0.25)
    torch.testing.assert_close(got.color, expected.color)
    torch.testing.assert_close(got.depth, expected.depth)


@pytest.mark.parametrize("stop", [0.0, 1e-3])
def test_small_parts_change_neither_values_nor_gradients(stop):
    density, color = random_field(6)
    rays = random_rays(37, 6)
    results = []
    for budget in (1 << 20, 100):
        d, c = density.clone().requires_grad_(), color.clone().requires_grad_()
        got = render_rays(d, c, *rays, step=0.3, stop=stop, max_samples=budget)
        (got.color.square().sum() + got.opacity.sum()).backward()
        results.append((got.color, got.depth, got.opacity, d.grad, c.grad))
    torch.testing.assert_close(*results, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("sampling", ["nearest", "trilinear"])
@pytest.mark.parametrize("step", [0.4, None])
def test_gradients_are_the_slopes(sampling, step):
    density, color = random_field(8, (3, 2, 3), channels=2)
    rays = random_rays(4, 8, (3, 2, 3))

    def render(raw_density, raw_color):
        got = render_rays(
            raw_density,
            raw_color,
            *rays,
            step=step,
            sampling=sampling,
            density_activation=torch.nn.functional.softplus,
            color_activation=torch.sigmoid,
            background=torch.ones(2, dtype=torch.float64),
        )
        return got.color, got.depth, got.opacity

    torch.autograd.gradcheck(
        render, (density.requires_grad_(), color.requires_grad_()), fast_mode=False
    )


def test_no_rays_give_an_empty_picture():
    density, color = random_field()
    empty = torch.zeros(0, 3, dtype=torch.float64)
    got = render_rays(density, color, empty, empty)
    assert got.color.shape == (0, 3)
    assert got.opacity.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 0.0}, "step must be positive or None, got 0.0"),
        ({"sampling": "cubic"}, "sampling must be one of .* got 'cubic'"),
        ({"stop": 1.0}, r"stop must be in \[0, 1\), got 1.0"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        render_rays(*random_field(), *random_rays(1), **change)


@pytest.mark.gpu
def test_the_gpu_sees_the_same():
    density, color = random_field(9, (16, 16, 16), dtype=torch.float32)
    rays = random_rays(200, 9, (16, 16, 16), torch.float32)
    here = render_rays(density, color, *rays, sampling="trilinear", stop=1e-3)
    there = render_rays(
        *(value.to("cuda") for value in (density, color, *rays)),
        sampling="trilinear",
        stop=1e-3,
    )
    torch.testing.assert_close(here.color, there.color.cpu(), atol=1e-4, rtol=1e-4)


# Cameras ------------------------------------------------------------------------


def test_a_narrow_perspective_is_nearly_orthographic():
    toward, up = np.array([1.0, 0.4, 0.3]), np.array([0.0, 1.0, 0.0])
    density, color = random_field(2)
    pictures = []
    for rays in (
        orthographic_rays(SHAPE, toward, up, 24),
        perspective_rays(SHAPE, toward, up, 24, field_of_view=0.1),
    ):
        origins, directions = (
            torch.from_numpy(v.reshape(-1, 3)) for v in (rays.origins, rays.directions)
        )
        pictures.append(render_rays(density, color, origins, directions, step=None))
    torch.testing.assert_close(pictures[0].color, pictures[1].color, atol=0.02, rtol=0)


def test_pictures_have_right_on_the_right_and_up_at_the_top():
    rays = orthographic_rays((4, 4, 4), np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), 4)
    assert rays.origins[0, 0, 1] > rays.origins[3, 0, 1]
    assert rays.origins[0, 3, 0] > rays.origins[0, 0, 0]
    assert (rays.directions == [0, 0, -1]).all()


def test_random_directions_are_uniform_on_the_sphere():
    directions = random_directions(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_allclose(directions.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(
        directions.T @ directions / 20_000, np.eye(3) / 3, atol=0.02
    )
