import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.losses.sparsity import background_entropy

shares = st.lists(st.floats(1e-5, 1 - 1e-5), min_size=1, max_size=20)


@given(shares)
def test_entropy_matches_the_formula(values):
    expected = sum(-p * math.log(p) - (1 - p) * math.log(1 - p) for p in values) / len(
        values
    )
    got = background_entropy(torch.tensor(values, dtype=torch.float64))
    assert got.item() == pytest.approx(expected, rel=1e-9)


@given(shares)
def test_opacity_and_transmittance_have_the_same_entropy(values):
    opacity = torch.tensor(values, dtype=torch.float64)
    torch.testing.assert_close(
        background_entropy(opacity), background_entropy(1 - opacity)
    )


def test_half_is_worst_and_the_ends_are_free_with_finite_gradients():
    assert background_entropy(torch.tensor([0.5])).item() == pytest.approx(math.log(2))
    ends = torch.tensor([0.0, 1.0], requires_grad=True)
    loss = background_entropy(ends)
    loss.backward()
    assert loss.item() < 2e-5
    assert ends.grad is not None
    assert torch.isfinite(ends.grad).all()


def test_gradients_are_the_slopes():
    opacity = torch.tensor([0.01, 0.3, 0.5, 0.97], dtype=torch.float64)
    torch.autograd.gradcheck(background_entropy, (opacity.requires_grad_(),))
