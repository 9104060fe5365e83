"""Binary glTF 2.0 (`.glb`): the surface, exactly where the input mesh was.

Faces are culled and merged by color; every rectangle has four vertices of its own,
so normals stay flat. Colors come from a palette texture of one row, sampled nearest
at texel centers: exact in every viewer, where vertex colors are not.

Vertices are small numbers relative to the grid's corner, which the node's translation
holds: world coordinates in the millions keep their precision. `q` is the number of
rectangles, `v` that of vertices.
"""

import io
import json
import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int, UInt, UInt8
from PIL import Image

from voxify3d.errors import ExportError, MeshError
from voxify3d.export.record import about_of, frame_of, json_bytes, record_of
from voxify3d.types import Mesh, Palette, VoxelGrid
from voxify3d.voxels.surface import Quads, greedy_quads

_FLOAT, _USHORT, _UINT = 5126, 5123, 5125
_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963
_NEAREST, _CLAMP = 9728, 33071
_MAX_CELLS = 2**30
_RESTART = 65535
"""glTF keeps the largest value of an index type free."""


def glb_bytes(grid: VoxelGrid, mesh: Mesh | None = None) -> bytes:
    """Return the grid's surface as a `.glb` file in the frame of the input mesh.

    Args:
        grid: What to write; at least one voxel.
        mesh: Ignored.

    Raises:
        ExportError: Coordinates beyond single precision, which glTF prescribes.
    """
    del mesh
    quads = greedy_quads(grid.index)
    texels = _texels(grid.palette)
    position = _positions(quads, grid.frame.cell)
    triangles = _triangles(quads)
    views, binary = _packed(
        [
            (position.tobytes(), _ARRAY_BUFFER),
            (_normals(quads).tobytes(), _ARRAY_BUFFER),
            (_uvs(quads, len(texels)).tobytes(), _ARRAY_BUFFER),
            (triangles.tobytes(), _ELEMENT_BUFFER),
            (_png(texels), None),
        ]
    )
    document = _document(grid) | {
        "accessors": _accessors(position, triangles),
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    return _container(json_bytes(document), binary)


def grid_from_glb(path: str | Path) -> VoxelGrid:
    """Return the grid of a `.glb` file that `glb_bytes` wrote.

    Voxels no side of which is seen take the color of the voxel before them along x.

    Raises:
        MeshError: Not such a file, or damaged.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeshError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return _parse(data, path)
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        OverflowError,
        RecursionError,
        struct.error,
        OSError,  # what Pillow raises for a damaged picture
        SyntaxError,  # likewise
        Image.DecompressionBombError,
    ) as error:
        raise MeshError(
            f"{path}: not a .glb written by voxify3d ({error!r:.120}); export it again"
        ) from error


def _positions(quads: Quads, cell: float) -> Float32[np.ndarray, "v 3"]:
    """Return four vertices for each rectangle, relative to the grid's corner.

    Raises:
        ExportError: They are too large or too small for single precision.
    """
    with np.errstate(over="ignore"):
        position = (quads.corners().reshape(-1, 3) * cell).astype(np.float32)
    if not np.isfinite(position).all() or not np.ptp(position, axis=0).all():
        raise ExportError(
            f"a voxel of {cell:g} units is beyond what glTF can hold; scale the mesh"
        )
    return position


def _normals(quads: Quads) -> Float32[np.ndarray, "v 3"]:
    return np.repeat(quads.normals().astype(np.float32), 4, axis=0)


def _uvs(quads: Quads, width: int) -> Float32[np.ndarray, "v 2"]:
    """Return the center of each vertex's texel, of `width` in one row."""
    uv = np.full((4 * len(quads), 2), 0.5, np.float32)
    uv[:, 0] = np.repeat((quads.index - 0.5) / width, 4)
    return uv


def _triangles(quads: Quads) -> UInt[np.ndarray, "q 6"]:
    """Return the two triangles of each rectangle, as small as the numbers allow."""
    small = 4 * len(quads) <= _RESTART
    first = 4 * np.arange(len(quads), dtype=np.uint16 if small else np.uint32)
    return first[:, None] + np.array([0, 1, 2, 0, 2, 3], first.dtype)


def _packed(parts: list[tuple[bytes, int | None]]) -> tuple[list[dict], bytearray]:
    """Return the views of data with their targets, and the buffer they look at."""
    views, binary = [], bytearray()
    for data, target in parts:
        view = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)}
        views.append(view if target is None else view | {"target": target})
        binary += data + bytes(-len(data) % 4)
    return views, binary


def _document(grid: VoxelGrid) -> dict:
    """Return what the file says, apart from where its numbers lie.

    The views are those of positions, normals, coordinates, triangles and the texture.
    """
    return {
        "asset": {
            "version": "2.0",
            "generator": "voxify3d",
            "extras": {"voxify3d": record_of(grid)},
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {
                "name": grid.name,
                "mesh": 0,
                "translation": [float(value) for value in grid.frame.origin],
            }
        ],
        "meshes": [
            {
                "name": grid.name,
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2},
                        "indices": 3,
                        "material": 0,
                    }
                ],
            }
        ],
        "materials": [
            {
                "name": "palette",
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
            }
        ],
        "textures": [{"sampler": 0, "source": 0}],
        "images": [{"name": "palette", "bufferView": 4, "mimeType": "image/png"}],
        "samplers": [
            {
                "magFilter": _NEAREST,
                "minFilter": _NEAREST,
                "wrapS": _CLAMP,
                "wrapT": _CLAMP,
            }
        ],
    }


