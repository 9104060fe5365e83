import dataclasses
import itertools

import numpy as np
import pytest
import torch

from voxify3d import VoxelizeConfig, voxelize
from voxify3d.errors import ConfigError
from voxify3d.fit.radiance import (
    draw_batches,
    fit_radiance,
    is_refresh,
    near_matter,
)
from voxify3d.fit.radiance_settings import QUICK_RADIANCE, RadianceConfig
from voxify3d.fit.settings import CoarseConfig
from voxify3d.mesh.shapes import half_box, six_colored_tripod
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import frame_of

SMALL = dataclasses.replace(QUICK_RADIANCE, steps=60, rays=512, pixels=64, views=30)


def fit(mesh, size, config=SMALL, seed=0, device="cpu"):
    """Return the field and the losses of every step."""
    losses = []
    steps = fit_radiance(
        mesh,
        frame_of(mesh, size),
        config,
        generator=torch.Generator(device).manual_seed(seed),
    )
    while True:
        try:
            losses.append(next(steps).losses)
        except StopIteration as stop:
            return stop.value, losses


def fit_change(size=6, **changes):
    return fit(half_box(), size, dataclasses.replace(SMALL, **changes))


@pytest.mark.parametrize("sampling", ["trilinear", "nearest"])
def test_a_half_black_half_white_box_is_found(sampling):
    # Before a white background, white could be empty as well: hence random ones.
    field, losses = fit_change(8, sampling=sampling, steps=120)
    assert field.density.shape == (8, 4, 4)
    surface = np.ones((8, 4, 4), bool)
    surface[1:-1, 1:-1, 1:-1] = False
    assert (field.alpha[surface] > 0.5).mean() > 0.95
    assert field.color[:3][surface[:3]].mean() < 0.15
    assert field.color[5:][surface[5:]].mean() > 0.85
    assert losses[-1]["render"] < losses[0]["render"] / 10


def test_nothing_is_mirrored():
    mesh = six_colored_tripod()
    config = dataclasses.replace(SMALL, steps=150, rays=1024)
    frame = frame_of(mesh, 10)
    field, _ = fit(mesh, 10, config)
    # The same mesh by rays down the middle of every voxel's column, from +x.
    y, z = np.meshgrid(*(np.arange(n) + 0.5 for n in frame.shape[1:]), indexing="ij")
    x = np.full(y.size, frame.shape[0] + 1.0)
    origins = np.stack([x, y.ravel(), z.ravel()], axis=1)
    hits = Caster(mesh, frame).cast(origins, np.tile([-1.0, 0, 0], (y.size, 1)))
    hit = (hits.face >= 0).reshape(y.shape)
    opaque = field.alpha > 0.5
    assert (opaque.any(axis=0) == hit).mean() > 0.97
    first = opaque.shape[0] - 1 - opaque[::-1].argmax(axis=0)
    seen = np.take_along_axis(field.color, first[None, ..., None], axis=0)[0]
    both = hit & opaque.any(axis=0)
    error = np.abs(seen - hits.rgb.reshape(*y.shape, 3))[both].mean(axis=1)
    assert np.median(error) < 0.1


def test_the_same_seed_gives_the_same_bytes():
    fields = [fit(half_box(), 4, dataclasses.replace(SMALL, steps=5))[0] for _ in "ab"]
    assert fields[0].density.tobytes() == fields[1].density.tobytes()
    assert fields[0].color.tobytes() == fields[1].color.tobytes()
    other = fit(half_box(), 4, dataclasses.replace(SMALL, steps=5), seed=1)[0]
    assert fields[0].density.tobytes() != other.density.tobytes()


@pytest.mark.gpu
def test_a_gpu_finds_the_same_matter():
    """From other random numbers."""
    config = dataclasses.replace(SMALL, steps=150, rays=1024)
    here, there = (
        fit(six_colored_tripod(), 10, config, device=device)[0].alpha > 0.5
        for device in ("cpu", "cuda")
    )
    assert (here & there).sum() > 0.9 * (here | there).sum()


def test_a_device_that_is_not_here_is_refused():
    radiance = dataclasses.replace(SMALL, device="cuda:99")
    config = VoxelizeConfig(
        size=6, coarse=CoarseConfig(method="radiance", radiance=radiance)
    )
    with pytest.raises(ConfigError, match=r"coarse.radiance.device .*, got 'cuda:99'"):
        voxelize(half_box(), config)


