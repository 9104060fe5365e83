import dataclasses

import numpy as np
import pytest
import reference
import torch
from makers import joined, random_art, random_picture

from voxify3d.choices import ColorSampling
from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.fine import (
    FineFit,
    cell_picture,
    shell_view,
    view_losses,
)
from voxify3d.fit.settings import FineConfig
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.mesh.shapes import box, sphere
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.render.views import six_views
from voxify3d.types import Palette

SHAPE = (3, 4, 5)
CONFIG = FineConfig(pixel_weight=7.0, depth_weight=0.3, alpha_weight=2.0)


def loss_by_marching(picture, palette, locked, thickness, color, config):
    """L_pixel + L_depth + L_alpha of one view, cell by cell, from marched rays."""
    shown, opacity, depth = reference.picture(thickness, color, picture.view)
    pixel = deep = alpha = 0.0
    for a, b in np.ndindex(*opacity.shape):
        filled = picture.index[a, b] >= 0
        column = reference.column_of(picture.view, thickness.shape, a, b)
        mask = float(filled or any(locked[ijk] for ijk in column))
        alpha += picture.weight * (opacity[a, b] - mask) ** 2
        if filled and np.isfinite(picture.depth[a, b]):
            off = shown[a, b] - np.float32(palette[picture.index[a, b]])
            pixel += picture.weight * (off**2).sum()
            gap = abs(depth[a, b] - opacity[a, b] * picture.depth[a, b])
            slack = config.depth_slack * opacity[a, b]
            deep += picture.weight * max(gap - slack, 0)
    return {
        "pixel": config.pixel_weight * pixel,
        "depth": config.depth_weight * deep,
        "alpha": config.alpha_weight * alpha,
    }


def random_case(view, seed):
    rng = np.random.default_rng(seed)
    palette = Palette(rng.integers(0, 256, (4, 3)).astype(np.uint8))
    picture = random_picture(view, SHAPE, palette, rng)
    thickness = rng.exponential(1.0, SHAPE)
    color = rng.normal(size=(*SHAPE, 3))
    locked = rng.random(SHAPE) < 0.05
    return picture, oklab_from_bytes(palette.rgb), locked, thickness, color


def on_shell(shell, thickness, color):
    """A field as `view_losses` takes it: the shell's voxels, and nothing at the end."""
    end = torch.zeros(1, dtype=torch.float64)
    return (
        torch.cat([torch.from_numpy(thickness[shell]), end]),
        torch.cat([torch.from_numpy(color[shell]), torch.full((1, 3), 9.0)]),
    )


@pytest.mark.parametrize("view", six_views(), ids=lambda view: view.name)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_losses_of_a_shell_are_those_of_marched_pictures(view, share):
    picture, palette, locked, thickness, color = random_case(view, seed=5)
    shell = np.random.default_rng(0).random(SHAPE) < share
    # a column without any shell voxel is no part of the shell's loss: keep them all
    shell |= np.indices(SHAPE)[view.axis] == 1
    thickness = np.where(shell, thickness, 0)
    columns = shell_view(shell, locked, picture, palette)
    losses = view_losses(
        columns, columns.see(*on_shell(shell, thickness, color)), CONFIG
    )
    expected = loss_by_marching(picture, palette, locked, thickness, color, CONFIG)
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(expected[name], rel=1e-6), name


@pytest.mark.parametrize("view", six_views(), ids=lambda view: view.name)
def test_the_gradient_of_a_shell_is_the_slope_of_marched_pictures(view):
    # Slack is left out: where it counts, no gradient flows through it on purpose.
    config = dataclasses.replace(CONFIG, depth_slack=0.0)
    picture, palette, locked, thickness, color = random_case(view, seed=6)
    shell = np.ones(SHAPE, bool)
    s, c = on_shell(shell, thickness, color)
    s, c = s.requires_grad_(), c.requires_grad_()
    columns = shell_view(shell, locked, picture, palette)
    total = torch.stack(
        list(view_losses(columns, columns.see(s, c), config).values())
    ).sum()
    total.backward()
    assert s.grad is not None
    assert c.grad is not None
    slopes = s.grad[:-1].reshape(SHAPE).numpy(), c.grad[:-1].reshape(*SHAPE, 3).numpy()

    def marched(thickness, color):
        args = (picture, palette, locked, thickness, color, config)
        return sum(loss_by_marching(*args).values())

    rng = np.random.default_rng(1)
    for values, slope in zip((thickness, color), slopes, strict=True):
        for _ in range(8):
            at = tuple(rng.integers(values.shape))
            kept, step = values[at], 1e-5
            values[at] = kept + step
            above = marched(thickness, color)
            values[at] = kept - step
            below = marched(thickness, color)
            values[at] = kept
            assert slope[at] == pytest.approx((above - below) / (2 * step), rel=1e-5)


