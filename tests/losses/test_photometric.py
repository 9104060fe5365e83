import torch

from voxify3d.losses.photometric import photometric_loss


def test_it_is_the_weighted_sum_of_squared_differences():
    color = torch.tensor([[0.5, 0.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    target = torch.tensor([[0.0, 0.2, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    # 2 · (0.25 + 0.04) + 0.5 · 3 = 2.08
    loss = photometric_loss(color, target, torch.tensor([2.0, 0.5]).double())
    torch.testing.assert_close(loss, torch.tensor(2.08).double())


def test_cells_without_weight_pull_at_nothing():
    color = torch.rand(3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.zeros(3, 3, dtype=torch.float64)
    weight = torch.tensor([1.0, 0.0, 2.0]).double()
    photometric_loss(color, target, weight).backward()
    torch.testing.assert_close(color.grad, 2 * weight[:, None] * color.detach())
