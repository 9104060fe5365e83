"""Damaged files: only our errors, whatever is changed, soon, and in little memory.

The slow tests make 2,280 mutations of real files, those of test_usd.py 180 more.
"""

import contextlib
import copy
import io
import json
import math
import re
import resource
import struct
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from gltf_maker import Maker

from voxify3d.compare.memory import peak_memory
from voxify3d.errors import MeshError
from voxify3d.mesh import shapes
from voxify3d.mesh.gltf_document import document_from_bytes
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.save import glb_bytes

ODD = [
    None, -1, 0, 1, 2, 7, 255, 10**9, 10**12, 2**63, 1e308, float("nan"), float("inf"),
    -1.5, "", "x", "../x", [], {}, [1], [[]], {"a": 1}, True, 5126, "VEC3", "MAT4",
]  # fmt: skip

REAL = [
    "toy-robot/toy-robot.glb",
    "birthday-cake.gltf",
    "skater-male.gltf",
    "fox/fox.gltf",
    "bridge-garden.glb",
    "robot-expressive.glb",
    "kenney-tree.stl",
    "crab.ply",
    "penguin.obj",
]


def text_mesh():
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt 1 1\n"
    return (corners + "usemtl a\nf 1/1 2/2 3/1\nf -4 -3 -1 -2\n" * 9).encode()


def ply_mesh():
    return (
        b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        b"property float z\nproperty uchar red\nproperty uchar green\n"
        b"property uchar blue\nelement face 1\n"
        b"property list uchar int vertex_indices\nend_header\n"
        b"0 0 0 1 2 3\n1 0 0 4 5 6\n0 1 0 7 8 9\n3 0 1 2\n"
    )


def skinned_mesh():
    """A file with a skin, a texture, instances and a sparse accessor."""
    maker = Maker()
    maker.textured([[[10, 20, 30]]], [[0, 0], [1, 0], [0, 1]])
    primitive = maker.triangle(
        JOINTS_0=maker.accessor([[0, 0, 0, 0]] * 3, "u1"),
        WEIGHTS_0=maker.accessor([[1, 0, 0, 0]] * 3),
        COLOR_0=maker.accessor([[255, 9, 9, 255]] * 3, "u1", normalized=True),
    )
    primitive["indices"] = maker.accessor([0, 1, 2], "u2")
    maker.document["nodes"][1]["skin"] = maker.add("skins", {"joints": [0]})
    attributes = {"TRANSLATION": maker.accessor([[0, 0, 0], [1, 1, 1]])}
    instances = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    maker.document["nodes"][0]["extensions"] = instances
    maker.document["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": maker.view(b"\1\0\0\0"), "componentType": 5125},
        "values": {"bufferView": maker.view(struct.pack("<3f", 2, 0, 0))},
    }
    return maker


def mutated(data, random):
    """Cut, scatter bytes, take a stretch out, or change digits."""
    out = bytearray(data)
    kind = random.integers(4)
    if kind == 0:
        return bytes(out[: random.integers(len(out))])
    if kind == 1:
        for _ in range(random.integers(1, 20)):
            out[random.integers(len(out))] = random.integers(256)
    if kind == 2:
        start, end = sorted(random.integers(len(out), size=2))
        del out[start:end]
    if kind == 3:
        digits = [found.start() for found in re.finditer(rb"\d", out[:20_000])]
        for place in random.choice(digits or [0], 5):
            out[place] = 48 + random.integers(10)
    return bytes(out)


def places(value, above=()):
    """Yield the way to every value of a JSON document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value[:12])
    for key, inner in entries:
        yield (*above, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*above, key))


def with_odd_value(document, random):
    document = copy.deepcopy(document)
    ways = list(places(document))
    way = ways[random.integers(len(ways))]
    holder = document
    for key in way[:-1]:
        holder = holder[key]
    if random.random() < 0.2:
        del holder[way[-1]]
    else:
        holder[way[-1]] = ODD[random.integers(len(ODD))]
    return document


def packed(document, binary):
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    if binary is not None:
        body += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


MOST_MEGABYTES = 2048


def resident():
    """Memory of this process in MB, or NaN."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / (1 << 20)
    return math.nan


