import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.losses.smoothness import total_variation


def variation_reference(grid, mask):
    total, pairs = 0.0, 0
    for place in itertools.product(*(range(n) for n in grid.shape[:3])):
        for axis in range(3):
            other = tuple(p + (i == axis) for i, p in enumerate(place))
            if other[axis] < grid.shape[axis] and mask[place] and mask[other]:
                total += (grid[place] - grid[other]).abs().sum().item()
                pairs += 1
    return total / max(pairs, 1)


@given(
    st.tuples(*[st.integers(1, 4)] * 3),
    st.sampled_from([(), (1,), (3,)]),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_total_variation_matches_the_loop_over_pairs(shape, channels, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    grid = torch.randn(*shape, *channels, generator=generator, dtype=torch.float64)
    mask = torch.rand(shape, generator=generator) > 0.4
    got = total_variation(grid, mask if masked else None)
    expected = variation_reference(grid, mask if masked else mask | True)
    assert got.item() == pytest.approx(expected, abs=1e-12)


def test_a_step_of_one_between_two_halves():
    # 2 × 1 × 1: one pair, difference 1. 2 × 2 × 1: 4 pairs, 2 of them differ.
    assert total_variation(torch.tensor([0.0, 1.0]).reshape(2, 1, 1)) == 1
    assert total_variation(torch.tensor([0.0, 0, 1, 1]).reshape(2, 2, 1)) == 0.5


def test_a_constant_does_not_vary_and_an_offset_changes_nothing():
    grid = torch.rand(3, 4, 5, 2, dtype=torch.float64)
    assert total_variation(torch.full_like(grid, 7)) == 0
    torch.testing.assert_close(total_variation(grid + 3), total_variation(grid))


def test_voxels_outside_the_mask_get_no_gradient():
    grid = torch.rand(4, 4, 4, requires_grad=True)
    mask = torch.zeros(4, 4, 4, dtype=torch.bool)
    mask[:2] = True
    total_variation(grid, mask).backward()
    assert grid.grad is not None
    assert (grid.grad[2:] == 0).all()
    assert (grid.grad[:2] != 0).any()


def test_gradients_are_the_slopes():
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn(2, 3, 2, 2, generator=generator, dtype=torch.float64)
    mask = torch.rand(2, 3, 2, generator=generator) > 0.2
    grid.requires_grad_()
    torch.autograd.gradcheck(total_variation, (grid,))
    torch.autograd.gradcheck(lambda g: total_variation(g, mask), (grid,))
