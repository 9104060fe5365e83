import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.render.columns import column_weights
from voxify3d.render.eye import from_eye
from voxify3d.render.views import six_views
from voxify3d.types import DIRECTIONS, View

VIEWS = six_views()
SHAPE = (4, 5, 6)


def picture_by_scan(thickness: np.ndarray, values: np.ndarray, view: View):
    """The fast way, as the fit uses it."""
    weights = column_weights(torch.from_numpy(from_eye(thickness, view).copy()))
    colors = torch.from_numpy(from_eye(values, view).copy())
    shown = (weights[..., None] * colors).sum(-2)
    depth = (weights * torch.arange(weights.shape[-1])).sum(-1)
    return shown.numpy(), weights.sum(-1).numpy(), depth.numpy()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize(("seed", "scale"), [(0, 0.3), (1, 2.0), (2, 12.0)])
def test_the_scan_is_dense_ray_marching(view, seed, scale):
    rng = np.random.default_rng(seed)
    thickness = scale * rng.random(SHAPE) * (rng.random(SHAPE) < 0.7)
    values = rng.normal(size=(*SHAPE, 3))
    fast = picture_by_scan(thickness, values, view)
    slow = reference.picture(thickness, values, view, substeps=32)
    for found, expected in zip(fast, slow, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_an_opaque_voxel_hides_all_behind_it_in_each_direction():
    thickness = np.zeros(SHAPE)
    thickness[1:3, 1:4, 2:5] = 1e4
    values = np.arange(120.0).reshape(*SHAPE, 1)
    # Cell [a, b] of the block's middle sees the block's face on the eye's side.
    expected = {
        "+x": values[2, 2, 3], "-x": values[1, 2, 3],
        "+y": values[1, 3, 3], "-y": values[1, 1, 3],
        "+z": values[1, 2, 4], "-z": values[1, 2, 2],
    }  # fmt: skip
    middle = {"x": (2, 3), "y": (1, 3), "z": (1, 2)}
    for view in VIEWS:
        shown, opacity, depth = picture_by_scan(thickness, values, view)
        cell = middle[view.toward[1]]
        assert shown[cell] == expected[view.toward]
        assert opacity[cell] == 1
        # empty layers before the block: one, and two on the side of -z
        assert depth[cell] == (2 if view.toward == "-z" else 1)


@given(
    st.integers(1, 9),
    st.integers(0, 2**31 - 1),
    st.sampled_from([1e-9, 1e-3, 1.0, 30.0, 1e3]),
)
def test_weights_and_remaining_light_sum_to_one(n, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    thickness = scale * torch.rand(3, n, generator=generator, dtype=torch.float64)
    weights = column_weights(thickness)
    assert (weights >= 0).all()
    total = weights.sum(-1) + torch.exp(-thickness.sum(-1))
    torch.testing.assert_close(total, torch.ones(3, dtype=torch.float64))


def test_thin_voxels_keep_all_their_digits():
    thickness = torch.full((1, 4), 1e-12, dtype=torch.float64)
    # w = T (1 - exp(-s)) = 1e-12 to 12 digits
    torch.testing.assert_close(
        column_weights(thickness), thickness, rtol=1e-11, atol=0.0
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("huge", [25.0, 500.0, 1e6, 1e30])
def test_huge_thickness_is_safe(dtype, huge):
    thickness = torch.tensor([0.0, huge, 1.0, huge], dtype=dtype, requires_grad=True)
    weights = column_weights(thickness)
    assert weights.tolist() == pytest.approx([0, 1, 0, 0], abs=1e-10)
    weights.sum().backward()
    assert thickness.grad is not None
    assert torch.isfinite(thickness.grad).all()


def test_no_thickness_gives_no_weight_but_a_gradient():
    thickness = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    weights = column_weights(thickness)
    assert weights.tolist() == [0, 0, 0]
    (weights * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    # dw_k/ds_k = 1 where nothing stands before: a voxel can come into being
    assert thickness.grad is not None
    assert thickness.grad.tolist() == [1, 2, 3]


@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0])
def test_the_gradient_is_the_slope(scale):
    generator = torch.Generator().manual_seed(3)
    thickness = scale * torch.rand(2, 3, 6, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(column_weights, thickness.requires_grad_())


def test_the_six_views_look_along_the_six_directions():
    assert sorted(view.toward for view in VIEWS) == sorted(DIRECTIONS)
