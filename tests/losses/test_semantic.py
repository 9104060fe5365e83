"""The semantic loss: 1 - cosine, gradients to what is trained, bounded memory."""

import pytest
import torch
from torch import nn

from voxify3d.losses.semantic import SemanticLoss, semantic_loss


class Toy:
    """An encoder small enough for double precision."""

    name, input_size, low_pass = "toy", 8, True

    def __init__(self):
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Flatten())
        self.network = layers.double().eval().requires_grad_(False)
        self.largest = 0

    def features(self, images):
        self.largest = max(self.largest, len(images))
        return nn.functional.normalize(self.network(images), dim=-1)


def pictures(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 8, 8, generator=generator, dtype=torch.float64)


def test_it_is_one_minus_the_cosine():
    a, b = (nn.functional.normalize(torch.rand(4, 9) - 0.5) for _ in range(2))
    cosine = nn.functional.cosine_similarity(a, b)
    torch.testing.assert_close(semantic_loss(a, b), (1 - cosine).mean())


def test_a_picture_against_itself_is_exactly_zero():
    toy = Toy()
    loss = SemanticLoss(toy)
    images = pictures(5)
    assert loss(images, loss.features(images)) == 0


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
def test_parts_change_neither_value_nor_gradient(batch):
    toy = Toy()
    images, target = pictures(5).requires_grad_(), toy.features(pictures(5, seed=1))
    whole = semantic_loss(toy.features(images), target)
    (expected,) = torch.autograd.grad(whole, images)
    toy.largest = 0
    loss = SemanticLoss(toy, batch)(images, target)
    (gradient,) = torch.autograd.grad(3 * loss, images)
    torch.testing.assert_close(loss, whole.detach(), check_stride=False)
    torch.testing.assert_close(gradient, 3 * expected)
    assert toy.largest <= batch


def test_without_gradients_the_value_is_the_same():
    toy = Toy()
    loss = SemanticLoss(toy, 2)
    target = toy.features(pictures(5, seed=1))
    with_gradient = loss(pictures(5).requires_grad_(), target)
    torch.testing.assert_close(loss(pictures(5), target), with_gradient.detach())
