"""The files a mesh file refers to, never outside its own folder."""

import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from voxify3d.errors import MeshError

MAX_FILE_BYTES = 4 << 30
"""Files beyond this are refused before they are read."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class OutsideError(ValueError):
    """A reference that leaves the folder; raised before anything is touched."""


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        MeshError: It is missing, no regular file, empty, too large or unreadable.
    """
    try:
        if not path.exists():
            raise MeshError(f"{path}: no such file. Check the path.")
        if path.is_dir():
            raise MeshError(f"{path}: is a folder. Give the mesh file inside it.")
        if not path.is_file():
            raise MeshError(f"{path}: is not a regular file.")
        size = path.stat().st_size
        if size == 0:
            raise MeshError(f"{path.name}: is empty (0 bytes). Export it again.")
        if size > MAX_FILE_BYTES:
            raise MeshError(
                f"{path.name}: has {size:,} bytes, at most {MAX_FILE_BYTES:,} are "
                "read. Decimate the mesh first."
            )
        return path.read_bytes()
    except OSError as error:
        raise MeshError(f"{path}: cannot be read ({error.strerror}).") from error


def find_beside(
    folder: Path, reference: str, *, is_uri: bool = True, search: bool = False
) -> Path | None:
    """Return the file a mesh file refers to, or None when there is none.

    Wrong case is forgiven, backslashes too. The way out of the folder is not,
    whether by `..`, an absolute path, a URL or a symbolic link.

    Args:
        folder: Where the mesh file lies.
        reference: As written in it.
        is_uri: Percent signs are escapes.
        search: Also take a file of that name that was moved next to the mesh file;
            references that leave the folder are then looked for there only.

    Raises:
        OutsideError: The reference leaves the folder (and no file of that name lies
            next to the mesh file, if `search`).
    """
    text = (unquote(reference) if is_uri else reference).strip().replace("\\", "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    outside = (
        "\0" in text
        or text.startswith("/")
        or _SCHEME.match(text) is not None
        or ".." in parts
    )
    found = None if outside else _descend(folder, parts)
    if found is not None and not found.resolve().is_relative_to(folder.resolve()):
        found, outside = None, True
    if found is None and search and parts and "\0" not in text:
        found = _descend(folder, [PurePosixPath(parts[-1]).name])
        if found is not None and not found.resolve().is_relative_to(folder.resolve()):
            found = None
    if found is None and outside:
        raise OutsideError(reference)
    return found


def _descend(folder: Path, parts: list[str]) -> Path | None:
    """Return the file below a folder, with the case of names as a last resort."""
    here = folder
    for part in parts:
        exact = here / part
        try:
            if not exact.exists():
                wanted = part.casefold()
                names = sorted(n for n in os.listdir(here) if n.casefold() == wanted)
                if not names:
                    return None
                exact = here / names[0]
        except OSError:
            return None
        here = exact
    return here if parts and here.is_file() else None
