"""The benchmark scripts: the mesh set, tables, and the form of the kept results."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import half_box
from voxify3d.metrics.judge import METRICS

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def common(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("common")


@pytest.fixture
def folder(tmp_path):
    entries = [
        {"file": "a/cow.obj", "front_axis": "-Z", "up_axis": "Y"},
        {"file": "tree.stl", "front_axis": "n/a", "up_axis": "Z"},
        {"file": "cake.gltf", "front_axis": "n/a", "up_axis": "Y"},
    ]
    (tmp_path / "meshes.json").write_text(json.dumps({"meshes": entries}))
    return tmp_path


def test_the_set_is_what_the_list_names_with_its_fronts(common, folder):
    found = common.mesh_set([folder])
    assert [(s.name, s.front) for s in found] == [
        ("cow", "-z"),
        ("tree", "-y"),
        ("cake", "+z"),
    ]
    assert found[0].path == (folder / "a/cow.obj").resolve()


def test_a_file_of_the_set_keeps_its_front_unless_told(common, folder):
    path = folder / "a/cow.obj"
    assert [s.front for s in common.mesh_set([path])] == ["-z"]
    assert [s.front for s in common.mesh_set([path], "+x")] == ["+x"]


def test_a_folder_without_a_list_is_refused(common, tmp_path):
    with pytest.raises(SystemExit, match=r"no meshes\.json"):
        common.mesh_set([tmp_path])


def test_tables_line_up(common):
    text = common.markdown_table(["", "plain"], [["IoU", "1"], ["tear", "**2**"]])
    assert text.splitlines() == [
        "|      | plain |",
        "| ---- | ----: |",
        "| IoU  |     1 |",
        "| tear | **2** |",
    ]


def test_records_are_json_with_one_line_for_each_row(common, tmp_path):
    record = {"a": 1, "rows": [{"x": 1}, {"x": None}], "none": []}
    common.write_json(record, tmp_path / "deep/r.json")
    text = (tmp_path / "deep/r.json").read_text()
    assert json.loads(text) == record
    assert text.count('{"x"') == 2
    assert '    {"x": null}\n' in text


@pytest.mark.slow
def test_quality_measures_and_skips(tmp_path):
    save_glb(half_box(), tmp_path / "box.glb")
    (tmp_path / "cut.glb").write_bytes(b"glTF")
    target = BENCHMARKS / "results" / "of-a-test.json"
    words = f"--sizes 5 6 --methods plain draft --without-likeness --name {target.stem}"
    meshes = ["--meshes", tmp_path / "box.glb", tmp_path / "cut.glb"]
    try:
        done = subprocess.run(
            [sys.executable, BENCHMARKS / "quality.py", *words.split(), *meshes],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        record = json.loads(target.read_text())
        assert "size 6, 8 colors" in target.with_suffix(".md").read_text()
    finally:
        target.unlink(missing_ok=True)
        target.with_suffix(".md").unlink(missing_ok=True)
    assert "mean of 1 mesh\n" in done.stdout
    assert "skipped cut: " in done.stderr
    check_form(record)
    assert [(r["size"], r["method"]) for r in record["rows"]] == [
        (5, "plain"),
        (5, "draft"),
        (6, "plain"),
        (6, "draft"),
    ]


def check_form(record):
    """What every file of quality.py has."""
    assert {"command", "commit", "voxify3d", "machine", "skipped"} <= record.keys()
    assert record["command"].startswith("python benchmarks/quality.py")
    keys = {"size", "max_colors", "method", "seconds", "memory", *METRICS}
    for mean in record["means"]:
        assert keys <= mean.keys()
    for row in record["rows"]:
        assert "error" in row or keys | {"mesh"} <= row.keys()


@pytest.mark.parametrize(
    "path", sorted((BENCHMARKS / "results").glob("quality*.json")), ids=lambda p: p.name
)
def test_kept_results_have_a_source_and_all_metrics(path):
    check_form(json.loads(path.read_text()))
    assert path.stat().st_size < 500_000
    assert str(Path.home()) not in path.read_text()
