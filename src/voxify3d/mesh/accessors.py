"""glTF buffers → arrays, with every size checked before it is believed."""

import base64
import binascii
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num

from voxify3d.errors import MeshError
from voxify3d.mesh.files import OutsideError, find_beside, read_bytes

DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {
    "SCALAR": 1,
    "VEC2": 2,
    "VEC3": 3,
    "VEC4": 4,
    "MAT2": 4,
    "MAT3": 9,
    "MAT4": 16,
}

_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_MAX_DECODED = 1 << 30
_MAX_ZEROS = 1 << 22
"""Elements of an accessor without data, which costs the file nothing."""


def entry(document: dict[str, Any], kind: str, number: Any, source: str) -> dict:  # noqa: ANN401
    """Return `document[kind][number]`.

    Raises:
        MeshError: There is no such entry.
    """
    entries = document.get(kind, [])
    if (
        not isinstance(entries, list)
        or type(number) is not int
        or not 0 <= number < len(entries)
        or not isinstance(entries[number], dict)
    ):
        raise MeshError(
            f"{source}: refers to {kind}[{number}], which does not exist. The file is "
            "damaged; re-export it."
        )
    return entries[number]


class Buffers:
    """The binary side of one glTF document; buffers are read on first use."""

    def __init__(
        self, document: dict[str, Any], binary: bytes | None, folder: Path, source: str
    ) -> None:
        self._document, self._binary = document, binary
        self._folder, self._source = folder, source
        self._buffers: dict[int, bytes] = {}
        self._decoded: dict[int, memoryview] = {}

    def array(self, accessor: int) -> Num[np.ndarray, "n width"]:
        """Return an accessor's elements as stored, sparse entries put in."""
        info = entry(self._document, "accessors", accessor, self._source)
        dtype, width, count = self._layout(info, f"accessors[{accessor}]")
        if "bufferView" in info:
            out = self._elements(
                info["bufferView"], info.get("byteOffset", 0), dtype, width, count
            )
        else:
            if count > _MAX_ZEROS:
                raise self._lie(f"accessors[{accessor}].count", count)
            out = np.zeros((count, width), dtype)
        if "sparse" in info:
            out = self._with_sparse(out, info["sparse"])
        return out

    def floats(self, accessor: int) -> Num[np.ndarray, "n width"]:
        """Return an accessor's elements as float64, normalized integers in [-1, 1]."""
        info = entry(self._document, "accessors", accessor, self._source)
        array = self.array(accessor)
        if info.get("normalized"):
            return unit_from_integers(array)
        return array.astype(np.float64)

    def view(self, number: int) -> memoryview:
        """Return the bytes of a buffer view, decompressed."""
        info = entry(self._document, "bufferViews", number, self._source)
        extensions = info.get("extensions", {})
        for name in _MESHOPT:
            if name in extensions:
                if number not in self._decoded:
                    self._decoded[number] = self._decompressed(extensions[name])
                return self._decoded[number]
        return self._slice(info)

    def _decompressed(self, info: dict[str, Any]) -> memoryview:
        """Return a buffer view that meshoptimizer packed."""
        import meshopt

        count, stride = info["count"], info["byteStride"]
        if type(count) is not int or not 0 <= count * stride <= _MAX_DECODED:
            raise self._lie("EXT_meshopt_compression.count", count)
        try:
            rows = meshopt.decode_gltf_buffer(
                bytes(self._slice(info)),
                count,
                stride,
                info["mode"],
                info.get("filter", "NONE"),
            )
        except (ValueError, RuntimeError) as error:
            raise MeshError(
                f"{self._source}: its meshopt data cannot be decoded ({error}). "
                "Re-export it without compression."
            ) from error
        return memoryview(np.ascontiguousarray(rows).tobytes())

    def _slice(self, info: dict[str, Any]) -> memoryview:
        start, length = info.get("byteOffset", 0), info["byteLength"]
        data = self._buffer(info["buffer"])
        if start < 0 or length < 0 or start + length > len(data):
            raise MeshError(
                f"{self._source}: a buffer view ends at byte {start + length:,} of a "
                f"buffer of {len(data):,}. The file is truncated; get it again."
            )
        return memoryview(data)[start : start + length]

    def _buffer(self, number: int) -> bytes:
        if number not in self._buffers:
            info = entry(self._document, "buffers", number, self._source)
            data = self._load(info.get("uri"), number)
            if info.get("byteLength", 0) > len(data):
                raise MeshError(
                    f"{self._source}: buffers[{number}] should have "
                    f"{info['byteLength']:,} bytes but has {len(data):,}. The file is "
                    "truncated; get it again."
                )
            self._buffers[number] = data
        return self._buffers[number]

    def _load(self, uri: str | None, number: int) -> bytes:
        if uri is None:
            return (number == 0 and self._binary) or b""
        if uri.startswith("data:"):
            return bytes_from_data_uri(uri, self._source)
        try:
            path = find_beside(self._folder, uri)
        except OutsideError as error:
            raise MeshError(
                f"{self._source}: buffer {uri[:80]} lies outside the file's folder, "
                "which is refused. Put it next to the file."
            ) from error
        if path is None:
            raise MeshError(
                f"{self._source}: buffer {uri[:80]} is missing. Put it beside."
            )
        return read_bytes(path)

    def _layout(self, info: dict[str, Any], what: str) -> tuple[np.dtype, int, int]:
        kind, width = info.get("componentType"), info.get("type")
        if kind not in DTYPES or width not in WIDTHS:
            raise MeshError(
                f"{self._source}: {what} has componentType {kind} and type {width}, "
                "which glTF does not know. Re-export it."
            )
        count = info["count"]
        if type(count) is not int or count < 0:
            raise self._lie(f"{what}.count", count)
        return np.dtype(DTYPES[kind]), WIDTHS[width], count

    def _elements(
        self, view: int, offset: int, dtype: np.dtype, width: int, count: int
    ) -> np.ndarray:
        info = entry(self._document, "bufferViews", view, self._source)
        data = self.view(view)
        packed = width * dtype.itemsize
        stride = info.get("byteStride") or packed
        needed = offset + stride * (count - 1) + packed if count else 0
        if stride < packed or offset < 0 or needed > len(data):
            raise MeshError(
                f"{self._source}: an accessor needs {needed:,} bytes of "
                f"bufferViews[{view}], which has {len(data):,}. The file is damaged; "
                "get it again."
            )
        return np.ndarray(
            (count, width), dtype, data, offset, (stride, dtype.itemsize)
        ).copy()

    def _with_sparse(self, out: np.ndarray, sparse: dict[str, Any]) -> np.ndarray:
        count, where, what = sparse["count"], sparse["indices"], sparse["values"]
        kind = np.dtype(DTYPES[where["componentType"]])
        if type(count) is not int or count < 0:
            raise self._lie("sparse.count", count)
        index = self._elements(
            where["bufferView"], where.get("byteOffset", 0), kind, 1, count
        )[:, 0]
        values = self._elements(
            what["bufferView"],
            what.get("byteOffset", 0),
            out.dtype,
            out.shape[1],
            count,
        )
        if count and int(index.max()) >= len(out):
            raise self._lie("sparse.indices", int(index.max()))
        out[index] = values
        return out

    def _lie(self, what: str, value: object) -> MeshError:
        return MeshError(
            f"{self._source}: {what} is {value}, which the file cannot hold. It is "
            "damaged; re-export it."
        )


def unit_from_integers(array: np.ndarray) -> np.ndarray:
    """Return normalized integers as float64 in [0, 1], or [-1, 1] if signed."""
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    scaled = array / float(np.iinfo(array.dtype).max)
    return np.maximum(scaled, -1.0)


def bytes_from_data_uri(uri: str, source: str) -> bytes:
    """Return the content of a `data:` URI.

    Raises:
        MeshError: It is not valid base64.
    """
    head, _, body = uri.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError(head)
        return base64.b64decode(body)
    except (binascii.Error, ValueError) as error:
        raise MeshError(
            f"{source}: embedded data ({head[:40]}) is not base64. Re-export it."
        ) from error