def test_pictures_without_a_depth_or_color_pull_at_nothing_but_opacity():
    art = random_art(SHAPE, 3, seed=2)
    picture = dataclasses.replace(
        art.pictures[0], index=np.full_like(art.pictures[0].index, -1)
    )
    columns = shell_view(np.ones(SHAPE, bool), np.zeros(SHAPE, bool), picture,
                         oklab_from_bytes(art.palette.rgb))  # fmt: skip
    thickness = np.full(SHAPE, 1.0)
    losses = view_losses(
        columns,
        columns.see(*on_shell(np.ones(SHAPE, bool), thickness, np.ones((*SHAPE, 3)))),
        CONFIG,
    )
    assert losses["pixel"] == 0
    assert losses["depth"] == 0
    # every ray sees 1 - exp(-5) where nothing should be
    cells = picture.index.size
    expected = 2.0 * picture.weight * cells * (1 - np.exp(-5.0)) ** 2
    assert losses["alpha"].item() == pytest.approx(expected, rel=1e-6)


def small_fit(sampling: ColorSampling = "expected", seed=0, steps=25, semantic=None):
    mesh = joined(
        sphere(1.0, color=(0.9, 0.2, 0.2)),
        box((0.5, 1.4, 0.5), (0, 1.4, 0), (0.1, 0.3, 0.9)),
    )
    frame = frame_of(mesh, 10)
    art = pixelize(render_mesh(mesh, frame, 4), 3)
    coverage = surface_coverage(mesh, frame)
    occupancy = coarse_occupancy(coverage, art)
    config = FineConfig(steps=steps, sampling=sampling)
    generator = torch.Generator().manual_seed(seed)
    return FineFit(occupancy, art, coverage, config, generator, semantic), occupancy


@pytest.mark.parametrize("sampling", ["expected", "gumbel", "straight-through"])
def test_the_loss_goes_down_whatever_the_sampling(sampling):
    fit, _ = small_fit(sampling)
    totals = [step.losses["total"] for step in fit]
    assert len(totals) == 25
    assert np.mean(totals[-5:]) < 0.9 * np.mean(totals[:5])


def test_the_loss_is_the_sum_of_the_six_views_per_cell():
    fit, _ = small_fit()
    losses = {name: loss.item() for name, loss in fit.losses(0).items()}
    step = next(iter(fit))
    assert step.losses == pytest.approx(losses | {"total": sum(losses.values())})


def test_the_same_seed_gives_the_same_field_and_noise_needs_it():
    first, second, other = (small_fit("gumbel", seed, steps=5)[0] for seed in (1, 1, 2))
    for fit in (first, second, other):
        list(fit)
    for name, value in first.field.state_dict().items():
        torch.testing.assert_close(
            value, second.field.state_dict()[name], rtol=0, atol=0
        )
    assert not torch.equal(first.field.logits, other.field.logits)


def test_locked_voxels_stay_and_what_is_not_in_the_shell_does_not_change():
    fit, occupancy = small_fit()
    list(fit)
    after = fit.occupied()
    assert after[occupancy.locked].all()
    np.testing.assert_array_equal(after[~fit.shell], occupancy.occupied[~fit.shell])


def test_one_more_loss_sees_whole_pictures_and_moves_the_field():
    asked = []

    def semantic(step, pictures):
        asked.append([tuple(p.opacity.shape) for p in pictures])
        if step % 2:
            return None
        return 100 * sum(p.opacity.mean() for p in pictures)

    plain, moved = small_fit(steps=4)[0], small_fit(steps=4, semantic=semantic)[0]
    losses = [step.losses for step in moved]
    list(plain)
    assert ["semantic" in loss for loss in losses] == [True, False, True, False]
    x, y, z = moved.shell.shape
    assert asked[0] == [(x, y), (x, y), (y, z), (y, z), (x, z), (x, z)]
    assert moved.field.density_raw.sum() < plain.field.density_raw.sum()


@pytest.mark.parametrize("view", six_views(), ids=lambda view: view.name)
def test_a_cell_picture_is_the_marched_picture(view):
    picture, palette, locked, thickness, color = random_case(view, seed=5)
    shell = np.random.default_rng(0).random(SHAPE) < 0.3
    thickness = np.where(shell, thickness, 0)
    columns = shell_view(shell, locked, picture, palette)
    seen = cell_picture(columns, columns.see(*on_shell(shell, thickness, color)))
    shown, opacity, _ = reference.picture(thickness, color, view)
    np.testing.assert_allclose(seen.opacity.numpy(), opacity, atol=1e-12)
    np.testing.assert_allclose(seen.color.numpy(), shown, atol=1e-12)


def test_no_cavity_is_left_where_no_view_looks():
    fit, _ = small_fit()
    with torch.no_grad():
        fit.field.density_raw.fill_(2.0)
    full = fit.occupied()
    hidden = full.copy()
    for axis in range(3):
        for step in (-1, 1):
            hidden &= np.roll(full, step, axis)
    hidden &= fit.shell
    assert hidden.any()
    number = np.cumsum(fit.shell.ravel()).reshape(full.shape) - 1
    with torch.no_grad():
        fit.field.density_raw[number[tuple(np.argwhere(hidden)[0])]] = -9.0
    np.testing.assert_array_equal(fit.occupied(), full)