def most_of_a_child():
    """Most memory that a process started by this one ever had, MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def survives(path, data):
    path.write_bytes(data)
    message = path.name
    before, others = resident(), most_of_a_child()
    start = time.perf_counter()
    with peak_memory() as memory:
        try:
            load_mesh(path, allow_missing_textures=True)
        except MeshError as error:
            message = str(error)
    assert "\n" not in message
    assert path.name in message
    assert time.perf_counter() - start < 10
    assert not memory.megabytes - before > MOST_MEGABYTES  # NaN where not measured
    assert most_of_a_child() <= max(others, MOST_MEGABYTES)


def notices_what_is_large(path):
    """Whether a large mesh uses more memory than a limit that a small one keeps."""
    globals()["MOST_MEGABYTES"] = 40
    survives(path, text_mesh())
    try:
        survives(path, b"v 0 0 0\nv 1 0 0\nv 0 1 0\n" + b"f 1 2 3\n" * 400_000)
    except AssertionError:
        return True
    return False


@pytest.mark.skipif(math.isnan(resident()), reason="needs /proc/self/statm")
def test_memory_beyond_the_limit_is_noticed(tmp_path):
    # In a process of its own: this one may hold what other tests have freed.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(notices_what_is_large, tmp_path / "a.obj").result()


def zipped_mesh():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/mesh.obj", text_mesh())
    return buffer.getvalue()


def printed_mesh():
    """A .3mf of one triangle."""
    text = (
        '<model xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">'
        '<resources><object id="1"><mesh><vertices><vertex x="0" y="0" z="0"/>'
        '<vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="0"/></vertices><triangles>'
        '<triangle v1="0" v2="1" v3="2"/></triangles></mesh></object></resources>'
        '<build><item objectid="1"/></build></model>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("3D/3dmodel.model", text)
    return buffer.getvalue()


def stl_mesh():
    return bytes(80) + struct.pack("<I", 2) + struct.pack("<12fH", *range(12), 0) * 2


SEEDS = {
    "a.3mf": printed_mesh,
    "a.off": lambda: b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 255 9 9\n",
    "a.stl": stl_mesh,
    "a.zip": zipped_mesh,
    "a.obj": text_mesh,
    "a.ply": ply_mesh,
    "a.glb": lambda: glb_bytes(shapes.half_box()),
    "skinned.glb": lambda: packed(skinned_mesh().document, b"\0" * 999),
}


@pytest.mark.parametrize("name", SEEDS)
def test_changed_bytes_give_a_mesh_or_our_error(name, tmp_path):
    random = np.random.default_rng(1)
    data = SEEDS[name]()
    for _ in range(60):
        survives(tmp_path / name, mutated(data, random))


def test_changed_documents_give_a_mesh_or_our_error(tmp_path):
    random = np.random.default_rng(2)
    data = skinned_mesh().glb(tmp_path / "a.glb").read_bytes()
    assert len(load_mesh(tmp_path / "a.glb").faces) == 3
    document, binary = document_from_bytes(data, "a.glb")
    for _ in range(400):
        survives(tmp_path / "b.glb", packed(with_odd_value(document, random), binary))


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_changed_bytes_of_real_files_give_a_mesh_or_our_error(
    name, shared_mesh, tmp_path
):
    random = np.random.default_rng(3)
    source = shared_mesh(name)
    data = source.read_bytes()
    for _ in range(150):
        survives(tmp_path / source.name, mutated(data, random))


@pytest.mark.slow
def test_changed_bytes_of_an_fbx_give_a_mesh_or_our_error(shared_mesh, tmp_path):
    random = np.random.default_rng(6)
    data = shared_mesh("llama.fbx").read_bytes()
    for _ in range(30):
        survives(tmp_path / "llama.fbx", mutated(data, random))


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL[:6])
def test_changed_documents_of_real_files_give_a_mesh_or_our_error(
    name, shared_mesh, tmp_path
):
    random = np.random.default_rng(4)
    source = shared_mesh(name)
    document, binary = document_from_bytes(source.read_bytes(), source.name)
    document.pop("animations", None)
    for extra in source.parent.glob("*.bin"):
        (tmp_path / extra.name).write_bytes(extra.read_bytes())
    for _ in range(150):
        data = packed(with_odd_value(document, random), binary)
        survives(tmp_path / source.name, data)