def test_all_three_terms_are_on_and_each_can_be_left_out():
    _, losses = fit_change(steps=4)
    assert set(losses[0]) == {"render", "smoothness", "total"}
    assert set(losses[2]) == {"render", "smoothness", "entropy", "total"}
    assert losses[2]["total"] == pytest.approx(
        sum(v for k, v in losses[2].items() if k != "total"), rel=1e-5
    )
    _, bare = fit_change(steps=4, smoothness_weight=0.0, entropy_weight=0.0)
    assert set(bare[3]) == {"render", "total"}


def test_each_term_does_what_it_is_for():
    def variation(field):
        return sum(np.abs(np.diff(field.alpha, axis=i)).mean() for i in range(3))

    def fog(field):
        return (field.alpha * (1 - field.alpha)).mean()

    base = dataclasses.replace(
        SMALL, smoothness_weight=0.0, entropy_weight=0.0, entropy_start=0.2
    )
    plain, smooth, clear = (
        fit(six_colored_tripod(), 8, config)[0]
        for config in (
            base,
            dataclasses.replace(base, smoothness_weight=0.1),
            dataclasses.replace(base, entropy_weight=0.1),
        )
    )
    assert variation(smooth) < 0.9 * variation(plain)
    assert fog(clear) < fog(plain)


def test_a_start_without_matter_has_the_promised_opacity():
    config = dataclasses.replace(SMALL, steps=1, density_rate=1e-9, initial_alpha=0.3)
    field, _ = fit(half_box(), 4, config)
    np.testing.assert_allclose(field.alpha, 0.3, rtol=1e-5)


# Pixels -------------------------------------------------------------------------


def test_pixels_are_rays_through_the_grid_that_show_the_mesh():
    mesh = half_box()
    frame = frame_of(mesh, 8)
    config = dataclasses.replace(SMALL, rays=2000)
    batches = draw_batches(mesh, frame, config, torch.Generator().manual_seed(0))
    batch = next(batches)
    assert batch.origins.shape == (2000, 3)
    torch.testing.assert_close(batch.directions.norm(dim=1), torch.ones(2000))
    assert len(torch.unique((batch.directions * 1e4).round(), dim=0)) == config.views
    # The box fills its grid, so every ray through the grid hits it.
    assert batch.hit.mean() > 0.99
    assert ((batch.rgb == 0) | (batch.rgb > 0.99)).all()
    again = next(batches)
    assert not torch.equal(batch.origins, again.origins)


# Free space ---------------------------------------------------------------------


def test_near_matter_is_every_voxel_with_an_opaque_neighbor():
    alpha = torch.rand(5, 4, 6, generator=torch.Generator().manual_seed(0))
    got = near_matter(alpha, 0.95)
    for place in itertools.product(*(range(n) for n in alpha.shape)):
        box = tuple(slice(max(p - 1, 0), p + 2) for p in place)
        assert got[place] == (alpha[box] >= 0.95).any()


def test_free_space_is_looked_up_about_twenty_times_and_never_at_once():
    config = RadianceConfig(steps=1000, free_start=0.1)
    at = [i for i in range(1000) if is_refresh(i, config)]
    assert at == list(range(100, 1000, 50))
    early = RadianceConfig(steps=3, free_start=0.0)
    assert not is_refresh(0, early)


# Settings -----------------------------------------------------------------------


def test_the_defaults_are_the_papers():
    config = RadianceConfig()
    assert (config.steps, config.rays, config.views) == (8000, 8192, 100)
    assert (config.density_rate, config.color_rate) == (0.1, 0.1)
    assert config.decay_steps == 20_000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", 0, "radiance.steps must be at least 1, got 0"),
        ("rays", -1, "radiance.rays must be at least 1, got -1"),
        ("smoothness_weight", -1.0, "smoothness_weight must be 0 or more, got -1.0"),
        ("entropy_weight", float("nan"), "entropy_weight must be 0 or more, got nan"),
        ("density_rate", 0.0, "density_rate must be above 0, got 0.0"),
        ("entropy_start", 1.5, r"entropy_start must be in \[0, 1\], got 1.5"),
        ("initial_alpha", 0.0, r"initial_alpha must be in \(0, 1\), got 0.0"),
        ("free_alpha", 0.5, "free_alpha must be at most coarse.radiance.initial_alpha"),
        ("stop", 1.0, r"stop must be in \[0, 1\), got 1.0"),
        ("sampling", "cubic", "one of trilinear, nearest, got 'cubic'"),
        ("background", "blue", "one of white, random, got 'blue'"),
    ],
)
def test_settings_out_of_range_are_refused(name, value, message):
    # Literals are checked by beartype in tests before they reach the check proper.
    config = RadianceConfig()
    object.__setattr__(config, name, value)
    with pytest.raises(ConfigError, match=message):
        config.__post_init__()
