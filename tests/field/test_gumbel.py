from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.field.gumbel import gumbel_noise, palette_weights

SAMPLINGS = ["expected", "gumbel", "straight-through"]


def logits_of(n, k, seed, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, k, generator=generator, dtype=torch.float64)


@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(0, 9999),
    st.floats(0.01, 10),
    st.sampled_from(SAMPLINGS),
)
def test_rows_sum_to_one_and_nothing_is_negative(n, k, seed, temperature, sampling):
    logits = logits_of(n, k, seed)
    noise = gumbel_noise(logits, torch.Generator().manual_seed(seed))
    for given_noise in (None, noise):
        weights = palette_weights(logits, temperature, sampling, given_noise)
        torch.testing.assert_close(weights.sum(-1), torch.ones(n, dtype=torch.float64))
        assert (weights > -1e-12).all()


def test_expected_weights_are_the_softmax_at_the_temperature():
    logits = torch.tensor([[0.0, 1.0, 3.0]], dtype=torch.float64)
    powers = torch.tensor([[1.0, 2.0, 8.0]], dtype=torch.float64)
    weights = palette_weights(logits * torch.log(torch.tensor(2.0)) * 0.5, 0.5)
    torch.testing.assert_close(weights, powers / 11)


def test_colder_is_harder_and_the_coldest_takes_all():
    logits = logits_of(50, 5, seed=1)
    shares = [
        palette_weights(logits, t).gather(1, logits.argmax(-1)[:, None]).squeeze()
        for t in (5.0, 1.0, 0.2, 1e-4)
    ]
    for warmer, colder in pairwise(shares):
        assert (colder >= warmer).all()
    torch.testing.assert_close(shares[-1], torch.ones(50, dtype=torch.float64))


@given(st.integers(0, 9999), st.floats(0.05, 3))
def test_straight_through_shows_one_color_and_learns_from_all(seed, temperature):
    logits = logits_of(7, 4, seed).requires_grad_()
    pull = logits_of(7, 4, seed + 1)
    noise = gumbel_noise(logits.detach(), torch.Generator().manual_seed(seed))
    hard = palette_weights(logits, temperature, "straight-through", noise)
    chosen = (logits + noise).argmax(-1)
    torch.testing.assert_close(
        hard.detach(), torch.nn.functional.one_hot(chosen, 4).double()
    )
    (hard_slope,) = torch.autograd.grad((hard * pull).sum(), logits)
    soft = palette_weights(logits, temperature, "gumbel", noise)
    (soft_slope,) = torch.autograd.grad((soft * pull).sum(), logits)
    torch.testing.assert_close(hard_slope, soft_slope)
    assert soft_slope.abs().max() > 0


def test_soft_weights_have_the_right_slope():
    logits = logits_of(3, 4, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: palette_weights(x, 0.7), logits)


def test_the_same_seed_draws_the_same_noise():
    logits = torch.zeros(4, 3)
    one, two, other = (
        gumbel_noise(logits, torch.Generator().manual_seed(s)) for s in (5, 5, 6)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_noise_is_standard_gumbel():
    noise = gumbel_noise(torch.zeros(200_000, 1), torch.Generator().manual_seed(0))
    assert torch.isfinite(noise).all()
    # mean γ = 0.5772, variance π²/6 = 1.6449; standard errors 0.003 and 0.008
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.012)
    assert noise.var().item() == pytest.approx(1.6449, abs=0.04)


def test_the_largest_noisy_score_is_a_draw_from_the_softmax():
    # The Gumbel-max trick: P(argmax(logits + noise) = k) = softmax(logits)_k.
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0]).expand(100_000, 4)
    noise = gumbel_noise(logits, torch.Generator().manual_seed(0))
    chosen = palette_weights(logits, 0.5, "straight-through", noise).mean(0)
    # standard error of a share is at most 0.0016
    torch.testing.assert_close(chosen, logits[0].softmax(-1), atol=0.007, rtol=0.0)
