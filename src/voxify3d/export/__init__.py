"""Write a voxel grid to a file; the suffix chooses the format."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from voxify3d.errors import ExportError, MeshError
from voxify3d.export.gltf import glb_bytes, grid_from_glb
from voxify3d.export.image import png_bytes
from voxify3d.export.vox import grid_from_vox, read_vox, vox_bytes
from voxify3d.types import Mesh, VoxelGrid

__all__ = ["EXPORTERS", "check_writable", "export", "read_vox", "read_voxels"]

EXPORTERS: dict[str, Callable[[VoxelGrid, Mesh | None], bytes]] = {
    ".vox": vox_bytes,
    ".glb": glb_bytes,
    ".png": png_bytes,
}
"""Suffix → function from a grid (and the mesh it was made from) to the file's bytes."""

_READERS: dict[str, Callable[[str | Path], VoxelGrid]] = {
    ".vox": grid_from_vox,
    ".glb": grid_from_glb,
}


def export(
    grid: VoxelGrid,
    path: str | Path,
    *,
    mesh: Mesh | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a grid in the format of the path's suffix and return the path.

    The file appears complete or not at all. The same grid gives the same bytes.

    Args:
        grid: What to write.
        path: Where to. Its folder must exist.
        mesh: What the grid was made from; the picture shows it beside the result.
        overwrite: Replace an existing file.

    Raises:
        ExportError: Unknown suffix, existing file, missing or read-only folder, full
            disk, or an empty grid.
    """
    path = Path(path)
    _check_target(path, overwrite)
    if not grid.index.any():
        raise ExportError(f"{path}: the grid holds no voxels; nothing to write")
    data = EXPORTERS[path.suffix.lower()](grid, mesh)
    _check_target(path, overwrite)
    with _as_export_error(path):
        _replace(path, data)
    return path


def check_writable(path: str | Path, overwrite: bool = False) -> None:
    """Refuse what `export` would refuse, before hours of work.

    Makes and removes a small file in the folder: permissions alone do not tell.

    Raises:
        ExportError: As `export`.
    """
    path = Path(path)
    _check_target(path, overwrite)
    with _as_export_error(path):
        probe = _temporary(path)
        try:
            probe.touch(exist_ok=False)
        finally:
            probe.unlink(missing_ok=True)


def read_voxels(path: str | Path) -> VoxelGrid:
    """Return the grid of a `.vox` or `.glb` file that `export` wrote.

    A `.glb` holds surfaces only: voxels no side of which is seen come back with the
    color of the voxel before them along x.

    Raises:
        MeshError: Not such a file, or damaged.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise MeshError(
            f"{path}: cannot read voxels from {path.suffix or 'no suffix'!r}; "
            f"known are {', '.join(_READERS)}"
        )
    return reader(path)


def _check_target(path: Path, overwrite: bool) -> None:
    if path.suffix.lower() not in EXPORTERS:
        raise ExportError(
            f"{path}: unknown format {path.suffix or 'without suffix'!r}; "
            f"use one of {', '.join(EXPORTERS)}"
        )
    with _as_export_error(path):
        if not path.parent.is_dir():
            raise ExportError(
                f"{path}: folder {path.parent} does not exist; make it first"
            )
        try:
            path.stat()
        except FileNotFoundError:
            return
        if path.is_dir():
            raise ExportError(f"{path}: is a folder; give a file name")
        if not overwrite:
            raise ExportError(
                f"{path}: exists already; use --force (overwrite=True) to replace it"
            )


@contextmanager
def _as_export_error(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one line that names the path."""
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror or error}); "
            "free the disk or choose another place"
        ) from error
    except ValueError as error:
        raise ExportError(f"{str(path)!r}: not a usable path ({error})") from error


def _temporary(path: Path) -> Path:
    """Return a short free name in the same folder, so that the move is atomic."""
    return path.parent / f".voxify3d-{secrets.token_hex(6)}"


def _replace(path: Path, data: bytes) -> None:
    target = Path(os.path.realpath(path))  # a link keeps pointing where it did
    temporary = _temporary(target)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may show only here
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