def _accessors(
    position: Float32[np.ndarray, "v 3"], triangles: UInt[np.ndarray, "q 6"]
) -> list[dict]:
    """Return the accessors of positions, normals, coordinates and triangles."""
    count = len(position)
    index = _USHORT if triangles.dtype == np.uint16 else _UINT
    bounds = {
        "min": position.min(axis=0).tolist(),
        "max": position.max(axis=0).tolist(),
    }
    return [
        _accessor(0, _FLOAT, count, "VEC3") | bounds,
        _accessor(1, _FLOAT, count, "VEC3"),
        _accessor(2, _FLOAT, count, "VEC2"),
        _accessor(3, index, triangles.size, "SCALAR"),
    ]


def _accessor(view: int, component: int, count: int, kind: str) -> dict:
    return {
        "bufferView": view,
        "componentType": component,
        "count": count,
        "type": kind,
    }


def _texels(palette: Palette) -> UInt8[np.ndarray, "n 3"]:
    """Return the palette, its last color repeated up to a power of two.

    Other widths make the validator warn of old viewers; the repeated color adds none.
    """
    colors = len(palette)
    width = 1 << (colors - 1).bit_length()
    return palette.rgb[np.minimum(np.arange(width), colors - 1)]


def _png(texels: UInt8[np.ndarray, "n 3"]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(texels[None]).save(file, "png")
    return file.getvalue()


def _container(text: bytes, binary: bytearray) -> bytes:
    """Return JSON and the buffer as one binary file.

    Raises:
        ExportError: It would be larger than its header can say.
    """
    text += b" " * (-len(text) % 4)
    size = 12 + 8 + len(text) + 8 + len(binary)
    if size >= 2**32:
        raise ExportError(f"the .glb would have {size:,} bytes; at most 4 GiB can be")
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, size),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(binary), b"BIN\0"),
            binary,
        ]
    )


def _parse(data: bytes, path: Path) -> VoxelGrid:
    magic, version, _ = struct.unpack_from("<4sII", data)
    length, kind = struct.unpack_from("<I4s", data, 12)
    if (magic, version, kind) != (b"glTF", 2, b"JSON"):
        raise ValueError("it does not start as binary glTF 2.0")
    document = json.loads(data[20 : 20 + length])
    record = document["asset"]["extras"]["voxify3d"]
    frame = frame_of(record, str(path))
    if np.prod(np.array(frame.shape, float)) > _MAX_CELLS:
        raise ValueError(f"a grid of {frame.shape} is too large")
    start = 20 + length + 8
    views = [
        data[start + view["byteOffset"] :][: view["byteLength"]]
        for view in document["bufferViews"]
    ]
    position = np.frombuffer(views[0], "<f4").reshape(-1, 4, 3).astype(np.float64)
    normal = np.frombuffer(views[1], "<f4").reshape(-1, 4, 3)[:, 0]
    uv = np.frombuffer(views[2], "<f4").reshape(-1, 4, 2)[:, 0]
    rgb = np.asarray(Image.open(io.BytesIO(views[4])).convert("RGB"))[0]
    corners = np.rint(position / frame.cell).astype(np.int64)
    if not len(corners) == len(normal) == len(uv):
        raise ValueError("its arrays differ in length")
    if (corners < 0).any() or (corners > frame.shape).any():
        raise ValueError("a face outside the grid its frame describes")
    color = np.rint(uv[:, 0].astype(np.float64) * len(rgb) + 0.5).astype(np.int64)
    palette = rgb[: int(record["colors"])]
    if (color < 1).any() or (color > len(palette)).any():
        raise ValueError("a color outside its palette")
    index = _index_from_faces(
        corners.min(axis=1), corners.max(axis=1), normal, color, frame.shape
    )
    about = about_of(record, path.stem)
    return VoxelGrid(index, Palette(palette.copy()), frame, **about)


def _index_from_faces(
    low: Int[np.ndarray, "q 3"],
    high: Int[np.ndarray, "q 3"],
    normal: np.ndarray,
    color: Int[np.ndarray, " q"],
    shape: tuple[int, int, int],
) -> UInt8[np.ndarray, "x y z"]:
    """Return voxels from the rectangles around them: fill along x, then color."""
    change = np.zeros((shape[0] + 1, *shape[1:]), np.int8)
    seen = np.zeros(shape, np.uint8)
    axis = np.abs(normal).argmax(axis=1)
    outward = np.sign(normal[np.arange(len(axis)), axis]).astype(np.int64)
    for q in range(len(low)):
        a, (x, y, z), (u, v, w) = axis[q], low[q], high[q]
        if a == 0:
            change[x, y:v, z:w] -= outward[q]
        # The cells on the inner side of the rectangle.
        first, last = [x, y, z], [u, v, w]
        first[a] -= outward[q] > 0
        last[a] = first[a] + 1
        if first[a] < 0:
            raise ValueError("a face that bounds no voxel")
        seen[first[0] : last[0], first[1] : last[1], first[2] : last[2]] = color[q]
    occupied = np.cumsum(change, axis=0, dtype=np.int8)[:-1] > 0
    # Each voxel takes the color of the last seen one up to it along x.
    source = np.where(seen > 0, np.arange(shape[0])[:, None, None], 0)
    np.maximum.accumulate(source, axis=0, out=source)
    index = np.take_along_axis(seen, source, axis=0)
    return np.where(occupied, index, 0).astype(np.uint8)
