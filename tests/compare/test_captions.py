"""The paper's score beside the other numbers, with a toy CLIP."""

import json

import pytest
from tiny_clip import save_tiny_clip

from voxify3d.cli.main import main
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import six_colored_tripod


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "voxify3d[clip]"')
    return str(save_tiny_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_glb(six_colored_tripod(), tmp_path / "tripod.glb")
    return tmp_path


COMPARE = "compare tripod.glb --methods draft,plain --size 8 --report out --quiet"


def score(capsys, clip, file, prompt):
    assert main(["score", file, "--prompt", prompt, "--clip", clip, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["results"][0]["score"]


def test_evaluate_gives_the_score_that_score_gives(here, clip, capsys):
    words = ["evaluate", "tripod.glb", "tripod.glb", "--size", "8", "--clip", clip]
    assert main([*words, "--prompt", "a cat", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["results"]
    expected = score(capsys, clip, "tripod.glb", "a cat")
    assert found["score"] == pytest.approx(expected, abs=1e-3)
    assert main([*words, "--prompt", "a cat"]) == 0
    assert "paper's score" in capsys.readouterr().out
    assert main(words) == 0
    assert "paper's score" not in capsys.readouterr().out


def test_a_comparison_has_a_row_for_the_score(here, clip):
    (here / "prompts.tsv").write_text("tripod\ta cat\n")
    words = [*COMPARE.split(), "--prompts", "prompts.tsv", "--clip", clip]
    assert main(words) == 0
    report = json.loads((here / "out/report.json").read_text())
    for row in report["rows"]:
        assert report["means"][row["method"]]["score"] == pytest.approx(row["score"])
    assert "paper&#x27;s score" in (here / "out/report.html").read_text()
    assert main([*COMPARE.split(), "--force"]) == 0
    assert "paper&#x27;s score" not in (here / "out/report.html").read_text()


def test_prompts_without_clip_or_for_other_meshes_are_one_line(here, capsys):
    (here / "prompts.tsv").write_text("dog\ta dog\n")
    assert main([*COMPARE.split(), "--prompts", "prompts.tsv"]) == 2
    assert "no prompt for 'tripod'" in capsys.readouterr().err
    (here / "prompts.tsv").write_text("tripod\ta cat\n")
    (here / "nothing").mkdir()
    words = [*COMPARE.split(), "--force", "--prompts", "prompts.tsv"]
    assert main([*words, "--clip", str(here / "nothing")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
