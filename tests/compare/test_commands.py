"""`voxify3d evaluate` and `voxify3d compare`: exit codes, messages and files."""

import json
import re
from dataclasses import replace

import pytest
from compare_maker import SIZE

from voxify3d.cli.evaluate import table
from voxify3d.cli.main import main
from voxify3d.mesh.orient import upright_from_file
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.metrics.judge import METRICS


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "cut.vox").write_bytes((folder / "robot.vox").read_bytes()[:60])
    (tmp_path / "text.glb").write_text("no mesh")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/report.html").write_text("old")
    monkeypatch.chdir(tmp_path)
    return tmp_path


REFUSED = [
    ("evaluate", 2, "MESH|RESULT|required|missing"),
    ("evaluate robot.glb", 2, "RESULT"),
    ("evaluate gone.glb robot.vox", 3, "gone.glb"),
    ("evaluate robot.glb gone.vox", 3, "gone.vox"),
    ("evaluate robot.glb cut.vox", 3, "cut.vox"),
    ("evaluate robot.glb text.glb", 3, "text.glb"),
    ("evaluate robot.glb theirs.obj", 2, "--size"),
    ("evaluate robot.glb theirs.obj --size 0", 2, "--size must be 1 to 1024, got 0"),
    ("compare --report out", 2, "at least one mesh|MESHES"),
    ("compare robot.glb", 2, "--report"),
    ("compare robot.glb --report out --methods magic", 2, "'magic'.*ours.*plain"),
    ("compare robot.glb --report out --methods plain,plain", 2, "named twice"),
    ("compare robot.glb --report out --methods ,", 2, "at least one"),
    ("compare robot.glb --report out --size 0", 2, "--size"),
    ("compare robot.glb --report out --colors 1", 2, "--colors"),
    ("compare robot.glb --report out --pixels 4", 2, "--pixels"),
    ("compare robot.glb --report out --add theirs", 2, "NAME=PATH.*'theirs'"),
    ("compare robot.glb --report out --add input=a.obj", 2, "taken"),
    ("compare robot.glb --report full", 1, r"report\.html.*--force"),
    ("compare robot.glb --report robot.glb", 1, "robot.glb.*another --report"),
    ("compare text.glb --report out --methods plain", 3, "none of the meshes"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSED)
def test_mistakes_are_one_line(words, code, message, here, capsys):
    assert main(words.split()) == code
    lines = [
        line
        for line in capsys.readouterr().err.splitlines()
        if not line.startswith("warning: ")
    ]
    assert len(lines) == 1
    assert re.search(message, lines[0])
    assert not list(here.glob("out/*"))


def test_evaluate_prints_a_table(here, capsys):
    assert main(["evaluate", "robot.glb", "robot.vox", "ours.glb"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(METRICS)
    assert "robot.vox" in lines[0]
    for line, metric in zip(lines[1:], METRICS.values(), strict=True):
        assert line.startswith(metric.label)


def test_evaluate_says_the_same_of_the_same_voxels(here, capsys):
    assert main(["evaluate", "robot.glb", "robot.vox", "ours.glb", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["grid"][1] == SIZE
    first, second = report["results"]
    assert first.pop("path") == "robot.vox"
    assert second.pop("path") == "ours.glb"
    assert first.keys() == METRICS.keys()
    assert first == pytest.approx(second, abs=1e-6, nan_ok=True)
    assert first["iou"] > 0.8


def test_evaluate_warns_of_results_that_lie_elsewhere(here, capsys):
    text = (here / "theirs.obj").read_text()
    moved = re.sub(r"v (\S+)", lambda m: f"v {float(m[1]) + 9}", text)
    (here / "moved.obj").write_text(moved)
    assert main(["evaluate", "robot.glb", "moved.obj", "--size", "8"]) == 0
    assert "moved.obj: does not lie where the mesh does" in capsys.readouterr().err


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A mesh lying on its back, and results of several ways to read it."""
    place = tmp_path_factory.mktemp("lying")
    mesh = sample_character()
    back = replace(mesh, vertices=mesh.vertices @ upright_from_file("+z"))
    save_glb(back, place / "lying.glb")
    for name, *options in [
        ("lying.vox", "--up", "+z"),
        ("lying-voxels.glb", "--up", "+z", "--allow-missing-textures"),
        ("mirrored.vox", "--up", "+z", "--front", "-y"),
        ("flat.vox",),
    ]:
        words = ["--preset", "draft", "--size", "10", "--quiet", *options]
        out = str(place / name)
        assert main(["convert", str(place / "lying.glb"), out, *words]) == 0
    return place


@pytest.fixture
def lying(results, monkeypatch):
    monkeypatch.chdir(results)


def scores(capsys, *words):
    capsys.readouterr()
    assert main(["evaluate", *words, "--json"]) == 0
    said = capsys.readouterr()
    assert "lie where" not in said.err
    return [found["iou"] for found in json.loads(said.out)["results"]]


def test_evaluate_reads_the_mesh_as_the_results_did(lying, capsys):
    upright = scores(capsys, "lying.glb", "lying.vox", "lying-voxels.glb")
    assert min(upright) > 0.8
    assert upright[0] == pytest.approx(upright[1])
    assert scores(capsys, "lying.glb", "flat.vox")[0] > 0.8
    assert scores(capsys, "lying.glb", "mirrored.vox")[0] > 0.8
    assert scores(capsys, "lying.glb", "lying.vox", "--front", "-y")[0] > 0.8


def test_options_of_evaluate_go_before_what_results_say(lying, capsys):
    words = ["lying.glb", "lying.vox", "--json", "--up"]
    capsys.readouterr()
    assert main(["evaluate", *words, "-z"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["iou"] < 0.6


def test_results_of_two_ways_to_read_a_mesh_are_refused(lying, capsys):
    capsys.readouterr()
    assert main(["evaluate", "lying.glb", "lying.vox", "flat.vox"]) == 2
    assert "lying.vox and flat.vox" in (said := capsys.readouterr().err)
    assert "(up +z and None)" in said


def test_compare_reads_a_mesh_as_added_results_did(lying, capsys, tmp_path):
    words = (
        "compare lying.glb --methods plain --add theirs={stem}.vox --size 10 "
        "--pixels 64 --json --report"
    )
    capsys.readouterr()
    assert main([*words.split(), str(tmp_path / "out")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["method"] for row in rows] == ["plain", "theirs"]
    assert rows[1]["iou"] > 0.8


def test_the_best_of_a_table_has_a_star():
    rows = table(["a", "b"], [dict.fromkeys(METRICS, v) for v in (0.5, 0.25)])
    lines = {line.split("  ")[0]: line for line in rows.splitlines()}
    assert "0.500*" in lines["IoU"]
    assert "0.25*" in lines["color error"]
    assert "*" not in lines["colors"]


def test_compare_writes_a_report(here, capsys):
    words = (
        "compare robot.glb box.glb text.glb --methods draft,plain --size 8 --pixels 64 "
        "--add theirs={stem}.obj --report out/deep --vote"
    )
    (here / "theirs.obj").rename(here / "robot.obj")
    assert main(words.split()) == 0
    said = capsys.readouterr()
    names = ["report.json", "report.html", "vote.html"]
    assert said.out.split() == [f"out/deep/{name}" for name in names]
    assert "skipped text" in said.err
    assert "theirs failed on box: box.obj" in said.err
    report = json.loads((here / "out/deep/report.json").read_text())
    assert report["settings"]["size"] == 8
    assert {"voxify3d", "numpy", "python"} <= report["settings"].keys()
    assert report["methods"] == ["draft", "plain", "theirs"]
    assert len(report["rows"]) == 6
    assert (here / "out/deep/vote.html").stat().st_size > 10_000
    assert main(words.split()) == 1  # nothing is overwritten unasked


def test_compare_prints_what_it_wrote(here, capsys):
    words = "compare box.glb --methods plain --size 6 --pixels 64 --report out --json"
    assert main(words.split()) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads((here / "out/report.json").read_text())


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_help_has_examples(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"voxify3d {command} " in capsys.readouterr().out
