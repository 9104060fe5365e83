"""Blender's block remesh, as a baseline: what an artist gets from the modifier.

Blender runs as another program, so that its own numpy cannot meet ours. It is
`blender` on the PATH, or what VOXIFY3D_BLENDER names: a Blender, or a Python with the
package bpy.
"""

import math
import os
import shutil
import subprocess
import sys
import tempfile
from array import array
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from voxify3d.color.match import nearest
from voxify3d.color.palette import extract_palette
from voxify3d.color.spaces import (
    bytes_from_oklab,
    linear_from_srgb,
    oklab_from_bytes,
    oklab_from_srgb,
)
from voxify3d.errors import MissingExtraError, VoxifyError
from voxify3d.metrics.points import closest_colors
from voxify3d.types import Material, Mesh

VARIABLE = "VOXIFY3D_BLENDER"
_SECONDS = 600

_SCRIPT = """
import sys
from array import array
import bpy

folder, depth, scale = sys.argv[-3], int(sys.argv[-2]), float(sys.argv[-1])

def read(name, kind):
    values = array(kind)
    with open(folder + "/" + name, "rb") as file:
        values.frombytes(file.read())
    return values

def write(name, values):
    with open(folder + "/" + name, "wb") as file:
        values.tofile(file)

xyz, corner = read("xyz", "f"), read("faces", "i")
mesh = bpy.data.meshes.new("input")
mesh.from_pydata(
    [xyz[i : i + 3] for i in range(0, len(xyz), 3)],
    [],
    [corner[i : i + 3] for i in range(0, len(corner), 3)],
)
thing = bpy.data.objects.new("input", mesh)
bpy.context.scene.collection.objects.link(thing)
modifier = thing.modifiers.new("blocks", "REMESH")
modifier.mode = "BLOCKS"
modifier.octree_depth = depth
modifier.scale = scale
modifier.use_remove_disconnected = False
graph = bpy.context.evaluated_depsgraph_get()
done = thing.evaluated_get(graph).to_mesh()
done.calc_loop_triangles()
write("out-xyz", array("f", [c for v in done.vertices for c in v.co]))
write("out-faces", array("i", [i for t in done.loop_triangles for i in t.vertices]))
write("out-quads", array("i", [t.polygon_index for t in done.loop_triangles]))
"""


def blender(mesh: Mesh, size: int, colors: int, seed: int = 0) -> Mesh:
    """Return the mesh after Blender's remesh modifier, in blocks.

    Blender has no colors to give; each block face takes the color of the closest
    surface point, then the nearest of a K-means palette.

    Args:
        mesh: The input.
        size: Blocks along the longest side.
        colors: Palette entries.
        seed: Of the surface points and the palette's search.

    Raises:
        MissingExtraError: No Blender on this machine.
        VoxifyError: Blender failed.
    """
    command = blender_command()
    # The octree has 2^depth cells, of which the object takes the share `scale`.
    depth = max(math.ceil(math.log2(size / 0.9)), 1)
    low, high = mesh.bounds
    middle, extent = (low + high) / 2, float((high - low).max())
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        local = (mesh.vertices - middle) / extent
        (place / "xyz").write_bytes(local.astype("<f4").tobytes())
        (place / "faces").write_bytes(mesh.faces.astype("<i4").tobytes())
        (place / "job.py").write_text(_SCRIPT, encoding="utf-8")
        words = [*command, str(place / "job.py")]
        if "--background" in command:
            words.append("--")
        words += [folder, str(depth), repr(size / 2**depth)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoxifyError(f"{command[0]}: cannot run Blender ({error})") from error
        if not (place / "out-quads").exists():
            said = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise VoxifyError(f"{command[0]}: Blender's remesh failed ({said[-1]})")
        xyz = _read(place / "out-xyz", "f").reshape(-1, 3) * extent + middle
        faces = _read(place / "out-faces", "i").reshape(-1, 3).astype(np.int64)
        quads = _read(place / "out-quads", "i").astype(np.int64)
    if not len(faces):
        raise VoxifyError(f"{mesh.name}: Blender's remesh left nothing at size {size}")
    return _colored(mesh, xyz, faces, quads, colors, seed)


def blender_command() -> list[str]:
    """Return the words that start Blender or a Python with bpy, without the script.

    Raises:
        MissingExtraError: There is neither.
    """
    named = os.environ.get(VARIABLE)
    found = named or shutil.which("blender")
    if found is None and find_spec("bpy") is not None:
        found = sys.executable
    if found is None or shutil.which(found) is None:
        what = f"{named}: no such program; " if named else ""
        raise MissingExtraError(
            f"{what}the blender baseline needs Blender: put it on the PATH, or "
            f"pip install bpy into an environment of its own and name its python in "
            f"{VARIABLE}"
        )
    if "python" in Path(found).name:
        return [found]
    return [found, "--background", "--factory-startup", "--python"]


def _read(path: Path, kind: str) -> np.ndarray:
    values = array(kind)
    values.frombytes(path.read_bytes())
    return np.array(values)


def _colored(
    mesh: Mesh,
    xyz: np.ndarray,
    faces: np.ndarray,
    quads: np.ndarray,
    colors: int,
    seed: int,
) -> Mesh:
    """Return the remeshed surface with one palette color for each block face."""
    count = int(quads.max()) + 1
    weight = np.maximum(np.bincount(quads, minlength=count), 1)
    middle = np.stack(
        [
            np.bincount(quads, xyz[faces].mean(axis=1)[:, axis], count) / weight
            for axis in range(3)
        ],
        axis=1,
    )
    lab = oklab_from_srgb(closest_colors(mesh, middle, seed).astype(np.float64))
    entries = bytes_from_oklab(
        extract_palette(lab, np.ones(len(lab)), colors, seed=seed)
    )
    chosen = nearest(lab, oklab_from_bytes(entries))[0]
    linear = linear_from_srgb(entries / 255.0)
    return Mesh(
        vertices=xyz.astype(np.float64),
        faces=faces,
        material=chosen[quads].astype(np.int64),
        part=np.zeros(len(faces), np.int64),
        materials=tuple(
            Material(f"color {k}", (float(r), float(g), float(b), 1.0))
            for k, (r, g, b) in enumerate(linear)
        ),
        name=f"{mesh.name}-blender",
    )
