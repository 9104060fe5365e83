import json
import math

import numpy as np
import pytest
from compare_maker import finish

from voxify3d import PRESETS
from voxify3d.compare import METHODS, Task, compare
from voxify3d.compare.memory import peak_memory
from voxify3d.compare.page import report_dict
from voxify3d.compare.run import best_methods, unique_names
from voxify3d.errors import ConfigError, MeshError, MissingExtraError
from voxify3d.mesh.shapes import half_box, sphere
from voxify3d.metrics import blender as blender_module
from voxify3d.metrics.judge import METRICS
from voxify3d.metrics.median import median
from voxify3d.render.mesh import frame_of


def test_every_preset_is_a_method():
    assert set(PRESETS) <= set(METHODS)
    assert {"ours", "plain", "median", "blender"} <= set(METHODS)


def test_each_mesh_meets_each_method(comparison):
    assert [(row.mesh, row.method) for row in comparison.rows] == [
        (item.name, method)
        for item in comparison.items
        for method in ("draft", "plain", "moody")
    ]
    for row in comparison.rows:
        assert bool(row.error) != bool(row.values)
        assert row.error or set(row.values) == set(METRICS)
        assert row.error or row.seconds > 0


def test_means_leave_out_meshes_on_which_a_method_failed(comparison):
    robot = {row.method: row for row in comparison.items[0].rows}
    for method, means in comparison.means().items():
        assert means["iou"] == robot[method].values["iou"]


def test_a_mesh_that_cannot_be_loaded_is_skipped_with_its_reason():
    def broken():
        raise MeshError("a.glb: is empty")

    task = Task(size=4)
    found, said = finish(
        compare(
            {"a": (broken, task), "b": (half_box, task)},
            {"plain": METHODS["plain"].make},
            with_likeness=False,
        )
    )
    assert found.skipped == {"a": "a.glb: is empty"}
    assert [item.name for item in found.items] == ["b"]
    assert said == [("a", "load"), ("b", "load"), ("b", "plain")]


def test_the_record_is_json_without_nan(comparison):
    text = json.dumps(report_dict(comparison, {"size": 8}), allow_nan=False)
    record = json.loads(text)
    assert record["settings"] == {"size": 8}
    assert len(record["rows"]) == 6
    assert record["rows"][0]["likeness"] is None
    assert record["rows"][-1]["error"] == "not today <b>"


def test_best_is_what_the_table_shows():
    nan = math.nan
    assert best_methods({"a": 0.9001, "b": 0.9, "c": 0.8}, "iou") == {"a", "b"}
    assert best_methods({"a": 1.0, "b": 2.0, "c": nan}, "color_error") == {"a"}
    assert best_methods({"a": 1.0, "b": 1.0}, "iou") == set()
    assert best_methods({"a": 1.0, "b": 2.0}, "voxels") == set()
    assert best_methods({"a": nan, "b": nan}, "iou") == set()


def test_names_are_short_and_unique(tmp_path):
    paths = [tmp_path / name for name in ("a/cow.obj", "b/cow.obj", "fox.glb")]
    assert unique_names(paths) == ["a/cow.obj", "b/cow.obj", "fox"]
    assert len(set(unique_names([paths[0], paths[0]]))) == 2


def test_memory_is_that_of_the_block():
    with peak_memory() as before:
        pass
    with peak_memory() as within:
        np.ones(20_000_000)
    if math.isnan(before.megabytes):
        pytest.skip("no /proc")
    assert within.megabytes > before.megabytes + 100


# Baselines ----------------------------------------------------------------------


def test_the_median_of_a_two_colored_box_has_its_two_colors():
    mesh = half_box()
    frame = frame_of(mesh, 8)
    grid = median(mesh, frame, 2)
    assert grid.occupied.all()
    assert len(np.unique(grid.index)) == 2
    halves = grid.index[:4], grid.index[4:]
    assert all(len(np.unique(half)) == 1 for half in halves)


def test_the_median_of_a_ball_is_a_ball():
    frame = frame_of(sphere(), 12)
    occupied = median(sphere(), frame, 4).occupied
    assert not occupied[0, 0, 0]
    assert occupied[6, 6, 6]
    np.testing.assert_allclose(occupied.mean(), np.pi / 6, atol=0.06)


def test_without_blender_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.delenv(blender_module.VARIABLE, raising=False)
    monkeypatch.setattr(blender_module.shutil, "which", lambda name: None)
    monkeypatch.setattr(blender_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"needs Blender.*VOXIFY3D_BLENDER"):
        METHODS["blender"].make(half_box(), Task(size=8))
    monkeypatch.setenv(blender_module.VARIABLE, "/nowhere/blender")
    with pytest.raises(MissingExtraError, match=r"/nowhere/blender: no such program"):
        METHODS["blender"].make(half_box(), Task(size=8))


@pytest.mark.slow
def test_blender_fills_the_box():
    try:
        blender_module.blender_command()
    except MissingExtraError as error:
        pytest.skip(str(error))
    result = METHODS["blender"].make(half_box(), Task(size=8, colors=2))
    low, high = half_box().bounds
    np.testing.assert_allclose(result.bounds, [low, high], atol=(high - low).max() / 8)


def test_a_task_out_of_range_is_refused_by_our_methods():
    with pytest.raises(ConfigError, match="--size"):
        METHODS["draft"].make(half_box(), Task(size=0))
