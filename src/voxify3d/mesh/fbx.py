"""What assimp does not hand out of a binary .fbx: the pictures in it.

A file is a tree of records: where the record ends, its values, then the records in it.
Nothing is believed before its end has been compared with the end of what holds it.
"""

import struct
from collections.abc import Iterator
from pathlib import PurePosixPath

_MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
_MAX_RECORDS = 1_000_000

_Record = tuple[str, int, int, int]
"""Name, place of the values, place of what is in it, end."""


def embedded_images(data: bytes) -> dict[str, bytes]:
    """Return the pictures in an .fbx by the file name they had, in lower case.

    Damaged records are left out, and so are the pictures of text files.
    """
    found: dict[str, bytes] = {}
    if not data.startswith(_MAGIC) or len(data) < len(_MAGIC) + 4:
        return found
    (version,) = struct.unpack_from("<I", data, len(_MAGIC))
    is_wide = version >= 7500
    for name, _, inner, end in _records(data, len(_MAGIC) + 4, len(data), is_wide):
        if name != "Objects":
            continue
        for kind, _, first, last in _records(data, inner, end, is_wide):
            if kind == "Video":
                found |= _video(data, first, last, is_wide)
    return found


def file_name(reference: str) -> str:
    """Return the last part of a path of any system, in lower case."""
    return PurePosixPath(reference.replace("\\", "/")).name.casefold()


def _video(data: bytes, start: int, end: int, is_wide: bool) -> dict[str, bytes]:
    names, content = [], b""
    for name, values, inner, _ in _records(data, start, end, is_wide):
        if name in ("Filename", "RelativeFilename"):
            names.append(_bytes_at(data, values, inner).decode("utf-8", "replace"))
        elif name == "Content":
            content = _bytes_at(data, values, inner)
    return {file_name(name): content for name in names if name and content}


def _bytes_at(data: bytes, place: int, end: int) -> bytes:
    """Return a value that is text or raw bytes; nothing for other kinds."""
    if place + 5 > end or data[place : place + 1] not in (b"S", b"R"):
        return b""
    (length,) = struct.unpack_from("<I", data, place + 1)
    return data[place + 5 : place + 5 + length] if place + 5 + length <= end else b""


def _records(data: bytes, start: int, end: int, is_wide: bool) -> Iterator[_Record]:
    """Yield the records from a place on, until one does not fit."""
    head = struct.Struct("<QQQB" if is_wide else "<IIIB")
    for _ in range(_MAX_RECORDS):
        if start + head.size > end:
            return
        stop, _, length, name_length = head.unpack_from(data, start)
        values = start + head.size + name_length
        if stop <= start or stop > end or values + length > stop:
            return
        name = data[values - name_length : values].decode("ascii", "replace")
        yield name, values, values + length, stop
        start = stop
