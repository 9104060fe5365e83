import json

import numpy as np
import pytest
from PIL import Image
from tiny_clip import save_tiny_clip

from voxify3d.cli.main import main
from voxify3d.encoders.clip import load_clip
from voxify3d.export import export
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import six_colored_tripod
from voxify3d.metrics.score import caption_score, read_pictures, score_pictures
from voxify3d.types import Frame, Palette, VoxelGrid


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "voxify3d[clip]"')
    return str(save_tiny_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A .glb, our .vox and a folder of pictures."""
    folder = tmp_path_factory.mktemp("results")
    save_glb(six_colored_tripod(), folder / "tripod.glb")
    index = np.random.default_rng(0).integers(0, 3, (3, 4, 5)).astype(np.uint8)
    palette = Palette(np.array([[200, 30, 30], [30, 30, 200]], np.uint8))
    export(
        VoxelGrid(index, palette, Frame((0.0, 0.0, 0.0), 1.0, (3, 4, 5), "-z")),
        folder / "cow.vox",
    )
    (folder / "owl").mkdir()
    Image.new("RGB", (40, 40), (9, 90, 200)).save(folder / "owl" / "0.png")
    return folder


def run(*words):
    return main(["score", *map(str, words)])


def test_a_mesh_voxels_and_pictures_are_scored_alike(results, clip, capsys):
    names = [results / name for name in ("tripod.glb", "cow.vox", "owl")]
    assert run(*names, "--prompt", "a cat", "--clip", clip, "--json") == 0
    out = json.loads(capsys.readouterr().out)
    encoder = load_clip(clip)
    expected = [
        caption_score(encoder, score_pictures(six_colored_tripod()), "a cat"),
        None,
        caption_score(encoder, read_pictures(results / "owl"), "a cat"),
    ]
    got = [row["score"] for row in out["results"]]
    assert got[0] == pytest.approx(expected[0], abs=0.05)
    assert got[2] == pytest.approx(expected[2], abs=1e-3)
    assert run(names[1], "--prompt", "a cat", "--clip", clip, "--front", "+x") == 0
    turned = float(capsys.readouterr().out.split()[0])
    assert turned != pytest.approx(got[1], abs=1e-3)


def test_prompts_come_by_name_and_the_mean_ends_the_list(results, clip, capsys):
    prompts = results / "prompts.tsv"
    prompts.write_text("tripod\ta stand\nowl\tan owl\n")
    names = [results / "tripod.glb", results / "owl"]
    assert run(*names, "--prompts", prompts, "--clip", clip) == 0
    lines = capsys.readouterr().out.splitlines()
    scores = [float(line.split()[0]) for line in lines]
    assert lines[2].endswith("mean of 2")
    assert scores[2] == pytest.approx((scores[0] + scores[1]) / 2, abs=0.02)


def test_missing_rows_of_prompts_are_a_mistake_of_the_user(results, capsys):
    prompts = results / "few.tsv"
    prompts.write_text("tripod\ta stand\n")
    names = [results / "tripod.glb", results / "cow.vox"]
    assert run(*names, "--prompts", prompts) == 2
    assert "no prompt for 'cow'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--prompt", "a", "--prompts", "b"]])
def test_one_kind_of_prompt_is_needed(results, words, capsys):
    assert run(results / "cow.vox", *words) == 2
    assert "--prompt TEXT or --prompts FILE" in capsys.readouterr().err


def test_without_weights_it_says_how_to_get_them(
    results, capsys, monkeypatch, tmp_path
):
    pytest.importorskip("transformers", reason='needs pip install "voxify3d[clip]"')
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name = f"nobody/{tmp_path.name}"
    assert run(results / "cow.vox", "--prompt", "a cow", "--clip", name) == 1
    captured = capsys.readouterr()
    assert "voxify3d models pull clip" in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_what_is_not_there_cannot_be_scored(results, clip, capsys):
    assert run(results / "none.vox", "--prompt", "x", "--clip", clip) == 3
    assert "none.vox" in capsys.readouterr().err
