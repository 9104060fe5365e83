"""MagicaVoxel `.vox`, version 150, with a scene graph.

In a file z is up, x runs right as the front is seen and y runs away from the viewer,
so the front faces -y. A scene node places the *center* of a model, floor(size / 2);
readers differ for odd sizes, so models are padded to even ones. Coordinates are
bytes: larger grids become several models side by side.

Our own chunk `VX3D` comes last and holds the frame and the manifest as JSON. Readers
skip chunks they do not know; a long text in a node's dictionary would overflow the
fixed buffer of a widespread reader.
"""

import json
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from voxify3d.errors import MeshError
from voxify3d.export.record import about_of, frame_of, json_bytes, record_of
from voxify3d.render.views import six_views
from voxify3d.types import (
    Direction,
    Frame,
    Mesh,
    Palette,
    VoxelGrid,
    axis_of,
    opposite,
    sign_of,
)

_TILE = 256
_REACH = 1000
"""MagicaVoxel keeps voxels in [-1000, 1000) on each axis."""
_MAX_CELLS = 2**30
"""Larger scenes are refused when read: 1 GB."""


def vox_bytes(grid: VoxelGrid, mesh: Mesh | None = None) -> bytes:
    """Return the grid as a `.vox` file: bottom at z = 0, centered in x and y.

    Palette entry k is entry k of the file, which colors index k + 1.

    Args:
        grid: What to write.
        mesh: Ignored.
    """
    del mesh
    index = vox_from_world(grid.index, grid.frame)
    corner = _corner(index.shape)
    if max(corner + np.array(index.shape)) > _REACH:
        warnings.warn(
            f"MagicaVoxel drops voxels beyond {_REACH} per axis; this grid has "
            f"{' x '.join(map(str, index.shape))}",
            stacklevel=2,
        )
    models, nodes, children = [], [], []
    for low in np.ndindex(*(-(-side // _TILE) for side in index.shape)):
        low = np.array(low) * _TILE
        tile = index[tuple(slice(at, at + _TILE) for at in low)]
        if not tile.any():
            continue
        size = np.array(tile.shape) + np.array(tile.shape) % 2
        models.append(_model(tile, size))
        node, center = 2 + 2 * len(children), corner + low + size // 2
        nodes.append(_transform(node, node + 1, 0, center, grid.name))
        nodes.append(
            _chunk(b"nSHP", _ints(node + 1, 0, 1, len(children)) + _dictionary())
        )
        children.append(node)
    root = [
        _transform(0, 1, -1),
        _chunk(b"nGRP", _ints(1, 0, len(children), *children)),
    ]
    layer = _chunk(b"LAYR", _ints(0) + _dictionary(_name=grid.name[:60]) + _ints(-1))
    rgba = np.zeros((256, 4), np.uint8)
    rgba[: len(grid.palette), :3] = grid.palette.rgb
    rgba[: len(grid.palette), 3] = 255
    palette = _chunk(b"RGBA", rgba.tobytes())
    record = _chunk(b"VX3D", json_bytes(record_of(grid)))
    content = b"".join([*models, *root, *nodes, layer, palette, record])
    return b"VOX " + _ints(150) + b"MAIN" + _ints(0, len(content)) + content


def read_vox(path: str | Path) -> tuple[UInt8[np.ndarray, "x y z"], Palette]:
    """Return the voxels of a `.vox` file in its own axes (z up), and its palette.

    Index 0 is empty, else 1 + the palette entry. The array is the box around all
    models; for files of ours it is the grid, without padding.

    Raises:
        MeshError: Not a `.vox` file, damaged, or a scene with rotated models.
    """
    scene = _read_scene(Path(path))
    return scene.index, scene.palette


def grid_from_vox(path: str | Path) -> VoxelGrid:
    """Return the grid of a `.vox` file, in the world when the file holds its frame.

    Files of other programs give a grid of cell 1 in the file's own axes: up +z,
    front -y.

    Raises:
        MeshError: As `read_vox`.
    """
    scene = _read_scene(Path(path))
    if scene.frame is None:
        low = scene.low
        origin = (float(low[0]), float(low[1]), float(low[2]))
        frame = Frame(origin, 1.0, scene.index.shape, "-y", "+z")
        return VoxelGrid(scene.index, scene.palette, frame, name=Path(path).stem)
    return VoxelGrid(
        np.ascontiguousarray(world_from_vox(scene.index, scene.frame)),
        scene.palette,
        scene.frame,
        **about_of(scene.record, Path(path).stem),
    )


def vox_from_world(
    index: UInt8[np.ndarray, "x y z"], frame: Frame
) -> UInt8[np.ndarray, "right away up"]:
    """Return the voxels along the file's axes: right, away from the front, up."""
    axes = _file_axes(frame)
    turned = index.transpose([axis_of(direction) for direction in axes])
    return turned[tuple(slice(None, None, sign_of(d)) for d in axes)]


def world_from_vox(
    index: UInt8[np.ndarray, "right away up"], frame: Frame
) -> UInt8[np.ndarray, "x y z"]:
    """Undo `vox_from_world`."""
    axes = _file_axes(frame)
    turned = index[tuple(slice(None, None, sign_of(d)) for d in axes)]
    return turned.transpose(np.argsort([axis_of(direction) for direction in axes]))


def _file_axes(frame: Frame) -> tuple[Direction, Direction, Direction]:
    front = six_views(frame.front, frame.up)[0]
    return front.right, opposite(frame.front), frame.up


def _corner(shape: tuple[int, ...]) -> np.ndarray:
    """Return where the smallest corner of a grid goes in the scene."""
    return np.array([-(shape[0] // 2), -(shape[1] // 2), 0])


# Writing -----------------------------------------------------------------------


def _ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + _ints(len(content), 0) + content


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return _ints(len(data)) + data


def _dictionary(**pairs: str) -> bytes:
    parts = [_ints(len(pairs))]
    for key, value in pairs.items():
        parts += [_text(key), _text(value)]
    return b"".join(parts)


def _model(tile: np.ndarray, size: np.ndarray) -> bytes:
    at = np.argwhere(tile)
    voxels = np.empty((len(at), 4), np.uint8)
    voxels[:, :3] = at
    voxels[:, 3] = tile[tuple(at.T)]
    return _chunk(b"SIZE", _ints(*size.tolist())) + _chunk(
        b"XYZI", _ints(len(at)) + voxels.tobytes()
    )


def _transform(
    node: int,
    child: int,
    layer: int,
    center: np.ndarray | None = None,
    name: str | None = None,
) -> bytes:
    about = {} if name is None else {"_name": name[:60]}
    move = {} if center is None else {"_t": " ".join(map(str, center.tolist()))}
    return _chunk(
        b"nTRN",
        _ints(node)
        + _dictionary(**about)
        + _ints(child, -1, layer, 1)
        + _dictionary(**move),
    )


# Reading -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scene:
    """Voxels in the file's axes; `low` is the place of their smallest corner."""

    index: UInt8[np.ndarray, "x y z"]
    palette: Palette
    low: np.ndarray
    frame: Frame | None
    record: dict


class _Cursor:
    """Reads values one after the other, and refuses to read past the end."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> memoryview:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError(f"{count} bytes wanted, {len(self.data) - self.at} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def text(self) -> str:
        return bytes(self.take(self.number())).decode("utf-8", "replace")

    def dictionary(self) -> dict[str, str]:
        return {self.text(): self.text() for _ in range(self.count(8))}

    def count(self, least: int) -> int:
        """Return a number of items, each of at least so many bytes."""
        count = self.number()
        if not 0 <= count <= (len(self.data) - self.at) // least:
            raise ValueError(f"{count} items cannot fit")
        return count


def _read_scene(path: Path) -> _Scene:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeshError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return _parse(memoryview(data), path)
    except (ValueError, KeyError, RecursionError) as error:
        raise MeshError(
            f"{path}: not a readable .vox file ({error}); export it again"
        ) from error


def _parse(data: memoryview, path: Path) -> _Scene:
    head = _Cursor(data)
    if bytes(head.take(4)) != b"VOX ":
        raise ValueError("it does not start with 'VOX '")
    head.number()
    models: list[tuple[np.ndarray, np.ndarray]] = []
    nodes: dict[int, tuple] = {}
    size, rgba, record = None, None, None
    for name, body in _chunks(head):
        if name == b"SIZE":
            size = np.array([body.number() for _ in range(3)])
            if not ((size >= 1) & (size <= 2 * _TILE)).all():
                raise ValueError(f"a model of size {size.tolist()}")
        elif name == b"XYZI" and size is not None:
            count = body.count(4)
            voxels = np.frombuffer(body.take(4 * count), np.uint8).reshape(-1, 4)
            if (voxels[:, :3] >= size).any():
                raise ValueError("a voxel outside its model")
            models.append((size, voxels))
        elif name == b"RGBA":
            rgba = np.frombuffer(body.take(1024), np.uint8).reshape(256, 4)
        elif name in (b"nTRN", b"nGRP", b"nSHP"):
            number, node = _node(name, body)
            nodes[number] = node
        elif name == b"VX3D":
            record = json.loads(bytes(body.data))
    if not models:
        raise ValueError("it holds no model")
    if rgba is None:
        raise ValueError("it holds no palette")
    frame = None if record is None else frame_of(record, str(path))
    record = record if isinstance(record, dict) else {}
    places = list(_places(nodes, models))
    if frame is None:
        low = np.min([low for _, low in places], axis=0)
        high = np.max([low + models[m][0] for m, low in places], axis=0)
        shape = tuple(int(side) for side in high - low)
    else:
        shape = tuple(frame.shape[axis_of(d)] for d in _file_axes(frame))
        low = _corner(shape)
    if np.prod(np.array(shape, float)) > _MAX_CELLS:
        raise ValueError(f"a scene of {shape} cells is too large")
    if sum(len(models[m][1]) for m, _ in places) > _MAX_CELLS:
        raise ValueError("its models are shown too often")
    index = np.zeros(shape, np.uint8)
    for model, place in places:
        voxels = models[model][1]
        at = voxels[:, :3] + (place - low)
        if (at < 0).any() or (at >= shape).any():
            raise ValueError("a voxel outside the grid its frame describes")
        index[tuple(at.T)] = voxels[:, 3]
    shown = np.flatnonzero(rgba[:255, 3])
    colors = max(int(index.max()), int(shown[-1]) + 1 if len(shown) else 0)
    return _Scene(index, Palette(rgba[:colors, :3].copy()), low, frame, record)


def _chunks(head: _Cursor) -> Iterator[tuple[bytes, _Cursor]]:
    """Yield the chunks inside MAIN."""
    if bytes(head.take(4)) != b"MAIN":
        raise ValueError("it has no MAIN chunk")
    content = head.number()
    children = head.number()
    head.take(content)
    head = _Cursor(head.take(children))
    while head.at < len(head.data):
        name = bytes(head.take(4))
        length = head.number()
        children = head.number()
        yield name, _Cursor(head.take(length))
        head.take(children)


def _node(name: bytes, body: _Cursor) -> tuple[int, tuple]:
    """Return the number of a scene node and (kind, move, child nodes or models)."""
    number = body.number()
    body.dictionary()
    if name == b"nGRP":
        return number, ("group", None, [body.number() for _ in range(body.count(4))])
    if name == b"nSHP":
        items = []
        for _ in range(body.count(8)):
            items.append(body.number())
            body.dictionary()
        return number, ("shape", None, items[:1])
    child = body.number()
    body.number()
    body.number()
    frames = [body.dictionary() for _ in range(body.count(4))]
    first = frames[0] if frames else {}
    if first.get("_r", "4") != "4":
        raise ValueError("rotated models are not supported")
    move = np.array([int(value) for value in first.get("_t", "0 0 0").split()])
    if move.shape != (3,) or (np.abs(move) > 10**6).any():
        raise ValueError(f"a model placed at {first.get('_t')!r:.40}")
    return number, ("transform", move, [child])


def _places(
    nodes: dict[int, tuple], models: list[tuple[np.ndarray, np.ndarray]]
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (model, place of its smallest corner), later ones drawn over earlier."""
    if not nodes:
        yield 0, np.zeros(3, np.int64)
        return
    stack, seen = [(0, np.zeros(3, np.int64))], set()
    while stack:
        number, place = stack.pop()
        if number in seen:
            raise ValueError(f"scene node {number} hangs in two places")
        seen.add(number)
        kind, move, items = nodes[number]
        if kind == "shape":
            for model in items:
                if not 0 <= model < len(models):
                    raise ValueError(f"a node shows model {model} of {len(models)}")
                yield model, place - models[model][0] // 2
        else:
            place = place if move is None else place + move
            stack += [(item, place) for item in reversed(items)]
