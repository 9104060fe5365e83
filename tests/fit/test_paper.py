import dataclasses
from pathlib import Path

import numpy as np
import pytest
import reference
import torch
from makers import random_art

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.errors import ConfigError
from voxify3d.fit.cells import CellPicture
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.paper import PaperFit, export_field, field_of_occupancy, fog
from voxify3d.fit.paper_settings import PaperConfig
from voxify3d.fit.radiance import RadianceField
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.shapes import half_box, six_colored_tripod
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh

SHAPE = (3, 4, 5)
EXACT = PaperConfig(rays=0, patch_share=0.0)


def random_field(seed=0, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return RadianceField(
        rng.exponential(0.7, shape).astype(np.float32),
        rng.random((*shape, 3), np.float32),
    )


def start(config=EXACT, seed=0, field=None, art=None, semantic=None):
    generator = torch.Generator().manual_seed(seed)
    field = random_field() if field is None else field
    art = random_art(SHAPE, 4, seed=3) if art is None else art
    return PaperFit(field, art, config, generator, semantic)


def change(**changes):
    return dataclasses.replace(EXACT, **changes)


def losses_by_marching(art, density, color, size):
    """The paper's three terms over every cell, from marched rays."""
    pixel, depth, alpha, cells = 0.0, 0.0, 0.0, 0
    for picture in art.pictures:
        shown, opacity, deep = reference.picture(density, color, picture.view)
        # the reference counts from the voxel's near face, the paper from its middle
        deep = deep + opacity / 2
        for a, b in np.ndindex(*opacity.shape):
            cells += 1
            filled = picture.index[a, b] >= 0
            white = np.ones(3)
            target = art.palette.rgb[picture.index[a, b]] / 255 if filled else white
            seen = shown[a, b] + (1 - opacity[a, b]) * white
            pixel += ((seen - target) ** 2).mean()
            if filled and np.isfinite(picture.depth[a, b]):
                depth += abs(deep[a, b] - picture.depth[a, b]) / size
            if not filled:
                alpha += opacity[a, b] ** 2
    return {
        "pixel": 10 * pixel / cells,
        "depth": 10 * depth / cells,
        "alpha": 20 * alpha / cells,
    }


def test_the_full_losses_are_the_papers_formulas_over_marched_rays():
    art, field = random_art(SHAPE, 4, seed=3), random_field()
    fit = start(art=art, field=field)
    palette = art.palette.rgb / 255
    apart = np.linalg.norm(field.color[..., None, :] - palette, axis=-1)
    shares = np.exp(-apart) / np.exp(-apart).sum(axis=-1, keepdims=True)
    expected = losses_by_marching(
        art, field.density.astype(float), shares @ palette, max(SHAPE)
    )
    assert fit.full_losses(0) == pytest.approx(expected, rel=1e-5)


def test_drawn_rays_estimate_the_losses_over_all_cells():
    config = change(rays=60_000, patch_share=0.5, color="expected")
    fit, exact = start(config), start(change(color="expected"))
    drawn = {name: loss.item() for name, loss in fit.losses(0).items()}
    assert drawn == pytest.approx(
        {name: loss.item() for name, loss in exact.losses(0).items()}, rel=0.05
    )
    assert exact.full_losses(0) == pytest.approx(
        {name: loss.item() for name, loss in exact.losses(0).items()}
    )


def test_sampled_rays_see_what_columns_see():
    columns = start(change(color="expected")).losses(0)
    marched = start(change(color="expected", rendering="rays")).losses(0)
    for name, loss in columns.items():
        # columns put a voxel's depth in its middle, samples where light is stopped
        tolerance = 0.05 if name == "depth" else 1e-5
        torch.testing.assert_close(marched[name], loss, rtol=tolerance, atol=1e-6)


def test_only_the_front_counts_at_the_end():
    art = random_art(SHAPE, 4, seed=3)
    other = dataclasses.replace(
        art, pictures=(art.pictures[0], *random_art(SHAPE, 4, seed=9).pictures[1:])
    )
    steps = change(color="expected", steps=100)
    for step, same in ((0, False), (99, True)):
        one, two = (start(steps, art=a).losses(step) for a in (art, other))
        assert all(torch.equal(one[n], two[n]) for n in one) == same


def test_noise_is_one_draw_per_voxel_that_all_views_share(monkeypatch):
    shapes = []
    from voxify3d.fit import paper

    draw = paper.gumbel_noise

    def spy(like, generator):
        shapes.append(tuple(like.shape))
        return draw(like, generator)

    monkeypatch.setattr(paper, "gumbel_noise", spy)
    fit = start(change(steps=3))
    list(fit)
    assert shapes == [(int(fit.open.sum()), 4)] * 3


def test_late_colors_are_palette_entries():
    fit = start(change(steps=100))
    palette = fit._palette
    from voxify3d.fit.schedule import paper_phase

    for step, entries in ((0, False), (99, True)):
        color, lab = fit._colors(paper_phase(step, 5, change(steps=100)))
        nearest = torch.cdist(color, palette).min(dim=1)
        assert bool((nearest.values < 1e-3).all()) == entries
        assert lab.shape == color.shape


@pytest.mark.parametrize("color", ["straight-through", "gumbel", "continuous"])
def test_the_result_is_opaque_voxels_in_palette_entries(color):
    fit = start(change(color=color, steps=2, threshold=0.6))
    list(fit)
    index = fit.index()
    alpha = 1 - np.exp(-fit.field.thickness().detach().numpy())
    np.testing.assert_array_equal(index[fit.open] >= 0, alpha >= 0.6)
    assert index.max() < 4
    assert (index[~fit.open] == -1).all()


def test_what_stage_one_calls_free_stays_empty():
    field = random_field()
    field.density[2] = 0
    field.density[1] = 0
    fit = start(field=field)
    assert fit.open[:2].all()
    assert not fit.open[2].any()


def test_a_semantic_loss_sees_six_whole_pictures_in_oklab():
    seen: list[list[CellPicture]] = []

    def semantic(step, pictures):
        seen.append(pictures)
        return None if step else pictures[0].opacity.mean()

    fit = start(change(steps=2, color="expected"), semantic=semantic)
    losses = [step.losses for step in fit]
    assert ["semantic" in loss for loss in losses] == [True, False]
    assert [tuple(p.opacity.shape) for p in seen[0]] == [
        *((3, 4), (3, 4), (4, 5), (4, 5), (3, 5), (3, 5))
    ]
    art = random_art(SHAPE, 4, seed=3)
    bound = oklab_from_bytes(art.palette.rgb)[:, 0].max()
    assert (seen[0][0].color[..., 0] <= bound + 1e-6).all()


def test_the_same_seed_gives_the_same_bytes():
    fits = [start(change(rays=50, steps=4), seed=s) for s in (1, 1, 2)]
    for fit in fits:
        list(fit)
    logits = [fit.field.logits.detach().numpy().tobytes() for fit in fits]
    assert logits[0] == logits[1]
    assert logits[0] != logits[2]


def test_the_first_stage_alone_is_its_opaque_voxels_in_the_nearest_entry():
    field, art = random_field(), random_art(SHAPE, 4, seed=3)
    index = export_field(field, art, 0.5)
    np.testing.assert_array_equal(index >= 0, field.alpha >= 0.5)
    assert (export_field(fog(SHAPE, 0.01), art, 0.5) == -1).all()
    np.testing.assert_allclose(fog(SHAPE, 0.01).alpha, 0.01, rtol=1e-5)


# On meshes ----------------------------------------------------------------------


def fit_of_mesh(mesh, size, config, seed=0):
    frame = frame_of(mesh, size)
    perspective = config.rendering == "perspective"
    art = pixelize(render_mesh(mesh, frame, 4, perspective=perspective), 6)
    coverage = surface_coverage(mesh, frame)
    occupancy = coarse_occupancy(coverage, pixelize(render_mesh(mesh, frame, 4), 6))
    field = field_of_occupancy(occupancy, coverage)
    generator = torch.Generator().manual_seed(seed)
    return PaperFit(field, art, config, generator), art, occupancy


def test_a_half_black_half_white_box_comes_out_right():
    config = PaperConfig(steps=60, density_rate=0.2, rays=600)
    fit, art, occupancy = fit_of_mesh(half_box(), 8, config)
    list(fit)
    index = fit.index()
    assert ((index >= 0) == occupancy.occupied).mean() > 0.95
    lightness = art.palette.rgb[index].mean(axis=-1)
    seen = index >= 0
    assert lightness[:4][seen[:4]].mean() < 60
    assert lightness[4:][seen[4:]].mean() > 195


def test_perspective_pictures_are_fitted_through_an_eye():
    config = PaperConfig(
        steps=16,
        rendering="perspective",
        rays=512,
        density_rate=0.1,
        color="expected",
        front_from=6500,
    )
    fit, _, _ = fit_of_mesh(six_colored_tripod(), 8, config)
    losses = [step.losses["pixel"] for step in fit]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


FOX = Path(__file__).parents[3] / "shared" / "meshes" / "fox" / "fox.gltf"


@pytest.mark.parametrize("subject", ["tripod", "fox"])
def test_the_loss_falls_and_no_less_than_by_sampled_rays_on_the_same_objective(subject):
    # The paper's way: random rays, quarter-voxel samples. Same steps, same start: fog.
    if subject == "fox" and not FOX.is_file():
        pytest.skip("needs the shared meshes beside the checkout")
    mesh = load_mesh(FOX) if subject == "fox" else six_colored_tripod()
    steps = 50
    base = PaperConfig(steps=steps, density_rate=0.15, logit_rate=0.3)
    frame = frame_of(mesh, 12 if subject == "fox" else 9)
    art = pixelize(render_mesh(mesh, frame, 4), 6)
    ends = {}
    for name, config in {
        "columns": dataclasses.replace(base, rays=0),
        "rays": dataclasses.replace(base, rendering="rays", rays=512),
    }.items():
        fit = start(config, field=fog(frame.shape, 0.05), art=art)
        before = sum(fit.full_losses(0).values())
        list(fit)
        ends[name] = sum(fit.full_losses(0).values())
        assert ends[name] < 0.5 * before
    assert ends["columns"] <= ends["rays"]


# Settings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": -1}, "fine.paper.steps must be 0 or more, got -1"),
        ({"pixel_weight": -1.0}, "pixel_weight must be 0 or more"),
        ({"alpha_weight": float("nan")}, "alpha_weight must be 0 or more"),
        ({"logit_rate": 0.0}, "logit_rate must be above 0"),
        ({"patch_share": 1.0}, r"patch_share must be in \[0, 1\)"),
        ({"threshold": 0.0}, r"threshold must be in \(0, 1\)"),
        ({"temperatures": ((5, 1.0),)}, "pairs of rising steps from 0"),
        ({"temperatures": ((0, 1.0), (9, 0.0))}, "a value above 0"),
        ({"late_share": 2.0}, r"late_share must be in \[0, 1\]"),
    ],
)
def test_settings_outside_their_range_are_refused_in_one_line(changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        PaperConfig(**changes)
    assert "\n" not in str(caught.value)
