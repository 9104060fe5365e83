"""`--emphasize` from end to end: made, recorded, repeated, and judged fairly."""

import json

import pytest

from voxify3d import VoxelizeConfig, from_dict, to_dict
from voxify3d.cli.main import main
from voxify3d.errors import ConfigError
from voxify3d.export import read_voxels
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import half_box


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_glb(sample_character(), tmp_path / "robot.glb")
    save_glb(half_box(), tmp_path / "box.glb")
    return tmp_path


def run(words):
    return main(words.split())


def scores(capsys, words):
    assert run(f"evaluate {words} --json") == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


DRAFT = "convert robot.glb {} --preset draft --size 16 --quiet"


def test_the_settings_keep_it_and_refuse_what_cannot_be():
    config = VoxelizeConfig(emphasize="head:2")
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    with pytest.raises(ConfigError, match="above 1, at most 3, got 7"):
        VoxelizeConfig(emphasize="head:7")


def test_a_result_is_judged_against_the_proportions_it_was_made_of(here, capsys):
    assert run(DRAFT.format("big.vox plain.glb") + " --emphasize head:2") == 0
    assert run(DRAFT.format("plain.vox")) == 0
    capsys.readouterr()
    big, said = scores(capsys, "robot.glb big.vox")
    assert big["emphasize"] == "head:2"
    assert said == "judged against the mesh with --emphasize head:2\n"
    unfair, said = scores(capsys, "robot.glb big.vox --emphasize=")
    assert said == ""
    assert unfair["emphasize"] is None
    assert big["results"][0]["iou"] > 0.9 > unfair["results"][0]["iou"] + 0.05
    assert run("evaluate robot.glb big.vox plain.vox") == 2
    assert "proportions (--emphasize head:2 and nothing)" in capsys.readouterr().err


def test_a_run_is_repeated_with_its_proportions(here):
    assert run(DRAFT.format("big.vox") + " --emphasize head:2") == 0
    assert read_voxels(here / "big.vox").manifest["settings"]["emphasize"] == "head:2"
    assert run("convert robot.glb again.vox --from big.vox --quiet") == 0
    assert (here / "again.vox").read_bytes() == (here / "big.vox").read_bytes()


def test_all_methods_are_compared_on_the_same_proportions(here, capsys):
    words = "robot.glb box.glb --methods draft,plain --size 24 --report out --quiet"
    assert run(f"compare {words} --emphasize head:1.5") == 0
    report = json.loads((here / "out/report.json").read_text())
    assert report["settings"]["emphasize"] == "head:1.5"
    assert {row["mesh"] for row in report["rows"]} == {"robot"}
    assert "no neck found in box" in report["skipped"]["box"]
    assert all(row["iou"] > 0.7 for row in report["rows"])


def test_no_head_is_one_line_and_leaves_nothing(here, capsys):
    assert run("convert box.glb a.vox --emphasize head") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "no neck found in box" in lines[0]
    assert not (here / "a.vox").exists()
