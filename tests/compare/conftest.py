"""Two small meshes with results of several kinds, and a quick comparison."""

import dataclasses

import numpy as np
import pytest
from compare_maker import SIZE, finish

from voxify3d import PRESETS, voxelize
from voxify3d.compare import METHODS, Task, compare
from voxify3d.export import export
from voxify3d.manifest import make_manifest
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import half_box


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """robot.glb, its results robot.vox and ours.glb, and a foreign theirs.obj."""
    place = tmp_path_factory.mktemp("compare")
    mesh = sample_character()
    save_glb(mesh, place / "robot.glb")
    save_glb(half_box(), place / "box.glb")
    config = dataclasses.replace(PRESETS["draft"], size=SIZE)
    grid = dataclasses.replace(
        voxelize(mesh, config),
        name="robot",
        manifest=make_manifest(config, place / "robot.glb"),
    )
    export(grid, place / "robot.vox")
    export(grid, place / "ours.glb")
    low, high = mesh.bounds
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    (place / "theirs.obj").write_text("\n".join([*lines, *_HULL]) + "\n")
    return place


_HULL = [
    "f 1 2 4 3", "f 5 7 8 6", "f 1 5 6 2", "f 3 4 8 7", "f 1 3 7 5", "f 2 6 8 4",
]  # fmt: skip


@pytest.fixture(scope="session")
def comparison():
    """Two meshes, two methods that work and one that fails on the second mesh."""

    def moody(mesh, task):
        if mesh.name == half_box().name:
            from voxify3d.errors import VoxifyError

            raise VoxifyError("not today <b>")
        return METHODS["draft"].make(mesh, task)

    task = Task(size=8, colors=4)
    meshes = {
        "robot": (sample_character, task),
        "<script>alert(1)</script>": (half_box, task),
    }
    methods = {
        "draft": METHODS["draft"].make,
        "plain": METHODS["plain"].make,
        "moody": moody,
    }
    return finish(compare(meshes, methods, with_likeness=False))[0]
