"""Many triangles, far away, and many times."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gltf_cases import instances
from gltf_maker import Maker

from voxify3d.mesh.load import load_mesh
from voxify3d.render.mesh import frame_of, render_mesh

GIGABYTE = 1 << 30

_MEASURE = """
import resource, sys, time
from voxify3d.mesh.load import load_mesh
from voxify3d.render.mesh import frame_of, render_mesh
start = time.process_time()
mesh = load_mesh(sys.argv[1])
render_mesh(mesh, frame_of(mesh, 40), samples=8)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(len(mesh.faces), time.process_time() - start, peak)
"""


def sheet(path: Path, side: int) -> Path:
    """Write a wavy sheet of 2 side² triangles."""
    y, x = np.mgrid[: side + 1, : side + 1] / side
    points = np.stack([x, 0.1 * np.sin(9 * x) * np.cos(7 * y), y], axis=-1)
    corner = np.arange((side + 1) ** 2).reshape(side + 1, side + 1)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    maker = Maker()
    primitive = maker.triangle(points.reshape(-1, 3))
    indices = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 1)
    primitive["indices"] = maker.accessor(indices, "u4")
    return maker.glb(path)


@pytest.mark.slow
@pytest.mark.parametrize("side", [550, 1600])  # 605 k and 5.1 M triangles
def test_large_meshes_need_little_time_and_memory(tmp_path, side):
    path = sheet(tmp_path / "a.glb", side)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    faces, seconds, peak = map(float, done.stdout.split())
    assert faces == 2 * side * side
    assert seconds < 60
    assert peak < 4 * GIGABYTE


def test_the_peak_is_measured_in_the_unit_that_is_meant():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 0.05 * GIGABYTE < peak < 20 * GIGABYTE


def test_500_instances_are_500_copies(tmp_path):
    maker = instances(500)
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert len(mesh.faces) == 500 * 6
    renders = render_mesh(mesh, frame_of(mesh, 24), samples=2)
    assert all(render.hit.any() for render in renders)


@pytest.mark.parametrize("offset", [3e6, -7.5e6])
def test_coordinates_of_millions_keep_their_precision(tmp_path, offset):
    # A staircase of 0.25 units a step, in a file whose node stands far away.
    maker = Maker()
    steps = np.arange(16)[:, None, None]
    tread = np.array([[0, 0, 0], [0.25, 0, 0], [0.25, 0, 4], [0, 0, 4]])
    points = tread + steps * [0.25, 0.25, 0]
    primitive = maker.triangle(points.reshape(-1, 3))
    corners = 4 * np.arange(16)[:, None] + [0, 1, 2, 0, 2, 3]
    primitive["indices"] = maker.accessor(corners.reshape(-1, 1), "u4")
    near = load_mesh(maker.glb(tmp_path / "near.glb"))
    maker.document["nodes"][0]["translation"] = [offset, offset, -offset]
    far = load_mesh(maker.glb(tmp_path / "far.glb"))
    np.testing.assert_array_equal(
        np.ptp(far.bounds, axis=0), np.ptp(near.bounds, axis=0)
    )
    for one, other in zip(
        render_mesh(near, frame_of(near, 16), 4),
        render_mesh(far, frame_of(far, 16), 4),
        strict=True,
    ):
        np.testing.assert_array_equal(one.hit, other.hit)
        np.testing.assert_allclose(one.depth, other.depth, atol=1e-4)
