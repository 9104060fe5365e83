import pytest
import torch

from voxify3d.losses.depth import depth_loss


def loss_of(depth, opacity, target, slack=0.0, weight=1.0):
    columns = [[depth], [opacity], [target], [weight]]
    values = torch.tensor(columns, dtype=torch.float64)
    return depth_loss(values[0], values[1], values[2], values[3], slack=slack).item()


@pytest.mark.parametrize(
    ("depth", "expected"), [(3.0, 0.0), (3.5, 0.5), (1.0, 2.0), (9.0, 6.0)]
)
def test_opaque_cells_pay_their_distance(depth, expected):
    assert loss_of(depth, 1.0, 3.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("depth", "expected"), [(3.0, 0.0), (3.4, 0.0), (2.5, 0.0), (5.0, 1.5)]
)
def test_what_voxels_cannot_show_costs_nothing(depth, expected):
    assert loss_of(depth, 1.0, 3.0, slack=0.5) == pytest.approx(expected)


def test_a_half_transparent_cell_at_the_right_depth_costs_nothing():
    # premultiplied depth: 0.5 · 3
    assert loss_of(1.5, 0.5, 3.0) == 0
    assert loss_of(1.5 + 0.2, 0.5, 3.0, slack=0.4) == pytest.approx(0)


def test_weights_scale_and_slack_stops_no_gradient_of_opacity():
    assert loss_of(5.0, 1.0, 3.0, weight=3.0) == pytest.approx(6)
    opacity = torch.tensor([0.8], dtype=torch.float64, requires_grad=True)
    depth = torch.tensor([4.0], dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    depth_loss(depth, opacity, 2 * one, one, slack=0.5).backward()
    # d|4 − 2o| / do = −2: the slack's own opacity is held still
    assert opacity.grad is not None
    assert opacity.grad.item() == -2
