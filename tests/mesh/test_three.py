"""Our six views against those of three.js; benchmarks/loading.py has the long list.

What hits an extension or a trap each is drawn in every run (10 s), real files in slow
ones.
"""

import numpy as np
import pytest
import pytest_socket
from gltf_cases import CASES, make_case
from three_views import agreement, job_of, our_views, three_views

from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.settings import LoadConfig

PIXELS = 64


@pytest.fixture
def loopback():
    """The browser fetches the files from this process."""
    pytest_socket.enable_socket()
    yield
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.mark.browser
def test_every_case_looks_as_in_three(tmp_path, loopback):
    paths = [make_case(name, tmp_path) for name in CASES]
    meshes = [load_mesh(path) for path in paths]
    jobs = [job_of(path, mesh) for path, mesh in zip(paths, meshes, strict=True)]
    for job, mesh, theirs in zip(jobs, meshes, three_views(jobs, PIXELS), strict=True):
        found = agreement(our_views(mesh, job, PIXELS), theirs)
        assert found.iou >= 0.99, (job.path.name, found)
        assert found.color <= 0.02, (job.path.name, found)


@pytest.mark.browser
@pytest.mark.slow
def test_clips_and_skins_look_as_in_three(shared_mesh, loopback):
    wanted = [
        ("robot-expressive.glb", None, 0.0),
        ("robot-expressive.glb", "Wave", 0.9),
        ("fox/fox.gltf", "Run", 0.5),
        ("skater-male.gltf", None, 0.0),
    ]
    jobs, meshes = [], []
    for name, clip, time in wanted:
        mesh = load_mesh(shared_mesh(name), LoadConfig(animation=clip, time=time))
        jobs.append(job_of(shared_mesh(name), mesh, clip, time))
        meshes.append(mesh)
    for job, mesh, theirs in zip(jobs, meshes, three_views(jobs, PIXELS), strict=True):
        found = agreement(our_views(mesh, job, PIXELS), theirs)
        assert found.iou >= 0.99, (job.path.name, found)
        assert found.color <= 0.02, (job.path.name, found)


@pytest.mark.browser
@pytest.mark.slow
def test_a_skinned_fbx_stands_as_in_three(shared_mesh, loopback):
    path = shared_mesh("llama.fbx")
    mesh = load_mesh(path)
    job = job_of(path, mesh)
    (theirs,) = three_views([job], PIXELS)
    # Colors are not compared: Blender writes linear ones, three.js takes them as sRGB.
    assert agreement(our_views(mesh, job, PIXELS), theirs).worst >= 0.99


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_read_without_a_note(tmp_path, name):
    mesh = load_mesh(make_case(name, tmp_path))
    assert mesh.notes == ()
    assert np.ptp(mesh.bounds, axis=0).min() > 0


def test_a_mirrored_picture_does_not_agree(tmp_path):
    path = make_case("vertex_colors", tmp_path)
    mesh = load_mesh(path)
    ours = our_views(mesh, job_of(path, mesh), 32)
    assert agreement(ours, ours).iou == 1
    assert agreement(ours, ours).color == 0
    assert agreement(ours, ours[:, :, ::-1]).color > 0.02
