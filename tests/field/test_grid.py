import numpy as np
import pytest
import torch

from voxify3d.field.grid import VoxelField

OCCUPIED = torch.tensor([True, False, True, False])
FIXED = torch.tensor([False, False, True, True])


def field(initial=2.2):
    return VoxelField(OCCUPIED, torch.eye(4)[:, :3], FIXED, initial)


def test_it_starts_as_the_occupancy_it_is_given_and_what_is_fixed():
    assert field().occupied().tolist() == [True, False, True, True]
    assert field().index().tolist()[:3] == [0, 1, 2]


@pytest.mark.parametrize("initial", [0.5, 2.2])
def test_opacity_is_the_sigmoid_of_the_raw_density(initial):
    # 1 - exp(-softplus(a)) = sigmoid(a)
    alpha = 1 - torch.exp(-field(initial).thickness()).detach()
    expected = 1 / (1 + np.exp(-initial))
    assert alpha[0].item() == pytest.approx(expected, rel=1e-5)
    assert alpha[1].item() == pytest.approx(1 - expected, rel=1e-5)


def test_fixed_voxels_are_opaque_whatever_their_density_and_learn_nothing():
    shell = field()
    with torch.no_grad():
        shell.density_raw.fill_(-50)
    assert shell.occupied().tolist() == FIXED.tolist()
    alpha = 1 - torch.exp(-shell.thickness())
    assert (alpha[FIXED] > 0.9999).all()
    alpha.sum().backward()
    assert shell.density_raw.grad is not None
    assert (shell.density_raw.grad[FIXED] == 0).all()


def test_the_logits_are_a_copy():
    logits = torch.zeros(4, 3)
    shell = VoxelField(OCCUPIED, logits, FIXED)
    with torch.no_grad():
        shell.logits.add_(1)
    assert (logits == 0).all()
