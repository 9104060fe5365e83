import torch

from voxify3d.losses.silhouette import silhouette_loss


def test_it_is_the_weighted_sum_of_squared_differences():
    opacity = torch.tensor([0.25, 1.0, 0.5]).double().requires_grad_()
    mask = torch.tensor([0.0, 1.0, 1.0]).double()
    weight = torch.tensor([1.0, 5.0, 2.0]).double()
    # 0.0625 + 0 + 2 · 0.25 = 0.5625
    loss = silhouette_loss(opacity, mask, weight)
    torch.testing.assert_close(loss.detach(), torch.tensor(0.5625).double())
    loss.backward()
    # away from what should be empty, towards what should be filled
    torch.testing.assert_close(opacity.grad, torch.tensor([0.5, 0.0, -2.0]).double())
