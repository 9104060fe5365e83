import sys

import pytest
import torch
from tiny_clip import save_tiny_clip

from voxify3d.encoders import load_encoder
from voxify3d.encoders.clip import DEFAULT_MODEL, has_clip, load_clip
from voxify3d.encoders.protocol import WeightsError
from voxify3d.errors import MissingExtraError

pytest.importorskip("transformers", reason='needs pip install "voxify3d[clip]"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def encoder(folder):
    return load_clip(str(folder))


def pictures(count=2, size=32, seed=0):
    return torch.rand(
        count, 3, size, size, generator=torch.Generator().manual_seed(seed)
    )


def test_features_are_those_of_the_saved_model(encoder, folder):
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(folder)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    vision = model.vision_model(pixel_values=(pictures() - mean) / deviation)
    expected = model.visual_projection(vision.pooler_output)
    expected = expected / expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(encoder.features(pictures()), expected)


def test_features_have_length_one_and_slopes_in_the_pictures(encoder):
    images = pictures(size=50).requires_grad_()
    features = encoder.features(images)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(2))
    features[:, 0].sum().backward()
    assert images.grad is not None
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().max() > 0


def test_nothing_in_the_encoder_learns(encoder):
    assert not encoder.network.training
    assert not any(p.requires_grad for p in encoder.network.parameters())


def test_sentences_and_pictures_share_a_space(encoder):
    texts = encoder.text_features(
        ["a cat", "a voxel art of a very long " + "cat " * 99]
    )
    assert texts.shape == (2, encoder.features(pictures()).shape[1])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(2))
    assert not torch.allclose(texts[0], texts[1])


def test_the_registry_loads_the_same_from_a_folder(encoder, folder):
    again = load_encoder(f"clip:{folder}")
    assert again is not None
    assert (again.input_size, again.low_pass) == (32, False)
    torch.testing.assert_close(again.features(pictures()), encoder.features(pictures()))


def test_half_precision_changes_little(encoder, folder):
    """What a GPU gets; here on a CPU."""
    half = load_encoder(f"clip:{folder}", half=True)
    assert half is not None
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    alike = (half.features(images) * encoder.features(images)).sum(dim=-1)
    assert (alike > 0.999).all()


def test_weights_are_found_without_loading_them(folder, tmp_path, monkeypatch):
    assert has_clip(str(folder))
    assert not has_clip(str(tmp_path))
    assert not has_clip("nobody/no-such-model")
    assert not has_clip("/no/such/folder/at/all")


def test_a_folder_without_tokenizer_gives_features_but_no_sentences(folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    encoder = load_clip(str(tmp_path))
    assert encoder.features(pictures()).shape[0] == 2
    with pytest.raises(WeightsError, match="no tokenizer files"):
        encoder.text_features(["a cat"])


# Bad input ----------------------------------------------------------------------


def test_a_model_that_was_never_fetched_is_named_with_the_command():
    with pytest.raises(WeightsError, match=r"not on this machine.*models pull clip"):
        load_clip("nobody/no-such-model")
    assert DEFAULT_MODEL == "openai/clip-vit-base-patch32"


def test_folders_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="nowhere: no such folder"):
        load_clip(str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match=r"no model.safetensors in this folder"):
        load_clip(str(tmp_path))
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(WeightsError, match=r"only pickled weights \(pytorch_model.bin"):
        load_clip(str(tmp_path))


def test_a_damaged_file_is_refused_in_one_line(folder, tmp_path):
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(WeightsError, match="not a CLIP model") as caught:
        load_clip(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"voxify3d\[clip\]"):
        load_encoder("clip")
